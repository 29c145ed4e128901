/** Somebody who waits for the calls of some periods. */
export interface Waiter {
  /** Resolves when they have ended. */
  readonly ended: Promise<void>;
  /** Nobody waits any more. */
  cancel(): void;
}

interface Waiting {
  readonly until: number;
  readonly resolve: () => void;
}

/**
 * Tells when all calls that there were at some time have ended, whatever came behind them: each flush ends a period, and
 * waits for the calls of this period and of those before.
 */
export class FlushPeriods {
  #current = 0;
  /** How many calls have not ended, by period, the oldest first. */
  readonly #open = new Map<number, number>();
  readonly #waiting = new Set<Waiting>();

  /** Whether anybody waits. */
  get areAwaited(): boolean {
    return this.#waiting.size > 0;
  }

  /** A call begins, now or in the place of another one of its period; tells the period. */
  enter(period: number = this.#current): number {
    this.#open.set(period, (this.#open.get(period) ?? 0) + 1);
    return period;
  }

  /** A call of a period has ended. */
  leave(period: number): void {
    const left = (this.#open.get(period) ?? 0) - 1;
    if (left > 0) {
      this.#open.set(period, left);
      return;
    }
    this.#open.delete(period);
    const oldest = this.#oldest;
    for (const waiting of this.#waiting) if (waiting.until < oldest) this.#release(waiting);
  }

  /** Waits for all calls that have begun by now. */
  waitForPresent(): Waiter {
    if (this.#open.has(this.#current)) this.#current += 1;
    return this.#wait(this.#current - 1);
  }

  /** Waits until no call is left, however many begin meanwhile. */
  waitForAll(): Waiter {
    return this.#wait(Number.MAX_SAFE_INTEGER);
  }

  get #oldest(): number {
    for (const period of this.#open.keys()) return period;
    return Number.POSITIVE_INFINITY;
  }

  #wait(until: number): Waiter {
    let waiting: Waiting | undefined;
    const ended = new Promise<void>((resolve) => {
      if (until < this.#oldest) return resolve();
      waiting = { until, resolve };
      this.#waiting.add(waiting);
    });
    return { ended, cancel: () => void (waiting && this.#waiting.delete(waiting)) };
  }

  #release(waiting: Waiting): void {
    this.#waiting.delete(waiting);
    waiting.resolve();
  }
}
