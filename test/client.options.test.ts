import { describe, expect, jest, test } from '@jest/globals';
import type {
  GetAttributesOptions,
  GetOffersOptions,
  TargetDeliveryResponse,
  TargetError,
} from '../src/index.js';
import { Visitor } from '../src/index.js';
import { html, json } from '../src/testing/edge.js';
import { deepFreeze, listeningLogger, targetErrorOf, withEdge } from './with-edge.js';

const bench = withEdge({ offers: { mboxes: { hero: html('<h1>'), flags: json({ beta: true }) } } });
const { connect, detour, received, sent } = bench;
const REQUEST = { execute: { mboxes: [{ name: 'hero' }] } };
const LATER = 2 ** 40;

/** What a JavaScript caller may write. */
const offersOptions = (options: unknown) => options as GetOffersOptions;

describe('request', () => {
  test.each([undefined, null, 'execute', 5, [], () => undefined])('is required: %p', async (request) => {
    const error = await targetErrorOf(() => connect().getOffers(offersOptions({ request })));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path: 'request' });
    expect(bench.edge.requests).toHaveLength(0);
  });

  test.each([undefined, null, 'request', 5])('options that are %p are no options', async (options) => {
    for (const method of ['getOffers', 'sendNotifications'] as const) {
      const error = await targetErrorOf(() => connect()[method](offersOptions(options)));
      expect(error.code).toBe('ERR_TARGET_INVALID_REQUEST');
    }
  });

  test('nothing is thrown synchronously', async () => {
    const client = connect();
    const calls = [
      client.getOffers(offersOptions(undefined)),
      client.sendNotifications(offersOptions(null)),
      client.getAttributes(5 as never),
      client.getOffers({ request: REQUEST, targetCookie: '%'.repeat(5000), timeout: -1 }),
    ];
    const results = await Promise.allSettled(calls);
    expect(results.map(({ status }) => status)).toEqual(Array(4).fill('rejected'));
  });

  test('is by default a page of the web for getAttributes', async () => {
    await connect().getAttributes(['flags']);
    expect(sent()).toMatchObject({
      context: { channel: 'web' },
      execute: { mboxes: [{ name: 'flags', index: 1 }] },
    });
    expect(sent().context).toEqual({ channel: 'web' });
    await connect().getAttributes(['flags'], {});
    await connect().getAttributes(['flags'], null as unknown as GetAttributesOptions);
    expect(bench.edge.requests.map(({ status }) => status)).toEqual([200, 200, 200]);
  });
});

describe('targetCookie and targetLocationHint', () => {
  test('the hint is that of the cookie, else that of the option', async () => {
    const { fetchApi, urls } = detour();
    const client = connect({ fetchApi, serverDomain: undefined });
    await client.getOffers({
      request: REQUEST,
      targetCookie: `PC#a.28_0#${LATER}`,
      targetLocationHint: '29',
    });
    await client.getOffers({ request: REQUEST, targetLocationHint: '29' });
    await client.getOffers({ request: REQUEST, targetLocationHintCookie: '30' });
    await client.getOffers({ request: REQUEST, targetLocationHint: '31', targetLocationHintCookie: '32' });
    expect(urls.map(({ host }) => host)).toEqual(
      ['28', '29', '30', '31'].map((hint) => `mboxedge${hint}.tt.omtrdc.net`),
    );
  });

  test('the hint may be a number or a cookie', async () => {
    const { fetchApi, urls } = detour();
    const client = connect({ fetchApi, serverDomain: undefined });
    const hints = [35, { name: 'mboxEdgeCluster', value: '36' }, { value: '37' }, '"38"'];
    for (const hint of hints) {
      await client.getOffers(offersOptions({ request: REQUEST, targetLocationHint: hint }));
      await client.getOffers(offersOptions({ request: REQUEST, targetLocationHintCookie: hint }));
    }
    expect(urls.map(({ host }) => host)).toEqual(
      ['35', '35', '36', '36', '37', '37', '38', '38'].map((hint) => `mboxedge${hint}.tt.omtrdc.net`),
    );
  });

  test.each([35.5, -1, 12345, Number.NaN])('a hint that is the number %p changes no host', async (hint) => {
    const { fetchApi, urls } = detour();
    const client = connect({ fetchApi, serverDomain: undefined, client: 'acme' });
    await client.getOffers({ request: REQUEST, targetLocationHint: hint });
    expect(urls[0]?.host).toBe('acme.tt.omtrdc.net');
  });

  test('the cookies of an answer can be given back as they are', async () => {
    const client = connect();
    const first = await client.getOffers({ request: REQUEST });
    const { targetCookie, targetLocationHintCookie } = first;
    const visitorCookie = { name: 'AMCV_DEMO@AdobeOrg', value: 'MCMID%7C777' };
    await client.getOffers({ request: REQUEST, targetCookie, targetLocationHintCookie, visitorCookie });
    const [one, two] = bench.edge.requests;
    expect(two?.query.sessionId).toBe(one?.query.sessionId);
    expect(two?.delivery?.id).toEqual({ tntId: first.response.id?.tntId, marketingCloudVisitorId: '777' });
  });

  const names = ['targetCookie', 'targetLocationHint', 'targetLocationHintCookie', 'visitorCookie'];
  const wrong: unknown[] = [true, {}, [], ['mbox'], { value: true }, { name: 'mbox' }, () => 'mbox', 5n];
  test.each(
    names.flatMap((name) =>
      [...wrong, ...(/Hint/.test(name) ? [] : [5, { value: 5 }])].map((value) => [name, value] as const),
    ),
  )('%s of another type is an error that names it: %p', async (name, value) => {
    for (const visitor of [undefined, new Visitor('DEMO@AdobeOrg')]) {
      const options = offersOptions({ request: REQUEST, visitor, [name]: value });
      const error = await targetErrorOf(() => connect().getOffers(options));
      expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path: name });
    }
    expect(bench.edge.requests).toHaveLength(0);
  });

  test.each(names)('%s may be null, undefined or empty', async (name) => {
    for (const value of [null, undefined, '', { name, value: '' }]) {
      await connect().getOffers(offersOptions({ request: REQUEST, [name]: value }));
      expect(sent()).not.toHaveProperty('id');
    }
  });

  test('the alias serves when the option is no hint', async () => {
    const { fetchApi, urls } = detour();
    const client = connect({ fetchApi, serverDomain: undefined });
    await client.getOffers({ request: REQUEST, targetLocationHint: 'evil', targetLocationHintCookie: '30' });
    expect(urls[0]?.host).toBe('mboxedge30.tt.omtrdc.net');
  });
});

describe('customerIds', () => {
  test('by code: authState 0, 1 and 2, none, and a plain string', async () => {
    await connect().getOffers({
      request: REQUEST,
      customerIds: {
        zero: { id: '0', authState: 0 },
        one: { id: '1', authState: 1 },
        two: { id: '2', authState: 2 },
        none: { id: '3' },
        plain: '4',
      },
    });
    expect(sent().id?.customerIds).toEqual([
      { id: '0', integrationCode: 'zero', authenticatedState: 'unknown' },
      { id: '1', integrationCode: 'one', authenticatedState: 'authenticated' },
      { id: '2', integrationCode: 'two', authenticatedState: 'logged_out' },
      { id: '3', integrationCode: 'none', authenticatedState: 'unknown' },
      { id: '4', integrationCode: 'plain', authenticatedState: 'unknown' },
    ]);
  });

  test('as a list in the form of the Delivery API', async () => {
    await connect().getOffers({
      request: REQUEST,
      customerIds: [
        { id: '1', integrationCode: 'crm', authenticatedState: 'authenticated' },
        { id: '2', integrationCode: 'shop' },
      ],
    });
    expect(sent().id?.customerIds).toEqual([
      { id: '1', integrationCode: 'crm', authenticatedState: 'authenticated' },
      { id: '2', integrationCode: 'shop', authenticatedState: 'unknown' },
    ]);
  });

  test.each<[unknown, object]>([
    [
      { u: { id: 42, authState: 1 } },
      { id: '42', integrationCode: 'u', authenticatedState: 'authenticated' },
    ],
    [
      { u: { id: 'a', authState: 'authenticated' } },
      { id: 'a', integrationCode: 'u', authenticatedState: 'authenticated' },
    ],
    [
      { u: { id: 'a', authState: 'LOGGED_OUT' } },
      { id: 'a', integrationCode: 'u', authenticatedState: 'logged_out' },
    ],
    [{ u: { id: 'a', authState: '2' } }, { id: 'a', integrationCode: 'u', authenticatedState: 'logged_out' }],
    [{ u: { id: 'a', authState: null } }, { id: 'a', integrationCode: 'u', authenticatedState: 'unknown' }],
    [{ u: 42 }, { id: '42', integrationCode: 'u', authenticatedState: 'unknown' }],
  ])('are sent in whatever type they come: %j', async (customerIds, wanted) => {
    const { visitorState } = await connect().getOffers(offersOptions({ request: REQUEST, customerIds }));
    expect(received()).toMatchObject({ status: 200, violations: [] });
    expect(sent().id?.customerIds).toEqual([wanted]);
    const state = visitorState['DEMO@AdobeOrg'] as {
      customerIDs: Record<string, { id: unknown; authState: unknown }>;
    };
    expect([typeof state.customerIDs.u?.id, typeof state.customerIDs.u?.authState]).toEqual([
      'string',
      'number',
    ]);
  });

  test('come before those of the request', async () => {
    const own = { id: '9', integrationCode: 'own', authenticatedState: 'unknown' as const };
    await connect().getOffers({
      request: { ...REQUEST, id: { customerIds: [own] } },
      customerIds: { crm: 'first' },
    });
    expect(sent().id?.customerIds?.map(({ id }) => id)).toEqual(['first', '9']);
  });

  test('without an id are left out, as before a login', async () => {
    const customerIds = {
      a: { id: '', authState: 0 },
      b: '',
      c: null,
      d: undefined,
      e: { id: undefined },
    } as const;
    const { visitorState } = await connect().getOffers({ request: REQUEST, customerIds });
    expect(sent()).not.toHaveProperty('id');
    expect(visitorState['DEMO@AdobeOrg']).toMatchObject({ customerIDs: {} });
  });

  test('may have codes such as __proto__', async () => {
    const customerIds = JSON.parse('{"__proto__": "1", "constructor": {"id": "2", "authState": 1}}');
    const { visitorState } = await connect().getOffers({ request: REQUEST, customerIds });
    expect(sent().id?.customerIds?.map(({ integrationCode }) => integrationCode)).toEqual([
      '__proto__',
      'constructor',
    ]);
    const state = visitorState['DEMO@AdobeOrg'] as { customerIDs: object };
    expect(Object.keys(state.customerIDs)).toEqual(['__proto__', 'constructor']);
  });

  test.each([
    ['a string', 'crm', 'customerIds'],
    ['a number', 5, 'customerIds'],
    ['an id that is no text', { crm: { id: {} } }, 'customerIds[0].id'],
    ['an unknown state', { crm: { id: 'a', authState: 3 } }, 'customerIds[0].authState'],
    [
      'a state by a name of no state',
      { crm: { id: 'a', authState: 'logged in' } },
      'customerIds[0].authState',
    ],
    ['a state of a prototype', { crm: { id: 'a', authState: 'length' } }, 'customerIds[0].authState'],
    ['an entry that is no object', ['a'], 'customerIds[0]'],
    ['an entry without code', [{ id: 'a' }], 'customerIds[0].integrationCode'],
    ['an entry whose id is no text', [{ id: {}, integrationCode: 'a' }], 'customerIds[0].id'],
    [
      'an entry with an unknown state',
      [{ id: 'a', integrationCode: 'a', authenticatedState: 'yes' }],
      'customerIds[0].authenticatedState',
    ],
    ['a plain id over the limit', { crm: 'x'.repeat(129) }, 'customerIds[0]'],
    ['an id over the limit', { crm: { id: 'x'.repeat(129) } }, 'customerIds[0].id'],
    ['an entry over the limit', [{ id: 'x'.repeat(129), integrationCode: 'a' }], 'customerIds[0].id'],
    [
      'a code over the limit',
      [{ id: 'x', integrationCode: 'a'.repeat(51) }],
      'customerIds[0].integrationCode',
    ],
    [
      'one too many',
      Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`c${n}`, 'x'])),
      'id.customerIds',
    ],
  ])('that are wrong name the place: %s', async (_, customerIds, path) => {
    const error = await targetErrorOf(() =>
      connect().getOffers(offersOptions({ request: REQUEST, customerIds })),
    );
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path });
    expect(bench.edge.requests).toHaveLength(0);
  });

  test('at their limits pass', async () => {
    const customerIds = Object.fromEntries(
      Array.from({ length: 50 }, (_, n) => [`${n}`.padStart(50, 'c'), 'x'.repeat(128)]),
    );
    await connect().getOffers({ request: REQUEST, customerIds });
    expect(sent().id?.customerIds).toHaveLength(50);
  });

  test('of the option and the request together keep the limit', async () => {
    const entries = (count: number) =>
      Array.from({ length: count }, (_, n) => ({
        id: `${n}`,
        integrationCode: 'a',
        authenticatedState: 'unknown' as const,
      }));
    const error = await targetErrorOf(() =>
      connect().getOffers({
        request: { ...REQUEST, id: { customerIds: entries(30) } },
        customerIds: entries(21),
      }),
    );
    expect(error.path).toBe('id.customerIds');
  });
});

describe('consumerId', () => {
  test('is noted in visitorState, target-global-mbox by default', async () => {
    const consumed = async (options: Partial<GetOffersOptions>) => {
      const { visitorState } = await connect().getOffers({ request: REQUEST, ...options });
      const state = visitorState['DEMO@AdobeOrg'] as { sdid: { supplementalDataIDCurrentConsumed: object } };
      return Object.keys(state.sdid.supplementalDataIDCurrentConsumed);
    };
    expect(await consumed({})).toEqual(['payload:target-global-mbox']);
    expect(await consumed({ consumerId: 'abc' })).toEqual(['payload:abc']);
    expect(await consumed({ consumerId: '' })).toEqual(['payload:target-global-mbox']);
    expect(await consumed({ consumerId: null })).toEqual(['payload:target-global-mbox']);
    expect(await consumed({ consumerId: 7 })).toEqual(['payload:7']);
    expect(await consumed({ consumerId: 0 })).toEqual(['payload:0']);
    expect(await consumed({ consumerId: '__proto__' })).toEqual(['payload:__proto__']);
  });
});

test.each([{}, [], () => 1, Number.NaN])('consumerId cannot be %p', async (consumerId) => {
  const error = await targetErrorOf(() =>
    connect().getOffers(offersOptions({ request: REQUEST, consumerId })),
  );
  expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path: 'consumerId' });
});

describe('sessionId', () => {
  test.each<[unknown, string]>([
    [12345, '12345'],
    [0, '0'],
    [{ toJSON: () => '507f1f77bcf86cd799439011' }, '507f1f77bcf86cd799439011'],
  ])('may be %p, which is sent as text and kept in the cookie', async (sessionId, wanted) => {
    const { targetCookie } = await connect().getOffers(offersOptions({ request: REQUEST, sessionId }));
    expect(received().query.sessionId).toBe(wanted);
    expect(targetCookie.value).toContain(`session#${wanted}#`);
    await connect().getOffers({ request: REQUEST, targetCookie });
    expect(received().query.sessionId).toBe(wanted);
  });

  test('that is a number does not win over the cookie either', async () => {
    await connect().getOffers({ request: REQUEST, sessionId: 5, targetCookie: `session#theirs#${LATER}` });
    expect(received().query.sessionId).toBe('theirs');
  });

  test('joins a visitor without cookie to a session', async () => {
    const { targetCookie } = await connect().getOffers({ request: REQUEST, sessionId: 'my-session' });
    expect(received().query.sessionId).toBe('my-session');
    expect(targetCookie.value).toContain('session#my-session#');
  });

  test('does not win over the cookie', async () => {
    await connect().getOffers({
      request: REQUEST,
      sessionId: 'mine',
      targetCookie: `session#theirs#${LATER}`,
    });
    expect(received().query.sessionId).toBe('theirs');
  });

  test('is new and without dashes by default, and for an empty one', async () => {
    await connect().getOffers({ request: REQUEST });
    const first = received().query.sessionId;
    await connect().getOffers({ request: REQUEST, sessionId: '' });
    const second = received().query.sessionId;
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    expect(second).toMatch(/^[0-9a-f]{32}$/);
    expect(second).not.toBe(first);
  });

  test.each(['a b', 'a?b', 'a/b', 'x'.repeat(129), 'é', 'a\nb', true, Number.NaN, [], {}])(
    'cannot be %p',
    async (sessionId) => {
      const error = await targetErrorOf(() =>
        connect().getOffers(offersOptions({ request: REQUEST, sessionId })),
      );
      expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path: 'sessionId' });
      if (typeof sessionId === 'string') {
        expect(error.message).not.toContain(sessionId);
      }
    },
  );

  test('may have its 128 characters and punctuation', async () => {
    const sessionId = `!"#$%&'()*+,-.:;<=>@[]^_{|}~${'x'.repeat(100)}`;
    await connect().getOffers({ request: REQUEST, sessionId });
    expect(received().query.sessionId).toBe(sessionId);
  });
});

describe('decisioningMethod', () => {
  test('of a call wins over that of the client', async () => {
    const { fetchApi } = detour();
    const client = connect({ decisioningMethod: 'on-device', pollingInterval: 0, fetchApi });
    const { meta } = await client.getOffers({ request: REQUEST, decisioningMethod: 'server-side' });
    expect(meta.decisioningMethod).toBe('server-side');
  });

  test.each(['local', ' ', 5, 'toString'])('cannot be %p', async (decisioningMethod) => {
    const error = await targetErrorOf(() =>
      connect().getOffers(offersOptions({ request: REQUEST, decisioningMethod })),
    );
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path: 'decisioningMethod' });
  });
});

describe('timeout and signal', () => {
  test('a timeout may be a text of digits, and an empty text is none', async () => {
    const client = connect();
    for (const timeout of ['5000', '', null]) {
      const { response } = await client.getOffers(offersOptions({ request: REQUEST, timeout }));
      expect(response.status).toBe(200);
    }
    bench.edge.fault({ kind: 'hang' });
    const error = await targetErrorOf(() =>
      client.getOffers(offersOptions({ request: REQUEST, timeout: '20' })),
    );
    expect(error).toMatchObject({ code: 'ERR_TARGET_TIMEOUT', message: expect.stringContaining('20 ms') });
  });

  test('an empty decisioningMethod is none', async () => {
    const { decisioningMethod } = await connect().getOffers(
      offersOptions({ request: REQUEST, decisioningMethod: '' }),
    );
    expect(decisioningMethod).toBe('server-side');
  });

  test('timeout of a call wins over that of the client', async () => {
    bench.edge.fault({ kind: 'hang' });
    const error = await targetErrorOf(() =>
      connect({ timeout: 60_000 }).getOffers({ request: REQUEST, timeout: 40 }),
    );
    expect(error).toMatchObject({
      code: 'ERR_TARGET_TIMEOUT',
      message: expect.stringContaining('within 40 ms'),
    });
  });

  test.each([0, -5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '0', '-5', 'soon', true, {}])(
    'timeout cannot be %p',
    async (timeout) => {
      const error = await targetErrorOf(() =>
        connect().getOffers(offersOptions({ request: REQUEST, timeout })),
      );
      expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path: 'timeout' });
      expect(bench.edge.requests).toHaveLength(0);
    },
  );

  test('a signal ends the call with its reason', async () => {
    bench.edge.fault({ kind: 'hang' });
    const controller = new AbortController();
    const call = targetErrorOf(() => connect().getOffers({ request: REQUEST, signal: controller.signal }));
    await bench.edge.waitForRequests(1);
    const reason = new Error('the visitor left');
    controller.abort(reason);
    expect(await call).toMatchObject({ code: 'ERR_TARGET_ABORTED', cause: reason });
  });

  test('a signal that is aborted already sends nothing', async () => {
    const error = await targetErrorOf(() =>
      connect().getOffers({ request: REQUEST, signal: AbortSignal.abort() }),
    );
    expect(error.code).toBe('ERR_TARGET_ABORTED');
    expect(bench.edge.requests).toHaveLength(0);
  });

  test.each(['abort', 5, {}])('a signal cannot be %p', async (signal) => {
    const error = await targetErrorOf(() => connect().getOffers(offersOptions({ request: REQUEST, signal })));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path: 'signal' });
  });
});

describe('callback and errCallback', () => {
  test('callback gets what the promise resolves to', async () => {
    const callback = jest.fn<(result: TargetDeliveryResponse) => void>();
    const result = await connect().getOffers({ request: REQUEST, callback });
    expect(callback.mock.calls).toEqual([[result]]);
    expect(callback.mock.calls[0]?.[0]).toBe(result);
  });

  test('of getAttributes gets the attributes, of sendNotifications the answer', async () => {
    const callback = jest.fn();
    const attributes = await connect().getAttributes(['flags'], { callback });
    const answer = await connect().sendNotifications({
      request: { notifications: [{ id: 'n', type: 'click', timestamp: 1 }] },
      callback,
    });
    expect(callback.mock.calls.map(([value]) => value)).toEqual([attributes, answer]);
  });

  test('errCallback takes the error, and the promise resolves to undefined', async () => {
    const callback = jest.fn();
    const errCallback = jest.fn<(error: TargetError) => void>();
    const client = connect();
    const results = await Promise.all([
      client.getOffers({ request: { execute: {} }, callback, errCallback }),
      client.getAttributes(['' as never], { callback, errCallback }),
      client.sendNotifications({ request: {}, callback, errCallback }),
    ]);
    expect(results).toEqual([undefined, undefined, undefined]);
    expect(callback).not.toHaveBeenCalled();
    expect(errCallback.mock.calls.map(([{ path }]) => path).sort()).toEqual([
      'execute',
      'mboxNames[0]',
      'notifications',
    ]);
  });

  test('without errCallback an error rejects, callback or not', async () => {
    const callback = jest.fn();
    const error = await targetErrorOf(() => connect().getOffers({ request: { execute: {} }, callback }));
    expect(error.path).toBe('execute');
    expect(callback).not.toHaveBeenCalled();
  });

  test('a callback that throws or rejects is logged and harms nothing', async () => {
    const { lines, logger } = listeningLogger();
    const client = connect({ logger });
    const fail = (error: Error) => () => {
      throw error;
    };
    const reject = (error: Error) => async () => fail(error)();
    const errCallback = jest.fn();
    const failing = { request: { execute: {} } };
    const { response } = await client.getOffers({ request: REQUEST, callback: fail(new TypeError('mine')) });
    await client.getOffers({ request: REQUEST, callback: reject(new RangeError('mine')) });
    expect(response.status).toBe(200);
    expect(await client.getOffers({ ...failing, errCallback: fail(new EvalError('mine')) })).toBeUndefined();
    expect(await client.getOffers({ ...failing, errCallback: reject(new URIError('mine')) })).toBeUndefined();
    await client.getOffers({ request: REQUEST, callback: fail(new SyntaxError('mine')), errCallback });
    expect(errCallback).not.toHaveBeenCalled();
    expect(lines.error).toEqual(
      ['TypeError', 'RangeError', 'EvalError', 'URIError', 'SyntaxError'].map(
        (name) => `AT: a callback failed: ${name}`,
      ),
    );
  });

  test.each(['callback', 'errCallback'])('%s that is null is as if it were not there', async (name) => {
    const { response } = await connect().getOffers(offersOptions({ request: REQUEST, [name]: null }));
    expect(response.status).toBe(200);
  });

  test.each<[string, unknown]>([
    ['callback', 'text'],
    ['callback', {}],
    ['callback', ''],
    ['errCallback', 5],
    ['errCallback', true],
  ])('%s that is %p is an error that names it, and nothing is sent', async (name, value) => {
    const client = connect();
    const wrong = { request: { notifications: [{ id: 'n', type: 'click', timestamp: 1 }] }, [name]: value };
    const calls = [
      () => client.getOffers(offersOptions({ request: REQUEST, [name]: value })),
      () => client.getAttributes(['flags'], { [name]: value } as GetAttributesOptions),
      () => client.sendNotifications(offersOptions(wrong)),
    ];
    for (const call of calls) {
      expect(await targetErrorOf(call)).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path: name });
    }
    expect(bench.edge.requests).toHaveLength(0);
  });

  test('errCallback takes the error of a callback that is no function', async () => {
    const errCallback = jest.fn<(error: TargetError) => void>();
    const options = offersOptions({ request: REQUEST, callback: 'text', errCallback });
    expect(await connect().getOffers(options)).toBeUndefined();
    expect(errCallback.mock.calls.map(([{ path }]) => path)).toEqual(['callback']);
  });
});

describe('options that the calls do not have', () => {
  test.each(['config', 'fetchApi', 'client', 'serverDomain', 'secure', 'environmentId', 'agent', 'retry'])(
    '%s is ignored with a warning and replaces nothing',
    async (name) => {
      const { lines, logger } = listeningLogger();
      const client = connect({ logger });
      const hostile = jest.fn(() => {
        throw new Error('was called');
      });
      const value = name === 'config' ? { serverDomain: 'evil.invalid', fetchApi: hostile } : hostile;
      const { request } = await client.getOffers(offersOptions({ request: REQUEST, [name]: value }));
      expect(bench.edge.requests).toHaveLength(1);
      expect(request).not.toHaveProperty('environmentId');
      expect(hostile).not.toHaveBeenCalled();
      expect(lines.warn).toEqual([expect.stringContaining(`unknown option "${name}" is ignored`)]);
    },
  );

  test('are the only ones that are warned of', async () => {
    const { lines, logger } = listeningLogger();
    const known = {
      sessionId: 's1',
      targetLocationHint: '35',
      consumerId: 'page',
      timeout: 60_000,
      callback: () => undefined,
    };
    await connect({ logger }).getOffers({ request: REQUEST, decisioningMethod: 'server-side', ...known });
    expect(lines.warn).toEqual([]);
  });

  test('are warned of once per client, with the nearest name', async () => {
    const { lines, logger } = listeningLogger();
    const client = connect({ logger });
    for (let call = 0; call < 3; call += 1) {
      await client.getOffers(offersOptions({ request: REQUEST, targetCookies: 'x' }));
    }
    expect(lines.warn).toEqual([
      'AT: unknown option "targetCookies" is ignored: did you mean "targetCookie"?',
    ]);
  });

  test.each(['getAttributes', 'sendNotifications'])('are warned of by %s too', async (method) => {
    const { lines, logger } = listeningLogger();
    const client = connect({ logger });
    const options = offersOptions({
      request: { notifications: [{ id: 'n', type: 'click', timestamp: 1 }] },
      toString: 5,
    });
    if (method === 'getAttributes') {
      await client.getAttributes(['a'], options as GetAttributesOptions);
    } else {
      await client.sendNotifications(options);
    }
    expect(lines.warn).toEqual([expect.stringContaining('unknown option "toString" is ignored')]);
  });
});

describe('what the caller passed', () => {
  test('is not changed, however deeply it is frozen', async () => {
    const options = () => ({
      request: {
        id: { tntId: 'abc.35_0', customerIds: [] },
        property: { token: '' },
        context: { channel: 'web' as const, address: { url: 'https://example.com/' } },
        execute: { pageLoad: {}, mboxes: [{ name: 'a' }, { name: 'b', parameters: { n: 1, b: true } }] },
        prefetch: { views: [{}], mboxes: [{ name: 'flags' }] },
      },
      targetCookie: `session#s#${LATER}|PC#p.28_0#${LATER}`,
      customerIds: { crm: { id: '1', authState: 1 as const }, plain: '2' },
    });
    const frozen = deepFreeze(options());
    const client = connect();
    await client.getOffers(frozen);
    await client.getAttributes(['flags', 'other'], frozen);
    expect(frozen).toEqual(options());
    expect(bench.edge.requests.map(({ status }) => status)).toEqual([200, 200]);
    const mutable = options();
    await client.getAttributes(['flags', 'other'], mutable);
    expect(mutable).toEqual(options());
  });

  test.each([
    [
      'an options getter',
      () => ({
        request: REQUEST,
        get targetCookie() {
          return fail();
        },
      }),
    ],
    [
      'a request getter',
      () => ({
        get request() {
          return fail();
        },
      }),
    ],
    ['a proxy', () => ({ request: new Proxy({}, { ownKeys: fail, get: fail, has: fail }) })],
    ['a revoked proxy', () => ({ request: revoked() })],
    [
      'a visitor that throws',
      () => ({
        request: REQUEST,
        visitor: { getState: fail, getVisitorValues: fail, getSupplementalDataID: fail },
      }),
    ],
    [
      'customerIds that throw',
      () => ({
        request: REQUEST,
        customerIds: {
          get crm() {
            return fail();
          },
        },
      }),
    ],
  ])('that throws is ERR_TARGET_INVALID_REQUEST with its cause: %s', async (_, make) => {
    const error = await targetErrorOf(() => connect().getOffers(offersOptions(make())));
    expect(error.code).toBe('ERR_TARGET_INVALID_REQUEST');
    expect(error.cause).toBeInstanceOf(Error);
    expect(error.message).not.toContain('visitor 12345');
    expect(bench.edge.requests).toHaveLength(0);
  });

  function fail(): never {
    throw new Error('visitor 12345 failed');
  }
  function revoked(): object {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  }
});

test('options may be an object of a class, in each of the methods', async () => {
  class Options {
    get request() {
      return { ...REQUEST, notifications: [{ id: 'n', type: 'click', timestamp: 1 }] } as const;
    }
    get sessionId() {
      return 'inherited';
    }
  }
  const client = connect();
  await client.getOffers(new Options());
  await client.getAttributes(['flags'], new Options());
  await client.sendNotifications(new Options());
  const sessions = bench.edge.requests.map(({ query }) => query.sessionId);
  expect(sessions).toEqual(['inherited', 'inherited', 'inherited']);
});
