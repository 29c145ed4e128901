import type { AgentOption, FetchApi } from './http/fetch-api.js';
import type { RetryPolicy } from './http/retry.js';
import { withoutInherited } from './inherited-names.js';
import type { Logger } from './logger.js';
import {
  type Check,
  checkGroup,
  count,
  type FlagOption,
  flag,
  milliseconds,
  type NumberOption,
  numberCheck,
  positive,
  timeout,
  upTo,
} from './option-checks.js';

/** How failed calls are repeated, always within the call's own `timeout`. */
export interface RetryOption {
  /** Repetitions after the first attempt. @default 2 */
  readonly retries?: NumberOption | undefined;
  /** The longest wait before the first repetition, in ms. @default 50 */
  readonly minTimeout?: NumberOption | undefined;
  /** The longest wait before any repetition, in ms. @default 1000 */
  readonly maxTimeout?: NumberOption | undefined;
  /** By how much the longest wait grows each time. @default 2 */
  readonly factor?: NumberOption | undefined;
  /** Waits a random part of the longest wait instead of all of it. @default true */
  readonly jitter?: FlagOption | undefined;
}

/** When delivery calls are refused at once, because the edge has stopped answering. */
export interface CircuitBreakerOption {
  /** Calls that have to fail one after the other before it opens. @default 5 */
  readonly failures?: NumberOption | undefined;
  /** The longest wait before the first try of whether the edge is back, in ms. @default 1000 */
  readonly minTimeout?: NumberOption | undefined;
  /** The longest wait before any try, in ms; each one that fails doubles the wait up to here. @default 30000 */
  readonly maxTimeout?: NumberOption | undefined;
}

/** How the notifications of on-device decisions are sent. */
export interface NotificationsOption {
  /**
   * Calls under way to one host at a time, from 1 to 128; to all hosts together twice as many. Pages need connections too:
   * keep it well below what an `agent` or a `fetchApi` opens to one host.
   * @default 64, or half of the connections to one host where an `agent` or a `fetchApi` limits them
   */
  readonly maxInFlight?: NumberOption | undefined;
  /** Calls that may wait; those that come then are dropped, counted, and raised as `sendNotificationError`. @default 10000 */
  readonly maxQueued?: NumberOption | undefined;
  /** Bytes of all calls that wait, as they are sent; then the same happens. @default 33554432, which are 32 MiB */
  readonly maxBytes?: NumberOption | undefined;
}

/** {@link CircuitBreakerOption} with its defaults and units. */
export interface CircuitBreakerPolicy {
  readonly failures: number;
  readonly minTimeoutMs: number;
  readonly maxTimeoutMs: number;
}

/** {@link NotificationsOption} with its defaults. */
export interface NotificationPolicy {
  readonly maxInFlight: number;
  readonly maxQueued: number;
  readonly maxBytes: number;
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
} satisfies Record<keyof NotificationsOption, Check<unknown>>;

/** Completes the `retry` option. @throws TargetError `ERR_TARGET_INVALID_CONFIG` */
export function toRetryPolicy(written: RetryOption | undefined, logger: Logger): RetryPolicy {
  if (!written) return DEFAULT_RETRY;
  const retry = checkGroup('retry', written, RETRY_OPTIONS, logger);
  return Object.freeze({
    retries: retry.retries ?? DEFAULT_RETRY.retries,
    minTimeoutMs: retry.minTimeout ?? DEFAULT_RETRY.minTimeoutMs,
    maxTimeoutMs: retry.maxTimeout ?? DEFAULT_RETRY.maxTimeoutMs,
    factor: retry.factor ?? DEFAULT_RETRY.factor,
    jitter: retry.jitter ?? DEFAULT_RETRY.jitter,
  });
}

/** Completes the `circuitBreaker` option; undefined when it is off. @throws TargetError `ERR_TARGET_INVALID_CONFIG` */
export function toCircuitBreakerPolicy(
  written: boolean | CircuitBreakerOption | undefined,
  logger: Logger,
): CircuitBreakerPolicy | undefined {
  if (written === false) return undefined;
  if (typeof written !== 'object') return DEFAULT_CIRCUIT_BREAKER;
  const options = checkGroup('circuitBreaker', written, CIRCUIT_BREAKER_OPTIONS, logger);
  return Object.freeze({
    failures: options.failures ?? DEFAULT_CIRCUIT_BREAKER.failures,
    minTimeoutMs: options.minTimeout ?? DEFAULT_CIRCUIT_BREAKER.minTimeoutMs,
    maxTimeoutMs: options.maxTimeout ?? DEFAULT_CIRCUIT_BREAKER.maxTimeoutMs,
  });
}

/** The options that say how many connections there are. */
interface ConnectionOptions {
  readonly agent?: AgentOption | undefined;
  readonly fetchApi?: FetchApi | undefined;
}

/** Completes the `notifications` option. @throws TargetError `ERR_TARGET_INVALID_CONFIG` */
export function toNotificationPolicy(
  written: NotificationsOption | undefined,
  { agent, fetchApi }: ConnectionOptions,
  logger: Logger,
): NotificationPolicy {
  const connections = fetchApi ? withoutInherited(fetchApi).connections : maxSocketsOf(agent);
  const policy = { ...DEFAULT_NOTIFICATIONS, maxInFlight: shareOf(connections) };
  if (!written) return policy;
  return Object.freeze({ ...policy, ...checkGroup('notifications', written, NOTIFICATIONS_OPTIONS, logger) });
}

/** The calls that notifications may have under way, where a pool of so many connections is shared with pages. */
function shareOf(connections: unknown): number {
  const { maxInFlight } = DEFAULT_NOTIFICATIONS;
  if (typeof connections !== 'number' || !(connections > 0)) return maxInFlight;
  return Math.min(maxInFlight, Math.ceil(connections / 2));
}

function maxSocketsOf(agent: AgentOption | undefined): unknown {
  return typeof agent === 'object'
    ? (withoutInherited(agent) as { maxSockets?: unknown }).maxSockets
    : undefined;
}
