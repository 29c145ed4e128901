import dns from 'node:dns';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { TargetClient, type TargetClientConfig } from '../src/index.js';
import { flagsArtifact, HERO } from './fixtures/flags.js';
import {
  answer,
  configOf,
  DELIVERY,
  hang,
  REQUEST,
  type RecordedCall,
  recordingFetch,
  refuse,
  type Script,
} from './recording-fetch.js';
import { fakeTimers, held, pass, settle } from './scripted-cdn.js';
import { type ScriptOptions, TRANSPORTS, type Verdict, withScriptedNames } from './scripted-names.js';
import { listeningLogger, targetErrorOf, withEdge } from './with-edge.js';

const request = REQUEST;
const OWN = 'demo.tt.omtrdc.net';
const CLICK = { id: 'n1', type: 'click', timestamp: 1, mbox: { name: 'hero' } } as const;
const FAR = Math.floor(Date.now() / 1000) + 100_000;
const cookieOf = (hint: string | number) => ({ targetCookie: `PC#x.${hint}_0#${FAR}` });
const hostOf = (hint: string | number) => `mboxedge${hint}.tt.omtrdc.net`;
const HEALTHY = { state: 'closed', refused: 0, hosts: [] };

const bench = withEdge({ locationHint: '35', maxRequests: 2000, artifact: flagsArtifact() });
const clients: TargetClient[] = [];
const stops: (() => void)[] = [];
afterEach(async () => {
  jest.useRealTimers();
  for (const stop of stops.splice(0)) {
    stop();
  }
  await Promise.all(clients.splice(0).map((client) => client.close({ timeout: 1 })));
  // A client that is closed may still send something, which is none of the next test.
  bench.edge.clearRequests();
});

function create(config: TargetClientConfig): TargetClient {
  const client = TargetClient.create({ telemetryEnabled: false, ...config });
  clients.push(client);
  return client;
}

describe.each(TRANSPORTS)('a cluster that does not exist, on %s,', (_, toPort) => {
  const connect = (config: Partial<TargetClientConfig> = {}) => {
    const own = { client: 'demo', organizationId: 'DEMO@AdobeOrg', secure: false, timeout: 15_000 };
    const { config: transport, restore } = toPort(bench.edge.port);
    stops.push(restore);
    return create({ ...own, ...transport, ...config });
  };
  const scriptNames = (verdictOn: (name: string) => Verdict, script?: ScriptOptions) => {
    const names = withScriptedNames(verdictOn, script);
    stops.push(names.restore);
    return names;
  };
  const isReal = (name: string) => name === OWN || name === hostOf(35) || name === hostOf(28);

  test.each(['ENOTFOUND', 'EAI_AGAIN'] as const)('costs its visitor one look-up: %s', async (verdict) => {
    const names = scriptNames((name) => (isReal(name) ? 'there' : verdict), { absentMs: 0 });
    const { lines, logger } = listeningLogger();
    const client = connect({ logger });
    for (let call = 0; call < 3; call += 1) {
      const { response, targetLocationHintCookie } = await client.getOffers({ request, ...cookieOf(9876) });
      expect(response.status).toBe(200);
      expect(targetLocationHintCookie?.value).toBe('35');
    }
    expect(names.asked.filter((name) => name !== OWN)).toEqual([hostOf(9876)]);
    expect(bench.edge.requests.map(({ headers }) => headers.host?.split(':')[0])).toEqual(Array(3).fill(OWN));
    expect(client.stats()).toMatchObject({ deliveries: 3, retries: 0, failures: 0, circuitBreaker: HEALTHY });
    expect([...lines.warn, ...lines.error]).toEqual([]);
  });

  test.each([
    ['is not found', 'ENOTFOUND' as const],
    ['is looked up for ever', undefined],
  ])('costs nobody else anything: 100 of them, and each %s', async (_, verdict) => {
    const names = scriptNames((name) => (isReal(name) ? 'there' : verdict), { places: 2 });
    const client = connect();
    const visitors = Array.from({ length: 100 }, (_, index) =>
      client.getOffers({ request, ...cookieOf(9000 + index) }),
    );
    const ordinary = Array.from({ length: 20 }, () => client.getOffers({ request }));
    for (const { response } of await Promise.all(ordinary)) {
      expect(response.status).toBe(200);
    }
    names.release();
    for (const { response } of await Promise.all(visitors)) {
      expect(response.status).toBe(200);
    }
    expect(names.mostAbsent).toBe(1);
    expect(client.stats()).toMatchObject({ deliveries: 120, failures: 0, circuitBreaker: HEALTHY });
  });

  test('costs reports nothing', async () => {
    const names = scriptNames((name) => (isReal(name) ? 'there' : undefined));
    const client = connect();
    const sent = Array.from({ length: 20 }, (_, index) =>
      client.sendNotifications({ request: { notifications: [CLICK] }, ...cookieOf(9000 + index) }),
    );
    for (const { response } of await Promise.all(sent)) {
      expect(response.notifications).toHaveLength(1);
    }
    expect(names.mostAbsent).toBe(1);
  });

  test('holds up no display notification', async () => {
    const names = scriptNames((name) => (isReal(name) ? 'there' : undefined));
    const artifactPayload = flagsArtifact();
    const client = connect({ decisioningMethod: 'on-device', artifactPayload, pollingInterval: 0 });
    await client.ready();
    const show = (hint: string | undefined) => client.getOffers({ request: HERO, targetLocationHint: hint });
    for (let visitor = 0; visitor < 100; visitor += 1) {
      await show(`${9000 + visitor}`);
    }
    for (let visitor = 0; visitor < 1000; visitor += 1) {
      await show(undefined);
    }
    const { delivered, failed, dropped } = await client.flush({ timeout: 60_000 });
    expect({ delivered, failed, dropped }).toEqual({ delivered: 1100, failed: 0, dropped: 0 });
    expect(names.mostAbsent).toBe(1);
    const hosts = new Set(bench.edge.requests.map(({ headers }) => headers.host?.split(':')[0]));
    expect([...hosts].filter((host) => host?.startsWith('mboxedge9'))).toEqual([]);
  });

  test('is looked up once for all who name it', async () => {
    const names = scriptNames((name) => (isReal(name) ? 'there' : 'ENOTFOUND'));
    const client = connect();
    const calls = Array.from({ length: 10 }, () => client.getOffers({ request, ...cookieOf(9876) }));
    await settle();
    names.release();
    await Promise.all(calls);
    expect(names.asked.filter((name) => name !== OWN)).toEqual([hostOf(9876)]);
  });

  test('does not keep a call that is aborted', async () => {
    scriptNames(() => undefined);
    const controller = new AbortController();
    const { signal } = controller;
    const call = targetErrorOf(() => connect().getOffers({ request, signal, ...cookieOf(9876) }));
    await settle();
    controller.abort();
    expect((await call).code).toBe('ERR_TARGET_ABORTED');
  });

  test('is not taken for one that does', async () => {
    scriptNames((name) => (isReal(name) ? 'there' : 'ENOTFOUND'), { absentMs: 0 });
    const client = connect();
    for (const hint of [28, 9876, 28, 28]) {
      await client.getOffers({ request, ...cookieOf(hint) });
    }
    expect(bench.edge.requests.map(({ headers }) => headers.host?.split(':')[0])).toEqual([
      hostOf(28),
      OWN,
      hostOf(28),
      hostOf(28),
    ]);
  });
});

describe('the time of a look-up', () => {
  test('is taken off the time of its call', async () => {
    fakeTimers();
    const found: (() => void)[] = [];
    const lookUp = (_: string, done: (error: null, address: string) => void) =>
      void found.push(() => done(null, '127.0.0.1'));
    const { lookup } = dns;
    stops.push(() => {
      dns.lookup = lookup;
    });
    dns.lookup = lookUp as typeof dns.lookup;
    const { fetchApi, calls } = recordingFetch(hang);
    const client = create({
      ...configOf(Object.assign(fetchApi, { connectsDirectly: true })),
      timeout: 1000,
    });
    let hasEnded = false;
    const call = targetErrorOf(() => client.getOffers({ request, ...cookieOf(28) })).finally(() => {
      hasEnded = true;
    });
    await pass(200);
    expect([found.length, calls.length]).toEqual([1, 0]);
    for (const answerLookUp of found) {
      answerLookUp();
    }
    await pass(799);
    expect(calls.map(({ url }) => url.host)).toEqual([hostOf(28)]);
    expect(hasEnded).toBe(false);
    await pass(1);
    expect(hasEnded).toBe(true);
    expect((await call).code).toBe('ERR_TARGET_TIMEOUT');
  });
});

/** How fetches say that a name has no address. */
const FAILURES: [string, () => Error][] = [
  [
    'node-fetch',
    () => Object.assign(new Error('request to … failed'), { code: 'ENOTFOUND', type: 'system' }),
  ],
  ['the global fetch', () => new TypeError('fetch failed', { cause: { code: 'ENOTFOUND' } })],
  ['a busy resolver', () => new TypeError('fetch failed', { cause: { code: 'EAI_AGAIN' } })],
  ['wrappers', () => new Error('a', { cause: new Error('b', { cause: { code: 'ENOTFOUND' } }) })],
];

describe('with a fetch of the caller’s, a cluster that does not exist', () => {
  beforeEach(fakeTimers);

  function start(cluster: Script, config: Partial<TargetClientConfig> = {}, own: Script = answer()) {
    const script = (call: RecordedCall) => (call.url.host === OWN ? own : cluster)(call);
    const { fetchApi, calls } = recordingFetch(script);
    const client = create({ ...configOf(fetchApi), ...config });
    return { client, calls, hosts: () => calls.splice(0).map(({ url }) => url.host) };
  }
  const fail = (failure: () => Error) => () => Promise.reject(failure());
  const lost = fail(() => Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }));

  test.each(FAILURES)('is asked once in five minutes: %s', async (_, failure) => {
    const { lines, logger } = listeningLogger();
    const { client, hosts } = start(fail(failure), { logger });
    await client.getOffers({ request, ...cookieOf(9876) });
    expect(hosts()).toEqual([hostOf(9876), OWN]);
    await client.getOffers({ request, ...cookieOf(9876) });
    await client.getAttributes(['flags'], { targetLocationHint: '9876' });
    await pass(299_000);
    await client.sendNotifications({ request: { notifications: [CLICK] }, targetLocationHint: '9876' });
    expect(hosts()).toEqual([OWN, OWN, OWN]);
    await pass(1000);
    await client.getOffers({ request, ...cookieOf(9876) });
    expect(hosts()).toEqual([hostOf(9876), OWN]);
    expect(client.stats()).toMatchObject({ deliveries: 5, retries: 0, failures: 0, circuitBreaker: HEALTHY });
    expect([...lines.warn, ...lines.error]).toEqual([]);
  });

  test('is one of two that are asked at a time, whoever comes', async () => {
    let [underWay, most] = [0, 0];
    const { client, calls } = start(async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setTimeout(resolve, 30));
      underWay -= 1;
      return lost();
    });
    const all = Array.from({ length: 1000 }, (_, index) => client.getOffers({ request, ...cookieOf(index) }));
    await pass(30);
    await Promise.all(all);
    expect(most).toBeLessThanOrEqual(2);
    expect(calls.filter(({ url }) => url.host === OWN)).toHaveLength(1000);
  });

  test('does not lengthen the call', async () => {
    const { client } = start(
      () => new Promise((_, reject) => setTimeout(() => lost().catch(reject), 2000)),
      { timeout: 3000 },
      hang,
    );
    const call = targetErrorOf(() => client.getOffers({ request, ...cookieOf(9876) }));
    let hasEnded = false;
    void call.then(() => {
      hasEnded = true;
    });
    await pass(2999);
    expect(hasEnded).toBe(false);
    await pass(1);
    expect((await call).code).toBe('ERR_TARGET_TIMEOUT');
    expect(jest.getTimerCount()).toBe(0);
  });

  test('leaves the client’s own hint alone, and goes by it', async () => {
    const own = answer({ ...DELIVERY, edgeHost: hostOf(41) });
    const { client, hosts } = start(lost, {}, own);
    const { targetLocationHintCookie } = await client.getOffers({ request, ...cookieOf(9876) });
    expect(targetLocationHintCookie?.value).toBe('41');
    await client.getOffers({ request, ...cookieOf(9876) });
    expect(hosts()).toEqual([hostOf(9876), OWN, OWN]);
    const configured = start(
      ({ url }) => (url.host === hostOf(34) ? new Response(JSON.stringify(DELIVERY)) : lost()),
      {
        targetLocationHint: '34',
      },
    );
    await configured.client.getOffers({ request, ...cookieOf(9876) });
    expect(configured.hosts()).toEqual([hostOf(9876), hostOf(34)]);
  });

  test('does not get past an open circuit breaker of the own host', async () => {
    const { client, hosts } = start(lost, { circuitBreaker: { failures: 1 }, retry: { retries: 0 } }, refuse);
    await targetErrorOf(() => client.getOffers({ request }));
    const error = await targetErrorOf(() => client.getOffers({ request, ...cookieOf(9876) }));
    expect(error.code).toBe('ERR_TARGET_CIRCUIT_OPEN');
    expect(hosts()).toEqual([OWN, hostOf(9876)]);
  });

  test('is none that refuses connections: that has a circuit breaker of its own', async () => {
    const { client, hosts } = start(refuse, { retry: { retries: 1, minTimeout: 0 } });
    const call = targetErrorOf(() => client.getOffers({ request, ...cookieOf(38) }));
    await pass(1);
    expect(await call).toMatchObject({ code: 'ERR_TARGET_NETWORK', attempts: 2 });
    expect(hosts()).toEqual([hostOf(38), hostOf(38)]);
    expect(client.stats().circuitBreaker.hosts).toMatchObject([{ host: hostOf(38), failures: 1 }]);
    await client.getOffers({ request });
  });

  test('is none that has answered and is not found for a moment', async () => {
    const scripts: Script[] = [answer(), fail(FAILURES[2]?.[1] ?? Error), answer(), lost];
    const { client, hosts } = start((call) => (scripts.shift() ?? answer())(call));
    for (let call = 0; call < 5; call += 1) {
      await client.getOffers({ request, ...cookieOf(28) });
    }
    expect(hosts()).toEqual([hostOf(28), hostOf(28), OWN, hostOf(28), hostOf(28), OWN, OWN]);
  });

  test('does not hold those back who wait for an answer of one that does', async () => {
    const { script, release } = held(answer());
    const { client, hosts } = start(script, { timeout: 1000 });
    const first = client.getOffers({ request, ...cookieOf(28) });
    const others = [
      client.getOffers({ request, ...cookieOf(28) }),
      client.getOffers({ request, ...cookieOf(31) }),
    ];
    await pass(250);
    await Promise.all(others);
    expect(hosts()).toEqual([hostOf(28), OWN, OWN]);
    release();
    await first;
    const later = client.getOffers({ request, ...cookieOf(28) });
    await settle();
    release();
    await later;
    expect(hosts()).toEqual([hostOf(28)]);
  });

  test('is retried as any other where the host is the caller’s own', async () => {
    const { client, hosts } = start(lost, {
      serverDomain: 'edge.example.com',
      retry: { retries: 1, minTimeout: 0 },
    });
    const call = targetErrorOf(() => client.getOffers({ request, ...cookieOf(28) }));
    await pass(1);
    expect((await call).code).toBe('ERR_TARGET_NETWORK');
    expect(hosts()).toEqual(['edge.example.com', 'edge.example.com']);
  });
});
