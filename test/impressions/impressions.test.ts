import { describe, expect, test } from '@jest/globals';
import { createVisit } from '../../src/adapters/http.js';
import { clicked, type DeliveryRequest, displayed } from '../../src/index.js';
import { actions, html } from '../../src/testing/edge.js';
import { flagsArtifact } from '../fixtures/flags.js';
import { Browser } from '../visits/browser.js';
import { deepFreeze, targetErrorOf, withEdge } from '../with-edge.js';

const bench = withEdge({
  artifact: flagsArtifact(),
  offers: {
    mboxes: {
      hero: { options: [html('a'), html('b'), html('c', { eventToken: 'same' })], metrics: [{}] },
      twins: [html('a', { eventToken: 'same' }), html('b', { eventToken: 'same' })],
      menu: html('menu'),
      nothing: () => undefined,
    },
    pageLoad: { options: html('page'), metrics: [{ selector: '#buy' }] },
    views: {
      cart: {
        options: actions([]),
        metrics: [{ selector: '#buy' }, { selector: '#pay' }, { type: 'display' }],
      },
    },
  },
});

const ALL: DeliveryRequest = {
  prefetch: {
    mboxes: [{ name: 'hero' }, { name: 'nothing' }, { name: 'twins' }],
    pageLoad: {},
    views: [{ name: 'cart' }],
  },
};
const HERO: DeliveryRequest = { prefetch: { mboxes: [{ name: 'hero' }] } };

describe('displayed', () => {
  test('makes one notification for each prefetched location, with its state and tokens', async () => {
    const answer = await bench.connect().getOffers({ request: ALL });
    const [hero, , twins] = answer.response.prefetch?.mboxes ?? [];
    const notifications = displayed(answer);
    const tokens = hero?.options?.map(({ eventToken }) => eventToken);
    const { pageLoad, views } = answer.response.prefetch ?? {};
    expect(notifications).toEqual([
      expect.objectContaining({ type: 'display', pageLoad: { state: pageLoad?.state } }),
      expect.objectContaining({ type: 'display', mbox: { name: 'hero', state: hero?.state }, tokens }),
      expect.objectContaining({ mbox: { name: 'twins', state: twins?.state }, tokens: ['same'] }),
      expect.objectContaining({ view: { name: 'cart', state: views?.[0]?.state } }),
    ]);
    expect(new Set(notifications.map(({ id }) => id)).size).toBe(4);
    expect(new Set(notifications.map(({ impressionId }) => impressionId)).size).toBe(1);
  });

  test('is taken by the edge, which processes all of it', async () => {
    const client = bench.connect();
    const answer = await client.getOffers({ request: ALL });
    const notifications = displayed(answer);
    const { response } = await client.sendNotifications({ request: { notifications } });
    expect(bench.received().violations).toEqual([]);
    expect(response.notifications?.map(({ id }) => id)).toEqual(notifications.map(({ id }) => id));
  });

  test('tells only of the locations that it is asked about', async () => {
    const answer = await bench.connect().getOffers({ request: ALL });
    const namesOf = (of: Parameters<typeof displayed>[1]) =>
      displayed(answer, of).map(({ mbox, view }) => mbox?.name ?? view?.name ?? 'page');
    expect(namesOf({ mbox: 'hero' })).toEqual(['hero']);
    expect(namesOf({ view: 'cart' })).toEqual(['cart']);
    expect(namesOf({ pageLoad: true })).toEqual(['page']);
    expect(namesOf({ mbox: 'twins', pageLoad: true })).toEqual(['page', 'twins']);
    expect(namesOf({ mbox: 'cart' })).toEqual([]);
    expect(namesOf(null)).toHaveLength(4);
  });

  test('gives the same ids again, and those of another answer are others', async () => {
    const client = bench.connect();
    const answer = deepFreeze(await client.getOffers({ request: ALL }));
    const other = await client.getOffers({ request: ALL });
    expect(displayed(answer)).toEqual(displayed(answer));
    expect(displayed(answer, { mbox: 'hero' })[0]).toEqual(displayed(answer)[1]);
    const [first] = displayed(answer);
    const [second] = displayed(other);
    expect(first?.id).not.toBe(second?.id);
    expect(first?.impressionId).not.toBe(second?.impressionId);
  });

  test('gives notifications that the caller may change', async () => {
    const answer = await bench.connect().getOffers({ request: HERO });
    for (const notification of displayed(answer)) {
      Object.assign(notification, { id: 'mine', tokens: [] });
      Object.assign(notification.mbox ?? {}, { name: 'mine' });
    }
    expect(displayed(answer)).toMatchObject([{ mbox: { name: 'hero' } }]);
    expect(displayed(answer)[0]?.id).not.toBe('mine');
  });

  test('is empty for executed offers, and for an answer without offers', async () => {
    const client = bench.connect();
    const executed = await client.getOffers({ request: { execute: { mboxes: [{ name: 'hero' }] } } });
    const none = await client.getOffers({ request: { prefetch: { mboxes: [{ name: 'nothing' }] } } });
    expect([displayed(executed), displayed(none)]).toEqual([[], []]);
    expect([displayed(await client.identify()), displayed({ ...none, response: {} })]).toEqual([[], []]);
  });

  test('works with decisions of this process', async () => {
    const client = bench.connect({ decisioningMethod: 'on-device' });
    await client.ready();
    const answer = await client.getOffers({
      request: { prefetch: { mboxes: [{ name: 'hero' }], views: [{ name: 'home' }], pageLoad: {} } },
    });
    const notifications = displayed(answer);
    expect(notifications).toHaveLength(3);
    const { response } = await client.sendNotifications({ request: { notifications } });
    expect(bench.received().violations).toEqual([]);
    expect(response.notifications).toHaveLength(3);
    expect(client.stats().notifications.accepted).toBe(0);
  });

  test('joins the answers of several rules for one mbox', async () => {
    const client = bench.connect({ decisioningMethod: 'on-device' });
    await client.ready();
    const answer = await client.getOffers({ request: { prefetch: { mboxes: [{ name: 'hero' }] } } });
    const [mbox] = answer.response.prefetch?.mboxes ?? [];
    answer.response.prefetch?.mboxes?.push({
      ...mbox,
      options: [{ eventToken: 'second' }, ...(mbox?.options ?? [])],
    });
    const [notification, ...rest] = displayed(answer);
    expect(rest).toEqual([]);
    expect(notification?.tokens).toEqual([mbox?.options?.[0]?.eventToken, 'second']);
  });
});

describe('clicked', () => {
  test('reports the click metrics of prefetched and of executed offers', async () => {
    const client = bench.connect();
    const prefetched = await client.getOffers({ request: HERO });
    const executed = await client.getOffers({ request: { execute: { mboxes: [{ name: 'hero' }] } } });
    const [mbox] = prefetched.response.prefetch?.mboxes ?? [];
    const tokens = [mbox?.metrics?.[0]?.eventToken];
    expect(clicked(prefetched, { mbox: 'hero' })).toMatchObject([
      { type: 'click', mbox: { name: 'hero', state: mbox?.state }, tokens },
    ]);
    const notifications = clicked(executed, { mbox: 'hero' });
    expect(notifications).toMatchObject([{ type: 'click', mbox: { name: 'hero' }, tokens }]);
    const { response } = await client.sendNotifications({ request: { notifications } });
    expect(response.notifications).toHaveLength(1);
    expect(clicked(executed, { mbox: 'hero' })).toEqual(notifications);
  });

  test('takes the metrics of one selector, or all of them', async () => {
    const answer = await bench.connect().getOffers({ request: ALL });
    const metrics = answer.response.prefetch?.views?.[0]?.metrics ?? [];
    const tokenOf = (selector: string) => metrics.find((metric) => metric.selector === selector)?.eventToken;
    const [both, buy, pay, none] = [
      clicked(answer, { view: 'cart' }),
      clicked(answer, { view: 'cart', selector: '#buy' }),
      clicked(answer, { view: 'cart', selector: '#pay' }),
      clicked(answer, { view: 'cart', selector: '#other' }),
    ];
    expect(both).toMatchObject([{ tokens: [tokenOf('#buy'), tokenOf('#pay')] }]);
    expect(buy).toMatchObject([{ view: { name: 'cart' }, tokens: [tokenOf('#buy')] }]);
    expect(pay).toMatchObject([{ tokens: [tokenOf('#pay')] }]);
    expect(none).toEqual([]);
    expect(new Set([both, buy, pay].map(([notification]) => notification?.id)).size).toBe(3);
    expect(clicked(answer, { pageLoad: true })).toMatchObject([{ tokens: [expect.any(String)] }]);
    expect(clicked(answer, { mbox: 'twins' })).toEqual([]);
  });

  test('belongs to the impression of its answer', async () => {
    const answer = await bench.connect().getOffers({ request: HERO });
    const [display] = displayed(answer);
    const [click] = clicked(answer, { mbox: 'hero' });
    expect(click?.impressionId).toBe(display?.impressionId);
    expect(click?.id).not.toBe(display?.id);
  });
});

describe('the answers of a visit', () => {
  const PREFETCH = { headers: { 'sec-purpose': 'prefetch' } };

  test('belong to one impression, also when they came with one call', async () => {
    const visit = createVisit(bench.connect(), new Browser().request());
    const [one, other] = await Promise.all([
      visit.getOffers({ request: HERO }),
      visit.getOffers({ request: { prefetch: { mboxes: [{ name: 'menu' }] } } }),
    ]);
    expect(bench.edge.requests).toHaveLength(1);
    const third = await visit.getOffers({ request: { execute: { mboxes: [{ name: 'hero' }] } } });
    const all = [...displayed(one), ...displayed(other), ...clicked(third, { mbox: 'hero' })];
    expect(all).toHaveLength(3);
    expect(new Set(all.map(({ impressionId }) => impressionId)).size).toBe(1);
    const another = createVisit(bench.connect(), new Browser().request());
    const answer = await another.getOffers({ request: HERO });
    expect(displayed(answer)[0]?.impressionId).not.toBe(all[0]?.impressionId);
  });

  test('are displayed later when they were uncounted, with their state', async () => {
    const visit = createVisit(bench.connect(), new Browser().request(PREFETCH), { unseen: 'prefetch' });
    const answer = await visit.getOffers({
      request: { execute: { mboxes: [{ name: 'hero' }], pageLoad: {} }, prefetch: { pageLoad: {} } },
    });
    const { state } = answer.response.execute?.mboxes?.[0] ?? {};
    expect(state).toBeDefined();
    expect(displayed(answer)).toMatchObject([{ pageLoad: {} }, { mbox: { name: 'hero', state } }]);
    expect(clicked(answer, { mbox: 'hero' })).toMatchObject([{ mbox: { name: 'hero', state } }]);
  });

  test('are never reported without consent', async () => {
    const client = bench.connect({ decisioningMethod: 'on-device' });
    await client.ready();
    const options = { consent: false, withoutConsent: 'anonymous' } as const;
    const visit = createVisit(client, new Browser().request(), options);
    const answer = await visit.getOffers({ request: { execute: { mboxes: [{ name: 'hero' }] } } });
    expect(answer.response.execute?.mboxes?.[0]?.options).toHaveLength(1);
    expect(displayed(answer)).toEqual([]);
  });
});

describe('a wrong argument', () => {
  const answer = { response: {} } as Parameters<typeof displayed>[0];

  test.each<[string, unknown, unknown]>([
    ['answer', undefined, undefined],
    ['answer', 'text', undefined],
    ['answer', {}, undefined],
    ['answer', [], undefined],
    ['of', answer, 'hero'],
    ['of', answer, []],
    ['of', answer, {}],
    ['of', answer, { mbox: undefined }],
    ['of', answer, { pageLoad: false }],
    ['of.mbox', answer, { mbox: 5 }],
    ['of.mbox', answer, { mbox: '' }],
    ['of.view', answer, { view: {} }],
    ['of.pageLoad', answer, { pageLoad: 'yes' }],
  ])('is an error that names %s', async (path, wrongAnswer, of) => {
    const act: (answer: never, of: never) => unknown = displayed;
    const error = await targetErrorOf(() => act(wrongAnswer as never, of as never));
    expect([error.code, error.path]).toEqual(['ERR_TARGET_INVALID_REQUEST', path]);
  });

  test('of clicked is an error too', async () => {
    const act: (answer: never, of: never) => unknown = clicked;
    expect((await targetErrorOf(() => act(answer as never, undefined as never))).path).toBe('of');
    const of = { view: 'cart', selector: 5 };
    expect((await targetErrorOf(() => act(answer as never, of as never))).path).toBe('of.selector');
  });
});
