import type { Delivery } from '../request/call.js';
import type { WrittenDelivery } from './queued-delivery.js';

/** A delivery call inside the notification queue. */
export interface QueuedCall {
  readonly call: Delivery;
  /** The call's share of the queue's limit in bytes. */
  readonly bytes: number;
  /** The period in which the call was accepted. A flush waits for the calls of all earlier periods. */
  readonly period: number;
  /** True for a report of what a browser has shown. */
  readonly isOfBrowser: boolean;
  /** The number of times that the call was sent. */
  attempts: number;
  /** The time of the first attempt, on the clock of `performance.now()`. */
  firstTriedMs: number | undefined;
  /** The location hint of the call's visitor. It is `undefined` when there is none or its cluster cannot be reached. */
  hint: string | undefined;
  /** The time at which the call was queued, in ms since 1970. It is 0 without an outbox. */
  readonly madeMs: number;
  /** The call as the outbox gets it. It is `false` for a call that is too large, and written when it is needed. */
  written: WrittenDelivery | false | undefined;
  /** True when the call has left the queue. */
  isOver: boolean;
}

/** A call that waits for its next attempt. */
interface Delayed {
  readonly queued: QueuedCall;
  /** The time of the next attempt, on the clock of `performance.now()`. */
  readonly dueMs: number;
}

/**
 * An opening at a host for one more call. `any` is for the call that has waited longest. `untried first` prefers a call
 * that was never sent.
 */
export type Opening = 'any' | 'untried first';

/**
 * Calls wait for at most this many clusters at a time. Target has some dozens, while forged cookies can name thousands.
 */
const MAX_LANES = 100;

/**
 * The waiting calls of the queue. Each cluster has a lane, whose calls go first in, first out. Calls of visitors
 * without a cluster share one lane, and so do the calls for clusters beyond `MAX_LANES`. Calls that wait for their next
 * attempt are kept outside the lanes.
 */
export class WaitingCalls {
  /** The lanes by location hint, in the order in which they take turns. */
  readonly #lanes = new Map<string | undefined, Lane>();
  /** The calls that wait for their next attempt, the earliest first. */
  readonly #delayed: Delayed[] = [];
  #inLanes = 0;

  /** The number of waiting calls. */
  get size(): number {
    return this.#inLanes + this.#delayed.length;
  }

  /** The location hints of all lanes with waiting calls. */
  get hints(): Iterable<string | undefined> {
    return this.#lanes.keys();
  }

  /** The time of the next attempt among the delayed calls; `undefined` when there is none. */
  get nextDueMs(): number | undefined {
    return this.#delayed[0]?.dueMs;
  }

  /** Adds a call at the end of its lane. */
  push(queued: QueuedCall): void {
    this.#laneOf(queued).push(queued);
    this.#inLanes += 1;
  }

  /** Adds a call at the start of its lane. */
  unshift(queued: QueuedCall): void {
    this.#laneOf(queued).unshift(queued);
    this.#inLanes += 1;
  }

  /** Keeps a call out of its lane until a time. The list is sorted, so the position is found by binary search. */
  delay(queued: QueuedCall, dueMs: number): void {
    let [from, to] = [0, this.#delayed.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.#delayed[middle]?.dueMs ?? 0) <= dueMs) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    this.#delayed.splice(from, 0, { queued, dueMs });
  }

  /** Moves the calls that are due into their lanes, after `prepare` has seen each of them. */
  release(nowMs: number, prepare: (queued: QueuedCall) => void): void {
    let due = 0;
    while ((this.#delayed[due]?.dueMs ?? Number.POSITIVE_INFINITY) <= nowMs) {
      due += 1;
    }
    if (due === 0) {
      return;
    }
    for (const { queued } of this.#delayed.splice(0, due)) {
      prepare(queued);
      this.push(queued);
    }
  }

  /** Removes and returns the next call whose host accepts one; `undefined` when there is none. The lanes take turns. */
  take(openingFor: (hint: string | undefined) => Opening | undefined): QueuedCall | undefined {
    for (const [hint, lane] of this.#lanes) {
      const opening = openingFor(hint);
      if (opening === undefined) {
        continue;
      }
      const queued = lane.shift(opening);
      this.#inLanes -= 1;
      // A lane takes its turn by moving to the end. A single lane need not move (benchmark on-device/execute-url).
      if (lane.size === 0 || this.#lanes.size > 1) {
        this.#lanes.delete(hint);
      }
      if (lane.size > 0) {
        this.#lanes.set(hint, lane);
      }
      return queued;
    }
    return undefined;
  }

  /** Moves the calls that wait for a cluster into the lane of calls without a cluster. */
  abandon(hint: string): void {
    const lane = this.#lanes.get(hint);
    this.#lanes.delete(hint);
    for (let queued = lane?.shift('any'); queued; queued = lane?.shift('any')) {
      queued.hint = undefined;
      this.#laneOf(queued).push(queued);
    }
  }

  /** Removes and returns the waiting calls that a test picks: lane by lane, and then those that wait for an attempt. */
  withdraw(picks: (queued: QueuedCall) => boolean): QueuedCall[] {
    const taken: QueuedCall[] = [];
    for (const [hint, lane] of this.#lanes) {
      for (const queued of lane.withdraw(picks)) {
        taken.push(queued);
      }
      if (lane.size === 0) {
        this.#lanes.delete(hint);
      }
    }
    this.#inLanes -= taken.length;
    for (let at = 0; at < this.#delayed.length; ) {
      const { queued } = this.#delayed[at] ?? {};
      if (queued && picks(queued)) {
        taken.push(queued);
        this.#delayed.splice(at, 1);
      } else {
        at += 1;
      }
    }
    return taken;
  }

  /** Removes and returns any waiting call; `undefined` when none is left. */
  remove(): QueuedCall | undefined {
    return this.take(() => 'any') ?? this.#delayed.shift()?.queued;
  }

  /** Returns the lane of a call, and makes it if there is room for one more. */
  #laneOf(queued: QueuedCall): Lane {
    const known = this.#lanes.get(queued.hint);
    if (known) {
      return known;
    }
    if (this.#lanes.size >= MAX_LANES && queued.hint !== undefined) {
      queued.hint = undefined;
      return this.#laneOf(queued);
    }
    const lane = new Lane();
    this.#lanes.set(queued.hint, lane);
    return lane;
  }
}

/** The waiting calls for one cluster. Those that were sent before are kept apart from those that were not. */
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
   * Removes and returns the next call. Calls that were sent before have waited longest, so they usually go first. A
   * host that has not answered since its pause gets a new call first, because an old one may be a call that always
   * fails.
   */
  shift(opening: Opening): QueuedCall | undefined {
    const [first, last] = opening === 'any' ? [this.#tried, this.#untried] : [this.#untried, this.#tried];
    return first.shift() ?? last.shift();
  }

  withdraw(picks: (queued: QueuedCall) => boolean): QueuedCall[] {
    return [...this.#tried.withdraw(picks), ...this.#untried.withdraw(picks)];
  }
}

/**
 * A first-in, first-out list of calls. An array alone would move all of its items for each one taken from the start.
 */
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
    if (this.#start === 0) {
      this.#calls.unshift(queued);
    } else {
      this.#start -= 1;
      this.#calls[this.#start] = queued;
    }
  }

  shift(): QueuedCall | undefined {
    const queued = this.#calls[this.#start];
    if (!queued) {
      return undefined;
    }
    this.#calls[this.#start] = undefined;
    this.#start += 1;
    if (this.#start >= 1024 && 2 * this.#start >= this.#calls.length) {
      this.#calls = this.#calls.slice(this.#start);
      this.#start = 0;
    }
    return queued;
  }

  withdraw(picks: (queued: QueuedCall) => boolean): QueuedCall[] {
    const taken: QueuedCall[] = [];
    const kept: QueuedCall[] = [];
    for (const queued of this.#calls) {
      if (queued) {
        (picks(queued) ? taken : kept).push(queued);
      }
    }
    this.#calls = kept;
    this.#start = 0;
    return taken;
  }
}
