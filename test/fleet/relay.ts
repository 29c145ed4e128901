import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

const HOST = '127.0.0.1';

/** A relay between clients and a server. Clients keep its port when another server takes over. */
export interface Relay {
  readonly port: number;
  /** Cuts all connections. Later ones go to another port. */
  moveTo(port: number): void;
  /** Passes everything on after a time in ms from now on. */
  delay(ms: number): void;
  close(): void;
}

/** Starts a relay on the loopback interface. */
export async function startRelay(target: number): Promise<Relay> {
  let port = target;
  let delayMs = 0;
  const open = new Set<Socket>();
  const cut = () => {
    for (const socket of open) {
      socket.destroy();
    }
  };
  const server = createServer((near) => {
    const far = connect(port, HOST);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from);
      let written = Promise.resolve<unknown>(undefined);
      from.on('data', (data) => {
        // The order stays, also when a later part has a shorter delay.
        const due = delayMs > 0 ? pause(delayMs) : undefined;
        written = written.then(() => due).then(() => to.destroyed || to.write(data));
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        open.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    moveTo: (next) => {
      port = next;
      cut();
    },
    delay: (ms) => {
      delayMs = ms;
    },
    close: () => {
      server.close();
      cut();
    },
  };
}
