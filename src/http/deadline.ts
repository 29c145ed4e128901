import { later, type Timer } from '#platform';
import { type Abortable, isAborted, unwatch, type Watch, type Watcher, watch } from './watched-signal.js';

/** What ends a piece of work before its time. */
export interface Limits {
  readonly timeoutMs: number;
  readonly signal: Abortable | undefined;
}

/** Which of its limits has ended a piece of work. */
export type Limit = 'deadline' | 'signal';

/** What fits into a timer; a longer one would be over at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * What a piece of work is told of its limits. To a fetch that only listens for `abort` it is a signal itself, for next to
 * nothing of what a real one costs.
 */
export class Span implements Abortable, Watcher {
  /** On the clock of `performance.now()`. */
  readonly deadline: number;
  /** Told when the work is cut off; cheaper than a listener, for work that does one thing at a time. */
  onCut: (() => void) | undefined;
  /** Its place among those who watch the signal. */
  watchIndex = 0;
  readonly #onLimit: (limit: Limit) => Error;
  readonly #stageMs: number;
  /** The time that was left when the timer was set. */
  #leftMs: number;
  #timer: Timer;
  /** When the timer is due, on the clock of `performance.now()`. */
  #dueMs: number;
  readonly #watch: Watch | undefined;
  #listeners: (() => void)[] = NO_LISTENERS;
  #controller: AbortController | undefined;
  #reason: Error | undefined;
  #hasEnded = false;
  #wasBusy = false;

  /** Begins at once. `onLimit` makes the error of the limit that is met. */
  constructor({ timeoutMs, signal }: Limits, onLimit: (limit: Limit) => Error) {
    const now = performance.now();
    this.deadline = now + timeoutMs;
    this.#onLimit = onLimit;
    this.#watch = signal && watch(signal, this);
    this.#leftMs = timeoutMs;
    this.#stageMs = Math.min(Math.ceil(timeoutMs / STAGES), MAX_TIMER_MS);
    this.#dueMs = now + this.#stageMs;
    this.#timer = setTimeout(endStage, this.#stageMs, this);
  }

  /** What node-fetch knows a signal by. */
  get [Symbol.toStringTag](): string {
    return 'EventTarget';
  }

  /** Whether the work was cut off. */
  get aborted(): boolean {
    return this.#reason !== undefined;
  }

  /** Why the work was cut off. */
  get reason(): Error | undefined {
    return this.#reason;
  }

  /**
   * Whether this process was too busy for a good part of the time to do anything about the work: that the work did not
   * end says nothing of those who were asked to do it.
   */
  get wasBusy(): boolean {
    return this.#wasBusy;
  }

  /** Aborted when the work is cut off. Not made before somebody looks at it: that costs more than all the rest. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#reason) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners = [...this.#listeners, listener];
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners = this.#listeners.filter((one) => one !== listener);
  }

  /** The work has come to its own end. */
  end(): void {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
    if (this.#watch) unwatch(this.#watch, this);
  }

  /** Tells those who listen for `abort` that nobody wants what they do; the work goes on without them. */
  drop(): void {
    const listeners = this.#listeners;
    this.#listeners = NO_LISTENERS;
    for (const listener of listeners) listener();
  }

  /** Whether the time is over. */
  isOver(now: number): boolean {
    if (now - this.#dueMs > Math.max(this.#stageMs / 2, MIN_BUSY_MS)) this.#wasBusy = true;
    return now >= this.deadline;
  }

  /** Sets the timer for the next part of the time; false when there is none. */
  startNextStage(now: number): boolean {
    if (this.isOver(now)) return false;
    this.#leftMs = Math.min(this.#leftMs - this.#stageMs, this.deadline - now);
    if (this.#leftMs <= 0) return false;
    const stageMs = Math.min(this.#stageMs, this.#leftMs);
    this.#dueMs = now + stageMs;
    this.#timer = setTimeout(endStage, stageMs, this);
    return true;
  }

  /** Cuts the work off. */
  cutOff(limit: Limit): void {
    if (this.#hasEnded) return;
    this.end();
    const reason = this.#onLimit(limit);
    this.#reason = reason;
    this.#controller?.abort(reason);
    this.drop();
    this.onCut?.();
  }

  /** The caller's signal was aborted. */
  onAbort(): void {
    this.cutOff('signal');
  }
}

const NO_LISTENERS: (() => void)[] = [];

/** The timer is set for one part of the time after the other: a part that ends late tells that the process was busy. */
const STAGES = 4;
/** A shorter delay is normal in a process that has much to do. */
const MIN_BUSY_MS = 50;
/** Timers that are later than this come before answers that have arrived meanwhile. */
const LATE_MS = 10;

function endStage(span: Span): void {
  const now = performance.now();
  if (span.startNextStage(now)) return;
  if (now - span.deadline < LATE_MS) span.cutOff('deadline');
  // The answer may be there.
  else later(() => span.cutOff('deadline'));
}

/**
 * Does something within its limits: what it settles to, or, as soon as one of the limits is met and whatever the
 * work does then, the error of that limit. Work whose signal is aborted already is not begun.
 */
export function within<Result>(
  limits: Limits,
  work: (span: Span) => Promise<Result>,
  toError: (limit: Limit, span?: Span) => Error,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    if (isAborted(limits.signal)) return reject(toError('signal'));
    // One span a call: combined signals keep memory alive for as long as the caller's signal lives.
    const span = new Span(limits, (limit) => {
      const error = toError(limit, span);
      reject(error);
      return error;
    });
    work(span).then(
      (result) => {
        span.end();
        resolve(result);
      },
      (error) => {
        span.end();
        reject(error);
      },
    );
  });
}

/** Waits, unless the signal is aborted. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * Waits for work, but not for ever; what becomes of it then is its own affair. Keeps the process alive meanwhile, which
 * has notifications to send afterwards.
 */
export async function withinMs(limitMs: number, work: () => Promise<unknown>): Promise<void> {
  let timer: Timer | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.min(limitMs, MAX_TIMER_MS));
  });
  try {
    await Promise.race([work(), limit]);
  } finally {
    clearTimeout(timer);
  }
}
