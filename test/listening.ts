import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach } from '@jest/globals';

/** A server that listens. */
export interface Listening {
  readonly host: string;
  readonly port: number;
  /** Those that were ever opened. */
  readonly sockets: Socket[];
}

/** What a test file starts, stopped after each of its tests. */
export interface Running {
  /** Has a server listen on a free port of the loopback interface, until the test ends with all of its connections. */
  listen(server: Server): Promise<Listening>;
  /** Something else to be ended with the test. */
  add(stop: () => unknown): void;
}

/** Keeps what the tests of a file start. */
export function withServers(): Running {
  const stops = new Set<() => unknown>();
  afterEach(async () => {
    for (const stop of stops) {
      await stop();
    }
    stops.clear();
  });
  return {
    listen: async (server) => {
      const sockets: Socket[] = [];
      server.on('connection', (socket: Socket) => {
        sockets.push(socket);
        socket.on('error', () => undefined);
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      stops.add(() => {
        server.close();
        for (const socket of sockets) {
          socket.destroy();
        }
      });
      const { port } = server.address() as AddressInfo;
      return { host: `127.0.0.1:${port}`, port, sockets };
    },
    add: (stop) => void stops.add(stop),
  };
}
