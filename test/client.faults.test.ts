import { afterAll, describe, expect, test } from '@jest/globals';
import { createUndiciFetch } from '../src/http/undici.js';
import { TargetClient, type TargetClientConfig } from '../src/index.js';
import type { Fault } from '../src/testing/edge.js';
import { startTargetEdge } from '../src/testing/edge.js';
import { REQUEST } from './recording-fetch.js';
import { targetErrorOf, withEdge } from './with-edge.js';

const request = REQUEST;
const bench = withEdge();
const TIMEOUT_MS = 500;

const undici = createUndiciFetch();
afterAll(() => undici.close());

/** Each way to the network, and a client at its first call and one that has had an answer, and so has a connection. */
const STARTS: [string, () => Promise<TargetClient>][] = [
  ['cold', () => cold({})],
  ['warm', () => warm({})],
  ['cold undici', () => cold({ fetchApi: undici })],
  ['warm undici', () => warm({ fetchApi: undici })],
];

async function cold(config: Partial<TargetClientConfig>): Promise<TargetClient> {
  return bench.connect({ timeout: TIMEOUT_MS, ...config });
}

async function warm(config: Partial<TargetClientConfig>): Promise<TargetClient> {
  const client = await cold(config);
  await client.getOffers({ request, timeout: 10_000 });
  bench.edge.clearRequests();
  return client;
}

/**
 * What something settles to before a timer of so many milliseconds that was set behind it. Timers of one process are
 * late together and fire in order, so that a busy machine cannot fail this, and a limit that is not kept must. A call
 * whose process was busy looks once more for its answer, which takes a turn of the event loop.
 */
async function endOf<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const fail = () => reject(new Error(`it did not end within ${ms} ms`));
    timer = setTimeout(() => setImmediate(() => setImmediate(fail)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

describe.each(STARTS)('a %s client', (_, start) => {
  test.each<[string, Fault, string]>([
    ['no answer', { kind: 'hang' }, 'no answer came'],
    ['a stall after the headers', { kind: 'stall' }, 'the body of the answer with status 200 did not end'],
    ['a body byte by byte', { kind: 'drip', intervalMs: 20 }, 'the body of the answer with status 200'],
    ['an answer that is too late', { kind: 'delay', ms: 60_000 }, 'no answer came'],
  ])('ends within its timeout, and hardly behind it: %s', async (_, fault, doing) => {
    const client = await start();
    bench.edge.fault(fault);
    const error = await endOf(
      targetErrorOf(() => client.getOffers({ request })),
      TIMEOUT_MS * 1.1,
    );
    expect(error).toMatchObject({ code: 'ERR_TARGET_TIMEOUT', attempts: 1 });
    expect(error.message).toContain(doing);
    expect(bench.edge.requests).toHaveLength(1);
  });

  test.each<[string, Fault, object, number]>([
    ['500', { kind: 'status', status: 500 }, { code: 'ERR_TARGET_RESPONSE', status: 500 }, 3],
    ['429', { kind: 'status', status: 429 }, { code: 'ERR_TARGET_RESPONSE', status: 429 }, 3],
    ['400', { kind: 'status', status: 400 }, { code: 'ERR_TARGET_RESPONSE', status: 400 }, 1],
    ['401', { kind: 'status', status: 401 }, { code: 'ERR_TARGET_RESPONSE', status: 401 }, 1],
    ['403', { kind: 'status', status: 403 }, { code: 'ERR_TARGET_RESPONSE', status: 403 }, 1],
    ['404', { kind: 'status', status: 404 }, { code: 'ERR_TARGET_RESPONSE', status: 404 }, 1],
    ['413', { kind: 'status', status: 413 }, { code: 'ERR_TARGET_RESPONSE', status: 413 }, 1],
    ['a reset', { kind: 'reset' }, { code: 'ERR_TARGET_NETWORK' }, 3],
    ['a reset in the body', { kind: 'resetMidBody' }, { code: 'ERR_TARGET_NETWORK' }, 3],
    ['half a body', { kind: 'truncate' }, { code: 'ERR_TARGET_NETWORK' }, 3],
    ['HTML', { kind: 'body', body: '<html>' }, { code: 'ERR_TARGET_INVALID_RESPONSE', status: 200 }, 1],
    ['nothing', { kind: 'body', body: '' }, { code: 'ERR_TARGET_INVALID_RESPONSE', status: 200 }, 1],
    ['null', { kind: 'body', body: 'null' }, { code: 'ERR_TARGET_INVALID_RESPONSE' }, 1],
    [
      'a wrong shape',
      { kind: 'body', body: '{"hello":"world"}' },
      { code: 'ERR_TARGET_INVALID_RESPONSE' },
      1,
    ],
    ['no gzip', { kind: 'gzip', variant: 'invalid' }, { code: 'ERR_TARGET_INVALID_RESPONSE' }, 1],
    ['half a gzip', { kind: 'gzip', variant: 'truncated' }, { code: 'ERR_TARGET_INVALID_RESPONSE' }, 1],
  ])('says what is wrong, in few requests, and recovers: %s', async (_, fault, fields, requests) => {
    const client = await start();
    bench.edge.fault(fault);
    // What is tested here is not the time, which a busy machine may need.
    const error = await targetErrorOf(() => client.getOffers({ request, timeout: 10_000 }));
    expect(error).toMatchObject({ ...fields, attempts: requests, requestId: expect.any(String) });
    expect(bench.edge.requests).toHaveLength(requests);
    bench.edge.clearFaults();
    const { response } = await client.getOffers({ request, timeout: 10_000 });
    expect(response.status).toBe(200);
  });

  test.each<[string, Fault]>([
    ['a reset', { kind: 'reset' }],
    ['a reset in the body', { kind: 'resetMidBody' }],
    ['half a body', { kind: 'truncate' }],
    ['500', { kind: 'status', status: 500 }],
    ['429', { kind: 'status', status: 429 }],
  ])('outlives one fault without a word: %s', async (_, fault) => {
    const client = await start();
    bench.edge.fault(fault, { times: 1 });
    const { response } = await client.getOffers({ request, timeout: 10_000 });
    expect(response.status).toBe(200);
    const [first, second] = bench.edge.requests;
    expect(bench.edge.requests).toHaveLength(2);
    expect(second?.rawBody).toBe(first?.rawBody);
    expect(second?.headers['x-request-id']).toBe(first?.headers['x-request-id']);
  });

  test('reads a compressed answer', async () => {
    const client = await start();
    bench.edge.fault({ kind: 'gzip' });
    const { response } = await client.getOffers({ request, timeout: 10_000 });
    expect(response.execute?.mboxes).toEqual([{ index: 0, name: 'hero' }]);
  });

  test('obeys Retry-After', async () => {
    const client = await start();
    bench.edge.fault({ kind: 'status', status: 503, headers: { 'Retry-After': '1' } }, { times: 1 });
    await client.getOffers({ request, timeout: 10_000 });
    const [first, second] = bench.edge.requests;
    expect((second?.time ?? 0) - (first?.time ?? 0)).toBeGreaterThanOrEqual(990);
  });

  test('does not wait for a Retry-After that does not fit', async () => {
    const client = await start();
    bench.edge.fault({ kind: 'status', status: 503, headers: { 'Retry-After': '30' } });
    const error = await targetErrorOf(() => client.getOffers({ request, timeout: 10_000 }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_RESPONSE', status: 503, attempts: 1 });
    expect(error.body).toContain('fault');
  });

  test('follows no redirect, neither in a loop nor to another host', async () => {
    const other = await startTargetEdge();
    try {
      const client = await start();
      for (const [status, location] of [
        [307, `${other.url}/rest/v1/delivery`],
        [308, '/rest/v1/delivery'],
        [302, '/rest/v1/delivery'],
      ] as const) {
        bench.edge.clearRequests();
        const fault = bench.edge.fault({ kind: 'status', status, headers: { Location: location } });
        const error = await targetErrorOf(() => client.getOffers({ request, timeout: 10_000 }));
        fault.clear();
        expect(error).toMatchObject({ code: 'ERR_TARGET_RESPONSE', status, attempts: 1 });
        expect(bench.edge.requests).toHaveLength(1);
      }
      expect(other.requests).toHaveLength(0);
    } finally {
      await other.close();
    }
  });

  test.each<[string, Fault]>([
    ['64 MiB', { kind: 'huge' }],
    ['a gzip bomb', { kind: 'gzip', variant: 'bomb', bytes: 1024 ** 3 }],
  ])('reads no more than 32 MiB of %s', async (_, fault) => {
    const client = await start();
    bench.edge.fault(fault);
    const error = await targetErrorOf(() => client.getOffers({ request, timeout: 15_000 }));
    expect(error).toMatchObject({
      code: 'ERR_TARGET_INVALID_RESPONSE',
      message: 'the delivery call was answered with more than 33554432 bytes',
      attempts: 1,
    });
  });
});

describe('more calls than there may be connections', () => {
  /** An edge of their own, which may still have to read what was sent when the client has given up. */
  async function begin(options: { readonly timeout: number; readonly signal?: AbortSignal }) {
    const edge = await startTargetEdge();
    edge.fault({ kind: 'hang' });
    // Behind so many failures a breaker would let nothing through, which is tested elsewhere.
    const client = TargetClient.create({ ...edge.config, telemetryEnabled: false, circuitBreaker: false });
    const calls = Array.from({ length: 300 }, () =>
      targetErrorOf(() => client.getOffers({ request, ...options })),
    );
    return { edge, client, errors: Promise.all(calls) };
  }

  test('all end within their timeout', async () => {
    const { edge, client, errors } = await begin({ timeout: TIMEOUT_MS });
    const codes = (await endOf(errors, TIMEOUT_MS * 1.1)).map(({ code }) => code);
    expect(new Set(codes)).toEqual(new Set(['ERR_TARGET_TIMEOUT']));
    edge.clearFaults();
    expect((await client.getOffers({ request, timeout: 10_000 })).response.status).toBe(200);
    await client.close();
    await edge.close();
  });

  test('are never sent when they are aborted before their turn', async () => {
    const controller = new AbortController();
    const { edge, client, errors } = await begin({ timeout: 10_000, signal: controller.signal });
    await edge.waitForRequests(128);
    controller.abort();
    await errors;
    edge.clearFaults();
    await client.getOffers({ request, timeout: 10_000 });
    expect(edge.requests).toHaveLength(129);
    await client.close();
    await edge.close();
  });
});
