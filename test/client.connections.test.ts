import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { connect as connectSocket, createServer, type Socket } from 'node:net';
import { runInThisContext } from 'node:vm';
import { describe, expect, jest, test } from '@jest/globals';
import { TargetClient, type TargetClientConfig, TargetError } from '../src/index.js';
import { withServers } from './listening.js';
import { REQUEST } from './recording-fetch.js';
import { selfSigned } from './self-signed.js';
import { targetErrorOf, withEdge } from './with-edge.js';

const request = REQUEST;
/** The process that Node itself reports to: the one of a test is a copy. */
const outerProcess: NodeJS.Process = runInThisContext('process');
const bench = withEdge();
const ORGANIZATION = { client: 'demo', organizationId: 'DEMO@AdobeOrg' };
/** Longer than any call here takes: time is not what is tested. */
const PATIENT = { timeout: 10_000, telemetryEnabled: false } as const;

const running = withServers();
const { listen } = running;

function clientOf(serverDomain: string, config: Partial<TargetClientConfig> = {}): TargetClient {
  const client = TargetClient.create({ ...ORGANIZATION, ...PATIENT, secure: false, serverDomain, ...config });
  running.add(() => void client.close());
  return client;
}

/** What the edge would answer, from servers that play more than the edge can. */
const ANSWER = JSON.stringify({ status: 200, client: 'demo' });

describe('keep-alive', () => {
  test('reuses one connection for calls one after the other', async () => {
    const server = http.createServer((_, response) => response.end(ANSWER));
    const { host, sockets } = await listen(server);
    const client = clientOf(host);
    for (let call = 0; call < 5; call += 1) {
      await client.getOffers({ request });
    }
    expect(sockets).toHaveLength(1);
  });

  test('carries the whole of every call, whatever its size', async () => {
    const bodies: string[] = [];
    const server = http.createServer(async (message, response) => {
      const pieces: Buffer[] = [];
      for await (const piece of message) {
        pieces.push(piece);
      }
      const body = Buffer.concat(pieces);
      expect(message.headers).toMatchObject({
        'content-type': 'application/json',
        'content-length': `${body.length}`,
      });
      bodies.push(JSON.parse(body.toString()).context.address.url);
      response.end(ANSWER);
    });
    const { host, sockets } = await listen(server);
    const client = clientOf(host);
    const urls = ['/', '/Zürich/☃', `/${'x'.repeat(4000)}`, '/last'].map(
      (path) => `http://shop.example${path}`,
    );
    for (const url of urls) {
      await client.getOffers({ request: { ...request, context: { address: { url } } } });
    }
    expect(bodies).toEqual(urls);
    expect(sockets).toHaveLength(1);
  });

  test('sends whole calls, and each once, when somebody comes to stand between', async () => {
    const bodies: string[] = [];
    const server = http.createServer(async (message, response) => {
      let body = '';
      for await (const piece of message) {
        body += piece;
      }
      bodies.push(body);
      response.end(ANSWER);
    });
    const { host } = await listen(server);
    const client = clientOf(host, { retry: { retries: 0 } });
    await client.getOffers({ request });
    // As global agents, recorders and mocks do.
    const { request: start } = http;
    const agent = new http.Agent();
    const standIn = (url: string, options: http.RequestOptions) => start(url, { ...options, agent });
    const spy = jest.spyOn(http, 'request').mockImplementation(standIn as typeof http.request);
    try {
      await client.getOffers({ request });
      await client.getOffers({ request });
      expect(spy).toHaveBeenCalledTimes(3);
    } finally {
      spy.mockRestore();
    }
    await client.getOffers({ request });
    expect(bodies.map((body) => JSON.parse(body).execute.mboxes)).toEqual(
      Array(4).fill([expect.objectContaining({ name: 'hero' })]),
    );
  });

  test('outlives a server that closes its idle connections', async () => {
    let served = 0;
    const server = http.createServer((_, response) => {
      served += 1;
      response.end(ANSWER);
    });
    const { host, sockets } = await listen(server);
    const client = clientOf(host);
    await client.getOffers({ request });
    // Not even a turn of the event loop for the client to notice.
    server.closeIdleConnections();
    await client.getOffers({ request });
    expect(served).toBe(2);
    // The agent of Node.js 26 tries again by itself, too, and keeps the connection that it opened for that.
    expect([2, 3]).toContain(sockets.length);
  });

  test('lets go of the connection of a call that is aborted', async () => {
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

  test('outlives many connections that a server has forgotten', async () => {
    let served = 0;
    const known = new Map<Socket, number>();
    const server = http.createServer((message, response) => {
      const { socket } = message;
      const calls = (known.get(socket) ?? 0) + 1;
      known.set(socket, calls);
      if (calls > 1) {
        socket.resetAndDestroy();
        return;
      }
      // The first ones wait for each other, so that each has a connection of its own.
      served += 1;
      if (served > 5) {
        response.end(ANSWER);
      } else {
        open.push(response);
      }
      if (served === 5) {
        for (const one of open) {
          one.end(ANSWER);
        }
      }
    });
    const open: http.ServerResponse[] = [];
    const { host, sockets } = await listen(server);
    const client = clientOf(host);
    await Promise.all(Array.from({ length: 5 }, () => client.getOffers({ request })));
    expect(sockets).toHaveLength(5);
    await client.getOffers({ request });
    expect(sockets).toHaveLength(6);
  });

  test('ends with close()', async () => {
    const server = http.createServer((_, response) => response.end(ANSWER));
    const { host, sockets } = await listen(server);
    const client = clientOf(host);
    await client.getOffers({ request });
    const closed = once(sockets[0] as Socket, 'close');
    await client.close();
    await closed;
  });

  test('lets go of a connection whose answer nobody reads to its end', async () => {
    const server = http.createServer((_, response) => {
      response.writeHead(404);
      response.write('x'.repeat(5000));
    });
    const { host, sockets } = await listen(server);
    const error = await targetErrorOf(() => clientOf(host).getOffers({ request }));
    expect(error).toMatchObject({ status: 404, body: 'x'.repeat(1024) });
    const [socket] = sockets;
    if (socket && !socket.closed) {
      await once(socket, 'close');
    }
  });
});

function fail(message: string): never {
  throw new Error(message);
}

describe('agent', () => {
  test('carries every call when it is an agent', async () => {
    const agent = new http.Agent({ keepAlive: true });
    const client = clientOf(bench.edge.host, { agent });
    await client.getOffers({ request });
    expect(Object.keys(agent.freeSockets)).toHaveLength(1);
    await client.close();
    // It belongs to the caller, and may have other users.
    expect(Object.keys(agent.freeSockets)).toHaveLength(1);
    agent.destroy();
  });

  test('is asked for with the URL of a call when it is a function', async () => {
    const asked: URL[] = [];
    const agent = new http.Agent();
    const find = (url: URL) => {
      asked.push(url);
      return agent;
    };
    await clientOf(bench.edge.host, { agent: find }).getOffers({ request });
    expect(asked.map(({ origin, pathname }) => origin + pathname)).toEqual([
      `http://${bench.edge.host}/rest/v1/delivery`,
    ]);
  });

  test('is passed on to a fetchApi', async () => {
    const agent = new http.Agent();
    const inits: object[] = [];
    const fetchApi = async (_: string, init: object) => {
      inits.push(init);
      return new Response(ANSWER);
    };
    await clientOf(bench.edge.host, { agent, fetchApi }).getOffers({ request });
    expect(inits).toEqual([expect.objectContaining({ agent })]);
  });

  test.each<[string, () => object]>([
    ['throws', () => fail('no agent')],
    ['finds none', () => ({ nothing: true })],
  ])('that %s fails the call alone', async (_, agent) => {
    const client = clientOf(bench.edge.host, { agent, retry: { retries: 0 } });
    expect((await targetErrorOf(() => client.getOffers({ request }))).code).toBe('ERR_TARGET_NETWORK');
  });

  describe('whose methods are asynchronous and reject', () => {
    class LateRequest extends http.Agent {
      async addRequest(): Promise<void> {
        fail('no request');
      }
    }
    class LateSocket extends http.Agent {
      async createSocket(): Promise<void> {
        fail('no socket');
      }
    }
    const lateConnection = (connect: () => unknown): http.Agent =>
      Object.assign(new http.Agent(), { createConnection: async () => connect() });
    class AfterAll extends http.Agent {
      async addRequest(...args: unknown[]): Promise<void> {
        Reflect.apply(Reflect.get(http.Agent.prototype, 'addRequest'), this, args);
        await Promise.reject(undefined);
      }
    }

    test.each<[string, object]>([
      ['addRequest', new LateRequest()],
      ['addRequest, after it has passed the request on', new AfterAll()],
      ['addRequest of an object that is frozen', Object.freeze({ addRequest: async () => fail('frozen') })],
      ['createSocket', new LateSocket()],
      ['createConnection', lateConnection(() => fail('no connection'))],
      ['createConnection, which finds none', lateConnection(() => undefined)],
      ['getName', Object.assign(new http.Agent(), { getName: () => Promise.reject(new Error('no name')) })],
    ])('fails the call alone: %s', async (_, agent) => {
      const unhandled = jest.fn();
      outerProcess.on('unhandledRejection', unhandled);
      for (const option of [agent, () => agent]) {
        const client = clientOf(bench.edge.host, { agent: option, retry: { retries: 0 } });
        const outcome = await client.getOffers({ request }).then(
          ({ response }) => response.status,
          (error: unknown) => error instanceof TargetError && error.code,
        );
        expect(['ERR_TARGET_NETWORK', 200]).toContain(outcome);
      }
      // A rejection that nobody hears is raised at the end of a turn of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
      outerProcess.off('unhandledRejection', unhandled);
      expect(unhandled).not.toHaveBeenCalled();
    });

    test('carries calls when it does not reject, with private fields of its own', async () => {
      class Counting extends http.Agent {
        #calls = 0;
        get calls(): number {
          return this.#calls;
        }
        async addRequest(...args: unknown[]): Promise<void> {
          await undefined;
          this.#calls += 1;
          Reflect.apply(Reflect.get(http.Agent.prototype, 'addRequest'), this, args);
        }
      }
      const agent = new Counting({ keepAlive: true });
      const client = clientOf(bench.edge.host, { agent });
      expect((await client.getOffers({ request })).response.status).toBe(200);
      expect((await client.getOffers({ request })).response.status).toBe(200);
      expect(agent.calls).toBe(2);
      expect(Object.values(agent.freeSockets).flat()).toHaveLength(1);
      agent.destroy();
    });

    test('may open its connections asynchronously', async () => {
      const { hostname, port } = new URL(`http://${bench.edge.host}`);
      const agent = lateConnection(() => connectSocket(Number(port), hostname));
      const client = clientOf(bench.edge.host, { agent });
      expect((await client.getOffers({ request })).response.status).toBe(200);
      agent.destroy();
    });

    test('throws while a queued request gets its connection', async () => {
      const server = http.createServer((_, response) => response.end(ANSWER));
      server.maxRequestsPerSocket = 1;
      const { host } = await listen(server);
      const { hostname, port } = new URL(`http://${host}`);
      const agent = new http.Agent({ maxSockets: 1 });
      let connections = 0;
      const createConnection = () => {
        connections += 1;
        return connections === 1 ? connectSocket(Number(port), hostname) : fail('no second one');
      };
      const client = clientOf(host, {
        agent: Object.assign(agent, { createConnection }),
        retry: { retries: 0 },
      });
      const [first, second] = await Promise.allSettled([1, 2].map(() => client.getOffers({ request })));
      expect(first?.status).toBe('fulfilled');
      expect(second).toMatchObject({ reason: { code: 'ERR_TARGET_NETWORK' } });
      agent.destroy();
    });
  });

  test('takes calls through a forward proxy', async () => {
    const seen: string[] = [];
    const proxy = http.createServer((message, response) => {
      seen.push(message.url ?? '');
      const { method, headers } = message;
      const { hostname, port, pathname, search } = new URL(message.url ?? '');
      const onward = http.request({ hostname, port, path: pathname + search, method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      message.pipe(onward);
    });
    const { port } = await listen(proxy);
    /** Sends a request to the proxy, with the whole URL in its first line. */
    class ProxyAgent extends http.Agent {
      addRequest(outgoing: http.ClientRequest, options: http.RequestOptions): void {
        outgoing.path = `http://${bench.edge.host}${outgoing.path}`;
        const toProxy = { ...options, host: '127.0.0.1', hostname: '127.0.0.1', port };
        (http.Agent.prototype as unknown as ProxyAgent).addRequest.call(this, outgoing, toProxy);
      }
    }
    const client = clientOf(bench.edge.host, { agent: new ProxyAgent() });
    expect((await client.getOffers({ request })).response.status).toBe(200);
    expect(seen).toEqual([expect.stringContaining(`http://${bench.edge.host}/rest/v1/delivery?`)]);
  });

  test('takes calls through a CONNECT proxy', async () => {
    const { key, cert } = selfSigned();
    const target = https.createServer({ key, cert }, (_, response) => response.end(ANSWER));
    const { port } = await listen(target);
    const asked: (string | undefined)[] = [];
    const proxy = http.createServer().on('connect', (message, socket) => {
      asked.push(message.url);
      const onward = connectSocket(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        onward.pipe(socket).pipe(onward);
      });
      onward.on('error', () => socket.destroy());
    });
    const { port: proxyPort } = await listen(proxy);
    const connectRequest = http.request({
      host: '127.0.0.1',
      port: proxyPort,
      method: 'CONNECT',
      path: `localhost:${port}`,
    });
    connectRequest.end();
    const [, socket] = (await once(connectRequest, 'connect')) as [http.IncomingMessage, Socket];
    const agent = new https.Agent({ ca: cert, socket, servername: 'localhost' } as https.AgentOptions);
    const client = clientOf(`localhost:${port}`, { agent, secure: true });
    expect((await client.getOffers({ request })).response.client).toBe('demo');
    expect(asked).toEqual([`localhost:${port}`]);
  });
});

describe('a network error', () => {
  const codeOf = (error: Error) => (error.cause as { code?: string }).code;

  test('is what a refused connection is', async () => {
    const server = createServer();
    const { host } = await listen(server);
    server.close();
    await once(server, 'close');
    const error = await targetErrorOf(() => clientOf(host).getOffers({ request }));
    expect(error).toMatchObject({
      code: 'ERR_TARGET_NETWORK',
      message: `the delivery call failed: ECONNREFUSED (${host})`,
      attempts: 3,
    });
    expect(codeOf(error)).toBe('ECONNREFUSED');
  });

  test('is what a name that nobody knows is', async () => {
    const lookup: http.AgentOptions['lookup'] = (name, _, done) =>
      done(Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' }), '', 4);
    const agent = new http.Agent({ lookup });
    const error = await targetErrorOf(() => clientOf('nowhere.example', { agent }).getOffers({ request }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_NETWORK', attempts: 3 });
    expect(codeOf(error)).toBe('ENOTFOUND');
  });

  test('is what a certificate is that nobody vouches for', async () => {
    const server = https.createServer(selfSigned(), (_, response) => response.end(ANSWER));
    const { port } = await listen(server);
    const client = clientOf(`localhost:${port}`, { secure: true });
    const error = await targetErrorOf(() => client.getOffers({ request }));
    expect(error.code).toBe('ERR_TARGET_NETWORK');
    expect(codeOf(error)).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
  });

  test.each<[string, string, string]>([
    ['is no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n', 'HPE_INVALID_CONSTANT'],
    ['has headers without end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`, 'HPE_HEADER_OVERFLOW'],
    [
      'has a chunk of no length',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      'ERR_STREAM_PREMATURE_CLOSE',
    ],
  ])('is what an answer is that %s', async (_, bytes, code) => {
    const { host, sockets } = await listen(
      createServer((socket) => socket.on('data', () => socket.write(bytes))),
    );
    const error = await targetErrorOf(() => clientOf(host).getOffers({ request }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_NETWORK', attempts: 3 });
    expect(codeOf(error)).toMatch(code);
    expect(sockets).toHaveLength(3);
  });

  test('is what a server is that speaks no TLS', async () => {
    const { host } = await listen(createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    const error = await targetErrorOf(() => clientOf(host, { secure: true }).getOffers({ request }));
    expect(error.code).toBe('ERR_TARGET_NETWORK');
    expect(codeOf(error)).toMatch(/^(EPROTO|ERR_SSL_)/);
  });
});

describe('a deadline', () => {
  test.each<[string, (socket: Socket) => void]>([
    ['headers that come byte by byte', (socket) => dribble(socket, 'HTTP/1.1 200 OK\r\nX-Long: ')],
    ['provisional answers without end', (socket) => dribble(socket, 'HTTP/1.1 102 Processing\r\n\r\n')],
  ])('holds against %s', async (_, play) => {
    const { host } = await listen(createServer((socket) => socket.once('data', () => play(socket))));
    const error = await targetErrorOf(() => clientOf(host).getOffers({ request, timeout: 300 }));
    expect(error.code).toBe('ERR_TARGET_TIMEOUT');
  });
});

/** Sends the same bytes over and over, slowly. */
function dribble(socket: Socket, bytes: string): void {
  let sent = 0;
  const timer = setInterval(() => {
    socket.write(bytes.charAt(sent % bytes.length));
    sent += 1;
  }, 5);
  socket.on('close', () => clearInterval(timer));
}
