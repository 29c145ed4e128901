import { keepWatch, spread, withinMs } from './deadline.js';
import type { DeliveryResponse, Notification } from './delivery-api.js';
import { TargetError, type TargetErrorCode, toError, withoutVisitor } from './errors.js';
import type { Events } from './events.js';
import { FaultLog } from './log-limit.js';
import type { Logger } from './logger.js';
import type { Delivery } from './request.js';
import type { CloseResult, NotificationStats } from './stats.js';
import { isRetriedStatus, isUnreached, NO_RETRY, retryAfterMsOf } from './transport.js';

/** What a queue needs. */
export interface NotificationQueueOptions {
  readonly deliver: (delivery: Delivery) => Promise<{ readonly response: DeliveryResponse }>;
  /** Where calls go by a location hint. */
  readonly hostOf: (locationHint: string | undefined) => string;
  readonly events: Events;
  readonly logger: Logger;
}

interface Queued {
  readonly call: Delivery;
  attempts: number;
  /** The cluster of its visitor, as long as that can be reached. */
  hint: string | undefined;
}

const MAX_QUEUED = 10_000;
const MAX_IN_FLIGHT = 10;
const MAX_ATTEMPTS = 10;
const FIRST_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 30_000;
const MAX_ASKED_MS = 5 * 60 * 1000;
const PASSING_CODES = new Set<TargetErrorCode>([
  'ERR_TARGET_NETWORK',
  'ERR_TARGET_TIMEOUT',
  // Most likely of something in between; the ids tell the edge what it has processed already.
  'ERR_TARGET_INVALID_RESPONSE',
]);
/** For how long the visitors of a cluster that could not be reached are reported elsewhere. */
const LOST_MS = 5 * 60 * 1000;
const MAX_LOST = 100;
const TOO_LARGE = 413;
const NO_CONTENT = 204;

/**
 * Sends the notifications of on-device decisions after their answers. Bounded: what comes when it is full is
 * dropped. Begins with one call and goes on with more when that succeeds; after a passing fault it pauses, longer
 * each time, and begins anew. Accepted = delivered + failed + dropped + queued, always.
 */
export class NotificationQueue {
  readonly #options: NotificationQueueOptions;
  readonly #counts: { -readonly [Fate in keyof CloseResult]: number } = {
    delivered: 0,
    failed: 0,
    dropped: 0,
  };
  readonly #abort = new AbortController();
  #inFlight = 0;
  #accepted = 0;
  /** Notifications of the calls in flight. */
  #underWay = 0;
  readonly #queued: Queued[] = [];
  #waiting: (() => void)[] = [];
  #turn: NodeJS.Immediate | undefined;
  #pause: NodeJS.Timeout | undefined;
  #pauses = 0;
  #isTrusted = false;
  #lastFault: TargetError | undefined;
  readonly #losses: FaultLog;
  /** The hints of clusters that could not be reached, and until when their visitors' calls go the client's own way. */
  readonly #lostUntilMs = new Map<string, number>();

  constructor(options: NotificationQueueOptions) {
    this.#options = options;
    this.#losses = new FaultLog(options.logger.write, 'notifications are delivered');
    keepWatch(this.#abort.signal);
  }

  /** How many calls wait or are under way. */
  get size(): number {
    return this.#queued.length + this.#inFlight;
  }

  /** What became of the notifications that are not queued any more. */
  get counts(): CloseResult {
    return { ...this.#counts };
  }

  /** All notifications that were handed over, by fate. */
  get stats(): NotificationStats {
    let queued = this.#underWay;
    for (const { call } of this.#queued) queued += notificationsOf(call).length;
    return { accepted: this.#accepted, ...this.#counts, queued };
  }

  /** Takes a call along; it is sent when the current turn of the event loop is over. */
  add(call: Delivery): void {
    this.#accepted += notificationsOf(call).length;
    if (this.#abort.signal.aborted) this.#drop(call, 'ERR_TARGET_CLOSED', 'the client is closed');
    else if (this.size >= MAX_QUEUED)
      this.#drop(call, 'ERR_TARGET_ABORTED', `${MAX_QUEUED} calls are queued`);
    else {
      this.#queued.push({ call, attempts: 0, hint: call.locationHint });
      this.#turn ??= setImmediate(() => {
        this.#turn = undefined;
        if (!this.#pause) this.#pump();
      });
    }
  }

  /** Resolves when nothing is queued any more. Begins at once, whatever pause there is. */
  async flush(): Promise<void> {
    if (this.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      this.#pump();
    });
  }

  /** Sends what it can within a limit and drops the rest. */
  async close(limitMs: number): Promise<CloseResult> {
    await withinMs(limitMs, () => this.flush());
    clearTimeout(this.#pause);
    this.#abort.abort();
    // One by one, so that a listener finds each of them either here or dropped.
    for (let next = this.#queued.shift(); next; next = this.#queued.shift())
      this.#drop(next.call, 'ERR_TARGET_CLOSED', 'the client closed before it was sent');
    // For what is under way to be cut off, and with whoever still waits for what was dropped.
    const ended = this.flush();
    this.#goOn();
    await ended;
    return this.counts;
  }

  #pump(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
    const limit = this.#isTrusted ? MAX_IN_FLIGHT : 1;
    while (this.#inFlight < limit) {
      const queued = this.#queued.shift();
      if (!queued) break;
      this.#inFlight += 1;
      void this.#send(queued);
    }
  }

  #goOn(): void {
    if (this.size === 0) {
      for (const resolve of this.#waiting.splice(0)) resolve();
    } else if (!this.#pause && !this.#abort.signal.aborted) this.#pump();
  }

  async #send(queued: Queued): Promise<void> {
    const { call } = queued;
    const count = notificationsOf(call).length;
    queued.attempts += 1;
    if (queued.hint !== undefined && this.#isLost(queued.hint)) queued.hint = undefined;
    this.#underWay += count;
    try {
      const { response } = await this.#options.deliver(this.#toSent(queued));
      this.#underWay -= count;
      this.#pauses = 0;
      this.#isTrusted = true;
      this.#lastFault = undefined;
      this.#confirm(call, response);
    } catch (thrown) {
      this.#underWay -= count;
      this.#judge(queued, toError(thrown) as TargetError);
    }
    this.#inFlight -= 1;
    this.#goOn();
  }

  /** By name, because every decision that is displayed comes here (`on-device/execute-url`). */
  #toSent({ call, hint }: Queued): Delivery {
    const { request, json, encodedSessionId, decisioningMethod, timeoutMs } = call;
    const { signal } = this.#abort;
    return {
      request,
      json,
      encodedSessionId,
      locationHint: hint,
      decisioningMethod,
      timeoutMs,
      signal,
      retry: NO_RETRY,
    };
  }

  /** What becomes of a call that failed. */
  #judge(queued: Queued, error: TargetError): void {
    const { call } = queued;
    if (this.#abort.signal.aborted)
      this.#drop(call, 'ERR_TARGET_CLOSED', 'the client closed before it was delivered');
    else if (error.status === TOO_LARGE && notificationsOf(call).length > 1)
      this.#queued.unshift(...halve(call));
    else if (this.#losesCluster(queued, error)) this.#queued.push(queued);
    else if (isPassing(error)) this.#retry(queued, error);
    else this.#fail(call, error);
  }

  /**
   * Whether a call failed on its visitor's cluster alone, which a cookie may have made up. That keeps nobody else's calls
   * waiting, and from now on it goes the client's own way.
   */
  #losesCluster(queued: Queued, error: TargetError): boolean {
    const { hint } = queued;
    const { hostOf } = this.#options;
    if (hint === undefined || hostOf(hint) === hostOf(undefined) || !isUnreached(error)) return false;
    queued.hint = undefined;
    const lost = this.#lostUntilMs;
    lost.set(hint, performance.now() + LOST_MS);
    for (const [oldest] of lost) if (lost.size > MAX_LOST) lost.delete(oldest);
    return true;
  }

  #isLost(locationHint: string): boolean {
    return performance.now() < (this.#lostUntilMs.get(locationHint) ?? 0);
  }

  #fail(call: Delivery, error: TargetError): void {
    this.#losses.failed(`a notification could not be delivered: ${error.message}`);
    this.#end(notificationsOf(call), 'failed', () => error);
  }

  #retry(queued: Queued, error: TargetError): void {
    this.#lastFault = error;
    // Behind the others: a call that the edge stumbles over must not hold them up.
    if (queued.attempts < MAX_ATTEMPTS) this.#queued.push(queued);
    else this.#fail(queued.call, error);
    this.#rest(error);
  }

  #rest(error: TargetError): void {
    this.#isTrusted = false;
    // Calls that were under way together fail together, which is one reason to pause.
    if (this.#pause) return;
    this.#pauses += 1;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (this.#pauses - 1), MAX_PAUSE_MS);
    const askedMs = Math.min(retryAfterMsOf(error) ?? 0, MAX_ASKED_MS);
    const waitMs = Math.max(spread(pauseMs, 0.75, 1), spread(askedMs, 1, 1.1));
    this.#pause = setTimeout(() => this.#pump(), waitMs);
    if (this.#waiting.length === 0) this.#pause.unref();
  }

  /** A notification whose id the edge does not repeat was not processed; only an answer without a body says nothing. */
  #confirm(call: Delivery, { status, notifications }: DeliveryResponse): void {
    const sent = notificationsOf(call);
    const refused = status === NO_CONTENT ? [] : unconfirmed(sent, notifications ?? []);
    this.#counts.delivered += sent.length - refused.length;
    if (refused.length === 0) {
      if (this.#queued.length === 0) this.#losses.worked();
      return;
    }
    const message = 'the edge did not process a notification';
    this.#losses.failed(message);
    this.#end(refused, 'failed', () => new TargetError('ERR_TARGET_INVALID_RESPONSE', message));
  }

  #drop(call: Delivery, code: TargetErrorCode, why: string): void {
    const message = `a notification was dropped: ${why}`;
    this.#losses.failed(message);
    this.#end(notificationsOf(call), 'dropped', () => {
      // The last fault was most likely of another visitor's call.
      const cause = this.#lastFault && withoutVisitor(this.#lastFault);
      return new TargetError(code, message, { cause });
    });
  }

  /** The error is made for a listener alone: a queue that is full ends thousands of notifications a second. */
  #end(notifications: readonly Notification[], fate: 'failed' | 'dropped', toFault: () => TargetError): void {
    this.#counts[fate] += notifications.length;
    const { events } = this.#options;
    if (notifications.length === 0 || !events.isListenedTo('sendNotificationError')) return;
    const error = toFault();
    for (const notification of notifications) {
      events.emit({ type: 'sendNotificationError', notification, error });
    }
  }
}

/** Those of the notifications whose ids the edge did not repeat. */
function unconfirmed(
  sent: readonly Notification[],
  confirmed: readonly { readonly id?: string | undefined }[],
): readonly Notification[] {
  if (confirmed.length === 0) return sent;
  const [first] = sent;
  if (first && sent.length === 1) return confirmed.some(({ id }) => id === first.id) ? [] : sent;
  const ids = new Set(confirmed.map(({ id }) => id));
  return sent.filter(({ id }) => !ids.has(id));
}

function notificationsOf({ request }: Delivery): readonly Notification[] {
  return request.notifications ?? [];
}

/** From what was written where it was: what was answered with it is the caller's, who may have changed it. */
function halve(call: Delivery): Queued[] {
  const request: Delivery['request'] = call.json === undefined ? call.request : JSON.parse(call.json);
  const { notifications = [] } = request;
  const middle = Math.ceil(notifications.length / 2);
  return [notifications.slice(0, middle), notifications.slice(middle)].map((half) => ({
    call: { ...call, request: { ...request, notifications: half }, json: undefined },
    attempts: 0,
    hint: call.locationHint,
  }));
}

function isPassing({ code, status }: TargetError): boolean {
  return code === 'ERR_TARGET_RESPONSE' ? isRetriedStatus(status) : PASSING_CODES.has(code);
}
