/** Notifications of a cluster that cannot be reached go to another host for this long. */
const LOST_MS = 5 * 60 * 1000;
/** The number of lost clusters that are remembered. It is limited because forged cookies can name any number. */
const MAX_LOST = 100;

/** The location hints of clusters that could not be reached a short while ago. */
export class LostClusters {
  /** The end of that time by location hint, on the clock of `performance.now()`. */
  readonly #untilMs = new Map<string, number>();

  /** Remembers a cluster as lost, and forgets the oldest when there are too many. */
  add(hint: string, nowMs: number): void {
    this.#untilMs.delete(hint);
    this.#untilMs.set(hint, nowMs + LOST_MS);
    for (const [oldest] of this.#untilMs) {
      if (this.#untilMs.size > MAX_LOST) {
        this.#untilMs.delete(oldest);
      }
    }
  }

  /**
   * Returns the location hint to use for a call. It is `undefined` for a lost cluster, so the call goes to the client's
   * own host.
   */
  reachable(hint: string | undefined): string | undefined {
    if (hint === undefined || this.#untilMs.size === 0) {
      return hint;
    }
    const untilMs = this.#untilMs.get(hint);
    if (untilMs === undefined || performance.now() < untilMs) {
      return untilMs === undefined ? hint : undefined;
    }
    this.#untilMs.delete(hint);
    return hint;
  }
}
