import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import {
  createTargetAdapter,
  getProviderData,
  type TargetAdapterOptions,
  type TargetEntities,
} from '../../src/adapters/flags.js';
import { TargetClient } from '../../src/index.js';
import { html, json, type LocationOffers, type OfferFunction } from '../../src/testing/edge.js';
import { artifactOf, rule } from '../tools/artifacts.js';
import { deepFreeze, targetErrorOf, withEdge } from '../with-edge.js';
import { createAccessProof, newest, oldest } from './flags-package.js';

const plan: OfferFunction = ({ parameters }, { request }) =>
  json({
    plan: String(parameters?.plan ?? 'none'),
    visitor: request.id?.thirdPartyId ?? 'nobody',
    crm: request.id?.customerIds?.[0]?.id ?? 'none',
  });

const bench = withEdge({
  offers: {
    mboxes: new Map<string, LocationOffers | OfferFunction>([
      ['flags', json({ beta: true, color: 'blue', zero: 0, no: false, empty: '', nothing: null, 'a.b': 1 })],
      ['hero', json({ title: 'Free delivery' })],
      ['my.mbox', json({ deep: 'yes' })],
      ['list', json([1, 2])],
      ['markup', html('<p>')],
      ['visitor', plan],
      ['__proto__', json(JSON.parse('{"__proto__":"own","constructor":"own too"}'))],
      ...Array.from({ length: 120 }, (_, index) => [`many${index}`, json({ on: index })] as const),
    ]),
  },
});
const { connect } = bench;
const edge = () => bench.edge;

const SECRET = Buffer.alloc(32, 7).toString('base64url');
const SAVED = process.env.FLAGS_SECRET;
beforeAll(() => {
  process.env.FLAGS_SECRET = SECRET;
});
afterAll(() => {
  if (SAVED === undefined) {
    delete process.env.FLAGS_SECRET;
  } else {
    process.env.FLAGS_SECRET = SAVED;
  }
});

/** A request of a proxy. Each has headers of its own. */
const request = (headers: Record<string, string> = {}) =>
  new Request('https://shop.example/', { headers: { host: 'shop.example', ...headers } });
/** A request of the Pages Router, the only one that version 4.0 takes. */
const pageRequest = (headers: Record<string, string> = {}) => ({
  headers: { host: 'shop.example', ...headers },
});
const asked = () => edge().requests.map(({ delivery }) => delivery?.execute?.mboxes?.map(({ name }) => name));
const down = () => connect({ serverDomain: '127.0.0.1:1', secure: false, retry: { retries: 0 } });

describe.each([
  ['newest', newest.flag, request],
  ['newest, in the Pages Router', newest.flag, pageRequest],
  ['oldest', oldest.flag, pageRequest],
])('flags of the %s version 4', (_, flag, request) => {
  test('are read from the key of an mbox, by the part before the last dot', async () => {
    const adapter = createTargetAdapter(connect());
    const color = flag<string>({ key: 'flags.color', adapter: adapter() });
    const deep = flag<string>({ key: 'my.mbox.deep', adapter: adapter() });
    const hero = flag<{ title: string }>({ key: 'hero', adapter: adapter() });
    const list = flag<number[]>({ key: 'list', adapter: adapter() });
    const from = request();
    expect(await color(from)).toBe('blue');
    expect(await deep(from)).toBe('yes');
    expect(await hero(from)).toEqual({ title: 'Free delivery' });
    expect(await list(from)).toEqual([1, 2]);
  });

  test('are all read from one mbox with the option mbox', async () => {
    const adapter = createTargetAdapter(connect(), { mbox: 'flags' });
    const from = request();
    expect(await flag<boolean>({ key: 'beta', adapter: adapter() })(from)).toBe(true);
    expect(await flag<number>({ key: 'a.b', adapter: adapter() })(from)).toBe(1);
  });

  test('are read from where the function flag says', async () => {
    const find = (key: string) =>
      key === 'whole' ? { mbox: 'hero' } : { mbox: 'flags', key: key.toLowerCase() };
    const adapter = createTargetAdapter(connect(), { mbox: 'other', flag: find });
    const from = request();
    expect(await flag<boolean>({ key: 'BETA', adapter: adapter() })(from)).toBe(true);
    expect(await flag<object>({ key: 'whole', adapter: adapter() })(from)).toEqual({
      title: 'Free delivery',
    });
  });

  test.each([
    ['flags.zero', 0],
    ['flags.no', false],
    ['flags.empty', ''],
    ['flags.nothing', null],
    ['__proto__.__proto__', 'own'],
    ['__proto__.constructor', 'own too'],
  ])('%s has its value, which is no missing one', async (key, value) => {
    const flagged = flag<unknown>({
      key,
      adapter: createTargetAdapter(connect())(),
      defaultValue: 'default',
    });
    expect(await flagged(request())).toBe(value);
  });

  test.each([
    'flags.missing',
    'flags.constructor',
    'flags.__proto__',
    'markup',
    'markup.a',
    'list.0',
    'none',
    'none.a',
  ])('%s has the default of the flag', async (key) => {
    const flagged = flag<string>({ key, adapter: createTargetAdapter(connect())(), defaultValue: 'default' });
    expect(await flagged(request())).toBe('default');
  });

  test('read at the same time make one call, and later reads make none', async () => {
    const adapter = createTargetAdapter(connect());
    const flags = ['flags.beta', 'flags.color', 'hero'].map((key) =>
      flag<unknown>({ key, adapter: adapter() }),
    );
    const from = request();
    const values = await Promise.all(flags.map((each) => each(from)));
    expect(values).toEqual([true, 'blue', { title: 'Free delivery' }]);
    expect(await flags[0]?.(from)).toBe(true);
    expect(asked()).toEqual([['flags', 'hero']]);
  });

  test('know the visitor of the cookies and the page of the proxy, and write nothing', async () => {
    const adapter = createTargetAdapter(connect());
    const session = 'a'.repeat(32);
    const cookie = `mbox=${encodeURIComponent(`session#${session}#9999999999|PC#visitor1.35_0#9999999999`)}`;
    const headers = {
      cookie,
      'user-agent': 'Mozilla/5.0',
      'x-target-url': 'https://shop.example/coffee?a=1',
    };
    await flag<boolean>({ key: 'flags.beta', adapter: adapter() })(
      request({ ...headers, 'x-forwarded-proto': 'https' }),
    );
    const { delivery, query } = bench.received();
    expect(delivery?.id?.tntId).toBe('visitor1.35_0');
    expect(delivery?.context?.userAgent).toBe('Mozilla/5.0');
    expect(JSON.stringify([delivery?.context?.address, query])).toContain(session);
  });

  test('take the visitor and the parameters that identify returns', async () => {
    const identify = (): TargetEntities => ({
      targetingKey: 'member 7',
      customerIds: { crm: 'c-1' },
      parameters: { plan: 'gold', seats: 5 },
    });
    const adapter = createTargetAdapter(connect(), { mbox: 'visitor' });
    const from = request();
    const read = (key: string) => flag<string>({ key, identify, adapter: adapter() })(from);
    expect(await Promise.all(['plan', 'visitor', 'crm'].map(read))).toEqual(['gold', 'member 7', 'c-1']);
  });

  test('have their defaults when the call fails, and then the next one works', async () => {
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
    const adapter = createTargetAdapter(down());
    const withDefault = flag<boolean>({ key: 'flags.beta', adapter: adapter(), defaultValue: false });
    expect(await withDefault(request())).toBe(false);
    expect(warn).toHaveBeenCalled();
    const without = flag<boolean>({ key: 'flags.beta', adapter: adapter() });
    expect((await targetErrorOf(() => without(request()))).code).toBe('ERR_TARGET_NETWORK');
    warn.mockRestore();
  });

  test('give their errors to onError, and then nobody logs', async () => {
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
    const codes: string[] = [];
    const adapter = createTargetAdapter(down(), { onError: ({ code }) => codes.push(code) });
    expect(
      await flag<boolean>({ key: 'flags.beta', adapter: adapter(), defaultValue: false })(request()),
    ).toBe(false);
    expect(codes).toEqual(['ERR_TARGET_NETWORK']);
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  test('ask nothing without consent', async () => {
    const adapter = createTargetAdapter(connect(), { consent: () => false });
    expect(
      await flag<boolean>({ key: 'flags.beta', adapter: adapter(), defaultValue: false })(request()),
    ).toBe(false);
    expect(edge().requests).toEqual([]);
  });

  test('know the page where they are managed', () => {
    const adapter = createTargetAdapter(connect());
    expect(flag<boolean>({ key: 'a', adapter: adapter() }).origin).toBe(
      'https://experience.adobe.com/#/target/activities',
    );
    const origin = 'https://experience.adobe.com/#/@acme/target/activities';
    const own = createTargetAdapter(connect(), { origin });
    expect(flag<boolean>({ key: 'a', adapter: own() }).origin).toBe(origin);
  });
});

describe('evaluate', () => {
  test('decides flags of several mboxes with one call', async () => {
    const adapter = createTargetAdapter(connect());
    const keys = ['flags.beta', 'flags.color', 'hero', 'none.a'];
    const flags = keys.map((key) => newest.flag<unknown>({ key, adapter, defaultValue: 'default' }));
    const values = await newest.evaluate(flags, request());
    expect(values).toEqual([true, 'blue', { title: 'Free delivery' }, 'default']);
    expect(asked()).toEqual([['flags', 'hero', 'none']]);
  });

  test('has one call for each visitor that identify tells', async () => {
    const adapter = createTargetAdapter(connect(), { mbox: 'visitor' });
    const identify = (): TargetEntities => ({ targetingKey: 'member 7', customerIds: { crm: 'c-1' } });
    const flags = ['visitor', 'crm'].map((key) => newest.flag<string>({ key, identify, adapter }));
    expect(await newest.evaluate(flags, request())).toEqual(['member 7', 'c-1']);
    expect(asked()).toEqual([['visitor']]);
  });

  test('asks for many mboxes in requests that the edge takes', async () => {
    const adapter = createTargetAdapter(connect());
    const keys = Array.from({ length: 120 }, (_, index) => `many${index}.on`);
    const identify = () => ({ targetingKey: 'a' });
    const flags = keys.map((key) => newest.flag<number>({ key, adapter, identify }));
    expect(await newest.evaluate(flags, request())).toEqual(keys.map((_, index) => index));
    expect(asked().map((names) => names?.length)).toEqual([50, 50, 20]);
  });

  test('gives each flag its default when the call fails', async () => {
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
    const adapter = createTargetAdapter(down());
    const flags = ['flags.beta', 'hero'].map((key) =>
      newest.flag<unknown>({ key, adapter, defaultValue: key }),
    );
    expect(await newest.evaluate(flags, request())).toEqual(['flags.beta', 'hero']);
    warn.mockRestore();
  });

  test('does not join the adapters of two clients', async () => {
    const [one, other] = [createTargetAdapter(connect()), createTargetAdapter(connect())];
    expect(one<boolean>().adapterId).toBe(one<string>().adapterId);
    expect(one<boolean>().adapterId).not.toBe(other<boolean>().adapterId);
  });
});

describe('the client', () => {
  test('is first asked for when a flag is read, and once for each request', async () => {
    const client = connect();
    const make = jest.fn(() => client);
    const adapter = createTargetAdapter(make);
    const flagged = newest.flag<boolean>({ key: 'flags.beta', adapter });
    expect(make).not.toHaveBeenCalled();
    const from = request();
    await flagged(from);
    await newest.flag<string>({ key: 'flags.color', adapter })(from);
    expect(make).toHaveBeenCalledTimes(1);
    await flagged(request());
    expect(make).toHaveBeenCalledTimes(2);
  });

  test('may decide on-device', async () => {
    const artifact = artifactOf(
      { flags: [rule({ beta: true })] },
      { localMboxes: ['flags'], remoteMboxes: [] },
    );
    const client = TargetClient.create({
      ...bench.edge.config,
      decisioningMethod: 'on-device',
      artifactPayload: artifact,
      pollingInterval: 0,
      telemetryEnabled: false,
    });
    const flagged = newest.flag<boolean>({ key: 'flags.beta', adapter: createTargetAdapter(client) });
    expect(await flagged(request())).toBe(true);
    await client.close();
  });
});

describe('a wrong option is refused', () => {
  const client = {} as TargetClient;
  const cases: readonly (readonly [string, unknown, unknown])[] = [
    ['client', client, {}],
    ['client', undefined, {}],
    ['mbox', () => client, { mbox: 5 }],
    ['flag', () => client, { flag: 'flags' }],
    ['origin', () => client, { origin: 5 }],
    ['trustProxy', () => client, { trustProxy: 'yes' }],
    ['consent', () => client, { consent: 'yes' }],
    ['onError', () => client, { onError: 5 }],
  ];

  test.each(cases)('%s', async (path, given, options) => {
    const error = await targetErrorOf(() =>
      createTargetAdapter(given as never, options as TargetAdapterOptions),
    );
    expect([error.code, error.path]).toEqual(['ERR_TARGET_INVALID_CONFIG', path]);
  });

  test('also an offer without a name, when the flag is read', async () => {
    for (const flag of [() => undefined, () => ({ mbox: '' }), () => ({ key: 'a' })]) {
      const adapter = createTargetAdapter(connect(), { flag: flag as never })<boolean>();
      const error = await targetErrorOf(() => adapter.decide({ key: 'a', headers: request().headers }));
      expect([error.code, error.path]).toEqual(['ERR_TARGET_INVALID_CONFIG', "flag('a').mbox"]);
    }
    const adapter = createTargetAdapter(connect())<boolean>();
    const error = await targetErrorOf(() => adapter.decide({ key: '.a', headers: request().headers }));
    expect(error.code).toBe('ERR_TARGET_INVALID_CONFIG');
  });

  test('a wrong visitor of identify is an error of the call, and the next call works', async () => {
    const adapter = createTargetAdapter(connect())<boolean>();
    const { headers } = request();
    const entities = { parameters: { plan: {} } } as never;
    const error = await targetErrorOf(() => adapter.decide({ key: 'flags.beta', headers, entities }));
    expect(error.code).toBe('ERR_TARGET_INVALID_REQUEST');
    expect(await adapter.decide({ key: 'flags.beta', headers })).toBe(true);
    for (const odd of [null, 'text', 5, {}, { targetingKey: null, customerIds: null, parameters: null }]) {
      expect(await adapter.decide({ key: 'flags.beta', headers, entities: odd as never })).toBe(true);
    }
  });
});

describe('getProviderData', () => {
  const artifact = deepFreeze(
    artifactOf({
      flags: [
        rule({ beta: true, color: 'red', 'a.b': 1 }, { activity: 'Spring' }),
        rule({ beta: false, color: 'red' }, { activity: 'Autumn' }),
      ],
      'my.mbox': [rule({ deep: 1 })],
      list: [rule([1, 2])],
      markup: [rule('<p>')],
    }),
  );
  const origin = 'https://experience.adobe.com/#/target/activities';

  test('lists the keys of all mboxes that a flag can name, with the values of the experiences', () => {
    const { definitions, hints } = getProviderData(artifact);
    expect(hints).toEqual([]);
    expect(Object.keys(definitions)).toEqual(['flags', 'flags.beta', 'flags.color', 'list', 'my.mbox.deep']);
    expect(definitions['flags.beta']).toEqual({
      options: [
        { value: true, label: 'A' },
        { value: false, label: 'A' },
      ],
      description: 'Spring, Autumn',
      origin,
    });
    expect(definitions['flags.color']?.options).toEqual([{ value: 'red', label: 'A' }]);
    expect(definitions.list?.options).toEqual([{ value: [1, 2], label: 'A' }]);
  });

  test('lists the keys of one mbox with the option mbox', () => {
    const { definitions } = getProviderData(artifact, { mbox: 'flags', origin: 'https://own.example/' });
    expect(Object.keys(definitions)).toEqual(['a.b', 'beta', 'color']);
    expect(definitions.beta?.origin).toBe('https://own.example/');
  });

  test('lists given keys, which the option flag needs', () => {
    const flag = (key: string) => ({ mbox: 'flags', key: key.toLowerCase() });
    const { definitions } = getProviderData(artifact, { flag, keys: ['BETA', 'NONE'] });
    expect(Object.keys(definitions)).toEqual(['BETA']);
    expect(getProviderData(artifact, { flag }).hints[0]?.text).toContain('needs keys');
  });

  test.each([[undefined], [null], ['text'], [{}], [{ rules: {} }], [{ rules: { mboxes: [] } }]])(
    'has a hint in place of the flags for %j',
    (none) => {
      const { definitions, hints } = getProviderData(none);
      expect(definitions).toEqual({});
      expect(hints).toEqual([
        { key: 'target-node-sdk', text: expect.stringContaining('Server-side clients have no rules') },
      ]);
    },
  );

  test('leaves out rules that are malformed, and knows hostile names', () => {
    const odd = JSON.parse(
      '{"rules":{"mboxes":{"m":[null,5,{"consequence":{"options":5}}],"n":5,"__proto__":[{"consequence":{"options":[{"type":"json","content":{"__proto__":1}}]}}]}}}',
    );
    const { definitions } = getProviderData(odd);
    expect(Object.keys(definitions)).toEqual(['__proto__', '__proto__.__proto__']);
    expect(
      getProviderData(artifactOf({ a: [rule({ b: 1 }, { activity: '', id: 5 })] })).definitions['a.b'],
    ).toMatchObject({
      description: 'activity 5',
    });
  });

  test.each([
    ['newest', newest],
    ['oldest', oldest],
  ])(
    'is what the discovery endpoint of the %s version serves',
    async (_, { createFlagsDiscoveryEndpoint }) => {
      const headers = { authorization: `Bearer ${await createAccessProof(SECRET)}` };
      const data = getProviderData(artifact, { mbox: 'flags' });
      const endpoint = createFlagsDiscoveryEndpoint(() => data, { secret: SECRET });
      const url = 'https://shop.example/.well-known/vercel/flags';
      const answer = await endpoint(new Request(url, { headers }));
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual(JSON.parse(JSON.stringify(data)));
      expect((await endpoint(new Request(url))).status).toBe(401);
    },
  );
});

test('the description of flags leaves out values that are no JSON', () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  const content = { big: 5n, circle, isNew: true };
  const rules = { mboxes: { shop: [{ consequence: { options: [{ type: 'json', content }] } }] } };
  const { definitions } = getProviderData({ version: '1.0.0', rules }, { mbox: 'shop' });
  expect(Object.keys(definitions)).toEqual(['isNew']);
});
