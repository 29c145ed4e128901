import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type {
  DeliveryRequest,
  ExecuteRequest,
  Notification,
  RequestDetails,
  TargetClientConfig,
} from '../src/index.js';
import { HERO } from './fixtures/flags.js';
import { artifactOf, rule } from './fixtures/rules.js';
import { status } from './recording-fetch.js';
import { listening, withScripts } from './scripted-cdn.js';
import { listeningLogger, withEdge } from './with-edge.js';

const DELIVERIES = '/rest/v1/delivery';
const GLOBAL = 'target-global-mbox';
const startWith = withScripts();

const ORDER = { id: 'order-1', total: 12.5, purchasedProductIds: ['p1', 'p2'] };
const PRODUCT = { id: 'p1', categoryId: 'shoes' };
const PROFILE = { 'a.b': 'ä "quoted"', ['__proto__']: 'not a prototype' };
const DETAILS: RequestDetails = { profileParameters: PROFILE, order: ORDER, product: PRODUCT };

const artifact = artifactOf(
  {
    hero: [rule('hero', { activity: 1 })],
    flags: [rule('flags', { activity: 2 })],
    many: [rule('many', { activity: 3 }), rule('many', { activity: 4 })],
    silent: [rule('silent', { activity: 5, options: [{ type: 'html', content: 'no token' }] })],
    members: [rule('members', { activity: 6, when: false })],
    [GLOBAL]: [rule(GLOBAL, { activity: 7 }), rule(GLOBAL, { activity: 8 })],
  },
  { home: [rule('home', { activity: 9 })] },
);

const bench = withEdge({ artifact });

function connect(config: Partial<TargetClientConfig> = {}) {
  const { lines, logger } = listeningLogger();
  const client = bench.connect({
    decisioningMethod: 'on-device',
    targetLocationHint: '35',
    artifactPayload: artifact,
    pollingInterval: 0,
    allMatchingMboxes: ['many'],
    logger,
    ...config,
  });
  return { client, warnings: lines.warn };
}

/** What the edge got of a request that was decided on-device. */
async function reportsOf(request: DeliveryRequest) {
  const { client, warnings } = connect();
  await client.getOffers({ request });
  await client.flush();
  const received = bench.edge.requestsTo(DELIVERIES);
  expect(received.flatMap(({ violations }) => violations)).toEqual([]);
  const notifications = received.flatMap(({ delivery }) => delivery?.notifications ?? []);
  return { notifications, warnings };
}

const toCarried = ({ mbox, profileParameters, order, product, parameters }: Notification) => [
  mbox?.name,
  { profileParameters, order, product, parameters },
];

describe('the notification of a display carries', () => {
  test.each<[string, ExecuteRequest, unknown[]]>([
    [
      'what its mbox says of profile, order and product',
      { mboxes: [{ name: 'hero', parameters: { plan: 'gold' }, ...DETAILS }] },
      [['hero', DETAILS]],
    ],
    [
      'what its own mbox says, and nothing of another',
      {
        mboxes: [
          { name: 'hero', order: { id: 'one' } },
          { name: 'flags', order: { id: 'two' }, product: PRODUCT },
          { name: 'many', profileParameters: PROFILE },
        ],
      },
      [
        ['hero', { order: { id: 'one' } }],
        ['flags', { order: { id: 'two' }, product: PRODUCT }],
        ['many', { profileParameters: PROFILE }],
        ['many', { profileParameters: PROFILE }],
      ],
    ],
    [
      'what the page load says, under the name of the global mbox',
      { pageLoad: DETAILS },
      [
        [GLOBAL, DETAILS],
        [GLOBAL, DETAILS],
      ],
    ],
    [
      'nothing that was not said',
      { mboxes: [{ name: 'hero', order: {}, profileParameters: {} }] },
      [['hero', {}]],
    ],
    [
      'a total of 0, and a date as ISO 8601',
      { mboxes: [{ name: 'hero', order: { total: 0, time: new Date(0) } }] },
      [['hero', { order: { total: 0, time: '1970-01-01T00:00:00.000Z' } }]],
    ],
  ])('%s', async (_, execute, carried) => {
    const { notifications, warnings } = await reportsOf({ execute });
    expect(notifications.map(toCarried)).toEqual(carried);
    expect(warnings).toEqual([]);
  });

  test('the same when flags are read', async () => {
    const { client } = connect();
    await client.getAttributes(['flags'], {
      request: { execute: { mboxes: [{ name: 'hero', order: ORDER }] } },
    });
    await client.flush();
    const [received] = bench.edge.requestsTo(DELIVERIES);
    expect(received?.delivery?.notifications?.map(toCarried)).toEqual([
      ['hero', { order: ORDER }],
      ['flags', {}],
    ]);
  });

  test('what was said when it was decided, whatever is done to the answer', async () => {
    const { client } = connect();
    const { request } = await client.getOffers({
      request: { trace: {}, execute: { mboxes: [{ name: 'hero', ...DETAILS }] } },
    });
    const [mbox] = request.execute?.mboxes ?? [];
    Object.assign(mbox?.order ?? {}, { id: 'changed' });
    Object.assign(mbox?.product ?? {}, { id: 'changed' });
    Object.assign(mbox?.profileParameters ?? {}, { more: 'changed' });
    await client.flush();
    expect(JSON.stringify(bench.edge.lastRequest?.delivery)).not.toContain('changed');
    expect(bench.edge.lastRequest?.delivery?.notifications?.map(toCarried)).toEqual([['hero', DETAILS]]);
  });

  test('what the trace of its decision shows', async () => {
    const { client } = connect();
    const { response } = await client.getOffers({
      request: { trace: {}, execute: { mboxes: [{ name: 'hero', ...DETAILS }] } },
    });
    expect(response.execute?.mboxes?.[0]?.trace).toMatchObject({
      campaigns: [{ notifications: [{ mbox: { name: 'hero' }, order: ORDER, product: PRODUCT }] }],
    });
  });
});

describe('a report', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
  const details = fc.record(
    {
      profileParameters: fc.dictionary(
        text.filter((name) => name.trim() !== ''),
        text,
        { maxKeys: 3 },
      ),
      order: fc.record(
        {
          id: text,
          total: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
          purchasedProductIds: fc.array(text, { maxLength: 3 }),
        },
        { requiredKeys: [] },
      ),
      product: fc.record({ id: text, categoryId: text }, { requiredKeys: [] }),
    },
    { requiredKeys: [] },
  );
  const asked = fc.record({
    impressionId: fc.option(text, { nil: undefined }),
    property: fc.option(fc.record({ token: text }), { nil: undefined }),
    names: fc.array(fc.tuple(fc.constantFrom('hero', 'flags', 'many', '"\\ ä 😀'), details), {
      minLength: 1,
      maxLength: 60,
    }),
    pageLoad: fc.option(details, { nil: undefined }),
  });

  test('is the JSON of its notifications, though it is written by its parts', async () => {
    const odd = '"\\ ä 😀';
    const { heard, events } = listening();
    const rules = { ...artifact.rules.mboxes, [odd]: [rule(odd, { activity: 10, shows: odd })] };
    const { client, deliveries } = startWith(
      { artifactPayload: artifactOf(rules), pollingInterval: 0, allMatchingMboxes: ['many'], events },
      { deliveries: [status(400)] },
    );
    await fc.assert(
      fc.asyncProperty(asked, async ({ names, pageLoad, ...fields }) => {
        const [calls, failures] = [deliveries.length, heard.sendNotificationError.length];
        const mboxes = names.map(([name, more]) => ({ name, ...more }));
        await client.getOffers({ request: { ...fields, execute: { mboxes, pageLoad } } });
        await client.flush();
        const bodies = deliveries.slice(calls).map(({ init }) => init.body ?? '');
        for (const body of bodies) {
          expect(JSON.stringify(JSON.parse(body))).toBe(body);
        }
        const told = heard.sendNotificationError.slice(failures).map(({ notification }) => notification);
        const sent = bodies.flatMap((body) => (JSON.parse(body) as DeliveryRequest).notifications ?? []);
        expect(JSON.stringify(sent)).toBe(JSON.stringify(told));
        expect(sent.length).toBeGreaterThan(0);
      }),
      { numRuns: 60 },
    );
  });
});

describe('an order or a product that no notification carries', () => {
  test.each<[string, DeliveryRequest, string]>([
    [
      'nobody is shown anything',
      { execute: { mboxes: [{ name: 'members', ...DETAILS }] } },
      'execute.mboxes[0]',
    ],
    [
      'nobody is shown anything for a product',
      { execute: { mboxes: [{ name: 'hero' }, { name: 'members', product: PRODUCT }] } },
      'execute.mboxes[1]',
    ],
    [
      'what is shown has no token',
      { execute: { mboxes: [{ name: 'silent', ...DETAILS }] } },
      'execute.mboxes[0]',
    ],
    [
      'the mbox is remote',
      { execute: { mboxes: [{ name: 'hero' }, { name: 'far', ...DETAILS }] } },
      'execute.mboxes[1]',
    ],
    [
      'the same was displayed before in the call',
      { execute: { mboxes: [{ name: 'hero' }, { name: 'flags' }, { name: 'hero', order: ORDER }] } },
      'execute.mboxes[2]',
    ],
    [
      'the same was displayed before, with an order that looks alike',
      {
        execute: {
          mboxes: [
            { name: 'hero', order: ORDER },
            { name: 'hero', order: ORDER },
          ],
        },
      },
      'execute.mboxes[1]',
    ],
    [
      'a mbox is prefetched',
      { prefetch: { mboxes: [{ name: 'hero', product: PRODUCT }] } },
      'prefetch.mboxes[0]',
    ],
    [
      'a view is prefetched',
      { prefetch: { views: [{ name: 'home' }, { order: ORDER }] } },
      'prefetch.views[1]',
    ],
    ['a page load is prefetched', { prefetch: { pageLoad: { order: ORDER } } }, 'prefetch.pageLoad'],
    [
      'it is prefetched beside one that is carried',
      {
        execute: { mboxes: [{ name: 'hero', order: ORDER }] },
        prefetch: { mboxes: [{ name: 'hero', order: ORDER }] },
      },
      'prefetch.mboxes[0]',
    ],
  ])('is warned of once, by its place and without its content: %s', async (_, request, path) => {
    const { client, warnings } = connect();
    for (let call = 0; call < 3; call += 1) {
      await client.getOffers({ request });
    }
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`of ${path} was not reported`);
    for (const content of ['order-1', '12.5', 'p1', 'shoes', 'hero', 'far']) {
      expect(warnings[0]).not.toContain(content);
    }
  });

  test('is warned of for the page load as well', async () => {
    const { client, warnings } = connect({
      artifactPayload: artifactOf({ [GLOBAL]: [rule(GLOBAL, { when: false })] }),
    });
    await client.getOffers({ request: { execute: { pageLoad: { order: ORDER } } } });
    expect(warnings).toEqual([expect.stringContaining('of execute.pageLoad was not reported')]);
  });

  test('is nothing to warn of when there is none', async () => {
    const { client, warnings } = connect();
    const mbox = { name: 'members', profileParameters: PROFILE, parameters: { a: 'b' } };
    await client.getOffers({
      request: { execute: { mboxes: [mbox] }, prefetch: { mboxes: [mbox], views: [{}] } },
    });
    expect(warnings).toEqual([]);
  });
});

describe('what is for the edge alone', () => {
  test.each<[string, DeliveryRequest]>([
    ['qaMode', { qaMode: { token: 'secret', listedActivitiesOnly: true } }],
    ['preview', { preview: { token: 'secret' } }],
    [
      "experienceCloud.analytics.logging 'client_side'",
      { experienceCloud: { analytics: { logging: 'client_side' } } },
    ],
  ])('is warned of once, and decided here all the same: %s', async (field, fields) => {
    const { client, warnings } = connect();
    for (let call = 0; call < 3; call += 1) {
      const { meta, response } = await client.getOffers({ request: { ...HERO, ...fields } });
      expect(meta).toEqual({ decisioningMethod: 'on-device', remoteMboxes: [], remoteViews: [] });
      expect(response.execute?.mboxes?.[0]?.options).toHaveLength(1);
    }
    expect(warnings).toEqual([expect.stringContaining(`AT: ${field} `)]);
    expect(warnings[0]).not.toContain('secret');
  });

  test('is warned of kind by kind', async () => {
    const { client, warnings } = connect();
    const experienceCloud = { analytics: { logging: 'client_side' } } as const;
    await client.getOffers({
      request: { ...HERO, qaMode: { token: 'a' }, preview: { token: 'b' }, experienceCloud },
    });
    await client.getOffers({ request: { ...HERO, preview: { token: 'c' } } });
    expect(warnings).toHaveLength(3);
  });

  test('is no reason for a warning when the call goes to the edge', async () => {
    const { client, warnings } = connect();
    const request = { ...HERO, qaMode: { token: 'a' }, preview: { token: 'b' } };
    await client.getOffers({ request, decisioningMethod: 'hybrid' });
    await client.getOffers({ request, decisioningMethod: 'server-side' });
    expect(bench.edge.requestsTo(DELIVERIES)).toHaveLength(2);
    expect(warnings).toEqual([]);
  });
});
