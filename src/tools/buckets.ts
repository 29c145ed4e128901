/** The number of different allocations: from 0 to 99.99 in steps of 0.01. */
export const BUCKETS = 10_000;

/** A run of buckets. `end` is the first one behind it. */
interface BucketRun {
  readonly start: number;
  readonly end: number;
}

/**
 * A part of all allocations. A bucket is an allocation in hundredths of a percent. It is kept as sorted runs that do not
 * touch, because a share has one or two of them.
 */
export class Buckets {
  /** No allocation. */
  static readonly NONE = new Buckets([]);
  /** Every allocation. */
  static readonly ALL = new Buckets([{ start: 0, end: BUCKETS }]);
  readonly runs: readonly BucketRun[];

  private constructor(runs: readonly BucketRun[]) {
    this.runs = runs;
  }

  /** Asks for each allocation whether it is a part. */
  static where(isIn: (allocation: number) => boolean): Buckets {
    const runs: BucketRun[] = [];
    let start: number | undefined;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      const isPart = isIn(bucket / 100);
      if (isPart && start === undefined) {
        start = bucket;
      } else if (!isPart && start !== undefined) {
        runs.push({ start, end: bucket });
        start = undefined;
      }
    }
    return new Buckets(start === undefined ? runs : [...runs, { start, end: BUCKETS }]);
  }

  /** The allocations that are in any of some parts. */
  static union(parts: readonly Buckets[]): Buckets {
    const [first = Buckets.NONE] = parts;
    if (parts.length < 2) {
      return first;
    }
    const runs: { start: number; end: number }[] = [];
    for (const { start, end } of parts.flatMap((part) => part.runs).sort((a, b) => a.start - b.start)) {
      const last = runs.at(-1);
      if (last && start <= last.end) {
        last.end = Math.max(last.end, end);
      } else {
        runs.push({ start, end });
      }
    }
    return new Buckets(runs);
  }

  /** Runs begin and end at some of the edges, which are sorted. Between two edges nothing changes. */
  static #fromEdges(edges: readonly number[], isIn: (bucket: number) => boolean): Buckets {
    const runs: BucketRun[] = [];
    let start: number | undefined;
    for (const edge of [...edges, BUCKETS]) {
      const isOpen = edge < BUCKETS && isIn(edge);
      if (isOpen && start === undefined) {
        start = edge;
      } else if (!isOpen && start !== undefined) {
        runs.push({ start, end: edge });
        start = undefined;
      }
    }
    return new Buckets(runs);
  }

  /** The part of 1 that these are of all allocations. */
  get size(): number {
    return this.runs.reduce((sum, { start, end }) => sum + end - start, 0) / BUCKETS;
  }

  /** The allocations that are here and not in another part. */
  without(other: Buckets): Buckets {
    return this.#combine(other, (isInThis, isInOther) => isInThis && !isInOther);
  }

  /** The allocations that are in both parts. */
  common(other: Buckets): Buckets {
    return this.#combine(other, (isInThis, isInOther) => isInThis && isInOther);
  }

  equals({ runs }: Buckets): boolean {
    return (
      runs.length === this.runs.length &&
      runs.every(({ start, end }, at) => start === this.runs[at]?.start && end === this.runs[at].end)
    );
  }

  has(allocation: number): boolean {
    return this.#has(Math.round(allocation * 100));
  }

  /** Binary search: a condition that asks for every second allocation has thousands of runs. */
  #has(bucket: number): boolean {
    let [from, to] = [0, this.runs.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.runs[middle]?.end ?? BUCKETS) <= bucket) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    return (this.runs[from]?.start ?? BUCKETS) <= bucket;
  }

  #combine(other: Buckets, isIn: (isInThis: boolean, isInOther: boolean) => boolean): Buckets {
    const edges = [...this.runs, ...other.runs].flatMap(({ start, end }) => [start, end]);
    edges.sort((a, b) => a - b);
    return Buckets.#fromEdges(edges, (bucket) => isIn(this.#has(bucket), other.#has(bucket)));
  }
}
