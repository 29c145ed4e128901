import { describe, expect, test } from '@jest/globals';
import type { DeliveryRequest, GetOffersOptions, TargetClientConfig } from '../src/index.js';
import { CONVERSIONS, requestWith, valueAt } from './fixtures/conversions.js';
import { flagsArtifact } from './fixtures/flags.js';
import { deepFreeze, listeningLogger, targetErrorOf, withEdge } from './with-edge.js';

const bench = withEdge();
const { connect, received, sent } = bench;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const SDID = expect.stringMatching(/^[0-9A-F]{16}-[0-9A-F]{16}$/);
const EXECUTE = { mboxes: [{ name: 'hero' }] };

/** Sends a request; unchecked, as a JavaScript caller would write it. */
const ask = (request: unknown) => connect().getOffers({ request: request as DeliveryRequest });
const askWith = (request: object) => ask({ execute: EXECUTE, ...request });

describe('one delivery call', () => {
  test('is a POST with the headers and query of the API', async () => {
    await ask({ execute: EXECUTE });
    const { method, path, query, headers } = received();
    expect([method, path]).toEqual(['POST', '/rest/v1/delivery']);
    expect(query).toEqual({ imsOrgId: 'DEMO@AdobeOrg', sessionId: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'x-exc-sdk': 'AdobeTargetNode',
      'x-exc-sdk-version': expect.stringMatching(/^\d+\.\d+\.\d+/),
      'x-request-id': expect.stringMatching(UUID),
    });
  });

  test('has an X-Request-Id of its own', async () => {
    const client = connect();
    await client.getOffers({ request: { execute: EXECUTE } });
    await client.getOffers({ request: { execute: EXECUTE } });
    const [first, second] = bench.edge.requests.map(({ headers }) => headers['x-request-id']);
    expect(first).not.toBe(second);
  });

  test('holds the least that the API needs', async () => {
    await ask({ context: { channel: 'web' }, execute: EXECUTE });
    expect(received().body).toEqual({
      requestId: expect.stringMatching(UUID),
      impressionId: expect.stringMatching(UUID),
      context: { channel: 'web' },
      experienceCloud: { analytics: { logging: 'server_side', supplementalDataId: SDID } },
      execute: { mboxes: [{ name: 'hero', index: 0 }] },
    });
  });
});

describe('impressionId', () => {
  const PREFETCH = { mboxes: [{ name: 'hero' }] };
  const CLICK = { id: 'n1', type: 'click', timestamp: 1, mbox: { name: 'hero' } };

  test.each<[string, object, string | undefined]>([
    ['is new for what is executed', { execute: EXECUTE }, UUID.source],
    ['is new for a page load', { execute: { pageLoad: {} } }, UUID.source],
    ['is new where the caller’s is empty', { execute: EXECUTE, impressionId: '' }, UUID.source],
    ['is the caller’s', { execute: EXECUTE, impressionId: 'i1' }, '^i1$'],
    ['is the caller’s without execute, too', { prefetch: PREFETCH, impressionId: 'i2' }, '^i2$'],
    ['is absent where nothing is counted', { prefetch: PREFETCH }, undefined],
    ['is absent from reports', { notifications: [CLICK] }, undefined],
  ])('%s', async (_, request, pattern) => {
    const frozen = deepFreeze(request);
    const answer = await ask(frozen);
    if (pattern === undefined) {
      expect(sent()).not.toHaveProperty('impressionId');
    } else {
      expect(sent().impressionId).toMatch(new RegExp(pattern));
    }
    expect(answer.request.impressionId).toBe(sent().impressionId);
  });

  test('is another one for each call', async () => {
    const client = connect();
    for (let call = 0; call < 3; call += 1) {
      await client.getAttributes(['hero']);
    }
    expect(new Set(bench.edge.requests.map(({ delivery }) => delivery?.impressionId)).size).toBe(3);
  });

  test.each<[string, Partial<TargetClientConfig>]>([
    ['server-side', {}],
    ['hybrid', { decisioningMethod: 'hybrid', targetLocationHint: '35', artifactPayload: flagsArtifact() }],
  ])('is the same on every attempt: %s', async (_, config) => {
    const client = connect({ timeout: 10_000, retry: { retries: 3, minTimeout: 0 }, ...config });
    bench.edge.fault({ kind: 'reset' }, { times: 1 });
    bench.edge.fault({ kind: 'truncate' }, { times: 1 });
    bench.edge.fault({ kind: 'status', status: 503 }, { times: 1 });
    const { request } = await client.getOffers({ request: { execute: { mboxes: [{ name: 'far' }] } } });
    const attempts = bench.edge.requestsTo('/rest/v1/delivery');
    expect(attempts.map(({ delivery }) => delivery?.impressionId)).toEqual(
      Array(4).fill(request.impressionId),
    );
    expect(request.impressionId).toMatch(UUID);
  });
});

describe('defaults', () => {
  test('requestId is the given one, else a new uuid', async () => {
    await askWith({ requestId: 'mine' });
    expect(sent().requestId).toBe('mine');
    await askWith({ requestId: '' });
    expect(sent().requestId).toMatch(UUID);
  });

  test('ids are there only when they are not empty', async () => {
    await askWith({ id: { tntId: '', thirdPartyId: '', marketingCloudVisitorId: '', customerIds: [] } });
    expect(sent()).not.toHaveProperty('id');
    const id = { tntId: 'a.35_0', thirdPartyId: 'b', marketingCloudVisitorId: 'c' };
    await askWith({ id });
    expect(sent().id).toEqual(id);
  });

  test.each([{}, { token: '' }, { token: undefined }, { token: null }])(
    'property %j is left out',
    async (property) => {
      await askWith({ property });
      expect(sent()).not.toHaveProperty('property');
    },
  );

  test.each([
    [undefined, 'web'],
    [null, 'web'],
    ['', 'web'],
    ['web', 'web'],
    ['mobile', 'mobile'],
  ])('the channel %p is %s', async (channel, expected) => {
    await askWith({ context: { channel, userAgent: 'ua' } });
    expect(sent().context).toEqual({ channel: expected, userAgent: 'ua' });
  });

  test("timeOffsetInMinutes is the server's when no context was given at all", async () => {
    await ask({ execute: EXECUTE });
    expect(sent().context).toEqual({
      channel: 'web',
      timeOffsetInMinutes: 0 - new Date().getTimezoneOffset(),
    });
  });

  test.each([{}, { channel: 'web' }, { userAgent: '' }])(
    'timeOffsetInMinutes is absent with the context %j',
    async (context) => {
      await askWith({ context });
      expect(sent().context).toEqual({ channel: 'web' });
    },
  );

  test.each([-480, 0, 330.5])("timeOffsetInMinutes %d is the caller's", async (timeOffsetInMinutes) => {
    await askWith({ context: { timeOffsetInMinutes } });
    expect(sent().context).toEqual({ channel: 'web', timeOffsetInMinutes });
  });

  test('analytics logging is server_side, and tracking servers pass', async () => {
    const servers = { trackingServer: 'a.example.com', trackingServerSecure: 'b.example.com' };
    await askWith({ experienceCloud: { analytics: servers } });
    expect(sent().experienceCloud?.analytics).toEqual({
      ...servers,
      logging: 'server_side',
      supplementalDataId: SDID,
    });
    await askWith({ experienceCloud: { analytics: { logging: 'client_side' } } });
    expect(sent().experienceCloud?.analytics?.logging).toBe('client_side');
  });

  test.each<[string, unknown, string]>([
    ['telemetry', 5, 'telemetry'],
    ['telemetry without a list', { entries: 'abc' }, 'telemetry.entries'],
    ['telemetry that is an object', { entries: { a: 1 } }, 'telemetry.entries'],
  ])('%s is refused by name, whatever waits to go along with it', async (_, telemetry, path) => {
    const error = await targetErrorOf(() => askWith({ telemetry } as never));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path });
  });

  test('empty texts, objects and lists, null and undefined are left out', async () => {
    await ask({
      impressionId: '',
      id: {},
      qaMode: { token: '', previewIndexes: [], evaluateAsTrueAudienceIds: [] },
      preview: {},
      trace: null,
      telemetry: undefined,
      notifications: [],
      context: { channel: 'web', address: {}, geo: { city: '' }, screen: {}, browser: { host: '' } },
      execute: {
        pageLoad: null,
        mboxes: [{ name: 'a', parameters: {}, order: { id: '' }, product: {}, address: { url: '' } }],
      },
      prefetch: null,
    });
    expect(received().body).toEqual({
      requestId: expect.any(String),
      impressionId: expect.any(String),
      context: { channel: 'web' },
      experienceCloud: expect.any(Object),
      execute: { mboxes: [{ name: 'a', index: 0 }] },
    });
  });

  test('a page load and a view stay though they are empty', async () => {
    await ask({ execute: { pageLoad: {} }, prefetch: { pageLoad: {}, views: [{}] } });
    expect(sent()).toMatchObject({ execute: { pageLoad: {} }, prefetch: { pageLoad: {}, views: [{}] } });
  });
});

describe('mboxes', () => {
  test.each(['execute', 'prefetch'] as const)('without an index get their position: %s', async (part) => {
    await ask({ [part]: { mboxes: [{ name: 'a' }, { name: 'b' }] } });
    expect(sent()[part]?.mboxes).toEqual([
      { name: 'a', index: 0 },
      { name: 'b', index: 1 },
    ]);
  });

  test('keep the index they have, and nobody gets it twice', async () => {
    await ask({
      execute: { mboxes: [{ name: 'a', index: 1 }, { name: 'b' }, { name: 'c', index: -5 }, { name: 'd' }] },
    });
    expect(sent().execute?.mboxes?.map(({ index }) => index)).toEqual([1, 2, -5, 3]);
    expect(received().status).toBe(200);
  });

  test('without a name are left out with a warning, and do not count', async () => {
    const { lines, logger } = listeningLogger();
    const mboxes = [{}, { name: '' }, { name: 'a' }, { index: 3 }, { name: undefined }, { name: 'b' }];
    await connect({ logger }).getOffers({ request: { execute: { mboxes } } as unknown as DeliveryRequest });
    expect(sent().execute?.mboxes).toEqual([
      { name: 'a', index: 0 },
      { name: 'b', index: 1 },
    ]);
    expect(lines.warn).toEqual(
      [0, 1, 3, 4].map(
        (position) => `AT: left out of the request: the mbox at position ${position}, which has no name`,
      ),
    );
  });

  test.each(['__proto__', 'constructor', 'toString', 'ü 日本 😀', 'a/b?c#d'])(
    'may be called %s',
    async (name) => {
      await ask({ execute: { mboxes: [{ name }] } });
      expect(sent().execute?.mboxes?.[0]?.name).toBe(name);
    },
  );
});

describe('parameters', () => {
  const parametersSent = () => sent().execute?.mboxes?.[0]?.parameters;

  test('numbers and booleans become strings; null and undefined are left out; empty texts stay', async () => {
    await ask({
      execute: {
        mboxes: [
          {
            name: 'a',
            parameters: {
              int: 5,
              float: -1.5,
              zero: 0,
              yes: true,
              no: false,
              empty: '',
              none: null,
              gone: undefined,
              text: 'x',
            },
          },
        ],
        pageLoad: { profileParameters: { age: 42, vip: true } },
      },
    });
    expect(parametersSent()).toEqual({
      int: '5',
      float: '-1.5',
      zero: '0',
      yes: 'true',
      no: 'false',
      empty: '',
      text: 'x',
    });
    expect(sent().execute?.pageLoad?.profileParameters).toEqual({ age: '42', vip: 'true' });
  });

  test('names such as __proto__ are plain data and reach no prototype', async () => {
    const text =
      '{"__proto__":"p","constructor":"c","__proto__.polluted":"x","constructor.prototype.polluted":"y","a.b":"z"}';
    await ask({ execute: { mboxes: [{ name: 'a', parameters: JSON.parse(text) }] } });
    expect(received().rawBody).toContain(`"parameters":${text}`);
    expect(({} as { polluted?: string }).polluted).toBeUndefined();
  });

  test('inherited ones are not sent', async () => {
    const parameters = Object.assign(Object.create({ inherited: 'no' }), { own: 'yes' });
    await ask({
      execute: { mboxes: [Object.assign(Object.create({ index: 9 }), { name: 'a', parameters })] },
    });
    expect(sent().execute?.mboxes).toEqual([{ name: 'a', index: 0, parameters: { own: 'yes' } }]);
  });

  test.each([
    ['an object', {}, 'an object'],
    ['a list of an object', ['x', {}], 'an object'],
    ['a list of lists', [['x']], 'an array of 1'],
    ['NaN', Number.NaN, 'the number NaN'],
    ['infinity', Number.POSITIVE_INFINITY, 'the number Infinity'],
    ['a BigInt', 5n, 'a bigint'],
    ['a function', () => 'x', 'a function'],
    ['a symbol', Symbol('x'), 'a symbol'],
  ])('cannot be %s', async (_, value, came) => {
    const error = await targetErrorOf(() =>
      ask({ execute: { mboxes: [{ name: 'a', parameters: { 'my p': value } }] } }),
    );
    expect(error).toMatchObject({
      code: 'ERR_TARGET_INVALID_REQUEST',
      path: 'execute.mboxes[0].parameters["my p"]',
      message: `execute.mboxes[0].parameters["my p"] must be a string, a number or a boolean, not ${came}`,
    });
  });
});

describe('what is asked for', () => {
  test.each([
    ['execute', {}, 'execute needs pageLoad or mboxes'],
    ['execute', { mboxes: [] }, 'execute needs pageLoad or mboxes'],
    [
      'execute',
      { mboxes: [{}] },
      'execute needs pageLoad or mboxes; left out: the mbox at position 0, which has no name',
    ],
    ['prefetch', {}, 'prefetch needs views, pageLoad or mboxes'],
    ['prefetch', { views: [], mboxes: [] }, 'prefetch needs views, pageLoad or mboxes'],
  ])('%s of %j is nothing', async (part, value, message) => {
    const error = await targetErrorOf(() => ask({ prefetch: { pageLoad: {} }, [part]: value }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path: part, message });
  });

  test('an empty request asks for nothing', async () => {
    expect(await targetErrorOf(() => ask({}))).toMatchObject({
      code: 'ERR_TARGET_INVALID_REQUEST',
      path: 'request',
    });
  });

  test('a context alone goes out', async () => {
    await ask({ context: { channel: 'web' } });
    expect(received().status).toBe(200);
  });
});

describe('everything in the OpenAPI schema passes through', () => {
  const details = {
    address: { url: 'https://example.com/?a=1', referringUrl: 'https://example.org/' },
    parameters: { a: '1' },
    profileParameters: { b: '2' },
    order: {
      id: 'o1',
      total: 10.5,
      purchasedProductIds: ['p1', 'p2'],
      time: '2024-01-01T00:00:00Z',
      experienceLocalId: 1,
      duplicate: false,
      outlier: true,
    },
    product: { id: 'p1', categoryId: 'c1' },
  };
  const everything: DeliveryRequest = {
    requestId: 'r1',
    impressionId: 'i1',
    id: {
      tntId: 'abc.35_0',
      thirdPartyId: 't1',
      marketingCloudVisitorId: '123',
      customerIds: [{ id: '1', integrationCode: 'crm', authenticatedState: 'logged_out' }],
    },
    environmentId: 1,
    property: { token: 'p' },
    trace: { authorizationToken: 'a', usage: { k: 'v' } },
    context: {
      channel: 'web',
      mobilePlatform: { deviceName: 'd', deviceType: 'tablet', platformType: 'ios', version: '1' },
      application: { id: 'a', name: 'n', version: '1' },
      screen: { width: 1, height: 2.5, colorDepth: 24, pixelRatio: 1.5, orientation: 'landscape' },
      window: { width: 0, height: 1 },
      browser: { host: 'h', language: 'de-CH', webGLRenderer: 'w' },
      address: details.address,
      geo: {
        ipAddress: '127.0.0.1',
        latitude: -1.5,
        longitude: 0,
        countryCode: 'CH',
        stateCode: 'ZH',
        city: 'Zürich',
        zip: '8000',
      },
      timeOffsetInMinutes: 60,
      userAgent: 'ua',
      clientHints: {
        mobile: false,
        model: 'm',
        platform: 'p',
        platformVersion: '1',
        browserUAWithMajorVersion: '"A";v="1"',
        browserUAWithFullVersion: '"A";v="1.2"',
        architecture: 'arm',
        bitness: '64',
      },
      beacon: false,
    },
    experienceCloud: {
      audienceManager: { locationHint: 9, blob: 'b' },
      analytics: {
        supplementalDataId: '0123456789ABCDEF-0123456789ABCDEF',
        logging: 'client_side',
        trackingServer: 't',
        trackingServerSecure: 's',
      },
    },
    execute: { pageLoad: details, mboxes: [{ ...details, name: 'a', index: 3 }] },
    prefetch: {
      views: [{ ...details, name: 'v', key: 'k' }],
      pageLoad: details,
      mboxes: [{ ...details, name: 'b', index: 4 }],
    },
    telemetry: { entries: [{ requestId: 'r0', timestamp: 1, execution: 1.5, mode: 'edge' }] },
    notifications: [
      {
        ...details,
        id: 'n1',
        impressionId: 'i',
        type: 'display',
        timestamp: 1,
        tokens: ['t'],
        view: { name: 'v', key: 'k', state: 's' },
      },
    ],
    qaMode: {
      token: 'q',
      listedActivitiesOnly: true,
      evaluateAsTrueAudienceIds: [1],
      evaluateAsFalseAudienceIds: [2, 3],
      previewIndexes: [{ activityIndex: 1, experienceIndex: 2 }],
    },
    preview: { token: 'p' },
  };

  test('unchanged, from a request that is frozen through and through', async () => {
    await ask(deepFreeze(structuredClone(everything)));
    expect(received().body).toEqual(everything);
    expect(received().violations).toEqual([]);
  });

  test('and nothing of it is shared with the caller', async () => {
    const request = structuredClone(everything);
    const { request: answered } = await connect().getOffers({ request });
    (answered.execute?.mboxes?.[0]?.parameters as Record<string, string>).a = 'changed';
    expect(request).toEqual(everything);
  });

  test('unknown fields do not, with a warning', async () => {
    const { lines, logger } = listeningLogger();
    await connect({ logger }).getOffers({
      request: {
        execute: { mboxes: [{ name: 'a', colour: 'red' }] },
        config: {},
        toString: 1,
      } as unknown as DeliveryRequest,
    });
    expect(received().status).toBe(200);
    expect(lines.warn.sort()).toEqual(
      ['colour', 'config', 'toString'].map(
        (field) => `AT: left out of the request: the unknown field "${field}"`,
      ),
    );
  });

  test('a trace without a token and an unknown IP address stay here', async () => {
    await askWith({ trace: {}, context: { geo: { ipAddress: 'unknownIpAddress', city: 'Bern' } } });
    expect(sent()).not.toHaveProperty('trace');
    expect(sent().context?.geo).toEqual({ city: 'Bern' });
  });

  test('an unknown IP address alone leaves no place', async () => {
    await askWith({ context: { channel: 'web', geo: { ipAddress: 'unknownIpAddress' } } });
    expect(sent().context).not.toHaveProperty('geo');
  });

  test.each([
    '999.1.1.1',
    '::ffff:999.1.1.1',
    'localhost',
    '1.2.3',
    '<script>',
    `${'1'.repeat(100_000)}`,
    5,
    {},
  ])('an ipAddress that is not an IP address is left out (%#)', async (ipAddress) => {
    await askWith({ context: { geo: { ipAddress, city: 'Bern' } } });
    expect(sent().context?.geo).toEqual({ city: 'Bern' });
  });

  test.each(['::ffff:192.0.2.1', '::FFFF:192.0.2.1'])(
    'the ipAddress %s is the IPv4 address that it stands for',
    async (ipAddress) => {
      await askWith({ context: { geo: { ipAddress } } });
      expect(sent().context?.geo).toEqual({ ipAddress: '192.0.2.1' });
    },
  );

  test.each(['127.0.0.1', '::1', '2001:db8::8a2e:370:7334'])('the ipAddress %s passes', async (ipAddress) => {
    await askWith({ context: { geo: { ipAddress } } });
    expect(sent().context?.geo).toEqual({ ipAddress });
  });
});

/** At the path, this value passes the strict edge, and that one is refused here. */
type Limit = readonly [path: string, passes: unknown, refused: unknown];
const text = (length: number) => 'x'.repeat(length);
const parameters = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`p${n}`, '1']));
const productIds = (length: number) => [
  'a'.repeat(50),
  'b'.repeat(50),
  'c'.repeat(50),
  'd'.repeat(50),
  'e'.repeat(length - 204),
];
const customers = (count: number) =>
  Array.from({ length: count }, () => ({ id: '1', integrationCode: 'a', authenticatedState: 'unknown' }));

const mboxes = (count: number) => Array.from({ length: count }, (_, index) => ({ name: 'm', index }));

const DETAIL_LIMITS: readonly Limit[] = [
  ['parameters', parameters(100), parameters(101)],
  ['profileParameters', parameters(100), parameters(101)],
  ['parameters', { [text(128)]: '1' }, { [text(129)]: '1' }],
  ['profileParameters', { [text(128)]: '1' }, { [text(129)]: '1' }],
  ['order.id', text(250), text(251)],
  ['order.total', 0, -0.01],
  ['order.experienceLocalId', 2_147_483_647, 2_147_483_648],
  ['order.experienceLocalId', 0, -1],
  ['order.purchasedProductIds[0]', text(50), text(51)],
  ['order.purchasedProductIds', productIds(250 - 0), productIds(251)],
  ['product.id', text(128), text(129)],
  ['product.categoryId', text(256), text(257)],
];
const LOCATIONS = [
  'execute.pageLoad',
  'execute.mboxes[0]',
  'prefetch.pageLoad',
  'prefetch.views[0]',
  'prefetch.mboxes[0]',
  'notifications[0]',
];

const LIMITS: readonly Limit[] = [
  ['requestId', text(128), text(129)],
  ['impressionId', text(128), text(129)],
  ['id.tntId', text(128), text(129)],
  ['id.thirdPartyId', text(256), text(257)],
  ['id.marketingCloudVisitorId', text(128), text(129)],
  ['id.customerIds', customers(50), customers(51)],
  ['id.customerIds[0].id', text(128), text(129)],
  ['id.customerIds[0].integrationCode', text(50), text(51)],
  ['context.mobilePlatform.version', text(128), text(129)],
  ['context.application.id', text(250), text(251)],
  ['context.application.name', text(250), text(251)],
  ['context.application.version', text(128), text(129)],
  ['experienceCloud.audienceManager.locationHint', 1, 0],
  ['experienceCloud.audienceManager.blob', text(1024), text(1025)],
  ['execute.mboxes[0].index', 2_147_483_647, 2_147_483_648],
  ['execute.mboxes[0].index', -2_147_483_648, -2_147_483_649],
  ['execute.mboxes', mboxes(50), mboxes(51)],
  ['prefetch.mboxes', mboxes(50), mboxes(51)],
  ['prefetch.views[0].name', text(128), text(129)],
  ['prefetch.views[0].key', text(512), text(513)],
  ['notifications[0].id', text(200), text(201)],
  ['notifications[0].impressionId', text(128), text(129)],
  ['notifications[0].mbox.name', text(250), text(251)],
  ['notifications[0].view.name', text(128), text(129)],
  ['notifications[0].view.key', text(512), text(513)],
  ['qaMode.previewIndexes[0].activityIndex', 1, 0],
  ['qaMode.previewIndexes[0].experienceIndex', 1, 0],
  ...LOCATIONS.flatMap((location) =>
    DETAIL_LIMITS.map(([path, passes, refused]): Limit => [`${location}.${path}`, passes, refused]),
  ),
];

const WRONG_TYPES: readonly (readonly [path: string, ...wrong: unknown[]])[] = [
  [
    'requestId',
    {},
    [],
    Number.NaN,
    5n,
    { toJSON: () => ({}) },
    { toJSON: () => 2 ** 53 },
    new Date(Number.NaN),
  ],
  ['id', 'x', []],
  ['id.tntId', {}, 2 ** 53, Number.POSITIVE_INFINITY],
  ['id.customerIds', {}, 'x'],
  ['id.customerIds[0]', 'x', 5],
  ['id.customerIds[0].authenticatedState', 'yes', 3, '3', 0.5, -1, {}],
  ['environmentId', 'x', 1.5, Number.NaN, 2 ** 53, '1.5', '0x1', true],
  ['property', 'token'],
  ['property.token', {}],
  ['context', 'web', []],
  ['context.channel', 'tv', 5, 'constructor'],
  ['context.mobilePlatform.deviceType', 'watch'],
  ['context.screen.width', 'wide', '5px', Number.NaN],
  ['context.screen.orientation', 'square'],
  ['context.userAgent', {}],
  ['context.timeOffsetInMinutes', 'x', Number.NaN, true, '1e999'],
  ['context.beacon', 'yes', 1, 'TRUE'],
  ['context.geo.latitude', 'north'],
  ['context.clientHints.mobile', 1, {}],
  ['experienceCloud.audienceManager.locationHint', '9.5', 1.5],
  ['experienceCloud.analytics.logging', 'server-side'],
  ['execute', 'x', [], 5],
  ['execute.pageLoad', 'x', 1, []],
  ['execute.mboxes', {}, 'x'],
  ['execute.mboxes[0]', 'hero', 5, []],
  ['execute.mboxes[0].name', {}, Symbol('x')],
  ['execute.mboxes[0].index', 'x', 1.5, Number.NaN, 1n],
  ['execute.mboxes[0].parameters', 'x', [], 5],
  ['execute.mboxes[0].order.total', 'x', Number.NaN, 5n, '-1'],
  ['execute.mboxes[0].order.time', 5],
  ['prefetch.views', {}],
  ['prefetch.views[0].name', {}],
  ['notifications', {}, 'x'],
  ['notifications[0].tokens', 'x'],
  ['notifications[0].tokens[0]', {}],
  ['qaMode.evaluateAsTrueAudienceIds[0]', 'x', 1.5],
  ['qaMode.listedActivitiesOnly', 'yes'],
  ['preview.token', {}],
  ['trace', 'on', true],
  ['trace.usage.a', () => 1, 5n, Number.NaN],
];

describe('the limits of the API', () => {
  test.each(LIMITS)(
    '%s: at the limit passes, beyond is ERR_TARGET_INVALID_REQUEST there (%#)',
    async (path, passes, refused) => {
      await ask(requestWith(path, passes));
      expect(received()).toMatchObject({ status: 200, violations: [] });
      bench.edge.clearRequests();
      const error = await targetErrorOf(() => ask(requestWith(path, refused)));
      expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path });
      expect(error.message).toMatch(path);
      expect(bench.edge.requests).toHaveLength(0);
    },
  );

  test.each(LOCATIONS)(
    '%s.parameters: a value at the limit passes, beyond is refused by its name',
    async (location) => {
      for (const field of ['parameters', 'profileParameters']) {
        await ask(requestWith(`${location}.${field}`, { a: text(5000) }));
        expect(received()).toMatchObject({ status: 200, violations: [] });
        const error = await targetErrorOf(() => ask(requestWith(`${location}.${field}`, { a: text(5001) })));
        expect(error.path).toBe(`${location}.${field}["a"]`);
      }
    },
  );

  test('are counted for the parameters that are sent', async () => {
    const sparse = { ...parameters(100), gone: undefined, none: null };
    await ask(requestWith('execute.mboxes[0].parameters', sparse));
    expect(received().status).toBe(200);
  });

  test('the place is named in a long list', async () => {
    const mboxes = [{ name: 'a' }, { name: 'b' }, { name: 'c', parameters: parameters(101) }];
    expect(await targetErrorOf(() => ask({ execute: { mboxes } }))).toMatchObject({
      path: 'execute.mboxes[2].parameters',
      message: 'execute.mboxes[2].parameters must be at most 100 parameters, not an object',
    });
  });
});

describe('what says the same in another form is converted', () => {
  test.each(CONVERSIONS)('%s (%#)', async (path, written, wanted) => {
    await ask(deepFreeze(requestWith(path, written)));
    expect(received().violations).toEqual([]);
    expect(received().status).toBe(path === 'context.beacon' && wanted ? 204 : 200);
    // The visitor's own id stands for one of a wrong form, and no place is sent that the edge does not take.
    const isOwn = path.endsWith('supplementalDataId');
    const expected = isOwn ? SDID : /geo\.(city|countryCode|stateCode)$/.test(path) ? undefined : wanted;
    expect(valueAt(sent(), path)).toEqual(expected);
  });
});

describe('a wrong type is ERR_TARGET_INVALID_REQUEST with its path', () => {
  const rows = WRONG_TYPES.flatMap(([path, ...wrong]) =>
    wrong.map((value): [string, unknown] => [path, value]),
  );
  test.each(rows)('%s (%#)', async (path, value) => {
    const error = await targetErrorOf(() => ask(requestWith(path, value)));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path });
    expect(error.message.startsWith(`${path} must be `)).toBe(true);
    expect(bench.edge.requests).toHaveLength(0);
  });

  test.each([
    ['deviceType', { platformType: 'ios' }],
    ['platformType', { deviceType: 'phone' }],
  ])('mobilePlatform needs %s', async (field, mobilePlatform) => {
    const error = await targetErrorOf(() => askWith({ context: { mobilePlatform } }));
    expect(error.path).toBe(`context.mobilePlatform.${field}`);
  });

  test('a customer id needs an integration code', async () => {
    const [whole] = customers(1);
    const error = await targetErrorOf(() =>
      askWith({ id: { customerIds: [{ ...whole, integrationCode: undefined }] } }),
    );
    expect(error.path).toBe('id.customerIds[0].integrationCode');
  });
});

describe('hostile requests', () => {
  const cycle: Record<string, unknown> = { a: 'b' };
  cycle.self = cycle;
  const deep = (depth: number): unknown => {
    let value: unknown = 'end';
    for (let level = 0; level < depth; level += 1) {
      value = { d: value };
    }
    return value;
  };
  const thrower = (name: string) =>
    Object.defineProperty({}, name, {
      enumerable: true,
      get() {
        throw new Error('secret-visitor');
      },
    });

  test.each([
    [
      'a cycle in parameters',
      { execute: { mboxes: [{ name: 'a', parameters: cycle }] } },
      'execute.mboxes[0].parameters["self"]',
    ],
    ['a cycle in usage', { trace: { authorizationToken: 'a', usage: cycle } }, /^trace\.usage(\.self)+\.a$/],
    ['too deep a usage', { trace: { authorizationToken: 'a', usage: deep(10_000) } }, /^trace\.usage(\.d)+$/],
    ['a getter of the request', thrower('execute'), 'execute'],
    ['a getter of an mbox', { execute: { mboxes: [thrower('name')] } }, 'execute.mboxes[0].name'],
    [
      'a getter of a parameter',
      { execute: { mboxes: [{ name: 'a', parameters: thrower('p') }] } },
      'execute.mboxes[0].parameters["p"]',
    ],
    ['a getter of the context', { context: thrower('channel') }, 'context.channel'],
    ['a getter of a notification', { notifications: [thrower('id')] }, 'notifications[0].id'],
    [
      'a proxy of a list',
      {
        execute: {
          mboxes: new Proxy([], {
            get: () => {
              throw new Error('secret-visitor');
            },
          }),
        },
      },
      /^execute\.mboxes/,
    ],
    [
      'a proxy of parameters',
      {
        execute: {
          mboxes: [
            {
              name: 'a',
              parameters: new Proxy(
                {},
                {
                  ownKeys: () => {
                    throw new Error('secret-visitor');
                  },
                },
              ),
            },
          ],
        },
      },
      /^execute\.mboxes\[0\]\.parameters/,
    ],
    [
      'a list that lies',
      { execute: { mboxes: new Proxy([], { get: (_, name) => (name === 'length' ? 1e9 : undefined) }) } },
      'execute.mboxes',
    ],
  ])('%s', async (_, request, path) => {
    const error = await targetErrorOf(() => ask(request));
    expect(error.code).toBe('ERR_TARGET_INVALID_REQUEST');
    if (typeof path === 'string') {
      expect(error.path).toBe(path);
    } else {
      expect(error.path).toMatch(path);
    }
    expect(error.message).not.toContain('secret-visitor');
    expect(bench.edge.requests).toHaveLength(0);
  });

  test('cycles in fields that are not sent do no harm', async () => {
    await askWith({ context: { channel: 'web', parent: cycle }, self: cycle });
    expect(received().status).toBe(200);
  });

  test('proxies that behave are read like any object', async () => {
    const transparent = (value: unknown): unknown =>
      typeof value === 'object' && value !== null
        ? new Proxy(value, {
            get: (target, name) => transparent(Reflect.get(target, name)),
            set: () => {
              throw new Error('was written to');
            },
            defineProperty: () => {
              throw new Error('was written to');
            },
            deleteProperty: () => {
              throw new Error('was written to');
            },
          })
        : value;
    const request = { id: { tntId: 'a' }, execute: { mboxes: [{ name: 'a', parameters: { n: 1 } }] } };
    await ask(transparent(request));
    expect(sent()).toMatchObject({
      id: { tntId: 'a' },
      execute: { mboxes: [{ name: 'a', parameters: { n: '1' } }] },
    });
  });

  test('objects without a prototype and class instances are read like any object', async () => {
    class Mbox {
      readonly name = 'a';
      readonly parameters = Object.assign(Object.create(null), { p: 1 });
    }
    await ask({ execute: { mboxes: [new Mbox()] } });
    expect(sent().execute?.mboxes).toEqual([{ name: 'a', index: 0, parameters: { p: '1' } }]);
  });

  test('half a surrogate pair goes through as JSON writes it', async () => {
    await ask({ execute: { mboxes: [{ name: 'a', parameters: { p: '\ud800' } }] } });
    expect(received().rawBody).toContain('"p":"\\ud800"');
  });

  test('a field that says undefined once and another thing later is read once', async () => {
    let reads = 0;
    const mbox = {
      get name() {
        reads += 1;
        return `name ${reads}`;
      },
    };
    await ask({ execute: { mboxes: [mbox] } });
    expect(sent().execute?.mboxes?.[0]?.name).toBe('name 1');
  });
});

test('lines above debug hold nothing of the visitor, and debug lines redact it', async () => {
  const { lines, logger } = listeningLogger();
  const options: GetOffersOptions = {
    request: {
      id: {
        tntId: 'secret-1',
        thirdPartyId: 'secret-2',
        customerIds: [{ id: 'secret-3', integrationCode: 'crm', authenticatedState: 'unknown' }],
      },
      trace: { authorizationToken: 'a' },
      context: {
        channel: 'web',
        address: { url: 'https://example.com/secret-4' },
        geo: { ipAddress: '192.0.2.55' },
      },
      execute: {
        mboxes: [
          { name: 'hero', parameters: { p: 'secret-5' }, profileParameters: { p: 'secret-6' } },
          { name: '' },
        ],
      },
    },
    sessionId: 'secret-7',
    visitorCookie: 'MCMID|987654321|MCAAMB|secret-8',
    targetCookie: `PC#secret-9.28_0#${2 ** 40}`,
  };
  await connect({ logger }).getOffers(options);
  expect(lines.debug.length).toBeGreaterThan(0);
  expect(lines.warn.length).toBeGreaterThan(0);
  const all = Object.values(lines).flat().join('\n');
  expect(all).not.toMatch(/secret|987654321|192\.0\.2\.55/);
  expect(all).toContain('hero');

  const unsafe = listeningLogger();
  await connect({ logger: { ...unsafe.logger, unsafe: true } }).getOffers(options);
  expect(unsafe.lines.debug.join('\n')).toContain('secret-5');
});

test('the time of an order may be a date', async () => {
  const order = { time: new Date(Date.UTC(2026, 0, 2, 3, 4, 5)) };
  await connect().getOffers({ request: { execute: { pageLoad: { order } } } });
  expect(sent().execute?.pageLoad?.order).toEqual({ time: '2026-01-02T03:04:05.000Z' });
  const error = await targetErrorOf(() =>
    connect().getOffers({ request: { execute: { pageLoad: { order: { time: new Date(Number.NaN) } } } } }),
  );
  expect(error).toMatchObject({ path: 'execute.pageLoad.order.time' });
});
