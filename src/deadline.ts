/** The part of an `AbortSignal` that is used of one that the caller made. */
export interface Abortable {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** What ends a piece of work before its time. */
export interface Limits {
  readonly timeoutMs: number;
  readonly signal: Abortable | undefined;
}

/**
 * What a piece of work is told of its limits. To a fetch that only listens for `abort` it is a signal itself, for next to
 * nothing of what a real one costs.
 */
export class Span implements Abortable {
  /** On the clock of `performance.now()`. */
  readonly deadline: number;
  /** Told when the work is cut off; cheaper than a listener, for work that does one thing at a time. */
  onCut: (() => void) | undefined;
  #listeners: (() => void)[] = [];
  #controller: AbortController | undefined;
  #reason: Error | undefined;

  constructor(deadline: number) {
    this.deadline = deadline;
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

  /** Aborted when the work is cut off. Not made before somebody looks at it: that costs more than all the rest. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#reason) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.push(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners = this.#listeners.filter((one) => one !== listener);
  }

  /** Cuts the work off. */
  cut(reason: Error): void {
    this.#reason = reason;
    this.#controller?.abort(reason);
    for (const listener of this.#listeners) listener();
    this.onCut?.();
  }
}

const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Does something within its limits: what it settles to, or, as soon as one of the limits is met and whatever the
 * work does then, the error of that limit. Work whose signal is aborted already is not begun.
 */
export function within<Result>(
  { timeoutMs, signal }: Limits,
  work: (span: Span) => Promise<Result>,
  toError: (limit: 'deadline' | 'signal') => Error,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(toError('signal'));
    // One span a call: combined signals keep memory alive for as long as the caller's signal lives.
    const span = new Span(performance.now() + timeoutMs);
    const cut = (limit: 'deadline' | 'signal') => {
      end();
      const error = toError(limit);
      reject(error);
      span.cut(error);
    };
    const timer = setTimeout(cut, Math.min(timeoutMs, MAX_TIMER_MS), 'deadline');
    const leave = signal && whenAborted(signal, () => cut('signal'));
    const end = () => {
      clearTimeout(timer);
      leave?.();
    };
    work(span).then(
      (result) => {
        end();
        resolve(result);
      },
      (error) => {
        end();
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

/** Keeps the one listener of a signal that has calls all the time, until the signal goes. */
export function keepWatch(signal: Abortable): void {
  whenAborted(signal, () => undefined);
}

/** Who is to be told, and where in the list. */
interface Watcher {
  readonly call: () => void;
  at: number;
}

/** A list, for a set that outlives its members makes new tables all the time, which old ones keep from the collector. */
interface Watch {
  readonly watchers: Watcher[];
  readonly listener: () => void;
}

/** One listener for each signal of a caller, however many calls share it: Node warns of more than ten. */
const watches = new WeakMap<Abortable, Watch>();

function whenAborted(signal: Abortable, call: () => void): () => void {
  const watch = watches.get(signal) ?? startWatch(signal);
  const { watchers } = watch;
  const watcher = { call, at: watchers.length };
  watchers.push(watcher);
  return () => {
    if (watchers[watcher.at] !== watcher) return;
    const last = watchers.pop();
    if (last && last !== watcher) {
      watchers[watcher.at] = last;
      last.at = watcher.at;
    }
    if (watchers.length > 0) return;
    watches.delete(signal);
    signal.removeEventListener('abort', watch.listener);
  };
}

function startWatch(signal: Abortable): Watch {
  const watchers: Watcher[] = [];
  const listener = () => {
    for (const { call } of [...watchers]) call();
  };
  const watch = { watchers, listener };
  watches.set(signal, watch);
  signal.addEventListener('abort', listener);
  return watch;
}
