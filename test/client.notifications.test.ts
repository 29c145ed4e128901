import { describe, expect, test } from '@jest/globals';
import type { Notification, SendNotificationsOptions } from '../src/index.js';
import { html } from '../src/testing/edge.js';
import { deepFreeze, listeningLogger, targetErrorOf, withEdge } from './with-edge.js';

const bench = withEdge({
  offers: { mboxes: { hero: html('<h1>') }, views: { home: html('<p>') }, pageLoad: html('<b>') },
});
const { connect, received, sent } = bench;
const CLICK = { id: 'n1', type: 'click', timestamp: 1_700_000_000_000 } as const;

/** What a JavaScript caller may write. */
const toOptions = (request: unknown) => ({ request }) as SendNotificationsOptions;

describe('sendNotifications', () => {
  test('reports what was prefetched and displayed, and gets the ids that were processed', async () => {
    const client = connect();
    const { response, targetCookie } = await client.getOffers({
      request: { prefetch: { pageLoad: {}, views: [{ name: 'home' }], mboxes: [{ name: 'hero' }] } },
    });
    const { pageLoad, views, mboxes } = response.prefetch ?? {};
    const tokensOf = (location: { options?: { eventToken?: string }[] } | undefined) =>
      (location?.options ?? []).flatMap(({ eventToken }) => eventToken ?? []);
    const notifications: Notification[] = [
      {
        id: 'a',
        type: 'display',
        timestamp: 1,
        tokens: tokensOf(mboxes?.[0]),
        mbox: { name: 'hero', state: mboxes?.[0]?.state },
      },
      {
        id: 'b',
        type: 'display',
        timestamp: 2,
        tokens: tokensOf(views?.[0]),
        view: { name: 'home', state: views?.[0]?.state },
      },
      {
        id: 'c',
        type: 'display',
        timestamp: 3,
        tokens: tokensOf(pageLoad),
        pageLoad: { state: pageLoad?.state },
      },
      { id: 'd', type: 'click', timestamp: 4, tokens: ['forged'], mbox: { name: 'hero' } },
    ];
    const result = await client.sendNotifications({
      request: { notifications },
      targetCookie: targetCookie.value,
    });
    expect(sent().notifications).toEqual(notifications);
    expect(result.response.notifications?.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    expect(result.targetCookie.name).toBe('mbox');
    expect(result.meta.decisioningMethod).toBe('server-side');
  });

  test('carries the visitor, context and experience cloud as an offers call does', async () => {
    await connect({ propertyToken: 'p', environmentId: 3 }).sendNotifications({
      request: { notifications: [CLICK], context: { channel: 'mobile' } },
      targetCookie: `session#s1#${2 ** 40}|PC#abc.28_0#${2 ** 40}`,
      visitorCookie: 'MCMID|123',
      customerIds: { crm: '1' },
    });
    expect(received().query.sessionId).toBe('s1');
    expect(sent()).toEqual({
      requestId: expect.any(String),
      id: {
        tntId: 'abc.28_0',
        marketingCloudVisitorId: '123',
        customerIds: [{ id: '1', integrationCode: 'crm', authenticatedState: 'unknown' }],
      },
      environmentId: 3,
      property: { token: 'p' },
      context: { channel: 'mobile' },
      experienceCloud: { analytics: { logging: 'server_side', supplementalDataId: expect.any(String) } },
      notifications: [CLICK],
    });
  });

  test('goes to the edge whatever the decisioning method', async () => {
    const { fetchApi } = bench.detour();
    const client = connect({ decisioningMethod: 'on-device', pollingInterval: 0, fetchApi });
    const { decisioningMethod } = await client.sendNotifications({
      request: { notifications: [CLICK] },
      decisioningMethod: 'on-device',
    });
    expect(decisioningMethod).toBe('server-side');
    expect(bench.edge.requestsTo((request) => Boolean(request.delivery?.notifications))).toHaveLength(1);
  });

  test('passes every field of a notification through', async () => {
    const notification: Notification = {
      ...CLICK,
      impressionId: 'i1',
      tokens: ['t1', 't2'],
      mbox: { name: 'hero', state: 'state' },
      address: { url: 'https://example.com/', referringUrl: 'https://example.org/' },
      parameters: { a: '1' },
      profileParameters: { b: '2' },
      order: { id: 'o1', total: 9.5, purchasedProductIds: ['p1', 'p2'], time: '2024-01-01T00:00:00Z' },
      product: { id: 'p1', categoryId: 'c1' },
    };
    await connect().sendNotifications({ request: { notifications: [notification] } });
    expect(sent().notifications).toEqual([notification]);
  });

  test('changes nothing, and takes a frozen request', async () => {
    const request = deepFreeze({ notifications: [{ ...CLICK, parameters: { n: 1 } }] });
    await connect().sendNotifications({ request });
    expect(sent().notifications?.[0]?.parameters).toEqual({ n: '1' });
    expect(request).toEqual({ notifications: [{ ...CLICK, parameters: { n: 1 } }] });
  });

  test.each([
    ['nothing', {}],
    ['an empty list', { notifications: [] }],
    ['null', { notifications: null }],
    ['an object', { notifications: { 0: CLICK } }],
    ['a text', { notifications: 'click' }],
  ])('needs a list of notifications, not %s', async (_, request) => {
    const error = await targetErrorOf(() => connect().sendNotifications(toOptions(request)));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path: 'notifications' });
    expect(bench.edge.requests).toHaveLength(0);
  });
});

const INVALID: [what: string, notification: unknown, fault: string][] = [
  ['nothing', null, 'no id'],
  ['a text', 'click', 'no id'],
  ['no id', { type: 'click', timestamp: 1 }, 'no id'],
  ['an empty id', { ...CLICK, id: '' }, 'no id'],
  ['a number for an id', { ...CLICK, id: 5 }, 'no id'],
  ['no type', { id: 'n', timestamp: 1 }, 'no type "click" or "display"'],
  ['another type', { ...CLICK, type: 'view' }, 'no type "click" or "display"'],
  ['a type of a prototype', { ...CLICK, type: 'constructor' }, 'no type "click" or "display"'],
  ['no timestamp', { id: 'n', type: 'click' }, 'no numeric timestamp'],
  ['a text for a timestamp', { ...CLICK, timestamp: '1700000000000' }, 'no numeric timestamp'],
  ['NaN for a timestamp', { ...CLICK, timestamp: Number.NaN }, 'no numeric timestamp'],
  ['infinity for a timestamp', { ...CLICK, timestamp: Number.POSITIVE_INFINITY }, 'no numeric timestamp'],
];

describe('an invalid notification', () => {
  test.each(INVALID)('is left out with a warning: %s', async (_, notification, fault) => {
    const { lines, logger } = listeningLogger();
    await connect({ logger }).sendNotifications(toOptions({ notifications: [notification, CLICK] }));
    expect(sent().notifications).toEqual([CLICK]);
    expect(lines.warn).toEqual([
      `AT: left out of the request: the notification at position 0, which has ${fault}`,
    ]);
  });

  test.each(INVALID)('is listed in the error when nothing is left: %s', async (_, notification, fault) => {
    const error = await targetErrorOf(() =>
      connect().sendNotifications(toOptions({ notifications: [notification] })),
    );
    expect(error).toMatchObject({
      code: 'ERR_TARGET_INVALID_REQUEST',
      path: 'notifications',
      message: `notifications are all invalid; left out: the notification at position 0, which has ${fault}`,
    });
    expect(bench.edge.requests).toHaveLength(0);
  });

  test('among a hundred names the first ten and no more', async () => {
    const error = await targetErrorOf(() =>
      connect().sendNotifications(toOptions({ notifications: Array(100).fill({}) })),
    );
    expect(error.message.match(/position/g)).toHaveLength(10);
  });

  test('in an offers call leaves the rest of it alone', async () => {
    await connect().getOffers({
      request: { execute: { pageLoad: {} }, notifications: [CLICK, { ...CLICK, id: '' }] },
    });
    expect(sent()).toMatchObject({ execute: { pageLoad: {} }, notifications: [CLICK] });
  });
});
