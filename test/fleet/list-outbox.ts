import type { NotificationOutbox, QueuedDelivery } from '../../src/index.js';
import { commandOf, type OpenClient } from './redis-clients.js';

const NAME = 'notifications';

/** The smallest outbox on Redis: a list. It knows what Redis has confirmed. */
export class ListOutbox implements NotificationOutbox {
  readonly #command: ReturnType<typeof commandOf>;
  #unsettled = 0;
  /** The most pushes that were not settled at a time. */
  mostUnsettled = 0;
  /** The ids of the notifications that Redis has confirmed. */
  readonly taken = new Set<string>();

  constructor(client: OpenClient['client']) {
    this.#command = commandOf(client);
  }

  readonly push = async (batch: readonly QueuedDelivery[]): Promise<void> => {
    this.#unsettled += 1;
    this.mostUnsettled = Math.max(this.mostUnsettled, this.#unsettled);
    try {
      await this.#command(['RPUSH', NAME, ...batch.map(({ data }) => data)]);
      for (const id of batch.flatMap(({ data }) => idsOf(data))) {
        this.taken.add(id);
      }
    } finally {
      this.#unsettled -= 1;
    }
  };

  /** Reads the ids of the notifications that Redis holds. */
  async held(): Promise<ReadonlySet<string>> {
    const list = (await this.#command(['LRANGE', NAME, '0', '-1'])) as string[];
    return new Set(list.flatMap(idsOf));
  }
}

/** Returns the ids of the notifications in a record of the queue. */
export function idsOf(data: string): string[] {
  const { r } = JSON.parse(data) as { r: { notifications: { id: string }[] } };
  return r.notifications.map(({ id }) => id);
}
