import type { OutboxMode } from '../config/config-policies.js';
import { Outbox, type OutboxOptions } from './outbox.js';
import type { NotificationQueueOptions } from './queue-calls.js';
import type { QueuedCall, WaitingCalls } from './queue-lanes.js';
import type { HostWindows } from './queue-windows.js';

/** The number of calls that may wait in the process with the mode `overflow`. */
const MAX_WAITING = 1000;

/** The queue of an outbox. */
export interface OutboxQueue {
  readonly waiting: WaitingCalls;
  readonly windows: HostWindows;
  /** Learns that a call was handed over. */
  handedOver(queued: QueuedCall): void;
  /** Learns that more can be done now. */
  changed(): void;
}

type Options = OutboxQueue &
  OutboxOptions &
  Pick<NotificationQueueOptions, 'hostOf'> & { readonly mode: OutboxMode };

/** Moves calls from the lanes of a queue into its outbox, and back when the outbox is down. */
export class QueueOutbox {
  readonly #options: Options;
  readonly #outbox: Outbox;
  #isClosing = false;

  constructor(options: Options) {
    const { waiting } = options;
    this.#options = options;
    this.#outbox = new Outbox(options, {
      handedOver: (queued) => options.handedOver(queued),
      changed: () => options.changed(),
      returned: (calls) => {
        for (const queued of calls) {
          waiting.push(queued);
        }
      },
      recall: (calls) => waiting.withdraw((queued) => calls.has(queued)),
    });
  }

  /** Makes the outbox of a queue; `undefined` when the client has none. */
  static of(
    { policy, hostOf, logger, newId }: NotificationQueueOptions,
    queue: OutboxQueue,
  ): QueueOutbox | undefined {
    const { outbox, mode = 'overflow' } = policy;
    return outbox && new QueueOutbox({ ...queue, outbox, mode, hostOf, logger, newId });
  }

  /** The number of calls that the outbox has and nobody has confirmed. */
  get size(): number {
    return this.#outbox.size;
  }

  /** Moves the calls that belong into the outbox at this moment, and pushes what may go. */
  pump(nowMs: number, isHurried: boolean): void {
    this.#outbox.pump(nowMs);
    if (this.#options.waiting.size > 0) {
      this.#moveSome(nowMs);
    }
    if (isHurried) {
      this.#outbox.seal();
    }
    this.#outbox.pump(nowMs);
  }

  /** Moves all calls that wait. They are pushed at once. */
  takeAll(nowMs: number): void {
    this.#move(nowMs, () => true);
    this.#outbox.seal();
    this.#outbox.pump(nowMs);
  }

  /** Sends everything that waits to the outbox from now on, at once, and back when a push fails. */
  close(limitMs: number): void {
    this.#isClosing = true;
    this.#outbox.hurry(limitMs);
  }

  /** Sends nothing more to the outbox, so that all calls go directly. */
  stop(): void {
    this.#outbox.stop();
  }

  /** Moves all calls that nobody has confirmed back among those that wait, and pushes no more. */
  giveBack(): void {
    for (const queued of this.#outbox.clear()) {
      this.#options.waiting.push(queued);
    }
  }

  #moveSome(nowMs: number): void {
    const { mode, waiting, windows, hostOf } = this.#options;
    if (this.#isClosing || mode === 'always') {
      this.#move(nowMs, () => true);
      return;
    }
    this.#moveOldest(waiting.size - MAX_WAITING, nowMs);
    if ([...waiting.hints].some((hint) => windows.of(hostOf(hint)).isOut)) {
      // One call stays for each host. It is sent when the pause ends, and shows that the host answers again.
      const tried = new Set<string>();
      this.#move(nowMs, ({ hint }) => {
        const host = hostOf(hint);
        return windows.of(host).isOut && tried.size === tried.add(host).size;
      });
    }
  }

  /** Moves some calls one by one. Each call that comes while too many wait does this, so it must not look at all of them. */
  #moveOldest(count: number, nowMs: number): void {
    const { waiting } = this.#options;
    for (let left = Math.min(count, this.#outbox.roomAt(nowMs)); left > 0; left -= 1) {
      const queued = waiting.remove();
      if (queued && (queued.written === false || !this.#outbox.take(queued, nowMs))) {
        waiting.push(queued);
      }
    }
  }

  /** Moves the calls that a test picks, as many as the outbox takes now. Calls that are too large stay. */
  #move(nowMs: number, picks: (queued: QueuedCall) => boolean): void {
    let room = this.#outbox.roomAt(nowMs);
    if (room <= 0) {
      return;
    }
    const { waiting } = this.#options;
    const taken = waiting.withdraw(
      (queued) => queued.written !== false && room > 0 && picks(queued) && room-- > 0,
    );
    for (const queued of taken) {
      if (!this.#outbox.take(queued, nowMs)) {
        waiting.push(queued);
      }
    }
  }
}
