import { describe, expect, test } from '@jest/globals';
import { createVisit, fromFetchRequest } from '../../src/adapters/http.js';
import { TargetClient, type TargetDeliveryResponse, toDataLayer } from '../../src/index.js';
import { html, json } from '../../src/testing/edge.js';
import { artifactOf, rule } from '../tools/artifacts.js';
import { deepFreeze, withEdge } from '../with-edge.js';

const SPRING_A = {
  'activity.id': '125873',
  'activity.name': 'Spring',
  'experience.id': '0',
  'experience.name': 'A',
  'profile.email': 'someone@example.com',
  'geo.city': 'zurich',
};
const SPRING_B = { ...SPRING_A, 'experience.id': '1', 'experience.name': 'B' };

const bench = withEdge({
  offers: {
    mboxes: {
      hero: [html('<h1>', { responseTokens: SPRING_A }), html('<p>', { responseTokens: SPRING_A })],
      teaser: json({}, { responseTokens: SPRING_B }),
      named: html('<p>', { responseTokens: { 'activity.name': 'Only a name' } }),
      numbered: html('<p>', { responseTokens: { 'activity.id': 7, 'experience.id': 0 } }),
      silent: html('<p>', {
        responseTokens: { 'activity.decisioningMethod': 'server-side', 'activity.name': '' },
      }),
      plain: html('<p>'),
    },
    views: { cart: html('<p>', { responseTokens: SPRING_B }) },
    pageLoad: html('<p>', { responseTokens: SPRING_A }),
  },
});
const pairA = { activityId: '125873', activityName: 'Spring', experienceId: '0', experienceName: 'A' };
const pairB = { ...pairA, experienceId: '1', experienceName: 'B' };
const mboxes = (...names: string[]) => names.map((name) => ({ name }));

describe('the data layer of an answer', () => {
  test('has each pair of an activity and an experience once, in the order of the answer', async () => {
    const request = {
      execute: { pageLoad: {}, mboxes: mboxes('hero', 'teaser') },
      prefetch: { views: [{ name: 'cart' }] },
    };
    const answer = deepFreeze(await bench.connect().getOffers({ request }));
    expect(toDataLayer(answer)).toEqual([pairA, pairB]);
  });

  test('has the tokens that the account gives, and no other', async () => {
    const request = { execute: { mboxes: mboxes('silent', 'named', 'plain', 'numbered') } };
    const activities = toDataLayer(await bench.connect().getOffers({ request }));
    expect(activities).toEqual([{ activityName: 'Only a name' }, { activityId: '7', experienceId: '0' }]);
    expect(JSON.stringify(toDataLayer(await bench.connect().getOffers({ request })))).not.toContain(
      'example.com',
    );
  });

  test('is empty without offers', async () => {
    const request = { execute: { mboxes: mboxes('plain', 'unknown') } };
    expect(toDataLayer(await bench.connect().getOffers({ request }))).toEqual([]);
  });

  test('is the same for an on-device decision', async () => {
    const artifact = artifactOf(
      { hero: [rule('<p>', { activity: 'Spring', id: 9 })] },
      { localMboxes: ['hero'], remoteMboxes: [], responseTokens: ['activity.name', 'experience.name'] },
    );
    await using client = TargetClient.create({
      ...bench.edge.config,
      decisioningMethod: 'on-device',
      artifactPayload: artifact,
      pollingInterval: 0,
      telemetryEnabled: false,
    });
    const answer = await client.getOffers({ request: { execute: { mboxes: mboxes('hero') } } });
    expect(toDataLayer(answer)).toEqual([{ activityName: 'Spring', experienceName: 'A' }]);
  });

  test('is that of one caller, when a visit has merged the questions of several', async () => {
    const visit = createVisit(bench.connect(), fromFetchRequest(new Request('https://shop.example/')));
    const [hero, teaser] = await Promise.all(
      ['hero', 'teaser'].map((name) => visit.getOffers({ request: { execute: { mboxes: mboxes(name) } } })),
    );
    expect(hero && toDataLayer(hero)).toEqual([pairA]);
    expect(teaser && toDataLayer(teaser)).toEqual([pairB]);
  });

  const thrower = new Proxy(
    {},
    {
      get() {
        throw new Error('no');
      },
      has() {
        throw new Error('no');
      },
    },
  );
  const odd: readonly unknown[] = [
    undefined,
    null,
    'answer',
    5,
    [],
    {},
    { responseTokens: 'x' },
    { responseTokens: [null, 5, 'x', [], {}] },
    { responseTokens: [{ 'activity.id': {}, 'activity.name': [], 'experience.id': null }] },
    {
      responseTokens: [
        Object.create({ 'activity.id': 1 }, { 'experience.id': { get: () => thrower } }),
        thrower,
      ],
    },
    thrower,
  ];

  test.each(odd.map((value, index) => [index, value]))('is no error for something odd (%i)', (_, value) => {
    expect(Array.isArray(toDataLayer(value as TargetDeliveryResponse))).toBe(true);
  });

  test('has nothing that somebody put on Object.prototype', () => {
    Object.defineProperty(Object.prototype, 'responseTokens', {
      value: [{ 'activity.id': 'evil' }],
      configurable: true,
    });
    try {
      expect(toDataLayer({} as TargetDeliveryResponse)).toEqual([]);
    } finally {
      Reflect.deleteProperty(Object.prototype, 'responseTokens');
    }
  });
});
