import { invalidField, toTargetError } from '../errors.js';
import { itemsOf } from '../json.js';
import { FaultLog } from '../log-limit.js';
import type { RelayedStats } from '../stats.js';
import { NotificationFates } from './notification-fates.js';
import { type DeliverQueuedOptions, toRelayLimits } from './relay-options.js';
import { type DeliverQueuedResult, type RelayOptions, RelayRun } from './relay-run.js';

export type { DeliverQueuedOptions, DeliverQueuedResult };

/** Reading gives way after so many texts, which take some milliseconds. */
const BREATH = 100;

/** Sends the notifications that other processes have queued. */
export class Relay {
  readonly #options: RelayOptions;
  readonly #fates: NotificationFates;
  readonly #faults: FaultLog;
  #unread = 0;
  #isClosed = false;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#fates = new NotificationFates(options);
    this.#faults = new FaultLog(options.logger.write, 'queued deliveries are read');
  }

  /** The counts of all notifications that were sent for other processes. */
  get stats(): RelayedStats {
    const { delivered, failed } = this.#fates.stats;
    return { delivered, failed: failed + this.#unread };
  }

  /** Sends nothing more. Calls under way end normally. */
  close(): void {
    this.#isClosed = true;
  }

  /** Sends data of other processes. It never rejects. */
  async deliver(
    data: readonly string[],
    options: DeliverQueuedOptions | undefined,
  ): Promise<DeliverQueuedResult> {
    let texts: readonly unknown[] = [];
    try {
      if (!Array.isArray(data)) {
        throw invalidField('data', 'an array of texts', data);
      }
      texts = itemsOf(data);
      const parts = {
        ...this.#options,
        fates: this.#fates,
        isClosed: () => this.#isClosed,
        unread: (count: number, why: string) => this.#noteUnread(count, why),
      };
      const limits = toRelayLimits(options);
      const run = new RelayRun(parts, limits);
      const startedMs = performance.now();
      let read = 0;
      for (; read < texts.length && performance.now() - startedMs < limits.timeoutMs; read += 1) {
        if (read > 0 && read % BREATH === 0) {
          await new Promise((resume) => {
            setTimeout(resume);
          });
        }
        run.add(texts[read]);
      }
      return await run.send(texts.slice(read), performance.now() - startedMs);
    } catch (thrown) {
      const error = toTargetError(thrown);
      this.#faults.failed(`no queued delivery was sent: ${error.message}`);
      const again = texts.filter((text): text is string => typeof text === 'string');
      return { delivered: 0, failed: 0, again, error };
    }
  }

  #noteUnread(count: number, why: string): void {
    this.#unread += count;
    this.#faults.failed(`a queued delivery was not sent: ${why}`);
  }
}
