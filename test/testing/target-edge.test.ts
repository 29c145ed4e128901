import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { TargetEdge } from '../../src/testing/edge.js';
import { startTargetEdge } from '../../src/testing/edge.js';
import { CONTEXT, DELIVERY, deliver, QUERY } from './deliver.js';

let edge: TargetEdge;
beforeEach(async () => {
  edge = await startTargetEdge({ maxRequests: 3, maxBodyBytes: 1000 });
});
afterEach(() => edge.close());

describe('over HTTP', () => {
  test('an unknown path is 404', async () => {
    const answer = await fetch(`${edge.url}/rest/v1/deliverx${QUERY}`, { method: 'POST' });
    expect([answer.status, await answer.json()]).toEqual([
      404,
      { status: 404, message: 'nothing at /rest/v1/deliverx' },
    ]);
  });

  test.each(['GET', 'PUT', 'DELETE', 'OPTIONS'])('%s is 405 and says what is allowed', async (method) => {
    const answer = await fetch(`${edge.url}${DELIVERY}${QUERY}`, { method });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
  });

  test.each([
    [{ 'Content-Type': 'text/plain' }, 415],
    [{ 'Content-Type': 'application/jsonp' }, 415],
    [{ 'Content-Encoding': 'gzip' }, 415],
    [{ 'Content-Type': 'Application/JSON ; charset=utf-8' }, 200],
  ])('headers %j are %d', async (headers, status) => {
    expect((await deliver(edge, { context: CONTEXT }, { headers })).status).toBe(status);
  });

  test('a body over the limit is 413, one at the limit is not', async () => {
    const start = JSON.stringify({ context: CONTEXT });
    expect((await deliver(edge, start.padEnd(1000))).status).toBe(200);
    expect((await deliver(edge, start.padEnd(1001))).status).toBe(413);
    expect(edge.lastRequest).toMatchObject({ status: 413, rawBody: '' });
    expect((await deliver(edge, start.padEnd(5_000_000))).status).toBe(413);
  });

  test('a client that goes away in the middle of a body harms nothing', async () => {
    const request = httpRequest(`${edge.url}${DELIVERY}`, {
      method: 'POST',
      headers: { 'Content-Length': 100 },
    });
    request.on('error', () => undefined);
    request.write('{');
    await once(request, 'socket');
    request.destroy();
    expect((await deliver(edge, { context: CONTEXT })).status).toBe(200);
    expect(edge.requests).toHaveLength(1);
  });

  test('connections are kept', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let call = 0; call < 3; call += 1) {
      const request = httpRequest(edge.url, { agent });
      request.end();
      const [answer] = await once(request, 'response');
      ports.add(answer.socket.localPort);
      answer.resume();
      await once(answer, 'end');
    }
    expect(ports.size).toBe(1);
    agent.destroy();
  });
});

describe('the log', () => {
  test('holds what arrived', async () => {
    const before = Date.now();
    await deliver(edge, { requestId: 'é', context: CONTEXT }, { headers: { 'X-Request-Id': 'x1' } });
    expect(edge.requests).toEqual([
      {
        method: 'POST',
        path: DELIVERY,
        query: { imsOrgId: 'DEMO@AdobeOrg', sessionId: 'session1' },
        headers: expect.objectContaining({ 'content-type': 'application/json', 'x-request-id': 'x1' }),
        rawBody: '{"requestId":"é","context":{"channel":"web"}}',
        body: { requestId: 'é', context: CONTEXT },
        delivery: { requestId: 'é', context: CONTEXT },
        time: expect.any(Number),
        status: 200,
        violations: [],
      },
    ]);
    expect(edge.lastRequest?.time).toBeGreaterThanOrEqual(before);
  });

  test('holds requests that were refused, without a delivery where there is none', async () => {
    await fetch(`${edge.url}/nowhere?a=1&__proto__=2`);
    await deliver(edge, '[1]');
    const [nowhere, list] = edge.requests;
    expect(nowhere).toMatchObject({
      method: 'GET',
      path: '/nowhere',
      status: 404,
      rawBody: '',
      body: undefined,
    });
    expect(Object.entries(nowhere?.query ?? {})).toEqual([
      ['a', '1'],
      ['__proto__', '2'],
    ]);
    expect(list).toMatchObject({ body: [1], status: 400 });
    expect([nowhere, list].some((request) => request && 'delivery' in request)).toBe(false);
  });

  test('forgets the oldest beyond its limit, and everything when it is cleared', async () => {
    for (const path of ['/1', '/2', '/3', '/4']) {
      await fetch(edge.url + path);
    }
    expect(edge.requests.map(({ path }) => path)).toEqual(['/2', '/3', '/4']);
    expect(edge.requestsTo('/3')).toHaveLength(1);
    expect(edge.requestsTo(/[34]/)).toHaveLength(2);
    edge.clearRequests();
    expect([edge.requests, edge.lastRequest]).toEqual([[], undefined]);
  });

  test('wakes who waits for requests, also under a fake clock', async () => {
    jest.useFakeTimers();
    try {
      const waiting = edge.waitForRequests(2, { where: '/b' });
      for (const path of ['/b', '/a', '/b']) {
        await fetch(edge.url + path);
      }
      expect((await waiting).map(({ path }) => path)).toEqual(['/b', '/b']);
      expect(await edge.waitForRequests(1, { where: '/a' })).toHaveLength(1);
    } finally {
      jest.useRealTimers();
    }
  });

  test('says how many came when a wait takes too long', async () => {
    await fetch(edge.url);
    await expect(edge.waitForRequests(2, { timeoutMs: 10 })).rejects.toThrow(
      '10 ms passed while waiting for 2 requests; 1 arrived',
    );
  });

  test('ends a wait when the edge is closed', async () => {
    const waiting = edge.waitForRequests(1);
    const ended = expect(waiting).rejects.toThrow(
      'the edge was closed while waiting for 1 requests; 0 arrived',
    );
    await edge.close();
    await ended;
    await expect(edge.waitForRequests(1)).rejects.toThrow('the edge was closed');
  });
});

describe('the life of an edge', () => {
  let child: ChildProcess | undefined;
  afterEach(() => {
    child?.kill('SIGKILL');
  });

  test('takes a port, and rejects one that is taken', async () => {
    const { port } = edge;
    await expect(startTargetEdge({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await edge.close();
    edge = await startTargetEdge({ port });
    expect(edge.url).toBe(`http://127.0.0.1:${port}`);
  });

  test('closes any number of times, and refuses connections from then on', async () => {
    await deliver(edge, { context: CONTEXT });
    await Promise.all([edge.close(), edge.close()]);
    await edge.close();
    await edge[Symbol.asyncDispose]();
    await expect(fetch(edge.url)).rejects.toThrow();
  });

  const run = async (options: string, after: string) => {
    const script = `
      import { startTargetEdge } from '${join(__dirname, '../../src/testing/edge.ts')}';
      const edge = await startTargetEdge(${options});
      edge.fault({ kind: 'delay', ms: 600_000 }, { where: '/late' });
      await (await fetch(edge.url)).text();
      console.log(edge.url);
      ${after}`;
    const args = ['--import', 'tsx', '--input-type=module', '--eval', script];
    const started = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    child = started;
    const [url] = await once(started.stdout, 'data');
    return { started, url: `${url}`.trim() };
  };

  test('does not keep a process alive, not even with requests under way', async () => {
    const late = `
      const { connect } = await import('node:net');
      const socket = connect(edge.port, '127.0.0.1', () => {
        socket.write('GET /late HTTP/1.1\\r\\nHost: edge\\r\\n\\r\\n');
      });
      socket.unref();
      await edge.waitForRequests(1, { where: '/late' });`;
    const { started } = await run('{}', late);
    expect(await once(started, 'exit')).toEqual([0, null]);
  });

  test('keeps a process alive where it is told to', async () => {
    const { started, url } = await run(
      '{ keepProcessAlive: true }',
      `process.on('SIGTERM', () => edge.close());`,
    );
    // Still there after a while in which a process with nothing to do would have gone.
    for (let turn = 0; turn < 50; turn += 1) {
      expect((await fetch(url)).status).toBe(404);
    }
    started.kill('SIGTERM');
    expect(await once(started, 'exit')).toEqual([0, null]);
  });
});

describe('a misspelt option', () => {
  const code = 'ERR_TARGET_INVALID_CONFIG';

  test('of the edge is refused, with the name that is meant', async () => {
    await expect(startTargetEdge({ offer: {} } as object)).rejects.toMatchObject({
      code,
      path: 'startTargetEdge.offer',
      message: 'startTargetEdge: unknown option "offer": did you mean "offers"?',
    });
    await expect(startTargetEdge({ hostname: 'x' } as object)).rejects.toThrow('known are port, client');
    await expect(startTargetEdge(null as never)).rejects.toThrow('must be an object, not null');
  });

  test.each<[string, (edge: TargetEdge) => unknown, string]>([
    [
      'a fault',
      (edge) => edge.fault({ kind: 'status', status: 503, header: {} } as never),
      'fault: unknown option "header": did you mean "headers"?',
    ],
    [
      'a fault with the field of another',
      (edge) => edge.fault({ kind: 'drip', ms: 5 } as never),
      'fault: unknown option "ms": known are kind, intervalMs',
    ],
    ['the scope of a fault', (edge) => edge.fault({ kind: 'hang' }, { time: 1 } as never), 'mean "times"?'],
    ['an artifact', (edge) => edge.setArtifact({}, { eTag: '"1"' } as never), 'did you mean "etag"?'],
    [
      'a place',
      (edge) => edge.setGeo({ default: { country: 'ch' } as never }),
      'geo["default"]: unknown option',
    ],
    [
      'an offer',
      (edge) => edge.setOffers({ mboxes: { hero: { type: 'html', content: '', token: '' } as never } }),
      'mboxes["hero"]: unknown option "token"',
    ],
    [
      'the offers of a location',
      (edge) => edge.setOffers({ mboxes: { hero: { options: [], metric: [] } as never } }),
      'mboxes["hero"]: unknown option "metric": did you mean "metrics"?',
    ],
  ])('of %s is refused', (_, act, message) => {
    expect(() => act(edge)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  test('of a wait is refused', async () => {
    await expect(edge.waitForRequests(1, { timeout: 5 } as never)).rejects.toThrow('mean "timeoutMs"?');
  });

  test.each([
    'http://127.0.0.1/rest/v1/delivery',
    'rest/v1/delivery',
    '/rest/v1/delivery?sessionId=1',
    '',
    new URL('http://127.0.0.1/rest/v1/delivery'),
    5,
    null,
  ])('a filter that selects nothing is refused: %s', async (where) => {
    const wanted = expect.objectContaining({
      code,
      path: 'where',
      message: expect.stringMatching(
        /^where must be a path such as "\/rest\/v1\/delivery", a RegExp or a function/,
      ),
    });
    expect(() => edge.fault({ kind: 'hang' }, { where: where as never })).toThrow(wanted);
    expect(() => edge.requestsTo(where as never)).toThrow(wanted);
    await expect(edge.waitForRequests(1, { where: where as never })).rejects.toEqual(wanted);
  });
});
