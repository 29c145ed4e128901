import { expect, jest, test } from '@jest/globals';
import { chanceOfMore, testShares } from '../../src/tools/chi-square.js';

/** The part of jStat that is used here. The package has no types. @see https://github.com/jstat/jstat */
interface JStat {
  readonly chisquare: { readonly cdf: (value: number, degrees: number) => number };
}

const { jStat } = jest.requireActual<{ readonly jStat: JStat }>('jstat');

/** Values from far below to far above what is due, which is the number of the degrees. */
const FACTORS = [0.001, 0.05, 0.3, 0.5, 0.9, 1, 1.3, 1.7, 2, 3, 5, 10];

test.each(Array.from({ length: 30 }, (_, index) => index + 1))('%i degrees: the p of jstat', (degrees) => {
  const differences = FACTORS.map((factor) => {
    const chiSquare = factor * degrees;
    return Math.abs(chanceOfMore(chiSquare, degrees) - (1 - jStat.chisquare.cdf(chiSquare, degrees)));
  });
  expect(differences.filter((difference) => !(difference < 1e-10))).toEqual([]);
});

/** @see https://www.itl.nist.gov/div898/handbook/eda/section3/eda3674.htm */
test.each([
  [1, 3.841, 0.05],
  [1, 10.828, 0.001],
  [2, 5.991, 0.05],
  [10, 18.307, 0.05],
  [100, 124.342, 0.05],
])('%i degrees: %d is the critical value of %d', (degrees, chiSquare, p) => {
  expect(chanceOfMore(chiSquare, degrees)).toBeCloseTo(p, 4);
});

test('far values have a p near 0, and no value has more than 1', () => {
  expect(chanceOfMore(1e5, 1)).toBe(0);
  expect(chanceOfMore(0, 1)).toBe(1);
  expect(chanceOfMore(0, 30)).toBe(1);
  expect(chanceOfMore(1400, 3)).toBeGreaterThanOrEqual(0);
});

test('counts are tested against shares of any sum', () => {
  expect(testShares([5210, 4790], [50, 50])).toEqual({
    chiSquare: 17.64,
    degrees: 1,
    p: expect.closeTo(0.0000267, 7),
  });
  expect(testShares([5060, 4940], [0.5, 0.5]).p).toBeCloseTo(0.23, 3);
  expect(testShares([30, 30, 40], [3, 3, 4])).toEqual({ chiSquare: 0, degrees: 2, p: 1 });
});

test('a count where none is due is no accident, and no count is no alarm', () => {
  expect(testShares([10, 1], [1, 0])).toEqual({ chiSquare: Number.POSITIVE_INFINITY, degrees: 0, p: 0 });
  expect(testShares([10], [1])).toEqual({ chiSquare: 0, degrees: 0, p: 1 });
  expect(testShares([0, 0], [1, 1]).p).toBe(1);
  expect(testShares([], [])).toEqual({ chiSquare: 0, degrees: 0, p: 1 });
});

test.each<[string, number[], number[]]>([
  ['one share that no binary number is', [3], [0.1]],
  ['one share beside one of 0', [1000, 0], [0.0092, 0]],
  ['thirds', [1e3, 1e3, 1e3], [0.1, 0.1, 0.1]],
  ['counts near the largest number', [5e307, 5e307], [1, 1]],
  ['counts beyond whole numbers', [1e300, 1e300, 1e300], [1, 1, 1]],
  ['the smallest shares', [5, 5], [5e-324, 5e-324]],
  ['large counts and shares', [1e200, 1e200], [1e200, 1e200]],
])('perfect counts have the p of 1: %s', (_, counts, shares) => {
  expect(testShares(counts, shares)).toEqual({ chiSquare: 0, degrees: expect.any(Number), p: 1 });
});

test('degrees below 1 alarm for a count where none is due, and for nothing else', () => {
  expect([1e-30, 1, 1e300].map((chiSquare) => chanceOfMore(chiSquare, 0))).toEqual([1, 1, 1]);
  expect(chanceOfMore(Number.POSITIVE_INFINITY, 0)).toBe(0);
});

test.each([1500, 2001, 10_000])('%i degrees: what is due has a p near a half', (degrees) => {
  expect(chanceOfMore(degrees, degrees)).toBeCloseTo(0.5, 1);
  expect(chanceOfMore(degrees + 5 * Math.sqrt(2 * degrees), degrees)).toBeLessThan(1e-4);
});

test.each<[string, unknown, unknown, string]>([
  ['lists of two lengths', [1], [1, 2], 'shares must be as many numbers as counts (1)'],
  ['a negative count', [-1], [1], 'counts must be a list of numbers'],
  ['no number', [1], [Number.NaN], 'shares must be a list of numbers'],
  ['no list', undefined, [1], 'counts must be a list of numbers'],
])('%s are refused', (_, counts, shares, message) => {
  expect(() => testShares(counts as number[], shares as number[])).toThrow(message);
});
