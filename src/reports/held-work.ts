import { withinMs } from '../http/deadline.js';
import type { NotificationStats } from '../stats.js';

/** Work of visits that has begun. `flush` and `close` of the client wait for it. */
export class HeldWork {
  readonly #held = new Set<Promise<unknown>>();
  readonly #conversions = { accepted: 0, delivered: 0, failed: 0 };

  /** Returns the counts of the queue together with those of the conversions. */
  withConversions(queue: NotificationStats): NotificationStats {
    const { accepted, delivered, failed } = this.#conversions;
    return {
      ...queue,
      accepted: queue.accepted + accepted,
      delivered: queue.delivered + delivered,
      failed: queue.failed + failed,
      queued: queue.queued + accepted - delivered - failed,
    };
  }

  /** Holds work until it has ended. */
  add(work: Promise<unknown>): void {
    const end = () => void this.#held.delete(work);
    this.#held.add(work);
    work.then(end, end);
  }

  /** Holds the call of a conversion, and counts its fate. The call may reject. */
  addConversion(call: Promise<unknown>): void {
    const counts = this.#conversions;
    counts.accepted += 1;
    const counted = call.then(
      () => {
        counts.delivered += 1;
      },
      () => {
        counts.failed += 1;
      },
    );
    this.add(counted);
  }

  /** Resolves when all work that is held now has ended, or after a time in ms. */
  async whenEnded(limitMs: number): Promise<void> {
    if (this.#held.size > 0) {
      await withinMs(limitMs, () => Promise.allSettled(this.#held));
    }
  }
}
