import { describe, expect, jest, test } from '@jest/globals';
import type { CallOptions, DeliveryRequest, IdentifyOptions, TargetClientConfig } from '../src/index.js';
import { TargetClient } from '../src/index.js';
import { flagsArtifact } from './fixtures/flags.js';
import { answer, configOf, hang, recordingFetch, status } from './recording-fetch.js';
import { withScripts } from './scripted-cdn.js';
import { deepFreeze, listeningLogger, targetErrorOf, withEdge } from './with-edge.js';

const DELIVERIES = '/rest/v1/delivery';
const COOKIE = 'session%23s-1%2399999999999%7CPC%23known.38_0%2399999999999';
const EDGE_TNT_ID = /^[\da-f]{32}\.35_0$/;
const HALF_PAST: CallOptions = { sessionId: 's-1' };

const bench = withEdge({ artifact: flagsArtifact() });
const startWith = withScripts();

/** Clients that answer in this process; the first has no rules, and never gets any. */
const LOCAL: [string, Partial<TargetClientConfig>][] = [
  ['on-device without rules', { decisioningMethod: 'on-device' }],
  ['hybrid without rules', { decisioningMethod: 'hybrid' }],
  ['on-device', { decisioningMethod: 'on-device', artifactPayload: flagsArtifact(), pollingInterval: 0 }],
  ['hybrid', { decisioningMethod: 'hybrid', artifactPayload: flagsArtifact(), pollingInterval: 0 }],
];

describe('who an account is for', () => {
  test('is told by the client, so that nobody writes it twice', () => {
    const client = bench.connect({ decisioningMethod: 'hybrid' });
    expect(client.organizationId).toBe(bench.edge.config.organizationId);
    expect(client.decisioningMethod).toBe('hybrid');
    expect(bench.connect().decisioningMethod).toBe('server-side');
  });

  test('cannot be changed', () => {
    const client = bench.connect();
    expect(() => Object.assign(client, { organizationId: 'another@AdobeOrg' })).toThrow(TypeError);
    expect(() => Object.assign(client, { decisioningMethod: 'on-device' })).toThrow(TypeError);
  });
});

describe('a server-side client asks the edge who a visitor is', () => {
  test('with one delivery call that asks for no offers', async () => {
    const client = bench.connect();
    const { response, targetCookie, targetLocationHintCookie, ...rest } = await client.identify();
    expect(bench.edge.requestsTo(DELIVERIES)).toHaveLength(1);
    expect(bench.received().violations).toEqual([]);
    expect(Object.keys(bench.sent()).toSorted()).toEqual(['context', 'experienceCloud', 'requestId']);
    expect(response.id?.tntId).toMatch(EDGE_TNT_ID);
    expect(response.execute ?? response.prefetch).toBeUndefined();
    expect(decodeURIComponent(targetCookie.value)).toContain(`PC#${response.id?.tntId}#`);
    expect(targetLocationHintCookie).toMatchObject({ name: 'mboxEdgeCluster', value: '35' });
    expect(rest).toMatchObject({ decisioningMethod: 'server-side', status: { status: 200, message: 'OK' } });
  });

  test('and the next call is for the same visitor', async () => {
    const client = bench.connect();
    const { targetCookie, response } = await client.identify();
    const next = await client.identify({ targetCookie });
    expect(next.response.id?.tntId).toBe(response.id?.tntId);
    const [first, second] = bench.edge.requestsTo(DELIVERIES);
    expect(second?.query.sessionId).toBe(first?.query.sessionId);
    expect(second?.delivery?.id).toEqual({ tntId: response.id?.tntId });
  });

  test('with the ids, the context and the property that the caller has', async () => {
    const client = bench.connect({ propertyToken: 'p-1' });
    const request = deepFreeze<DeliveryRequest>({
      id: { thirdPartyId: 'member-7' },
      context: { channel: 'mobile', userAgent: 'an app' },
    });
    const customerIds = { crm: { id: '7', authState: 1 } } as const;
    await client.identify({ request, customerIds, visitorCookie: 'MCMID|123', ...HALF_PAST });
    expect(bench.sent()).toMatchObject({
      id: {
        thirdPartyId: 'member-7',
        marketingCloudVisitorId: '123',
        customerIds: [{ id: '7', integrationCode: 'crm', authenticatedState: 'authenticated' }],
      },
      context: { channel: 'mobile', userAgent: 'an app' },
      property: { token: 'p-1' },
    });
    expect(bench.received().query.sessionId).toBe('s-1');
  });

  test.each<[string, IdentifyOptions['request']]>([
    ['an empty one', {}],
    ['null', null as never],
    ['an id alone', { id: { thirdPartyId: 'member-7' } }],
    ['one without content', { execute: undefined, prefetch: null, notifications: [] }],
  ])('with a request that needs no context: %s', async (_, request) => {
    await bench.connect().identify({ request });
    expect(bench.received().violations).toEqual([]);
    expect(bench.sent().context).toMatchObject({ channel: 'web' });
  });

  test('and is refused by the circuit breaker, because somebody waits for the answer', async () => {
    const { fetchApi, calls } = recordingFetch(status(503));
    const circuitBreaker = { failures: 1, minTimeout: 600_000, maxTimeout: 600_000 };
    const client = TargetClient.create({ ...configOf(fetchApi), circuitBreaker, retry: { retries: 0 } });
    expect(await targetErrorOf(() => client.identify())).toMatchObject({ code: 'ERR_TARGET_RESPONSE' });
    expect(await targetErrorOf(() => client.identify())).toMatchObject({ code: 'ERR_TARGET_CIRCUIT_OPEN' });
    expect(calls).toHaveLength(1);
    expect(client.stats().circuitBreaker).toMatchObject({ state: 'open', refused: 1 });
  });

  test('leaving out a learned cluster that does not answer', async () => {
    const learned = answer({ status: 200, id: { tntId: 'a.38_0' }, edgeHost: 'mboxedge38.tt.omtrdc.net' });
    const { fetchApi, calls } = recordingFetch(learned, status(503), learned);
    const circuitBreaker = { failures: 1, minTimeout: 600_000, maxTimeout: 600_000 };
    const client = TargetClient.create({ ...configOf(fetchApi), circuitBreaker, retry: { retries: 0 } });
    await client.identify();
    await targetErrorOf(() => client.identify());
    await client.identify();
    const hosts = calls.map(({ url }) => url.host);
    expect(hosts).toEqual(['demo.tt.omtrdc.net', 'mboxedge38.tt.omtrdc.net', 'demo.tt.omtrdc.net']);
  });

  test('and repeats a call that failed for a passing reason, but not one whose session is busy', async () => {
    const retry = { minTimeout: 1, maxTimeout: 1 };
    const passing = recordingFetch(status(503), answer());
    await TargetClient.create({ ...configOf(passing.fetchApi), retry }).identify();
    expect(passing.calls).toHaveLength(2);
    const busy = recordingFetch(status(420), answer());
    const client = TargetClient.create({ ...configOf(busy.fetchApi), retry });
    expect(await targetErrorOf(() => client.identify())).toMatchObject({ status: 420, attempts: 1 });
  });

  test('within the timeout of the call, and until its signal', async () => {
    const client = TargetClient.create({ ...configOf(hang), retry: { retries: 0 } });
    expect(await targetErrorOf(() => client.identify({ timeout: 1 }))).toMatchObject({
      code: 'ERR_TARGET_TIMEOUT',
    });
    expect(await targetErrorOf(() => client.identify({ signal: AbortSignal.abort() }))).toMatchObject({
      code: 'ERR_TARGET_ABORTED',
    });
  });

  test('and counts the call as a delivery, not as a decision', async () => {
    const client = bench.connect();
    await client.identify();
    expect(client.stats()).toMatchObject({ deliveries: 1, decisions: 0, failures: 0 });
  });

  test('and measures the call for telemetry, as calls for offers', async () => {
    const client = bench.connect({ telemetryEnabled: true });
    const { request } = await client.identify();
    await client.identify();
    expect(bench.sent().telemetry?.entries).toEqual([
      expect.objectContaining({
        requestId: request.requestId,
        mode: 'edge',
        features: { decisioningMethod: 'server-side' },
      }),
    ]);
  });
});

describe.each(LOCAL)('a client that decides here answers at once: %s', (_, config) => {
  function start(more: Partial<TargetClientConfig> = {}) {
    return startWith({ ...config, ...more }, { downloads: [hang] });
  }

  test('a new visitor gets a tntId in the form of the edge, and nothing is sent', async () => {
    const { client, deliveries, places } = start();
    const result = await client.identify({ request: { context: { geo: { ipAddress: '12.21.1.40' } } } });
    const { response, request, targetCookie, targetLocationHintCookie } = result;
    expect(response).toEqual({
      status: 200,
      requestId: request.requestId,
      client: 'demo',
      id: { tntId: expect.stringMatching(EDGE_TNT_ID) },
    });
    expect(request.id).toEqual(response.id);
    expect(decodeURIComponent(targetCookie.value)).toContain(`PC#${response.id?.tntId}#`);
    expect(targetLocationHintCookie).toMatchObject({ value: '35' });
    expect(result).toMatchObject({
      decisioningMethod: 'on-device',
      meta: { decisioningMethod: 'on-device', remoteMboxes: [], remoteViews: [] },
      status: { status: 200, message: 'OK', remoteMboxes: [], remoteViews: [] },
    });
    await client.flush();
    expect([...deliveries, ...places]).toEqual([]);
    expect(client.stats()).toMatchObject({ deliveries: 0, decisions: 0 });
  });

  test('two new visitors get different ones', async () => {
    const { client } = start();
    const [first, second] = await Promise.all([client.identify(), client.identify()]);
    expect(first.response.id?.tntId).not.toBe(second.response.id?.tntId);
    expect(first.targetCookie.value).not.toBe(second.targetCookie.value);
  });

  test('without a location hint it is a bare id, as that of a decision', async () => {
    const { client } = start({ targetLocationHint: undefined });
    const { response, targetLocationHintCookie } = await client.identify();
    expect(response.id?.tntId).toMatch(/^[\da-f]{32}$/);
    expect(targetLocationHintCookie).toBeUndefined();
  });

  test('a known visitor keeps session and tntId', async () => {
    const { client } = start();
    const { response, targetCookie, targetLocationHintCookie } = await client.identify({
      targetCookie: COOKIE,
    });
    expect(response.id).toEqual({ tntId: 'known.38_0' });
    expect(decodeURIComponent(targetCookie.value)).toMatch(/^session#s-1#\d+\|PC#known\.38_0#\d+$/);
    expect(targetLocationHintCookie?.value).toBe('38');
  });

  test('a visitor with an ECID or another id for the allocation gets no tntId, as from a decision', async () => {
    const { client } = start();
    const { response } = await client.identify({ visitorCookie: 'MCMID|123' });
    expect(response.id).toEqual({ marketingCloudVisitorId: '123' });
    const member = await client.identify({ request: { id: { thirdPartyId: 'member-7' } } });
    expect(member.response.id).toEqual({ thirdPartyId: 'member-7' });
    const unknown = await client.identify({ customerIds: { crm: '7' } });
    expect(unknown.response.id?.tntId).toMatch(EDGE_TNT_ID);
    expect(unknown.response.id?.customerIds).toHaveLength(1);
  });

  test('until it is closed', async () => {
    const { client } = start();
    await client.close();
    expect(await targetErrorOf(() => client.identify())).toMatchObject({ code: 'ERR_TARGET_CLOSED' });
  });

  test('unless its signal is aborted', async () => {
    const { client } = start();
    const signal = AbortSignal.abort(new Error('gone'));
    const error = await targetErrorOf(() => client.identify({ signal }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_ABORTED', cause: { message: 'gone' } });
  });

  test('and asks the edge when the call says so', async () => {
    const { client, deliveries } = start();
    const { response } = await client.identify({ decisioningMethod: 'server-side' });
    expect(deliveries).toHaveLength(1);
    expect(response.id?.tntId).toBe('abc.35_0');
  });
});

test('a server-side client answers here when the call says so, because no rules are needed', async () => {
  const { fetchApi, calls } = recordingFetch();
  const client = TargetClient.create(configOf(fetchApi));
  const { response } = await client.identify({ decisioningMethod: 'on-device' });
  expect(response.id?.tntId).toMatch(/^[\da-f]{32}$/);
  expect(calls).toEqual([]);
});

test('the next decision is for the visitor who was identified', async () => {
  const { client } = startWith({ artifactPayload: flagsArtifact(), pollingInterval: 0 });
  const { targetCookie, response } = await client.identify();
  const decided = await client.getOffers({
    request: { execute: { mboxes: [{ name: 'flags' }] } },
    targetCookie,
  });
  expect(decided.response.id?.tntId).toBe(response.id?.tntId);
});

test('the answer is the caller’s to change', async () => {
  const { client } = startWith({ decisioningMethod: 'on-device' }, { downloads: [hang] });
  const customerIds = { crm: '7' };
  const first = await client.identify({ customerIds });
  const id = first.request.id?.tntId;
  Object.assign(first.response.id ?? {}, { tntId: 'changed' });
  first.response.id?.customerIds?.splice(0);
  expect(first.request.id?.tntId).toBe(id);
  expect(first.request.id?.customerIds).toHaveLength(1);
});

describe('what identify cannot send rejects, and names the field', () => {
  const withContent: [string, string, unknown][] = [
    ['execute', 'execute', { execute: { mboxes: [{ name: 'hero' }] } }],
    ['an empty execute', 'execute', { execute: {} }],
    ['prefetch', 'prefetch', { prefetch: { views: [{}] } }],
    ['notifications', 'notifications', { notifications: [{ id: '1', type: 'click', timestamp: 1 }] }],
    ['notifications that are no list', 'notifications', { notifications: {} }],
    [
      'execute of a class',
      'execute',
      new (class {
        get execute() {
          return { mboxes: [{ name: 'hero' }] };
        }
      })(),
    ],
  ];

  test.each(withContent)('%s', async (_, path, request) => {
    for (const decisioningMethod of ['server-side', 'on-device'] as const) {
      const { client, deliveries } = startWith({ decisioningMethod }, { downloads: [hang] });
      const error = await targetErrorOf(() => client.identify({ request } as IdentifyOptions));
      expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path });
      expect(error.message).toContain('identify');
      await client.identify();
      expect(deliveries).toHaveLength(decisioningMethod === 'server-side' ? 1 : 0);
    }
  });

  test.each<[string, string, unknown]>([
    ['options that are no object', 'options', 5],
    ['a request that is no object', 'request', { request: 'text' }],
    ['a list as the request', 'request', { request: [] }],
    ['a wrong id', 'id', { request: { id: 5 } }],
    ['a wrong timeout', 'timeout', { timeout: -1 }],
    ['a wrong method', 'decisioningMethod', { decisioningMethod: 'here' }],
    ['a wrong cookie', 'targetCookie', { targetCookie: 5 }],
    ['a wrong callback', 'callback', { callback: 5 }],
  ])('%s', async (_, path, options) => {
    const { client } = startWith({ decisioningMethod: 'on-device' }, { downloads: [hang] });
    const error = await targetErrorOf(() => client.identify(options as IdentifyOptions));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path });
  });

  test('a getter that throws', async () => {
    const { client } = startWith({ decisioningMethod: 'on-device' }, { downloads: [hang] });
    const request = Object.defineProperty({}, 'execute', {
      enumerable: true,
      get: () => {
        throw new Error('a secret');
      },
    });
    const error = await targetErrorOf(() => client.identify({ request }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path: 'execute' });
    expect(error.message).not.toContain('secret');
  });
});

test('callbacks take the answer and the error, as of other calls', async () => {
  const { client } = startWith({ decisioningMethod: 'on-device' }, { downloads: [hang] });
  const callback = jest.fn();
  const errCallback = jest.fn();
  const answered = await client.identify({ callback, errCallback });
  expect(callback.mock.calls).toEqual([[answered]]);
  expect(await client.identify({ timeout: -1, errCallback })).toBeUndefined();
  expect(errCallback.mock.calls).toEqual([[expect.objectContaining({ path: 'timeout' })]]);
});

test('an unknown option is warned of', async () => {
  const { lines, logger } = listeningLogger();
  await bench.connect({ logger }).identify({ requst: {} } as IdentifyOptions);
  expect(lines.warn.join()).toContain('did you mean "request"');
});
