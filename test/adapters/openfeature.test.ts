import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  ErrorCode,
  type EvaluationDetails,
  type FlagValue,
  OpenFeature,
  StandardResolutionReasons,
} from '@openfeature/server-sdk';
import { createVisit, fromFetchRequest } from '../../src/adapters/http.js';
import {
  type OpenFeatureCall,
  type TargetFlag,
  TargetProvider,
  type TargetProviderOptions,
  withVisit,
} from '../../src/adapters/openfeature.js';
import type { JsonValue, TargetClient } from '../../src/index.js';
import { activity, buildArtifact, createTestClient, html, json, redirect } from '../../src/testing/edge.js';
import { artifactOf, rule } from '../fixtures/rules.js';
import { targetErrorOf, withEdge } from '../with-edge.js';
import { withOpenFeature } from './openfeature-serving.js';

const { DEFAULT, ERROR, SPLIT, TARGETING_MATCH, UNKNOWN } = StandardResolutionReasons;
const { FLAG_NOT_FOUND, GENERAL, INVALID_CONTEXT, PARSE_ERROR, PROVIDER_NOT_READY, TYPE_MISMATCH } =
  ErrorCode;

const VALUES = { on: true, off: false, none: null, zero: 0, empty: '', size: 12.5, name: 'north', list: [1] };
const bench = withEdge();
const { serve } = withOpenFeature();

/** The flags of a server-side client. */
const flags = (options?: TargetProviderOptions) => serve(bench.connect(), options);

beforeEach(() => {
  bench.edge.setOffers({
    mboxes: {
      values: json(VALUES),
      'shop.checkout': json({ color: 'red', '': 'unnamed', ['__proto__']: 'hidden' }),
      page: html('<h1>Hello</h1>'),
      elsewhere: redirect('https://shop.example/sale'),
      'default-content': html(''),
      list: json([1, 2]),
      scalar: json(true),
      two: [json({ color: 'red', size: 1 }), json({ color: 'blue' })],
    },
  });
});

describe('the key of a flag', () => {
  test('names the mbox, and behind its last dot the attribute', async () => {
    expect(await (await flags()).getStringValue('shop.checkout.color', 'default')).toBe('red');
    expect(bench.sent().execute).toEqual({ mboxes: [{ name: 'shop.checkout', index: 1 }] });
  });

  test('without a dot stands for the whole JSON offer', async () => {
    expect(await (await flags()).getObjectValue('values', {})).toEqual(VALUES);
    expect(await (await flags()).getObjectValue('list', [])).toEqual([1, 2]);
    expect(await (await flags()).getBooleanValue('scalar', false)).toBe(true);
    expect(await (await flags()).getObjectValue('two', {})).toEqual({ color: 'blue', size: 1 });
  });

  test('is an attribute of the one mbox of the option `mbox`, also with dots in it', async () => {
    bench.edge.setOffers({ mboxes: { flags: json({ color: 'red', 'a.b': 'dotted' }) } });
    const client = await flags({ mbox: 'flags' });
    expect(await client.getStringValue('color', 'default')).toBe('red');
    expect(await client.getStringValue('a.b', 'default')).toBe('dotted');
    expect(await client.getStringDetails('b', 'default')).toMatchObject({ errorCode: FLAG_NOT_FOUND });
  });

  test('is what the option `flag` makes of it, which wins over `mbox`', async () => {
    const known: Record<string, TargetFlag> = {
      color: { mbox: 'shop.checkout', key: 'color' },
      all: { mbox: 'values', key: null },
    };
    const client = await flags({ mbox: 'values', flag: (key) => known[key] });
    expect(await client.getStringValue('color', 'default')).toBe('red');
    expect(await client.getObjectValue('all', {})).toEqual(VALUES);
  });

  test('that no mbox belongs to is not found, and nobody is asked', async () => {
    const client = await flags({ flag: () => undefined });
    const expected = { value: 'default', reason: ERROR, errorCode: FLAG_NOT_FOUND };
    expect(await client.getStringDetails('color', 'default')).toMatchObject(expected);
    const dotted = await flags();
    for (const key of ['', '.color', undefined as never, 7 as never, null as never]) {
      expect(await dotted.getStringDetails(key, 'default')).toMatchObject(expected);
    }
    expect(bench.edge.requests).toEqual([]);
  });

  test('may be any text that an attribute can be', async () => {
    const client = await flags();
    expect(await client.getStringValue('shop.checkout.', 'default')).toBe('unnamed');
    expect(await client.getStringValue('shop.checkout.__proto__', 'default')).toBe('hidden');
    expect(await client.getStringDetails('shop.checkout.toString', 'default')).toMatchObject({
      errorCode: FLAG_NOT_FOUND,
    });
  });
});

describe('the value of a flag', () => {
  test('is the attribute, falsy ones too', async () => {
    const client = await flags();
    expect(await client.getBooleanValue('values.on', false)).toBe(true);
    expect(await client.getBooleanValue('values.off', true)).toBe(false);
    expect(await client.getNumberValue('values.zero', 1)).toBe(0);
    expect(await client.getNumberValue('values.size', 1)).toBe(12.5);
    expect(await client.getStringValue('values.empty', 'default')).toBe('');
    expect(await client.getObjectValue('values.list', [])).toEqual([1]);
  });

  test('has no error and no message', async () => {
    const details = await (await flags()).getStringDetails('values.name', 'default');
    expect(details).toEqual({ flagKey: 'values.name', value: 'north', reason: UNKNOWN, flagMetadata: {} });
  });

  test('of a later offer wins, as in getAttributes', async () => {
    expect(await (await flags()).getStringValue('two.color', 'default')).toBe('blue');
    expect(await (await flags()).getNumberValue('two.size', 0)).toBe(1);
  });

  test('can be changed by each reader without the others', async () => {
    const client = await flags();
    const [one, other] = await Promise.all([
      client.getObjectValue<number[]>('values.list', []),
      client.getObjectValue<number[]>('values.list', []),
    ]);
    one.push(2);
    expect(other).toEqual([1]);
    expect(bench.edge.requests).toHaveLength(1);
  });

  test.each([
    ['getBooleanDetails', 'values.name', true],
    ['getBooleanDetails', 'values.zero', true],
    ['getBooleanDetails', 'values.none', true],
    ['getNumberDetails', 'values.on', 1],
    ['getNumberDetails', 'values.empty', 1],
    ['getNumberDetails', 'values.none', 1],
    ['getStringDetails', 'values.size', 'default'],
    ['getStringDetails', 'values.list', 'default'],
    ['getStringDetails', 'values.none', 'default'],
    ['getStringDetails', 'values', 'default'],
    ['getObjectDetails', 'values.name', {}],
    ['getObjectDetails', 'values.none', {}],
    ['getObjectDetails', 'scalar', {}],
    ['getObjectDetails', 'page', {}],
    ['getStringDetails', 'elsewhere', 'default'],
  ] as const)('%s of %s is a type mismatch', async (read, key, defaultValue) => {
    const client = await flags();
    const evaluate: (key: string, value: never) => Promise<EvaluationDetails<FlagValue>> =
      client[read].bind(client);
    const details = await evaluate(key, defaultValue as never);
    expect(details).toMatchObject({ value: defaultValue, reason: ERROR, errorCode: TYPE_MISMATCH });
    expect(details.errorMessage).toContain('mbox');
    expect(details.errorMessage).not.toContain('north');
  });

  test('is not found when the offer has no such attribute', async () => {
    for (const key of ['values.missing', 'page.color']) {
      expect(await (await flags()).getStringDetails(key, 'default')).toMatchObject({
        value: 'default',
        reason: ERROR,
        errorCode: FLAG_NOT_FOUND,
      });
    }
  });

  test.each(['values-of-nobody.color', 'values-of-nobody', 'default-content.color', 'default-content'])(
    'is the default without an error for a visitor without an offer: %s',
    async (key) => {
      const details = await (await flags()).getStringDetails(key, 'default');
      expect(details).toEqual({ flagKey: key, value: 'default', reason: DEFAULT, flagMetadata: {} });
    },
  );
});

describe('the reason, the variant and the metadata', () => {
  const tokens: Record<string, JsonValue> = {
    'activity.id': 7,
    'activity.type': 'ab',
    'experience.id': 1,
    'experience.name': 'Blue',
    'profile.isMember': true,
  };
  const detailsWith = async (responseTokens: Record<string, JsonValue>) => {
    bench.edge.setOffers({ mboxes: { shop: json({ color: 'blue' }, { responseTokens }) } });
    return (await flags()).getStringDetails('shop.color', 'default');
  };

  test('are those of the response tokens', async () => {
    const details = await detailsWith({ ...tokens, 'option.list': [1], 'option.none': null });
    expect(details).toMatchObject({ value: 'blue', reason: SPLIT, variant: 'Blue' });
    expect(details.flagMetadata).toEqual(tokens);
  });

  test.each([
    ['ab', SPLIT],
    ['landing', TARGETING_MATCH],
    ['xt', TARGETING_MATCH],
    ['ap', TARGETING_MATCH],
  ])('of an activity of type %s is %s', async (type, reason) => {
    expect((await detailsWith({ 'activity.type': type })).reason).toBe(reason);
  });

  test('of an answer without tokens are unknown', async () => {
    bench.edge.setOffers({ mboxes: { shop: json({ color: 'blue' }) } });
    const details = await (await flags()).getStringDetails('shop.color', 'default');
    expect(details).toMatchObject({ reason: UNKNOWN, flagMetadata: {} });
    expect(details).not.toHaveProperty('variant');
  });

  test('name the experience by its id when it has no name', async () => {
    expect(await detailsWith({ 'experience.id': 0 })).toMatchObject({ variant: '0', reason: UNKNOWN });
  });

  test('are those of the offer that has the attribute', async () => {
    const of = (name: string) => ({ responseTokens: { 'experience.name': name } });
    bench.edge.setOffers({
      mboxes: { shop: [json({ size: 1, color: 'red' }, of('first')), json({ color: 'blue' }, of('second'))] },
    });
    const client = await flags();
    expect((await client.getStringDetails('shop.color', '')).variant).toBe('second');
    expect((await client.getNumberDetails('shop.size', 0)).variant).toBe('first');
    expect((await client.getObjectDetails('shop', {})).variant).toBe('second');
    bench.edge.setOffers({
      mboxes: { shop: [json({ color: 'red' }, of('first')), json({ color: 'red' }, of('second'))] },
    });
    expect((await client.getStringDetails('shop.color', '')).variant).toBe('second');
  });
});

describe('on-device', () => {
  const onDevice = async (client: TargetClient, options?: TargetProviderOptions) => serve(client, options);
  const shop = (experience: number, type: string) =>
    rule('shop', {
      experience,
      when: { '==': [{ var: 'mbox.plan' }, type] },
      options: [{ type: 'json', content: { color: type }, eventToken: type }],
    });
  const artifact = artifactOf(
    { shop: [shop(0, 'red'), shop(1, 'blue')], partly: [rule('partly', { when: false })] },
    {},
    {
      responseTokens: ['activity.type', 'experience.name'],
      localMboxes: ['shop', 'partly', 'known'],
      remoteMboxes: ['far', 'partly'],
    },
  );
  const connect = (decisioningMethod: 'on-device' | 'hybrid') =>
    bench.connect({ decisioningMethod, artifactPayload: artifact, pollingInterval: 0 });

  test('flags are decided by the rules', async () => {
    const client = await onDevice(connect('on-device'));
    expect(await client.getStringDetails('shop.color', '', { plan: 'blue' })).toMatchObject({
      value: 'blue',
      variant: 'Experience 1',
      reason: SPLIT,
    });
    expect(bench.edge.requestsTo(({ delivery }) => delivery?.execute !== undefined)).toEqual([]);
  });

  test('a visitor to whom no rule applies gets the default', async () => {
    const client = await onDevice(connect('on-device'));
    for (const key of ['shop.color', 'known.color', 'partly.color']) {
      expect(await client.getStringDetails(key, 'default')).toMatchObject({
        value: 'default',
        reason: DEFAULT,
      });
    }
  });

  test('an mbox that the rules do not have is not found', async () => {
    const client = await onDevice(connect('on-device'));
    for (const key of ['unknown.color', 'far.color', 'unknown']) {
      expect(await client.getStringDetails(key, 'default')).toMatchObject({
        value: 'default',
        reason: ERROR,
        errorCode: FLAG_NOT_FOUND,
      });
    }
  });

  test('a hybrid client asks the edge for such an mbox', async () => {
    const client = await onDevice(connect('hybrid'));
    expect(await client.getStringValue('values.name', 'default')).toBe('north');
    expect(await client.getStringDetails('unknown.color', 'default')).toMatchObject({ reason: DEFAULT });
  });
});

describe('reads of one mbox that run at the same time', () => {
  const artifact = buildArtifact({
    activities: [
      activity('All')
        .mbox('checkout')
        .only(json({ a: 1, b: 2, c: 3 })),
    ],
  });
  const keys = ['a', 'b', 'c'];

  test.each(['on-device', 'hybrid'] as const)('are one impression, decided %s', async (decisioningMethod) => {
    const kit = createTestClient({ artifact, config: { decisioningMethod } });
    const ofKit = await serve(kit.client);
    const visit = createVisit(kit.client, fromFetchRequest(new Request('https://shop.example/')));
    for (const context of [{ targetingKey: 'user-7' }, withVisit(visit, { plan: 'gold' })]) {
      const read = (key: string) => ofKit.getNumberValue(`checkout.${key}`, 0, context);
      expect(await Promise.all(keys.map(read))).toEqual([1, 2, 3]);
    }
    await kit.client.flush();
    expect(kit.notifications).toHaveLength(2);
  });

  test('have a call each when their contexts differ, and when one has ended', async () => {
    const kit = createTestClient({ artifact });
    const ofKit = await serve(kit.client);
    const read = (targetingKey: string) => ofKit.getNumberValue('checkout.a', 0, { targetingKey });
    await Promise.all([read('one'), read('two')]);
    await read('one');
    await kit.client.flush();
    expect(kit.notifications).toHaveLength(3);
  });
});

test('a provider that another one of the same client replaces leaves the client open', async () => {
  const { client } = createTestClient({ offers: { mboxes: { values: json(VALUES) } } });
  for (let round = 0; round < 3; round += 1) {
    await OpenFeature.setProviderAndWait('replaced', new TargetProvider(client));
    expect(await OpenFeature.getClient('replaced').getStringValue('values.name', 'none')).toBe('north');
  }
  await serve(client);
  await OpenFeature.clearProviders();
  expect(await targetErrorOf(() => client.getAttributes(['values']))).toMatchObject({
    code: 'ERR_TARGET_CLOSED',
  });
});

describe('an error', () => {
  const failing = async (client: TargetClient, key = 'values.name') =>
    (await serve(client)).getStringDetails(key, 'default');

  test('of the network is GENERAL, with the message of the client', async () => {
    bench.edge.fault({ kind: 'reset' });
    expect(await failing(bench.connect({ retry: { retries: 0 } }))).toMatchObject({
      value: 'default',
      reason: ERROR,
      errorCode: GENERAL,
      errorMessage: expect.stringContaining('delivery call'),
    });
  });

  test('of an answer is PARSE_ERROR', async () => {
    bench.edge.fault({ kind: 'body', body: '<html>' });
    expect(await failing(bench.connect())).toMatchObject({ value: 'default', errorCode: PARSE_ERROR });
  });

  test('of a closed client is PROVIDER_NOT_READY', async () => {
    const client = bench.connect();
    const api = await serve(client);
    await client.close();
    expect(await api.getStringDetails('values.name', 'default')).toMatchObject({
      value: 'default',
      errorCode: PROVIDER_NOT_READY,
    });
  });

  test('of a context is INVALID_CONTEXT, and names the field', async () => {
    const client = await flags();
    const contexts = [
      { url: {} },
      { targetCookie: 7 },
      { customerIds: 'text' },
      { tntId: {} },
      { plan: 'x'.repeat(5001) },
      { targetingKey: 'x'.repeat(300) },
    ];
    for (const context of contexts) {
      const details = await client.getStringDetails('values.name', 'default', context as never);
      expect([context, details.errorCode]).toEqual([context, INVALID_CONTEXT]);
    }
    expect(bench.edge.requests).toEqual([]);
  });

  test.each<[string, TargetProviderOptions]>([
    ['flag', { flag: () => fail() }],
    ['flag', { flag: () => ({}) as TargetFlag }],
    ['flag', { flag: () => ({ mbox: '' }) }],
    ['flag', { flag: () => 7 as unknown as TargetFlag }],
    ['toCall', { toCall: () => fail() }],
    ['toCall', { toCall: () => undefined as unknown as OpenFeatureCall }],
    ['toCall', { toCall: () => Promise.resolve({}) as OpenFeatureCall }],
    ['targetingKey', { targetingKey: () => fail() }],
    ['targetingKey', { targetingKey: () => 'text' as never }],
  ])('of the option %s is GENERAL, and names it', async (name, options) => {
    const details = await (await flags(options)).getStringDetails('values.name', 'default', {
      targetingKey: 'user-7',
    });
    expect(details).toMatchObject({ value: 'default', errorCode: GENERAL });
    expect(details.errorMessage).toContain(name);
    expect(details.errorMessage).not.toContain('secret');
    expect(bench.edge.requests).toEqual([]);
  });
});

function fail(): never {
  throw new Error('a secret');
}

describe('a wrong option', () => {
  const cases: readonly [string, unknown, unknown][] = [
    ['client', undefined, {}],
    ['client', {}, {}],
    ['mbox', bench, { mbox: '' }],
    ['mbox', bench, { mbox: 7 }],
    ['flag', bench, { flag: 'flags' }],
    ['toCall', bench, { toCall: {} }],
    ['targetingKey', bench, { targetingKey: 'ecid' }],
    ['closeClient', bench, { closeClient: 'no' }],
    ['options', bench, 'text'],
  ];
  test.each(cases)('%s is refused when the provider is made', async (path, client, options) => {
    const made = client === bench ? bench.connect() : client;
    const error = await targetErrorOf(() => new TargetProvider(made as never, options as never));
    expect([error.code, error.path]).toEqual(['ERR_TARGET_INVALID_CONFIG', path]);
  });

  test('null counts as absent', async () => {
    const client = await serve(bench.connect(), {
      mbox: null,
      flag: null,
      toCall: null,
      targetingKey: null,
      closeClient: null,
    });
    expect(await client.getStringValue('values.name', 'default')).toBe('north');
    expect(() => new TargetProvider(bench.connect(), null)).not.toThrow();
  });
});
