import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ConditionContext } from '../../src/on-device/facts/context-parts.js';
import { compileCondition } from '../../src/on-device/rules/condition.js';
import { isLess, looselyEqual, readPath } from '../../src/on-device/rules/operators.js';
import type { Clause } from '../../src/tools/clauses.js';
import { type Phrase, phraseOf, sentenceOf } from '../../src/tools/phrases.js';
import { conformanceArtifacts, hasConformance, rulesOf } from './conformance.js';

const plan = { var: 'mbox.plan' };
const allocation = { var: 'allocation' };
const share = (from: number, to: number) => ({
  and: [{ [from === 0 ? '<=' : '<']: [from, allocation] }, { '>=': [to, allocation] }],
});

test.each<[string, unknown]>([
  ['always', true],
  ['always', []],
  ['never', { and: [] }],
  ['never', { or: [] }],
  ['browser is firefox', { '==': [{ var: 'user.browserType' }, 'firefox'] }],
  ['parameter plan is “gold”', { '===': ['gold', plan] }],
  ['parameter plan is not “gold”', { '!=': [plan, 'gold'] }],
  ['path is empty', { '==': ['', { var: 'page.path' }] }],
  ['parameter plan is missing', { '==': [null, plan] }],
  ['parameter plan is 3', { '==': [3, plan] }],
  ['parameter cart.total is above 20', { '<': [20, { var: 'mbox.cart.total' }] }],
  ['parameter plan is “a”, “b” or “c”', { or: [{ in: [plan, ['a', 'b']] }, { '==': ['c', plan] }] }],
  [
    'parameter plan is not “a” or parameter plan is not “b”',
    { or: [{ '!=': ['a', plan] }, { '!=': ['b', plan] }] },
  ],
  ['URL contains “/cart” (any case)', { in: ['/cart', { var: 'page.url_lc' }] }],
  [
    'URL contains “/cart” or “/buy” (any case)',
    { or: [{ in: ['/cart', { var: 'page.url_lc' }] }, { in: ['/buy', { var: 'page.url_lc' }] }] },
  ],
  ['URL does not contain “/cart”', { '!': { in: ['/cart', { var: 'page.url' }] } }],
  ['URL does not contain “/cart”', { '!': [{ in: ['/cart', { var: 'page.url' }] }] }],
  [
    'latitude is above 37.70 and at most 37.80',
    { and: [{ '<': ['37.70', { var: 'geo.latitude' }] }, { '>=': ['37.80', { var: 'geo.latitude' }] }] },
  ],
  ['parameter plan is not below 5', { '!': { '<': [plan, 5] } }],
  [
    'parameter plan is not both above 1 and below 5',
    { '!': { and: [{ '>': [plan, 1] }, { '<': [plan, 5] }] } },
  ],
  ['parameter plan is above 1 and below 5', { '<': [1, plan, 5] }],
  [
    'time is from 2021-02-11 09:00 UTC to 2021-02-13 18:00 UTC',
    { '<=': [1613034000000, { var: 'current_timestamp' }, 1613239200000] },
  ],
  ['time of day (UTC) is from 09:00 to 17:30', { '<=': ['0900', { var: 'current_time' }, '1730'] }],
  ['day is Friday', { or: [{ '==': [{ var: 'current_day' }, '5'] }] }],
  ['visitor is in the first 50 % (0–50)', share(0, 50)],
  ['visitor is in the last 33 % (67–100)', share(67, 100)],
  ['visitor is in the 25 % of allocation 25–50', share(25, 50)],
  ['everybody', share(0, 100)],
  ['nobody', { '!': share(0, 100) }],
  [
    'visitor is in the 25 % of allocation 25–50',
    { and: [{ '<=': [25, allocation] }, { '>': [50, allocation] }] },
  ],
  ['allocation is above 25.00 and below 50.00', { '<': [25, allocation, 50] }],
  [
    'allocation is above 0.00 and at most 50.00',
    { and: [{ '<': [0, allocation] }, { '>=': [50, allocation] }] },
  ],
  ['parameter beta is filled', { '!!': [{ var: 'mbox.beta' }] }],
  ['parameter beta is not filled', { '!': { var: 'mbox.beta' } }],
  [
    'country is United States, US, Canada or CA',
    {
      or: ['UNITED STATES', 'US', 'CANADA', 'CA', 'UNITEDSTATES'].map((name) => ({
        '==': [name, { var: 'geo.country' }],
      })),
    },
  ],
  [
    'parameter a is filled and parameter b is filled and parameter c is filled',
    { and: [{ var: 'mbox.a' }, { and: [{ var: 'mbox.b' }, { var: 'mbox.c' }] }] },
  ],
  [
    'parameter a is filled and (parameter b is filled or parameter c is filled)',
    { and: [{ var: 'mbox.a' }, { or: [{ var: 'mbox.b' }, { var: 'mbox.c' }] }] },
  ],
  [
    'not (parameter a is filled or parameter c is filled)',
    { '!': { or: [{ var: 'mbox.a' }, { var: 'mbox.c' }] } },
  ],
  ['>(+(mbox.n, 1), 3)', { '>': [{ '+': [{ var: 'mbox.n' }, 1] }, 3] }],
  ['shout(mbox.n, “x”)', { shout: [{ var: 'mbox.n' }, 'x'] }],
  ['{a, b}', { a: 1, b: 2 }],
  ['undefined', undefined],
])('%s', (words, condition) => {
  expect(sentenceOf(condition)).toBe(words);
});

test('long values are cut, and deep conditions end', () => {
  expect(sentenceOf({ '==': ['x'.repeat(100), plan] })).toBe(
    `parameter plan is “${'x'.repeat(39)}…${'x'.repeat(20)}”`,
  );
  expect(sentenceOf({ '==': [`${'x'.repeat(100)}1`, plan] })).toMatch(/x1”$/);
  let deep: unknown = plan;
  for (let i = 0; i < 5000; i += 1) {
    deep = { '!': deep };
  }
  expect(sentenceOf(deep).length).toBeLessThan(2000);
});

/** Reads a clause as a person does. It shares nothing with the compiler but the comparisons of JavaScript. */
function judge(clause: Clause, data: unknown): boolean {
  if (clause.kind === 'constant') {
    return clause.isTrue;
  }
  const value = readPath(data, clause.path);
  const says = () => {
    switch (clause.kind) {
      case 'filled':
        return Boolean(value);
      case 'is':
        return clause.objects.some((object) =>
          object.isStrict ? object.value === value : looselyEqual(object.value, value),
        );
      case 'contains':
        return (
          typeof value === 'string' &&
          clause.objects.some((object) => value.includes(String(object)) && value)
        );
      case 'bounds': {
        const { low, high } = clause;
        const isAbove = !low || isLess(low.value, value) || (!low.isStrict && atMost(low.value, value));
        return (
          isAbove && (!high || isLess(value, high.value) || (!high.isStrict && atMost(value, high.value)))
        );
      }
    }
  };
  return Boolean(says()) !== clause.isNegated;
}

function atMost(a: unknown, b: unknown): boolean {
  return (a as number) <= (b as number);
}

function judgePhrase({ clause, joint, parts }: Phrase, data: unknown): boolean {
  if (clause) {
    return judge(clause, data);
  }
  const said = parts.map((part) => judgePhrase(part, data));
  if (joint === 'not') {
    return !said[0];
  }
  return joint === 'or' ? said.some(Boolean) : said.every(Boolean);
}

const VALUES = ['gold', '', 'GOLD', '5', '37.75', '0900', 'a/cart', 0, 5, 37.75, 50, 99.99, true, false];
const scalar = fc.constantFrom<unknown>(...VALUES, null, 1, 100, '/cart', 'US');
const variable = fc
  .constantFrom('mbox.plan', 'mbox.no', 'geo.country', 'page.url_lc', 'allocation')
  .map((path) => ({ var: path }));

const { condition: anyCondition } = fc.letrec<{ condition: unknown; leaf: unknown }>((tie) => ({
  leaf: fc.oneof(
    fc
      .tuple(fc.constantFrom('==', '===', '!=', '!==', '<', '<=', '>', '>='), scalar, variable, fc.boolean())
      .map(([op, value, name, isFirst]) => ({ [op]: isFirst ? [value, name] : [name, value] })),
    fc
      .tuple(fc.constantFrom('<', '<='), scalar, variable, scalar)
      .map(([op, a, name, b]) => ({ [op]: [a, name, b] })),
    fc.tuple(scalar, variable).map(([value, name]) => ({ in: [value, name] })),
    fc.tuple(variable, fc.array(scalar)).map(([name, list]) => ({ in: [name, list] })),
    variable,
    scalar,
  ),
  condition: fc.oneof(
    { depthSize: 'small' },
    tie('leaf'),
    fc
      .tuple(fc.constantFrom('and', 'or'), fc.array(tie('condition'), { maxLength: 4 }))
      .map(([op, parts]) => ({ [op]: parts })),
    tie('condition').map((part) => ({ '!': part })),
    tie('condition').map((part) => ({ '!!': [part] })),
  ),
}));

const anyContext = fc.record({
  allocation: fc.integer({ min: 0, max: 9999 }).map((bucket) => bucket / 100),
  mbox: fc.record({ plan: fc.constantFrom(...VALUES) }, { requiredKeys: [] }),
  geo: fc.record({ country: fc.constantFrom('US', 'DE', '') }, { requiredKeys: [] }),
  page: fc.record({ url_lc: fc.constantFrom('', 'https://shop/cart', '/cart') }),
});

/** What is no parameter, place or URL is not asked here. */
function contextOf(some: object): ConditionContext {
  return {
    current_timestamp: 0,
    current_time: '',
    current_day: 1,
    user: undefined,
    referring: undefined,
    ...some,
  } as ConditionContext;
}

describe('words', () => {
  test('say what the compiled condition says', () => {
    let judged = 0;
    fc.assert(
      fc.property(anyCondition, anyContext, (condition, some) => {
        const phrase = phraseOf(condition);
        const context = contextOf(some);
        if (phrase.isPlain) {
          judged += 1;
          expect(judgePhrase(phrase, context)).toBe(compileCondition(condition)?.holds(context));
        }
      }),
      { numRuns: Number(process.env.TOOLS_RUNS ?? 600) },
    );
    expect(judged).toBeGreaterThan(200);
  });

  const conditions = new Map(
    conformanceArtifacts()
      .flatMap(([, artifact]) => rulesOf(artifact))
      .map(({ condition }) => [JSON.stringify(condition), condition]),
  );

  (hasConformance ? test : test.skip)('are plain for all conditions of the shared artifacts', () => {
    expect(conditions.size).toBeGreaterThan(38);
    expect([...conditions.values()].filter((condition) => !phraseOf(condition).isPlain)).toEqual([]);
    expect([...conditions.values()].map(sentenceOf).sort()).toMatchSnapshot();
  });
});
