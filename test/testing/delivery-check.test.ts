import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { TargetEdge } from '../../src/testing/edge.js';
import { startTargetEdge } from '../../src/testing/edge.js';
import { CONTEXT, deliver } from './deliver.js';

const SDID = '0123456789ABCDEF-0123456789abcdef';
const long = (length: number) => 'x'.repeat(length);
const many = (length: number) => Object.fromEntries(Array.from({ length }, (_, i) => [`p${i}`, 'v']));

/** Every place that has an address, parameters, an order and a product. */
const PLACES: Record<string, (details: object) => object> = {
  'execute.pageLoad': (details) => ({ execute: { pageLoad: details } }),
  'execute.mboxes[0]': (details) => ({ execute: { mboxes: [{ index: 1, name: 'm', ...details }] } }),
  'prefetch.pageLoad': (details) => ({ prefetch: { pageLoad: details } }),
  'prefetch.mboxes[0]': (details) => ({ prefetch: { mboxes: [{ index: 1, name: 'm', ...details }] } }),
  'prefetch.views[0]': (details) => ({ prefetch: { views: [details] } }),
  'notifications[0]': (details) => ({
    notifications: [{ id: 'n', type: 'click', timestamp: 1, ...details }],
  }),
};

const mbox = (fields: object) => ({ execute: { mboxes: [{ index: 1, name: 'm', ...fields }] } });
const mboxes = (length: number) => Array.from({ length }, (_, index) => ({ index, name: 'm' }));
const notification = (fields: object) => ({
  notifications: [{ id: 'n', type: 'display', timestamp: 1, ...fields }],
});
const named = (name: unknown) => notification({ mbox: { name } });
const context = (fields: object) => ({ context: { ...CONTEXT, ...fields } });
const analytics = (fields: object) => ({ experienceCloud: { analytics: fields } });
const customers = (customerIds: unknown) => ({ id: { customerIds } });
const CUSTOMER = { id: '1', integrationCode: 'crm', authenticatedState: 'unknown' };

/** A good request, the same with one thing wrong, and where that is. */
const RULES: readonly [rule: string, good: object, bad: object, path: string][] = [
  ['requestId length', { requestId: long(128) }, { requestId: long(129) }, 'requestId'],
  ['impressionId length', { impressionId: long(128) }, { impressionId: long(129) }, 'impressionId'],
  ['environmentId type', { environmentId: 1 }, { environmentId: '1' }, 'environmentId'],
  ['environmentId integer', { environmentId: 1 }, { environmentId: 1.5 }, 'environmentId'],
  ['context is required', {}, { context: undefined }, 'context'],
  ['channel is required', {}, { context: {} }, 'context.channel'],
  ['channel values', context({ channel: 'mobile' }), context({ channel: 'tv' }), 'context.channel'],
  ['tntId length', { id: { tntId: long(128) } }, { id: { tntId: long(129) } }, 'id.tntId'],
  ['tntId dots', { id: { tntId: 'a-b_c.35_0' } }, { id: { tntId: 'a.b.35_0' } }, 'id.tntId'],
  ['tntId hint', { id: { tntId: 'abc' } }, { id: { tntId: 'abc.example' } }, 'id.tntId'],
  [
    'thirdPartyId length',
    { id: { thirdPartyId: long(256) } },
    { id: { thirdPartyId: long(257) } },
    'id.thirdPartyId',
  ],
  [
    'ECID length',
    { id: { marketingCloudVisitorId: long(128) } },
    { id: { marketingCloudVisitorId: long(129) } },
    'id.marketingCloudVisitorId',
  ],
  [
    'customerIds count',
    customers(Array(50).fill(CUSTOMER)),
    customers(Array(51).fill(CUSTOMER)),
    'id.customerIds',
  ],
  ['customerIds null', customers([CUSTOMER]), customers([CUSTOMER, null]), 'id.customerIds[1]'],
  [
    'customer id required',
    customers([CUSTOMER]),
    customers([{ ...CUSTOMER, id: undefined }]),
    'id.customerIds[0].id',
  ],
  [
    'integrationCode length',
    customers([{ ...CUSTOMER, integrationCode: long(50) }]),
    customers([{ ...CUSTOMER, integrationCode: long(51) }]),
    'id.customerIds[0].integrationCode',
  ],
  [
    'authenticatedState values',
    customers([{ ...CUSTOMER, authenticatedState: 'logged_out' }]),
    customers([{ ...CUSTOMER, authenticatedState: 'AUTHENTICATED' }]),
    'id.customerIds[0].authenticatedState',
  ],
  ['property token required', { property: { token: 't' } }, { property: {} }, 'property.token'],
  ['property token blank', { property: { token: 't' } }, { property: { token: ' ' } }, 'property.token'],
  [
    'trace token',
    { trace: { authorizationToken: 't' } },
    { trace: { usage: {} } },
    'trace.authorizationToken',
  ],
  [
    'trace usage values',
    { trace: { authorizationToken: 't', usage: { a: 'b' } } },
    { trace: { authorizationToken: 't', usage: { a: 1 } } },
    'trace.usage.a',
  ],
  [
    'address url length',
    context({ address: { url: long(4096) } }),
    context({ address: { url: long(4097) } }),
    'context.address.url',
  ],
  [
    'browser needs web',
    context({ browser: { host: 'h' } }),
    context({ channel: 'mobile', browser: {} }),
    'context.browser',
  ],
  [
    'mobile platform',
    context({ mobilePlatform: { deviceType: 'phone', platformType: 'ios' } }),
    context({ mobilePlatform: { deviceType: 'phone' } }),
    'context.mobilePlatform.platformType',
  ],
  [
    'orientation',
    context({ screen: { orientation: 'portrait' } }),
    context({ screen: { orientation: 'up' } }),
    'context.screen.orientation',
  ],
  ['beacon type', context({ beacon: false }), context({ beacon: 'true' }), 'context.beacon'],
  [
    'IPv4',
    context({ geo: { ipAddress: ' 127.0.0.1 ' } }),
    context({ geo: { ipAddress: '256.0.0.1' } }),
    'context.geo.ipAddress',
  ],
  [
    'IPv6',
    context({ geo: { ipAddress: 'fe80::1%eth0' } }),
    context({ geo: { ipAddress: 'x::1' } }),
    'context.geo.ipAddress',
  ],
  [
    'countryCode',
    context({ geo: { countryCode: 'US' } }),
    context({ geo: { countryCode: 'USA' } }),
    'context.geo.countryCode',
  ],
  [
    'stateCode',
    context({ geo: { stateCode: 'CA' } }),
    context({ geo: { stateCode: '' } }),
    'context.geo.stateCode',
  ],
  ['zip', context({ geo: { zip: long(12) } }), context({ geo: { zip: long(13) } }), 'context.geo.zip'],
  [
    'AAM location hint',
    { experienceCloud: { audienceManager: { locationHint: 1 } } },
    { experienceCloud: { audienceManager: { locationHint: 0 } } },
    'experienceCloud.audienceManager.locationHint',
  ],
  [
    'AAM blob blank',
    { experienceCloud: { audienceManager: { blob: 'b' } } },
    { experienceCloud: { audienceManager: { blob: ' ' } } },
    'experienceCloud.audienceManager.blob',
  ],
  [
    'SDID length',
    analytics({ supplementalDataId: SDID }),
    analytics({ supplementalDataId: SDID.slice(1) }),
    'experienceCloud.analytics.supplementalDataId',
  ],
  [
    'SDID digits',
    analytics({ supplementalDataId: SDID }),
    analytics({ supplementalDataId: SDID.replace('F', 'G') }),
    'experienceCloud.analytics.supplementalDataId',
  ],
  [
    'SDID dash',
    analytics({ supplementalDataId: SDID }),
    analytics({ supplementalDataId: SDID.replace('-', '0') }),
    'experienceCloud.analytics.supplementalDataId',
  ],
  [
    'logging',
    analytics({ logging: 'client_side' }),
    analytics({ logging: 'client-side' }),
    'experienceCloud.analytics.logging',
  ],
  [
    'tracking server',
    analytics({ trackingServer: 'a.example' }),
    analytics({ trackingServer: 'http://a.example' }),
    'experienceCloud.analytics.trackingServer',
  ],
  [
    'secure tracking server',
    analytics({ trackingServerSecure: 'a.example' }),
    analytics({ trackingServerSecure: 'https://a.example' }),
    'experienceCloud.analytics.trackingServerSecure',
  ],
  ['mbox name required', mbox({}), mbox({ name: undefined }), 'execute.mboxes[0].name'],
  ['mbox name blank', mbox({}), mbox({ name: ' ' }), 'execute.mboxes[0].name'],
  ['mbox name null', mbox({}), mbox({ name: null }), 'execute.mboxes[0].name'],
  ['mbox index required', mbox({}), mbox({ index: undefined }), 'execute.mboxes[0].index'],
  ['mbox index integer', mbox({ index: 0 }), mbox({ index: 0.5 }), 'execute.mboxes[0].index'],
  ['mbox index 32 bits', mbox({ index: 2 ** 31 - 1 }), mbox({ index: 2 ** 31 }), 'execute.mboxes[0].index'],
  [
    'mbox index unique',
    { execute: { mboxes: [{ index: 1, name: 'a' }] }, prefetch: { mboxes: [{ index: 1, name: 'a' }] } },
    {
      execute: {
        mboxes: [
          { index: 1, name: 'a' },
          { index: 2, name: 'a' },
          { index: 1, name: 'b' },
        ],
      },
    },
    'execute.mboxes[2].index',
  ],
  [
    'prefetched mbox index unique',
    {
      prefetch: {
        mboxes: [
          { index: 1, name: 'a' },
          { index: 2, name: 'a' },
        ],
      },
    },
    {
      prefetch: {
        mboxes: [
          { index: 1, name: 'a' },
          { index: 1, name: 'b' },
        ],
      },
    },
    'prefetch.mboxes[1].index',
  ],
  [
    'mbox count',
    { execute: { mboxes: mboxes(50) }, prefetch: { mboxes: mboxes(50) } },
    { prefetch: { mboxes: mboxes(51) } },
    'prefetch.mboxes',
  ],
  ['mboxes are a list', { execute: { mboxes: [] } }, { execute: { mboxes: {} } }, 'execute.mboxes'],
  [
    'view name length',
    { prefetch: { views: [{ name: long(128) }] } },
    { prefetch: { views: [{ name: long(129) }] } },
    'prefetch.views[0].name',
  ],
  [
    'view name blank',
    { prefetch: { views: [{}] } },
    { prefetch: { views: [{ name: '' }] } },
    'prefetch.views[0].name',
  ],
  [
    'view key length',
    { prefetch: { views: [{ key: long(512) }] } },
    { prefetch: { views: [{ key: long(513) }] } },
    'prefetch.views[0].key',
  ],
  ['notification id required', notification({}), notification({ id: undefined }), 'notifications[0].id'],
  ['notification id blank', notification({}), notification({ id: '' }), 'notifications[0].id'],
  [
    'notification id length',
    notification({ id: long(200) }),
    notification({ id: long(201) }),
    'notifications[0].id',
  ],
  [
    'notification type',
    notification({ type: 'click' }),
    notification({ type: 'view' }),
    'notifications[0].type',
  ],
  [
    'notification timestamp',
    notification({}),
    notification({ timestamp: '1' }),
    'notifications[0].timestamp',
  ],
  [
    'notification timestamp required',
    notification({}),
    notification({ timestamp: undefined }),
    'notifications[0].timestamp',
  ],
  [
    'notification tokens',
    notification({ tokens: ['t'] }),
    notification({ tokens: [null] }),
    'notifications[0].tokens[0]',
  ],
  [
    'mbox or view',
    notification({ view: { name: 'v' } }),
    notification({ view: {}, mbox: {} }),
    'notifications[0]',
  ],
  ['notification mbox blank', named('a'), named(' '), 'notifications[0].mbox.name'],
  ['notification mbox length', named(long(250)), named(long(251)), 'notifications[0].mbox.name'],
  ['notification mbox suffix', named('a-clicked-b'), named('a-clicked'), 'notifications[0].mbox.name'],
  ['notification mbox reserved', named('any mboxes'), named('any mbox'), 'notifications[0].mbox.name'],
  ['notification mbox displays', named('display'), named('display mboxes'), 'notifications[0].mbox.name'],
  [
    'notification mbox clicks',
    named('click'),
    named('click from display mbox'),
    'notifications[0].mbox.name',
  ],
  [
    'notification mbox characters',
    named('Ab-9,./=`:;&!@#$%^&*()+|?~[]{}_ é'),
    named('a"b'),
    'notifications[0].mbox.name',
  ],
  ['notification mbox brackets', named('a'), named('<a>'), 'notifications[0].mbox.name'],
  [
    'telemetry mode',
    { telemetry: { entries: [{ requestId: 'r', timestamp: 1, execution: 1.25, mode: 'edge' }] } },
    { telemetry: { entries: [{ mode: 'server' }] } },
    'telemetry.entries[0].mode',
  ],
  [
    'QA index',
    { qaMode: { previewIndexes: [{ activityIndex: 1, experienceIndex: null }] } },
    { qaMode: { previewIndexes: [{ activityIndex: 0 }] } },
    'qaMode.previewIndexes[0].activityIndex',
  ],
  [
    'QA list not empty',
    { qaMode: { token: 't' } },
    { qaMode: { previewIndexes: [] } },
    'qaMode.previewIndexes',
  ],
  ['preview token', { preview: { token: 't' } }, { preview: { token: 1 } }, 'preview.token'],
];

/** What each place of PLACES holds: good, wrong, and where below the place. */
const DETAILS: readonly [rule: string, good: object, bad: object, path: string][] = [
  ['parameter count', { parameters: many(100) }, { parameters: many(101) }, '.parameters'],
  ['parameter names not blank', { parameters: { a: '' } }, { parameters: { ' ': 'v' } }, '.parameters'],
  [
    'parameter name length',
    { parameters: { [long(128)]: 'v' } },
    { parameters: { [long(129)]: 'v' } },
    '.parameters',
  ],
  ['parameter prefix', { parameters: { profile: 'v' } }, { parameters: { 'profile.a': 'v' } }, '.parameters'],
  [
    'parameter value length',
    { parameters: { a: long(5000) } },
    { parameters: { a: long(5001) } },
    '.parameters.a',
  ],
  ['parameter value type', { parameters: { a: '1' } }, { parameters: { a: 1 } }, '.parameters.a'],
  [
    'reserved parameters',
    { profileParameters: { orderId: '1' } },
    { parameters: { orderId: '1' } },
    '.parameters',
  ],
  [
    'profile parameter count',
    { profileParameters: many(100) },
    { profileParameters: many(101) },
    '.profileParameters',
  ],
  [
    'profile parameter prefix',
    { profileParameters: { a: 'v' } },
    { profileParameters: { 'profile.a': 'v' } },
    '.profileParameters',
  ],
  ['order id length', { order: { id: long(250) } }, { order: { id: long(251) } }, '.order.id'],
  ['order total', { order: { total: 0 } }, { order: { total: -0.01 } }, '.order.total'],
  [
    'order time',
    { order: { time: '2026-01-31T10:00:00Z' } },
    { order: { time: 'yesterday' } },
    '.order.time',
  ],
  [
    'product id length',
    { order: { purchasedProductIds: [long(50)] } },
    { order: { purchasedProductIds: [long(51)] } },
    '.order.purchasedProductIds[0]',
  ],
  [
    'product id blank',
    { order: { purchasedProductIds: ['a'] } },
    { order: { purchasedProductIds: ['a', ''] } },
    '.order.purchasedProductIds[1]',
  ],
  [
    'product ids in all',
    { order: { purchasedProductIds: [...Array(4).fill(long(49)), long(50)] } },
    { order: { purchasedProductIds: Array(5).fill(long(50)) } },
    '.order.purchasedProductIds',
  ],
  [
    'experienceLocalId',
    { order: { experienceLocalId: 2 ** 31 - 1 } },
    { order: { experienceLocalId: 2 ** 31 } },
    '.order.experienceLocalId',
  ],
  ['product id', { product: { id: long(128) } }, { product: { id: long(129) } }, '.product.id'],
  [
    'product category',
    { product: { categoryId: 'c' } },
    { product: { categoryId: ' ' } },
    '.product.categoryId',
  ],
  [
    'product category length',
    { product: { categoryId: long(256) } },
    { product: { categoryId: long(257) } },
    '.product.categoryId',
  ],
  [
    'address',
    { address: { referringUrl: long(4096) } },
    { address: { referringUrl: long(4097) } },
    '.address.referringUrl',
  ],
  ['unknown fields', {}, { paramters: {} }, '.paramters'],
];

let edge: TargetEdge;
beforeAll(async () => {
  edge = await startTargetEdge();
});
afterAll(() => edge.close());

async function expectRefusal(body: object, path: string): Promise<void> {
  const { status, text } = await deliver(edge, body);
  const answer = JSON.parse(text);
  expect(answer).toEqual({ status: 400, message: expect.stringContaining(`Invalid request: ${path} `) });
  expect(status).toBe(400);
  expect(edge.lastRequest?.violations.map((violation) => violation.path)).toEqual([path]);
}

describe('a body', () => {
  test.each(RULES)('is checked: %s', async (_rule, good, bad, path) => {
    expect(await deliver(edge, { context: CONTEXT, ...good })).toMatchObject({ status: 200 });
    await expectRefusal({ context: CONTEXT, ...bad }, path);
  });

  describe.each(Object.entries(PLACES))('with %s', (place, put) => {
    test.each(DETAILS)('is checked: %s', async (_rule, good, bad, path) => {
      expect(await deliver(edge, { context: CONTEXT, ...put(good) })).toMatchObject({ status: 200 });
      await expectRefusal({ context: CONTEXT, ...put(bad) }, place + path);
    });
  });

  test.each([
    ['[]', 'the body is wrong'],
    ['null', 'the body is wrong'],
    ['"text"', 'the body is wrong'],
    ['{', 'the body is not JSON'],
    ['', 'the body is not JSON'],
    ['{"context":{"channel":"web"},"\\ud800":1}', 'the body holds a name that is not well-formed Unicode'],
    ['{"context":{"channel":"web"},"__proto__":{}}', '__proto__ is not a field'],
    ['{"context":{"channel":"web"},"a/b~c%2Fd":{}}', 'a/b~c%2Fd is not a field'],
  ])('%s is refused', async (body, message) => {
    const { status, text } = await deliver(edge, body);
    expect([status, JSON.parse(text).message]).toEqual([400, expect.stringContaining(message)]);
  });

  test('with parameters named like parts of objects is as good as any', async () => {
    const body = `{"context":{"channel":"web"},"execute":{"pageLoad":{"parameters":
      {"__proto__":"1","constructor":"2","toString":"3","a.b":"4"}}}}`;
    expect(await deliver(edge, body)).toMatchObject({ status: 200 });
  });

  test('is refused with everything that is wrong, the first five in the message', async () => {
    const mboxes = Array.from({ length: 7 }, () => ({}));
    const { text } = await deliver(edge, JSON.stringify({ context: CONTEXT, execute: { mboxes } }));
    expect(JSON.parse(text).message).toMatch(
      /^Invalid request: execute\.mboxes\[0\]\.index is required; .*; and 9 more$/,
    );
    expect(edge.lastRequest?.violations).toHaveLength(14);
  });

  test('with unknown fields passes where the edge is not strict, but limits hold', async () => {
    await using loose = await startTargetEdge({ strict: false });
    const body = {
      context: { ...CONTEXT, extra: 1 },
      more: {},
      execute: { mboxes: [{ index: 1, name: 'm', other: 2 }] },
    };
    expect(await deliver(loose, body)).toMatchObject({ status: 200 });
    expect(await deliver(loose, { ...body, requestId: long(129) })).toMatchObject({ status: 400 });
  });
});

describe('a query', () => {
  test.each([
    ['?sessionId=s', '?imsOrgId'],
    ['?imsOrgId=%20&sessionId=s', '?imsOrgId'],
    ['?imsOrgId=o', '?sessionId'],
    ['?imsOrgId=o&sessionId=', '?sessionId'],
    [`?imsOrgId=o&sessionId=${long(129)}`, '?sessionId'],
    ['?imsOrgId=o&sessionId=a%20b', '?sessionId'],
    ['?imsOrgId=o&sessionId=a%3Fb', '?sessionId'],
    ['?imsOrgId=o&sessionId=a%2Fb', '?sessionId'],
    ['?imsOrgId=o&sessionId=a%0Ab', '?sessionId'],
    ['?imsOrgId=o&sessionId=s&verison=1', '?verison'],
  ])('%s is refused', async (query, path) => {
    const { status, text } = await deliver(edge, { context: CONTEXT }, { query });
    expect([status, JSON.parse(text).message]).toEqual([
      400,
      expect.stringContaining(`Invalid request: ${path} `),
    ]);
  });

  test.each([`?imsOrgId=o&sessionId=${long(128)}`, '?imsOrgId=o&sessionId=s%23%26%C3%A9&version=2.11.4'])(
    '%s is good',
    async (query) => {
      expect(await deliver(edge, { context: CONTEXT }, { query })).toMatchObject({ status: 200 });
    },
  );
});
