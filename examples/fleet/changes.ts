/** A change to a release: the moment of each process, in ms since 1970. */
export interface Change {
  readonly id: string;
  readonly release: number | undefined;
  readonly moments: Readonly<Record<string, number>>;
  /** The time between the first process and the last one. */
  readonly spreadMs: number;
}

const MAX_CHANGES = 5;

/** The time line of the fleet: when each process changed to which release. */
export class Changes {
  readonly #changes: Change[] = [];

  /** The last changes, the newest first. */
  get all(): readonly Change[] {
    return this.#changes;
  }

  /** Notes the change of a process. */
  add(
    process: string,
    { id, release, atMs }: { id: string; release: number | undefined; atMs: number },
  ): void {
    let change = this.#changes.find((one) => one.id === id);
    if (!change) {
      change = { id, release, moments: {}, spreadMs: 0 };
      this.#changes.unshift(change);
      this.#changes.splice(MAX_CHANGES);
    }
    const moments = { [process]: atMs, ...change.moments };
    const times = Object.values(moments);
    const spreadMs = Math.max(...times) - Math.min(...times);
    this.#changes[this.#changes.indexOf(change)] = { ...change, moments, spreadMs };
  }
}
