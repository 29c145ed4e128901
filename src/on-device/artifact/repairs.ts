import { grown } from '../../http/retry.js';

/** The shortest time for which one process of all repairs the store, and between two repairs of one process. */
const FIRST_MS = 10_000;

/** Remembers which version of the store is not taken, and how often this process repaired the store. */
export class Repairs {
  readonly #longestMs: number;
  #count = 0;
  #nextMs = 0;
  #refused: { readonly id: string; readonly untilMs: number } | undefined;

  constructor(pollingIntervalMs: number) {
    this.#longestMs = Math.max(FIRST_MS, pollingIntervalMs);
  }

  /** Time for which one process of all repairs the store. It grows while the store takes no offer. */
  get ticketMs(): number {
    return grown({ minTimeoutMs: FIRST_MS, maxTimeoutMs: this.#longestMs, factor: 2 }, this.#count + 1);
  }

  /** True unless this process began a repair a short time ago. A store may grant each ticket. */
  get isDue(): boolean {
    return performance.now() >= this.#nextMs;
  }

  /** Notes that this process has begun a repair. */
  began(): void {
    this.#count += 1;
    this.#nextMs = performance.now() + FIRST_MS;
  }

  /** Notes that the store answered an offer. */
  ended(): void {
    this.#count = 0;
  }

  /** Remembers a version that was not taken, so that it is not read again at each look. */
  refuse(id: string): void {
    this.#refused = { id, untilMs: performance.now() + this.ticketMs };
  }

  /** Tells whether a version was not taken a short time ago. */
  isRefused(id: string): boolean {
    return this.#refused?.id === id && performance.now() < this.#refused.untilMs;
  }
}
