import type { Limits } from '../http/deadline.js';
import { timeout as timeoutCheck } from '../option-checks.js';
import { toSignal, type WaitOptions } from './options.js';
import { readNumber } from './scalars.js';

/**
 * The limit of a flush or a close, which are often the last thing that a process does and must not fail: one that is over
 * already ends them at once, and one that is none does not count.
 */
export function toLimitMs({ timeout }: Pick<WaitOptions, 'timeout'>, defaultMs: number): number {
  const timeoutMs = readNumber(timeout);
  if (timeoutCheck.accepts(timeoutMs)) return timeoutMs;
  return typeof timeoutMs === 'number' && timeoutMs <= 0 ? 1 : defaultMs;
}

/** The limits of a flush; a signal that is none, or options that cannot be read, do not count. */
export function toFlushLimits(options: WaitOptions | undefined, defaultMs: number): Limits {
  let timeoutMs = defaultMs;
  try {
    const { timeout, signal } = options ?? {};
    timeoutMs = toLimitMs({ timeout }, defaultMs);
    return { timeoutMs, signal: toSignal(signal) };
  } catch {
    return { timeoutMs, signal: undefined };
  }
}
