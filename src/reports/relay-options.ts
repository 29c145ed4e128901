import { type Check, numberCheck, timeout, upTo } from '../config/option-checks.js';
import { describe, invalidField, TargetError, unreadableError } from '../errors.js';
import { MAX_TIMER_MS } from '../http/deadline.js';
import type { AbortSignalLike } from '../http/fetch-api.js';
import { isAborted } from '../http/watched-signal.js';
import { withoutInherited } from '../inherited-names.js';
import { isAbsent } from '../json.js';
import { toSignal } from '../request/options.js';
import { readNumber } from '../request/scalars.js';

/** Options of `client.deliverQueued`. */
export interface DeliverQueuedOptions {
  /**
   * The time in ms for all of the data, above 0 and below 2^31. What is left then comes back in `again`.
   * @default no limit; each delivery call has the client's `timeout`
   */
  readonly timeout?: number | undefined;
  /** The signal that ends the work. What is left then comes back in `again`. @default none */
  readonly signal?: AbortSignalLike | undefined;
  /** The number of visitors whose deliveries are sent at the same time, from 1 to 128. @default 16 */
  readonly concurrency?: number | undefined;
  /**
   * The age in ms at which a delivery counts as failed and is not sent, at most 7 days. The default is the lifetime of
   * a session of Target. Adobe does not document up to which age the edge takes notifications.
   * @default 1800000, which is 30 minutes
   */
  readonly maxAge?: number | undefined;
}

/** {@link DeliverQueuedOptions}, checked and complete. */
export interface RelayLimits {
  readonly timeoutMs: number;
  readonly signal: AbortSignalLike | undefined;
  readonly concurrency: number;
  readonly maxAgeMs: number;
}

const MAX_CONCURRENCY = 128;
const DAY_MS = 24 * 60 * 60 * 1000;
const concurrency = upTo(MAX_CONCURRENCY);
const maxAge = numberCheck(
  'milliseconds above 0 and up to 7 days',
  (value) => value > 0 && value <= 7 * DAY_MS,
);

/**
 * Checks the options of `deliverQueued`.
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` with the path of the option.
 */
export function toRelayLimits(options: DeliverQueuedOptions | undefined): RelayLimits {
  try {
    const own: DeliverQueuedOptions = withoutInherited(options ?? {});
    const signal = toSignal(own.signal);
    isAborted(signal);
    return {
      signal,
      timeoutMs: toNumber(own.timeout, 'timeout', timeout) ?? MAX_TIMER_MS,
      concurrency: toNumber(own.concurrency, 'concurrency', concurrency) ?? 16,
      maxAgeMs: toNumber(own.maxAge, 'maxAge', maxAge) ?? 30 * 60 * 1000,
    };
  } catch (thrown) {
    throw thrown instanceof TargetError
      ? thrown
      : unreadableError('ERR_TARGET_INVALID_REQUEST', 'options', thrown);
  }
}

function toNumber(value: unknown, path: string, { wanted, accepts }: Check<number>): number | undefined {
  if (isAbsent(value)) {
    return undefined;
  }
  const number = readNumber(value);
  if (!accepts(number)) {
    throw invalidField(path, wanted, value, describe);
  }
  return number;
}
