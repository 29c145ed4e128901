/**
 * An outbox on BullMQ and its worker: display notifications go through a queue on Redis, and outlive the process.
 *
 * @packageDocumentation
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress, constants } from 'node:zlib';
import type { DeliverQueuedOptions, DeliverQueuedResult, NotificationOutbox } from '../index.js';

/** A queue of BullMQ, as far as the outbox needs it. */
export interface QueueLike {
  /** Adds a job. The promise resolves when the server holds it. */
  add(name: string, data: unknown, options?: object): PromiseLike<unknown>;
}

/** A job of BullMQ, as far as the processor needs it. */
export interface JobLike {
  readonly data: unknown;
  /** Replaces the data of the job. */
  updateData(data: unknown): PromiseLike<unknown>;
}

/** A client, as far as the processor needs it. */
export interface DeliveringClient {
  deliverQueued(data: readonly string[], options?: DeliverQueuedOptions): Promise<DeliverQueuedResult>;
}

/** Options of {@link bullmqProcessor}. */
export type BullmqProcessorOptions = Pick<DeliverQueuedOptions, 'maxAge' | 'timeout'>;

/** The result of a job: counts of notifications. */
export type BullmqResult = Pick<DeliverQueuedResult, 'delivered' | 'failed'>;

/**
 * The options of each job. It is tried 15 times within about four and a half hours. Jobs that were given up stay in the
 * failed set of the queue for seven days, with what is left in them: `queue.retryJobs()` brings them back.
 */
export const bullmqJobOptions = {
  attempts: 15,
  backoff: { type: 'exponential', delay: 1000, jitter: 0.5 },
  removeOnComplete: true,
  removeOnFail: { age: 7 * 24 * 60 * 60, count: 10_000 },
} as const;

/**
 * Options for the `Worker`. BullMQ gives a job up that has lost its worker more often than `maxStalledCount`, which is 1
 * by default. A batch of notifications would then be lost with two crashes.
 */
export const bullmqWorkerOptions = {
  concurrency: 4,
  maxStalledCount: 100,
  removeOnComplete: { count: 0 },
} as const;

/**
 * The time in ms for which BullMQ remembers a batch after it was added, whether or not its job still exists. A push
 * whose answer comes late is repeated, and by then a fast worker has ended the job. The client repeats a push for no
 * longer than about two minutes.
 */
const REMEMBERED_MS = 2 * 60 * 1000;
/** Batches from this number of deliveries on are compressed. */
const MIN_COMPRESSED = 10;
/** The most bytes of a batch. The client's own batches have at most 256 KiB. */
const MAX_BYTES = 8 * 1024 * 1024;
const FAST = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };
const compress = promisify<string, object, Buffer>(brotliCompress);
const decompress = promisify<Buffer, object, Buffer>(brotliDecompress);

/** The data of a job: a list of texts as JSON, or the same compressed. */
type JobData = { readonly v: 1; readonly d: string } | { readonly v: 1; readonly z: string };

/**
 * Makes an outbox of a queue of BullMQ. A batch becomes one job. Its id comes from the batch, so a repeated push adds no
 * second job while the first one exists, and for two minutes after it was added.
 *
 * @example
 * ```ts
 * const queue = new Queue('target-notifications', { connection });
 * const client = TargetClient.create({ client, organizationId, notifications: { outbox: bullmqOutbox(queue) } });
 * ```
 */
export function bullmqOutbox(queue: QueueLike): NotificationOutbox {
  return {
    push: async (batch) => {
      const [first] = batch;
      if (!first) {
        return;
      }
      // BullMQ ignores a job whose id it has. So the id covers the whole batch: another batch must not count as this one.
      const ids = createHash('sha256').update(batch.map(({ id }) => id).join());
      const jobId = `b-${first.id}-${ids.digest('hex').slice(0, 16)}`;
      const data = await pack(batch.map((delivery) => delivery.data));
      const deduplication = { id: jobId, ttl: REMEMBERED_MS };
      await queue.add('deliver', data, { ...bullmqJobOptions, jobId, deduplication });
    },
  };
}

/**
 * Makes the processor of a `Worker`. It sends the deliveries of a job. A job with deliveries that have to wait keeps only
 * these and fails, so BullMQ tries it again, and nothing that was delivered is sent twice.
 *
 * @example
 * ```ts
 * const client = TargetClient.create({ client: 'acmeclient', organizationId: '1234567890@AdobeOrg' });
 * const worker = new Worker('target-notifications', bullmqProcessor(client), { connection, ...bullmqWorkerOptions });
 * closeOnSignal(client, { before: () => worker.close() });
 * ```
 */
export function bullmqProcessor(
  client: DeliveringClient,
  options: BullmqProcessorOptions = {},
): (job: JobLike) => Promise<BullmqResult> {
  const { maxAge, timeout } = options;
  return async (job) => {
    const list = await unpack(job.data);
    const { delivered, failed, again, error } = await client.deliverQueued(list, { maxAge, timeout });
    if (again.length === 0) {
      return { delivered, failed };
    }
    if (again.length < list.length) {
      await job.updateData(await pack(again));
    }
    throw new Error(`${again.length} of ${list.length} deliveries wait: ${error?.message ?? 'no reason'}`);
  };
}

async function pack(list: readonly string[]): Promise<JobData> {
  const text = JSON.stringify(list);
  if (list.length < MIN_COMPRESSED) {
    return { v: 1, d: text };
  }
  return { v: 1, z: (await compress(text, FAST)).toString('base64') };
}

/** Reads the data of a job. It throws for data that a newer version has written, so that a newer worker gets the job. */
async function unpack(data: unknown): Promise<string[]> {
  const { v, d, z } = (typeof data === 'object' && data !== null ? data : {}) as Record<string, unknown>;
  if (v !== 1) {
    throw new Error('the job is of another version');
  }
  try {
    const text = typeof z === 'string' ? await decompressed(z) : d;
    const list: unknown = typeof text === 'string' && text.length <= MAX_BYTES ? JSON.parse(text) : undefined;
    if (Array.isArray(list) && list.every((one) => typeof one === 'string')) {
      return list;
    }
  } catch {
    // The error below says it.
  }
  throw unrecoverable('the data of the job cannot be read');
}

async function decompressed(base64: string): Promise<string> {
  return (await decompress(Buffer.from(base64, 'base64'), { maxOutputLength: MAX_BYTES })).toString();
}

/** Makes the error after which BullMQ does not try a job again. BullMQ knows it by its name. */
function unrecoverable(message: string): Error {
  const error = new Error(message);
  error.name = 'UnrecoverableError';
  return error;
}
