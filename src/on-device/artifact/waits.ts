import { ref, type Timer, unref } from '#platform';

/** Waits that keep the process alive only while a caller waits for the first artifact. */
export class Waits {
  readonly #timers = new Set<Timer>();
  #isAwaited = false;

  /** Keeps the process alive from now on, or lets it end. */
  keepAlive(isAwaited: boolean): void {
    this.#isAwaited = isAwaited;
    this.#timers.forEach(isAwaited ? ref : unref);
  }

  /** Ends all waits. Their promises stay pending. */
  clear(): void {
    for (const timer of this.#timers) {
      this.#clear(timer);
    }
  }

  /** Resolves as the work does, or with `undefined` at a moment. The work never rejects. */
  until<Value>(work: Promise<Value>, endMs: number): Promise<Value | undefined> {
    return new Promise((resolve) => {
      const timer = this.#after(endMs - performance.now(), () => resolve(undefined));
      void work.then((value) => {
        this.#clear(timer);
        resolve(value);
      });
    });
  }

  /** Resolves after a time. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#after(ms, resolve));
  }

  #after(ms: number, act: () => void): Timer {
    const timer = setTimeout(
      () => {
        this.#clear(timer);
        act();
      },
      Math.max(0, ms),
    );
    this.#timers.add(timer);
    if (!this.#isAwaited) {
      unref(timer);
    }
    return timer;
  }

  #clear(timer: Timer): void {
    clearTimeout(timer);
    this.#timers.delete(timer);
  }
}
