import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { DeliveryRequest, DeliveryResponse, LocationResponse } from '../../src/delivery-api.js';
import { TargetClient } from '../../src/index.js';
import type { TargetEdge } from '../../src/testing/edge.js';
import { html, startTargetEdge } from '../../src/testing/edge.js';
import { allocated, artifactOf, rule } from '../fixtures/rules.js';
import { CONTEXT, deliver } from './deliver.js';

const half = (location: string, activity: number) => [
  rule(location, { activity, when: allocated(0, 50) }),
  rule(location, { activity, experience: 1, when: allocated(50, 100) }),
];
const click = { type: 'click', eventToken: 'token-click' } as const;

const ARTIFACT = artifactOf(
  {
    hero: half('hero', 1),
    sales: [
      rule('sales', { when: { '==': [{ var: 'mbox.kind' }, 'sale'] }, shows: 'sale', metrics: [click] }),
    ],
    'target-global-mbox': [
      rule('target-global-mbox', { activity: 2, key: 'a', shows: 'first' }),
      rule('target-global-mbox', { activity: 3, key: 'b', shows: 'second' }),
    ],
    branded: [rule('branded', { properties: ['property-1'], shows: 'branded' })],
    local: [rule('local', { when: { '==': [{ var: 'geo.city' }, 'BERN'] }, shows: 'Bern' })],
    __proto: [rule('__proto', {})],
  },
  {
    home: [rule('home', { activity: 4, shows: 'home' })],
    cart: [rule('cart', { activity: 5, shows: 'cart' })],
  },
  { geoTargetingEnabled: true, responseTokens: ['activity.id', 'experience.id'] },
);

let edge: TargetEdge;
beforeAll(async () => {
  edge = await startTargetEdge({ geo: { '1.2.3.4': { city: 'BERN' } } });
});
beforeEach(() => edge.setArtifact(ARTIFACT));
afterEach(() => edge.setOffers({}));
afterAll(() => edge.close());

/** What the edge decides for a visitor. */
async function decide(request: DeliveryRequest): Promise<DeliveryResponse> {
  const answer = await deliver(edge, { id: { tntId: 'visitor.35_0' }, context: CONTEXT, ...request });
  expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
  return answer.response;
}

const shown = (location: LocationResponse | undefined) => location?.options?.map(({ content }) => content);

describe('executed locations', () => {
  test('carry the offers of the rules that hold, and no tokens', async () => {
    const { status, execute } = await decide({
      execute: {
        mboxes: [
          { index: 7, name: 'sales', parameters: { kind: 'sale' } },
          { index: 1, name: 'sales' },
          { index: 2, name: 'unknown' },
        ],
      },
    });
    expect(status).toBe(200);
    expect(execute?.mboxes).toEqual([
      {
        index: 7,
        name: 'sales',
        options: [
          {
            type: 'html',
            content: 'sale',
            responseTokens: {
              'activity.decisioningMethod': 'server-side',
              'activity.id': 1000,
              'experience.id': 0,
            },
          },
        ],
        metrics: [click],
      },
      { index: 1, name: 'sales' },
      { index: 2, name: 'unknown' },
    ]);
  });

  test('of the global mbox carry every rule that holds: as page load and as mbox', async () => {
    const { execute } = await decide({
      execute: {
        pageLoad: {},
        mboxes: [
          { index: 9, name: 'target-global-mbox' },
          { index: 3, name: 'hero' },
        ],
      },
    });
    expect(shown(execute?.pageLoad)).toEqual(['first', 'second']);
    expect(execute?.mboxes?.map(({ index, name, ...rest }) => [index, name, shown(rest)?.length])).toEqual([
      [9, 'target-global-mbox', 1],
      [9, 'target-global-mbox', 1],
      [3, 'hero', 1],
    ]);
  });

  test('know the property, and the place of an IP address', async () => {
    const request = {
      execute: {
        mboxes: [
          { index: 0, name: 'branded' },
          { index: 1, name: 'local' },
        ],
      },
    };
    const none = await decide({ ...request, context: { ...CONTEXT, geo: { ipAddress: '9.9.9.9' } } });
    expect(none.execute?.mboxes?.map(shown)).toEqual([undefined, undefined]);
    const both = await decide({
      ...request,
      property: { token: 'property-1' },
      context: { ...CONTEXT, geo: { ipAddress: '1.2.3.4' } },
    });
    expect(both.execute?.mboxes?.map(shown)).toEqual([['branded'], ['Bern']]);
    edge.setGeo({ '9.9.9.9': { city: 'BERN' } });
    const moved = await decide({ ...request, context: { ...CONTEXT, geo: { ipAddress: '9.9.9.9' } } });
    edge.setGeo({ '1.2.3.4': { city: 'BERN' } });
    expect(moved.execute?.mboxes?.map(shown)).toEqual([undefined, ['Bern']]);
  });

  test('carry a trace where one is asked for', async () => {
    const { execute } = await decide({
      trace: { authorizationToken: 'a' },
      execute: { mboxes: [{ index: 4, name: 'hero' }] },
    });
    expect(execute?.mboxes?.[0]?.trace).toMatchObject({
      request: { sessionId: 'session1', mbox: { name: 'hero', index: 4, type: 'execute' } },
    });
  });
});

describe('prefetched locations', () => {
  test('carry tokens and states, which notifications may bring back', async () => {
    const { prefetch } = await decide({
      prefetch: { pageLoad: {}, views: [{ name: 'home' }], mboxes: [{ index: 0, name: 'hero' }] },
    });
    const [hero] = prefetch?.mboxes ?? [];
    const [home] = prefetch?.views ?? [];
    expect(hero?.options?.[0]?.eventToken).toMatch(/^token-activity 1, /);
    expect(home).toMatchObject({ name: 'home', options: [{ content: 'home', eventToken: 'token-home' }] });
    expect(prefetch?.pageLoad?.options).toHaveLength(2);
    for (const location of [hero, home, prefetch?.pageLoad]) {
      expect(location?.state).toEqual(expect.any(String));
    }

    const seen = { type: 'display', timestamp: 1 } as const;
    const tokens = (location?: LocationResponse) =>
      location?.options?.flatMap(({ eventToken }) => eventToken ?? []) ?? [];
    const { response } = await deliver(edge, {
      context: CONTEXT,
      notifications: [
        { ...seen, id: 'mbox', mbox: { name: 'hero', state: hero?.state }, tokens: tokens(hero) },
        { ...seen, id: 'view', view: { name: 'home', state: home?.state }, tokens: tokens(home) },
        {
          ...seen,
          id: 'page',
          pageLoad: { state: prefetch?.pageLoad?.state },
          tokens: tokens(prefetch?.pageLoad),
        },
        { ...seen, id: 'forged token', mbox: { name: 'hero' }, tokens: ['token-forged'] },
        { ...seen, id: 'forged state', mbox: { name: 'hero', state: home?.state } },
      ],
    });
    expect(response.notifications).toEqual([{ id: 'mbox' }, { id: 'view' }, { id: 'page' }]);
  });

  test('without offers have no state', async () => {
    const { prefetch } = await decide({ prefetch: { mboxes: [{ index: 0, name: 'sales' }] } });
    expect(prefetch?.mboxes).toEqual([{ index: 0, name: 'sales' }]);
  });

  test('are all views where no name is given', async () => {
    const { prefetch } = await decide({ prefetch: { views: [{}] } });
    expect(prefetch?.views?.map(({ name }) => name)).toEqual(['home', 'cart']);
  });
});

describe('the script', () => {
  test('wins where it lists a location, be it to show nothing', async () => {
    edge.setOffers({
      mboxes: { sales: html('scripted'), local: () => undefined },
      views: { cart: html('scripted cart') },
      pageLoad: html('scripted page'),
    });
    const { execute, prefetch } = await decide({
      context: { ...CONTEXT, geo: { ipAddress: '1.2.3.4' } },
      execute: {
        pageLoad: {},
        mboxes: [
          { index: 0, name: 'local' },
          { index: 1, name: 'hero' },
          { index: 2, name: 'sales', parameters: { kind: 'sale' } },
        ],
      },
      prefetch: { views: [{}] },
    });
    expect(shown(execute?.pageLoad)).toEqual(['scripted page']);
    expect(execute?.mboxes?.map(({ name }) => name)).toEqual(['local', 'hero', 'sales']);
    expect(execute?.mboxes?.map(shown)).toEqual([
      undefined,
      [expect.stringContaining('activity 1')],
      ['scripted'],
    ]);
    expect(prefetch?.views?.map(shown)).toEqual([['scripted cart'], ['home']]);
  });
});

describe('an edge', () => {
  test('answers calls that decide nothing as without an artifact', async () => {
    edge.setArtifact({ hello: 'world' });
    const { execute, ...rest } = await decide({ execute: {} });
    expect(execute).toEqual({});
    expect(rest.id).toEqual({ tntId: 'visitor.35_0' });
  });

  test('says so when the artifact cannot be decided by, and goes on with the next', async () => {
    edge.setArtifact({ hello: 'world' });
    const request = { context: CONTEXT, execute: { mboxes: [{ index: 0, name: 'hero' }] } };
    const answer = await deliver(edge, request);
    expect([answer.status, answer.text]).toEqual([
      500,
      expect.stringContaining('artifactPayload: Artifact: version'),
    ]);
    edge.setArtifact(ARTIFACT);
    expect((await deliver(edge, request)).status).toBe(200);
    edge.setArtifact(undefined);
    expect((await deliver(edge, request)).response.execute?.mboxes).toEqual([{ index: 0, name: 'hero' }]);
  });

  test('still takes the tokens of an artifact that was replaced', async () => {
    edge.setArtifact(artifactOf({}));
    const { response } = await deliver(edge, {
      context: CONTEXT,
      notifications: [
        { id: 'late', type: 'display', timestamp: 1, mbox: { name: 'sales' }, tokens: ['token-sale'] },
      ],
    });
    expect(response.notifications).toEqual([{ id: 'late' }]);
  });

  test('decides by the time of the clock, also under a fake one', async () => {
    const rules = [rule('hero', { when: { '>': [{ var: 'current_timestamp' }, 4_000_000_000_000] } })];
    const request = { execute: { mboxes: [{ index: 0, name: 'hero' }] } };
    edge.setArtifact(artifactOf({ hero: rules }));
    expect(shown((await decide(request)).execute?.mboxes?.[0])).toBeUndefined();
    jest.useFakeTimers({ doNotFake: ['nextTick'], now: 4_000_000_000_001 });
    try {
      edge.setArtifact(artifactOf({ hero: rules }));
      expect(shown((await decide(request)).execute?.mboxes?.[0])).toHaveLength(1);
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('a visitor', () => {
  const request = (id: DeliveryRequest['id']) => ({
    request: { id, execute: { mboxes: [{ name: 'hero' }] } },
  });
  let clients: TargetClient[];
  beforeEach(async () => {
    const config = { ...edge.config, telemetryEnabled: false, targetLocationHint: '35' };
    clients = (['on-device', 'server-side', 'hybrid'] as const).map((decisioningMethod) =>
      TargetClient.create({ ...config, decisioningMethod }),
    );
    await Promise.all(clients.map((client) => client.ready()));
  });
  afterEach(() => Promise.all(clients.map((client) => client.close())));

  const experiences = async (id: DeliveryRequest['id']) => {
    const answers = await Promise.all(clients.map((client) => client.getOffers(request(id))));
    return answers.map(({ response }) => shown(response.execute?.mboxes?.[0])?.[0]);
  };

  test('gets the locations in the same order whoever decides', async () => {
    const places = { pageLoad: {}, mboxes: [{ name: 'hero' }] };
    const answers = await Promise.all(
      clients.map((client) =>
        client.getOffers({
          request: {
            id: { tntId: 'visitor.35_0' },
            execute: places,
            prefetch: { ...places, views: [{}] },
          },
        }),
      ),
    );
    const orders = answers.map(({ response: { execute, prefetch } }) => [
      Object.keys(execute ?? {}),
      Object.keys(prefetch ?? {}),
    ]);
    const order = [
      ['mboxes', 'pageLoad'],
      ['mboxes', 'views', 'pageLoad'],
    ];
    expect(orders).toEqual([order, order, order]);
  });

  test('gets the same experience whoever decides', async () => {
    const seen = new Map<unknown, number>();
    for (let visitor = 0; visitor < 300; visitor += 1) {
      const ids: NonNullable<DeliveryRequest['id']>[] = [
        { tntId: `tnt${visitor}.35_0` },
        { thirdPartyId: `third${visitor}` },
        { marketingCloudVisitorId: `${visitor}`.padStart(38, '7'), tntId: `tnt${visitor}.35_0` },
        {
          customerIds: [
            { id: 'guest', integrationCode: 'crm', authenticatedState: 'unknown' },
            { id: `crm${visitor}`, integrationCode: 'crm', authenticatedState: 'authenticated' },
          ],
        },
      ];
      const id = ids[visitor % ids.length];
      const [own, ...others] = await experiences(id);
      expect([id, ...others]).toEqual([id, own, own]);
      seen.set(own, (seen.get(own) ?? 0) + 1);
    }
    expect([...seen.values()].every((count) => count > 100)).toBe(true);
    expect(seen.size).toBe(2);
  });

  test('without ids keeps the experience with the tntId that the edge gave', async () => {
    const [onDevice, serverSide] = clients;
    for (let visitor = 0; visitor < 30; visitor += 1) {
      const first = await serverSide?.getOffers(request(undefined));
      const targetCookie = first?.targetCookie.value;
      const again = await onDevice?.getOffers({ ...request(undefined), targetCookie });
      expect(again?.response.id).toEqual({ tntId: first?.response.id?.tntId });
      expect(shown(again?.response.execute?.mboxes?.[0])).toEqual(
        shown(first?.response.execute?.mboxes?.[0]),
      );
    }
  });

  test('gets the new experience everywhere when the artifact is replaced', async () => {
    edge.setArtifact(artifactOf({ hero: [rule('hero', { shows: 'new' })] }));
    await Promise.all(clients.map((client) => client.refresh()));
    expect(await experiences({ tntId: 'visitor' })).toEqual(['new', 'new', 'new']);
  });

  test('costs no delivery call when decided on-device, but for what was displayed', async () => {
    edge.clearRequests();
    const [onDevice] = clients;
    await onDevice?.getOffers(request({ tntId: 'visitor' }));
    const { delivered } = (await onDevice?.close()) ?? {};
    expect(delivered).toBe(1);
    expect(
      edge.requests.map(({ delivery }) => Object.keys(delivery ?? {}).includes('notifications')),
    ).toEqual([true]);
    expect(edge.requests.flatMap(({ violations }) => violations)).toEqual([]);
  });
});
