import { inspect } from 'node:util';
import { afterAll, describe, expect, test } from '@jest/globals';
import { createVisit, fromNodeRequest } from '../src/adapters/http.js';
import type {
  GetOffersOptions,
  TargetClient,
  TargetClientConfig,
  TargetEvents,
  TelemetryEntry,
} from '../src/index.js';
import { html } from '../src/testing/edge.js';
import { accountOf, killExamples, startExpressExample } from './examples/express-server.js';
import { flagsArtifact } from './fixtures/flags.js';
import { targetErrorOf, withEdge } from './with-edge.js';

const DELIVERIES = '/rest/v1/delivery';
const FAR = Math.floor(Date.now() / 1000) + 100_000;
const VISITORS = Array.from({ length: 6 }, (_, index) => `visitor${index}x`);

const bench = withEdge({
  artifact: flagsArtifact(),
  acceptToken: () => true,
  offers: { mboxes: { far: html('from far') }, pageLoad: html('</script>') },
});

afterAll(killExamples);

/** The options of a call, with the visitor's name in whatever can be the visitor's own. */
function optionsOf(visitor: string): GetOffersOptions {
  return {
    targetCookie: `session#session-${visitor}#${FAR}|PC#tnt-${visitor}.35_0#${FAR}`,
    customerIds: { crm: { id: `customer-${visitor}`, authState: 1 } },
    request: {
      requestId: `request-${visitor}`,
      id: { thirdPartyId: `third-${visitor}` },
      context: { channel: 'web', address: { url: `https://shop.example/${visitor}` } },
    },
  };
}

/** A client that measures its calls, and takes what it measured along with the next ones. */
async function connect(config: Partial<TargetClientConfig>): Promise<TargetClient> {
  const client = bench.connect({
    telemetryEnabled: true,
    targetLocationHint: '35',
    timeout: 10_000,
    ...config,
  });
  await client.ready();
  return client;
}

/** The visitors whose names are in a text. */
function namedIn(text: string): string[] {
  return VISITORS.filter((visitor) => text.includes(visitor));
}

/** The visitors whose calls the telemetry of all requests tells of. */
function toldOf(): string[] {
  const requests = bench.edge.requestsTo(DELIVERIES);
  const entries = requests.flatMap(({ delivery }) => delivery?.telemetry?.entries ?? []);
  return namedIn(entries.map(({ requestId }) => requestId).join());
}

type Ask = (client: TargetClient, options: GetOffersOptions) => Promise<unknown>;

const offersOf =
  (wanted: object): Ask =>
  (client, options) =>
    client.getOffers({ ...options, request: { ...options.request, ...wanted } });

const click = { type: 'click', timestamp: 1, mbox: { name: 'far' }, tokens: ['t'] } as const;

const WAYS: [string, Partial<TargetClientConfig>, Ask][] = [
  ['getOffers on the edge', {}, offersOf({ execute: { mboxes: [{ name: 'far' }] } })],
  [
    'getOffers with a geo place that only rules understand',
    {},
    offersOf({
      execute: { mboxes: [{ name: 'far' }] },
      context: { channel: 'web', geo: { ipAddress: 'unknownIpAddress' } },
    }),
  ],
  [
    'getOffers of a hybrid client that asks the edge',
    { decisioningMethod: 'hybrid' },
    offersOf({ execute: { mboxes: [{ name: 'far' }] } }),
  ],
  [
    'getOffers with notifications',
    { decisioningMethod: 'hybrid' },
    (client, options) =>
      client.getOffers({
        ...options,
        request: {
          ...options.request,
          prefetch: { mboxes: [{ name: 'hero' }] },
          notifications: [{ id: 'n', ...click }],
        },
      }),
  ],
  [
    'getAttributes',
    {},
    async (client, options) => (await client.getAttributes(['far'], options as object)).getResponse(),
  ],
  [
    'sendNotifications',
    {},
    (client, options) =>
      client.sendNotifications({
        ...options,
        request: { ...options.request, notifications: [{ id: 'n', ...click }] },
      }),
  ],
];

describe('an answer', () => {
  test.each(WAYS)('names nobody but its visitor, by %s', async (_, config, ask) => {
    const client = await connect(config);
    for (const visitor of VISITORS) {
      const answer = await ask(client, optionsOf(visitor));
      expect(namedIn(JSON.stringify(answer))).toEqual([visitor]);
      expect(answer).not.toHaveProperty('request.telemetry');
    }
    await client.close();
    expect(toldOf()).toEqual(VISITORS);
  });

  test('names nobody but its visitor, decided on-device', async () => {
    const client = await connect({ decisioningMethod: 'on-device' });
    const ask = offersOf({ execute: { mboxes: [{ name: 'hero' }] } });
    for (const visitor of VISITORS) {
      expect(namedIn(JSON.stringify(await ask(client, optionsOf(visitor))))).toEqual([visitor]);
    }
    await client.close();
    expect(toldOf()).toEqual(VISITORS);
  });

  test('names nobody but its visitor where a call before it failed, and telemetry goes with the next', async () => {
    const client = await connect({ retry: { retries: 0 } });
    const ask = offersOf({ execute: { mboxes: [{ name: 'far' }] } });
    for (const visitor of VISITORS) {
      bench.edge.fault({ kind: 'status', status: 503 }, { times: 1 });
      await ask(client, optionsOf(visitor)).catch(() => undefined);
      expect(namedIn(JSON.stringify(await ask(client, optionsOf(visitor))))).toEqual([visitor]);
    }
    await client.close();
    expect(toldOf()).toEqual(VISITORS);
  });

  test("has the caller's own telemetry, which is sent before the client's", async () => {
    const client = await connect({});
    const ask = offersOf({ execute: { mboxes: [{ name: 'far' }] } });
    await ask(client, optionsOf('first'));
    const own: TelemetryEntry = { requestId: 'own', timestamp: 1, execution: 2 };
    const { request } = await client.getOffers({
      request: { execute: { mboxes: [{ name: 'far' }] }, telemetry: { entries: [own] } },
    });
    expect(request.telemetry).toEqual({ entries: [own] });
    const sent = bench.sent().telemetry?.entries?.map(({ requestId }) => requestId);
    expect(sent).toEqual(['own', 'request-first']);
    expect(bench.received().rawBody.split('"telemetry"')).toHaveLength(2);
  });
});

describe('a page', () => {
  test('with the script for at.js names nobody but its visitor', async () => {
    const client = await connect({});
    for (const visitor of VISITORS) {
      const cookie = `mbox=${encodeURIComponent(String(optionsOf(visitor).targetCookie))}`;
      const incoming = fromNodeRequest({
        method: 'GET',
        url: '/',
        headers: { host: 'shop.example', cookie },
      });
      const visit = createVisit(client, incoming);
      await visit.getOffers({ request: { execute: { pageLoad: {} }, prefetch: { views: [{}] } } });
      const page = visit.handOver().script();
      expect(page).toContain('serverState');
      expect(namedIn(page)).toEqual([visitor]);
      const others = bench.edge.requests.slice(0, -1).map(({ delivery }) => String(delivery?.requestId));
      expect(others.filter((requestId) => page.includes(requestId))).toEqual([]);
      expect(page.match(/<\/script>/g)).toHaveLength(1);
    }
    expect(bench.sent().telemetry?.entries).toHaveLength(1);
  });

  test('of the Express example names nobody but its visitor', async () => {
    const server = await startExpressExample(accountOf(bench.edge));
    try {
      for (const visitor of VISITORS) {
        const { targetCookie } = optionsOf(visitor);
        const headers = { Cookie: `mbox=${encodeURIComponent(String(targetCookie))}` };
        const answer = await fetch(server.url, { headers });
        expect(namedIn((await answer.text()) + JSON.stringify([...answer.headers]))).toEqual([visitor]);
      }
    } finally {
      await server.stop();
    }
    expect(server.errors()).toBe('');
  });
});

describe('an error', () => {
  /** The edge's answer to one visitor, with what tells who that is. */
  const answerTo = (visitor: string) => ({
    kind: 'status' as const,
    status: 503,
    body: JSON.stringify({ status: 503, requestId: `request-${visitor}`, id: { tntId: `tnt-${visitor}` } }),
  });
  const heldIn = (error: unknown) => namedIn(inspect(fieldsOf(error), { depth: 20 }));

  test('of a call that the circuit breaker refuses holds nothing of the calls before, nor does its event', async () => {
    const [first = '', second = ''] = VISITORS;
    const heard: unknown[] = [];
    const client = await connect({ retry: { retries: 0 } });
    client.on('circuitBreakerChanged', (event) => heard.push(event));
    const ask = offersOf({ execute: { mboxes: [{ name: 'far' }] } });
    bench.edge.fault(answerTo(first));
    const requestIds = new Set<unknown>();
    for (let call = 0; call < 5; call += 1) {
      const error = await targetErrorOf(() => ask(client, optionsOf(first)));
      expect(error.body).toContain(first);
      requestIds.add(error.requestId);
    }
    const error = await targetErrorOf(() => ask(client, optionsOf(second)));
    expect(error).toMatchObject({ code: 'ERR_TARGET_CIRCUIT_OPEN', cause: { status: 503 } });
    expect(heard).toHaveLength(1);
    for (const told of [error, ...heard]) {
      expect(heldIn(told)).toEqual([]);
      const shown = inspect(fieldsOf(told), { depth: 20 });
      expect([...requestIds].filter((id) => shown.includes(String(id)))).toEqual([]);
    }
  });

  test('of a notification that is dropped holds nothing of those that failed before', async () => {
    const [first = '', second = ''] = VISITORS;
    const heard: TargetEvents['sendNotificationError'][] = [];
    const client = await connect({ decisioningMethod: 'on-device', telemetryEnabled: false });
    client.on('sendNotificationError', (event) => heard.push(event));
    const ask = offersOf({ execute: { mboxes: [{ name: 'hero' }] } });
    bench.edge.fault(answerTo(first), { where: DELIVERIES, times: 1 });
    bench.edge.fault({ kind: 'hang' }, { where: DELIVERIES });
    await ask(client, optionsOf(first));
    while (client.stats().failures === 0) {
      await new Promise(setImmediate);
    }
    await ask(client, optionsOf(second));
    await client.close({ timeout: 50 });
    expect(heard).toHaveLength(2);
    expect(heard.map(({ error }) => error.code)).toEqual(['ERR_TARGET_CLOSED', 'ERR_TARGET_CLOSED']);
    const answered = bench.edge
      .requestsTo(DELIVERIES)
      .map(({ headers }) => headers['x-request-id'] ?? 'none');
    expect(answered.length).toBeGreaterThan(0);
    for (const { error } of heard) {
      expect(heldIn(error)).toEqual([]);
      const shown = JSON.stringify(fieldsOf(error));
      for (const requestId of answered) {
        expect(shown).not.toContain(requestId);
      }
    }
  });
});

/** Everything that hangs on a value, hidden or not, as plain data. */
function fieldsOf(value: unknown, above: readonly unknown[] = []): unknown {
  if (typeof value !== 'object' || value === null || above.includes(value)) {
    return value;
  }
  const names = Reflect.ownKeys(value);
  return names.map((name) => [name, fieldsOf(Reflect.get(value, name), [...above, value])]);
}
