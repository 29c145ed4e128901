import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { toParameterTree } from '../../../src/on-device/facts/parameter-tree.js';

describe('parameters', () => {
  test.each([
    ['texts, also in lower case', { a: 'Bc', e: '' }, { a: 'Bc', a_lc: 'bc', e: '', e_lc: '' }],
    ['numbers and booleans, which have no case', { n: 5, b: true }, { n: 5, b: true }],
    [
      'dotted names, which nest',
      { 'a.b': 'X', 'a.c.d': 'Y' },
      { a: { b: 'X', b_lc: 'x', c: { d: 'Y', d_lc: 'y' } } },
    ],
    [
      'names with a dot at an end or two in a row, which do not',
      { '.a': '1', 'b.': '1', 'c..d': '1', '.': '1', 'e.f..g': '1' },
      { '.a': '1', 'b.': '1', 'c..d': '1', '.': '1', 'e.f..g': '1' },
    ],
    [
      'a name that ends in _lc, behind the one made for its neighbour',
      { a_lc: 'X', a: 'Y' },
      { a: 'Y', a_lc: 'y', a_lc_lc: 'x' },
    ],
    [
      'a value, then names that begin with it',
      { q: '1', 'q.r': '2' },
      { q: { r: '2', r_lc: '2' }, q_lc: '1' },
    ],
    ['names, then a value they begin with', { 'q.r': '2', q: '1' }, { q: '1', q_lc: '1' }],
    ['what is none', { a: undefined, b: 'x' }, { b: 'x', b_lc: 'x' }],
  ])('are %s', (_what, parameters, tree) => {
    expect(JSON.parse(JSON.stringify(toParameterTree(parameters)))).toMatchObject(tree);
  });

  test.each([undefined, null, {}])('that are none (%j) are an empty tree', (parameters) => {
    expect(Object.keys(toParameterTree(parameters))).toEqual([]);
  });

  test('reach no prototype, whatever their names', () => {
    const names = [
      '__proto__',
      '__proto__.polluted',
      'constructor.prototype.polluted',
      'a.__proto__.polluted',
      'toString',
    ];
    const parameters = Object.fromEntries(names.map((name) => [name, 'x']));
    const tree = toParameterTree(JSON.parse(JSON.stringify(parameters)));
    expect(JSON.parse(JSON.stringify(tree))).toMatchObject({
      constructor: { prototype: { polluted: 'x' } },
      toString: 'x',
    });
    expect(Object.getOwnPropertyDescriptor(tree, '__proto__')?.value).toMatchObject({ polluted: 'x' });
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(`${toParameterTree({ 'a.toString': 'x', 'a.valueOf': 'y' }).a}`).toBe('[object Object]');
  });

  test('never throw, whatever their names and values', () => {
    const name = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[a.]{0,6}$/),
      fc.constantFrom('__proto__', 'a.__proto__.b'),
    );
    fc.assert(
      fc.property(fc.dictionary(name, fc.anything()), (parameters) => {
        toParameterTree(parameters as Record<string, string>);
      }),
    );
  });
});
