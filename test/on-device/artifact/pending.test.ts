import { expect, test } from '@jest/globals';
import { Pending } from '../../../src/on-device/artifact/pending.js';

const about = { seenMsAgo: 0, onUse: () => undefined };

/** Does nothing else for a time. A timer that is set at its end counts from the beginning of the turn. */
function block(ms: number): void {
  for (const from = performance.now(); performance.now() - from < ms; ) {
    // The loop is what takes the time.
  }
}

test('a moment comes not too early, also after a long turn of the event loop', async () => {
  await new Promise((resolve) => setTimeout(resolve, 1));
  block(60);
  const leftMs = await new Promise((resolve) => {
    const pending = new Pending('held', { ...about, inMs: 40 }, () => resolve(pending.leftMs));
    pending.wait();
    // The process stays alive, because the timer of the moment alone does not keep it so.
    setTimeout(() => resolve('the moment never came'), 60_000).unref();
    const alive = setInterval(() => pending.leftMs === 0 && clearInterval(alive), 10);
  });
  expect(leftMs).toBe(0);
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
