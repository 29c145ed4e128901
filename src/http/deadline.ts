import { later, type Timer } from '#platform';
import { type Abortable, isAborted, unwatch, type Watch, type Watcher, watch } from './watched-signal.js';

/** The two limits of a piece of work. */
export interface Limits {
  /** Time for the work in ms. */
  readonly timeoutMs: number;
  readonly signal: Abortable | undefined;
}

/** The limit that has ended a piece of work. */
export type Limit = 'deadline' | 'signal';

/** Longest delay of a timer in ms. Node runs a timer with a longer delay at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * The time in which a piece of work has to end, and the signal that cuts it off. A fetch that only listens for `abort`
 * takes the span itself for a signal, which costs far less than a real `AbortSignal`.
 */
export class Span implements Abortable, Watcher {
  /** The end of the span, on the clock of `performance.now()`. */
  readonly deadline: number;
  /** Called when the work is cut off. This costs less than a listener, for work that does one thing at a time. */
  onCut: (() => void) | undefined;
  /** The index of the span in the list of the signal's watchers. */
  watchIndex = 0;
  readonly #onLimit: (limit: Limit) => Error;
  readonly #stageMs: number;
  /** Time in ms that was left when the timer was set. */
  #leftMs: number;
  #timer: Timer;
  /** The time when the timer is due, on the clock of `performance.now()`. */
  #dueMs: number;
  readonly #watch: Watch | undefined;
  #listeners: (() => void)[] = NO_LISTENERS;
  #controller: AbortController | undefined;
  #reason: Error | undefined;
  #hasEnded = false;
  #wasBusy = false;

  /** Starts the span at once. `onLimit` makes the error for the limit that ends it. */
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

  /** The tag by which node-fetch recognises a signal. */
  get [Symbol.toStringTag](): string {
    return 'EventTarget';
  }

  /** True when the work was cut off. */
  get aborted(): boolean {
    return this.#reason !== undefined;
  }

  /** The error that the work was cut off with. */
  get reason(): Error | undefined {
    return this.#reason;
  }

  /**
   * True when this process was too busy to do anything for the work during a large part of the time. Work that did not
   * end then says nothing about the host that was called.
   */
  get wasBusy(): boolean {
    return this.#wasBusy;
  }

  /**
   * A real signal, aborted when the work is cut off. It is made at the first read, because it costs more than the rest
   * of the span.
   */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#reason) {
        this.#controller.abort(this.#reason);
      }
    }
    return this.#controller.signal;
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners = [...this.#listeners, listener];
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners = this.#listeners.filter((one) => one !== listener);
  }

  /** Ends the span, because the work has ended by itself. */
  end(): void {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
    if (this.#watch) {
      unwatch(this.#watch, this);
    }
  }

  /** Calls the listeners for `abort`, which stops a fetch. The span itself goes on. */
  drop(): void {
    const listeners = this.#listeners;
    this.#listeners = NO_LISTENERS;
    for (const listener of listeners) {
      listener();
    }
  }

  /** Tells whether the time is over. Notes that the process was busy if the timer is far behind. */
  isOver(now: number): boolean {
    if (now - this.#dueMs > Math.max(this.#stageMs / 2, MIN_BUSY_MS)) {
      this.#wasBusy = true;
    }
    return now >= this.deadline;
  }

  /** Sets the timer for the next part of the time. Returns false when no time is left. */
  startNextStage(now: number): boolean {
    if (this.isOver(now)) {
      return false;
    }
    this.#leftMs = Math.min(this.#leftMs - this.#stageMs, this.deadline - now);
    if (this.#leftMs <= 0) {
      return false;
    }
    const stageMs = Math.min(this.#stageMs, this.#leftMs);
    this.#dueMs = now + stageMs;
    this.#timer = setTimeout(endStage, stageMs, this);
    return true;
  }

  /** Cuts the work off with the error of a limit. Does nothing after the end. */
  cutOff(limit: Limit): void {
    if (this.#hasEnded) {
      return;
    }
    this.end();
    const reason = this.#onLimit(limit);
    this.#reason = reason;
    this.#controller?.abort(reason);
    this.drop();
    this.onCut?.();
  }

  /** Cuts the work off, because the caller's signal was aborted. */
  onAbort(): void {
    this.cutOff('signal');
  }
}

const NO_LISTENERS: (() => void)[] = [];

/**
 * Number of parts that the time is divided into. The timer is set for one part after the other, and a part that ends
 * late shows that the process was busy.
 */
const STAGES = 4;
/** Shortest delay in ms that counts as busy. Shorter delays are normal in a process with much work. */
const MIN_BUSY_MS = 50;
/** A timer that is later than this, in ms, may run before answers that have already arrived are read. */
const LATE_MS = 10;

function endStage(span: Span): void {
  const now = performance.now();
  if (span.startNextStage(now)) {
    return;
  }
  if (now - span.deadline < LATE_MS) {
    span.cutOff('deadline');
  } else {
    // The answer may have arrived, so it is read first.
    later(() => span.cutOff('deadline'));
  }
}

/**
 * Runs a piece of work within its limits. The promise settles as the work does. When a limit is reached first, it
 * rejects at once with the error of that limit. Work whose signal is already aborted is not started.
 */
export function within<Result>(
  limits: Limits,
  work: (span: Span) => Promise<Result>,
  toError: (limit: Limit, span?: Span) => Error,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    if (isAborted(limits.signal)) {
      return reject(toError('signal'));
    }
    // Each call has one span. Combined signals (`AbortSignal.any`) would stay in memory as long as the caller's signal.
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

/** Waits for a time in ms. Rejects with the signal's reason when the signal is aborted first. */
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
 * Waits until work has ended, but at most for a time in ms. The work goes on by itself after that. Keeps the process
 * alive while it waits, because notifications may have to be sent afterwards.
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
