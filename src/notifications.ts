import type { DeliveryResponse, Notification } from './delivery-api.js';
import { TargetError, toError } from './errors.js';
import type { Events } from './events.js';
import type { Delivery } from './request.js';

/** What became of the notifications that were queued. */
export interface NotificationCounts {
  /** Confirmed by the edge. */
  delivered: number;
  /** Refused by the edge, or tried too often. */
  failed: number;
  /** Never tried to the end: the queue was full or the client closed. */
  dropped: number;
}

/** What a queue needs. */
export interface NotificationQueueOptions {
  readonly deliver: (delivery: Delivery) => Promise<{ readonly response: DeliveryResponse }>;
  readonly events: Events;
}

interface Queued {
  readonly call: Delivery;
  attempts: number;
}

const MAX_QUEUED = 10_000;
const MAX_IN_FLIGHT = 10;
const MAX_ATTEMPTS = 10;
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 30_000;
const PASSING_STATUSES = new Set([408, 429, 500, 502, 503, 504]);
const TOO_LARGE = 413;

/**
 * Sends the notifications of on-device decisions behind their answers. Bounded: what comes when it is full is
 * dropped. After a passing fault it pauses, longer each time, and goes on with one call until one succeeds.
 * Accepted = delivered + failed + dropped + queued, always.
 */
export class NotificationQueue {
  readonly #options: NotificationQueueOptions;
  readonly #counts: NotificationCounts = { delivered: 0, failed: 0, dropped: 0 };
  readonly #abort = new AbortController();
  readonly #inFlight = new Set<Promise<void>>();
  readonly #queued: Queued[] = [];
  #waiting: (() => void)[] = [];
  #turn: NodeJS.Immediate | undefined;
  #pause: NodeJS.Timeout | undefined;
  #pauses = 0;

  constructor(options: NotificationQueueOptions) {
    this.#options = options;
  }

  /** How many calls wait or are under way. */
  get size(): number {
    return this.#queued.length + this.#inFlight.size;
  }

  /** What became of the notifications that are not queued any more. */
  get counts(): NotificationCounts {
    return { ...this.#counts };
  }

  /** Takes a call along; it is sent when the current turn of the event loop is over. */
  add(call: Delivery): void {
    if (this.#abort.signal.aborted) this.#drop(call, 'the client is closed');
    else if (this.size >= MAX_QUEUED) this.#drop(call, `${MAX_QUEUED} calls are queued`);
    else {
      this.#queued.push({ call, attempts: 0 });
      if (!this.#pause) this.#turn ??= setImmediate(() => this.#pump());
    }
  }

  /** Resolves when nothing is queued any more. Begins at once, whatever pause there is. */
  async flush(): Promise<void> {
    if (this.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      clearTimeout(this.#pause);
      this.#pump();
    });
  }

  /** Sends what it can within a limit and drops the rest. */
  async close(limitMs: number): Promise<NotificationCounts> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limitMs);
    });
    await Promise.race([this.flush(), limit]);
    clearTimeout(timer);
    clearTimeout(this.#pause);
    this.#abort.abort();
    for (const { call } of this.#queued.splice(0)) this.#drop(call, 'the client closed before it was sent');
    await Promise.all(this.#inFlight);
    return this.counts;
  }

  #pump(): void {
    this.#turn = undefined;
    this.#pause = undefined;
    const limit = this.#pauses > 0 ? 1 : MAX_IN_FLIGHT;
    while (this.#inFlight.size < limit) {
      const queued = this.#queued.shift();
      if (!queued) break;
      const sending: Promise<void> = this.#send(queued).finally(() => {
        this.#inFlight.delete(sending);
        this.#goOn();
      });
      this.#inFlight.add(sending);
    }
  }

  #goOn(): void {
    if (this.size === 0) {
      for (const resolve of this.#waiting.splice(0)) resolve();
    } else if (!this.#pause && !this.#abort.signal.aborted) this.#pump();
  }

  async #send(queued: Queued): Promise<void> {
    const { call } = queued;
    queued.attempts += 1;
    try {
      const { response } = await this.#options.deliver({ ...call, signal: this.#abort.signal });
      this.#pauses = 0;
      this.#confirm(call, response);
    } catch (thrown) {
      const error = toError(thrown) as TargetError;
      if (this.#abort.signal.aborted) this.#drop(call, 'the client closed before it was delivered');
      else if (error.status === TOO_LARGE && notificationsOf(call).length > 1)
        this.#queued.unshift(...halve(call));
      else if (isPassing(error) && queued.attempts < MAX_ATTEMPTS) this.#retry(queued);
      else this.#end(notificationsOf(call), 'failed', error);
    }
  }

  #retry(queued: Queued): void {
    this.#queued.unshift(queued);
    this.#pauses += 1;
    if (this.#pause) return;
    const longestMs = Math.min(FIRST_PAUSE_MS * 2 ** (this.#pauses - 1), MAX_PAUSE_MS);
    this.#pause = setTimeout(() => this.#pump(), longestMs * (0.5 + Math.random() / 2));
    if (this.#waiting.length === 0) this.#pause.unref();
  }

  /** A notification whose id the edge does not repeat was not processed. */
  #confirm(call: Delivery, { notifications: confirmed }: DeliveryResponse): void {
    const ids = new Set(confirmed?.map(({ id }) => id));
    const sent = notificationsOf(call);
    const refused = confirmed ? sent.filter(({ id }) => !ids.has(id)) : [];
    this.#counts.delivered += sent.length - refused.length;
    this.#end(
      refused,
      'failed',
      new TargetError('ERR_TARGET_INVALID_RESPONSE', 'the edge did not process a notification'),
    );
  }

  #drop(call: Delivery, why: string): void {
    this.#end(
      notificationsOf(call),
      'dropped',
      new TargetError('ERR_TARGET_CLOSED', `a notification was dropped: ${why}`),
    );
  }

  #end(notifications: readonly Notification[], fate: 'failed' | 'dropped', error: Error): void {
    this.#counts[fate] += notifications.length;
    for (const notification of notifications) {
      this.#options.events.emit({ type: 'sendNotificationError', notification, error });
    }
  }
}

function notificationsOf({ request }: Delivery): readonly Notification[] {
  return request.notifications ?? [];
}

function halve(call: Delivery): Queued[] {
  const notifications = notificationsOf(call);
  const middle = Math.ceil(notifications.length / 2);
  return [notifications.slice(0, middle), notifications.slice(middle)].map((half) => ({
    call: { ...call, request: { ...call.request, notifications: half } },
    attempts: 0,
  }));
}

function isPassing({ code, status }: TargetError): boolean {
  if (status !== undefined) return PASSING_STATUSES.has(status);
  return code === 'ERR_TARGET_NETWORK' || code === 'ERR_TARGET_TIMEOUT';
}
