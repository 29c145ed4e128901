import { once } from 'node:events';
import http from 'node:http';
import { createServer, type Socket } from 'node:net';
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { MockAgent } from 'undici';
import { createUndiciFetch, type UndiciFetchOptions } from '../../src/http/undici.js';
import { TargetClient, type TargetClientConfig } from '../../src/index.js';
import { withServers } from '../listening.js';
import { REQUEST } from '../recording-fetch.js';
import { targetErrorOf } from '../with-edge.js';

const request = REQUEST;
const ANSWER = JSON.stringify({ status: 200, client: 'demo' });

const running = withServers();
const { listen } = running;

function clientOf(
  serverDomain: string,
  options?: UndiciFetchOptions,
  config: Partial<TargetClientConfig> = {},
): TargetClient {
  const fetchApi = createUndiciFetch(options);
  running.add(() => fetchApi.close());
  return TargetClient.create({
    client: 'demo',
    organizationId: 'DEMO@AdobeOrg',
    // Longer than any call here takes: time is not what is tested.
    timeout: 10_000,
    telemetryEnabled: false,
    secure: false,
    serverDomain,
    fetchApi,
    ...config,
  });
}

test('text() of its answer is decoded, for whoever calls it by hand', async () => {
  const gzipped = http.createServer((_, response) =>
    response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(gzipSync('{"é":1}')),
  );
  const { host } = await listen(gzipped);
  const fetchApi = createUndiciFetch();
  running.add(() => fetchApi.close());
  const { signal } = new AbortController();
  const init = { method: 'GET', headers: {}, redirect: 'manual', signal } as const;
  expect(await (await fetchApi(`http://${host}/`, init)).text()).toBe('{"é":1}');
});

test.each<[string, unknown]>([
  ['options', 5],
  ['connections', { connections: 0 }],
  ['connections', { connections: 1.5 }],
  ['connections', { connections: Number.NaN }],
  ['connections', { connections: 'many' }],
  ['dispatcher', { dispatcher: {} }],
  ['dispatcher', { dispatcher: 'proxy' }],
  ['dispatcher', { dispatcher: new http.Agent() }],
])('a wrong value is refused at once, before any call fails: %s of %j', async (path, options) => {
  const error = await targetErrorOf(() => createUndiciFetch(options as UndiciFetchOptions));
  expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_CONFIG', path });
});

test.each<[unknown, number]>([
  [null, 128],
  ['', 128],
  ['64', 64],
])('connections may be %j, as environment variables hold it', async (connections, expected) => {
  const fetchApi = createUndiciFetch({ connections, dispatcher: null } as unknown as UndiciFetchOptions);
  running.add(() => fetchApi.close());
  expect(fetchApi.connections).toBe(expected);
});

describe('a connection', () => {
  test('is kept for calls one after the other', async () => {
    const { host, sockets } = await listen(http.createServer((_, response) => response.end(ANSWER)));
    const client = clientOf(host);
    for (let call = 0; call < 20; call += 1) {
      await client.getOffers({ request });
    }
    // undici gives a connection a turn of the event loop before it is used again.
    expect(sockets.length).toBeLessThanOrEqual(2);
  });

  test('is one of so many as are allowed, and other calls wait', async () => {
    const { host, sockets } = await listen(http.createServer((_, response) => response.end(ANSWER)));
    const client = clientOf(host, { connections: 3 });
    const calls = Array.from({ length: 20 }, () => client.getOffers({ request }));
    expect((await Promise.all(calls)).every(({ response }) => response.client === 'demo')).toBe(true);
    expect(sockets).toHaveLength(3);
  });

  test('that a server has forgotten is replaced, however many are like it', async () => {
    const known = new Set<Socket>();
    const open: http.ServerResponse[] = [];
    const server = http.createServer((message, response) => {
      const { socket } = message;
      if (known.has(socket)) {
        return socket.resetAndDestroy();
      }
      known.add(socket);
      // The first ones wait for each other, so that each has a connection of its own.
      if (known.size > 5) {
        return response.end(ANSWER);
      }
      open.push(response);
      if (open.length === 5) {
        for (const one of open) {
          one.end(ANSWER);
        }
      }
      return undefined;
    });
    const { host, sockets } = await listen(server);
    const client = clientOf(host);
    await Promise.all(Array.from({ length: 5 }, () => client.getOffers({ request })));
    expect(sockets).toHaveLength(5);
    expect((await client.getOffers({ request })).response.client).toBe('demo');
    expect(sockets).toHaveLength(6);
  });

  test('ends with close()', async () => {
    const { host, sockets } = await listen(http.createServer((_, response) => response.end(ANSWER)));
    const fetchApi = createUndiciFetch();
    await clientOf(host, {}, { fetchApi }).getOffers({ request });
    const closed = once(sockets[0] as Socket, 'close');
    await fetchApi.close();
    await closed;
  });

  test.each<[string, (text: string) => Buffer]>([
    ['identity', Buffer.from],
    ['gzip', (text) => gzipSync(text, { finishFlush: constants.Z_SYNC_FLUSH })],
  ])('is let go of when an answer of encoding %s is not read to its end', async (encoding, encode) => {
    const server = http.createServer((_, response) => {
      response.writeHead(404, { 'Content-Encoding': encoding });
      response.write(encode('x'.repeat(5000)));
    });
    const { host, sockets } = await listen(server);
    const error = await targetErrorOf(() => clientOf(host).getOffers({ request }));
    expect(error).toMatchObject({ status: 404, body: 'x'.repeat(1024) });
    const [socket] = sockets;
    if (socket && !socket.closed) {
      await once(socket, 'close');
    }
  });

  test('is let go of when the call is aborted', async () => {
    const arrived = new AbortController();
    const { host, sockets } = await listen(http.createServer(() => arrived.abort()));
    const controller = new AbortController();
    arrived.signal.addEventListener('abort', () => controller.abort());
    const { signal } = controller;
    const error = await targetErrorOf(() => clientOf(host).getOffers({ request, signal }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_ABORTED', attempts: 1 });
    const [socket] = sockets;
    if (socket && !socket.closed) {
      await once(socket, 'close');
    }
  });
});

test('a dispatcher of the caller is given real signals', () => {
  expect(createUndiciFetch().takesAnySignal).toBe(true);
  expect(createUndiciFetch({ dispatcher: new MockAgent() }).takesAnySignal).toBe(false);
});

describe('an answer', () => {
  test.each<[string, (text: string) => Buffer]>([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['GZIP', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['x-deflate', deflateSync],
    ['br', brotliCompressSync],
    ['identity', Buffer.from],
  ])('may be encoded as %s', async (encoding, encode) => {
    const accepted: unknown[] = [];
    const server = http.createServer((message, response) => {
      accepted.push(message.headers['accept-encoding']);
      response.writeHead(200, { 'Content-Encoding': encoding });
      response.end(encode(ANSWER));
    });
    const { host } = await listen(server);
    const { response } = await clientOf(host).getOffers({ request });
    expect(response).toEqual({ status: 200, client: 'demo' });
    expect(accepted).toEqual(['gzip, deflate, br']);
  });

  test('comes behind informational ones', async () => {
    const server = http.createServer((_, response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' });
      response.writeProcessing();
      response.end(ANSWER);
    });
    const { host } = await listen(server);
    expect((await clientOf(host).getOffers({ request })).response.client).toBe('demo');
  });

  test('tells its headers, joined where there are several of a name', async () => {
    const server = http.createServer((_, response) => {
      response.setHeader('X-Many', ['a', 'b']).setHeader('X-One', 'c').end();
    });
    const { host } = await listen(server);
    const fetchApi = createUndiciFetch();
    running.add(() => fetchApi.close());
    const { signal } = new AbortController();
    const init = { method: 'GET', headers: {}, redirect: 'manual', signal } as const;
    const { status, headers } = await fetchApi(`http://${host}/`, init);
    expect(status).toBe(200);
    expect(headers.get('X-Many')).toBe('a, b');
    expect(headers.get('x-one')).toBe('c');
    expect(headers.get('X-None')).toBeNull();
  });

  test('of 204 may name an encoding and have no bytes', async () => {
    const server = http.createServer((_, response) => {
      response.writeHead(204, { 'Content-Encoding': 'gzip' }).end();
    });
    const { host } = await listen(server);
    expect((await clientOf(host).getOffers({ request })).status.status).toBe(204);
  });

  test.each<[string, string, string]>([
    ['is no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n', 'failed: HTTPParserError'],
    [
      'has headers without end',
      `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`,
      'failed: UND_ERR_HEADERS_OVERFLOW',
    ],
    [
      'has a chunk of no length',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      'broke off in the body: HTTPParserError',
    ],
  ])('is a network error when it %s', async (_, bytes, result) => {
    const { host } = await listen(createServer((socket) => socket.on('data', () => socket.write(bytes))));
    const error = await targetErrorOf(() => clientOf(host).getOffers({ request }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_NETWORK', attempts: 3 });
    expect(error.message).toBe(`the delivery call ${result} (${host})`);
  });

  test('that never comes from a port without a server is a network error', async () => {
    const server = createServer();
    const { host } = await listen(server);
    server.close();
    await once(server, 'close');
    const error = await targetErrorOf(() => clientOf(host).getOffers({ request }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_NETWORK', attempts: 3 });
    expect(error.message).toBe(`the delivery call failed: ECONNREFUSED (${host})`);
  });
});

describe('a dispatcher', () => {
  test('carries the calls, and is not closed', async () => {
    const agent = new MockAgent();
    agent.disableNetConnect();
    running.add(() => agent.close());
    const paths: string[] = [];
    agent
      .get('http://target.example')
      .intercept({ method: 'POST', path: (path) => paths.push(path) > 0 })
      .reply(200, ANSWER)
      .persist();
    const fetchApi = createUndiciFetch({ dispatcher: agent });
    const client = clientOf('target.example', {}, { fetchApi });
    expect((await client.getOffers({ request })).response.client).toBe('demo');
    await fetchApi.close();
    expect((await client.getOffers({ request })).response.client).toBe('demo');
    expect(paths[0]).toMatch(/^\/rest\/v1\/delivery\?imsOrgId=DEMO%40AdobeOrg&sessionId=/);
  });
});
