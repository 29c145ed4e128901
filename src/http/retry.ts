import { TargetError } from '../errors.js';

/** The longest waits between tries: the first one, and by how much they grow up to the last. */
export interface Backoff {
  readonly minTimeoutMs: number;
  readonly maxTimeoutMs: number;
  readonly factor: number;
}

/** The policy by which failed calls are repeated, complete and with units. */
export interface RetryPolicy extends Backoff {
  readonly retries: number;
  readonly jitter: boolean;
}

/** A policy for what has a schedule of its own. */
export const NO_RETRY: RetryPolicy = {
  retries: 0,
  minTimeoutMs: 0,
  maxTimeoutMs: 0,
  factor: 1,
  jitter: false,
};

/** The longest wait after so many failures, of which there is at least one. */
export function grown({ minTimeoutMs, maxTimeoutMs, factor }: Backoff, failures: number): number {
  // Nothing that has grown without end is not a number.
  return Math.min(minTimeoutMs * factor ** (failures - 1), maxTimeoutMs) || 0;
}

/** A part of a wait, by chance between two shares of it: processes that began to wait together should not end together. */
export function spread(ms: number, from: number, to: number): number {
  return ms * (from + Math.random() * (to - from));
}

/** The wait that an answer asked for, as far as that is obeyed. Nobody comes back too early, nor all at once. */
export function obeyedMs(askedMs: number | undefined, maxMs: number): number | undefined {
  return askedMs === undefined ? undefined : spread(Math.min(askedMs, maxMs), 1, 1.1);
}

/** The wait before the next attempt of a call: backoff with full jitter, or `Retry-After` when that is longer. */
export function retryWaitMs(
  policy: RetryPolicy,
  attempts: number,
  { retryAfterMs = 0 }: TargetError,
): number {
  const longestMs = grown(policy, attempts);
  return Math.max(policy.jitter ? spread(longestMs, 0, 1) : longestMs, retryAfterMs);
}

/** `Retry-After`, in seconds or as a date, as milliseconds from now. */
export function toRetryAfterMs(header: string | null): number | undefined {
  if (!header) return undefined;
  if (/^\d+$/.test(header)) return Math.min(Number(header) * 1000, Number.MAX_SAFE_INTEGER);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** Adobe's answer to too many calls of one session at a time. */
const SESSION_BUSY = 420;
/** Statuses that say that the same request may succeed later. */
const PASSING_STATUSES = new Set([408, 429, 500, 502, 503, 504]);

/** The judgement of a failed call. */
export interface Verdict {
  /** The same request may succeed if it is sent again. */
  readonly isRetryable: boolean;
  /** The host answered as it should, it failed, it was silent, or nobody can tell. */
  readonly saysOfHost: 'answered' | 'failed' | 'silent' | 'nothing';
}

/** The few points in which the users of the verdict differ. */
export interface VerdictOptions {
  /** A repetition would have a time of its own, and not what the first attempt left. @default false */
  readonly isLater?: boolean;
  /** The request reports what happened, and can wait for its session; a page can not. @default false */
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

/** The one word on every failure: when a repetition helps, and what the host is like. */
const VERDICTS: Readonly<Record<Failure, readonly [Helps, Verdict['saysOfHost']]>> = {
  unreached: [always, 'silent'],
  // A proxy wants other credentials, or lets nobody through: the host was not asked. A report can wait for its operator.
  'kept back': [whenLater, 'nothing'],
  // The time of the call itself is over.
  'timed out': [whenLater, 'silent'],
  // Most likely of something in between; the ids tell the edge what it has processed already.
  unreadable: [whenLater, 'failed'],
  passing: [always, 'failed'],
  'session busy': [asReport, 'answered'],
  // A status that blames the caller is an answer.
  refused: [never, 'answered'],
  unexpected: [never, 'failed'],
  // The caller gave up, or this process never asked.
  'not sent': [never, 'nothing'],
};

/** Judges an error: for the repetitions of a call, for the circuit breaker and for the notification queue. */
export function verdictOn(error: unknown, options: VerdictOptions = {}): Verdict {
  const [helps, saysOfHost] = VERDICTS[failureOf(error)];
  return { isRetryable: helps(options) === true, saysOfHost };
}

function failureOf(error: unknown): Failure {
  if (!(error instanceof TargetError)) return 'not sent';
  switch (error.code) {
    case 'ERR_TARGET_NETWORK':
      return isFinalRefusal(error.status) ? 'kept back' : 'unreached';
    case 'ERR_TARGET_TIMEOUT':
      return 'timed out';
    case 'ERR_TARGET_INVALID_RESPONSE':
      return 'unreadable';
    case 'ERR_TARGET_RESPONSE':
      return failureOfStatus(error.status ?? 0);
    default:
      return 'not sent';
  }
}

/** A network error with a status that blames the caller is a proxy's refusal. */
function isFinalRefusal(status = 0): boolean {
  return status >= 400 && status < 500 && !PASSING_STATUSES.has(status);
}

function failureOfStatus(status: number): Failure {
  if (PASSING_STATUSES.has(status)) return 'passing';
  if (status === SESSION_BUSY) return 'session busy';
  return status >= 400 && status < 500 ? 'refused' : 'unexpected';
}
