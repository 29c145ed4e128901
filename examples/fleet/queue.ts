import { type Job, type JobType, Queue } from 'bullmq';
import { Redis } from 'ioredis';
import type { NotificationOutbox, TargetClient } from 'target-node-sdk';
import { bullmqOutbox, bullmqProcessor } from 'target-node-sdk/queues/bullmq';

/** The name of the queue in Redis. */
export const QUEUE = 'target-impressions';

/** The states of jobs that are not done. A job that was given up is still held: `queue.retryJobs()` brings it back. */
const HELD: JobType[] = ['waiting', 'active', 'delayed', 'prioritized', 'failed'];

/** How to reach Redis. In production it has TLS and a password, and is a server of its own, apart from caches. */
export function toConnection(port: number) {
  return { host: '127.0.0.1', port, maxRetriesPerRequest: null };
}

/** The queue, and the connection to Redis that it has. */
export interface OpenQueue {
  readonly queue: Queue;
  readonly redis: Redis;
}

/** Without them, commands wait for Redis, and are carried out when the client has sent the impressions itself. */
const FAIL_FAST = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  commandTimeout: 2_000,
};

/** Opens the queue for those who add to it or count it. While Redis is away, their commands fail. */
export function openQueue(port: number): OpenQueue {
  const redis = new Redis({ ...toConnection(port), ...FAIL_FAST });
  const queue = new Queue(QUEUE, { connection: redis });
  // Without listeners, an error of the connection would end the process. The connection comes back by itself.
  redis.on('error', () => undefined);
  queue.on('error', () => undefined);
  return { queue, redis };
}

/** Makes an outbox that names each job by the number of its impressions, so that they can be counted in the queue. */
export function toOutbox({ queue, redis }: OpenQueue): NotificationOutbox {
  return {
    push: async (batch, options) => {
      // A queue that was never connected would wait for its first connection.
      if (redis.status !== 'ready') {
        throw new Error('Redis is away');
      }
      const impressions = batch.reduce((sum, { notifications }) => sum + notifications, 0);
      const add = (_name: string, data: unknown, settings?: object) =>
        queue.add(String(impressions), data, settings);
      await bullmqOutbox({ add }).push(batch, options);
    },
  };
}

/** Makes the processor of the worker. A job's progress is the number of its impressions that are done. */
export function toProcessor(client: TargetClient): (job: Job) => Promise<unknown> {
  return (job) => {
    const deliverQueued: TargetClient['deliverQueued'] = async (data, options) => {
      const result = await client.deliverQueued(data, options);
      await job.updateProgress(doneOf(job) + result.delivered + result.failed);
      return result;
    };
    return bullmqProcessor({ deliverQueued })(job);
  };
}

/** Counts the impressions that the queue holds. */
export async function countHeld({ queue }: OpenQueue): Promise<number> {
  const jobs = new Map<string | undefined, Job>();
  for (const job of await queue.getJobs(HELD)) {
    // A job may go while the list is read.
    if (job) {
      jobs.set(job.id, job);
    }
  }
  return [...jobs.values()].reduce((sum, job) => sum + Number(job.name) - doneOf(job), 0);
}

function doneOf({ progress }: Job): number {
  return typeof progress === 'number' ? progress : 0;
}
