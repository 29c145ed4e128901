import type { TargetError } from '../errors.js';
import { grown, obeyedMs, spread, verdictOn } from '../http/retry.js';
import { ownOf } from '../inherited-names.js';

/**
 * The pauses after failed look-ups. The first is short, because a decision without a place may be the wrong one for its
 * visitor. The longest is that of the circuit breaker: a host that stays silent then costs one call in 30 s its timeout.
 */
const PAUSES = { minTimeoutMs: 1000, maxTimeoutMs: 30_000, factor: 2 };
/** Longest `Retry-After` in ms that is obeyed. */
const MAX_ASKED_MS = 60_000;

/**
 * Keeps calls from waiting for a host of geo look-ups that has stopped answering. After a failure there are no look-ups
 * for a time. Then one look-up is let through as a try, and each failed try makes the next pause longer. All times are
 * on the clock of `performance.now()`.
 */
export class GeoPause {
  #failures = 0;
  #waitMs = 0;
  #untilMs = 0;

  /** Lets a look-up begin, or refuses it. A look-up that begins after a pause is a try, and the only one. */
  enter(): 'usual' | 'try' | 'refused' {
    if (this.#failures === 0) {
      return 'usual';
    }
    const nowMs = performance.now();
    if (nowMs < this.#untilMs) {
      return 'refused';
    }
    this.#untilMs = Number.POSITIVE_INFINITY;
    return 'try';
  }

  /** Ends the pause: the host has answered. */
  answered(): void {
    this.#failures = 0;
  }

  /**
   * Notes that a look-up has failed, and begins a pause. Returns its length in ms, which is 0 when there is none: the host
   * refuses this address alone. Failures of look-ups that were under way when the pause began say nothing new.
   */
  failed(error: TargetError, isTry: boolean): number {
    if (verdictOn(error).saysOfHost === 'answered') {
      this.answered();
      return 0;
    }
    if (this.#failures > 0 && !isTry) {
      return this.#waitMs;
    }
    this.#failures += 1;
    const askedMs = obeyedMs(ownOf(error).retryAfterMs, MAX_ASKED_MS) ?? 0;
    this.#waitMs = Math.max(spread(grown(PAUSES, this.#failures), 0.75, 1), askedMs);
    this.#untilMs = performance.now() + this.#waitMs;
    return this.#waitMs;
  }
}
