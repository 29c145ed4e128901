// Not the globals, which a test may have replaced by a fake clock: the network goes on in real time.
import { clearTimeout, setTimeout } from 'node:timers';

/** What a timer can hold; more would fire at once. */
const MAX_MS = 2 ** 31 - 1;

/** Timers that do not keep the process alive and can be stopped all at once. */
export class Timers {
  readonly #running = new Set<NodeJS.Timeout>();

  /** Does something after so many milliseconds, or now when there are none. */
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

  /** Stops all of them. */
  clear(): void {
    for (const timer of this.#running) clearTimeout(timer);
    this.#running.clear();
  }
}
