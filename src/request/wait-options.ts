import { timeout as timeoutCheck } from '../config/option-checks.js';
import { TargetError, unreadableError } from '../errors.js';
import { type Limits, type Span, within } from '../http/deadline.js';
import { isAborted, reasonOfAbort } from '../http/watched-signal.js';
import { withoutInherited } from '../inherited-names.js';
import { toSignal, toTimeoutMs, type WaitOptions } from './options.js';
import { readNumber } from './scalars.js';

/**
 * Returns the limit of a `flush` or a `close` in ms. Both are often the last thing that a process does, so they never
 * fail. A limit of 0 or less ends them at once. Any other wrong value counts as absent.
 */
export function toLimitMs(options: Pick<WaitOptions, 'timeout'> | undefined, defaultMs: number): number {
  let timeout: unknown;
  try {
    ({ timeout } = withoutInherited(options ?? {}));
  } catch {
    // A getter or a proxy of the caller threw, so the limit counts as absent.
  }
  const timeoutMs = readNumber(timeout);
  if (timeoutCheck.accepts(timeoutMs)) {
    return timeoutMs;
  }
  return typeof timeoutMs === 'number' && timeoutMs <= 0 ? 1 : defaultMs;
}

/** Returns the limits of a `flush`. A wrong signal counts as absent, and so do options that cannot be read. */
export function toFlushLimits(options: WaitOptions | undefined, defaultMs: number): Limits {
  const timeoutMs = toLimitMs(options, defaultMs);
  try {
    const signal = toSignal(withoutInherited(options ?? {}).signal);
    isAborted(signal);
    return { timeoutMs, signal };
  } catch {
    return { timeoutMs, signal: undefined };
  }
}

/**
 * Returns the limits of `ready`.
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` for a wrong limit, or for options that cannot be read.
 */
export function toReadyLimits(options: WaitOptions | undefined): {
  timeoutMs: number | undefined;
  signal: Limits['signal'];
} {
  try {
    const { timeout, signal } = withoutInherited(options ?? {});
    return { timeoutMs: toTimeoutMs(timeout), signal: toSignal(signal) };
  } catch (thrown) {
    if (thrown instanceof TargetError) {
      throw thrown;
    }
    throw unreadableError('ERR_TARGET_INVALID_REQUEST', 'options', thrown);
  }
}

/**
 * Waits for a client to be ready, within limits. When the time is over, the error that `lastFailure` returns becomes
 * the cause.
 * @throws {TargetError} `ERR_TARGET_ABORTED` or `ERR_TARGET_NOT_READY`.
 */
export function waitUntilReady<State>(
  { timeoutMs, signal }: Limits,
  whenReady: (span: Span) => Promise<State>,
  lastFailure: () => unknown,
): Promise<State> {
  return within({ timeoutMs, signal }, whenReady, (limit) =>
    limit === 'signal'
      ? new TargetError('ERR_TARGET_ABORTED', 'the client is not ready: the wait was aborted', {
          cause: reasonOfAbort(signal),
        })
      : new TargetError(
          'ERR_TARGET_NOT_READY',
          `the client is not ready: no artifact came within ${timeoutMs} ms`,
          { cause: lastFailure() },
        ),
  );
}
