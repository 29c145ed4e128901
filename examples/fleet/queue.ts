import { type Job, type JobType, Queue } from 'bullmq';
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

/**
 * Opens the queue for those who add to it or count it. While Redis is away, they shall hear of it at once. Commands that
 * wait for Redis would be repeated by the client, and then all be carried out.
 */
export function openQueue(port: number): Queue {
  const connection = { ...toConnection(port), enableOfflineQueue: false };
  const queue = new Queue(QUEUE, { connection });
  // Without a listener, an error of the connection would end the process. The connection comes back by itself.
  queue.on('error', () => undefined);
  return queue;
}

/** Makes an outbox that names each job by the number of its impressions, so that they can be counted in the queue. */
export function toOutbox(queue: Queue): NotificationOutbox {
  return {
    push: (batch, options) => {
      const impressions = batch.reduce((sum, { notifications }) => sum + notifications, 0);
      const add = (_name: string, data: unknown, settings?: object) =>
        queue.add(String(impressions), data, settings);
      return bullmqOutbox({ add }).push(batch, options);
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
export async function countHeld(queue: Queue): Promise<number> {
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
