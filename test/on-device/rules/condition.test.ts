import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import jsonLogic from 'json-logic-js';
import {
  ALL_CONTEXT_PARTS,
  type ConditionContext,
  contextPart,
} from '../../../src/on-device/facts/context-parts.js';
import { compileCondition } from '../../../src/on-device/rules/condition.js';

const scalar = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    '',
    '0',
    '1',
    'a',
    'ab',
    '1.5',
    ' 7 ',
    'x1',
    '-1',
    '-2',
    '2359',
  ),
  fc.constantFrom<unknown>(0, 1, 2, -1, -3, 1.5, 100, 1e21),
);

const path = fc.constantFrom<unknown>(
  'a',
  'b',
  'a.b',
  'a.0',
  'list',
  'list.1',
  'list.1.a',
  'nothing',
  'nothing.more',
  'word',
  'word.length',
  'word.0',
  '',
  'current',
  'accumulator',
  'allocation',
  0,
  1,
  null,
);

const data = fc.record(
  {
    a: fc.oneof(scalar, fc.record({ b: scalar, '0': scalar })),
    b: scalar,
    list: fc.array(fc.oneof(scalar, fc.record({ a: scalar })), { maxLength: 4 }),
    word: fc.constantFrom('', 'target', '12'),
    allocation: fc.constantFrom(0, 33.33, 99.99),
  },
  { requiredKeys: [] },
);

/** Logic over every operator, with operands of any type and number. */
const { logic } = fc.letrec((tie) => {
  const operand = fc.oneof({ maxDepth: 4, depthSize: 'small' }, scalar, tie('logic'), tie('list'));
  const operands = (max: number) => fc.array(operand, { maxLength: max });
  const plain = fc.constantFrom(
    ...['==', '===', '!=', '!==', '>', '>=', '<', '<=', '!!', '!', '%', 'in', 'cat', 'substr'],
    ...['+', '-', '/', 'min', 'max', 'merge', 'if', '?:', 'and', 'or'],
  );
  const iteration = fc.constantFrom('map', 'filter', 'all', 'some', 'none', 'reduce');
  const paths = fc.array(path, { maxLength: 3 });
  return {
    list: fc.array(operand, { maxLength: 3 }),
    logic: fc.oneof(
      { maxDepth: 5 },
      fc.tuple(plain, fc.oneof(operands(4), operand)).map(([name, value]) => ({ [name]: value })),
      fc.tuple(fc.array(operand, { minLength: 1, maxLength: 3 })).map(([value]) => ({ '*': value })),
      fc
        .oneof(path, fc.tuple(path), fc.tuple(path, operand), fc.tuple(operand))
        .map((value) => ({ var: value })),
      fc.tuple(iteration, operands(3)).map(([name, value]) => ({ [name]: value })),
      fc
        .tuple(iteration, fc.constantFrom('list', 'a'), operand, operand)
        .map(([name, list, each, start]) => ({ [name]: [{ var: list }, each, start] })),
      fc
        .oneof(
          paths,
          path,
          paths.map((value) => [value]),
        )
        .map((value) => ({ missing: value })),
      fc.tuple(fc.constantFrom(0, 1, 2, '1'), paths).map((value) => ({ missing_some: value })),
    ),
  };
});

function reference(condition: unknown, context: unknown): unknown {
  try {
    return Boolean(jsonLogic.apply(condition as jsonLogic.RulesLogic, context));
  } catch {
    return 'throws';
  }
}

/** Asks a condition about any data: the reference implementation knows of no context. */
function holdsFor(condition: unknown, data: unknown): boolean | undefined {
  return compileCondition(condition)?.holds(data as ConditionContext);
}

describe('a condition', () => {
  test('holds exactly where the reference implementation of JSON Logic says so', () => {
    fc.assert(
      fc.property(logic, data, (condition, context) => {
        const expected = reference(condition, context);
        fc.pre(expected !== 'throws');
        expect(holdsFor(condition, context)).toBe(expected);
      }),
      { numRuns: 20_000 },
    );
  });

  test('has the reference value, not only its truth', () => {
    fc.assert(
      fc.property(logic, data, (condition, context) => {
        const text = { cat: ['|', condition, '|'] };
        fc.pre(reference(text, context) !== 'throws');
        const expected: unknown = jsonLogic.apply(text as unknown as jsonLogic.RulesLogic, context);
        expect(holdsFor({ '===': [text, expected] }, context)).toBe(true);
      }),
      { numRuns: 10_000 },
    );
  });

  test.each([
    [{ '<=': ['0000', { var: 'current_time' }, '2359'] }, { current_time: '1200' }, true],
    [{ '<=': [10, { var: 'current_timestamp' }, 20] }, { current_timestamp: 20 }, true],
    [{ '<': [10, { var: 'current_timestamp' }, 20] }, { current_timestamp: 20 }, false],
    [{ '==': [{ var: 'current_day' }, '5'] }, { current_day: 5 }, true],
    [{ '<': ['37.70', { var: 'geo.latitude' }] }, { geo: { latitude: 37.75 } }, true],
    [{ '<': ['37.70', { var: 'geo.latitude' }] }, { geo: {} }, false],
    [{ in: ['bar', { var: 'page.url_lc' }] }, { page: { url_lc: 'http://x/?bar=1' } }, true],
    [{ '!': { or: [{ '==': [1, 2] }] } }, {}, true],
    [{ in: ['', 'text'] }, {}, true],
    [{ in: ['', ''] }, {}, false],
    [{ in: ['b', ['a', 'b']] }, {}, true],
    [{ in: [1, ['1']] }, {}, false],
    [{ '===': [{ substr: ['abcde', 1, -1] }, 'bcd'] }, {}, true],
    [{ '===': [{ var: ['a', { or: [] }] }, null] }, {}, true],
    [{ missing: ['mbox.a'] }, { mbox: { a: 1 } }, true],
    [{ if: [{ missing: ['mbox.a'] }, true, false] }, { mbox: { a: 1 } }, false],
    [true, {}, true],
    [false, {}, false],
  ])('%j on %j is %j', (condition, context, expected) => {
    expect(holdsFor(condition, context)).toBe(expected);
  });

  test.each([
    ['an operator nobody knows', { matches: ['a', 'b'] }],
    ['one that is hidden in a branch never taken', { if: [true, 1, { sqrt: 4 }] }],
    ['one inside map', { map: [[1], { sqrt: 4 }] }],
    ['log', { log: 'x' }],
    ['method', { method: ['x', 'toUpperCase'] }],
    ['a name that every object inherits', { constructor: [1] }],
    ['a dotted name', { 'Math.max': [1] }],
    ['__proto__', JSON.parse('{"__proto__":[1]}')],
  ])('cannot be compiled with %s', (_what, condition) => {
    expect(compileCondition(condition)).toBeUndefined();
  });

  test('cannot be compiled when it is nested so deeply that it would exhaust the stack', () => {
    let condition: unknown = true;
    for (let i = 0; i < 100_000; i++) {
      condition = { '!': [condition] };
    }
    expect(compileCondition(condition)).toBeUndefined();
  });

  test('does not hold where the reference implementation throws', () => {
    expect(reference({ '*': [] }, {})).toBe('throws');
    expect(holdsFor({ '*': [] }, {})).toBe(false);
  });

  test('finds nothing under names that objects inherit', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'mbox.constructor', 'mbox.hasOwnProperty']) {
      expect(holdsFor({ '!!': { var: name } }, { mbox: {} })).toBe(false);
    }
  });

  test('names the parts of the context that it reads, all of them where that is not known before', () => {
    const reads = (condition: unknown) => compileCondition(condition)?.reads;
    expect(
      reads({ and: [{ '<=': [0, { var: 'allocation' }] }, { '==': [{ var: 'page.domain' }, 'x'] }] }),
    ).toBe(contextPart('allocation') | contextPart('page'));
    expect(reads(true)).toBe(0);
    expect(reads({ var: 'unknown.part' })).toBe(0);
    expect(reads({ missing: ['mbox.a', 'geo.city'] })).toBe(contextPart('mbox') | contextPart('geo'));
    expect(reads({ var: '' })).toBe(ALL_CONTEXT_PARTS);
    expect(reads({ var: { cat: ['pa', 'ge'] } })).toBe(ALL_CONTEXT_PARTS);
    expect(reads({ filter: [{ var: 'mbox' }, { var: 'page' }] })).toBe(contextPart('mbox'));
    expect(reads({ missing_some: [1, ['user.browserType']] })).toBe(contextPart('user'));
  });
});
