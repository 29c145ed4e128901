import { TargetError } from '../errors.js';
import { ownOf } from '../inherited-names.js';

/** The waits between attempts: they start at `minTimeoutMs`, grow by `factor` each time, and end at `maxTimeoutMs`. */
export interface Backoff {
  readonly minTimeoutMs: number;
  readonly maxTimeoutMs: number;
  readonly factor: number;
}

/** The rules for retries of failed calls, with all defaults filled in. */
export interface RetryPolicy extends Backoff {
  /** The maximum number of attempts after the first. */
  readonly retries: number;
  /** True when each wait is a random part of its longest time. */
  readonly jitter: boolean;
}

/** The rules for requests that are retried by a schedule of their own. */
export const NO_RETRY: RetryPolicy = {
  retries: 0,
  minTimeoutMs: 0,
  maxTimeoutMs: 0,
  factor: 1,
  jitter: false,
};

/** Returns the longest wait in ms after a number of failures, which is at least one. */
export function grown({ minTimeoutMs, maxTimeoutMs, factor }: Backoff, failures: number): number {
  // Zero times Infinity is NaN, but a wait of zero has to stay zero.
  return Math.min(minTimeoutMs * factor ** (failures - 1), maxTimeoutMs) || 0;
}

/**
 * Returns a random part of a wait, between two shares of it. Processes that start to wait together then end at
 * different times.
 */
export function spread(ms: number, from: number, to: number): number {
  return ms * (from + Math.random() * (to - from));
}

/**
 * Returns the wait that an answer asked for, but at most `maxMs`. Up to a tenth is added at random. So no client comes
 * back too early, and not all of them come back at the same time.
 */
export function obeyedMs(askedMs: number | undefined, maxMs: number): number | undefined {
  return askedMs === undefined ? undefined : spread(Math.min(askedMs, maxMs), 1, 1.1);
}

/**
 * Returns the wait in ms before the next attempt of a call. It is the backoff, or with `jitter` a random part of it
 * (full jitter). `Retry-After` counts instead when it is longer.
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function retryWaitMs(policy: RetryPolicy, attempts: number, error: TargetError): number {
  const { retryAfterMs = 0 } = ownOf(error);
  const longestMs = grown(policy, attempts);
  return Math.max(policy.jitter ? spread(longestMs, 0, 1) : longestMs, retryAfterMs);
}

/**
 * Parses `Retry-After`, which holds seconds or a date, into ms from the current time.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
 */
export function toRetryAfterMs(header: string | null): number | undefined {
  if (!header) {
    return undefined;
  }
  if (/^\d+$/.test(header)) {
    return Math.min(Number(header) * 1000, Number.MAX_SAFE_INTEGER);
  }
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/**
 * Status of the edge when a session has too many calls at the same time: the limit is 100.
 * @see https://experienceleague.adobe.com/en/docs/target/using/troubleshoot/target-limits
 */
const SESSION_BUSY = 420;
/** Statuses after which the same request may succeed later. */
const PASSING_STATUSES = new Set([408, 429, 500, 502, 503, 504]);

/** The judgement on a failed call. */
export interface Verdict {
  /** True when the same request may succeed if it is sent again. */
  readonly isRetryable: boolean;
  /**
   * The fact that the failure shows about the host: it answered as it should, it failed, it was silent, or nothing is
   * known.
   */
  readonly saysOfHost: 'answered' | 'failed' | 'silent' | 'nothing';
}

/** Two facts about the failed call that change the verdict. */
export interface VerdictOptions {
  /** True when a retry gets a timeout of its own, and not only the rest of the first attempt's time. @default false */
  readonly isLater?: boolean;
  /** True when the request reports events. A report can wait for its session, and a page cannot. @default false */
  readonly isReport?: boolean;
}

type Failure =
  | 'unreached'
  | 'kept back'
  | 'timed out'
  | 'unreadable'
  | 'passing'
  | 'session busy'
  | 'refused'
  | 'unexpected'
  | 'not sent';

type Helps = (options: VerdictOptions) => boolean | undefined;
const always: Helps = () => true;
const whenLater: Helps = ({ isLater }) => isLater;
const asReport: Helps = ({ isReport }) => isReport;
const never: Helps = () => false;

/** The verdict on every kind of failure: when a retry helps, and what it says about the host. */
const VERDICTS: Readonly<Record<Failure, readonly [Helps, Verdict['saysOfHost']]>> = {
  unreached: [always, 'silent'],
  // A proxy wants other credentials, or lets nobody through. The host was not asked. A report can wait until somebody
  // repairs the proxy.
  'kept back': [whenLater, 'nothing'],
  // The call has used all of its time.
  'timed out': [whenLater, 'silent'],
  // Something between client and edge has most likely damaged the answer. The edge knows by the ids what it has already
  // processed.
  unreadable: [whenLater, 'failed'],
  passing: [always, 'failed'],
  'session busy': [asReport, 'answered'],
  // A 4xx status is a proper answer: the request is wrong, not the host.
  refused: [never, 'answered'],
  unexpected: [never, 'failed'],
  // The caller gave up, or the request never left this process.
  'not sent': [never, 'nothing'],
};

/** Judges an error. Retries, the circuit breaker and the notification queue all use this one judgement. */
export function verdictOn(error: unknown, options: VerdictOptions = {}): Verdict {
  const [helps, saysOfHost] = VERDICTS[failureOf(error)];
  return { isRetryable: helps(options) === true, saysOfHost };
}

function failureOf(error: unknown): Failure {
  if (!(error instanceof TargetError)) {
    return 'not sent';
  }
  switch (error.code) {
    case 'ERR_TARGET_NETWORK':
      return isFinalRefusal(ownOf(error).status) ? 'kept back' : 'unreached';
    case 'ERR_TARGET_TIMEOUT':
      return 'timed out';
    case 'ERR_TARGET_INVALID_RESPONSE':
      return 'unreadable';
    case 'ERR_TARGET_RESPONSE':
      return failureOfStatus(ownOf(error).status ?? 0);
    default:
      return 'not sent';
  }
}

/**
 * Tells whether a network error is the final refusal of a proxy. Only a proxy's refusal has a status, and a 4xx blames
 * the request.
 */
function isFinalRefusal(status = 0): boolean {
  return status >= 400 && status < 500 && !PASSING_STATUSES.has(status);
}

function failureOfStatus(status: number): Failure {
  if (PASSING_STATUSES.has(status)) {
    return 'passing';
  }
  if (status === SESSION_BUSY) {
    return 'session busy';
  }
  return status >= 400 && status < 500 ? 'refused' : 'unexpected';
}
