import { expect, test } from '@jest/globals';
import { Pending } from '../../../src/on-device/artifact/pending.js';

const about = { seenMsAgo: 0, onUse: () => undefined };

test('a moment never comes too early, although a timer can run before its time', async () => {
  const left = Array.from({ length: 200 }, (_, index) => {
    const inMs = 5 + index * 0.137;
    return new Promise<number>((resolve) => {
      const pending = new Pending('held', { ...about, inMs }, () => resolve(pending.leftMs));
      pending.wait();
    });
  });
  // The timers of moments do not keep a process alive.
  const alive = setInterval(() => undefined, 10);
  expect(new Set(await Promise.all(left))).toEqual(new Set([0]));
  clearInterval(alive);
});

test('the earliest answer about a moment counts, and any answer replaces a guess', () => {
  const pending = new Pending('held', { ...about, inMs: 5_000_000, isGuess: true }, () => undefined);
  pending.correct(9_000_000);
  expect(pending.leftMs).toBeGreaterThan(8_000_000);
  expect(pending.isGuess).toBe(false);
  pending.correct(7_000_000);
  expect(pending.leftMs).toBeLessThanOrEqual(7_000_000);
  pending.correct(8_000_000);
  expect(pending.leftMs).toBeLessThanOrEqual(7_000_000);
  pending.clear();
});
