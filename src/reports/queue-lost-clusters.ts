/** The time for which the visitors of a cluster that could not be reached are reported elsewhere. */
const LOST_MS = 5 * 60 * 1000;
const MAX_LOST = 100;

/** The location hints of clusters that could not be reached a short while ago. */
export class LostClusters {
  /** By location hint: until when, on the clock of `performance.now()`. */
  readonly #untilMs = new Map<string, number>();

  add(hint: string, nowMs: number): void {
    this.#untilMs.delete(hint);
    this.#untilMs.set(hint, nowMs + LOST_MS);
    for (const [oldest] of this.#untilMs) if (this.#untilMs.size > MAX_LOST) this.#untilMs.delete(oldest);
  }

  /** The hint of a call, or undefined where its cluster is lost: the call goes the client's own way. */
  reachable(hint: string | undefined): string | undefined {
    if (hint === undefined || this.#untilMs.size === 0) return hint;
    const untilMs = this.#untilMs.get(hint);
    if (untilMs === undefined || performance.now() < untilMs) return untilMs === undefined ? hint : undefined;
    this.#untilMs.delete(hint);
    return hint;
  }
}
