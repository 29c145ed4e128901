import { later, type Timer, unref, utf8Length } from '#platform';
import type { NotificationPolicy } from '../config-policies.js';
import type { DeliveryResponse } from '../delivery-api.js';
import { type TargetError, toTargetError } from '../errors.js';
import type { Events } from '../events.js';
import { type Limits, within } from '../http/deadline.js';
import { type Backoff, grown, NO_RETRY, obeyedMs, spread, verdictOn } from '../http/retry.js';
import { keepWatch } from '../http/watched-signal.js';
import type { Logger } from '../logger.js';
import type { Delivery } from '../request/call.js';
import type { CloseResult, NotificationStats } from '../stats.js';
import { NotificationFates, notificationsOf } from './notification-fates.js';
import { FlushPeriods, type Waiter } from './queue-flushes.js';
import { type QueuedCall, WaitingCalls } from './queue-lanes.js';
import { LostClusters } from './queue-lost-clusters.js';
import type { HostWindow } from './queue-window.js';
import { HostWindows } from './queue-windows.js';
import { jsonOf } from './written-report.js';

/** What a queue needs. */
export interface NotificationQueueOptions {
  readonly policy: NotificationPolicy;
  readonly deliver: (delivery: Delivery) => Promise<{ readonly response: DeliveryResponse }>;
  /** Tells the host that calls with a location hint, or without one, go to now. */
  readonly hostOf: (locationHint: string | undefined) => string;
  readonly events: Events;
  readonly logger: Logger;
}

/** Faults of a call that has failed so often are its own, and say nothing of its host any more. */
const MAX_BLAMED_ATTEMPTS = 3;
/** A call is given up when it has failed so often, and has been tried for so long. */
const MAX_ATTEMPTS = 10;
const MIN_TRIED_MS = 2 * 60 * 1000;
/** The waits of a call that failed on a host which answers others. */
const WAITS: Backoff = { minTimeoutMs: 100, maxTimeoutMs: 2000, factor: 2 };
/** The same for a call that has failed often. */
const LONG_WAIT_MS = 10_000;
/** The longest `Retry-After` that is obeyed. */
const MAX_ASKED_MS = 5 * 60 * 1000;
/** Each attempt of a call is a delivery of its own. */
const LATER_REPORT = { isLater: true, isReport: true };
const TOO_LARGE = 413;
/** Characters are counted instead of bytes while the queue holds no more than this share of its bound. */
const ESTIMATED_SHARE = 1 / 32;
/** UTF-8 has no more bytes for a character of a JavaScript text. */
const MAX_BYTES_A_CHARACTER = 3;

/**
 * Sends the notifications of on-device decisions after their answers. Bounded in calls and in bytes: those that come
 * when the queue is full are dropped. Each host has a window of calls under way, so that faults of one host, or of one
 * call, keep no other waiting. Accepted = delivered + failed + dropped + queued, always.
 */
export class NotificationQueue {
  readonly #options: NotificationQueueOptions;
  readonly #abort = new AbortController();
  readonly #waiting = new WaitingCalls();
  readonly #windows: HostWindows;
  readonly #periods = new FlushPeriods();
  readonly #lost = new LostClusters();
  readonly #fates: NotificationFates;
  #bytes = 0;
  #isTurnOver = true;
  #timer: Timer | undefined;

  constructor(options: NotificationQueueOptions) {
    this.#options = options;
    this.#windows = new HostWindows(options.policy.maxInFlight);
    this.#fates = new NotificationFates(options);
    keepWatch(this.#abort.signal);
  }

  /** How many calls wait or are under way. */
  get size(): number {
    return this.#waiting.size + this.#windows.inFlight;
  }

  /** All notifications that were handed over, by fate. */
  get stats(): NotificationStats {
    return this.#fates.stats;
  }

  /** Takes a call along; it is sent when the current turn of the event loop is over. */
  add(call: Delivery): void {
    this.#fates.accept(call);
    const { maxQueued, maxBytes } = this.#options.policy;
    const bytes = this.#bytesOf(call);
    if (this.#abort.signal.aborted) this.#fates.drop(call, 'ERR_TARGET_CLOSED', 'the client is closed');
    else if (this.size >= maxQueued)
      this.#fates.drop(call, 'ERR_TARGET_ABORTED', `${maxQueued} calls are queued`);
    else if (this.#bytes + bytes > maxBytes)
      this.#fates.drop(call, 'ERR_TARGET_ABORTED', `more than ${maxBytes} bytes would be queued`);
    else {
      this.#bytes += bytes;
      const hint = this.#lost.reachable(call.locationHint);
      const period = this.#periods.enter();
      this.#waiting.push({ call, bytes, period, attempts: 0, firstTriedMs: undefined, hint });
      if (!this.#isTurnOver) return;
      this.#isTurnOver = false;
      later(() => {
        this.#isTurnOver = true;
        this.#pump();
      });
    }
  }

  /**
   * Resolves when each call that is queued now was delivered, failed or dropped, or when one of the limits is met. Pauses
   * that no host has asked for are cut short, once a second. Never rejects.
   */
  async flush(limits: Limits): Promise<void> {
    if (this.size > 0) await this.#drain(limits, this.#periods.waitForPresent());
  }

  /** Sends what it can within a limit and drops the rest. */
  async close(limitMs: number): Promise<CloseResult> {
    if (this.size > 0)
      await this.#drain({ timeoutMs: limitMs, signal: undefined }, this.#periods.waitForAll());
    clearTimeout(this.#timer);
    this.#abort.abort();
    // One by one, so that a listener finds each of them either here or dropped.
    for (let next = this.#waiting.remove(); next; next = this.#waiting.remove()) {
      this.#forget(next);
      this.#fates.drop(next.call, 'ERR_TARGET_CLOSED', 'the client closed before it was sent');
    }
    // Calls under way were aborted with the signal, and end soon.
    await this.#periods.waitForAll().ended;
    const { delivered, failed, dropped } = this.#fates.stats;
    return { delivered, failed, dropped };
  }

  async #drain(limits: Limits, waiter: Waiter): Promise<void> {
    const drain = () => {
      this.#pump();
      return waiter.ended;
    };
    // The limit's timer keeps the process alive meanwhile, and the calls of the queue with it.
    await within(limits, drain, () => new Error('not all was sent')).catch(() => undefined);
    waiter.cancel();
  }

  /** Sends the calls that may go, and comes back when the next one may. */
  #pump(): void {
    if (this.#abort.signal.aborted) return;
    const { hostOf } = this.#options;
    const nowMs = performance.now();
    const isHurried = this.#periods.areAwaited;
    this.#waiting.release(nowMs, (queued) => {
      queued.hint = this.#lost.reachable(queued.hint);
    });
    const placeFor = (hint: string | undefined) => this.#windows.placeAt(hostOf(hint), nowMs, isHurried);
    for (let next = this.#waiting.take(placeFor); next; next = this.#waiting.take(placeFor)) {
      void this.#send(next, nowMs);
    }
    this.#wake(nowMs, isHurried);
  }

  /** Sets the timer to the end of the next pause or wait; a call that ends comes back by itself. */
  #wake(nowMs: number, isHurried: boolean): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.size === 0) return;
    let atMs = this.#waiting.nextDueMs ?? Number.POSITIVE_INFINITY;
    for (const hint of this.#waiting.hints) {
      const opensAtMs = this.#windows.of(this.#options.hostOf(hint)).opensAtMs(isHurried);
      if (opensAtMs > nowMs) atMs = Math.min(atMs, opensAtMs);
    }
    if (atMs === Number.POSITIVE_INFINITY) return;
    this.#timer = unref(setTimeout(() => this.#pump(), Math.ceil(atMs - nowMs)));
  }

  async #send(queued: QueuedCall, nowMs: number): Promise<void> {
    const host = this.#options.hostOf(queued.hint);
    const window = this.#windows.of(host);
    const end = this.#windows.begin(host, nowMs);
    queued.attempts += 1;
    queued.firstTriedMs ??= nowMs;
    try {
      const { response } = await this.#options.deliver(this.#toSent(queued));
      window.succeeded(this.#waiting.size > 0);
      this.#forget(queued);
      this.#fates.confirm(queued.call, response, this.#waiting.size === 0);
    } catch (thrown) {
      this.#judge(queued, toTargetError(thrown), window);
    }
    end();
    this.#pump();
  }

  /** By name, because every decision that is displayed comes here (`on-device/execute-url`). */
  #toSent({ call, hint }: QueuedCall): Delivery {
    const { request, encodedSessionId, decisioningMethod, timeoutMs } = call;
    const { signal } = this.#abort;
    return {
      request,
      encodedSessionId,
      locationHint: hint,
      decisioningMethod,
      timeoutMs,
      signal,
      retry: NO_RETRY,
    };
  }

  /** Finds what becomes of a call that failed, and tells its host's window. */
  #judge(queued: QueuedCall, error: TargetError, window: HostWindow): void {
    if (this.#abort.signal.aborted) {
      this.#forget(queued);
      this.#fates.drop(queued.call, 'ERR_TARGET_CLOSED', 'the client closed before it was delivered');
      return;
    }
    const { isRetryable, saysOfHost } = verdictOn(error, LATER_REPORT);
    if (isRetryable && saysOfHost !== 'answered') {
      this.#fault(queued, error, window);
      return;
    }
    window.answered();
    if (isRetryable) this.#retry(queued, error, Math.max(waitMsOf(queued), askedMsOf(error) ?? 0));
    else if (error.status === TOO_LARGE && notificationsOf(queued.call).length > 1) this.#split(queued);
    else this.#fail(queued, error);
  }

  #fault(queued: QueuedCall, error: TargetError, window: HostWindow): void {
    const askedMs = askedMsOf(error);
    this.#fates.noteFault(error);
    window.faulted(performance.now(), { askedMs, isRepeated: queued.attempts > MAX_BLAMED_ATTEMPTS });
    if (window.isProven) this.#retry(queued, error, Math.max(waitMsOf(queued), askedMs ?? 0));
    else {
      if (window.isLost && verdictOn(error).saysOfHost === 'silent') this.#loseCluster(queued);
      // The whole host pauses now, and that is all that its calls wait for.
      this.#retry(queued, error, askedMs ?? 0);
    }
  }

  #retry(queued: QueuedCall, error: TargetError, waitMs: number): void {
    const nowMs = performance.now();
    const { attempts, firstTriedMs = nowMs } = queued;
    // Others may have lost its cluster while it was under way.
    queued.hint = this.#lost.reachable(queued.hint);
    if (attempts >= MAX_ATTEMPTS && nowMs - firstTriedMs >= MIN_TRIED_MS) this.#fail(queued, error);
    // Behind the others: a call that the edge stumbles over must not hold them up.
    else if (waitMs === 0) this.#waiting.push(queued);
    else this.#waiting.delay(queued, nowMs + waitMs);
  }

  /**
   * A visitor's cluster that nobody answers for may be one that a cookie made up. That keeps nobody waiting: the calls of
   * its visitors go the client's own way from now on.
   */
  #loseCluster({ hint }: QueuedCall): void {
    const { hostOf } = this.#options;
    if (hint === undefined || hostOf(hint) === hostOf(undefined)) return;
    this.#lost.add(hint, performance.now());
    this.#waiting.abandon(hint);
  }

  /** From the text that was written where it was: the object is the caller's too, who may have changed it. */
  #split(queued: QueuedCall): void {
    const { call, period } = queued;
    const written: Delivery['request'] = JSON.parse(jsonOf(call.request));
    // Each half is a call of its own, whose answer is not the other's.
    const { requestId: _, notifications = [], ...request } = written;
    const hint = this.#lost.reachable(queued.hint);
    const middle = Math.ceil(notifications.length / 2);
    const bytes = Math.ceil(queued.bytes / 2);
    for (const half of [notifications.slice(middle), notifications.slice(0, middle)]) {
      const part = { ...call, request: { ...request, notifications: half } };
      this.#bytes += bytes;
      this.#periods.enter(period);
      this.#waiting.unshift({ ...queued, call: part, hint, bytes, attempts: 0, firstTriedMs: undefined });
    }
    this.#forget(queued);
  }

  /**
   * How much of the bound a call takes up. A queue that is nearly empty is not counted exactly, for counting takes as long
   * as a part of the decision (benchmark on-device/10-mboxes).
   */
  #bytesOf({ request }: Delivery): number {
    const json = jsonOf(request);
    const { length } = json;
    const most = MAX_BYTES_A_CHARACTER * length;
    if (this.#bytes + most <= ESTIMATED_SHARE * this.#options.policy.maxBytes) return most;
    const bytes = utf8Length(json);
    // A text that is not Latin has two bytes a character in memory.
    return bytes === length ? length : Math.max(bytes, 2 * length);
  }

  #fail(queued: QueuedCall, error: TargetError): void {
    this.#forget(queued);
    this.#fates.fail(queued.call, error);
  }

  /** A call is not the queue's any more. */
  #forget({ bytes, period }: QueuedCall): void {
    this.#bytes -= bytes;
    this.#periods.leave(period);
  }
}

/** How long the host of an error asked to be left alone. */
function askedMsOf({ retryAfterMs }: TargetError): number | undefined {
  return obeyedMs(retryAfterMs, MAX_ASKED_MS);
}

/** How long a call waits that its host alone cannot be blamed for. */
function waitMsOf({ attempts }: QueuedCall): number {
  return spread(attempts < MAX_ATTEMPTS ? grown(WAITS, attempts) : LONG_WAIT_MS, 0.5, 1);
}
