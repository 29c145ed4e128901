import { invalidOption } from '../errors.js';
import type { AgentOption, FetchApi } from '../http/fetch-api.js';
import type { RetryPolicy } from '../http/retry.js';
import { withoutInherited } from '../inherited-names.js';
import type { Logger } from '../logger.js';
import type { NotificationOutbox } from './notification-outbox.js';
import {
  type Check,
  checkGroup,
  count,
  type FlagOption,
  flag,
  methodsCheck,
  milliseconds,
  type NumberOption,
  numberCheck,
  positive,
  timeout,
  upTo,
  wordCheck,
} from './option-checks.js';

/**
 * The policy for retries of failed delivery calls. All retries happen within the call's own `timeout`. A retry is not
 * made when its wait does not fit into the rest of the time.
 *
 * @example
 * ```ts
 * TargetClient.create({ client, organizationId, retry: { retries: 1, minTimeout: 20 } });
 * ```
 */
export interface RetryOption {
  /** The number of retries after the first attempt. 0 makes a single attempt. @default 2 */
  readonly retries?: NumberOption | undefined;
  /** The longest wait before the first retry in ms. @default 50 */
  readonly minTimeout?: NumberOption | undefined;
  /** The longest wait before any retry in ms. A longer `Retry-After` of the edge is obeyed. @default 1000 */
  readonly maxTimeout?: NumberOption | undefined;
  /** The factor by which the longest wait grows each time: a number of at least 1. @default 2 */
  readonly factor?: NumberOption | undefined;
  /**
   * True when each wait is a random part of the longest wait. False when each wait is the whole of it.
   * @default true
   */
  readonly jitter?: FlagOption | undefined;
}

/**
 * The policy for refusing calls for offers at once with `ERR_TARGET_CIRCUIT_OPEN`, because the edge has stopped
 * answering. Without it each page would wait for its whole `timeout`. The failures of each host of the edge are counted
 * separately.
 *
 * @example
 * ```ts
 * TargetClient.create({ client, organizationId, circuitBreaker: { failures: 3, maxTimeout: 10_000 } });
 * ```
 */
export interface CircuitBreakerOption {
  /** The number of calls in a row that have to fail before calls are refused. @default 5 */
  readonly failures?: NumberOption | undefined;
  /** The longest time in ms until one call is let through as a try. @default 1000 */
  readonly minTimeout?: NumberOption | undefined;
  /**
   * The upper limit of the time until a try, in ms. The time starts at `minTimeout` and doubles with each try that
   * fails.
   * @default 30000
   */
  readonly maxTimeout?: NumberOption | undefined;
}

/**
 * Limits for sending the display notifications of on-device decisions. The client sends them in the background, after
 * the decision.
 */
export interface NotificationsOption {
  /**
   * The number of calls under way to one host at a time, from 1 to 128. All hosts together get twice as many. Calls for
   * pages need connections too, so keep it well below the number of connections that your `agent` or `fetchApi` opens
   * to one host.
   * @default 64, or half of the connections to one host when an `agent` or a `fetchApi` limits them and that is less
   */
  readonly maxInFlight?: NumberOption | undefined;
  /**
   * The number of calls that may wait. Further notifications are dropped. `stats()` counts them, and each raises
   * `sendNotificationError`.
   * @default 10000
   */
  readonly maxQueued?: NumberOption | undefined;
  /**
   * The size in bytes of the bodies of all calls that may wait together. Further notifications are dropped, in the same
   * way as for `maxQueued`.
   * @default 33554432, which is 32 MiB
   */
  readonly maxBytes?: NumberOption | undefined;
  /**
   * A queue outside the process that takes notifications over, such as `bullmqOutbox` of
   * `target-node-sdk/queues/bullmq`. Another process sends them with `client.deliverQueued`.
   * @default none
   */
  readonly outbox?: NotificationOutbox | undefined;
  /**
   * The use of the outbox. `overflow` sends directly to the edge. The outbox gets what waits beyond 1000 calls, what
   * waits while the edge fails, and what is left when the client closes or a `flush` is over. `always` hands over
   * everything in batches of at most 100 calls, 256 KiB and 500 ms. It is for functions, for processes that cannot reach
   * the edge, and for those with many impressions. Each way is the fallback of the other. The option needs an `outbox`.
   * @default 'overflow'
   */
  readonly mode?: OutboxMode | undefined;
}

/** The use of an outbox: for what the client cannot send itself at once, or for everything. */
export type OutboxMode = 'overflow' | 'always';

/** {@link CircuitBreakerOption}, complete and with units in its names. */
export interface CircuitBreakerPolicy {
  readonly failures: number;
  readonly minTimeoutMs: number;
  readonly maxTimeoutMs: number;
}

/** {@link NotificationsOption}, complete. */
export interface NotificationPolicy {
  readonly maxInFlight: number;
  readonly maxQueued: number;
  readonly maxBytes: number;
  readonly outbox: NotificationOutbox | undefined;
  readonly mode: OutboxMode | undefined;
}

const DEFAULT_RETRY: RetryPolicy = {
  retries: 2,
  minTimeoutMs: 50,
  maxTimeoutMs: 1000,
  factor: 2,
  jitter: true,
};
const DEFAULT_CIRCUIT_BREAKER: CircuitBreakerPolicy = {
  failures: 5,
  minTimeoutMs: 1000,
  maxTimeoutMs: 30_000,
};

const MAX_IN_FLIGHT = 128;
const DEFAULT_NOTIFICATIONS: NotificationPolicy = {
  maxInFlight: 64,
  maxQueued: 10_000,
  maxBytes: 32 * 1024 * 1024,
  outbox: undefined,
  mode: undefined,
};

const RETRY_OPTIONS = {
  retries: count,
  minTimeout: milliseconds,
  maxTimeout: milliseconds,
  factor: numberCheck('a finite number of at least 1', (value) => Number.isFinite(value) && value >= 1),
  jitter: flag,
} satisfies Record<keyof RetryOption, Check<unknown>>;

const CIRCUIT_BREAKER_OPTIONS = {
  failures: positive,
  minTimeout: timeout,
  maxTimeout: timeout,
} satisfies Record<keyof CircuitBreakerOption, Check<unknown>>;

const NOTIFICATIONS_OPTIONS = {
  maxInFlight: upTo(MAX_IN_FLIGHT),
  maxQueued: positive,
  maxBytes: positive,
  outbox: methodsCheck<NotificationOutbox>('an object with the method push', 'push'),
  mode: wordCheck('"overflow" or "always"', ['overflow', 'always']),
} satisfies Record<keyof NotificationsOption, Check<unknown>>;

/** Checks and completes the `retry` option. @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` */
export function toRetryPolicy(written: RetryOption | undefined, logger: Logger): RetryPolicy {
  if (!written) {
    return DEFAULT_RETRY;
  }
  const retry = checkGroup('retry', written, RETRY_OPTIONS, logger);
  return Object.freeze({
    retries: retry.retries ?? DEFAULT_RETRY.retries,
    minTimeoutMs: retry.minTimeout ?? DEFAULT_RETRY.minTimeoutMs,
    maxTimeoutMs: retry.maxTimeout ?? DEFAULT_RETRY.maxTimeoutMs,
    factor: retry.factor ?? DEFAULT_RETRY.factor,
    jitter: retry.jitter ?? DEFAULT_RETRY.jitter,
  });
}

/**
 * Checks and completes the `circuitBreaker` option. Returns `undefined` when the circuit breaker is off.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG`
 */
export function toCircuitBreakerPolicy(
  written: boolean | CircuitBreakerOption | undefined,
  logger: Logger,
): CircuitBreakerPolicy | undefined {
  if (written === false) {
    return undefined;
  }
  if (typeof written !== 'object') {
    return DEFAULT_CIRCUIT_BREAKER;
  }
  const options = checkGroup('circuitBreaker', written, CIRCUIT_BREAKER_OPTIONS, logger);
  return Object.freeze({
    failures: options.failures ?? DEFAULT_CIRCUIT_BREAKER.failures,
    minTimeoutMs: options.minTimeout ?? DEFAULT_CIRCUIT_BREAKER.minTimeoutMs,
    maxTimeoutMs: options.maxTimeout ?? DEFAULT_CIRCUIT_BREAKER.maxTimeoutMs,
  });
}

/** The options on which the number of connections to one host depends. */
interface ConnectionOptions {
  readonly agent?: AgentOption | undefined;
  readonly fetchApi?: FetchApi | undefined;
}

/** Checks and completes the `notifications` option. @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` */
export function toNotificationPolicy(
  written: NotificationsOption | undefined,
  { agent, fetchApi }: ConnectionOptions,
  logger: Logger,
): NotificationPolicy {
  const connections = fetchApi ? withoutInherited(fetchApi).connections : maxSocketsOf(agent);
  const policy = { ...DEFAULT_NOTIFICATIONS, maxInFlight: shareOf(connections) };
  if (!written) {
    return policy;
  }
  const options = checkGroup('notifications', written, NOTIFICATIONS_OPTIONS, logger);
  if (options.mode !== undefined && !options.outbox) {
    throw invalidOption('notifications.mode', 'absent: there is no outbox', options.mode);
  }
  return Object.freeze({ ...policy, ...options });
}

/**
 * Returns the number of calls that notifications may have under way, because they share their connections with pages.
 */
function shareOf(connections: unknown): number {
  const { maxInFlight } = DEFAULT_NOTIFICATIONS;
  if (typeof connections !== 'number' || !(connections > 0)) {
    return maxInFlight;
  }
  return Math.min(maxInFlight, Math.ceil(connections / 2));
}

function maxSocketsOf(agent: AgentOption | undefined): unknown {
  return typeof agent === 'object'
    ? (withoutInherited(agent) as { maxSockets?: unknown }).maxSockets
    : undefined;
}
