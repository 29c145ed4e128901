import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A TCP relay before a server, which can be made slow. */
export interface Relay {
  readonly port: number;
  /** Time in ms by which each piece is late, in both directions. */
  delayMs: number;
  close(): Promise<void>;
}

/** Starts a relay to a port of this machine. */
export async function startRelay(port: number): Promise<Relay> {
  const sockets = new Set<Socket>();
  const pipe = (from: Socket, to: Socket) => {
    sockets.add(from);
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
    // Timers of equal length keep the order of the pieces, and a length that changes keeps it for later ones.
    from.on('data', (piece) => setTimeout(() => to.destroyed || to.write(piece), relay.delayMs).unref());
  };
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    pipe(near, far);
    pipe(far, near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const relay: Relay = {
    port: typeof address === 'object' && address ? address.port : 0,
    delayMs: 0,
    close: async () => {
      for (const socket of sockets) {
        socket.destroy();
      }
      server.close();
    },
  };
  return relay;
}
