import { later, type Timer, unref } from '#platform';
import { type TargetError, toTargetError } from '../errors.js';
import { type Limits, within } from '../http/deadline.js';
import { verdictOn } from '../http/retry.js';
import type { Delivery } from '../request/call.js';
import type { CloseResult, NotificationStats } from '../stats.js';
import { AwaitedTurn } from './awaited-turn.js';
import { NotificationFates } from './notification-fates.js';
import { type NotificationQueueOptions, newAbort, toQueued, toSent } from './queue-calls.js';
import { FlushPeriods, type Waiter } from './queue-flushes.js';
import { type QueuedCall, WaitingCalls } from './queue-lanes.js';
import { LostClusters } from './queue-lost-clusters.js';
import { QueueOutbox } from './queue-outbox.js';
import { askedMsOf, isTriedEnough, waitMsAfter } from './queue-retries.js';
import { QueueRoom } from './queue-room.js';
import { partsAfter } from './queue-splits.js';
import type { HostWindow } from './queue-window.js';
import { HostWindows } from './queue-windows.js';

/**
 * A call that has failed more often than this is probably at fault itself. Its faults do not count against its host.
 */
const MAX_BLAMED_ATTEMPTS = 3;
/** A flush keeps at most this many ms, and at most half of its time, for handing over what it could not send. */
const MAX_RESERVE_MS = 500;
/** Options for judging an error. Each attempt has a full timeout of its own, and a report can wait for its session. */
const LATER_REPORT = { isLater: true, isReport: true };

/**
 * Sends the notifications of on-device decisions in the background. The queue is limited in calls and in bytes.
 * Notifications that come while it is full are dropped. Each host has a window of calls that may run at once, so a
 * fault of one host, or of one call, delays no others. The equation accepted = delivered + failed + dropped + queued +
 * handedOver always holds.
 */
export class NotificationQueue {
  readonly #options: NotificationQueueOptions;
  #abort = newAbort();
  readonly #waiting = new WaitingCalls();
  readonly #windows: HostWindows;
  readonly #periods = new FlushPeriods();
  readonly #lost = new LostClusters();
  readonly #fates: NotificationFates;
  readonly #room: QueueRoom;
  readonly #outbox: QueueOutbox | undefined;
  #isClosing = false;
  #isTurnOver = true;
  #awaitedTurn: AwaitedTurn | undefined;
  #timer: Timer | undefined;

  constructor(options: NotificationQueueOptions) {
    this.#options = options;
    this.#windows = new HostWindows(options.policy.maxInFlight);
    this.#fates = new NotificationFates(options);
    this.#room = new QueueRoom(options.policy);
    this.#outbox = this.#openOutbox();
  }

  /** The number of calls that wait or are being sent. */
  get size(): number {
    return this.#waiting.size + this.#windows.inFlight + (this.#outbox?.size ?? 0);
  }

  /** The counts of all notifications that were ever handed over. */
  get stats(): NotificationStats {
    return { ...this.#fates.stats, inFlight: this.#windows.inFlight };
  }

  /**
   * Adds a call. It is sent after the current turn of the event loop, because it must not delay the decision. The
   * platform is told by `waitUntil`, else by the client's. Reports of browsers take at most a part of the queue.
   */
  add(call: Delivery, waitUntil = this.#options.work.waitUntil, isOfBrowser = false): void {
    this.#fates.accept(call);
    const bytes = this.#room.bytesOf(call);
    const lack = this.#room.lackFor(1, bytes, isOfBrowser, this.size);
    if (this.#abort.signal.aborted) {
      this.#fates.drop(call, 'ERR_TARGET_CLOSED', 'the client is closed');
    } else if (lack !== undefined) {
      this.#fates.drop(call, 'ERR_TARGET_ABORTED', lack);
    } else {
      this.#room.enter(bytes, isOfBrowser);
      const hint = this.#lost.reachable(call.locationHint);
      const period = this.#periods.enter();
      const madeMs = this.#outbox ? this.#options.now() : 0;
      this.#waiting.push(toQueued(call, bytes, period, { isOfBrowser, hint, madeMs }));
      if (this.#isTurnOver) {
        this.#isTurnOver = false;
        later(() => this.#endTurn());
      }
      if (waitUntil) {
        this.#awaitedTurn ??= new AwaitedTurn(this.#options.work);
        this.#awaitedTurn.inform(waitUntil);
      }
    }
  }

  #endTurn(): void {
    const turn = this.#awaitedTurn;
    this.#awaitedTurn = undefined;
    this.#isTurnOver = true;
    this.#pump();
    turn?.end(this.flush({ timeoutMs: this.#options.timeoutMs, signal: undefined }));
  }

  /**
   * Resolves when each call that is in the queue at this moment was delivered, failed or dropped, or when a limit is
   * reached. Meanwhile one call a second may go to a host that the queue has paused. A wait that the host asked for
   * with `Retry-After` is kept. It never rejects.
   */
  async flush(limits: Limits): Promise<void> {
    if (this.size === 0) {
      return;
    }
    const waiter = this.#periods.waitForPresent();
    const reserveMs = this.#outbox ? Math.min(MAX_RESERVE_MS, limits.timeoutMs / 2) : 0;
    const isAllSent = await this.#drain({ ...limits, timeoutMs: limits.timeoutMs - reserveMs }, waiter);
    if (!isAllSent && this.#outbox && !this.#abort.signal.aborted) {
      this.#outbox.takeAll(performance.now());
      await this.#drain({ ...limits, timeoutMs: reserveMs }, waiter);
    }
    waiter.cancel();
  }

  /** Sends as much as it can within the limit, drops the rest, and returns the final counts. */
  async close(limitMs: number): Promise<CloseResult> {
    if (this.#outbox && this.size > 0) {
      await this.#handOver(this.#outbox, limitMs);
    }
    if (this.size > 0) {
      const timeoutMs = this.#outbox ? limitMs / 2 : limitMs;
      await this.#drain({ timeoutMs, signal: undefined }, this.#periods.waitForAll());
    }
    clearTimeout(this.#timer);
    this.#abort.abort();
    // Calls are removed one by one. So a listener finds each call either in the queue or among the dropped ones.
    this.#outbox?.giveBack();
    for (let next = this.#waiting.remove(); next; next = this.#waiting.remove()) {
      this.#forget(next);
      this.#fates.drop(next.call, 'ERR_TARGET_CLOSED', 'the client closed before it was sent');
    }
    // This waits until aborted calls have ended, and wakes callers of `flush()` whose calls were just dropped.
    await this.#periods.waitForAll().ended;
    const { delivered, failed, dropped, handedOver } = this.#fates.stats;
    return { delivered, failed, dropped, handedOver };
  }

  /**
   * Hands everything over that waits. What the outbox has not taken after half of the time is sent directly. When it has
   * taken all, calls under way that have not ended follow.
   */
  async #handOver(outbox: QueueOutbox, limitMs: number): Promise<void> {
    this.#isClosing = true;
    outbox.close(limitMs);
    const waiter = this.#periods.waitForAll();
    await this.#drain({ timeoutMs: limitMs / 2, signal: undefined }, waiter);
    waiter.cancel();
    if (this.#waiting.size + outbox.size > 0) {
      outbox.stop();
      return;
    }
    const underWay = this.#abort;
    this.#abort = newAbort();
    underWay.abort();
  }

  /** Sends until the calls of a caller have ended. Resolves to false when a limit comes first. */
  async #drain(limits: Limits, waiter: Waiter): Promise<boolean> {
    const drain = async () => {
      this.#pump();
      await waiter.ended;
      return true;
    };
    // The timer of the limit keeps the process alive until the calls of the queue have ended.
    return within(limits, drain, () => new Error('not all was sent')).catch(() => false);
  }

  #openOutbox(): QueueOutbox | undefined {
    const handedOver = (queued: QueuedCall) => {
      this.#fates.handOver(queued.call);
      this.#forget(queued);
    };
    const queue = { waiting: this.#waiting, windows: this.#windows, handedOver, changed: () => this.#pump() };
    return QueueOutbox.of(this.#options, queue);
  }

  /** Sends the calls that may go at this moment, and sets a timer for the next ones. */
  #pump(): void {
    if (this.#abort.signal.aborted) {
      return;
    }
    const { hostOf } = this.#options;
    const nowMs = performance.now();
    const isHurried = this.#periods.areAwaited;
    this.#waiting.release(nowMs, (queued) => {
      queued.hint = this.#lost.reachable(queued.hint);
    });
    this.#outbox?.pump(nowMs, isHurried);
    const openingFor = (hint: string | undefined) => this.#windows.openingAt(hostOf(hint), nowMs, isHurried);
    for (let next = this.#waiting.take(openingFor); next; next = this.#waiting.take(openingFor)) {
      void this.#send(next, nowMs);
    }
    this.#wake(nowMs, isHurried);
  }

  /** Sets the timer to the end of the next pause or wait. A call that ends starts the next ones without the timer. */
  #wake(nowMs: number, isHurried: boolean): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.size === 0) {
      return;
    }
    let atMs = this.#waiting.nextDueMs ?? Number.POSITIVE_INFINITY;
    for (const hint of this.#waiting.hints) {
      const opensAtMs = this.#windows.of(this.#options.hostOf(hint)).opensAtMs(isHurried);
      if (opensAtMs > nowMs) {
        atMs = Math.min(atMs, opensAtMs);
      }
    }
    if (atMs === Number.POSITIVE_INFINITY) {
      return;
    }
    this.#timer = unref(setTimeout(() => this.#pump(), Math.ceil(atMs - nowMs)));
  }

  /** Sends one call. When it has ended, sends the calls that may go now. */
  async #send(queued: QueuedCall, nowMs: number): Promise<void> {
    const host = this.#options.hostOf(queued.hint);
    const window = this.#windows.of(host);
    const end = this.#windows.begin(host, nowMs);
    queued.attempts += 1;
    queued.firstTriedMs ??= nowMs;
    try {
      const { response } = await this.#options.deliver(toSent(queued, this.#abort.signal));
      window.succeeded(this.#waiting.size > 0);
      this.#forget(queued);
      this.#fates.confirm(queued.call, response, this.#waiting.size === 0);
    } catch (thrown) {
      this.#judge(queued, toTargetError(thrown), window);
    }
    end();
    this.#pump();
  }

  /** Decides whether a failed call is tried again, split or given up, and informs the window of its host. */
  #judge(queued: QueuedCall, error: TargetError, window: HostWindow): void {
    if (this.#abort.signal.aborted) {
      this.#forget(queued);
      this.#fates.drop(queued.call, 'ERR_TARGET_CLOSED', 'the client closed before it was delivered');
      return;
    }
    if (this.#isClosing && error.code === 'ERR_TARGET_ABORTED') {
      // The call was cut off for the outbox. The edge may have it all the same, and knows it by its ids.
      this.#waiting.push(queued);
      return;
    }
    const { isRetryable, saysOfHost } = verdictOn(error, LATER_REPORT);
    if (isRetryable && saysOfHost !== 'answered') {
      this.#fault(queued, error, window);
      return;
    }
    window.answered();
    if (isRetryable) {
      this.#retry(queued, error, Math.max(waitMsAfter(queued.attempts), askedMsOf(error) ?? 0));
    } else if (!this.#isReplaced(queued, partsAfter(error, queued))) {
      this.#fail(queued, error);
    }
  }

  /** Handles a fault that may be the host's. It counts against the host, and the call is tried again. */
  #fault(queued: QueuedCall, error: TargetError, window: HostWindow): void {
    const askedMs = askedMsOf(error);
    this.#fates.noteFault(error);
    window.faulted(performance.now(), { askedMs, isRepeated: queued.attempts > MAX_BLAMED_ATTEMPTS });
    if (window.isProven) {
      this.#retry(queued, error, Math.max(waitMsAfter(queued.attempts), askedMs ?? 0));
    } else {
      if (window.isLost && verdictOn(error).saysOfHost === 'silent') {
        this.#loseCluster(queued);
      }
      // The whole host is paused, and its calls need no other wait.
      this.#retry(queued, error, askedMs ?? 0);
    }
  }

  /** Puts a call back to be sent again after a wait, or gives it up when it was tried often and long enough. */
  #retry(queued: QueuedCall, error: TargetError, waitMs: number): void {
    const nowMs = performance.now();
    const { attempts, firstTriedMs = nowMs } = queued;
    // The call's cluster may have been found lost while the call was being sent.
    queued.hint = this.#lost.reachable(queued.hint);
    if (isTriedEnough(attempts, nowMs - firstTriedMs)) {
      this.#fail(queued, error);
    } else if (waitMs === 0) {
      // The call goes behind the others. A call that always fails must not delay them.
      this.#waiting.push(queued);
    } else {
      this.#waiting.delay(queued, nowMs + waitMs);
    }
  }

  /**
   * Notes that nobody answers for a visitor's cluster, which a forged cookie may have invented. For some time the calls
   * of its visitors go to the client's own host, and do not wait for the cluster.
   */
  #loseCluster({ hint }: QueuedCall): void {
    const { hostOf } = this.#options;
    if (hint === undefined || hostOf(hint) === hostOf(undefined)) {
      return;
    }
    this.#lost.add(hint, performance.now());
    this.#waiting.abandon(hint);
  }

  /** Replaces a call by smaller ones. Returns false if there are none, or if those of a browser do not find room. */
  #isReplaced(queued: QueuedCall, calls: readonly Delivery[]): boolean {
    const hint = this.#lost.reachable(queued.hint);
    const parts = calls.map((call) => {
      const bytes = this.#room.bytesOf(call);
      return { ...queued, call, hint, bytes, attempts: 0, firstTriedMs: undefined, written: undefined };
    });
    const added = parts.reduce((sum, { bytes }) => sum + bytes, 0) - queued.bytes;
    const isFull = () => this.#room.lackFor(parts.length - 1, added, true, this.size) !== undefined;
    if (parts.length === 0 || (queued.isOfBrowser && isFull())) {
      return false;
    }
    for (const part of parts.reverse()) {
      this.#room.enter(part.bytes, part.isOfBrowser);
      this.#periods.enter(part.period);
      this.#waiting.unshift(part);
    }
    this.#forget(queued);
    return true;
  }

  /** Gives a call up after an error. */
  #fail(queued: QueuedCall, error: TargetError): void {
    this.#forget(queued);
    this.#fates.fail(queued.call, error);
  }

  /** Removes a call from the byte counts and from its flush period. */
  #forget(queued: QueuedCall): void {
    const { bytes, isOfBrowser, period } = queued;
    queued.isOver = true;
    this.#room.leave(bytes, isOfBrowser);
    this.#periods.leave(period);
  }
}
