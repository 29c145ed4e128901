import { expect, test } from '@jest/globals';
import { chanceOfMore, testShares } from '../../src/tools/chi-square.js';

/**
 * Degrees, chi-square value and p, as jstat 1.9.6 computes them: `1 - jStat.chisquare.cdf(value, degrees)`.
 * @see https://github.com/jstat/jstat
 */
const OF_JSTAT: readonly (readonly [degrees: number, chiSquare: number, p: number])[] = [
  [1, 0.05, 0.823063273758129],
  [1, 0.5, 0.4795001221869758],
  [1, 1, 0.31731050786294357],
  [1, 1.7, 0.19228797711155465],
  [1, 3, 0.08326451662523682],
  [2, 0.1, 0.951229424500714],
  [2, 1, 0.6065306597126334],
  [2, 2, 0.3678794411714422],
  [2, 3.4, 0.18268352405273758],
  [2, 6, 0.04978706836786395],
  [3, 0.15, 0.9852260581943576],
  [3, 1.5, 0.6822703303362112],
  [3, 3, 0.39162517627108606],
  [3, 5.1, 0.1646194040820702],
  [3, 9, 0.029290886534888427],
  [4, 0.2, 0.9953211598395555],
  [4, 2, 0.7357588823428847],
  [4, 4, 0.406005849709838],
  [4, 6.8, 0.14684238782543457],
  [4, 12, 0.017351265236664526],
  [5, 0.25, 0.9984791814466316],
  [5, 2.5, 0.7764950711233226],
  [5, 5, 0.41588018699550733],
  [5, 8.5, 0.13074778927442543],
  [5, 15, 0.010362337915786446],
  [8, 0.4, 0.9999431597592419],
  [8, 4, 0.857123460498547],
  [8, 8, 0.43347012036670907],
  [8, 13.6, 0.09280568545255086],
  [8, 24, 0.002291791207791438],
  [13, 0.65, 0.9999997289185191],
  [13, 6.5, 0.9260508432938144],
  [13, 13, 0.4478116743194944],
  [13, 22.1, 0.0538315858784193],
  [13, 39, 0.0001999435616135692],
  [20, 1, 0.999999999829033],
  [20, 10, 0.9681719426938109],
  [20, 20, 0.4579297144721165],
  [20, 34, 0.026124686804645414],
  [20, 60, 7.1217508628151904e-6],
  [29, 1.45, 0.9999999999999857],
  [29, 14.5, 0.9885373381589236],
  [29, 29, 0.465066241239657],
  [29, 49.3, 0.010732480093853747],
  [29, 87, 1.0465561406380886e-7],
  [30, 1.5, 0.9999999999999949],
  [30, 15, 0.9897395720876965],
  [30, 30, 0.46565370894604585],
  [30, 51, 0.009740824249299007],
  [30, 90, 6.567326815698493e-8],
];

test.each(OF_JSTAT)('%i degrees, %d: the p of jstat', (degrees, chiSquare, p) => {
  expect(Math.abs(chanceOfMore(chiSquare, degrees) - p)).toBeLessThan(1e-10);
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

test.each<[string, unknown, unknown, string]>([
  ['lists of two lengths', [1], [1, 2], 'shares must be as many numbers as counts (1)'],
  ['a negative count', [-1], [1], 'counts must be a list of numbers'],
  ['no number', [1], [Number.NaN], 'shares must be a list of numbers'],
  ['no list', undefined, [1], 'counts must be a list of numbers'],
])('%s are refused', (_, counts, shares, message) => {
  expect(() => testShares(counts as number[], shares as number[])).toThrow(message);
});
