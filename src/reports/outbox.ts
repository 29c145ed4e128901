import { type Timer, unref } from '#platform';
import type { NotificationOutbox, QueuedDelivery } from '../config/notification-outbox.js';
import { nameOf } from '../errors.js';
import { within } from '../http/deadline.js';
import { type Backoff, grown, spread } from '../http/retry.js';
import { FaultLog } from '../log-limit.js';
import type { Logger } from '../logger.js';
import { newAbort } from './queue-calls.js';
import type { QueuedCall } from './queue-lanes.js';
import { MAX_DATA_BYTES, writeDelivery } from './queued-delivery.js';

/** The limits of a batch. It is pushed when it is full, or this many ms after its first call. */
const MAX_CALLS = 100;
const MAX_BYTES = 256 * 1024;
const LINGER_MS = 500;
/** The number of pushes that run at once. */
const MAX_PUSHES = 4;
/** A push that has not ended after this time in ms counts as failed. */
const PUSH_MS = 2000;
/** The share of the time of a closing client that a push gets, and its least in ms. Direct calls have the rest. */
const CLOSING_SHARE = 0.25;
const MIN_CLOSING_MS = 250;
/**
 * The number of pushes that have not settled, those that were given up among them. A library keeps each until its server
 * is back, and carries all of them out then.
 */
const MAX_UNSETTLED = 8;
/** A push that has not settled after this time in ms is believed to be lost, and no longer counted. */
const LOST_MS = 10 * 60_000;
/** The waits between the pushes of a batch that failed. */
const WAITS: Backoff = { minTimeoutMs: 500, maxTimeoutMs: 5000, factor: 2 };
/** The outbox counts as down when pushes have failed for this long. The queue then sends its calls itself. */
const DOWN_AFTER_MS = 5000;

/** The queue, as its outbox sees it. */
export interface OutboxOwner {
  /** Learns that a call is held durably outside this process. */
  handedOver(queued: QueuedCall): void;
  /** Gets calls back, because the outbox is down. */
  returned(calls: readonly QueuedCall[]): void;
  /** Gives those of the returned calls that still wait to be sent. */
  recall(calls: ReadonlySet<QueuedCall>): QueuedCall[];
  /** Learns that more can be done now. */
  changed(): void;
}

/** The parts of a client that its outbox needs. */
export interface OutboxOptions {
  readonly outbox: NotificationOutbox;
  readonly logger: Logger;
  readonly newId: () => string;
}

/** Calls that are pushed together, each time that they are pushed. So an engine can tell that it has them already. */
interface Batch {
  calls: QueuedCall[];
  bytes: number;
  /** True when the queue has its calls back. */
  isReturned: boolean;
}

/**
 * Pushes calls in batches to the caller's outbox. A call is in the queue's lanes, under way, or here, and never in two of
 * these places. So it has one fate.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #owner: OutboxOwner;
  readonly #faults: FaultLog;
  /** The batches to push, the oldest first. */
  #batches: Batch[] = [];
  #open: Batch | undefined;
  /** The time at which the open batch is pushed. Times are on the clock of `performance.now()`. */
  #openUntilMs = 0;
  #size = 0;
  readonly #pushing = new Set<Batch>();
  /** The starts of all pushes that have not settled. */
  readonly #unsettled = new Set<{ readonly ms: number }>();
  #pushMs = PUSH_MS;
  /** Gives up the pushes that are under way when the client closes. */
  #cut = newAbort();
  #failures = 0;
  #failingSinceMs = Number.POSITIVE_INFINITY;
  #failedMs = 0;
  #nextMs = 0;
  #isClosing = false;
  #isStopped = false;
  #timer: Timer | undefined;

  constructor(options: OutboxOptions, owner: OutboxOwner) {
    this.#options = options;
    this.#owner = owner;
    this.#faults = new FaultLog(options.logger.write, 'the outbox takes notifications');
  }

  /** The number of calls that are here. */
  get size(): number {
    return this.#size;
  }

  /** Returns the number of calls that may come now. While the outbox is down, one batch at a time shows its return. */
  roomAt(nowMs: number): number {
    if (!this.isDown(nowMs)) {
      // Batches that were pushed before come first. Their calls must not get into other batches.
      return this.#batches.some(({ isReturned }) => isReturned) ? 0 : Number.POSITIVE_INFINITY;
    }
    const isFree = this.#pushing.size === 0 && this.#batches.length === 0 && !this.#isStopped;
    return isFree && nowMs >= this.#nextMs ? MAX_CALLS : 0;
  }

  /** Takes a call. Returns false for a call that is too large. */
  take(queued: QueuedCall, nowMs: number): boolean {
    const bytes = this.#write(queued);
    if (bytes === undefined) {
      return false;
    }
    if (this.#open && this.#open.bytes + bytes > MAX_BYTES) {
      this.seal();
    }
    if (!this.#open) {
      this.#open = { calls: [], bytes: 0, isReturned: false };
      this.#openUntilMs = nowMs + LINGER_MS;
    }
    this.#open.calls.push(queued);
    this.#open.bytes += bytes;
    this.#size += 1;
    if (this.#open.calls.length >= MAX_CALLS) {
      this.seal();
    }
    return true;
  }

  /** Ends the open batch. It is pushed next. */
  seal(): void {
    if (this.#open) {
      this.#batches.push(this.#open);
      this.#open = undefined;
    }
  }

  /** True while pushes have failed for so long that calls go directly. */
  isDown(nowMs: number): boolean {
    const isFailing = this.#isClosing || nowMs - this.#failingSinceMs >= DOWN_AFTER_MS;
    return this.#isStopped || (this.#failures > 0 && isFailing);
  }

  /**
   * Makes the next push come without a wait, because the client closes within a time in ms. From now on the queue gets
   * calls back after one failed push.
   */
  hurry(limitMs: number): void {
    this.#isClosing = true;
    this.#nextMs = 0;
    this.#pushMs = Math.min(PUSH_MS, Math.max(limitMs * CLOSING_SHARE, MIN_CLOSING_MS));
    const underWay = this.#cut;
    this.#cut = newAbort();
    unref(setTimeout(() => underWay.abort(), this.#pushMs));
  }

  /** Pushes nothing more. The queue gets back what nobody has confirmed. */
  stop(): void {
    this.#isStopped = true;
    this.#cut.abort();
  }

  /** Pushes what may go now, and sets the timer for the rest. */
  pump(nowMs: number): void {
    if (this.isDown(nowMs) || nowMs >= this.#openUntilMs) {
      this.seal();
    }
    if (this.isDown(nowMs)) {
      this.#returnAll();
    }
    while (this.#mayPush(nowMs)) {
      const batch = this.#nextBatch();
      if (!batch) {
        break;
      }
      void this.#push(batch, nowMs);
    }
    this.#wake(nowMs);
  }

  /** Removes and returns all calls, because the client is closed. */
  clear(): QueuedCall[] {
    clearTimeout(this.#timer);
    this.seal();
    const held = [...this.#pushing, ...this.#batches]
      .filter(({ isReturned }) => !isReturned)
      .flatMap(({ calls }) => calls);
    this.#batches = [];
    this.#size = 0;
    return held;
  }

  /** Writes a call once. Returns its bytes, or `undefined` when it is too large. */
  #write(queued: QueuedCall): number | undefined {
    if (queued.written === undefined) {
      const { call, madeMs, isOfBrowser } = queued;
      const written = writeDelivery(call, { id: this.#options.newId(), madeMs, isOfBrowser });
      queued.written = written.bytes <= MAX_DATA_BYTES && written;
    }
    return queued.written ? queued.written.bytes : undefined;
  }

  /** Removes and returns the next batch with calls that still need a push. */
  #nextBatch(): Batch | undefined {
    for (let batch = this.#batches.shift(); batch; batch = this.#batches.shift()) {
      if (!batch.isReturned) {
        return batch;
      }
      const recalled = new Set(this.#owner.recall(new Set(batch.calls)));
      // The order is that of the first push. An engine may know a batch by its ids in their order.
      const calls = batch.calls.filter((call) => recalled.has(call));
      if (calls.length > 0) {
        this.#size += calls.length;
        return { calls, bytes: batch.bytes, isReturned: false };
      }
    }
    return undefined;
  }

  #mayPush(nowMs: number): boolean {
    for (const started of this.#unsettled) {
      if (nowMs - started.ms >= LOST_MS) {
        this.#unsettled.delete(started);
      }
    }
    const isFree = this.#pushing.size < (this.#failures > 0 ? 1 : MAX_PUSHES);
    return isFree && nowMs >= this.#nextMs && this.#unsettled.size < MAX_UNSETTLED && !this.#isStopped;
  }

  async #push(batch: Batch, nowMs: number): Promise<void> {
    this.#pushing.add(batch);
    const deliveries = batch.calls.flatMap(({ written }) => (written ? [written.delivery] : []));
    try {
      await within(
        { timeoutMs: this.#pushMs, signal: this.#cut.signal },
        ({ signal }) => this.#start(deliveries, signal),
        () => new Error('no answer'),
      );
      this.#pushing.delete(batch);
      this.#succeeded(batch);
    } catch (thrown) {
      this.#pushing.delete(batch);
      this.#failed(batch, thrown, nowMs);
    }
    this.#owner.changed();
  }

  /** Starts a push. An error that is thrown at once is a rejection too. */
  async #start(deliveries: readonly QueuedDelivery[], signal: AbortSignal): Promise<void> {
    const started = { ms: performance.now() };
    this.#unsettled.add(started);
    try {
      await this.#options.outbox.push(deliveries, { signal });
    } finally {
      this.#unsettled.delete(started);
    }
  }

  #succeeded({ calls }: Batch): void {
    this.#failures = 0;
    this.#failingSinceMs = Number.POSITIVE_INFINITY;
    this.#nextMs = 0;
    this.#faults.worked();
    for (const queued of calls) {
      if (!queued.isOver) {
        this.#size -= 1;
        this.#owner.handedOver(queued);
      }
    }
  }

  #failed(batch: Batch, thrown: unknown, startedMs: number): void {
    const nowMs = performance.now();
    this.#failingSinceMs = Math.min(this.#failingSinceMs, startedMs);
    // Pushes that ran together also fail together. That is one failure, not several.
    if (this.#failures === 0 || startedMs >= this.#failedMs) {
      this.#failures += 1;
      this.#failedMs = nowMs;
      this.#nextMs = nowMs + spread(grown(WAITS, this.#failures), 0.5, 1);
    }
    this.#faults.failed(`the outbox did not take notifications: ${reasonOf(thrown)}`);
    this.#batches.unshift(batch);
    for (const one of this.#batches) {
      one.calls = one.calls.filter(({ isOver }) => !isOver);
    }
    this.#batches = this.#batches.filter(({ calls }) => calls.length > 0);
  }

  /** Gives the queue all calls back, and remembers the batches that they were in. */
  #returnAll(): void {
    for (const batch of this.#batches) {
      if (!batch.isReturned) {
        batch.isReturned = true;
        this.#size -= batch.calls.length;
        this.#owner.returned(batch.calls);
      }
    }
  }

  #wake(nowMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const times = [
      ...(this.#open ? [this.#openUntilMs] : []),
      ...(this.#failures > 0 ? [this.#nextMs] : []),
      ...(this.isDown(nowMs) ? [] : [this.#failingSinceMs + DOWN_AFTER_MS]),
    ];
    const atMs = Math.min(...times.filter((time) => time > nowMs));
    if (atMs < Number.POSITIVE_INFINITY) {
      const timer = setTimeout(() => this.#owner.changed(), Math.ceil(atMs - nowMs));
      // A batch that is being filled keeps the process alive, as a call that is being sent does.
      const isFilling = this.#open !== undefined && this.#failures === 0;
      this.#timer = isFilling ? timer : unref(timer);
    }
  }
}

/** Names the reason of a failed push. The message of a library may hold a password or the data of visitors. */
function reasonOf(thrown: unknown): string {
  const name = nameOf(thrown);
  return name === 'Error' ? 'it failed or gave no answer within 2 seconds' : name;
}
