import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type {
  DeliveryRequest,
  FetchApi,
  Notification,
  TargetClient,
  TargetClientConfig,
} from '../src/index.js';
import { type Fault, startTargetEdge } from '../src/testing/edge.js';
import { flagsArtifact, HERO } from './fixtures/flags.js';
import { artifactOf, rule } from './fixtures/rules.js';
import { answer, DELIVERY, hang, type RecordedCall, type Script, status } from './recording-fetch.js';
import { confirm, fakeTimers, listening, next, pass, settle, withScripts } from './scripted-cdn.js';
import { withEdge } from './with-edge.js';

const DELIVERIES = '/rest/v1/delivery';
const UUID = expect.stringMatching(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
const bench = withEdge({ artifact: flagsArtifact() });
const startWith = withScripts();

afterEach(() => bench.edge.setArtifact(flagsArtifact()));

function start(config: Partial<TargetClientConfig>, ...deliveries: Script[]) {
  return startWith({ artifactPayload: flagsArtifact(), pollingInterval: 0, ...config }, { deliveries });
}

function connect(config: Partial<TargetClientConfig> = {}) {
  const { heard, events } = listening();
  const client = bench.connect({
    decisioningMethod: 'on-device',
    targetLocationHint: '35',
    artifactPayload: flagsArtifact(),
    pollingInterval: 0,
    events,
    ...config,
  });
  return { client, heard };
}

const notificationsOf = (calls: readonly RecordedCall[]) =>
  calls.flatMap(({ request }) => request.notifications ?? []);

/** Shows the hero to one visitor after the other. */
async function show(client: TargetClient, visitors: number): Promise<void> {
  for (let visitor = 0; visitor < visitors; visitor += 1) {
    await client.getOffers({ request: { ...HERO, id: { tntId: `visitor-${visitor}` } } });
  }
}

describe('what was executed is reported', () => {
  test('as it was decided, whatever is done to the request that comes with the answer', async () => {
    const { client } = connect();
    const { request } = await client.getOffers({
      request: {
        id: { tntId: 'visitor.38_0' },
        context: { channel: 'web', userAgent: 'Mozilla' },
        execute: { mboxes: [{ name: 'hero' }] },
      },
    });
    Object.assign(request.context, { userAgent: 'changed' });
    Object.assign(request.id ?? {}, { tntId: 'changed' });
    Object.assign(request.experienceCloud?.analytics ?? {}, { logging: 'changed' });
    await client.flush();
    const [received] = await bench.edge.waitForRequests(1, { where: DELIVERIES });
    expect(received?.violations).toEqual([]);
    expect(JSON.stringify(received?.delivery)).not.toContain('changed');
  });

  test.each<[string, Partial<DeliveryRequest>, string | undefined]>([
    ['nothing of the caller', {}, undefined],
    [
      'another id',
      { experienceCloud: { analytics: { supplementalDataId: '0123456789abcdef-0123456789abcdef' } } },
      undefined,
    ],
    ['a tracking server', { experienceCloud: { analytics: { trackingServer: 'a.example' } } }, undefined],
    ['Audience Manager', {}, 'MCMID|123|MCAAMLH|9|MCAAMB|blob'],
    ['an environment', { environmentId: 0 }, undefined],
  ])('for the Experience Cloud and the place of the decision: %s', async (_, more, visitorCookie) => {
    const { client } = connect();
    const { request } = await client.getOffers({ request: { ...HERO, ...more }, visitorCookie });
    await client.flush();
    const [received] = await bench.edge.waitForRequests(1, { where: DELIVERIES });
    const { id, context, experienceCloud, environmentId, property } = request;
    const reported = { requestId: UUID, id, context, experienceCloud, environmentId, property };
    expect(received?.delivery).toEqual({ ...reported, notifications: [expect.anything()] });
  });

  test.each<[string, object, object]>([
    [
      'a place that the edge would not take',
      { countryCode: 'SWITZERLAND', stateCode: 'ZURICH', city: 'ZURICH', ipAddress: 'unknownIpAddress' },
      { city: 'ZURICH' },
    ],
    ['a place that it takes', { countryCode: 'CH', stateCode: 'ZH' }, { countryCode: 'CH', stateCode: 'ZH' }],
  ])('with what the edge takes of %s', async (_, geo, sent) => {
    const { client } = connect();
    const { request } = await client.getOffers({ request: { ...HERO, context: { channel: 'web', geo } } });
    expect(request.context.geo).toEqual(geo);
    await client.flush();
    const [received] = await bench.edge.waitForRequests(1, { where: DELIVERIES });
    expect(received?.violations).toEqual([]);
    expect(received?.delivery).toMatchObject({ context: { channel: 'web', geo: sent } });
    const { context } = received?.delivery ?? {};
    expect(context?.geo).toEqual(sent);
    expect(client.stats().notifications).toMatchObject({ delivered: 1, failed: 0 });
  });

  test('in one call of the Delivery API, behind the answer', async () => {
    const { client } = connect();
    const { response } = await client.getOffers({
      sessionId: 'session-1',
      targetLocationHint: '38',
      customerIds: { crm: { id: 'c1', authState: 1 } },
      request: {
        id: { tntId: 'visitor.38_0', marketingCloudVisitorId: '12345' },
        context: { channel: 'web', userAgent: 'Mozilla', address: { url: 'https://a.example/' } },
        experienceCloud: { analytics: { logging: 'client_side' } },
        property: { token: 'p1' },
        environmentId: 7,
        execute: { mboxes: [{ name: 'hero' }, { name: 'flags' }] },
      },
    });
    expect(response).not.toHaveProperty('notifications');
    const [received] = await bench.edge.waitForRequests(1, { where: DELIVERIES });
    await client.flush();
    expect(bench.edge.requests).toHaveLength(1);
    expect(received?.query).toMatchObject({ imsOrgId: 'DEMO@AdobeOrg', sessionId: 'session-1' });
    expect(received?.violations).toEqual([]);
    const beta = response.execute?.mboxes?.[1]?.options?.[0]?.content as { beta: boolean };
    expect(received?.delivery).toEqual({
      requestId: UUID,
      id: {
        tntId: 'visitor.38_0',
        marketingCloudVisitorId: '12345',
        customerIds: [{ id: 'c1', integrationCode: 'crm', authenticatedState: 'authenticated' }],
      },
      context: { channel: 'web', userAgent: 'Mozilla', address: { url: 'https://a.example/' } },
      experienceCloud: { analytics: { logging: 'client_side', supplementalDataId: expect.any(String) } },
      property: { token: 'p1' },
      environmentId: 7,
      notifications: [
        {
          id: UUID,
          impressionId: UUID,
          timestamp: expect.any(Number),
          type: 'display',
          mbox: { name: 'hero' },
          tokens: ['token-first'],
        },
        {
          id: UUID,
          impressionId: UUID,
          timestamp: expect.any(Number),
          type: 'display',
          mbox: { name: 'flags' },
          tokens: [`token-flags-${beta.beta ? 1 : 0}`],
        },
      ],
    });
  });

  test('with the session and the visitor that the decision made up', async () => {
    const { client, deliveries } = start({ propertyToken: 'mine', environmentId: 3 });
    const { targetCookie, response } = await client.getOffers({ request: HERO });
    await client.flush();
    const [call] = deliveries;
    expect(targetCookie?.value).toContain(`session#${call?.url.searchParams.get('sessionId')}#`);
    expect(call?.request.id).toEqual(response.id);
    expect(call?.request).toMatchObject({ property: { token: 'mine' }, environmentId: 3 });
  });

  test('to the cluster of the visitor, else of the client', async () => {
    const { client, deliveries } = start({ targetLocationHint: '35' });
    await client.getOffers({ request: HERO, targetLocationHint: '38' });
    await client.getOffers({ request: HERO });
    await client.flush();
    // To two hosts, which do not wait for each other.
    expect(deliveries.map(({ url }) => url.host).sort()).toEqual([
      'mboxedge35.tt.omtrdc.net',
      'mboxedge38.tt.omtrdc.net',
    ]);
  });

  test('from a client whose own cluster has gone, and learns another', async () => {
    fakeTimers();
    const gone = 'mboxedge41.tt.omtrdc.net';
    let edgeHost = gone;
    let isGone = false;
    const deliver: Script = async (call) => {
      if (isGone && call.url.host === gone) {
        throw new Error('gone');
      }
      const confirmed = (await confirm(call)) as Response;
      return new Response(JSON.stringify({ ...((await confirmed.json()) as object), edgeHost }));
    };
    const { client, deliveries } = start({ targetLocationHint: undefined }, deliver);
    await settle();
    await client.getOffers({ request: HERO });
    await settle();
    [isGone, edgeHost] = [true, 'mboxedge42.tt.omtrdc.net'];
    await client.getOffers({ request: HERO });
    await settle();
    await pass(2000);
    await client.getOffers({ request: HERO });
    await settle();
    const hosts = deliveries.map(({ url }) => url.host);
    expect(hosts).toEqual(['demo.tt.omtrdc.net', gone, gone, 'demo.tt.omtrdc.net', edgeHost]);
    expect(client.stats().notifications).toMatchObject({ delivered: 3, queued: 0 });
  });

  test('from a visitor whose cookie makes a cluster up, and nobody waits for it', async () => {
    fakeTimers();
    const deliver: Script = (call) => {
      if (call.url.host === 'mboxedge9999.tt.omtrdc.net') {
        throw new Error('made up');
      }
      return confirm(call);
    };
    const { client, deliveries } = start({}, deliver);
    const targetCookie = 'PC#x.9999_0#9999999999';
    await client.getOffers({ request: HERO, targetCookie });
    await show(client, 5);
    await settle();
    expect(client.stats().notifications).toMatchObject({ delivered: 6, queued: 0 });
    expect(deliveries).toHaveLength(7);
  });

  test('once per token and mbox of a call', async () => {
    const { client, deliveries } = start({});
    await client.getOffers({
      request: { execute: { mboxes: [{ name: 'hero' }, { name: 'hero', index: 9 }], pageLoad: {} } },
    });
    await client.flush();
    expect(notificationsOf(deliveries).map(({ mbox, tokens }) => [mbox?.name, tokens])).toEqual([
      ['hero', ['token-first']],
      ['target-global-mbox', ['token-page first']],
    ]);
    await client.getOffers({ request: HERO });
    await client.flush();
    expect(notificationsOf(deliveries)).toHaveLength(3);
  });

  test('once per token and mbox of a call, however often the mbox is displayed', async () => {
    const plan = (name: string) => ({ '==': [{ var: 'mbox.plan' }, name] });
    const options = ['both', 'silver'].map(
      (eventToken) => ({ type: 'html', content: 'x', eventToken }) as const,
    );
    const artifactPayload = artifactOf({
      hero: [
        rule('hero', { activity: 1, when: plan('gold'), options: options.slice(0, 1) }),
        rule('hero', { activity: 2, when: plan('silver'), options }),
      ],
      other: [rule('other', { activity: 3, options })],
    });
    const { client, deliveries } = start({ artifactPayload });
    const asked = ['gold', 'silver', 'silver', 'gold', 'silver'].map((name) => ({
      name: 'hero',
      parameters: { plan: name },
    }));
    await client.getOffers({ request: { execute: { mboxes: [...asked, { name: 'other' }, ...asked] } } });
    await client.flush();
    expect(notificationsOf(deliveries).map(({ mbox, tokens }) => [mbox?.name, tokens])).toEqual([
      ['hero', ['both']],
      ['hero', ['silver']],
      ['other', ['both', 'silver']],
    ]);
  });

  test('as one impression per call', async () => {
    const { client, deliveries } = start({});
    const request = { execute: { mboxes: [{ name: 'hero' }, { name: 'flags' }], pageLoad: {} } };
    await client.getOffers({ request });
    await client.getOffers({ request });
    await client.flush();
    const impressions = deliveries.map((call) => notificationsOf([call]).map((one) => one.impressionId));
    expect(impressions.map(({ length }) => length)).toEqual([3, 3]);
    const [first, second] = impressions.map((ids) => new Set(ids));
    expect([...(first ?? [])]).toEqual([UUID]);
    expect([...(second ?? [])]).toEqual([UUID]);
    expect(new Set([...(first ?? []), ...(second ?? [])]).size).toBe(2);
    const ids = notificationsOf(deliveries).map(({ id }) => id);
    expect(new Set(ids).size).toBe(6);
  });

  test.each(['page-1', '"quoted" \\ "'])(
    'as the impression that the request names: %s',
    async (impressionId) => {
      const { client, deliveries } = start({});
      await client.getOffers({
        request: { impressionId, execute: { mboxes: [{ name: 'hero' }, { name: 'flags' }] } },
      });
      await client.flush();
      const sent = notificationsOf(deliveries).map((one) => one.impressionId);
      expect(sent).toEqual([impressionId, impressionId]);
    },
  );

  test.each([
    [50, [50]],
    [51, [50, 1]],
    [60, [50, 10]],
    [101, [50, 50, 1]],
  ])('in requests of at most 50: %i mboxes', async (count, sizes) => {
    const names = Array.from({ length: count }, (_, index) => `mbox ${index}`);
    const artifactPayload = artifactOf(Object.fromEntries(names.map((name) => [name, [rule(name)]])));
    bench.edge.setArtifact(artifactPayload);
    const { client } = connect({ artifactPayload });
    const asked = { id: { tntId: 'visitor.38_0' }, execute: { mboxes: names.map((name) => ({ name })) } };
    const { request } = await client.getOffers({ request: asked, sessionId: 'session-1' });
    await client.flush();
    const received = bench.edge.requestsTo(DELIVERIES);
    expect(received.flatMap(({ violations }) => violations)).toEqual([]);
    const sent = received
      .map(({ delivery }) => delivery?.notifications ?? [])
      .sort((a, b) => b.length - a.length);
    expect(sent.map(({ length }) => length)).toEqual(sizes);
    expect(new Set(sent.flat().map(({ mbox }) => mbox?.name))).toEqual(new Set(names));
    expect(new Set(sent.flat().map(({ id }) => id)).size).toBe(count);
    expect(new Set(sent.flat().map(({ impressionId }) => impressionId)).size).toBe(1);
    expect(new Set(received.map(({ delivery }) => delivery?.requestId)).size).toBe(sizes.length);
    for (const { query, delivery } of received) {
      expect(query.sessionId).toBe('session-1');
      expect(delivery).toMatchObject({ id: request.id, context: request.context });
    }
    expect(client.stats().notifications).toMatchObject({ accepted: count, delivered: count, failed: 0 });
  });

  test('in requests of at most 50: those that the request brings along', async () => {
    const { client } = connect();
    const notifications = Array.from({ length: 120 }, (_, index) => ({
      ...{ id: `n${index}`, type: 'click', timestamp: 1 },
      ...{ mbox: { name: 'hero' }, tokens: ['token-first'] },
    })) as Notification[];
    await client.getOffers({ request: { prefetch: { mboxes: [{ name: 'hero' }] }, notifications } });
    await client.flush();
    const received = bench.edge.requestsTo(DELIVERIES);
    const sent = received
      .map(({ delivery }) => delivery?.notifications ?? [])
      .sort((a, b) => b.length - a.length);
    expect(sent.map(({ length }) => length)).toEqual([50, 50, 20]);
    expect(new Set(sent.flat().map(({ id }) => id)).size).toBe(120);
    expect(client.stats().notifications).toMatchObject({ accepted: 120, delivered: 120 });
  });

  test('apart from the notifications that the request brings along', async () => {
    const { client } = connect();
    const seen = {
      id: 'n1',
      type: 'display',
      timestamp: 1,
      mbox: { name: 'hero' },
      tokens: ['token-first'],
    } as const;
    const { request } = await client.getOffers({ request: { ...HERO, notifications: [seen] } });
    await client.flush();
    const received = await bench.edge.waitForRequests(2, { where: DELIVERIES });
    expect(received.flatMap(({ violations }) => violations)).toEqual([]);
    const [display, own] = received.map(({ delivery }) => delivery);
    expect(display?.notifications).toMatchObject([{ type: 'display' }]);
    expect(own).toMatchObject({ id: request.id, notifications: [seen] });
    expect(client.stats().notifications).toMatchObject({ accepted: 2, delivered: 2, failed: 0 });
  });

  test('never together with another visitor', async () => {
    const { client, deliveries } = start({});
    await Promise.all(
      ['a', 'b', 'c'].map((tntId) => client.getOffers({ request: { ...HERO, id: { tntId } } })),
    );
    await client.flush();
    expect(deliveries.map(({ request }) => request.id?.tntId)).toEqual(['a', 'b', 'c']);
    expect(new Set(deliveries.map(({ url }) => url.searchParams.get('sessionId'))).size).toBe(3);
  });

  test('with attributes as well', async () => {
    const { client, deliveries } = start({});
    await client.getAttributes(['flags']);
    await client.flush();
    expect(notificationsOf(deliveries).map(({ mbox }) => mbox?.name)).toEqual(['flags']);
  });

  test('without delaying the answer, whatever the edge does', async () => {
    const { client } = start({}, hang);
    const { response } = await client.getOffers({ request: HERO });
    expect(response.status).toBe(200);
  });

  test('and cannot be changed by the caller of the decision', async () => {
    const { client, deliveries } = start({});
    const { response } = await client.getOffers({ request: { ...HERO, id: { tntId: 'mine' } } });
    Object.assign(response.id ?? {}, { tntId: 'changed' });
    await client.flush();
    expect(deliveries[0]?.request.id?.tntId).toBe('mine');
  });
});

describe('nothing is sent', () => {
  test.each<[string, DeliveryRequest]>([
    [
      'for what is prefetched',
      { prefetch: { mboxes: [{ name: 'hero' }, { name: 'flags' }], views: [{}], pageLoad: {} } },
    ],
    ['for what matches nobody', { execute: { mboxes: [{ name: 'members' }] } }],
    ['for what has no rules', { execute: { mboxes: [{ name: 'other' }] } }],
    ['for what only the edge can decide', { execute: { mboxes: [{ name: 'far' }, { name: 'unheard of' }] } }],
  ])('%s', async (_, request) => {
    const { client, deliveries, downloads } = start({});
    for (let call = 0; call < 10; call += 1) {
      await client.getOffers({ request });
    }
    await client.flush();
    await client.close();
    expect(deliveries).toHaveLength(0);
    expect(downloads).toHaveLength(0);
  });

  test('for options without tokens', async () => {
    const options = [{ type: 'html', content: 'plain' }] as const;
    const artifactPayload = artifactOf({ hero: [rule('hero', { options })] });
    const { client, deliveries } = start({ artifactPayload });
    const { response } = await client.getOffers({ request: HERO });
    expect(response.execute?.mboxes?.[0]?.options).toHaveLength(1);
    await client.flush();
    expect(deliveries).toHaveLength(0);
  });
});

describe('what cannot be delivered', () => {
  const TRANSIENT: [string, Fault][] = [
    ['500', { kind: 'status', status: 500 }],
    ['503', { kind: 'status', status: 503 }],
    ['429', { kind: 'status', status: 429 }],
    ['a reset', { kind: 'reset' }],
    ['a reset in the body', { kind: 'resetMidBody' }],
    ['half a body', { kind: 'truncate' }],
    ['HTML', { kind: 'body', body: '<html>' }],
    ['nothing', { kind: 'body', body: '' }],
    ['null', { kind: 'body', body: 'null' }],
    ['no gzip', { kind: 'gzip', variant: 'invalid' }],
  ];
  test.each(TRANSIENT)('is sent again with the same ids: %s', async (_, fault) => {
    const { client, heard } = connect();
    bench.edge.fault(fault, { times: 1 });
    await client.getOffers({ request: HERO });
    await bench.edge.waitForRequests(1);
    await client.flush();
    await client.flush();
    const [first, second] = bench.edge.requests;
    expect(bench.edge.requests).toHaveLength(2);
    expect(second?.delivery).toEqual(first?.delivery);
    expect(heard.sendNotificationError).toHaveLength(0);
    expect(await client.close()).toEqual({ delivered: 1, failed: 0, dropped: 0, handedOver: 0 });
  });

  test.each([400, 401, 403, 404, 413])('is given up at once: %i', async (code) => {
    const { client, heard } = connect();
    bench.edge.fault({ kind: 'status', status: code });
    await client.getOffers({ request: HERO });
    await client.flush();
    expect(bench.edge.requests).toHaveLength(1);
    const notification = bench.edge.lastRequest?.delivery?.notifications?.[0];
    expect(heard.sendNotificationError).toEqual([
      {
        type: 'sendNotificationError',
        notification,
        error: expect.objectContaining({ code: 'ERR_TARGET_RESPONSE', status: code }),
      },
    ]);
    expect(await client.close()).toEqual({ delivered: 0, failed: 1, dropped: 0, handedOver: 0 });
  });

  test('is split when it was too large', async () => {
    const tooLarge: Script = (call) =>
      (call.request.notifications?.length ?? 0) > 1 ? status(413)(call) : confirm(call);
    const { client, deliveries, heard } = start({}, tooLarge);
    const { request } = await client.getOffers({
      request: { id: { tntId: 'me' }, execute: { mboxes: [{ name: 'hero' }, { name: 'flags' }] } },
    });
    Object.assign(request.id ?? {}, { tntId: 'changed' });
    Object.assign(request.context, { userAgent: 'changed' });
    await client.flush();
    expect(deliveries.map(({ request }) => request.id?.tntId)).toEqual(['me', 'me', 'me']);
    expect(JSON.stringify(deliveries)).not.toContain('changed');
    expect(deliveries.map(({ request }) => request.notifications?.length)).toEqual([2, 1, 1]);
    const ids = notificationsOf(deliveries).map(({ id }) => id);
    expect(ids.slice(2)).toEqual(ids.slice(0, 2));
    expect(heard.sendNotificationError).toHaveLength(0);
  });

  test('is told when the edge does not confirm it', async () => {
    const { client, heard } = start({}, answer({ ...DELIVERY, notifications: [{ id: 'another' }] }));
    await client.getOffers({ request: HERO });
    await client.flush();
    expect(heard.sendNotificationError).toMatchObject([
      { notification: { mbox: { name: 'hero' } }, error: { code: 'ERR_TARGET_INVALID_RESPONSE' } },
    ]);
  });

  test('waits as long as Retry-After says, and hardly longer', async () => {
    fakeTimers();
    const { client, deliveries } = start({}, status(503, { 'Retry-After': '90' }), confirm);
    await client.getOffers({ request: HERO });
    await settle();
    await pass(89_000);
    expect(deliveries).toHaveLength(1);
    // Up to a tenth more, so that processes do not come back together.
    await pass(10_000);
    expect(deliveries).toHaveLength(2);
    expect(await client.close()).toEqual({ delivered: 1, failed: 0, dropped: 0, handedOver: 0 });
  });

  test('costs at most eight requests in a minute', async () => {
    fakeTimers();
    const { client, deliveries } = start({}, status(500));
    await show(client, 50);
    await settle();
    await pass(60_000);
    expect(deliveries.length).toBeLessThanOrEqual(8);
    expect(deliveries.length).toBeGreaterThan(4);
  });

  test('harms nobody when a listener throws', async () => {
    const sendNotificationError = () => {
      throw new Error('mine');
    };
    const { client } = start({ events: { sendNotificationError } }, status(400), confirm);
    await show(client, 2);
    await client.flush();
    expect(await client.close()).toEqual({ delivered: 1, failed: 1, dropped: 0, handedOver: 0 });
  });

  test('names no visitor in its error', async () => {
    const { client, heard } = start({}, status(400));
    await client.getOffers({ request: { ...HERO, id: { tntId: 'secret-visitor' } } });
    await client.flush();
    const { error } = heard.sendNotificationError[0] ?? {};
    expect(`${error?.message} ${error?.stack}`).not.toContain('secret-visitor');
    expect(error?.message).not.toContain('token-first');
  });
});

describe('with the edge gone', () => {
  test('decisions go on, and close says what was not sent', async () => {
    const edge = await startTargetEdge({ artifact: flagsArtifact() });
    const { heard, events } = listening();
    let refusals = 0;
    const fetchApi: FetchApi = (url, init) =>
      fetch(url, init).catch((error: unknown) => {
        refusals += 1;
        throw error;
      });
    const client = bench.connect({ ...edge.config, decisioningMethod: 'on-device', events, fetchApi });
    await client.ready();
    await show(client, 1);
    await client.flush();
    await edge.close();
    await show(client, 20);
    while (refusals === 0) {
      await settle();
    }
    expect(heard.sendNotificationError).toHaveLength(0);
    const result = await client.close({ timeout: 50 });
    expect(result).toEqual({ delivered: 1, failed: 0, dropped: 20, handedOver: 0 });
    expect(heard.sendNotificationError).toHaveLength(20);
    expect(heard.sendNotificationError[0]?.error).toMatchObject({
      code: 'ERR_TARGET_CLOSED',
      cause: { code: 'ERR_TARGET_NETWORK' },
    });
  });

  test('notifications arrive when it is back', async () => {
    const { client, heard } = connect();
    const gone = bench.edge.fault({ kind: 'reset' });
    await show(client, 20);
    await bench.edge.waitForRequests(1);
    gone.clear();
    bench.edge.clearRequests();
    await client.flush();
    expect(heard.sendNotificationError).toHaveLength(0);
    expect(bench.edge.requests).toHaveLength(20);
    expect(await client.close()).toEqual({ delivered: 20, failed: 0, dropped: 0, handedOver: 0 });
  });

  test('ten thousand calls are kept, and the others told', async () => {
    const { client, heard } = start({}, hang);
    for (let call = 0; call < 10_002; call += 1) {
      await client.getOffers({ request: HERO });
    }
    expect(heard.sendNotificationError).toHaveLength(2);
    const { error, notification } = heard.sendNotificationError[0] ?? {};
    expect(error?.message).toBe('a notification was dropped: 10000 calls are queued');
    expect((notification as Notification).tokens).toEqual(['token-first']);
    expect(await client.close({ timeout: 1 })).toEqual({
      delivered: 0,
      failed: 0,
      dropped: 10_002,
      handedOver: 0,
    });
  });
});

describe('close', () => {
  test('sends what is queued', async () => {
    const { client } = connect();
    await show(client, 25);
    expect(await client.close()).toEqual({ delivered: 25, failed: 0, dropped: 0, handedOver: 0 });
    expect(bench.edge.requestsTo(DELIVERIES)).toHaveLength(25);
  });

  test('takes no longer than it may, and tells the same to everybody', async () => {
    fakeTimers();
    const { client } = start({ timeout: 3000 }, hang);
    await show(client, 3);
    const closed = Promise.all([client.close({ timeout: 500 }), client.close({ timeout: 60_000 })]);
    const dropped = next(client, 'sendNotificationError');
    await pass(500);
    expect(await closed).toEqual(Array(2).fill({ delivered: 0, failed: 0, dropped: 3, handedOver: 0 }));
    expect((await dropped).error).toMatchObject({ code: 'ERR_TARGET_CLOSED' });
    expect(jest.getTimerCount()).toBe(0);
  });
});
