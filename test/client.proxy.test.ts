import dns from 'node:dns';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { createServer, type Socket } from 'node:net';
import tls from 'node:tls';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ProxyAgent } from 'undici';
import { createUndiciFetch } from '../src/http/undici.js';
import { type FetchApi, TargetClient, type TargetClientConfig } from '../src/index.js';
import { type Asked, type ConnectProxy, connectProxy, type ProxyPlay, setProxies } from './connect-proxy.js';
import { artifactOf, rule } from './fixtures/rules.js';
import { withServers } from './listening.js';
import { rawEdge } from './raw-edge.js';
import { REQUEST } from './recording-fetch.js';
import { selfSigned } from './self-signed.js';
import { clientsOf, type Transport } from './transport-clients.js';
import { listeningLogger, targetErrorOf } from './with-edge.js';

const request = REQUEST;
const ANSWER = JSON.stringify({ status: 200, client: 'demo' });
const TRANSPORTS: readonly Transport[] = ['node-fetch', 'undici'];
const certificate = selfSigned();

const running = withServers();
const { listen } = running;
const makeClient = clientsOf((close) => void running.add(close));

/** A client that goes through the proxies of the environment; its host has an address nowhere but behind a proxy. */
const clientOf = (kind: Transport, config: Partial<TargetClientConfig> = {}): TargetClient =>
  makeClient(kind, 'edge.invalid:8080', { proxy: 'environment', ...config });

/** Puts proxies into the environment until the test ends. */
const environment = (variables: Readonly<Record<string, string>>) => running.add(setProxies(variables));

beforeEach(() => environment({}));
afterEach(() => {
  jest.restoreAllMocks();
});

/** undici gives a connection a turn of the event loop before it is used again. */
const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

/** Trusts the certificate of this file as one of the system would be: the client's own connections take no options. */
function trustCertificate(): void {
  const { connect } = tls;
  const trusting = (options: tls.ConnectionOptions) => connect({ ...options, ca: certificate.cert });
  jest.spyOn(tls, 'connect').mockImplementation(trusting as typeof connect);
}

/** An edge that answers all calls alike, and the connections that it was called on. */
async function startEdge(server: http.Server = answering()): Promise<{ port: number; sockets: Socket[] }> {
  return listen(server);
}

function answering(): http.Server {
  return http.createServer((_, response) => response.end(ANSWER));
}

/** A proxy that the environment names for plain http. */
async function startProxy(
  play: (asked: Asked) => ProxyPlay,
  credentials = '',
): Promise<ConnectProxy & { host: string }> {
  const proxy = connectProxy(play);
  const { host } = await listen(proxy.server);
  environment({ HTTP_PROXY: `http://${credentials}${host}` });
  return Object.assign(proxy, { host });
}

describe.each(TRANSPORTS)('through a proxy, on %s,', (kind) => {
  test('calls over https go to their host, whose name the proxy alone looks up, on one connection', async () => {
    trustCertificate();
    const edge = await startEdge(https.createServer(certificate, (_, response) => response.end(ANSWER)));
    const proxy = connectProxy(() => ({ port: edge.port }));
    const { host } = await listen(proxy.server);
    environment({ HTTPS_PROXY: `http://us%40er:p%3Ass@${host}`, HTTP_PROXY: 'http://127.0.0.1:1' });
    const lookUps = jest.spyOn(dns, 'lookup');
    // The certificate is that of localhost, and so is the host.
    const client = makeClient(kind, 'localhost:8443', { proxy: 'environment', secure: true });
    for (let call = 0; call < 3; call += 1) {
      expect((await client.getOffers({ request })).response.client).toBe('demo');
      await turn();
    }
    expect(proxy.asked).toMatchObject([
      {
        authority: 'localhost:8443',
        headers: {
          host: 'localhost:8443',
          'proxy-authorization': `Basic ${Buffer.from('us@er:p:ss').toString('base64')}`,
        },
      },
    ]);
    expect(lookUps.mock.calls.map(([name]) => name)).not.toContain('localhost');
    expect(edge.sockets).toHaveLength(1);
  });

  test('a certificate that nobody vouches for is none', async () => {
    const edge = await startEdge(https.createServer(certificate, (_, response) => response.end(ANSWER)));
    const proxy = connectProxy(() => ({ port: edge.port }));
    const { host } = await listen(proxy.server);
    environment({ HTTPS_PROXY: `http://${host}` });
    const client = makeClient(kind, 'localhost', {
      proxy: 'environment',
      secure: true,
      retry: { retries: 0 },
    });
    const error = await targetErrorOf(() => client.getOffers({ request }));
    expect(error.message).toBe('the delivery call failed: DEPTH_ZERO_SELF_SIGNED_CERT (localhost)');
  });

  test('calls over plain http go the same way', async () => {
    const edge = await startEdge();
    const proxy = await startProxy(() => ({ port: edge.port }));
    const client = clientOf(kind);
    for (let call = 0; call < 3; call += 1) {
      await client.getOffers({ request });
      await turn();
    }
    expect(proxy.asked.map(({ authority }) => authority)).toEqual(['edge.invalid:8080']);
    expect(proxy.asked[0]?.headers).not.toHaveProperty('proxy-authorization');
  });

  test('that is spoken to over TLS, they go as well', async () => {
    trustCertificate();
    const edge = await startEdge();
    const proxy = connectProxy(() => ({ port: edge.port }), certificate);
    const { port } = await listen(proxy.server);
    environment({ HTTP_PROXY: `https://localhost:${port}` });
    expect((await clientOf(kind).getOffers({ request })).response.client).toBe('demo');
    expect(proxy.asked).toHaveLength(1);
  });

  test('rules and look-ups of places come too', async () => {
    const paths: (string | undefined)[] = [];
    const readsPlace = { geoTargetingEnabled: true, responseTokens: ['geo.city'] };
    const artifact = { ...artifactOf({ hero: [rule('hero')] }), ...readsPlace };
    const edge = await startEdge(
      http.createServer(({ url }, response) => {
        paths.push(url);
        response.end(url === '/v1/geo' ? '{}' : JSON.stringify(artifact));
      }),
    );
    const proxy = await startProxy(() => ({ port: edge.port }));
    const client = clientOf(kind, {
      decisioningMethod: 'on-device',
      targetLocationHint: '35',
      cdnBasePath: 'rules.localhost',
    });
    await client.ready();
    const prefetch = { mboxes: [{ name: 'hero' }] };
    await client.getOffers({ request: { prefetch, context: { geo: { ipAddress: '1.2.3.4' } } } });
    expect(paths).toEqual(expect.arrayContaining(['/demo/production/v1/rules.json', '/v1/geo']));
    expect(new Set(proxy.asked.map(({ authority }) => authority))).toContain('rules.localhost:80');
  });

  test('hosts in NO_PROXY do not go', async () => {
    const edge = await startEdge();
    const { host } = await startProxy(() => 'close');
    environment({ HTTP_PROXY: `http://${host}`, NO_PROXY: '127.0.0.0/8' });
    const client = makeClient(kind, `127.0.0.1:${edge.port}`, { proxy: 'environment' });
    expect((await client.getOffers({ request })).response.client).toBe('demo');
  });

  test('calls go by the environment that there was when the client was made', async () => {
    const edge = await startEdge();
    const proxy = await startProxy(() => ({ port: edge.port }));
    const client = clientOf(kind);
    environment({ HTTP_PROXY: 'http://127.0.0.1:1' });
    await client.getOffers({ request });
    expect(proxy.asked).toHaveLength(1);
  });

  test.each([
    [407, 1, 'closed'],
    [403, 1, 'closed'],
    [404, 1, 'closed'],
    [502, 3, 'open'],
    [503, 3, 'open'],
    [429, 3, 'open'],
  ] as const)('a refusal with status %i is the word of the proxy', async (status, attempts, state) => {
    const proxy = await startProxy(() => ({ status }), 'user:hunter2@');
    const { lines, logger } = listeningLogger();
    const retry = { minTimeout: 1, maxTimeout: 1 };
    const client = clientOf(kind, { logger, retry, circuitBreaker: { failures: 1 } });
    const error = await targetErrorOf(() => client.getOffers({ request }));
    expect(error).toMatchObject({
      code: 'ERR_TARGET_NETWORK',
      message: `the delivery call failed: the proxy refused it with status ${status} (edge.invalid:8080)`,
      status,
      attempts,
    });
    expect(error.body).toBeUndefined();
    expect(proxy.asked).toHaveLength(attempts);
    expect(client.stats().circuitBreaker.state).toBe(state);
    const shown = inspect(error, { depth: null, showHidden: true }) + JSON.stringify([error, lines]);
    expect(shown).not.toContain('hunter2');
    expect(shown).not.toContain(Buffer.from('user:hunter2').toString('base64'));
    expect(shown).not.toContain('secret');
  });

  test('a refusal that passes is tried again', async () => {
    const edge = await startEdge();
    const proxy: ConnectProxy = await startProxy(() =>
      proxy.asked.length === 1 ? { status: 503 } : { port: edge.port },
    );
    expect((await clientOf(kind).getOffers({ request })).response.client).toBe('demo');
    expect(proxy.asked).toHaveLength(2);
  });

  test('that is not there, calls fail soon, and name it', async () => {
    const server = createServer();
    const { host } = await listen(server);
    server.close();
    await once(server, 'close');
    environment({ HTTP_PROXY: `http://user:hunter2@${host}` });
    const client = clientOf(kind, { timeout: 100_000, retry: { retries: 0 } });
    const calls = Array.from({ length: 200 }, () => targetErrorOf(() => client.getOffers({ request })));
    for (const error of await Promise.all(calls)) {
      expect(error.message).toBe(
        'the delivery call failed: the proxy opened no tunnel: ECONNREFUSED (edge.invalid:8080)',
      );
      expect(inspect(error, { depth: null })).toContain(`the proxy ${host} opened no tunnel`);
      expect(inspect(error, { depth: null })).not.toContain('hunter2');
    }
  });

  test('that closes the connection, calls are tried again', async () => {
    const edge = await startEdge();
    const proxy: ConnectProxy = await startProxy(() =>
      proxy.asked.length === 1 ? 'close' : { port: edge.port },
    );
    expect((await clientOf(kind).getOffers({ request })).response.client).toBe('demo');
  });

  test('that speaks something else, calls fail', async () => {
    const { host } = await listen(createServer((socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n')));
    environment({ HTTP_PROXY: `http://${host}` });
    const error = await targetErrorOf(() => clientOf(kind, { retry: { retries: 0 } }).getOffers({ request }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_NETWORK' });
    expect(error.message).toMatch(/^the delivery call failed: the proxy opened no tunnel: HPE_/);
  });

  test('that is silent, calls end in their time', async () => {
    const proxy = await startProxy(() => 'hang');
    const client = clientOf(kind, { timeout: 200 });
    const error = await targetErrorOf(() => client.getOffers({ request }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_TIMEOUT', attempts: 1 });
    expect(proxy.asked).toHaveLength(1);
  });

  test('that dies in the middle, a call is tried again on another tunnel', async () => {
    let calls = 0;
    const edge = await startEdge(
      http.createServer((_, response) => {
        calls += 1;
        if (calls === 1) {
          proxy.tunnels[0]?.resetAndDestroy();
        } else {
          response.end(ANSWER);
        }
      }),
    );
    const proxy: ConnectProxy = await startProxy(() => ({ port: edge.port }));
    expect((await clientOf(kind).getOffers({ request })).response.client).toBe('demo');
    expect(proxy.asked).toHaveLength(2);
  });

  test('many calls at a time share as many connections as without one', async () => {
    const edge = await startEdge();
    const proxy = await startProxy(() => ({ port: edge.port }));
    const client = clientOf(kind, { timeout: 100_000 });
    const calls = Array.from({ length: 200 }, () => client.getOffers({ request }));
    expect((await Promise.all(calls)).every(({ response }) => response.client === 'demo')).toBe(true);
    expect(proxy.mostOpen).toBeLessThanOrEqual(128);
    expect(proxy.asked.length).toBeLessThanOrEqual(128);
  });

  test('idle connections that are dead with another are closed with it', async () => {
    const waiting: http.ServerResponse[] = [];
    let isHung = false;
    const edge = await startEdge(
      http.createServer((_, response) => {
        if (isHung) {
          return;
        }
        waiting.push(response);
        if (waiting.length === 5) {
          for (const one of waiting) {
            one.end(ANSWER);
          }
        }
      }),
    );
    const proxy = await startProxy(() => ({ port: edge.port }));
    const client = clientOf(kind);
    await Promise.all(Array.from({ length: 5 }, () => client.getOffers({ request })));
    expect(proxy.tunnels).toHaveLength(5);
    isHung = true;
    await targetErrorOf(() => client.getOffers({ request, timeout: 200 }));
    await Promise.all(proxy.tunnels.map((socket) => socket.closed || once(socket, 'close')));
  });

  test('a connection is renewed after five minutes', async () => {
    const edge = await startEdge();
    const proxy = await startProxy(() => ({ port: edge.port }));
    const client = clientOf(kind);
    await client.getOffers({ request });
    const now = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => now() + 300_000);
    await turn();
    await client.getOffers({ request });
    expect(proxy.asked).toHaveLength(2);
  });

  test('a connection on which bytes come while it is idle is closed', async () => {
    const edge = await listen(
      rawEdge(({ answer }, { socket }) => {
        socket.write(answer);
        setImmediate(() => socket.write(answer));
      }),
    );
    const proxy = await startProxy(() => ({ port: edge.port }));
    const client = clientOf(kind);
    const call = (tntId: string) => client.getOffers({ request: { ...request, id: { tntId } } });
    await call('one.35_0');
    const [tunnel] = proxy.tunnels as [Socket];
    if (!tunnel.closed) {
      await once(tunnel, 'close');
    }
    expect((await call('two.35_0')).response.id?.tntId).toBe('two.35_0');
  });

  test.each([502, 503, 404])(
    'a cluster that a cookie makes up, and that the proxy refuses with status %i, costs its visitor one more call',
    async (status) => {
      const edge = await startEdge();
      const proxy = await startProxy(({ authority }) =>
        authority.startsWith('mboxedge9999') ? { status } : { port: edge.port },
      );
      const client = clientOf(kind, { serverDomain: '', circuitBreaker: { failures: 1 } });
      const targetCookie = `PC#x.9999_0#${2 ** 40}`;
      for (let call = 0; call < 2; call += 1) {
        await client.getOffers({ request, targetCookie });
        await turn();
      }
      expect(proxy.asked.map(({ authority }) => authority)).toEqual([
        'mboxedge9999.tt.omtrdc.net:80',
        'demo.tt.omtrdc.net:80',
      ]);
      expect(client.stats()).toMatchObject({ failures: 0, circuitBreaker: { state: 'closed', hosts: [] } });
    },
  );

  test('that asks for credentials, a cluster of a cookie is not taken for one that is there', async () => {
    const proxy = await startProxy(() => ({ status: 407 }));
    const client = clientOf(kind, { serverDomain: '' });
    const targetCookie = `PC#x.9999_0#${2 ** 40}`;
    const error = await targetErrorOf(() => client.getOffers({ request, targetCookie }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_NETWORK', status: 407 });
    expect(proxy.asked).toHaveLength(1);
  });
});

test('a proxy that is silent loses the connection of a call that was aborted', async () => {
  const proxy = await startProxy(() => 'hang');
  const controller = new AbortController();
  const connected = once(proxy.server, 'connect') as Promise<[unknown, Socket]>;
  const call = targetErrorOf(() => clientOf('node-fetch').getOffers({ request, signal: controller.signal }));
  const [, socket] = await connected;
  controller.abort();
  expect((await call).code).toBe('ERR_TARGET_ABORTED');
  if (!socket.closed) {
    await once(socket, 'close');
  }
});

/** A function of the caller's, with the fields of the fetch that it calls, as the guide says. */
function aroundUndici(): FetchApi {
  const inner = createUndiciFetch();
  return Object.assign((...call: Parameters<FetchApi>) => inner(...call), { ...inner });
}

describe('the option proxy', () => {
  const create = (config: Partial<TargetClientConfig>) => {
    const { lines, logger } = listeningLogger();
    const client = TargetClient.create({ client: 'demo', organizationId: 'O', logger, ...config });
    running.add(() => client.close());
    return lines;
  };

  test('is told of in one debug line when it is absent and there are proxies, without their values', () => {
    environment({ HTTPS_PROXY: 'http://user:hunter2@proxy.example', http_proxy: 'http://proxy.example' });
    const line =
      "AT: proxies of the environment are not used (HTTPS_PROXY, http_proxy): the option proxy: 'environment' turns them on";
    expect(create({})).toEqual({ debug: [line], info: [], warn: [], error: [] });
    expect(create({ fetchApi: createUndiciFetch() }).debug).toEqual([line]);
  });

  test.each<[string, Partial<TargetClientConfig>]>([
    ['an agent', { agent: new http.Agent() }],
    ['a fetchApi', { fetchApi: fetch }],
    ['a dispatcher', { fetchApi: createUndiciFetch({ dispatcher: new ProxyAgent('http://proxy.example') }) }],
  ])('is not told of where there is %s', (_, config) => {
    environment({ HTTPS_PROXY: 'http://proxy.example' });
    expect(create(config).debug).toEqual([]);
  });

  test('is not told of where there are no proxies, and harms nothing there', async () => {
    environment({ NO_PROXY: '*' });
    expect(create({}).debug).toEqual([]);
    const edge = await startEdge();
    for (const kind of TRANSPORTS) {
      const client = makeClient(kind, `127.0.0.1:${edge.port}`, { proxy: 'environment' });
      expect((await client.getOffers({ request })).response.client).toBe('demo');
    }
  });

  test('is a mistake beside an agent', async () => {
    const error = await targetErrorOf(() => create({ proxy: 'environment', agent: new http.Agent() }));
    expect(error).toMatchObject({
      code: 'ERR_TARGET_INVALID_CONFIG',
      path: 'proxy',
      message: 'proxy must be absent beside an agent, which has its own connections, not "environment"',
    });
  });

  test.each<[string, Partial<TargetClientConfig>]>([
    ['a fetchApi', { fetchApi: fetch }],
    ['a dispatcher', { fetchApi: createUndiciFetch({ dispatcher: new ProxyAgent('http://proxy.example') }) }],
    ['a function around the fetch on undici', { fetchApi: aroundUndici() }],
  ])('is a warning beside %s', (_, config) => {
    environment({ HTTPS_PROXY: 'http://proxy.example' });
    expect(create({ proxy: 'environment', ...config }).warn).toEqual([
      'AT: proxy is ignored: a fetchApi has its own connections',
    ]);
  });

  test.each([
    ['HTTPS_PROXY', 'socks5://user:hunter2@proxy.example'],
    ['http_proxy', 'http://user:hunter2@'],
  ])('is a mistake where %s names no proxy of HTTP', async (name, value) => {
    environment({ [name]: value });
    const error = await targetErrorOf(() => create({ proxy: 'environment' }));
    expect(error).toMatchObject({
      code: 'ERR_TARGET_INVALID_CONFIG',
      path: 'proxy',
      message: `proxy: the variable ${name} must hold an http or https URL`,
    });
    expect(() => create({})).not.toThrow();
  });
});

describe('a proxy of the caller', () => {
  test('that refuses a tunnel is told apart from the edge, behind undici’s ProxyAgent', async () => {
    const proxy = connectProxy(() => ({ status: 407 }));
    const { host } = await listen(proxy.server);
    const dispatcher = new ProxyAgent({ uri: `http://${host}`, proxyTunnel: true });
    running.add(() => dispatcher.destroy());
    const fetchApi = createUndiciFetch({ dispatcher });
    const client = makeClient('undici', 'edge.invalid', { fetchApi, secure: true });
    const error = await targetErrorOf(() => client.getOffers({ request }));
    expect(error).toMatchObject({
      code: 'ERR_TARGET_NETWORK',
      message: 'the delivery call failed: the proxy refused it with status 407 (edge.invalid)',
      status: 407,
      attempts: 1,
    });
  });

  test.each(TRANSPORTS)(
    'that answers with 407 in the place of the edge is told apart, on %s',
    async (kind) => {
      const edge = await startEdge(
        http.createServer((_, response) => response.writeHead(407).end('who are you?')),
      );
      const client = makeClient(kind, `127.0.0.1:${edge.port}`, { circuitBreaker: { failures: 1 } });
      const error = await targetErrorOf(() => client.getOffers({ request }));
      expect(error).toMatchObject({
        code: 'ERR_TARGET_NETWORK',
        status: 407,
        attempts: 1,
        body: 'who are you?',
      });
      expect(error.message).toBe(
        `the delivery call failed: the proxy refused it with status 407 (127.0.0.1:${edge.port})`,
      );
      expect(client.stats().circuitBreaker.state).toBe('closed');
    },
  );
});
