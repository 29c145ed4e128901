import { describe, expect, test } from '@jest/globals';
import type { GetOffersOptions, VisitorLike } from '../src/index.js';
import { Visitor } from '../src/index.js';
import { flagsArtifact } from './fixtures/flags.js';
import { listeningLogger, targetErrorOf, withEdge } from './with-edge.js';

const bench = withEdge();
const { connect, detour, received, sent } = bench;
const REQUEST = { execute: { mboxes: [{ name: 'hero' }] } };
const LATER = 2 ** 40;
const SDID = /^[0-9A-F]{16}-[0-9A-F]{16}$/;
const ORGANIZATION = 'DEMO@AdobeOrg';
const ECID = '12345678901234567890123456789012345678';
const AMCV = `-1712354808|MCIDTS|18145|MCMID|${ECID}|MCAAMLH-1568296160|9|MCAAMB-1568296160|RKhpRz8krg2t|MCOPTOUT-1567698560s|NONE|MCAID|NONE|vVersion|4.4.0`;

async function ask(options: Omit<GetOffersOptions, 'request'> & Partial<GetOffersOptions>) {
  return connect().getOffers({ request: REQUEST, ...options });
}

test.each(['targetLocationHint', 'targetLocationHintCookie'])(
  '%s: the value of a cookie may be a number',
  async (name) => {
    const { fetchApi, urls } = detour();
    await connect({ fetchApi, serverDomain: undefined }).getOffers({
      request: REQUEST,
      [name]: { name: 'mboxEdgeCluster', value: 35 },
    });
    expect(urls[0]?.host).toBe('mboxedge35.tt.omtrdc.net');
  },
);

describe('the mbox cookie', () => {
  test('gives session and tntId', async () => {
    await ask({ targetCookie: `session#s1#${LATER}|PC#abc.28_0#${LATER}` });
    expect(received().query.sessionId).toBe('s1');
    expect(sent().id).toEqual({ tntId: 'abc.28_0' });
  });

  test('gives its tntId only to a request that has none', async () => {
    await ask({
      request: { ...REQUEST, id: { tntId: 'own.29_0' } },
      targetCookie: `PC#abc.28_0#${LATER}`,
    });
    expect(sent().id?.tntId).toBe('own.29_0');
  });

  test('gives nothing once it is expired', async () => {
    const past = Math.floor(Date.now() / 1000) - 1;
    await ask({ targetCookie: `session#s1#${past}|PC#abc.28_0#${past}` });
    expect(received().query.sessionId).toMatch(/^[0-9a-f]{32}$/);
    expect(sent()).not.toHaveProperty('id');
  });

  test.each([
    ['an empty one', ''],
    ['percent signs', '%'],
    ['broken encoding', '%E0%A4%A'],
    ['hashes', '#'.repeat(10_000)],
    ['bars', '|'.repeat(10_000)],
    ['no expiry', 'session#s1|PC#abc'],
    ['a text for an expiry', 'session#s1#soon'],
    ['names of prototypes', `__proto__#a#${LATER}|constructor#b#${LATER}`],
    ['a session that no URL takes', `session#a/../?b#${LATER}`],
    ['null', null],
    ['a megabyte', `session#${'x'.repeat(1_000_000)}#${LATER}`],
  ])('that is malformed never throws: %s', async (_, targetCookie) => {
    const { status } = await ask({ targetCookie } as unknown as GetOffersOptions);
    expect(status.status).toBe(200);
    expect(received().query.sessionId).toMatch(/^[0-9a-f]{32}$/);
    expect(sent()).not.toHaveProperty('id');
  });

  const PLAIN = `session#s%7C1#${LATER}|PC#abc.28_0#${LATER}`;
  test.each([
    ['in double quotes', `"${PLAIN}"`],
    ['encoded', encodeURIComponent(PLAIN)],
    ['encoded twice', encodeURIComponent(encodeURIComponent(PLAIN))],
    ['encoded, in double quotes', `"${encodeURIComponent(PLAIN)}"`],
    ['in double quotes, encoded', encodeURIComponent(`"${PLAIN}"`)],
    ['in double quotes, encoded twice', encodeURIComponent(encodeURIComponent(`"${PLAIN}"`))],
    ['in double quotes, encoded, in double quotes', `"${encodeURIComponent(`"${PLAIN}"`)}"`],
    ['in encoded double quotes', `%22${PLAIN}%22`],
  ])('counts as it is written: %s', async (_, targetCookie) => {
    await ask({ targetCookie });
    expect(received().query.sessionId).toBe('s|1');
    expect(sent().id).toEqual({ tntId: 'abc.28_0' });
  });

  test('loses a part that does not decode, and that part alone', async () => {
    await ask({ targetCookie: `session#%E0%A4%A#${LATER}|PC#abc.28_0#${LATER}` });
    expect(received().query.sessionId).toMatch(/^[0-9a-f]{32}$/);
    expect(sent().id).toEqual({ tntId: 'abc.28_0' });
  });
});

describe('the location hint', () => {
  const hostile = [
    '35.evil.example',
    '35/',
    '35@evil.example',
    '35#',
    '35?',
    '35:80',
    '35\\',
    '12345',
    '',
    '-1',
    ' 35',
    '35\n',
    '３５',
    '%33%35',
    '../35',
    'constructor',
  ];

  test.each(hostile)('%j as option or in the cookie changes no host', async (hint) => {
    const { fetchApi, urls } = detour();
    const client = connect({ fetchApi, serverDomain: undefined, client: 'acme' });
    bench.edge.fault({ kind: 'body', body: '{"status":200}' });
    await client.getOffers({ request: REQUEST, targetLocationHint: hint });
    await client.getOffers({ request: REQUEST, targetLocationHintCookie: hint });
    const cookieText = encodeURIComponent(`abc.${hint}_0`);
    await client.getOffers({ request: REQUEST, targetCookie: `PC#${cookieText}#${LATER}` });
    await client.getOffers({ request: REQUEST });
    expect(urls.map(({ host }) => host)).toEqual(Array(4).fill('acme.tt.omtrdc.net'));
  });

  test('of one visitor is never that of the next', async () => {
    const { fetchApi, urls } = detour();
    const client = connect({ fetchApi, serverDomain: undefined, client: 'acme' });
    await client.getOffers({ request: REQUEST, targetCookie: `PC#abc.28_0#${LATER}` });
    await client.getOffers({ request: REQUEST, targetLocationHint: '29' });
    await client.getOffers({ request: REQUEST });
    expect(urls.map(({ host }) => host)).toEqual([
      'mboxedge28.tt.omtrdc.net',
      'mboxedge29.tt.omtrdc.net',
      'acme.tt.omtrdc.net',
    ]);
  });

  test('learned from an answer serves visitors without one, until another is learned', async () => {
    const { fetchApi, urls } = detour();
    const client = connect({ fetchApi, serverDomain: undefined, client: 'acme' });
    await client.getOffers({ request: REQUEST });
    bench.edge.fault(
      { kind: 'body', body: '{"status":200,"edgeHost":"mboxedge38.tt.omtrdc.net"}' },
      { times: 1 },
    );
    await client.getOffers({ request: REQUEST });
    await client.getOffers({ request: REQUEST });
    expect(urls.map(({ host }) => host)).toEqual([
      'acme.tt.omtrdc.net',
      'mboxedge35.tt.omtrdc.net',
      'mboxedge38.tt.omtrdc.net',
    ]);
  });

  test.each([
    'mboxedge35.tt.omtrdc.net.evil.example',
    'evil.example',
    'mboxedge35/x.tt.omtrdc.net',
    'mboxedge.tt.omtrdc.net',
  ])('is not learned from the edgeHost %s', async (edgeHost) => {
    const { fetchApi, urls } = detour();
    const client = connect({ fetchApi, serverDomain: undefined, client: 'acme' });
    bench.edge.fault({ kind: 'body', body: JSON.stringify({ status: 200, edgeHost }) });
    await client.getOffers({ request: REQUEST });
    await client.getOffers({ request: REQUEST });
    expect(urls.map(({ host }) => host)).toEqual(['acme.tt.omtrdc.net', 'acme.tt.omtrdc.net']);
  });
});

describe('the AMCV cookie', () => {
  test.each([
    ['plain', AMCV],
    ['percent-encoded', encodeURIComponent(AMCV)],
    ['without a first field', AMCV.slice(AMCV.indexOf('|') + 1)],
  ])('gives ECID and Audience Manager ids: %s', async (_, visitorCookie) => {
    await ask({ visitorCookie });
    expect(sent().id).toEqual({ marketingCloudVisitorId: ECID });
    expect(sent().experienceCloud?.audienceManager).toEqual({ locationHint: 9, blob: 'RKhpRz8krg2t' });
  });

  test('gives way to what the request has', async () => {
    await ask({
      visitorCookie: AMCV,
      request: {
        ...REQUEST,
        id: { marketingCloudVisitorId: 'own' },
        experienceCloud: { audienceManager: { blob: 'own-blob' } },
      },
    });
    expect(sent().id?.marketingCloudVisitorId).toBe('own');
    expect(sent().experienceCloud?.audienceManager).toEqual({ locationHint: 9, blob: 'own-blob' });
  });

  test.each([
    ['NONE', 'MCMID|NONE|MCAAMLH-1|NONE|MCAAMB-1|NONE'],
    ['an ECID that is no number', 'MCMID|abc|MCAAMLH|x'],
    ['an ECID that is too long', `MCMID|${'1'.repeat(129)}`],
    ['a hint of 0', 'MCAAMLH|0'],
    ['a hint that is negative', 'MCAAMLH|-9'],
    ['a blob that is too long', `MCAAMB|${'x'.repeat(1025)}`],
    ['nothing behind the keys', 'MCMID'],
    ['broken encoding', '%7CMCMID%7C%E0%A4%A'],
    ['keys of prototypes', '__proto__|1|constructor|2'],
    ['a megabyte', '|'.repeat(1_000_000)],
  ])('that says nothing useful gives nothing: %s', async (_, visitorCookie) => {
    await ask({ visitorCookie } as unknown as GetOffersOptions);
    expect(sent()).not.toHaveProperty('id');
    expect(sent().experienceCloud).not.toHaveProperty('audienceManager');
    expect(received().status).toBe(200);
  });

  test('with a blob and an ECID at their limits passes', async () => {
    await ask({ visitorCookie: `MCMID|${'1'.repeat(128)}|MCAAMB|${'x'.repeat(1024)}` });
    expect(sent().id?.marketingCloudVisitorId).toHaveLength(128);
    expect(sent().experienceCloud?.audienceManager?.blob).toHaveLength(1024);
  });
});

describe('the supplemental data id', () => {
  test('is new for each call, and the same in visitorState', async () => {
    const client = connect();
    const first = await client.getOffers({ request: REQUEST });
    const second = await client.getOffers({ request: REQUEST });
    const ids = [first, second].map(
      ({ request }) => request.experienceCloud?.analytics?.supplementalDataId ?? '',
    );
    expect(ids[0]).toMatch(SDID);
    expect(ids[1]).toMatch(SDID);
    expect(ids[0]).not.toBe(ids[1]);
    expect(first.visitorState).toEqual({
      [ORGANIZATION]: {
        sdid: {
          supplementalDataIDCurrent: ids[0],
          supplementalDataIDCurrentConsumed: { 'payload:target-global-mbox': true },
          supplementalDataIDLastConsumed: {},
        },
      },
    });
  });

  test("of the caller's own stays", async () => {
    const supplementalDataId = '0123456789ABCDEF-0123456789ABCDEF';
    const { visitorState } = await ask({
      request: { ...REQUEST, experienceCloud: { analytics: { supplementalDataId } } },
    });
    expect(sent().experienceCloud?.analytics).toEqual({ supplementalDataId, logging: 'server_side' });
    expect(visitorState).toMatchObject({
      'DEMO@AdobeOrg': {
        sdid: {
          supplementalDataIDCurrent: supplementalDataId,
          supplementalDataIDCurrentConsumed: { 'payload:target-global-mbox': true },
        },
      },
    });
  });

  test('is one for all consumers of a shared visitor, until one asks again', async () => {
    const client = connect();
    const visitor = new Visitor(ORGANIZATION, AMCV);
    const sdidFor = async (consumerId: string) => {
      await client.getOffers({ request: REQUEST, visitor, consumerId });
      return sent().experienceCloud?.analytics?.supplementalDataId;
    };
    const first = await sdidFor('a');
    expect(await sdidFor('b')).toBe(first);
    const second = await sdidFor('a');
    expect(second).not.toBe(first);
    expect(await sdidFor('b')).toBe(second);
    expect(sent().id?.marketingCloudVisitorId).toBe(ECID);
    expect(visitor.getState()).toEqual({
      [ORGANIZATION]: {
        sdid: {
          supplementalDataIDCurrent: second,
          supplementalDataIDCurrentConsumed: { 'payload:a': true, 'payload:b': true },
          supplementalDataIDLast: first,
          supplementalDataIDLastConsumed: { 'payload:a': true, 'payload:b': true },
        },
      },
    });
  });

  test('shows in visitorState with the customer ids', async () => {
    const { visitorState } = await ask({
      customerIds: { crm: { id: '1', authState: 1 }, plain: '2' },
      consumerId: 'abc',
    });
    expect(visitorState).toEqual({
      [ORGANIZATION]: {
        customerIDs: { crm: { id: '1', authState: 1 }, plain: { id: '2', authState: 0 } },
        sdid: {
          supplementalDataIDCurrent: expect.stringMatching(SDID),
          supplementalDataIDCurrentConsumed: { 'payload:abc': true },
          supplementalDataIDLastConsumed: {},
        },
      },
    });
  });

  test('shows the list form of customer ids by their codes', async () => {
    const { visitorState } = await ask({
      customerIds: [{ id: '1', integrationCode: 'crm', authenticatedState: 'logged_out' }],
    });
    expect(visitorState[ORGANIZATION]).toMatchObject({ customerIDs: { crm: { id: '1', authState: 2 } } });
  });
});

describe("the caller's own visitor object", () => {
  const external = (values: unknown, seen: unknown[] = []): VisitorLike => ({
    getState: () => ({ mine: true }),
    getVisitorValues: () => values,
    getSupplementalDataID: (consumerId) => {
      seen.push(consumerId);
      return 'AAAAAAAAAAAAAAAA-BBBBBBBBBBBBBBBB';
    },
    setCustomerIDs: (customerIds) => void seen.push(customerIds),
  });

  test('is asked for everything, and wins over the AMCV cookie', async () => {
    const seen: unknown[] = [];
    const { visitorState } = await ask({
      visitor: external({ MCMID: '777', MCAAMLH: '6', MCAAMB: 'blob' }, seen),
      visitorCookie: AMCV,
      consumerId: 'abc',
      customerIds: { crm: '1' },
    });
    expect(seen).toEqual([{ crm: '1' }, 'abc']);
    expect(sent()).toMatchObject({
      id: { marketingCloudVisitorId: '777', customerIds: [{ id: '1', integrationCode: 'crm' }] },
      experienceCloud: {
        audienceManager: { locationHint: 6, blob: 'blob' },
        analytics: { supplementalDataId: 'AAAAAAAAAAAAAAAA-BBBBBBBBBBBBBBBB' },
      },
    });
    expect(visitorState).toEqual({ mine: true });
  });

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['objects', { MCMID: {}, MCAAMLH: [], MCAAMB: () => 1 }],
    ['empty texts', { MCMID: '', MCAAMLH: '', MCAAMB: '' }],
    [
      'what the API does not take',
      { MCMID: 'x'.repeat(129), MCAAMLH: '9'.repeat(400), MCAAMB: 'x'.repeat(1025) },
    ],
  ])('may know %s', async (_, values) => {
    await ask({ visitor: external(values) });
    expect(sent()).not.toHaveProperty('id');
    expect(sent().experienceCloud).not.toHaveProperty('audienceManager');
    expect(received().status).toBe(200);
  });

  test('may have no setCustomerIDs', async () => {
    const { setCustomerIDs: _, ...visitor } = external({});
    await ask({ visitor, customerIds: { crm: '1' } });
    expect(sent().id?.customerIds).toHaveLength(1);
  });

  test('never sees customer ids that are wrong', async () => {
    const seen: unknown[] = [];
    await targetErrorOf(() =>
      ask({ visitor: external({}, seen), customerIds: 'crm' } as unknown as GetOffersOptions),
    );
    expect(seen).toEqual([]);
  });

  test('keeps its this', async () => {
    class Mine extends Visitor {
      override getVisitorValues() {
        return { ...super.getVisitorValues(), MCMID: '42' };
      }
    }
    await ask({ visitor: new Mine(ORGANIZATION) });
    expect(sent().id?.marketingCloudVisitorId).toBe('42');
  });

  test.each([5, 'visitor', {}, { getState: () => ({}) }, []])('cannot be %j', async (visitor) => {
    const error = await targetErrorOf(() => ask({ visitor } as unknown as GetOffersOptions));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path: 'visitor' });
  });
});

describe('customer ids that a shared visitor object holds', () => {
  const CRM = { id: 'customer-7', integrationCode: 'crm', authenticatedState: 'authenticated' };
  const NEWS = { id: 'reader-9', integrationCode: 'news', authenticatedState: 'unknown' };
  const HELD = { crm: { id: 'customer-7', authState: 1 as const }, news: 'reader-9' };

  /** An object with the methods of Adobe's visitor service: it tells its customer ids in its state, as they were given. */
  const service = (held?: object) => {
    const inner = new Visitor(ORGANIZATION);
    let customerIDs: object | undefined = held;
    return {
      getState() {
        const { sdid } = inner.getState()[ORGANIZATION] as { sdid: object };
        return { [ORGANIZATION]: { ...(customerIDs && { customerIDs }), sdid } };
      },
      getVisitorValues: () => ({}),
      getSupplementalDataID: (consumerId: string) => inner.getSupplementalDataID(consumerId),
      setCustomerIDs(customerIds: object) {
        customerIDs = customerIds;
      },
    };
  };
  const kinds: [string, () => VisitorLike & { setCustomerIDs(customerIds: object): void }][] = [
    ['ours', () => new Visitor(ORGANIZATION)],
    ['the visitor service’s', service],
  ];
  const codes = () => sent().id?.customerIds?.map(({ integrationCode }) => integrationCode);

  test.each(kinds)('are sent on every call that shares it: %s', async (_, create) => {
    const visitor = create();
    visitor.setCustomerIDs(HELD);
    const client = connect();
    const first = await client.getOffers({ request: REQUEST, visitor });
    expect(sent().id).toEqual({ customerIds: [CRM, NEWS] });
    await client.getAttributes(['flags'], { visitor, consumerId: 'b' });
    expect(sent().id).toEqual({ customerIds: [CRM, NEWS] });
    await client.sendNotifications({
      request: { notifications: [{ id: 'n', type: 'click', timestamp: 1 }] },
      visitor,
    });
    expect(sent().id).toEqual({ customerIds: [CRM, NEWS] });
    expect(first.visitorState[ORGANIZATION]).toMatchObject({
      sdid: { supplementalDataIDCurrentConsumed: { 'payload:target-global-mbox': true } },
    });
  });

  test.each(kinds)('that came as an option of an earlier call are held: %s', async (_, create) => {
    const visitor = create();
    const client = connect();
    await client.getOffers({ request: REQUEST, visitor, customerIds: HELD });
    await client.getOffers({ request: REQUEST, visitor });
    expect(sent().id).toEqual({ customerIds: [CRM, NEWS] });
  });

  test.each(kinds)('stay when a call gives others, and give way by code: %s', async (_, create) => {
    const visitor = create();
    visitor.setCustomerIDs(HELD);
    const client = connect();
    const customerIds = { shop: 's', crm: { id: 'customer-8' } };
    const { visitorState } = await client.getOffers({ request: REQUEST, visitor, customerIds });
    expect(sent().id?.customerIds?.map(({ id }) => id)).toEqual(['s', 'customer-8', 'reader-9']);
    expect(visitorState[ORGANIZATION]).toMatchObject({ customerIDs: { crm: { id: 'customer-8' } } });
    await client.getOffers({ request: REQUEST, visitor });
    expect(new Set(codes())).toEqual(new Set(['crm', 'news', 'shop']));
    await client.getOffers({ request: REQUEST, visitor, customerIds: {} });
    expect(new Set(codes())).toEqual(new Set(['crm', 'news', 'shop']));
    await client.getOffers({ request: REQUEST, visitor, customerIds: { crm: '', shop: null } });
    expect(codes()).toEqual(['news']);
    await client.getOffers({ request: REQUEST, visitor });
    expect(codes()).toEqual(['news']);
  });

  test.each(kinds)('come before those of the request, which win by code: %s', async (_, create) => {
    const visitor = create();
    visitor.setCustomerIDs(HELD);
    const own = [
      { ...CRM, id: 'own' },
      { ...NEWS, integrationCode: 'shop' },
    ];
    await connect().getOffers({
      request: { ...REQUEST, id: { customerIds: own } },
      visitor,
    } as GetOffersOptions);
    expect(sent().id?.customerIds).toEqual([NEWS, ...own]);
  });

  test.each([
    ['a number', { crm: 7 }, [{ ...NEWS, id: '7', integrationCode: 'crm' }]],
    ['names of states', { crm: { id: 7, authState: 'AUTHENTICATED' } }, [{ ...CRM, id: '7' }]],
    ['a hashed id', { crm: { id: 'a1b2', authState: 1, hashType: 'SHA-256' } }, [{ ...CRM, id: 'a1b2' }]],
    ['nobody yet', { crm: { id: '' }, news: null, shop: undefined, erp: {} }, undefined],
    ['no object', 'crm', undefined],
    ['a list', ['crm'], undefined],
  ])('may be %s', async (_, held, expected) => {
    await connect().getOffers({ request: REQUEST, visitor: service(held as object) });
    expect(sent().id?.customerIds).toEqual(expected);
  });

  test('that Target does not take are left out with a warning, which does not show them', async () => {
    const { lines, logger } = listeningLogger();
    const held = { ...HELD, long: 'secret'.repeat(50), state: { id: 'secret', authState: 7 } };
    await connect({ logger }).getOffers({ request: REQUEST, visitor: service(held) });
    expect(sent().id).toEqual({ customerIds: [CRM, NEWS] });
    expect(lines.warn).toEqual([
      'AT: a customer id of the visitor object is not sent: visitor.customerIDs[2] must be a string of at most 128 characters, not a string of 300 characters',
      'AT: a customer id of the visitor object is not sent: visitor.customerIDs[3].authState must be one of 0, 1, 2, unknown, authenticated, logged_out, not a number',
    ]);
  });

  test('of another organization are not those of this one', async () => {
    const visitor = { ...service(), getState: () => ({ 'OTHER@AdobeOrg': { customerIDs: HELD } }) };
    await connect().getOffers({ request: REQUEST, visitor });
    expect(sent()).not.toHaveProperty('id');
  });

  test('decide who gets what, on-device', async () => {
    const client = connect({
      decisioningMethod: 'on-device',
      artifactPayload: flagsArtifact(),
      pollingInterval: 0,
    });
    const experienceOf = async (options: Partial<GetOffersOptions>) => {
      const request = { prefetch: { mboxes: [{ name: 'flags' }] } };
      const { response } = await client.getOffers({ request, ...options });
      expect(response.id?.tntId).toBeUndefined();
      return response.prefetch?.mboxes?.[0]?.options;
    };
    for (let customer = 0; customer < 20; customer += 1) {
      const customerIds = { crm: { id: `c${customer}`, authState: 1 as const } };
      const visitor = new Visitor(ORGANIZATION);
      visitor.setCustomerIDs(customerIds);
      const experience = await experienceOf({ customerIds });
      expect(await experienceOf({ visitor })).toEqual(experience);
      expect(await experienceOf({ visitor: service(customerIds) })).toEqual(experience);
    }
  });
});

test('an SDID of a visitor object that has a wrong form is not sent', async () => {
  const visitor: VisitorLike = {
    getState: () => ({}),
    getVisitorValues: () => ({}),
    getSupplementalDataID: () => 'x'.repeat(33),
  };
  await ask({ visitor });
  expect(sent().experienceCloud?.analytics).toEqual({ logging: 'server_side' });
});

test('an SDID of the request is noted for its consumer alone', async () => {
  const client = connect();
  const visitor = new Visitor(ORGANIZATION);
  const supplementalDataId = '0123456789ABCDEF-0123456789ABCDEF';
  const sdidOf = async (consumerId: string, own?: string) => {
    const experienceCloud = { analytics: { supplementalDataId: own } };
    await client.getOffers({ request: { ...REQUEST, experienceCloud }, visitor, consumerId });
    return sent().experienceCloud?.analytics?.supplementalDataId;
  };
  const first = await sdidOf('a');
  expect(await sdidOf('a', supplementalDataId)).toBe(supplementalDataId);
  expect(await sdidOf('b')).toBe(first);
  expect(await sdidOf('b')).toBe(supplementalDataId);
});

test('no error message holds an id of the visitor', async () => {
  bench.edge.fault({ kind: 'status', status: 400, body: { status: 400, message: 'no' } });
  const error = await targetErrorOf(() =>
    ask({
      visitorCookie: AMCV,
      targetCookie: `session#secret-session#${LATER}|PC#secret-tnt.28_0#${LATER}`,
      customerIds: { crm: 'secret-customer' },
    }),
  );
  expect(error.message).toBe('the delivery call was answered with status 400');
  expect(JSON.stringify(error)).not.toMatch(/secret|1234567890/);
});

test('customer ids of an object that is used again for the next visitor stay those of this one', async () => {
  const customerIds = { crm: { id: 'first', authState: 1 as const } };
  const answered = connect().getOffers({ request: REQUEST, customerIds });
  customerIds.crm.id = 'second';
  const { visitorState } = await answered;
  expect(visitorState[ORGANIZATION]).toMatchObject({ customerIDs: { crm: { id: 'first', authState: 1 } } });
});
