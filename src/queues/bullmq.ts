/**
 * An outbox on BullMQ and its worker: display notifications go through a queue on Redis, and outlive the process.
 *
 * @packageDocumentation
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress, constants } from 'node:zlib';
import { invalidOption } from '../errors.js';
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
  /** Puts the job off until a time, in ms since 1970. */
  moveToDelayed?(timestamp: number, token?: string): PromiseLike<unknown>;
}

/** A client, as far as the processor needs it. */
export interface DeliveringClient {
  deliverQueued(data: readonly string[], options?: DeliverQueuedOptions): Promise<DeliverQueuedResult>;
}

/** Options of {@link bullmqProcessor}. */
export interface BullmqProcessorOptions extends Pick<DeliverQueuedOptions, 'timeout'> {
  /**
   * The age in ms at which a delivery counts as failed and is not sent, at most 7 days. It is longer than all tries of a
   * job take.
   * @default 86400000, which is a day
   */
  readonly maxAge?: number | undefined;
}

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
 * whose answer comes late is repeated, and by then a fast worker has ended the job. A push is repeated for longer only
 * while nothing can be sent directly either.
 */
const REMEMBERED_MS = 2 * 60 * 1000;
/** Batches from this number of deliveries on are compressed. */
const MIN_COMPRESSED = 10;
/** The most bytes of a batch. The client's own have at most 256 KiB, which grow when deliveries are split. */
const MAX_BYTES = 64 * 1024 * 1024;
const FAST = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };
const compress = promisify<string, object, Buffer>(brotliCompress);
const decompress = promisify<Buffer, object, Buffer>(brotliDecompress);

/** The data of a job: a list of texts as JSON, or the same compressed. `n` is the number of notifications in it. */
type JobData = { readonly v: 1; readonly n?: number | undefined } & (
  | { readonly d: string }
  | { readonly z: string }
);

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Makes an outbox of a queue of BullMQ. A batch becomes one job. Its id comes from the batch, so a repeated push adds no
 * second job while the first one exists, and for two minutes after it was added. `job.data.n` is the number of
 * notifications in a job.
 *
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a value that is no queue.
 * @example
 * ```ts
 * const queue = new Queue('target-notifications', { connection });
 * const client = TargetClient.create({ client, organizationId, notifications: { outbox: bullmqOutbox(queue) } });
 * ```
 */
export function bullmqOutbox(queue: QueueLike): NotificationOutbox {
  if (typeof queue?.add !== 'function') {
    throw invalidOption('queue', 'a Queue of BullMQ', queue);
  }
  return {
    push: async (batch) => {
      const [first] = batch;
      if (!first) {
        return;
      }
      // BullMQ ignores a job whose id it has. So the id covers the whole batch: another batch must not count as this one.
      const ids = createHash('sha256').update(batch.map(({ id }) => id).join());
      const jobId = `b-${first.id}-${ids.digest('hex').slice(0, 16)}`;
      const count = batch.reduce((sum, { notifications }) => sum + notifications, 0);
      const data = await pack(
        batch.map((delivery) => delivery.data),
        count,
      );
      const deduplication = { id: jobId, ttl: REMEMBERED_MS };
      await queue.add('deliver', data, { ...bullmqJobOptions, jobId, deduplication });
    },
  };
}

/**
 * Makes the processor of a `Worker`. It sends the deliveries of a job. A job with deliveries that have to wait keeps only
 * these and fails, so BullMQ tries it again, and nothing that was delivered is sent twice.
 *
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a value that is no client, and for a wrong option.
 * @example
 * ```ts
 * const client = TargetClient.create({ client: 'acmeclient', organizationId: '1234567890@AdobeOrg' });
 * const worker = new Worker('target-notifications', bullmqProcessor(client), { connection, ...bullmqWorkerOptions });
 * closeOnSignal(client, { before: () => worker.close() });
 * ```
 */
export function bullmqProcessor(
  client: DeliveringClient,
  options?: BullmqProcessorOptions,
): (job: JobLike, token?: string) => Promise<BullmqResult> {
  if (typeof client?.deliverQueued !== 'function') {
    throw invalidOption('client', 'a TargetClient', client);
  }
  const maxAge = toMs('maxAge', options?.maxAge, 7 * DAY_MS) ?? DAY_MS;
  const timeout = toMs('timeout', options?.timeout, 2 ** 31 - 1);
  return async (job, token) => {
    const { list, count } = await unpack(job.data);
    const result = await client.deliverQueued(list, { maxAge, timeout });
    const { delivered, failed, again, retryAfterMs, error } = result;
    if (again.length === 0) {
      return { delivered, failed };
    }
    const given = new Set(list);
    // A part of a delivery has another text than the whole.
    if (again.length < list.length || again.some((text) => !given.has(text))) {
      const left = count === undefined ? undefined : Math.max(0, count - delivered - failed);
      await job.updateData(await pack(again, left));
    }
    const message = `${again.length} of ${list.length} deliveries wait: ${error?.message ?? 'no reason'}`;
    if (retryAfterMs !== undefined && job.moveToDelayed) {
      await job.moveToDelayed(Date.now() + retryAfterMs, token);
      // BullMQ knows by this name that the job is not to be tried before.
      throw Object.assign(new Error(message), { name: 'DelayedError' });
    }
    throw new Error(message);
  };
}

/** Checks an option in ms. */
function toMs(name: string, value: unknown, most: number): number | undefined {
  if (value === undefined || value === null) {
    return undefined;
  }
  if (typeof value === 'number' && value > 0 && value <= most) {
    return value;
  }
  throw invalidOption(name, `milliseconds above 0 and up to ${most}`, value);
}

async function pack(list: readonly string[], n: number | undefined): Promise<JobData> {
  const text = JSON.stringify(list);
  if (list.length < MIN_COMPRESSED) {
    return { v: 1, n, d: text };
  }
  return { v: 1, n, z: (await compress(text, FAST)).toString('base64') };
}

/** Reads the data of a job. It throws for data that a newer version has written, so that a newer worker gets the job. */
async function unpack(data: unknown): Promise<{ list: string[]; count: number | undefined }> {
  const { v, n, d, z } = (typeof data === 'object' && data !== null ? data : {}) as Record<string, unknown>;
  if (Number.isSafeInteger(v) && Number(v) > 1) {
    throw new Error('the job is of another version');
  }
  try {
    const text = typeof z === 'string' ? await decompressed(z) : d;
    const list: unknown = typeof text === 'string' && text.length <= MAX_BYTES ? JSON.parse(text) : undefined;
    if (v === 1 && Array.isArray(list) && list.every((one) => typeof one === 'string')) {
      return { list, count: typeof n === 'number' ? n : undefined };
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
