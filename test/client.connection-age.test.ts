import { once } from 'node:events';
import http from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createUndiciFetch } from '../src/http/undici.js';
import type { TargetClientConfig } from '../src/index.js';
import { artifactOf } from './fixtures/rules.js';
import { withServers } from './listening.js';
import { REQUEST } from './recording-fetch.js';
import { clientsOf, type Transport } from './transport-clients.js';
import { targetErrorOf } from './with-edge.js';

const request = REQUEST;
const ANSWER = JSON.stringify({ status: 200, client: 'demo' });
const FIVE_MINUTES_MS = 300_000;

const running = withServers();
const { listen } = running;

const TRANSPORTS: readonly Transport[] = ['node-fetch', 'undici'];

const clientOf = clientsOf((close) => void running.add(close));

/** A clock of `performance.now()` that can be put forward. */
let passedMs = 0;
beforeEach(() => {
  passedMs = 0;
  const now = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => now() + passedMs);
});
afterEach(() => {
  jest.restoreAllMocks();
});

/** A turn of the event loop, which undici takes before it uses a connection again. */
const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

/** Has so many calls wait for each other, so that each has a connection of its own. */
function answeringTogether(count: number): http.Server {
  const waiting: http.ServerResponse[] = [];
  let isMet = false;
  return http.createServer((_, response) => {
    if (isMet) {
      response.end(ANSWER);
      return;
    }
    waiting.push(response);
    isMet = waiting.length === count;
    if (isMet) {
      for (const one of waiting) {
        one.end(ANSWER);
      }
    }
  });
}

describe.each(TRANSPORTS)('on %s a connection', (kind) => {
  test('is not used for a new call when it is five minutes old, and closed', async () => {
    const used: Socket[] = [];
    const { host } = await listen(
      http.createServer(({ socket }, response) => {
        used.push(socket);
        response.end(ANSWER);
      }),
    );
    const client = clientOf(kind, host);
    await client.getOffers({ request });
    await turn();
    passedMs = FIVE_MINUTES_MS - 10_000;
    await client.getOffers({ request });
    await turn();
    passedMs = FIVE_MINUTES_MS;
    await client.getOffers({ request });
    const [first, second, third] = used as [Socket, Socket, Socket];
    expect(second).toBe(first);
    expect(third).not.toBe(first);
    if (!first.closed) {
      await once(first, 'close');
    }
  });

  test('that is old is none of many that a call could get', async () => {
    const { host, sockets } = await listen(answeringTogether(10));
    const client = clientOf(kind, host);
    await Promise.all(Array.from({ length: 10 }, () => client.getOffers({ request })));
    await turn();
    passedMs = FIVE_MINUTES_MS;
    const calls = Array.from({ length: 10 }, () => client.getOffers({ request }));
    expect(await Promise.all(calls)).toHaveLength(10);
    expect(sockets.length).toBeGreaterThan(10);
    await Promise.all(sockets.slice(0, 10).map((socket) => socket.closed || once(socket, 'close')));
  });

  test('is renewed when it is always in use', async () => {
    const { host, sockets } = await listen(
      http.createServer((_, response) => {
        passedMs += 10_000;
        response.end(ANSWER);
      }),
    );
    // More calls than connections: each connection goes from one call to the next.
    const fetchApi = kind === 'undici' ? createUndiciFetch({ connections: 4 }) : undefined;
    if (fetchApi) {
      running.add(() => fetchApi.close());
    }
    const config = { timeout: 10 * FIVE_MINUTES_MS, retry: { retries: 0 } };
    const client = clientOf(kind, host, fetchApi ? { ...config, fetchApi } : config);
    const atOnce = fetchApi ? 4 : 128;
    const calls = Array.from({ length: atOnce + 70 }, () => client.getOffers({ request }));
    expect(await Promise.all(calls)).toHaveLength(atOnce + 70);
    expect(sockets.length).toBeGreaterThan(atOnce);
  });

  test('that is old carries its call to the end', async () => {
    const server = http.createServer((_, response) => {
      if (sockets.length > 1) {
        response.end(ANSWER);
      }
    });
    const { host, sockets } = await listen(server);
    const client = clientOf(kind, host, { timeout: 10 * FIVE_MINUTES_MS });
    const call = client.getOffers({ request });
    const [, response] = (await once(server, 'request')) as [unknown, http.ServerResponse];
    passedMs = 2 * FIVE_MINUTES_MS;
    response.end(ANSWER);
    expect((await call).response.client).toBe('demo');
    const [first] = sockets as [Socket];
    if (!first.closed) {
      await once(first, 'close');
    }
    await client.getOffers({ request });
    expect(sockets.length).toBeGreaterThan(1);
  });
});

describe.each(TRANSPORTS)('on %s a call that was not answered in time', (kind) => {
  const COUNT = 10;

  /** A client with idle connections to a server that has come to hang. */
  async function hanging(config: Partial<TargetClientConfig> = {}) {
    const hung = new Set<Socket>();
    const server = answeringTogether(COUNT);
    const [answer] = server.listeners('request') as [http.RequestListener];
    server.removeAllListeners('request');
    server.on('request', (message, response) => {
      if (!hung.has(message.socket)) {
        answer(message, response);
      }
    });
    const { host, sockets } = await listen(server);
    const client = clientOf(kind, host, config);
    await Promise.all(Array.from({ length: COUNT }, () => client.getOffers({ request })));
    await turn();
    for (const socket of sockets) {
      hung.add(socket);
    }
    return { client, sockets };
  }

  test('closes the idle connections to its host: the next call goes through', async () => {
    const { client, sockets } = await hanging();
    expect(sockets).toHaveLength(COUNT);
    const error = await targetErrorOf(() => client.getOffers({ request, timeout: 200 }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_TIMEOUT', attempts: 1 });
    expect((await client.getOffers({ request })).response.client).toBe('demo');
    await Promise.all(sockets.slice(0, COUNT).map((socket) => socket.closed || once(socket, 'close')));
  });

  test('leaves those to other hosts open', async () => {
    const artifact = JSON.stringify(artifactOf({}));
    const cdn = await listen(http.createServer((_, response) => response.end(artifact)));
    const hung = await listen(http.createServer(() => undefined));
    const client = clientOf(kind, hung.host, {
      decisioningMethod: 'hybrid',
      artifactLocation: `http://${cdn.host}/rules.json`,
      pollingInterval: 0,
    });
    await client.ready();
    await turn();
    const call = { request, decisioningMethod: 'server-side', timeout: 200 } as const;
    expect((await targetErrorOf(() => client.getOffers(call))).code).toBe('ERR_TARGET_TIMEOUT');
    await turn();
    expect(cdn.sockets.map(({ destroyed }) => destroyed)).toEqual([false]);
  });

  test('leaves those open that have answered since it was sent', async () => {
    const server = http.createServer(async (message, response) => {
      let text = '';
      for await (const bytes of message) {
        text += bytes;
      }
      if (!text.includes('"slow"')) {
        response.end(ANSWER);
      }
    });
    const { host, sockets } = await listen(server);
    const client = clientOf(kind, host);
    const slow = { execute: { mboxes: [{ name: 'slow' }] } };
    const failed = targetErrorOf(() => client.getOffers({ request: slow, timeout: 400 }));
    await once(server, 'request');
    await client.getOffers({ request });
    expect((await failed).code).toBe('ERR_TARGET_TIMEOUT');
    const [first, second] = sockets as [Socket, Socket];
    if (!first.closed) {
      await once(first, 'close');
    }
    expect(second.destroyed).toBe(false);
  });
});
