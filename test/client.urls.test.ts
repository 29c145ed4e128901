import { once } from 'node:events';
import http from 'node:http';
import { createServer } from 'node:net';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';

import { createUndiciFetch } from '../src/http/undici.js';
import { type FetchApi, TargetClient, type TargetClientConfig } from '../src/index.js';
import { artifactOf, rule } from './fixtures/rules.js';
import { withServers } from './listening.js';
import { REQUEST } from './recording-fetch.js';
import { next } from './scripted-cdn.js';
import { clientsOf } from './transport-clients.js';
import { targetErrorOf } from './with-edge.js';

const request = REQUEST;
const ARTIFACT = JSON.stringify(artifactOf({ hero: [rule('hero')] }));
const ANSWER = JSON.stringify({ status: 200, client: 'demo' });

const running = withServers();
const { listen } = running;
const clientOf = clientsOf((close) => void running.add(close));
const clients: TargetClient[] = [];
afterEach(() => Promise.all(clients.splice(0).map((client) => client.close({ timeout: 1 }))));

/** Every fetch that a client may have: the two of the package, and one of the caller's. */
const FETCHES: readonly [string, () => FetchApi | undefined][] = [
  ['node-fetch', () => undefined],
  [
    'undici',
    () => {
      const fetchApi = createUndiciFetch();
      running.add(() => fetchApi.close());
      return fetchApi;
    },
  ],
  ['a fetch of the caller', () => fetch],
];

interface Got {
  readonly url: string | undefined;
  readonly authorization: string | undefined;
}

/** A CDN that serves rules, or sends once to another place for them. */
async function startCdn(location?: (host: string) => string): Promise<{ host: string; got: Got[] }> {
  const got: Got[] = [];
  const server = http.createServer(({ url, headers }, response) => {
    got.push({ url, authorization: headers.authorization });
    if (location && got.length === 1) {
      response.writeHead(302, { location: location(host) });
    }
    response.end(ARTIFACT);
  });
  const { host } = await listen(server);
  return { host, got };
}

function create(config: Partial<TargetClientConfig>): TargetClient {
  const client = TargetClient.create({
    client: 'demo',
    organizationId: 'DEMO@AdobeOrg',
    decisioningMethod: 'on-device',
    targetLocationHint: '35',
    telemetryEnabled: false,
    pollingInterval: 0,
    ...config,
  });
  clients.push(client);
  return client;
}

function gzipTimes(times: number, text: string): Buffer {
  let bytes = Buffer.from(text);
  for (let time = 0; time < times; time += 1) {
    bytes = gzipSync(bytes);
  }
  return bytes;
}

describe.each(FETCHES)('an artifactLocation, on %s,', (_, toFetch) => {
  test.each<[string, string, string]>([
    ['a fragment', '/rules.json#frag', '/rules.json'],
    ['a fragment with the signs of a query', '/rules.json?v=1#frag?x=/y', '/rules.json?v=1'],
    ['no path', '', '/'],
    ['no path, but a query', '?v=a/b', '/?v=a/b'],
    ['no path, but a fragment', '#a/b', '/'],
    ['dots', '/a/../b/./rules.json', '/b/rules.json'],
    ['letters of another language', '/pré/rules.json', '/pr%C3%A9/rules.json'],
    ['spaces', '/a b/rules.json', '/a%20b/rules.json'],
  ])('may have %s', async (_what, end, url) => {
    const { host, got } = await startCdn();
    const client = create({ artifactLocation: `HTTP://${host}${end}`, fetchApi: toFetch() });
    await client.ready();
    expect(got).toEqual([{ url, authorization: undefined }]);
  });

  test('may have a user and a password, which go to its own host as a header and are shown nowhere', async () => {
    const other = await startCdn();
    const { host, got } = await startCdn(() => `http://${other.host}/rules.json`);
    const client = create({
      artifactLocation: `http://us%40er:p%3Ass@${host}/rules.json`,
      fetchApi: toFetch(),
    });
    const { artifactLocation } = await next(client, 'artifactDownloadSucceeded');
    expect(artifactLocation).toBe(`http://${host}/rules.json`);
    const authorization = `Basic ${Buffer.from('us@er:p:ss').toString('base64')}`;
    expect(got).toEqual([{ url: '/rules.json', authorization }]);
    expect(other.got).toEqual([{ url: '/rules.json', authorization: undefined }]);
  });

  test('keeps its credentials where it is redirected on its own host', async () => {
    const { host, got } = await startCdn(() => '/moved.json#here');
    const client = create({ artifactLocation: `http://user@${host}/rules.json`, fetchApi: toFetch() });
    await client.ready();
    const authorization = `Basic ${Buffer.from('user:').toString('base64')}`;
    expect(got).toEqual([
      { url: '/rules.json', authorization },
      { url: '/moved.json', authorization },
    ]);
  });
});

describe.each(['node-fetch', 'undici'] as const)('on %s', (kind) => {
  test('an edge may have an IPv6 address', async () => {
    const server = http.createServer(({ headers }, response) => {
      hosts.push(headers.host);
      response.end(ANSWER);
    });
    const hosts: (string | undefined)[] = [];
    server.listen(0, '::1');
    await once(server, 'listening');
    running.add(() => server.close());
    const host = `[::1]:${(server.address() as { port: number }).port}`;
    const client = clientOf(kind, host);
    await client.getOffers({ request });
    await client.getOffers({ request });
    expect(hosts).toEqual([host, host]);
    server.closeAllConnections();
  });

  test.each<[string, (text: string) => Buffer]>([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
    ['identity', Buffer.from],
    ['none', Buffer.from],
    ['aws-chunked', Buffer.from],
    ['GZIP', gzipSync],
    ['gzip, br', (text) => brotliCompressSync(gzipSync(text))],
    ['br,gzip', (text) => gzipSync(brotliCompressSync(text))],
    ['deflate, gzip', (text) => gzipSync(deflateSync(text))],
    ['gzip, Deflate', (text) => deflateRawSync(gzipSync(text))],
    ['gzip, gzip, gzip, gzip, gzip', (text) => gzipTimes(5, text)],
    [', identity, gzip ,, aws-chunked', gzipSync],
  ])('an answer may be encoded as %s', async (encoding, encode) => {
    const server = http.createServer((_, response) => {
      response.writeHead(200, { 'Content-Encoding': encoding }).end(encode(ANSWER));
    });
    const { host } = await listen(server);
    expect((await clientOf(kind, host).getOffers({ request })).response.client).toBe('demo');
  });

  test('an answer without header in many pieces is decoded', async () => {
    const long = JSON.stringify({ status: 200, client: 'demo', padding: 'x'.repeat(100_000) });
    const bytes = deflateRawSync(long);
    const server = http.createServer(async (_, response) => {
      response.writeHead(200, { 'Content-Encoding': 'deflate' });
      for (const byte of bytes.subarray(0, 20)) {
        response.write(Buffer.from([byte]));
        await new Promise(setImmediate);
      }
      response.end(bytes.subarray(20));
    });
    const { host } = await listen(server);
    expect((await clientOf(kind, host).getOffers({ request })).response.client).toBe('demo');
  });

  test.each<[string, string, Buffer]>([
    ['an encoding that nobody asked for', 'zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0])],
    ['an encoding that nobody knows, around one that is known', 'gzip, zstd', gzipSync(ANSWER)],
    ['an encoding that nobody knows, within one that is known', 'compress, gzip', gzipSync(ANSWER)],
    ['an encoding that nobody knows, and plain bytes', 'constructor', Buffer.from(ANSWER)],
    ['two encodings in the wrong order', 'gzip, br', gzipSync(brotliCompressSync(ANSWER))],
    ['two encodings of which it has one', 'gzip, br', brotliCompressSync(ANSWER)],
    ['too many encodings', Array(6).fill('gzip').join(), gzipTimes(6, ANSWER)],
    ['encodings without end', Array(3000).fill('br').join(), Buffer.from(ANSWER)],
    ['an encoding that it does not have', 'deflate', Buffer.from([0xff, 1, 2, 3])],
    ['a header that is wrong', 'deflate', Buffer.from([0x78, 0x01, 0xff, 0xff, 0xff])],
    ['an encoding and no bytes', 'deflate', Buffer.alloc(0)],
  ])('an answer with %s is an error', async (_, encoding, bytes) => {
    const server = http.createServer((_request, response) => {
      response.writeHead(200, { 'Content-Encoding': encoding }).end(bytes);
    });
    const { host } = await listen(server);
    const error = await targetErrorOf(() => clientOf(kind, host).getOffers({ request }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_RESPONSE', attempts: 1 });
  });

  test('an answer with two encodings is bounded after decoding', async () => {
    const bomb = brotliCompressSync(gzipSync(Buffer.alloc(33 * 1024 * 1024)));
    const server = http.createServer((_, response) => {
      response.writeHead(200, { 'Content-Encoding': 'gzip, br' }).end(bomb);
    });
    const { host } = await listen(server);
    const error = await targetErrorOf(() => clientOf(kind, host).getOffers({ request }));
    expect(error).toMatchObject({
      code: 'ERR_TARGET_INVALID_RESPONSE',
      message: 'the delivery call was answered with more than 33554432 bytes',
    });
  });

  test('the body of an error may have two encodings, or one that nobody knows', async () => {
    const codings = ['gzip, br', 'zstd'];
    const server = http.createServer((_, response) => {
      const bytes = brotliCompressSync(gzipSync('no such client'));
      response.writeHead(400, { 'Content-Encoding': codings.shift() }).end(bytes);
    });
    const { host } = await listen(server);
    const client = clientOf(kind, host);
    expect(await targetErrorOf(() => client.getOffers({ request }))).toMatchObject({
      code: 'ERR_TARGET_RESPONSE',
      body: 'no such client',
    });
    expect(await targetErrorOf(() => client.getOffers({ request }))).toMatchObject({
      code: 'ERR_TARGET_RESPONSE',
      status: 400,
      body: '',
    });
  });

  test('a deflated answer that breaks off before its first byte is a network error', async () => {
    const { host } = await listen(
      createServer((socket) =>
        socket.once('data', () =>
          socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\nContent-Encoding: deflate\r\n\r\n'),
        ),
      ),
    );
    const client = clientOf(kind, host, { retry: { retries: 0 } });
    const error = await targetErrorOf(() => client.getOffers({ request }));
    expect(error.code).toBe('ERR_TARGET_NETWORK');
    expect(error.message).toMatch(
      /^the delivery call (failed|broke off in the body): [\w-]+ \(127\.0\.0\.1:\d+\)$/,
    );
  });

  test('a deflated answer that never begins is let go of with its call', async () => {
    const { host, sockets } = await listen(
      http.createServer((_, response) => {
        response.writeHead(200, { 'Content-Encoding': 'deflate' }).flushHeaders();
      }),
    );
    const client = clientOf(kind, host, { timeout: 200 });
    const error = await targetErrorOf(() => client.getOffers({ request }));
    expect(error.code).toBe('ERR_TARGET_TIMEOUT');
    const [socket] = sockets;
    if (socket && !socket.closed) {
      await once(socket, 'close');
    }
  });
});
