import { describe, expect, test } from '@jest/globals';
import type { Artifact } from '../../../src/artifact.js';
import { ageMs, type Dated, generatedAtMs, isAhead, isOlder } from '../../../src/on-device/artifact/age.js';

const HOUR = 60 * 60 * 1000;
const NOW = Date.UTC(2026, 5, 1);

const held = (madeMs: number | undefined, more: Partial<Dated> = {}): Dated => ({
  madeMs,
  isFromFuture: false,
  source: 'cdn',
  taken: performance.now(),
  ...more,
});

describe('a date in the future', () => {
  test.each([
    [-24 * HOUR, false],
    [0, false],
    [24 * HOUR, false],
    [24 * HOUR + 1, true],
    [400 * 24 * HOUR, true],
  ])('of %d ms ahead is a wrong clock: %s', (aheadMs, isWrong) => {
    expect(isAhead(NOW + aheadMs, NOW)).toBe(isWrong);
  });
});

test.each([
  ['2026-06-01T00:00:00.000Z', NOW],
  ['yesterday', undefined],
  [undefined, undefined],
  [7, undefined],
])('the date %s of an artifact is %s', (generatedAt, ms) => {
  expect(generatedAtMs({ meta: { generatedAt } } as unknown as Artifact)).toBe(ms);
});

describe('an artifact', () => {
  test.each([
    ['is older when its date is', NOW - 1, NOW, true],
    ['of the same date is not older', NOW, NOW, false],
    ['of a later date is not older', NOW + 1, NOW, false],
    ['without a date is not older', undefined, NOW, false],
    ['is not older than one without a date', NOW - HOUR, undefined, false],
    ['with a date far in the future is not called older', NOW + 25 * HOUR, NOW, false],
  ])('%s', (_, newMadeMs, heldMadeMs, isItOlder) => {
    expect(isOlder(newMadeMs, held(heldMadeMs), NOW)).toBe(isItOlder);
  });

  test('replaces one whose date was in the future when it came', () => {
    const wrong = held(NOW + 48 * HOUR, { isFromFuture: true });
    expect(isOlder(NOW - 1, wrong, NOW)).toBe(false);
    expect(isOlder(NOW - HOUR, wrong, NOW)).toBe(true);
  });

  test('has the age of its date, or of its arrival when the date cannot be trusted', () => {
    expect(ageMs(held(NOW - HOUR), NOW)).toBe(HOUR);
    expect(ageMs(held(NOW + HOUR), NOW)).toBe(0);
    expect(ageMs(held(undefined, { taken: performance.now() - HOUR }), NOW)).toBeGreaterThanOrEqual(HOUR);
    expect(ageMs(held(NOW + 25 * HOUR, { taken: performance.now() - HOUR }), NOW)).toBeGreaterThanOrEqual(
      HOUR,
    );
  });
});
