import { describe, expect, test } from '@jest/globals';
import {
  diffArtifacts,
  type ExplainOptions,
  explain,
  inspect,
  type SimulateOptions,
  sentenceOf,
  simulate,
  type ToTypesOptions,
  testShares,
  toTypes,
  validate,
} from '../../src/tools/tools.js';

/** Values that break programs which trust what they are given. */
function revoked<Target extends object>(target: Target): Target {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

function throwing(name: string, more: object = {}): object {
  const get = () => {
    throw new Error('secret');
  };
  return Object.defineProperty({ ...more }, name, { enumerable: true, get });
}

function ruleOf(condition: unknown, more: object = {}) {
  return {
    ruleKey: '1',
    activityId: 1,
    meta: { 'activity.name': 'Spring', 'experience.name': 'A' },
    condition,
    consequence: { options: [] },
    ...more,
  };
}

function artifactOf(rules: unknown = [ruleOf(true)], more: object = {}): object {
  return {
    version: '1.0.0',
    meta: { clientCode: 'acme' },
    localMboxes: ['hero'],
    rules: { mboxes: { hero: rules }, views: {} },
    ...more,
  };
}

const HERO = { prefetch: { mboxes: [{ name: 'hero' }] } };

function deeply(levels: number): unknown {
  let condition: unknown = true;
  for (let level = 0; level < levels; level += 1) {
    condition = { '!': condition };
  }
  return condition;
}

const inItself: { version: string; rules: object } = { version: '1.0.0', rules: {} };
inItself.rules = { mboxes: inItself };

const NO_ARTIFACTS: [what: string, artifact: unknown][] = [
  ['a revoked proxy', revoked({})],
  ['a revoked list', revoked([])],
  ['a getter that throws', throwing('version')],
  ['rules that throw', throwing('rules', { version: '1.0.0' })],
  ['an object in itself', inItself],
  ['a method toJSON that throws', { toJSON: () => ruleOf(revoked({})) }],
  ['rules of an mbox that are null', artifactOf(null)],
  ['a list of rules', artifactOf([], { rules: [] })],
  ['texts instead of lists', artifactOf([], { localMboxes: 'hero' })],
  ['numbers instead of names', artifactOf([], { responseTokens: [5] })],
  ['meta data that are a text', artifactOf([], { meta: 'x' })],
  ['a Map', new Map()],
  ['a date', new Date(0)],
  ['a function', () => 1],
  ['a symbol', Symbol('x')],
  ['a bigint', 5n],
  ['null', null],
  ['nothing', undefined],
];

const ODD_ARTIFACTS: [what: string, artifact: object][] = [
  ['rules that are none', artifactOf([null, 'x', 5, [], {}])],
  ['rules with parts of another kind', artifactOf([{ meta: [] }, ruleOf(true, { consequence: null })])],
  ['options that are none', artifactOf([ruleOf(true, { consequence: { options: [null, 5], metrics: 7 } })])],
  ['a rule key that is an object', artifactOf([ruleOf(true, { ruleKey: { a: 1 } })])],
  ['an activity id that is an object', artifactOf([ruleOf(true, { activityId: {} })])],
  ['conditions of no kind', artifactOf([undefined, null, 'x', 5, []].map((one) => ruleOf(one)))],
  ['a condition that is nested 300 times', artifactOf([ruleOf(deeply(300))])],
  [
    'meta data that no text can be made of',
    artifactOf([], { meta: { clientCode: 'a', environment: { toString: 1 } } }),
  ],
  ['no mboxes', artifactOf([], { rules: { mboxes: null, views: null } })],
  [
    'half a surrogate pair',
    artifactOf([ruleOf({ '==': ['\ud800', { var: 'mbox.\ud800' }] }, { ruleKey: 5 })]),
  ],
  [
    'names of the prototype',
    JSON.parse(`{"version":"1.0.0","meta":{"clientCode":"acme"},"localMboxes":["__proto__","constructor"],"rules":{"mboxes":{
      "__proto__":[{"ruleKey":"__proto__","activityId":"__proto__","meta":{"activity.name":"__proto__","experience.name":"toString"},
        "condition":{"==":["x",{"var":"mbox.__proto__"}]},"consequence":{"options":[{"type":"json","content":{"__proto__":{"a":1}}}]}}],
      "constructor":[{"ruleKey":"constructor","activityId":"constructor","meta":{},"condition":true,"consequence":{}}]},"views":{}}}`),
  ],
];

function codeOf(act: () => unknown): unknown {
  try {
    return ['no error', act()];
  } catch (error) {
    return (error as { readonly code?: unknown }).code;
  }
}

describe('an artifact', () => {
  test.each(NO_ARTIFACTS)('that is %s is refused, and validate says so', async (_, artifact) => {
    const given = artifact as object;
    const wrong = 'ERR_TARGET_ARTIFACT';
    expect(codeOf(() => explain(given, { request: HERO, client: 'acme' }))).toBe(wrong);
    expect(codeOf(() => inspect(given))).toBe(wrong);
    expect(codeOf(() => diffArtifacts(given, artifactOf()))).toBe(wrong);
    expect(codeOf(() => diffArtifacts(artifactOf(), given))).toBe(wrong);
    expect(codeOf(() => toTypes(given))).toBe(wrong);
    await expect(simulate(given, { request: HERO, client: 'acme' })).rejects.toMatchObject({ code: wrong });
    expect(validate(given).map(({ code }) => code)).toEqual(['unusable']);
  });

  test.each(ODD_ARTIFACTS)('with %s is read by all tools', async (_, artifact) => {
    const names = ['hero', '__proto__', 'constructor'];
    const request = { prefetch: { mboxes: names.map((name, index) => ({ name, index })) } };
    const { answer, locations } = explain(artifact, { request, client: 'acme', now: 0 });
    expect(locations.map(({ name }) => name)).toEqual(names);
    expect(answer.prefetch?.mboxes?.length).toBe(3);
    for (const { ruleKey, activity, experience } of locations.flatMap(({ rules }) => rules)) {
      const texts = [ruleKey, activity.id, activity.name, activity.type, experience.id, experience.name];
      expect(texts.map((text) => typeof text)).toEqual(texts.map(() => 'string'));
    }
    const simulation = await simulate(artifact, { request: HERO, client: 'acme', visitors: 20 });
    expect(simulation.visitors).toBe(20);
    expect(inspect(artifact).version).toBe('1.0.0');
    expect(diffArtifacts(artifact, artifact).isEqual).toBe(true);
    expect(diffArtifacts(artifact, artifactOf()).isEqual).toBe(false);
    expect(Array.isArray(validate(artifact))).toBe(true);
    expect(toTypes(artifact)).toContain('TargetMboxName');
  });

  test('keeps names of the prototype as plain names', () => {
    const artifact: object = ODD_ARTIFACTS.at(-1)?.[1] ?? {};
    const parameters = JSON.parse('{"__proto__":"x"}');
    const request = { prefetch: { mboxes: [{ name: '__proto__', parameters }] } };
    const [location] = explain(artifact, { request }).locations;
    expect(location).toMatchObject({ verdict: 'toString of __proto__', rules: [{ outcome: 'answered' }] });
    expect(inspect(artifact).activities.map(({ id, locations }) => [id, locations])).toEqual([
      ['__proto__', ['__proto__']],
      ['constructor', ['constructor']],
    ]);
  });

  test('of a nesting that the compiler refuses is not blamed on an operator', () => {
    const [finding] = validate(artifactOf([ruleOf(deeply(300))]));
    expect(finding).toMatchObject({
      code: 'operator',
      text: 'it is nested 300 deep, and on-device conditions are evaluated to a depth of 200',
    });
    const [inner] = validate(artifactOf([ruleOf({ and: [true, { '!': { shout: ['x'] } }] })]));
    expect(inner?.text).toBe('the operator “shout” cannot be evaluated on-device');
  });

  test('may be frozen, and stays as it is', async () => {
    const freeze = <Value>(value: Value): Value => {
      if (typeof value === 'object' && value !== null) {
        Object.values(value).forEach(freeze);
        Object.freeze(value);
      }
      return value;
    };
    const half = { '<=': [0, { var: 'allocation' }, 50] };
    const artifact = freeze(artifactOf([ruleOf(half), ruleOf({ '==': ['DE', { var: 'geo.country' }] })]));
    const options = freeze({
      request: HERO,
      allMatchingMboxes: ['hero'],

      now: 0,
    });
    expect(explain(artifact, options).locations[0]?.rules.length).toBe(2);
    expect((await simulate(artifact, freeze({ ...options, visitors: 9, ids: ['a', 'b'] }))).visitors).toBe(2);
    expect((await simulate(artifact, freeze({ request: HERO, observed: { A: 5 } }))).visitors).toBe(5);
    expect(inspect(artifact).counts.rules).toBe(2);
    expect(diffArtifacts(artifact, artifact).isEqual).toBe(true);
    expect(validate(artifact, freeze({ now: 0 })).map(({ code }) => code)).toEqual(['geo-off']);
    expect(testShares(freeze([1, 2]), freeze([1, 2])).p).toBe(1);
    expect(toTypes(artifact, freeze({ literals: false }))).toContain('hero');
    expect(sentenceOf(freeze(half))).toBe('visitor is in the first 50 % (0–50)');
  });

  test('of thousands of activities on one mbox is counted in one pass', async () => {
    const one = (id: number) => ruleOf({ '==': [id, { var: 'mbox.a' }] }, { activityId: id });
    const rules = Array.from({ length: 3000 }, (_, id) => one(id));
    const { activities, none } = await simulate(artifactOf(rules), { request: HERO, visitors: 1 });
    expect([activities.length, none]).toEqual([3000, { expected: 1, count: 1 }]);
  });
});

type Row = [what: string, options: unknown, path: string];

const WRONG_OPTIONS: Row[] = [
  ['a revoked proxy', revoked({}), 'options'],
  ['a list', [], 'options'],
  ['null', null, 'options'],
  ['a request that throws', throwing('request'), 'request'],
  ['a time that throws', throwing('now', { request: HERO }), 'now'],
  ['a cookie that throws', throwing('targetCookie', { request: HERO }), 'targetCookie'],
  ['a client that throws', throwing('client', { request: HERO }), 'client'],
  ['a revoked request', { request: revoked({}) }, 'request'],
  [
    'a revoked mbox',
    { request: { prefetch: { mboxes: [revoked({ name: 'hero' })] } } },
    'prefetch.mboxes[0]',
  ],
  ['a revoked list of mboxes', { request: HERO, allMatchingMboxes: revoked([]) }, 'allMatchingMboxes'],
  ['a text of mboxes', { request: HERO, allMatchingMboxes: 'hero' }, 'allMatchingMboxes'],
  ['numbers as mboxes', { request: HERO, allMatchingMboxes: [5] }, 'allMatchingMboxes'],
  ['a number as a property', { request: HERO, propertyToken: 5 }, 'propertyToken'],
  ['a number as the client', { request: HERO, client: 5 }, 'client'],
  ['an endless time', { request: HERO, now: Number.POSITIVE_INFINITY }, 'now'],
  ['a time after all dates', { request: HERO, now: 9e15 }, 'now'],
  ['a signal that is none', { request: HERO, signal: 5 }, 'signal'],
];

describe('options', () => {
  test.each(WRONG_OPTIONS)('with %s name the field', async (_, options, path) => {
    const explained = () => explain(artifactOf(), options as ExplainOptions);
    const wrong = { code: expect.stringMatching(/^ERR_TARGET_INVALID_(CONFIG|REQUEST)$/), path };
    expect(explained).toThrow(expect.objectContaining(wrong));
    expect(explained).toThrow(expect.objectContaining({ message: expect.not.stringContaining('secret') }));
    await expect(simulate(artifactOf(), options as SimulateOptions)).rejects.toMatchObject(wrong);
  });

  test('of validate never make it throw, and those of toTypes are named', () => {
    const hostile = [revoked({}), throwing('now'), null, 5, { now: Number.NaN }, { now: 'x' }];
    for (const options of hostile) {
      expect(validate(artifactOf(), options as { now: number })).toEqual([]);
    }
    const types = (options: unknown) => () => toTypes(artifactOf(), options as ToTypesOptions);
    expect(types(revoked({}))).toThrow(expect.objectContaining({ path: 'options' }));
    expect(types(throwing('literals'))).toThrow(expect.objectContaining({ path: 'literals' }));
  });
});

function* endless() {
  for (let id = 0; ; id += 1) {
    yield `visitor-${id}`;
  }
}

const failing = () => {
  throw new Error('secret');
};

const WRONG_SIMULATIONS: [what: string, options: object, path: string][] = [
  ['ids that are a text', { ids: 'abc' }, 'ids'],
  ['ids that are a number', { ids: 5 }, 'ids'],
  ['ids that are a revoked proxy', { ids: revoked([]) }, 'ids'],
  ['ids whose iterator throws', { ids: { [Symbol.iterator]: failing } }, 'ids'],
  ['ids whose iterator is none', { ids: { [Symbol.iterator]: () => 5 } }, 'ids'],
  ['ids whose iterator is no function', { ids: { [Symbol.iterator]: 5 } }, 'ids'],
  ['ids that throw', { ids: { [Symbol.iterator]: () => ({ next: failing }) } }, 'ids'],
  ['ids that reject', { ids: { [Symbol.asyncIterator]: () => ({ next: async () => failing() }) } }, 'ids'],
  ['ids that answer nothing', { ids: { [Symbol.asyncIterator]: () => ({ next: () => undefined }) } }, 'ids'],
  ['an empty id', { ids: ['a', ''] }, 'ids'],
  ['an id that is an object', { ids: [{}] }, 'ids'],
  ['an id that is not a number', { ids: [Number.NaN] }, 'ids'],
  ['an id beyond 2^53', { ids: [2 ** 60] }, 'ids'],
  ['a kind of the prototype', { idKind: '__proto__' }, 'idKind'],
  ['too many visitors', { visitors: 2 ** 60 }, 'visitors'],
  ['a progress that is no function', { onProgress: 5 }, 'onProgress'],
  ['a progress that throws', { onProgress: failing }, 'onProgress'],
  ['a progress that rejects', { onProgress: async () => failing() }, 'onProgress'],
  ['a revoked report', { observed: revoked({}) }, 'observed'],
  ['a report that throws', { observed: throwing('A') }, 'observed'],
  ['a report without counts', { observed: {} }, 'observed'],
  ['a report that is a Map', { observed: new Map([['A', 1]]) }, 'observed'],
  ['inherited counts', { observed: Object.create({ A: 5 }) }, 'observed'],
  ['a list of counts', { observed: [5] }, 'observed'],
  ['a negative count', { observed: { A: -1 } }, 'observed.A'],
  ['a count that is not a number', { observed: { A: Number.NaN } }, 'observed.A'],
  ['an endless count', { observed: { A: Number.POSITIVE_INFINITY } }, 'observed.A'],
  ['a count that is a bigint', { observed: { A: 5n } }, 'observed.A'],
  ['the name __proto__', { observed: JSON.parse('{"__proto__":5}') }, 'observed'],
  ['the name constructor', { observed: { constructor: 5 } }, 'observed'],
  ['an experience that does not exist', { observed: { Z: 5 } }, 'observed'],
];

describe('a simulation', () => {
  test.each(WRONG_SIMULATIONS)('refuses %s', async (_, options, path) => {
    const simulated = simulate(artifactOf(), { request: HERO, visitors: 10, ...options });
    await expect(simulated).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_TARGET_INVALID_/),
      path,
      message: expect.not.stringContaining('secret'),
    });
  });

  test('ends when its signal is aborted, however long the ids go on', async () => {
    const hanging = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) };
    for (const ids of [endless(), hanging]) {
      const controller = new AbortController();
      const simulated = simulate(artifactOf(), { request: HERO, ids, signal: controller.signal });
      setImmediate(() => controller.abort(new Error('enough')));
      await expect(simulated).rejects.toMatchObject({
        code: 'ERR_TARGET_ABORTED',
        cause: { message: 'enough' },
      });
    }
  });

  test('takes no more ids than visitors, and ends the iterator', async () => {
    let ended = 0;
    const ids = function* () {
      try {
        yield* endless();
      } finally {
        ended += 1;
      }
    };
    const asyncIds = async function* () {
      yield* ids();
    };
    for (const given of [ids(), asyncIds()]) {
      const { visitors } = await simulate(artifactOf(), { request: HERO, ids: given, visitors: 7 });
      expect(visitors).toBe(7);
    }
    expect(ended).toBe(2);
  });
});

describe('testShares', () => {
  const sparse = Object.assign([], { length: 4e9 });
  const throwingItem = Object.defineProperty([1], 0, { get: failing });
  test.each<[string, unknown, unknown, string]>([
    ['a revoked list', revoked([1]), [1], 'counts'],
    ['revoked shares', [1], revoked([1]), 'shares'],
    ['an item that throws', throwingItem, [1], 'counts'],
    ['holes', new Array(3), [1, 1, 1], 'counts'],
    ['holes in the shares', [1, 1, 1], new Array(3), 'shares'],
    ['a list of four thousand million holes', sparse, [1], 'counts'],
    ['counts beyond all numbers', [1e308, 1e308], [1, 1], 'counts'],
    ['shares beyond all numbers', [1, 1], [1e308, 1e308], 'shares'],
    ['endless counts', [Number.POSITIVE_INFINITY], [1], 'counts'],
    ['bigints', [5n], [1], 'counts'],
    ['typed arrays', new Float64Array([1]), [1], 'counts'],
    ['a negative share', [1], [-1], 'shares'],
    ['lists of two lengths', [1, 2], [1], 'shares'],
  ])('refuses %s', (_, counts, shares, path) => {
    const tested = () => testShares(counts as number[], shares as number[]);
    expect(tested).toThrow(expect.objectContaining({ code: 'ERR_TARGET_INVALID_CONFIG', path }));
  });
});

describe('sentenceOf', () => {
  const inList: unknown[] = [];
  inList.push(inList, inList);
  test.each<[string, unknown]>([
    ['a revoked proxy', revoked({})],
    ['a getter that throws', throwing('==')],
    ['a list in itself, twice', { and: inList }],
    ['a bigint', { '==': [5n, { var: 'mbox.a' }] }],
  ])('does not throw for %s', (_, condition) => {
    expect(sentenceOf(condition)).toBe('a condition that JSON cannot hold');
  });

  test('reads wide and odd conditions', () => {
    expect(sentenceOf({ or: new Array(10_000).fill({ '==': ['a', { var: 'mbox.a' }] }) })).toBe(
      'parameter a is “a”',
    );
    expect(sentenceOf(JSON.parse('{"__proto__":[1]}'))).toBe('__proto__(1)');
    expect(sentenceOf(Symbol('x'))).toBe('symbol');
  });
});

describe('artifacts that take long or are deep', () => {
  const ruleWith = (more: object, id: unknown = 1) => ({
    ruleKey: 'a',
    activityId: 7,
    meta: { 'activity.id': 7, 'activity.name': 'Spring', 'activity.type': 'ab', 'experience.id': id },
    condition: true,
    consequence: { options: [] },
    ...more,
  });
  const artifactWith = (rules: readonly object[], more: object = {}) => ({
    version: '1.0.0',
    meta: { clientCode: 'acme' },
    localMboxes: ['hero'],
    rules: { mboxes: { hero: rules }, views: {} },
    ...more,
  });

  test.each([300, 1500, 3000])('a condition that is nested %i deep is left to the edge', (depth) => {
    let condition: unknown = { '==': [1, 1] };
    for (let level = 0; level < depth; level += 1) {
      condition = { '!': [condition] };
    }
    const artifact = artifactWith([ruleWith({ condition })]);
    expect(validate(artifact).map(({ code }) => code)).toEqual(['operator']);
    expect(inspect(artifact).counts.rules).toBe(1);
    expect(diffArtifacts(artifact, artifact).isEqual).toBe(true);
  });

  test('a long list in a condition that is too deep', () => {
    let condition: unknown = { in: [1, Array.from({ length: 300_000 }, () => 0)] };
    for (let level = 0; level < 250; level += 1) {
      condition = { '!': [condition] };
    }
    expect(validate(artifactWith([ruleWith({ condition })])).map(({ code }) => code)).toEqual(['operator']);
  });

  test('a thousand experiences that take everybody are told once each', () => {
    const rules = Array.from({ length: 1000 }, (_, id) => ruleWith({}, id));
    const found = validate(artifactWith(rules)).filter(({ code }) => code === 'overlap');
    expect(found.length).toBeLessThan(1001);
  });

  test('lists with many names, and many malformed rules', () => {
    const names = Array.from({ length: 40_000 }, (_, at) => `mbox-${at}`);
    expect(validate(artifactWith([], { remoteMboxes: [...names, 'mbox-1'] })).length).toBe(40_002);
    const malformed = Array.from({ length: 2000 }, () => ruleWith({ ruleKey: 1 }));
    expect(validate(artifactWith(malformed)).filter(({ code }) => code === 'shape')).toHaveLength(2000);
  });

  test.each(['constructor', 'toString', '__proto__'])('a field of an offer that is named %s', (name) => {
    const [before, after] = ['{}', JSON.stringify({ x: 1 }).replace('x', name)].map((content) =>
      artifactWith([
        ruleWith({ consequence: { options: [{ type: 'json', content: JSON.parse(content) }] } }),
      ]),
    ) as [object, object];
    expect(diffArtifacts(before, after).activities[0]?.changes[0]?.text).toContain(`${name}: nothing → 1`);
    expect(diffArtifacts(after, before).activities[0]?.changes[0]?.text).toContain(`${name}: 1 → nothing`);
  });

  test('many rules of a page load that share their keys end', async () => {
    const rules = Array.from({ length: 60 }, (_, at) =>
      ruleWith({
        ruleKey: String(at % 30),
        activityId: at < 30 ? 7 : 8,
        meta: { 'activity.id': at < 30 ? 7 : 8, 'activity.type': 'ab', 'experience.id': at % 30 },
        condition: { '>=': [50, { var: 'allocation' }] },
      }),
    );
    const artifact = {
      ...artifactWith([]),
      globalMbox: 'hero',
      rules: { mboxes: { hero: rules }, views: {} },
    };
    const { activities } = await simulate(artifact, { request: { execute: { pageLoad: {} } }, visitors: 10 });
    expect(activities).toHaveLength(2);
  });
});
