import { invalidOption } from '../errors.js';
import { copyList } from './reading.js';

/** The likelihood of counts, when the shares are as they should be. */
export interface SharesTest {
  /** The sum of the squared differences from what was expected, each divided by what was expected. */
  readonly chiSquare: number;
  /** The number of shares above 0, less one. */
  readonly degrees: number;
  /** The chance that right shares give counts as far away as these, or farther. It is 0 for a count where none is due. */
  readonly p: number;
}

/**
 * Tells whether counts fit shares, by Pearson's chi-square test. Counts whose `p` is below 0.001 are no accident: look
 * for a sample ratio mismatch.
 *
 * @param counts the number of visitors of each experience.
 * @param shares the shares that they should have. Only their ratio counts, so 50 and 50 are as good as 0.5 and 0.5.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for lists that are not of one length, or hold no numbers from 0 on.
 * @see https://www.itl.nist.gov/div898/handbook/eda/section3/eda35f.htm
 * @example
 * ```ts
 * testShares([5210, 4790], [50, 50]).p; // 0.00003: something is wrong
 * testShares([5060, 4940], [50, 50]).p; // 0.23: this happens
 * ```
 */
export function testShares(counts: readonly number[], shares: readonly number[]): SharesTest {
  const [allCounts, visitors] = numbersOf(counts, 'counts');
  const [allShares, whole] = numbersOf(shares, 'shares');
  if (allCounts.length !== allShares.length) {
    throw invalidOption('shares', `as many numbers as counts (${allCounts.length})`, allShares.length);
  }
  let chiSquare = 0;
  let expecting = 0;
  for (const [index, share] of allShares.entries()) {
    const count = allCounts[index] ?? 0;
    expecting += share > 0 ? 1 : 0;
    chiSquare += distance(count, share === 0 ? 0 : visitors * (share / whole));
  }
  const degrees = Math.max(0, expecting - 1);
  return { chiSquare, degrees, p: chanceOfMore(chiSquare, degrees) };
}

/** Returns what one count adds to the chi-square value. A difference that rounding can make is none. */
function distance(count: number, expected: number): number {
  const difference = Math.abs(count - expected);
  if (difference <= 4 * Number.EPSILON * expected) {
    return 0;
  }
  return expected > 0 ? (difference / expected) * difference : Number.POSITIVE_INFINITY;
}

/** Reads a list of numbers, and their sum. */
function numbersOf(given: unknown, name: string): [numbers: readonly number[], sum: number] {
  const list = copyList(given, name);
  const isNumber = (value: unknown) => typeof value === 'number' && value >= 0;
  const numbers = list?.filter((value): value is number => isNumber(value)) ?? [];
  const sum = numbers.reduce((all, one) => all + one, 0);
  if (!list || numbers.length < list.length || !Number.isFinite(sum)) {
    throw invalidOption(name, 'a list of numbers from 0 on', list ?? given);
  }
  return [numbers, sum];
}

/**
 * Returns the chance of a chi-square value above the given one: the regularised upper gamma function Q(degrees / 2,
 * chiSquare / 2). Degrees are whole numbers, so it is a finite sum. It begins with Q(1/2, x) = erfc(√x) or
 * Q(1, x) = exp(−x), and continues with Q(a + 1, x) = Q(a, x) + x^a · exp(−x) / Γ(a + 1).
 * @see https://dlmf.nist.gov/8.8
 */
export function chanceOfMore(chiSquare: number, degrees: number): number {
  if (chiSquare === Number.POSITIVE_INFINITY) {
    return 0;
  }
  if (degrees < 1) {
    return 1;
  }
  const x = chiSquare / 2;
  const isOdd = degrees % 2 === 1;
  let a = isOdd ? 0.5 : 1;
  let chance = isOdd ? erfcOfRoot(x) : Math.exp(-x);
  // The term is x^a · exp(−x) / Γ(a + 1), where Γ(3/2) is √π / 2 and Γ(2) is 1. Its logarithm is kept, because exp(−x)
  // alone is too small for a number where there are many degrees.
  let term = (isOdd ? Math.log(2) + Math.log(x / Math.PI) / 2 : Math.log(x)) - x;
  for (; a < degrees / 2; a += 1) {
    chance += Math.exp(term);
    term += Math.log(x / (a + 1));
  }
  return Math.min(1, chance);
}

/** Returns erfc(√x): for small x by the series of the lower gamma function, else by a continued fraction. */
function erfcOfRoot(x: number): number {
  const scale = Math.sqrt(x / Math.PI) * Math.exp(-x);
  if (x < 1.5) {
    let term = 2;
    let series = term;
    for (let n = 1; term > series * 1e-17; n += 1) {
      term *= x / (n + 0.5);
      series += term;
    }
    return 1 - scale * series;
  }
  let fraction = 0;
  for (let n = 60; n > 0; n -= 1) {
    fraction = (n * (n - 0.5)) / (x + 2 * n + 0.5 - fraction);
  }
  return scale / (x + 0.5 - fraction);
}
