import { expect, jest, test } from '@jest/globals';
import { Pending } from '../../../src/on-device/artifact/pending.js';

const about = { seenMsAgo: 0, onUse: () => undefined };

test('a moment never comes too early, although a timer can run before its time', () => {
  jest.useFakeTimers();
  const { now } = performance;
  // The clock of the moment is slower than that of the timers.
  performance.now = () => now.call(performance) * 0.9;
  try {
    const left: number[] = [];
    const pending = new Pending('held', { ...about, inMs: 1000 }, () => left.push(pending.leftMs));
    pending.wait();
    jest.advanceTimersByTime(1050);
    expect(left).toEqual([]);
    jest.advanceTimersByTime(100);
    expect(left).toEqual([0]);
  } finally {
    performance.now = now;
    jest.useRealTimers();
  }
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
