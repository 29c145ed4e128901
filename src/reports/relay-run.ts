import type { DeliveryResponse } from '../delivery-api.js';
import { closedError, TargetError, toTargetError } from '../errors.js';
import type { Events } from '../events.js';
import { within } from '../http/deadline.js';
import { verdictOn } from '../http/retry.js';
import { keepWatch } from '../http/watched-signal.js';
import type { Delivery } from '../request/call.js';
import { type NotificationFates, notificationsOf } from './notification-fates.js';
import { askedMsOf } from './queue-retries.js';
import { partsAfter } from './queue-splits.js';
import { visitorOf, writeDelivery } from './queued-delivery.js';
import { type ReadDelivery, type ReadingOptions, readDelivery } from './read-delivery.js';
import type { RelayLimits } from './relay-options.js';

/** The result of `client.deliverQueued`. The counts are of notifications. */
export interface DeliverQueuedResult {
  /** Notifications that the edge confirmed. */
  readonly delivered: number;
  /** Notifications that the edge refused for good, that were too old, or whose data could not be read. */
  readonly failed: number;
  /**
   * The data to be tried again later: the edge failed for the moment, the time was over, or a newer version of the
   * package has written it. It may hold other texts than those that were given, so keep these.
   */
  readonly again: readonly string[];
  /** The time in ms to wait before the next try, when the edge has asked for one. */
  readonly retryAfterMs?: number;
  /** The last reason for which data comes back, or for which a notification failed. */
  readonly error?: TargetError;
}

/** The parts of a client that sends what other processes have queued. */
export interface RelayOptions extends ReadingOptions {
  readonly events: Events;
  /** Sends one delivery call. */
  readonly deliver: (delivery: Delivery) => Promise<{ readonly response: DeliveryResponse }>;
  /** Returns the host that calls with a location hint, or without one, go to at this moment. */
  readonly hostOf: (locationHint: string | undefined) => string;
}

/** The parts of a relay that one run needs. */
interface RunParts extends RelayOptions {
  readonly fates: NotificationFates;
  readonly isClosed: () => boolean;
  /** Counts notifications as failed that could not be read. */
  readonly unread: (count: number, why: string) => void;
}

/** A delivery to send, and its text. A part of a larger delivery has no text yet. */
interface Item extends ReadDelivery {
  readonly text: string | undefined;
}

/** A host gets no more deliveries of a run after this many faults in a row. */
const MAX_FAULTS_IN_ROW = 8;
/** Options for judging an error: a delivery that comes back has a full timeout of its own the next time. */
const LATER_REPORT = { isLater: true, isReport: true };

/** One call of `deliverQueued`. */
export class RelayRun {
  readonly #parts: RunParts;
  readonly #limits: RelayLimits;
  readonly #abort = new AbortController();
  /** The deliveries by visitor. Those of one visitor are sent one after the other. */
  readonly #visitors = new Map<string, Item[]>();
  readonly #faultsByHost = new Map<string, number>();
  readonly #again: string[] = [];
  #delivered = 0;
  #failed = 0;
  #retryAfterMs: number | undefined;
  #error: TargetError | undefined;

  constructor(parts: RunParts, limits: RelayLimits) {
    this.#parts = parts;
    this.#limits = limits;
    keepWatch(this.#abort.signal);
  }

  /** Adds data. */
  add(data: unknown): void {
    const read = readDelivery(data, this.#parts);
    if (read === 'of another version') {
      this.#again.push(String(data));
      this.#error = invalid('another version of the package has queued it');
      return;
    }
    if ('why' in read) {
      this.#leaveOut(1, read.why);
      return;
    }
    if (read.leftOut > 0) {
      this.#leaveOut(read.leftOut, 'Target cannot process the notification');
    }
    // A text that was given back would be read again, with the notifications that are left out.
    const item = { ...read, text: read.leftOut > 0 ? undefined : String(data) };
    const visitor = visitorOf(read.call);
    const items = this.#visitors.get(visitor);
    if (items) {
      items.push(item);
    } else {
      this.#visitors.set(visitor, [item]);
    }
  }

  #leaveOut(notifications: number, why: string): void {
    this.#failed += notifications;
    this.#error = invalid(why);
    this.#parts.unread(notifications, why);
  }

  /**
   * Sends what was added, and resolves when nothing of it is under way. Reading has taken some ms, and texts that were not
   * read come back.
   */
  async send(unread: readonly unknown[], readMs: number): Promise<DeliverQueuedResult> {
    for (const text of unread) {
      if (typeof text === 'string') {
        this.#again.push(text);
      } else {
        this.#leaveOut(1, 'it is no text');
      }
    }
    const limits = { ...this.#limits, timeoutMs: Math.max(1, this.#limits.timeoutMs - readMs) };
    let sending: Promise<unknown> | undefined;
    const start = () => {
      const visitors = this.#visitors.values();
      const workers = Math.min(this.#limits.concurrency, this.#visitors.size);
      sending = Promise.all(Array.from({ length: workers }, () => this.#work(visitors)));
      return sending;
    };
    try {
      await within(limits, start, () => new TargetError('ERR_TARGET_ABORTED', 'the time was over'));
    } catch (thrown) {
      this.#error = toTargetError(thrown);
      this.#abort.abort();
      await sending;
      for (const items of sending ? [] : this.#visitors.values()) {
        this.#giveBack(items);
      }
    }
    return {
      delivered: this.#delivered,
      failed: this.#failed,
      again: this.#again,
      ...(this.#retryAfterMs !== undefined && { retryAfterMs: this.#retryAfterMs }),
      ...(this.#error && { error: this.#error }),
    };
  }

  async #work(visitors: Iterable<Item[]>): Promise<void> {
    // All workers take from one iterator, so each visitor has one worker.
    for (const items of visitors) {
      this.#giveBack(await this.#sendInOrder(items));
    }
  }

  /**
   * Sends the deliveries of one visitor, and resolves with those that have to be tried again later. Behind one that has to
   * wait the others wait too.
   */
  async #sendInOrder(items: readonly Item[]): Promise<readonly Item[]> {
    for (const [at, item] of items.entries()) {
      const left = await this.#sendOne(item);
      if (left.length > 0) {
        return [...left, ...items.slice(at + 1)];
      }
    }
    return [];
  }

  /** Sends one delivery. Resolves with what of it has to be tried again later. */
  async #sendOne(item: Item): Promise<readonly Item[]> {
    const { fates, deliver, hostOf, isClosed, now } = this.#parts;
    const { call, madeMs } = item;
    if (this.#abort.signal.aborted) {
      return [item];
    }
    if (isClosed()) {
      this.#error = closedError();
      return [item];
    }
    if (now() - madeMs > this.#limits.maxAgeMs) {
      this.#fail(call, invalid(`it is older than ${this.#limits.maxAgeMs} ms`));
      return [];
    }
    const host = hostOf(call.locationHint);
    if ((this.#faultsByHost.get(host) ?? 0) >= MAX_FAULTS_IN_ROW) {
      return [item];
    }
    try {
      const { response } = await deliver({ ...call, signal: this.#abort.signal });
      this.#faultsByHost.delete(host);
      const delivered = fates.confirm(call, response, true);
      this.#delivered += delivered;
      this.#failed += notificationsOf(call).length - delivered;
      return [];
    } catch (thrown) {
      return this.#judge(item, toTargetError(thrown), host);
    }
  }

  /** Decides whether a failed delivery is split, given up, or tried again later. */
  async #judge(item: Item, error: TargetError, host: string): Promise<readonly Item[]> {
    const { isRetryable, saysOfHost } = verdictOn(error, LATER_REPORT);
    this.#error = error;
    if (this.#abort.signal.aborted) {
      return [item];
    }
    if (isRetryable) {
      if (saysOfHost !== 'answered') {
        this.#faultsByHost.set(host, (this.#faultsByHost.get(host) ?? 0) + 1);
      }
      const askedMs = askedMsOf(error) ?? 0;
      if (askedMs > (this.#retryAfterMs ?? 0)) {
        this.#retryAfterMs = Math.ceil(askedMs);
      }
      return [item];
    }
    this.#faultsByHost.delete(host);
    const parts = partsAfter(error, item);
    if (parts.length === 0) {
      this.#fail(item.call, error);
      return [];
    }
    return this.#sendInOrder(parts.map((call) => ({ ...item, call, text: undefined })));
  }

  #fail(call: Delivery, error: TargetError): void {
    this.#error = error;
    this.#failed += notificationsOf(call).length;
    this.#parts.fates.fail(call, error);
  }

  #giveBack(items: readonly Item[]): void {
    for (const { call, madeMs, isOfBrowser, text } of items) {
      const stamp = { id: this.#parts.newId(), madeMs, isOfBrowser };
      this.#again.push(text ?? writeDelivery(call, stamp).delivery.data);
    }
  }
}

function invalid(why: string): TargetError {
  return new TargetError('ERR_TARGET_INVALID_REQUEST', `a queued delivery was not sent: ${why}`);
}
