import { type Backoff, grown, spread } from '../http/retry.js';

/** Calls under way to a host that has just answered for the first time. */
export const FIRST_LIMIT = 10;
const MAX_FAULTS_IN_ROW = 8;
const MAX_ASKS_IN_ROW = 3;
const PAUSES: Backoff = { minTimeoutMs: 1000, maxTimeoutMs: 30_000, factor: 3 };
/** A host that has answered before is given a second; one that never has may only have missed the first call. */
const PAUSES_OF_UNKNOWN: Backoff = { ...PAUSES, minTimeoutMs: 200 };
/** Calls of `flush()` end a pause early at most once in so many ms. */
const HURRY_MS = 1000;

/** A fault of a host that may pass. */
export interface Fault {
  /** How long its answer asked to be left alone. */
  readonly askedMs: number | undefined;
  /** Whether its call has failed so often that the call may be the reason. */
  readonly isRepeated: boolean;
}

/**
 * How many calls may be under way to one host. One until it answers, then ten; one more with each success while others
 * wait, one less with each passing fault. After eight faults in a row the host is left alone for a while, and begins
 * with one call again. A host that has not answered yet, or not since then, is tried with one call a pause. All times
 * are on the clock of `performance.now()`.
 */
export class HostWindow {
  readonly #maxInFlight: number;
  #inFlight = 0;
  #limit = 1;
  #hasAnswered = false;
  #isProven = false;
  #faultsInRow = 0;
  #asksInRow = 0;
  #pauses = 0;
  #pausedUntilMs = 0;
  #heldUntilMs = 0;
  #hurriedUntilMs = 0;

  constructor(maxInFlight: number) {
    this.#maxInFlight = maxInFlight;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Whether the host has ever confirmed anything. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** Whether the host has confirmed something since it was last paused. */
  get isProven(): boolean {
    return this.#isProven;
  }

  /**
   * Whether nobody is there to answer, most likely: a host that has never answered, or that failed again behind a pause.
   * One that was well until just now may be back in a moment.
   */
  get isLost(): boolean {
    return !this.#hasAnswered || this.#pauses > 1;
  }

  /** Whether nothing is under way, and nothing is waited for. */
  isIdle(nowMs: number): boolean {
    return this.#inFlight === 0 && nowMs >= this.opensAtMs(false);
  }

  /** When the next call may go, if one of those under way leaves room for it. */
  opensAtMs(isHurried: boolean): number {
    const pausedUntilMs = isHurried
      ? Math.min(this.#pausedUntilMs, this.#hurriedUntilMs)
      : this.#pausedUntilMs;
    return Math.max(pausedUntilMs, this.#heldUntilMs);
  }

  /** Whether a call may go now. A call that does not wait for the end of a pause is the only one for a second. */
  mayBegin(nowMs: number, isHurried: boolean): boolean {
    return this.#inFlight < this.#limit && nowMs >= this.opensAtMs(isHurried);
  }

  /** A call goes. */
  begin(nowMs: number): void {
    this.#inFlight += 1;
    if (nowMs < this.#pausedUntilMs) this.#hurriedUntilMs = nowMs + HURRY_MS;
  }

  /** A call has ended, whatever it ended with. */
  end(): void {
    this.#inFlight -= 1;
  }

  /** The host has confirmed a call. */
  succeeded(areOthersWaiting: boolean): void {
    this.answered();
    this.#pausedUntilMs = 0;
    this.#hurriedUntilMs = 0;
    this.#pauses = 0;
    if (!this.#isProven) this.#limit = Math.min(FIRST_LIMIT, this.#maxInFlight);
    else if (areOthersWaiting) this.#limit = Math.min(this.#limit + 1, this.#maxInFlight);
    this.#isProven = true;
    this.#hasAnswered = true;
  }

  /** The host has answered, but not with what was asked for: the call was at fault, or its session. */
  answered(): void {
    this.#faultsInRow = 0;
    this.#asksInRow = 0;
  }

  /** The host has failed in a way that may pass. */
  faulted(nowMs: number, { askedMs, isRepeated }: Fault): void {
    if (!isRepeated) this.#faultsInRow += 1;
    this.#limit = Math.max(1, this.#limit - 1);
    this.#asksInRow = askedMs === undefined ? 0 : this.#asksInRow + 1;
    if (askedMs !== undefined && this.#asksInRow >= MAX_ASKS_IN_ROW)
      this.#heldUntilMs = Math.max(this.#heldUntilMs, nowMs + askedMs);
    // Calls that were under way together fail together, which is one reason to pause.
    if (nowMs < this.#pausedUntilMs) return;
    if (!this.#isProven || this.#faultsInRow >= MAX_FAULTS_IN_ROW) this.#pause(nowMs);
  }

  #pause(nowMs: number): void {
    this.#pauses += 1;
    const longestMs = grown(this.#hasAnswered ? PAUSES : PAUSES_OF_UNKNOWN, this.#pauses);
    this.#pausedUntilMs = nowMs + spread(longestMs, 0.75, 1);
    this.#limit = 1;
    this.#isProven = false;
  }
}
