import type { TargetError } from '../errors.js';
import { type Backoff, grown, obeyedMs, spread } from '../http/retry.js';
import { ownOf } from '../inherited-names.js';

/** A call is given up after this many attempts, but not before it was tried for `MIN_TRIED_MS`. */
const MAX_ATTEMPTS = 10;
/** A call is tried for at least this long, because a short outage of the edge must not lose notifications. */
const MIN_TRIED_MS = 2 * 60 * 1000;
/** The waits between the attempts of one call while its host answers other calls. */
const WAITS: Backoff = { minTimeoutMs: 100, maxTimeoutMs: 2000, factor: 2 };
/** The wait after an attempt beyond `MAX_ATTEMPTS`. */
const LONG_WAIT_MS = 10_000;
/** A longer `Retry-After` than this is shortened. */
const MAX_ASKED_MS = 5 * 60 * 1000;

/** Tells whether a call has been tried often enough and long enough to be given up. */
export function isTriedEnough(attempts: number, triedMs: number): boolean {
  return attempts >= MAX_ATTEMPTS && triedMs >= MIN_TRIED_MS;
}

/** Returns the wait in ms that the host asked for, up to `MAX_ASKED_MS`. Returns `undefined` when it asked for none. */
export function askedMsOf(error: TargetError): number | undefined {
  return obeyedMs(ownOf(error).retryAfterMs, MAX_ASKED_MS);
}

/** Returns the wait in ms before the next attempt of a call that may itself be the reason of its failures. */
export function waitMsAfter(attempts: number): number {
  return spread(attempts < MAX_ATTEMPTS ? grown(WAITS, attempts) : LONG_WAIT_MS, 0.5, 1);
}
