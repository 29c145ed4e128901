import { type Backoff, grown, spread } from '../http/retry.js';

/** The number of calls that may run at once to a host that has just answered for the first time. */
export const FIRST_LIMIT = 10;
/** A host is paused after this many faults in a row. */
const MAX_FAULTS_IN_ROW = 8;
/** A host's `Retry-After` holds back all of its calls after this many such answers in a row. */
const MAX_ASKS_IN_ROW = 3;
/** The pauses of a host, from the first one to the longest. */
const PAUSES: Backoff = { minTimeoutMs: 1000, maxTimeoutMs: 30_000, factor: 3 };
/**
 * The pauses of a host that has never answered. They start shorter, because such a host may have missed just one call.
 */
const PAUSES_OF_UNKNOWN: Backoff = { ...PAUSES, minTimeoutMs: 200 };
/** A paused host gets at most one call in this many ms while somebody waits in `flush()`. */
const HURRY_MS = 1000;

/** A fault of a host that may pass by itself. */
export interface Fault {
  /** The wait in ms that the host asked for; `undefined` when it asked for none. */
  readonly askedMs: number | undefined;
  /** True when the call has failed so often that the call itself may be the reason. */
  readonly isRepeated: boolean;
}

/**
 * The number of calls that may run at once to one host, and the pauses between them.
 *
 * The window starts at one call. It grows to ten with the first answer, and by one with each success while other calls
 * wait. It shrinks by one with each passing fault. After eight faults in a row the host is paused, and the window is
 * one call again. A host that has not answered yet, or not since its last pause, gets one call per pause. All times are
 * on the clock of `performance.now()`.
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

  /** The number of calls that are being sent to the host. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** True when the host has ever confirmed a call. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** True when the host has confirmed a call since its last pause. */
  get isProven(): boolean {
    return this.#isProven;
  }

  /**
   * True when the host will probably not answer: it has never answered, or it failed again after a pause. A host that
   * failed for the first time may be back in a moment and is not lost.
   */
  get isLost(): boolean {
    return !this.#hasAnswered || this.#pauses > 1;
  }

  /** True when the host has failed again after a pause, and has confirmed no call since. */
  get isOut(): boolean {
    return this.#pauses > 1;
  }

  /** Tells whether no call is being sent and no pause is running. */
  isIdle(nowMs: number): boolean {
    return this.#inFlight === 0 && nowMs >= this.opensAtMs(false);
  }

  /**
   * Returns the time from which a call may go. A pause ends earlier when somebody waits in `flush()` (`isHurried`). A
   * wait that the host asked for does not.
   */
  opensAtMs(isHurried: boolean): number {
    const pausedUntilMs = isHurried
      ? Math.min(this.#pausedUntilMs, this.#hurriedUntilMs)
      : this.#pausedUntilMs;
    return Math.max(pausedUntilMs, this.#heldUntilMs);
  }

  /** Tells whether a call may go at this moment. During a pause that is cut short, one call may go each second. */
  mayBegin(nowMs: number, isHurried: boolean): boolean {
    return this.#inFlight < this.#limit && nowMs >= this.opensAtMs(isHurried);
  }

  /** Notes that a call is being sent. */
  begin(nowMs: number): void {
    this.#inFlight += 1;
    if (nowMs < this.#pausedUntilMs) {
      this.#hurriedUntilMs = nowMs + HURRY_MS;
    }
  }

  /** Notes that a call has ended, with any result. */
  end(): void {
    this.#inFlight -= 1;
  }

  /** Notes that the host has confirmed a call. It ends a pause and widens the window. */
  succeeded(areOthersWaiting: boolean): void {
    this.answered();
    this.#pausedUntilMs = 0;
    this.#hurriedUntilMs = 0;
    this.#pauses = 0;
    if (!this.#isProven) {
      this.#limit = Math.min(FIRST_LIMIT, this.#maxInFlight);
    } else if (areOthersWaiting) {
      this.#limit = Math.min(this.#limit + 1, this.#maxInFlight);
    }
    this.#isProven = true;
    this.#hasAnswered = true;
  }

  /** Notes that the host answered, but refused the call. The call or its session is at fault, and the host is well. */
  answered(): void {
    this.#faultsInRow = 0;
    this.#asksInRow = 0;
  }

  /** Notes that the host failed in a way that may pass. */
  faulted(nowMs: number, { askedMs, isRepeated }: Fault): void {
    if (!isRepeated) {
      this.#faultsInRow += 1;
    }
    this.#limit = Math.max(1, this.#limit - 1);
    this.#asksInRow = askedMs === undefined ? 0 : this.#asksInRow + 1;
    if (askedMs !== undefined && this.#asksInRow >= MAX_ASKS_IN_ROW) {
      this.#heldUntilMs = Math.max(this.#heldUntilMs, nowMs + askedMs);
    }
    // Calls that ran together also fail together. That is one reason to pause, not several reasons.
    if (nowMs < this.#pausedUntilMs) {
      return;
    }
    if (!this.#isProven || this.#faultsInRow >= MAX_FAULTS_IN_ROW) {
      this.#pause(nowMs);
    }
  }

  #pause(nowMs: number): void {
    this.#pauses += 1;
    const longestMs = grown(this.#hasAnswered ? PAUSES : PAUSES_OF_UNKNOWN, this.#pauses);
    this.#pausedUntilMs = nowMs + spread(longestMs, 0.75, 1);
    this.#limit = 1;
    this.#isProven = false;
  }
}
