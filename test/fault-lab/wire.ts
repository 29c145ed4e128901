import { equal, ok } from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { createUndiciFetch, type UndiciFetch } from '../../src/http/undici.js';
import { TargetClient, TargetError } from '../../src/index.js';
import { type Play, rawEdge } from '../raw-edge.js';
import type { Check } from './checks.js';
import { pathOf } from './scripts.js';
import { pause } from './verdict.js';

type Transport = 'node-fetch' | 'undici';

/** Gives a piece of work a client of a host, and closes it behind it. */
async function withClient<Result>(
  transport: Transport,
  { host, timeout }: { readonly host: string; readonly timeout: number },
  work: (client: TargetClient) => Promise<Result>,
): Promise<Result> {
  const fetchApi: UndiciFetch | undefined = transport === 'undici' ? createUndiciFetch() : undefined;
  const client = TargetClient.create({
    client: 'demo',
    organizationId: 'DEMO@AdobeOrg',
    telemetryEnabled: false,
    secure: false,
    serverDomain: host,
    timeout,
    fetchApi,
  });
  try {
    return await work(client);
  } finally {
    await client.close();
    await fetchApi?.close();
  }
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const VISITORS = 160;
const AT_A_TIME = 10;

/** Whether a visitor is shown somebody else, in an answer, its cookie or an error. */
async function isShownAnother(client: TargetClient, visitor: number): Promise<boolean> {
  const tntId = `visitor${visitor}.35_0`;
  const request = { id: { tntId }, execute: { mboxes: [{ name: 'hero' }] } };
  const shown = await client.getOffers({ request }).catch((error: unknown) => error);
  const names = inspect(shown, { depth: 20, showHidden: true }).match(/visitor\d+\.35_0/g) ?? [];
  return names.some((name) => name !== tntId);
}

/** How many visitors were shown somebody else, of those whom an edge in disorder answers. */
async function countMixed(transport: Transport, play: Play): Promise<number> {
  const sockets = new Set<Socket>();
  const server = rawEdge(play).on('connection', (socket) => sockets.add(socket));
  const host = await listen(server);
  let mixed = 0;
  let last = 0;
  const run = async (client: TargetClient) => {
    while (last < VISITORS) {
      last += 1;
      if (await isShownAnother(client, last)) {
        mixed += 1;
      }
    }
  };
  try {
    await withClient(transport, { host, timeout: 5000 }, (client) =>
      Promise.all(Array.from({ length: AT_A_TIME }, () => run(client))),
    );
  } finally {
    server.close();
    for (const socket of sockets) {
      socket.destroy();
    }
  }
  return mixed;
}

const DISORDER: Readonly<Record<string, Play>> = {
  twice: ({ answer }, { socket }) => socket.write(Buffer.concat([answer, answer])),
  'again 1 ms later': ({ answer }, { socket }) => {
    socket.write(answer);
    setTimeout(() => socket.write(answer), 1);
  },
  'again before the next one': ({ answer, at }, { socket, asked }) => {
    const last = asked[at - 1];
    if (last) {
      socket.write(last.answer);
    }
    socket.write(answer);
  },
};

const IDLE = 20;
const MOST_TIMEOUTS = 2;
const TIMEOUT_MS = 2000;

/** A balancer of two processes, which stays with the process that it has chosen for a connection. */
class Balancer {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  /** The port behind it that connections are made to from now on. */
  port = 0;

  constructor() {
    this.#server = createServer((socket) => {
      const onward = connect(this.port, '127.0.0.1');
      for (const one of [socket, onward]) {
        this.#sockets.add(one);
        one.on('error', () => undefined);
        one.on('close', () => {
          socket.destroy();
          onward.destroy();
        });
      }
      socket.pipe(onward).pipe(socket);
    });
  }

  listen(): Promise<string> {
    return listen(this.#server);
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) {
      socket.destroy();
    }
  }
}

/** Starts a process that answers once it has so many calls at a time, and then each at once. */
async function startBackend(
  together: number,
): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const child = fork(pathOf('backend'), [String(together)]);
  const [port] = (await once(child, 'message')) as [number];
  return { child, port };
}

/** How many calls time out before one goes through, when the process behind twenty idle connections has stopped. */
async function countTimeouts(transport: Transport): Promise<number> {
  const [stopped, well] = await Promise.all([startBackend(IDLE), startBackend(1)]);
  const balancer = new Balancer();
  balancer.port = stopped.port;
  const host = await balancer.listen();
  try {
    return await withClient(transport, { host, timeout: TIMEOUT_MS }, async (client) => {
      const request = { execute: { mboxes: [{ name: 'hero' }] } };
      const calls = Array.from({ length: IDLE }, () => client.getOffers({ request, timeout: 20_000 }));
      await Promise.all(calls);
      await pause(20);
      stopped.child.kill('SIGSTOP');
      balancer.port = well.port;
      return await timeoutsUntilSuccess(() => client.getOffers({ request }));
    });
  } finally {
    balancer.close();
    for (const { child } of [stopped, well]) {
      child.kill('SIGKILL');
    }
  }
}

async function timeoutsUntilSuccess(call: () => Promise<unknown>): Promise<number> {
  for (let timeouts = 0; timeouts <= MOST_TIMEOUTS; timeouts += 1) {
    const error = await call().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error === undefined) {
      return timeouts;
    }
    ok(error instanceof TargetError && error.code === 'ERR_TARGET_TIMEOUT', `it failed of ${String(error)}`);
  }
  return Number.POSITIVE_INFINITY;
}

const TRANSPORTS: readonly Transport[] = ['node-fetch', 'undici'];

/** What may happen to connections that are kept. */
export const WIRE_CHECKS: readonly Check[] = TRANSPORTS.flatMap((transport) => [
  {
    input: `answers that come twice or late on kept connections, on ${transport}`,
    ours: 'No other visitor gets them: the call rejects with `ERR_TARGET_INVALID_RESPONSE`, and the connection is closed.',
    run: async () => {
      for (const [disorder, play] of Object.entries(DISORDER)) {
        const mixed = await countMixed(transport, play);
        equal(mixed, 0, `${mixed} of ${VISITORS} were shown somebody else: answers came ${disorder}`);
      }
    },
  },
  {
    input: `the server of twenty idle connections stands still (SIGSTOP), on ${transport}`,
    ours: 'At most two calls time out. The next one uses a new connection.',
    run: async () => {
      const timeouts = await countTimeouts(transport);
      ok(timeouts <= MOST_TIMEOUTS, `more than ${MOST_TIMEOUTS} calls timed out`);
    },
  },
]);
