// These timers are imported because a test may replace the global ones by a fake clock, while the network goes on in
// real time.
import { clearTimeout, setTimeout } from 'node:timers';

/** The longest time of a Node timer in ms. A longer one would end at once. */
const MAX_MS = 2 ** 31 - 1;

/** Timers that do not keep the process alive and can all be stopped together. */
export class Timers {
  readonly #running = new Set<NodeJS.Timeout>();

  /** Runs a function after `ms` milliseconds, or at once when `ms` is not above 0. */
  after(ms: number, act: () => void): void {
    if (ms <= 0) {
      act();
      return;
    }
    const timer = setTimeout(
      () => {
        this.#running.delete(timer);
        act();
      },
      Math.min(ms, MAX_MS),
    );
    timer.unref();
    this.#running.add(timer);
  }

  /** Stops all timers. */
  clear(): void {
    for (const timer of this.#running) {
      clearTimeout(timer);
    }
    this.#running.clear();
  }
}
