import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type { DeliveryRequest, Notification, TargetClient, TargetClientConfig } from '../src/index.js';
import { type Fault, html } from '../src/testing/edge.js';
import { flagsArtifact, HERO } from './fixtures/flags.js';
import { answer, hang, REQUEST, type RecordedCall, refuse, type Script, status } from './recording-fetch.js';
import { confirm, fakeTimers, held, pass, settle, withScripts } from './scripted-cdn.js';
import { listeningLogger, targetErrorOf, withEdge } from './with-edge.js';

const FAR: DeliveryRequest = { execute: { mboxes: [{ name: 'far' }] } };
const CLICK: Notification = {
  id: 'click-1',
  type: 'click',
  timestamp: 1,
  mbox: { name: 'hero' },
  tokens: ['t'],
};
const DELIVERIES = '/rest/v1/delivery';

/** So that no try is due while a busy machine is at a test. */
const SHUT = { minTimeout: 600_000, maxTimeout: 600_000 };

const bench = withEdge({ artifact: flagsArtifact(), offers: { mboxes: { far: html('from far') } } });
const startWith = withScripts();

const METHODS: [string, Partial<TargetClientConfig>][] = [
  ['server-side', { decisioningMethod: 'server-side' }],
  [
    'hybrid',
    {
      decisioningMethod: 'hybrid',
      targetLocationHint: '35',
      artifactPayload: flagsArtifact(),
      pollingInterval: 0,
    },
  ],
];

/** A server-side client whose edge is a script, and which repeats nothing. */
function start(script: Script, config: Partial<TargetClientConfig> = {}) {
  const server = { decisioningMethod: 'server-side' as const, retry: { retries: 0 } };
  return startWith({ ...server, ...config }, { deliveries: [script] });
}

/** An edge that can be down. */
function switched(down: Script = status(503), up: Script = confirm): { isDown: boolean; script: Script } {
  const edge = { isDown: true, script: (call: RecordedCall) => (edge.isDown ? down : up)(call) };
  return edge;
}

const call = (client: TargetClient, more: object = {}) => client.getOffers({ request: FAR, ...more });

async function fail(client: TargetClient, times: number, more: object = {}): Promise<string[]> {
  const codes: string[] = [];
  for (let time = 0; time < times; time += 1) {
    codes.push((await targetErrorOf(() => call(client, more))).code);
  }
  return codes;
}

/** Keeps the event loop from everything else. */
function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end) {}
}

const stateOf = (client: TargetClient) => client.stats().circuitBreaker.state;
const waitOf = (client: TargetClient) => client.stats().circuitBreaker.hosts[0]?.retryInMs ?? -1;

describe.each(METHODS)('the circuit breaker of a %s client', (_, method) => {
  const connect = (config: Partial<TargetClientConfig> = {}) =>
    bench.connect({ ...method, timeout: 10_000, retry: { retries: 0 }, circuitBreaker: SHUT, ...config });

  test.each<[string, Fault, string]>([
    ['500', { kind: 'status', status: 500 }, 'was answered with status 500'],
    ['503', { kind: 'status', status: 503 }, 'was answered with status 503'],
    ['429', { kind: 'status', status: 429 }, 'was answered with status 429'],
    ['a redirect', { kind: 'status', status: 302 }, 'was answered with status 302'],
    ['a reset', { kind: 'reset' }, 'failed: ECONNRESET'],
    ['half a body', { kind: 'truncate' }, 'broke off in the body'],
    ['HTML', { kind: 'body', body: '<html>' }, 'a body that is not JSON'],
  ])('opens behind five failures in a row, and closes with the next answer: %s', async (_, fault, result) => {
    const client = connect({ circuitBreaker: { minTimeout: 1, maxTimeout: 1 } });
    bench.edge.fault(fault);
    expect(await fail(client, 5)).not.toContain('ERR_TARGET_CIRCUIT_OPEN');
    expect(stateOf(client)).toBe('open');
    bench.edge.clearFaults();
    let answered: unknown;
    while (!answered) {
      answered = await call(client).catch((error) => {
        expect(error.code).toBe('ERR_TARGET_CIRCUIT_OPEN');
        expect(error.cause.message).toContain(result);
      });
    }
    expect(answered).toMatchObject({ response: { execute: { mboxes: [{ name: 'far' }] } } });
    expect(client.stats().circuitBreaker).toMatchObject({ state: 'closed', hosts: [] });
    expect(bench.edge.requestsTo(DELIVERIES)).toHaveLength(6);
  });

  test('opens behind timeouts, and then costs no time', async () => {
    const client = connect({ timeout: 100 });
    bench.edge.fault({ kind: 'hang' });
    // A machine that is busy may have to call more than five times.
    while (stateOf(client) === 'closed') {
      expect(await fail(client, 1)).toEqual(['ERR_TARGET_TIMEOUT']);
    }
    const error = await targetErrorOf(() => call(client, { timeout: 2 ** 30 }));
    expect(error).toMatchObject({
      code: 'ERR_TARGET_CIRCUIT_OPEN',
      attempts: 0,
      cause: { code: 'ERR_TARGET_TIMEOUT' },
    });
    expect(error.message).toMatch(
      /^the delivery call was not sent: the circuit breaker of \S+ is open: the delivery call did not end within 100 ms/,
    );
  });

  test('opens behind calls that waited longer than the client itself would have', async () => {
    const client = connect({ timeout: 20 });
    bench.edge.fault({ kind: 'hang' });
    while (stateOf(client) === 'closed') {
      await fail(client, 1, { timeout: 100 });
    }
    expect(client.stats().circuitBreaker.hosts).toMatchObject([{ state: 'open', failures: 5 }]);
  });

  test.each<[string, number, () => object, string]>([
    ['a short timeout of their own', 10_000, () => ({ timeout: 5 }), 'ERR_TARGET_TIMEOUT'],
    ['a timeout just below the client’s', 100, () => ({ timeout: 99 }), 'ERR_TARGET_TIMEOUT'],
    ['a signal that does not wait', 10_000, () => ({ signal: AbortSignal.timeout(5) }), 'ERR_TARGET_ABORTED'],
  ])('does not mind calls with %s', async (_, timeout, more, code) => {
    const client = connect({ timeout });
    const fault = bench.edge.fault({ kind: 'hang' });
    const calls = Array.from({ length: 8 }, () => targetErrorOf(() => call(client, more())));
    expect((await Promise.all(calls)).map((error) => error.code)).toEqual(Array(8).fill(code));
    expect(client.stats().circuitBreaker).toEqual({ state: 'closed', refused: 0, hosts: [] });
    fault.clear();
    await call(client, { timeout: 10_000 });
  });

  test.each([
    ['past their deadline', 100, 400],
    ['for most of their time', 400, 300],
  ])('does not mind calls that this process was too busy for: %s', async (_, timeout, busyMs) => {
    const client = connect({ timeout });
    const fault = bench.edge.fault({ kind: 'hang' });
    const calls = Array.from({ length: 8 }, () => targetErrorOf(() => call(client)));
    await new Promise(setImmediate);
    block(busyMs);
    expect((await Promise.all(calls)).map(({ code }) => code)).toEqual(Array(8).fill('ERR_TARGET_TIMEOUT'));
    expect(client.stats().circuitBreaker).toEqual({ state: 'closed', refused: 0, hosts: [] });
    fault.clear();
    await call(client, { timeout: 10_000 });
  });

  test('opens when nobody is there', async () => {
    const client = connect({ serverDomain: '127.0.0.1:1' });
    expect(await fail(client, 6)).toEqual([
      ...Array(5).fill('ERR_TARGET_NETWORK'),
      'ERR_TARGET_CIRCUIT_OPEN',
    ]);
  });

  test.each([400, 401, 403, 404, 413, 420, 422])(
    'does not mind the caller’s own mistakes: %d',
    async (status) => {
      const client = connect();
      bench.edge.fault({ kind: 'status', status });
      expect(await fail(client, 12)).toEqual(Array(12).fill('ERR_TARGET_RESPONSE'));
      expect(client.stats().circuitBreaker).toEqual({ state: 'closed', refused: 0, hosts: [] });
    },
  );

  test('does not mind calls that are aborted or wrong', async () => {
    const client = connect();
    bench.edge.fault({ kind: 'hang' });
    const codes: string[] = [];
    for (let time = 0; time < 8; time += 1) {
      const controller = new AbortController();
      const ended = targetErrorOf(() => call(client, { signal: controller.signal }));
      await bench.edge.waitForRequests(time + 1, { where: DELIVERIES });
      controller.abort();
      codes.push((await ended).code);
    }
    expect(new Set(codes)).toEqual(new Set(['ERR_TARGET_ABORTED']));
    for (let time = 0; time < 8; time += 1) {
      await targetErrorOf(() => client.getOffers({ request: { execute: {} } }));
    }
    expect(client.stats().circuitBreaker.hosts).toEqual([]);
  });

  test('counts only what fails in a row, and calls rather than their repetitions', async () => {
    const client = connect({ retry: { retries: 2, minTimeout: 0 } });
    const fault: Fault = { kind: 'status', status: 500 };
    for (let round = 0; round < 3; round += 1) {
      const on = bench.edge.fault(fault);
      await fail(client, 4);
      on.clear();
      await call(client);
    }
    expect(stateOf(client)).toBe('closed');
    expect(bench.edge.requestsTo(DELIVERIES)).toHaveLength(3 * (4 * 3 + 1));
  });

  test('is off when it is told so', async () => {
    const client = connect({ circuitBreaker: false });
    bench.edge.fault({ kind: 'status', status: 503 });
    await fail(client, 20);
    expect(bench.edge.requestsTo(DELIVERIES)).toHaveLength(20);
    expect(client.stats().circuitBreaker).toEqual({ state: 'off', refused: 0, hosts: [] });
  });

  test('opens as early as it is told to', async () => {
    const client = connect({ circuitBreaker: { ...SHUT, failures: 1 } });
    bench.edge.fault({ kind: 'reset' });
    expect(await fail(client, 2)).toEqual(['ERR_TARGET_NETWORK', 'ERR_TARGET_CIRCUIT_OPEN']);
  });

  test('is of one client alone', async () => {
    const [one, other] = [connect(), connect()];
    const fault = bench.edge.fault({ kind: 'reset' });
    await fail(one, 6);
    fault.clear();
    expect([stateOf(one), stateOf(other)]).toEqual(['open', 'closed']);
    await call(other);
  });

  test('lets notifications through, and learns nothing from them', async () => {
    const client = connect();
    const fault = bench.edge.fault({ kind: 'reset' });
    const report = () => client.sendNotifications({ request: { notifications: [CLICK] } });
    for (let time = 0; time < 8; time += 1) {
      expect((await targetErrorOf(report)).code).toBe('ERR_TARGET_NETWORK');
    }
    expect(client.stats().circuitBreaker.hosts).toEqual([]);
    await fail(client, 5);
    expect((await targetErrorOf(report)).code).toBe('ERR_TARGET_NETWORK');
    fault.clear();
    await report();
    expect(bench.sent().notifications).toEqual([CLICK]);
    expect(stateOf(client)).toBe('open');
  });

  test('refuses a call for offers that takes notifications along', async () => {
    const client = connect();
    bench.edge.fault({ kind: 'reset' });
    await fail(client, 5);
    const error = await targetErrorOf(() =>
      client.getOffers({ request: { ...FAR, notifications: [CLICK] } }),
    );
    expect(error.code).toBe('ERR_TARGET_CIRCUIT_OPEN');
  });

  test('refuses attributes as well, and tells an errCallback', async () => {
    const client = connect();
    bench.edge.fault({ kind: 'reset' });
    await fail(client, 5);
    const errCallback = jest.fn<(error: Error) => void>();
    expect(await client.getAttributes(['far'], { errCallback })).toBeUndefined();
    expect(errCallback.mock.calls[0]?.[0]).toMatchObject({ code: 'ERR_TARGET_CIRCUIT_OPEN' });
  });
});

describe('what is decided here', () => {
  const [, config = {}] = METHODS[1] ?? [];

  test('goes on with the circuit breaker open, and its notifications arrive', async () => {
    const client = bench.connect({ ...config, retry: { retries: 0 }, circuitBreaker: SHUT });
    const fault = bench.edge.fault({ kind: 'reset' });
    await fail(client, 6);
    fault.clear();
    bench.edge.clearRequests();
    for (const decisioningMethod of ['hybrid', 'on-device'] as const) {
      const { response } = await client.getOffers({ request: HERO, decisioningMethod });
      expect(response.execute?.mboxes?.[0]?.options?.[0]?.content).toBe('first');
    }
    await client.flush();
    expect(client.stats()).toMatchObject({
      notifications: { accepted: 2, delivered: 2 },
      circuitBreaker: { state: 'open' },
    });
  });

  test('never opens it, whatever becomes of its notifications', async () => {
    const { client } = startWith(
      { ...config, retry: { retries: 0 } },
      { deliveries: [...Array(20).fill(status(400)), confirm] },
    );
    for (let time = 0; time < 20; time += 1) {
      await client.getOffers({ request: HERO });
    }
    await client.flush();
    expect(client.stats()).toMatchObject({ notifications: { failed: 20 }, circuitBreaker: { hosts: [] } });
  });
});

describe('an open circuit breaker', () => {
  test('lets one call try when its wait is over, and refuses the others', async () => {
    fakeTimers();
    const { script, release } = held(confirm);
    const edge = switched(status(503), script);
    const { client, deliveries, heard } = start(edge.script);
    await fail(client, 6);
    expect(deliveries).toHaveLength(5);
    await pass(1000);
    edge.isDown = false;
    const trying = call(client);
    expect(await fail(client, 20)).toEqual(Array(20).fill('ERR_TARGET_CIRCUIT_OPEN'));
    expect(deliveries).toHaveLength(6);
    expect(stateOf(client)).toBe('half-open');
    release();
    await trying;
    const all = Promise.all(Array.from({ length: 20 }, () => call(client)));
    await settle();
    release();
    await all;
    expect(deliveries).toHaveLength(26);
    expect(heard.circuitBreakerChanged.map(({ state }) => state)).toEqual(['open', 'half-open', 'closed']);
    expect(client.stats().circuitBreaker).toEqual({ state: 'closed', refused: 21, hosts: [] });
  });

  test.each([
    ['shortest', 0, 0.75],
    ['longest', 1 - Number.EPSILON, 1],
  ])('waits longer with each try that fails, up to half a minute: the %s jitter', async (_, random, part) => {
    fakeTimers();
    jest.spyOn(Math, 'random').mockReturnValue(random);
    const edge = switched();
    const { client, deliveries } = start(edge.script);
    await fail(client, 5);
    const waits: number[] = [];
    for (let tries = 1; tries <= 8; tries += 1) {
      const waitMs = waitOf(client);
      waits.push(waitMs);
      await pass(waitMs - 1);
      expect(await fail(client, 1)).toEqual(['ERR_TARGET_CIRCUIT_OPEN']);
      await pass(1);
      expect(await fail(client, 2)).toEqual(['ERR_TARGET_RESPONSE', 'ERR_TARGET_CIRCUIT_OPEN']);
      expect(deliveries).toHaveLength(5 + tries);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 30, 30, 30].map((seconds) => seconds * 1000 * part));
  });

  test('begins with the shortest wait again when it was closed', async () => {
    fakeTimers();
    jest.spyOn(Math, 'random').mockReturnValue(0);
    const edge = switched();
    const { client } = start(edge.script, {
      circuitBreaker: { failures: 2, minTimeout: 400, maxTimeout: 800 },
    });
    await fail(client, 2);
    expect(waitOf(client)).toBe(300);
    await pass(300);
    await fail(client, 1);
    expect(waitOf(client)).toBe(600);
    await pass(600);
    edge.isDown = false;
    await call(client);
    edge.isDown = true;
    await fail(client, 2);
    expect(waitOf(client)).toBe(300);
  });

  test.each<[string, string, number, number]>([
    ['as long as it is asked to', '20', 20_000, 22_000],
    ['but a minute at most', '86400', 60_000, 66_000],
    ['and its own wait where that is longer', '0', 750, 1000],
  ])('waits %s', async (_, retryAfter, least, most) => {
    fakeTimers();
    const { client } = start(status(503, { 'Retry-After': retryAfter }));
    await fail(client, 5);
    expect(waitOf(client)).toBeGreaterThanOrEqual(least);
    expect(waitOf(client)).toBeLessThanOrEqual(most);
  });

  test('lets the next call try when the one that tried was aborted', async () => {
    fakeTimers();
    const edge = switched(status(503), hang);
    const { client, deliveries } = start(edge.script);
    await fail(client, 5);
    await pass(1000);
    edge.isDown = false;
    const controller = new AbortController();
    const trying = targetErrorOf(() => call(client, { signal: controller.signal }));
    await fail(client, 1);
    controller.abort();
    expect((await trying).code).toBe('ERR_TARGET_ABORTED');
    edge.isDown = true;
    expect(await fail(client, 1)).toEqual(['ERR_TARGET_RESPONSE']);
    expect(deliveries).toHaveLength(7);
  });

  test('lets the next call try when the one that tried had little time of its own', async () => {
    fakeTimers();
    const edge = switched(status(503), hang);
    const { client, deliveries } = start(edge.script);
    await fail(client, 5);
    await pass(1000);
    edge.isDown = false;
    for (let time = 0; time < 3; time += 1) {
      const trying = targetErrorOf(() => call(client, { timeout: 5 }));
      expect(await fail(client, 1)).toEqual(['ERR_TARGET_CIRCUIT_OPEN']);
      await pass(5);
      expect((await trying).code).toBe('ERR_TARGET_TIMEOUT');
    }
    expect(deliveries).toHaveLength(8);
    const trying = targetErrorOf(() => call(client));
    await pass(3000);
    expect((await trying).code).toBe('ERR_TARGET_TIMEOUT');
    expect(await fail(client, 1)).toEqual(['ERR_TARGET_CIRCUIT_OPEN']);
  });

  test('does not wait for ever for the one that tries', async () => {
    fakeTimers();
    const edge = switched(status(503), hang);
    const { client, deliveries } = start(edge.script);
    await fail(client, 5);
    await pass(1000);
    edge.isDown = false;
    const trying = targetErrorOf(() => call(client, { timeout: 2 ** 30 }));
    await fail(client, 1);
    await pass(1000);
    edge.isDown = true;
    await fail(client, 1);
    expect(deliveries).toHaveLength(7);
    await client.close({ timeout: 1 });
    await pass(2 ** 30);
    expect((await trying).code).toBe('ERR_TARGET_TIMEOUT');
  });

  test('closes when the caller is blamed: somebody is there', async () => {
    fakeTimers();
    const edge = switched(refuse, status(400));
    const { client } = start(edge.script);
    await fail(client, 5);
    await pass(1000);
    edge.isDown = false;
    await fail(client, 1);
    expect(stateOf(client)).toBe('closed');
  });

  test('closes when a call from before is answered, and minds none that fails', async () => {
    fakeTimers();
    const [good, bad] = [held(confirm), held(status(500))];
    let script: Script = good.script;
    const { client } = start((received) => script(received));
    const early = call(client);
    await settle();
    script = bad.script;
    const failing = Promise.all(Array.from({ length: 9 }, () => targetErrorOf(() => call(client))));
    await settle();
    bad.release();
    await failing;
    expect(client.stats().circuitBreaker.hosts).toMatchObject([{ state: 'open', failures: 5 }]);
    good.release();
    await early;
    expect(stateOf(client)).toBe('closed');
  });

  test.each([
    ['forwards', 1e12],
    ['backwards', -1e12],
  ])('does not go by the clock of the wall: %s', async (_, jumpMs) => {
    fakeTimers();
    const edge = switched();
    const { client } = start(edge.script);
    await fail(client, 5);
    jest.setSystemTime(Date.now() + jumpMs);
    expect(waitOf(client)).toBeGreaterThan(0);
    expect(waitOf(client)).toBeLessThanOrEqual(1000);
    expect(await fail(client, 1)).toEqual(['ERR_TARGET_CIRCUIT_OPEN']);
    await pass(1000);
    edge.isDown = false;
    await call(client);
  });

  test('keeps no timer', async () => {
    fakeTimers();
    const { client } = start(status(500));
    await fail(client, 6);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('tells whom it refuses how long the host asked to be left alone', async () => {
    fakeTimers();
    const { client } = start(status(503, { 'retry-after': '7' }, 'busy'));
    await fail(client, 5);
    const { cause } = await targetErrorOf(() => call(client));
    expect(cause).toMatchObject({ code: 'ERR_TARGET_RESPONSE', status: 503, retryAfterMs: 7000 });
  });

  test('tells nobody about the visitor whose call failed last', async () => {
    const body = 'no profile of visitor-1 in session-1';
    fakeTimers();
    const { client } = start(status(500, {}, body));
    const more = { targetCookie: 'session#session-1#4102444800|PC#visitor-1.35_0#4102444800' };
    await fail(client, 5, more);
    const error = await targetErrorOf(() => call(client));
    expect(error).toMatchObject({ cause: { code: 'ERR_TARGET_RESPONSE', status: 500, attempts: 1 } });
    expect(JSON.stringify([error, error.message, error.cause])).not.toMatch(/visitor-1|session-1|requestId/);
  });
});

describe('each cluster by itself:', () => {
  const hintOf = (hint: string | number) => ({ targetLocationHint: String(hint) });
  /** Clusters that are down, by their hosts. */
  function clusters(config: Partial<TargetClientConfig> = {}) {
    const down = new Set<string>();
    const script: Script = (received) => (down.has(received.url.host) ? refuse() : confirm(received));
    return { down, ...start(script, { targetLocationHint: undefined, ...config }) };
  }

  test('one that is down stops its own visitors alone', async () => {
    fakeTimers();
    const { client, down, deliveries } = clusters();
    down.add('mboxedge38.tt.omtrdc.net');
    expect((await fail(client, 6, hintOf(38))).at(-1)).toBe('ERR_TARGET_CIRCUIT_OPEN');
    await call(client);
    await call(client, hintOf(35));
    expect(deliveries).toHaveLength(7);
    expect(client.stats().circuitBreaker).toMatchObject({
      state: 'closed',
      hosts: [{ host: 'mboxedge38.tt.omtrdc.net', state: 'open', failures: 5 }],
    });
  });

  test('those that visitors make up are forgotten, and the one that is asked all the time is not', async () => {
    fakeTimers();
    const { lines, logger } = listeningLogger();
    const { client, deliveries } = start(refuse, { targetLocationHint: '35', logger });
    await fail(client, 5);
    for (let hint = 1000; hint < 1300; hint += 1) {
      await fail(client, 5, hintOf(hint));
      expect(await fail(client, 1)).toEqual(['ERR_TARGET_CIRCUIT_OPEN']);
    }
    expect(deliveries).toHaveLength(5 + 300 * 5);
    expect(client.stats().circuitBreaker.hosts).toHaveLength(100);
    expect(ofBreaker(lines.warn)).toHaveLength(20);
  });

  test('one that was merely learned gives way to the client’s own name, and is tried again', async () => {
    fakeTimers();
    let isDown = false;
    const edgeHost = 'mboxedge38.tt.omtrdc.net';
    const { client, deliveries } = start(
      (received) => {
        const isThere = received.url.host === edgeHost;
        return (isThere && isDown ? status(500) : answer({ status: 200, client: 'demo', edgeHost }))(
          received,
        );
      },
      { targetLocationHint: undefined },
    );
    await call(client);
    isDown = true;
    await fail(client, 5);
    for (let time = 0; time < 10; time += 1) {
      await call(client);
    }
    const hosts = deliveries.map(({ url }) => url.host);
    expect(hosts.slice(0, 6)).toEqual(['demo.tt.omtrdc.net', ...Array(5).fill(edgeHost)]);
    expect(hosts.slice(6)).toEqual(Array(10).fill('demo.tt.omtrdc.net'));
    expect(stateOf(client)).toBe('closed');
    await pass(1000);
    isDown = false;
    await call(client);
    expect(deliveries.at(-1)?.url.host).toBe(edgeHost);
  });
});

/** Besides it, the failure itself is told. */
const ofBreaker = (lines: readonly string[]) => lines.filter((line) => line.includes('circuit breaker'));

describe('a change of state', () => {
  test('is one warning and one event', async () => {
    fakeTimers();
    jest.spyOn(Math, 'random').mockReturnValue(1 - Number.EPSILON);
    const { lines, logger } = listeningLogger();
    const edge = switched();
    const { client, heard } = start(edge.script, { logger });
    await fail(client, 30);
    expect(ofBreaker(lines.warn)).toEqual([
      'AT: the circuit breaker of mboxedge35.tt.omtrdc.net is open after 5 failures, the last: the delivery call was answered with status 503; the next call goes out in 1000 ms',
    ]);
    await pass(1000);
    await fail(client, 10);
    expect(ofBreaker(lines.warn)).toHaveLength(1);
    await pass(2000);
    edge.isDown = false;
    for (let time = 0; time < 10; time += 1) {
      await call(client);
    }
    expect(ofBreaker(lines.warn).slice(1)).toEqual([
      'AT: the circuit breaker of mboxedge35.tt.omtrdc.net is closed again',
    ]);
    const type = 'circuitBreakerChanged';
    const host = 'mboxedge35.tt.omtrdc.net';
    const error = expect.objectContaining({ code: 'ERR_TARGET_RESPONSE', status: 503 });
    expect(heard.circuitBreakerChanged).toEqual([
      { type, host, state: 'open', error },
      { type, host, state: 'half-open', error },
      { type, host, state: 'open', error },
      { type, host, state: 'half-open', error },
      { type, host, state: 'closed' },
    ]);
  });

  test('comes before its call is counted as a failure', async () => {
    const seen: (string | number)[][] = [];
    const { client } = start(status(503), { circuitBreaker: { ...SHUT, failures: 2 } });
    client.on('circuitBreakerChanged', ({ state }) => seen.push([state, client.stats().failures]));
    await fail(client, 4);
    expect(seen).toEqual([['open', 1]]);
    expect(client.stats()).toMatchObject({ deliveries: 2, failures: 2, circuitBreaker: { refused: 2 } });
  });

  test('comes behind the count of the repetitions that its answer took', async () => {
    fakeTimers();
    const scripts = [status(503), status(503), confirm];
    const { client } = start((received) => (scripts.shift() ?? confirm)(received), {
      circuitBreaker: { failures: 1 },
      retry: { retries: 1, minTimeout: 0 },
    });
    const failed = targetErrorOf(() => call(client));
    await pass(0);
    expect(await failed).toMatchObject({ attempts: 2 });
    await pass(1000);
    const seen: (string | number)[][] = [];
    client.on('circuitBreakerChanged', ({ state }) => seen.push([state, client.stats().retries]));
    scripts.unshift(status(503));
    await call(client);
    expect(seen).toEqual([
      ['half-open', 1],
      ['closed', 2],
    ]);
  });

  test('can be flooded with by nobody', async () => {
    fakeTimers();
    const { lines, logger } = listeningLogger();
    const edge = switched();
    const { client, heard } = start(edge.script, { logger, circuitBreaker: { failures: 1 } });
    for (let round = 0; round < 50; round += 1) {
      edge.isDown = true;
      const failing = fail(client, 1);
      await failing;
      edge.isDown = false;
      await pass(1000);
      await call(client);
    }
    expect(heard.circuitBreakerChanged).toHaveLength(150);
    const told = ofBreaker(lines.warn).length;
    expect(told).toBeLessThanOrEqual(20);
    await pass(10 * 60_000);
    edge.isDown = true;
    await fail(client, 1);
    expect(ofBreaker(lines.warn)).toHaveLength(told + 1);
  });
});

afterEach(() => {
  jest.restoreAllMocks();
});

test('a client of no trouble has nothing to tell', async () => {
  const client = bench.connect({ circuitBreaker: true });
  await client.getOffers({ request: REQUEST });
  expect(client.stats().circuitBreaker).toEqual({ state: 'closed', refused: 0, hosts: [] });
});
