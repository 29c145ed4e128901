/** A caller that waits for the end of calls. */
export interface Waiter {
  /** Resolves when the calls have ended. */
  readonly ended: Promise<void>;
  /** Stops waiting. `ended` then never resolves. */
  cancel(): void;
}

/** A caller that waits until all calls up to a period have ended. */
interface Waiting {
  readonly until: number;
  readonly resolve: () => void;
}

/**
 * Tells when all calls that existed at some moment have ended, without waiting for later ones. Calls belong to numbered
 * periods, and each flush starts a new period. A flush waits for the calls of all periods before the new one.
 */
export class FlushPeriods {
  #current = 0;
  /** The number of running calls by period, the oldest period first. */
  readonly #open = new Map<number, number>();
  readonly #waiting = new Set<Waiting>();

  /** True while any caller waits. */
  get areAwaited(): boolean {
    return this.#waiting.size > 0;
  }

  /** Counts a call as running and returns its period. A call that replaces another one keeps the other's period. */
  enter(period: number = this.#current): number {
    this.#open.set(period, (this.#open.get(period) ?? 0) + 1);
    return period;
  }

  /** Counts a call as ended. It wakes the callers that waited only for this period and older ones. */
  leave(period: number): void {
    const left = (this.#open.get(period) ?? 0) - 1;
    if (left > 0) {
      this.#open.set(period, left);
      return;
    }
    this.#open.delete(period);
    const oldest = this.#oldest;
    for (const waiting of this.#waiting) {
      if (waiting.until < oldest) {
        this.#release(waiting);
      }
    }
  }

  /** Waits for the calls that are running at this moment. */
  waitForPresent(): Waiter {
    if (this.#open.has(this.#current)) {
      this.#current += 1;
    }
    return this.#wait(this.#current - 1);
  }

  /** Waits until no call is running, including those that start meanwhile. */
  waitForAll(): Waiter {
    return this.#wait(Number.MAX_SAFE_INTEGER);
  }

  /** The oldest period with running calls; infinity when there is none. */
  get #oldest(): number {
    for (const period of this.#open.keys()) {
      return period;
    }
    return Number.POSITIVE_INFINITY;
  }

  #wait(until: number): Waiter {
    let waiting: Waiting | undefined;
    const ended = new Promise<void>((resolve) => {
      if (until < this.#oldest) {
        return resolve();
      }
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
