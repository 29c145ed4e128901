import type { Delivery } from '../request/call.js';

/** A delivery call of the notification queue. */
export interface QueuedCall {
  readonly call: Delivery;
  /** The call's part of the queue's bound in bytes. */
  readonly bytes: number;
  /** The period in which the call was accepted: a flush waits for those before it. */
  readonly period: number;
  attempts: number;
  /** The first attempt, on the clock of `performance.now()`. */
  firstTriedMs: number | undefined;
  /** The cluster of the call's visitor, as long as that can be reached. */
  hint: string | undefined;
}

interface Delayed {
  readonly queued: QueuedCall;
  readonly dueMs: number;
}

/** The calls that have a place with a host: any, or those first that were not tried yet. */
export type Place = 'any' | 'untried first';

/** Clusters at a time that calls wait for. Cookies may name thousands, and Target has some dozens. */
const MAX_LANES = 100;

/**
 * The calls that wait: in a lane for each cluster, first come, first served, or for their next attempt. Calls of visitors
 * without a cluster have a lane of their own, and so have those that come when there are lanes enough.
 */
export class WaitingCalls {
  /** By location hint; in the order of their turns. */
  readonly #lanes = new Map<string | undefined, Lane>();
  /** In the order in which they are due. */
  readonly #delayed: Delayed[] = [];
  #inLanes = 0;

  get size(): number {
    return this.#inLanes + this.#delayed.length;
  }

  /** The lanes in which calls wait, by location hint. */
  get hints(): Iterable<string | undefined> {
    return this.#lanes.keys();
  }

  /** When the next call that was sent away is due; undefined when there is none. */
  get nextDueMs(): number | undefined {
    return this.#delayed[0]?.dueMs;
  }

  /** Takes a call to the end of its lane. */
  push(queued: QueuedCall): void {
    this.#laneOf(queued).push(queued);
    this.#inLanes += 1;
  }

  /** Takes a call to the start of its lane. */
  unshift(queued: QueuedCall): void {
    this.#laneOf(queued).unshift(queued);
    this.#inLanes += 1;
  }

  /** Keeps a call from its lane for a while. */
  delay(queued: QueuedCall, dueMs: number): void {
    let [from, to] = [0, this.#delayed.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.#delayed[middle]?.dueMs ?? 0) <= dueMs) from = middle + 1;
      else to = middle;
    }
    this.#delayed.splice(from, 0, { queued, dueMs });
  }

  /** Sends the calls that are due to their lanes. */
  release(nowMs: number, prepare: (queued: QueuedCall) => void): void {
    let due = 0;
    while ((this.#delayed[due]?.dueMs ?? Number.POSITIVE_INFINITY) <= nowMs) due += 1;
    if (due === 0) return;
    for (const { queued } of this.#delayed.splice(0, due)) {
      prepare(queued);
      this.push(queued);
    }
  }

  /** The next call of the lanes that have a place for one; each lane has its turn. */
  take(placeFor: (hint: string | undefined) => Place | undefined): QueuedCall | undefined {
    for (const [hint, lane] of this.#lanes) {
      const place = placeFor(hint);
      if (place === undefined) continue;
      const queued = lane.shift(place);
      this.#inLanes -= 1;
      // One lane alone has every turn (benchmark on-device/execute-url).
      if (lane.size === 0 || this.#lanes.size > 1) this.#lanes.delete(hint);
      if (lane.size > 0) this.#lanes.set(hint, lane);
      return queued;
    }
    return undefined;
  }

  /** Sends those who wait for a cluster to the lane of those without one. */
  abandon(hint: string): void {
    const lane = this.#lanes.get(hint);
    this.#lanes.delete(hint);
    for (let queued = lane?.shift('any'); queued; queued = lane?.shift('any')) {
      queued.hint = undefined;
      this.#laneOf(queued).push(queued);
    }
  }

  /** Takes any call out; undefined when none is left. */
  remove(): QueuedCall | undefined {
    return this.take(() => 'any') ?? this.#delayed.shift()?.queued;
  }

  #laneOf(queued: QueuedCall): Lane {
    const known = this.#lanes.get(queued.hint);
    if (known) return known;
    if (this.#lanes.size >= MAX_LANES && queued.hint !== undefined) {
      queued.hint = undefined;
      return this.#laneOf(queued);
    }
    const lane = new Lane();
    this.#lanes.set(queued.hint, lane);
    return lane;
  }
}

/** The calls for one cluster: those that were tried before, and those that were not. */
class Lane {
  readonly #untried = new Fifo();
  readonly #tried = new Fifo();

  get size(): number {
    return this.#untried.size + this.#tried.size;
  }

  push(queued: QueuedCall): void {
    (queued.attempts === 0 ? this.#untried : this.#tried).push(queued);
  }

  unshift(queued: QueuedCall): void {
    this.#untried.unshift(queued);
  }

  /**
   * Calls that were tried before have waited longest. But a host that has not answered since its pause is tried with a call that
   * did not fail there: it may be one call alone that always fails.
   */
  shift(place: Place): QueuedCall | undefined {
    const [first, last] = place === 'any' ? [this.#tried, this.#untried] : [this.#untried, this.#tried];
    return first.shift() ?? last.shift();
  }
}

/** First in, first out; taking from the start of a long array would move all of it. */
class Fifo {
  #calls: (QueuedCall | undefined)[] = [];
  #start = 0;

  get size(): number {
    return this.#calls.length - this.#start;
  }

  push(queued: QueuedCall): void {
    this.#calls.push(queued);
  }

  unshift(queued: QueuedCall): void {
    if (this.#start === 0) this.#calls.unshift(queued);
    else {
      this.#start -= 1;
      this.#calls[this.#start] = queued;
    }
  }

  shift(): QueuedCall | undefined {
    const queued = this.#calls[this.#start];
    if (!queued) return undefined;
    this.#calls[this.#start] = undefined;
    this.#start += 1;
    if (this.#start >= 1024 && 2 * this.#start >= this.#calls.length) {
      this.#calls = this.#calls.slice(this.#start);
      this.#start = 0;
    }
    return queued;
  }
}
