import { type Timer, unref } from '#platform';

/** The moment from which a prepared artifact is used. */
export interface Activation {
  /** Time from now until its use in ms. */
  readonly inMs: number;
  /** True when the time is a guess, because the store has not named it. */
  readonly isGuess?: boolean | undefined;
  /** Time since the location confirmed it in ms; undefined when that is too long ago, or unknown. */
  readonly seenMsAgo: number | undefined;
  /** Called in a microtask when the artifact is in use. */
  readonly onUse: () => void;
}

/** An artifact that the processes of a fleet take into use at one time. */
export class Pending<Held> {
  readonly held: Held;
  /** Called in a microtask when it is in use. */
  readonly onUse: () => void;
  /** Time at which the location last confirmed it, on the clock of `performance.now()`; undefined when unknown. */
  confirmedMs: number | undefined;
  readonly #onTime: () => void;
  /** Time of its use, on the clock of `performance.now()`. */
  #dueMs: number;
  #isGuess: boolean;
  #timer: Timer | undefined;

  constructor(held: Held, { inMs, isGuess = false, seenMsAgo, onUse }: Activation, onTime: () => void) {
    const nowMs = performance.now();
    this.held = held;
    this.onUse = onUse;
    this.confirmedMs = seenMsAgo === undefined ? undefined : nowMs - seenMsAgo;
    this.#onTime = onTime;
    this.#dueMs = nowMs + inMs;
    this.#isGuess = isGuess;
  }

  /** True while the store has not named the moment. */
  get isGuess(): boolean {
    return this.#isGuess;
  }

  /** Time until its use in ms; 0 when the moment has come. */
  get leftMs(): number {
    return Math.max(0, this.#dueMs - performance.now());
  }

  /** Calls `onTime` when the moment comes. A timer can run up to a millisecond too early, and is set again. */
  wait(): void {
    this.clear();
    const { leftMs } = this;
    const next = () => (this.leftMs > 0 ? this.wait() : this.#onTime());
    this.#timer = unref(setTimeout(next, Math.ceil(leftMs)));
  }

  /**
   * Corrects the moment by another answer of the store. Answers can be late and are never early, so the earliest moment
   * is right.
   */
  correct(inMs: number): void {
    const dueMs = performance.now() + inMs;
    if (this.#isGuess || dueMs < this.#dueMs) {
      this.#dueMs = dueMs;
      this.#isGuess = false;
      this.wait();
    }
  }

  /** Stops waiting. */
  clear(): void {
    clearTimeout(this.#timer);
  }
}
