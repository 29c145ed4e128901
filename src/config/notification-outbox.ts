import type { AbortSignalLike } from '../http/fetch-api.js';

/** One delivery call with the notifications of one visitor, as another process can send it. */
export interface QueuedDelivery {
  /** A unique id, made once. A batch that is pushed again has the same ids. */
  readonly id: string;
  /** An id of the visitor, to keep the deliveries of a visitor together: a partition key, or the key of a message. */
  readonly visitor: string;
  /** The number of notifications in the call. */
  readonly notifications: number;
  /** The call as JSON text of at most 64 KiB, for `client.deliverQueued`. It holds ids of the visitor. */
  readonly data: string;
}

/**
 * Hands notifications to a queue outside the process, such as BullMQ on Redis, Kafka or SQS. Another process sends them
 * with `client.deliverQueued`. So they outlive this process and an outage of the edge.
 *
 * An outbox that throws, rejects or hangs loses nothing: the client waits 2 seconds for a push, repeats the batch, and
 * after 5 seconds of failures sends the notifications itself.
 *
 * @example
 * ```ts
 * const outbox: NotificationOutbox = {
 *   push: (batch) =>
 *     producer.send({ topic, messages: batch.map(({ visitor, data }) => ({ key: visitor, value: data })) }),
 * };
 * TargetClient.create({ client, organizationId, notifications: { outbox, mode: 'always' } });
 * ```
 */
export interface NotificationOutbox {
  /**
   * Stores a batch. The promise resolves when all of the batch is held durably, and rejects when none of it is or when
   * that is unknown. The client then pushes the same deliveries again, with the same ids. Resolving too early loses
   * notifications. `signal` is aborted when the client no longer waits.
   */
  push(batch: readonly QueuedDelivery[], options: { readonly signal: AbortSignalLike }): PromiseLike<unknown>;
}
