import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { runInThisContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { fetch as undiciFetch } from 'undici';
import { type FetchApi, TargetClient, type TargetClientConfig, type TargetError } from '../src/index.js';
import {
  answer,
  configOf,
  DELIVERY,
  hang,
  REQUEST,
  recordingFetch,
  refuse,
  type Script,
  status,
} from './recording-fetch.js';
import { targetErrorOf } from './with-edge.js';

const request = REQUEST;
/** The process that Node itself warns through: the one of a test is a copy. */
const outerProcess: NodeJS.Process = runInThisContext('process');

/** Makes one call on a fake clock and lets an hour pass. */
async function play(
  config: Partial<TargetClientConfig>,
  ...scripts: Script[]
): Promise<{ calls: number[]; error?: TargetError; endedAt: number }> {
  const { fetchApi, calls } = recordingFetch(...scripts);
  const client = TargetClient.create({ ...configOf(fetchApi), telemetryEnabled: false, ...config });
  const started = Date.now();
  let endedAt = Number.NaN;
  const call = client.getOffers({ request }).finally(() => {
    endedAt = Date.now() - started;
  });
  const outcome = call.then(
    () => ({}),
    (error: TargetError) => ({ error }),
  );
  await jest.advanceTimersByTimeAsync(3_600_000);
  expect(jest.getTimerCount()).toBe(0);
  return { calls: calls.map(({ time }) => time - started), endedAt, ...(await outcome) };
}

describe('a retry', () => {
  beforeEach(() => {
    jest.useFakeTimers();
    jest.spyOn(Math, 'random').mockReturnValue(1);
  });
  afterEach(() => {
    jest.restoreAllMocks();
    jest.useRealTimers();
  });

  test.each([408, 429, 500, 502, 503, 504])('follows status %i', async (code) => {
    const { calls, error } = await play({}, status(code), answer());
    expect(error).toBeUndefined();
    expect(calls).toHaveLength(2);
  });

  test.each([
    300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 409, 410, 413, 415, 420, 422, 451, 501, 505,
  ])('does not follow status %i', async (code) => {
    const { calls, error } = await play({}, status(code, { location: 'https://other.example/' }), answer());
    expect(calls).toHaveLength(1);
    expect(error).toMatchObject({ code: 'ERR_TARGET_RESPONSE', status: code, attempts: 1 });
  });

  test('follows status 420 for a call that only reports, whose session can wait, and no call for offers', async () => {
    const notifications = [{ id: 'n', type: 'click' as const, timestamp: 1, mbox: { name: 'hero' } }];
    const { fetchApi, calls } = recordingFetch(status(420), answer(), status(420));
    const client = TargetClient.create(configOf(fetchApi));
    const reported = client.sendNotifications({ request: { notifications } });
    await jest.advanceTimersByTimeAsync(50);
    expect((await reported).response.status).toBe(200);
    expect(calls).toHaveLength(2);
    const asked = targetErrorOf(() => client.getOffers({ request: { ...request, notifications } }));
    await jest.advanceTimersByTimeAsync(1000);
    expect(await asked).toMatchObject({ status: 420, attempts: 1 });
    expect(calls).toHaveLength(3);
  });

  test('follows a connection that failed', async () => {
    const { calls, error } = await play({}, refuse, refuse, answer());
    expect(error).toBeUndefined();
    expect(calls).toHaveLength(3);
  });

  test('is given up after two, 50 and 100 ms apart at most', async () => {
    const { calls, error } = await play({}, refuse);
    expect(calls).toEqual([0, 50, 150]);
    expect(error).toMatchObject({ code: 'ERR_TARGET_NETWORK', attempts: 3 });
    expect((error?.cause as { code?: string } | undefined)?.code).toBe('ECONNREFUSED');
  });

  test('waits a random part of the longest wait', async () => {
    const random = jest.spyOn(Math, 'random').mockReturnValueOnce(0.5).mockReturnValueOnce(0.1);
    const { calls } = await play({}, status(503));
    expect(calls).toEqual([0, 25, 35]);
    expect(random).toHaveBeenCalledTimes(2);
  });

  test('follows the policy of the client', async () => {
    const retry = { retries: 4, minTimeout: 100, maxTimeout: 350, factor: 3, jitter: false };
    const { calls } = await play({ retry }, status(500));
    expect(calls).toEqual([0, 100, 400, 750, 1100]);
  });

  test('is not made when there are to be none', async () => {
    const { calls, error } = await play({ retry: { retries: 0 } }, status(503));
    expect(calls).toEqual([0]);
    expect(error?.attempts).toBe(1);
  });

  test('is not begun behind the deadline', async () => {
    const retry = { retries: 1000, minTimeout: 100, factor: 1, jitter: false };
    const { calls, endedAt, error } = await play({ timeout: 950, retry }, status(503));
    expect(calls).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
    expect(endedAt).toBe(900);
    expect(error).toMatchObject({ code: 'ERR_TARGET_RESPONSE', status: 503, attempts: 10 });
  });

  test('without any wait is made all the same', async () => {
    const retry = { retries: 1100, minTimeout: 0 };
    const { calls } = await play({ timeout: 100_000, retry }, status(503));
    expect(calls).toHaveLength(1101);
  });

  test('obeys Retry-After in seconds', async () => {
    const { calls, error } = await play({}, status(503, { 'retry-after': '2' }), answer());
    expect(calls).toEqual([0, 2000]);
    expect(error).toBeUndefined();
  });

  test('obeys Retry-After as a date', async () => {
    jest.setSystemTime(new Date('2030-01-01T00:00:00Z'));
    const date = 'Tue, 01 Jan 2030 00:00:01 GMT';
    const { calls } = await play({}, status(429, { 'retry-after': date }), answer());
    expect(calls).toEqual([0, 1000]);
  });

  test.each(['soon', '', 'Tue, 01 Jan 2008 00:00:00 GMT'])(
    'backs off as ever when Retry-After is %j',
    async (value) => {
      const { calls } = await play({}, status(503, { 'retry-after': value }), answer());
      expect(calls).toEqual([0, 50]);
    },
  );

  test.each(['3', '60', '9'.repeat(40), 'Fri, 31 Dec 9999 23:59:59 GMT'])(
    'is not made when Retry-After (%s) does not fit into the deadline',
    async (value) => {
      const { calls, endedAt, error } = await play({}, status(503, { 'retry-after': value }), answer());
      expect(calls).toEqual([0]);
      expect(endedAt).toBe(0);
      expect(error).toMatchObject({ code: 'ERR_TARGET_RESPONSE', status: 503, attempts: 1 });
      expect(error?.retryAfterMs).toBeGreaterThanOrEqual(3000);
    },
  );

  test.each([
    ['3', 3000],
    [undefined, undefined],
  ])('that is not made leaves its time (Retry-After %p) with the error', async (value, retryAfterMs) => {
    const headers: Record<string, string> = value === undefined ? {} : { 'retry-after': value };
    const { error } = await play({ retry: { retries: 0 } }, status(429, headers));
    expect(error).toMatchObject({ code: 'ERR_TARGET_RESPONSE', status: 429 });
    expect(error?.retryAfterMs).toBe(retryAfterMs);
    expect(error && 'retryAfterMs' in error).toBe(value !== undefined);
  });

  test('does not wait for the body of a failure that stalls', async () => {
    const stalled = () => new Response(new ReadableStream({ pull: hang }), { status: 503 });
    const { calls, error } = await play({}, stalled, answer());
    expect(calls).toEqual([0, 300]);
    expect(error).toBeUndefined();
  });

  test('is not begun by a process that comes back to it behind the deadline', async () => {
    const { fetchApi, calls } = recordingFetch(refuse);
    const retry = { retries: 2, minTimeout: 900, jitter: false };
    const client = TargetClient.create({ ...configOf(fetchApi), timeout: 1000, retry });
    const failed = targetErrorOf(() => client.getOffers({ request }));
    await jest.advanceTimersByTimeAsync(0);
    // As if the event loop had been blocked: both timers are due, that of the retry first.
    const now = performance.now();
    jest.spyOn(performance, 'now').mockReturnValue(now + 5000);
    jest.advanceTimersByTime(5000);
    expect((await failed).code).toBe('ERR_TARGET_TIMEOUT');
    expect(calls).toHaveLength(1);
  });
});

describe('a deadline', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('holds against a fetch that never settles and ignores its signal', async () => {
    const { calls, endedAt, error } = await play({ timeout: 700 }, hang);
    expect(endedAt).toBe(700);
    expect(calls).toEqual([0]);
    expect(error).toMatchObject({
      code: 'ERR_TARGET_TIMEOUT',
      message: 'the delivery call did not end within 700 ms: no answer came',
      attempts: 1,
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(error).not.toHaveProperty('cause');
  });

  test('holds against a body that never ends, and cancels it', async () => {
    const cancelled = jest.fn<() => void>();
    const endless = () => new Response(new ReadableStream({ pull: hang, cancel: cancelled }));
    const { endedAt, error } = await play({ timeout: 700 }, endless);
    expect(endedAt).toBe(700);
    expect(error?.message).toContain('the body of the answer with status 200 did not end');
    expect(cancelled).toHaveBeenCalledTimes(1);
  });

  test('holds against a text() that never settles', async () => {
    const { endedAt } = await play({ timeout: 700 }, () => ({
      status: 200,
      headers: new Headers(),
      text: hang,
    }));
    expect(endedAt).toBe(700);
  });

  test('covers all attempts, and tells of the last one that failed', async () => {
    const { endedAt, error } = await play({ timeout: 700 }, status(503), hang);
    expect(endedAt).toBe(700);
    expect(error).toMatchObject({ code: 'ERR_TARGET_TIMEOUT', attempts: 2 });
    expect(error?.cause).toMatchObject({ code: 'ERR_TARGET_RESPONSE', status: 503 });
  });

  test('tells how long the last attempt was asked to wait, without the body of its answer', async () => {
    const { error } = await play({}, status(503, { 'retry-after': '1' }, 'busy'), hang);
    expect(error).toMatchObject({ code: 'ERR_TARGET_TIMEOUT', attempts: 2 });
    expect(error?.cause).toMatchObject({ status: 503, retryAfterMs: 1000 });
    expect(error?.cause).not.toHaveProperty('body');
  });

  test('says nothing of the status of an attempt before the one that it ended', async () => {
    const { error } = await play({}, status(503), hang);
    expect(error?.message).toBe('the delivery call did not end within 3000 ms: no answer came');
    expect(error).not.toHaveProperty('status');
  });

  describe('of a call', () => {
    afterEach(() => {
      jest.restoreAllMocks();
    });

    test.each<[string, Script, number]>([
      ['that waits for an answer drops idle connections, which may be dead too', hang, 1],
      ['that waits for its repetition drops none', status(503, { 'retry-after': '2' }), 0],
    ])('%s', async (_, script, times) => {
      const dropIdle = jest.fn<NonNullable<FetchApi['dropIdle']>>();
      const { fetchApi, calls } = recordingFetch(script);
      const config = configOf(Object.assign(fetchApi, { dropIdle }));
      const client = TargetClient.create({ ...config, timeout: 3000 });
      const failed = targetErrorOf(() => client.getOffers({ request }));
      await jest.advanceTimersByTimeAsync(0);
      // As if the event loop had been blocked: the deadline is seen before the wait is over.
      const now = performance.now();
      jest.spyOn(performance, 'now').mockReturnValue(now + 5000);
      await jest.advanceTimersByTimeAsync(1000);
      expect((await failed).code).toBe('ERR_TARGET_TIMEOUT');
      expect(calls).toHaveLength(1);
      expect(dropIdle).toHaveBeenCalledTimes(times);
    });
  });

  test('of a call stands before that of the client', async () => {
    const { fetchApi } = recordingFetch(hang);
    const client = TargetClient.create({ ...configOf(fetchApi), timeout: 700 });
    const failed = targetErrorOf(() => client.getOffers({ request, timeout: 300 }));
    await jest.advanceTimersByTimeAsync(300);
    expect((await failed).message).toContain('300 ms');
  });

  test('aborts the fetch', async () => {
    const { fetchApi, calls } = recordingFetch(hang);
    const client = TargetClient.create({ ...configOf(fetchApi), timeout: 300 });
    const failed = targetErrorOf(() => client.getOffers({ request }));
    await jest.advanceTimersByTimeAsync(300);
    const error = await failed;
    const signal = calls[0]?.init.signal as AbortSignal;
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBe(error);
  });

  test('aborts a fetch that takes any signal, but none of its listeners that it removed', async () => {
    const { fetchApi, calls } = recordingFetch(hang);
    const client = TargetClient.create({
      ...configOf(Object.assign(fetchApi, { takesAnySignal: true })),
      timeout: 300,
    });
    const failed = targetErrorOf(() => client.getOffers({ request }));
    await jest.advanceTimersByTimeAsync(200);
    const signal = calls[0]?.init.signal as AbortSignal;
    expect(signal).toMatchObject({ aborted: false, reason: undefined });
    const [removed, kept] = [jest.fn(), jest.fn()];
    signal.addEventListener('abort', removed);
    signal.addEventListener('abort', kept);
    signal.removeEventListener('abort', removed);
    await jest.advanceTimersByTimeAsync(100);
    expect(signal).toMatchObject({ aborted: true, reason: await failed });
    expect(kept).toHaveBeenCalledTimes(1);
    expect(removed).not.toHaveBeenCalled();
  });

  test('that has passed is told to a fetch that looks at its signal only then', async () => {
    const { fetchApi, calls } = recordingFetch(hang);
    const client = TargetClient.create({ ...configOf(fetchApi), timeout: 300 });
    const failed = targetErrorOf(() => client.getOffers({ request }));
    await jest.advanceTimersByTimeAsync(300);
    const error = await failed;
    expect(calls[0]?.init.signal).toMatchObject({ aborted: true, reason: error });
  });

  test('waits for what has arrived while the process was busy', async () => {
    jest.useRealTimers();
    const server = http.createServer((_, response) => response.end(JSON.stringify(DELIVERY)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const serverDomain = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = TargetClient.create({
      client: 'demo',
      organizationId: 'DEMO@AdobeOrg',
      serverDomain,
      secure: false,
    });
    try {
      await client.getOffers({ request });
      const answered = client.getOffers({ request, timeout: 1000 });
      // The server is in this process too: it has answered before the client comes to its deadline.
      await new Promise((resolve) => server.once('request', (_, answer) => answer.once('finish', resolve)));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1100);
      expect((await answered).status.status).toBe(200);
    } finally {
      await client.close();
      server.close();
    }
  });

  test('can be the longest that a timer holds', async () => {
    const { fetchApi } = recordingFetch(hang, answer());
    const client = TargetClient.create({ ...configOf(fetchApi), timeout: 2 ** 31 - 1 });
    const settled = jest.fn();
    client.getOffers({ request }).then(settled, settled);
    await jest.advanceTimersByTimeAsync(3_600_000);
    expect(settled).not.toHaveBeenCalled();
  });
});

describe('an AbortSignal', () => {
  /** A signal that counts who listens to it. */
  function counted(): { controller: AbortController; listeners: () => number } {
    const controller = new AbortController();
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    let count = 0;
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      count += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      count -= 1;
      remove(...args);
    };
    return { controller, listeners: () => count };
  }

  test('that is aborted already sends nothing', async () => {
    const { fetchApi, calls } = recordingFetch();
    const client = TargetClient.create(configOf(fetchApi));
    const reason = new Error('shutting down');
    const error = await targetErrorOf(() => client.getOffers({ request, signal: AbortSignal.abort(reason) }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_ABORTED', attempts: 0, cause: reason });
    expect(calls).toHaveLength(0);
  });

  test.each<[string, Script]>([
    ['before the answer', hang],
    ['while the body comes', () => new Response(new ReadableStream({ pull: hang }))],
    ['before a retry', status(503, { 'retry-after': '1' })],
  ])('ends a call at once %s', async (_, script) => {
    const { controller, listeners } = counted();
    const { fetchApi, calls } = recordingFetch(script);
    const client = TargetClient.create(configOf(fetchApi));
    const failed = targetErrorOf(() => client.getOffers({ request, signal: controller.signal }));
    // Far enough for the call to have got to where it waits.
    for (let turn = 0; turn < 20; turn += 1) {
      await new Promise(setImmediate);
    }
    expect(listeners()).toBe(1);
    controller.abort('enough');
    expect(await failed).toMatchObject({ code: 'ERR_TARGET_ABORTED', cause: 'enough', attempts: 1 });
    expect(calls).toHaveLength(1);
    expect(listeners()).toBe(0);
  });

  test.each<[string, Script]>([
    ['an answer', answer()],
    ['a failure', status(400)],
    ['retries', status(503)],
  ])('is let go of after %s', async (_, script) => {
    const { controller, listeners } = counted();
    const { fetchApi } = recordingFetch(script);
    const client = TargetClient.create({ ...configOf(fetchApi), retry: { minTimeout: 0 } });
    await client.getOffers({ request, signal: controller.signal }).catch(() => undefined);
    expect(listeners()).toBe(0);
  });

  test('has one listener, however many calls share it', async () => {
    const { controller, listeners } = counted();
    const { fetchApi } = recordingFetch(hang);
    const client = TargetClient.create(configOf(fetchApi));
    const calls = Array.from({ length: 50 }, () =>
      targetErrorOf(() => client.getOffers({ request, signal: controller.signal })),
    );
    expect(listeners()).toBe(1);
    controller.abort();
    const codes = (await Promise.all(calls)).map(({ code }) => code);
    expect(new Set(codes)).toEqual(new Set(['ERR_TARGET_ABORTED']));
    expect(listeners()).toBe(0);
  });

  test('keeps the calls apart that share it one after the other', async () => {
    const { controller, listeners } = counted();
    const { fetchApi } = recordingFetch(answer(), hang);
    const client = TargetClient.create(configOf(fetchApi));
    await client.getOffers({ request, signal: controller.signal });
    const failed = targetErrorOf(() => client.getOffers({ request, signal: controller.signal }));
    expect(listeners()).toBe(1);
    controller.abort();
    expect((await failed).code).toBe('ERR_TARGET_ABORTED');
  });
});

describe('a fetchApi', () => {
  test('is asked for a POST that follows no redirect', async () => {
    const { fetchApi, calls } = recordingFetch();
    await TargetClient.create(configOf(fetchApi)).getOffers({ request });
    expect(calls[0]?.init).toMatchObject({ method: 'POST', redirect: 'manual' });
    expect(calls[0]?.init).not.toHaveProperty('agent');
  });

  test('is given a real AbortSignal unless it says that it takes any', async () => {
    const { fetchApi, calls } = recordingFetch();
    await TargetClient.create(configOf(fetchApi)).getOffers({ request });
    expect(calls[0]?.init.signal).toBeInstanceOf(AbortSignal);
  });

  test('may listen to its signal in each of many attempts, without a warning of Node’s', async () => {
    const { fetchApi, calls } = recordingFetch(({ init }) => {
      init.signal.addEventListener('abort', () => undefined);
      return refuse();
    });
    const warned = jest.spyOn(outerProcess, 'emitWarning').mockReturnValue(undefined);
    try {
      const retry = { retries: 20, minTimeout: 0 };
      const client = TargetClient.create({ ...configOf(fetchApi), timeout: 60_000, retry });
      expect(await targetErrorOf(() => client.getOffers({ request }))).toMatchObject({ attempts: 21 });
      expect(new Set(calls.map(({ init }) => init.signal)).size).toBe(1);
      expect(warned.mock.calls).toEqual([]);
    } finally {
      warned.mockRestore();
    }
  });

  test('may be that of undici, which reads the limit of listeners in each attempt', async () => {
    let answers = 0;
    const server = http.createServer((_, response) => {
      answers += 1;
      response.writeHead(answers === 1 ? 503 : 204).end();
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    const client = TargetClient.create({
      ...configOf(undiciFetch as FetchApi),
      timeout: 20_000,
      telemetryEnabled: false,
      secure: false,
      serverDomain: `127.0.0.1:${port}`,
    });
    const call = client.getOffers({ request }).finally(() => {
      server.close();
      server.closeAllConnections();
    });
    expect((await call).response.status).toBe(204);
    expect(answers).toBe(2);
  });

  test('that throws at once is a network error', async () => {
    const fetchApi = () => {
      throw new RangeError('no fetch today');
    };
    const client = TargetClient.create({ ...configOf(fetchApi), retry: { retries: 0 } });
    const error = await targetErrorOf(() => client.getOffers({ request }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_NETWORK', attempts: 1 });
    expect(error.cause).toBeInstanceOf(RangeError);
  });

  test.each([['a word'], [undefined], [null], [{ toString: null }], [Symbol('s')]])(
    'that rejects with %p is a network error',
    async (thrown) => {
      const { fetchApi } = recordingFetch(() => Promise.reject(thrown));
      const client = TargetClient.create({ ...configOf(fetchApi), retry: { retries: 0 } });
      expect((await targetErrorOf(() => client.getOffers({ request }))).code).toBe('ERR_TARGET_NETWORK');
    },
  );

  const thrower = new Proxy({}, { get: (_, name) => (name === 'then' ? undefined : refuse()) });
  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a text', '{}'],
    ['an empty object', {}],
    ['a status that is no number', { status: '200' }],
    ['an object that throws', thrower],
  ])('that answers with %s is an invalid response', async (_, value) => {
    const { fetchApi, calls } = recordingFetch(() => value);
    const client = TargetClient.create(configOf(fetchApi));
    const error = await targetErrorOf(() => client.getOffers({ request }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_RESPONSE', attempts: 1 });
    expect(calls).toHaveLength(1);
  });

  const text = JSON.stringify({ status: 200, client: 'demo' });
  test.each<[string, () => unknown]>([
    ['a text', () => text],
    ['bytes', () => new TextEncoder().encode(text)],
    ['a web stream', () => new Blob([text]).stream()],
    ['an iterable of bytes', () => bytesOf(text)],
    ['an iterable of texts', () => textsOf(text)],
  ])('may answer with a body that is %s', async (_, toBody) => {
    const { fetchApi } = recordingFetch(() => ({
      status: 200,
      headers: new Headers(),
      body: toBody(),
      text: async () => text,
    }));
    const { response } = await TargetClient.create(configOf(fetchApi)).getOffers({ request });
    expect(response.client).toBe('demo');
  });

  test.each([
    ['text()', { text: async () => text }],
    ['json()', { json: async () => JSON.parse(text) }],
  ])('may answer with %s alone', async (_, methods) => {
    const { fetchApi } = recordingFetch(() => ({ status: 200, ...methods }));
    const { response } = await TargetClient.create(configOf(fetchApi)).getOffers({ request });
    expect(response.client).toBe('demo');
  });

  test('that breaks off in the body is tried again', async () => {
    const broken = () =>
      new Response(
        new ReadableStream({
          pull: (controller) => controller.error(Object.assign(new Error('gone'), { code: 'ECONNRESET' })),
        }),
      );
    const { fetchApi, calls } = recordingFetch(broken, answer());
    await TargetClient.create(configOf(fetchApi)).getOffers({ request });
    expect(calls).toHaveLength(2);
  });

  test('whose redirect is opaque has failed', async () => {
    const { fetchApi, calls } = recordingFetch(() => Response.error());
    const error = await targetErrorOf(() => TargetClient.create(configOf(fetchApi)).getOffers({ request }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_RESPONSE', status: 0 });
    expect(calls).toHaveLength(1);
  });
});

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  for (const byte of Buffer.from(text)) {
    yield Uint8Array.of(byte);
  }
}

async function* textsOf(text: string): AsyncGenerator<string> {
  yield* text;
}

describe('an error', () => {
  test('of a status holds status, body, requestId and attempts', async () => {
    const { fetchApi, calls } = recordingFetch(status(400, {}, '{"status":400,"message":"no such thing"}'));
    const error = await targetErrorOf(() => TargetClient.create(configOf(fetchApi)).getOffers({ request }));
    expect(error).toMatchObject({
      name: 'TargetError',
      message: 'the delivery call was answered with status 400',
      status: 400,
      body: '{"status":400,"message":"no such thing"}',
      attempts: 1,
      requestId: calls[0]?.init.headers['X-Request-Id'],
    });
  });

  test('holds the first kilobyte of a body, and reads no more of it', async () => {
    let pulled = 0;
    const cancelled = jest.fn<() => void>();
    const long = () =>
      new Response(
        new ReadableStream(
          {
            pull: (controller) => {
              pulled += 1;
              controller.enqueue(Buffer.alloc(1000, 'x'));
            },
            cancel: cancelled,
          },
          { highWaterMark: 0 },
        ),
        { status: 404 },
      );
    const { fetchApi } = recordingFetch(long);
    const error = await targetErrorOf(() => TargetClient.create(configOf(fetchApi)).getOffers({ request }));
    expect(error.body).toBe('x'.repeat(1024));
    expect(pulled).toBe(2);
    expect(cancelled).toHaveBeenCalledTimes(1);
  });

  test('of a status is the same when its body breaks', async () => {
    const broken = () =>
      new Response(new ReadableStream({ pull: (controller) => controller.error(new Error('gone')) }), {
        status: 404,
      });
    const { fetchApi } = recordingFetch(broken);
    const error = await targetErrorOf(() => TargetClient.create(configOf(fetchApi)).getOffers({ request }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_RESPONSE', status: 404, body: '' });
  });

  test('holds of a URL in its cause the host alone', async () => {
    const fetchApi = async (url: string) => {
      throw Object.assign(new Error(`request to ${url} failed, reason: connect`), { code: 'ECONNREFUSED' });
    };
    const client = TargetClient.create({ ...configOf(fetchApi), retry: { retries: 0 } });
    const error = await targetErrorOf(() => client.getOffers({ request, sessionId: "canary's-session" }));
    expect(error.cause).toMatchObject({
      message: 'request to https://demo.tt.omtrdc.net failed, reason: connect',
      code: 'ECONNREFUSED',
    });
  });
});

describe('an answer', () => {
  const LIMIT = 32 * 1024 * 1024;
  test.each<[string, Script]>([
    ['HTML', answer('<!doctype html><title>Sign in</title>')],
    ['an empty body', answer('')],
    ['null', answer('null')],
    ['an array', answer('[]')],
    ['a number', answer('12')],
    ['half of its JSON', answer('{"status":200,"id":{"tn')],
    ['JSON of something else', answer({ hello: 'world' })],
    ['a list of mboxes that is none', answer({ status: 200, execute: { mboxes: {} } })],
    ['an edgeHost that is no text', answer({ status: 200, edgeHost: {} })],
    ['more than 32 MiB', answer(' '.repeat(LIMIT + 1))],
  ])('of %s is an invalid response, asked for once', async (_, script) => {
    const { fetchApi, calls } = recordingFetch(script);
    const error = await targetErrorOf(() => TargetClient.create(configOf(fetchApi)).getOffers({ request }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_RESPONSE', status: 200, attempts: 1 });
    expect(calls).toHaveLength(1);
  });

  test('of 32 MiB is read', async () => {
    const { fetchApi } = recordingFetch(answer(JSON.stringify({ status: 200 }).padEnd(LIMIT)));
    const { response } = await TargetClient.create(configOf(fetchApi)).getOffers({ request });
    expect(response.status).toBe(200);
  });

  test('of 204 has no body', async () => {
    const { fetchApi } = recordingFetch(answer('', { status: 204 }));
    const { response } = await TargetClient.create(configOf(fetchApi)).getOffers({ request });
    expect(response).toMatchObject({ status: 204, client: 'demo' });
  });
});
