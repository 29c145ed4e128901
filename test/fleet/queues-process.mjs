// One process of a fleet: `producer` or `worker`. It runs the installed package with the BullMQ of the given folder. It
// ends with its parent, because their channel closes then.
import { openSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';

const [, , role, projects, library, settingsText] = process.argv;
const load = createRequire(`${projects}/package.json`);
const { Queue, Worker } = createRequire(`${library}/package.json`)('bullmq');
const { TargetClient } = load('target-node-sdk');
const { bullmqOutbox, bullmqProcessor, bullmqWorkerOptions } = load('target-node-sdk/queues/bullmq');
const { name, port, config, artifact, count, rate, prefix, takenFile, jobOptions, lockMs, isNewer } =
  JSON.parse(settingsText);
const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null };
const ignore = () => undefined;

process.once('disconnect', () => process.exit());
await (role === 'worker' ? work() : produce());

/** Processes jobs, and tells its counts when it is asked. */
async function work() {
  // A call that ends too late would be sent again, and a slow machine is no crash.
  const client = TargetClient.create({ ...config, timeout: 30_000, retry: { retries: 0 } });
  const counts = { stalled: 0, again: 0 };
  const processor = bullmqProcessor(client);
  const worker = new Worker(name, isNewer ? (job) => processor(ofThisVersion(job)) : processor, {
    connection,
    ...bullmqWorkerOptions,
    ...(lockMs && { lockDuration: lockMs, stalledInterval: lockMs / 2 }),
  });
  worker.on('error', ignore);
  worker.on('stalled', () => {
    counts.stalled += 1;
  });
  worker.on('failed', () => {
    counts.again += 1;
  });
  await worker.waitUntilReady();
  process.on('message', () => process.send({ ...counts, relayed: client.stats().relayed }));
  process.send({ ready: true });
}

/** Imitates a worker of the next version, which can read jobs and records of version 2. */
function ofThisVersion(job) {
  const list = JSON.parse(job.data.x ?? job.data.d ?? '[]');
  const data = { v: 1, d: JSON.stringify(list.map((text) => text.replace('{"v":2', '{"v":1'))) };
  return { data: job.data.z ? job.data : data, updateData: (next) => job.updateData(next) };
}

/** Decides for visitors, and hands the impressions over. */
async function produce() {
  const queue = new Queue(name, { connection });
  queue.on('error', ignore);
  const { add } = queue;
  queue.add = (job, data, options) => add.call(queue, job, data, { ...options, ...jobOptions });
  const client = TargetClient.create({
    ...config,
    decisioningMethod: 'on-device',
    artifactPayload: artifact,
    pollingInterval: 0,
    targetLocationHint: '35',
    telemetryEnabled: false,
    notifications: { outbox: watched(bullmqOutbox(queue)), mode: 'always' },
  });
  await client.ready();
  process.send({ ready: true });
  for (let made = 0; made < count; ) {
    for (let left = Math.ceil(rate / 50); left > 0 && made < count; left -= 1, made += 1) {
      const request = { id: { tntId: `${prefix}${made}` }, execute: { mboxes: [{ name: 'hero' }] } };
      await client.getOffers({ request });
    }
    process.send({ stats: client.stats().notifications });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  let stats;
  do {
    stats = await client.flush({ timeout: 10_000 });
    process.send({ stats });
  } while (stats.queued > 0);
  process.send({ stats, isDone: true });
}

/** Notes in a file, which outlives the process, the ids of the notifications that the queue has taken. */
function watched(outbox) {
  const file = openSync(takenFile, 'a');
  return {
    push: async (batch, options) => {
      const ids = batch.flatMap(({ data }) => JSON.parse(data).r.notifications.map(({ id }) => id));
      writeSync(file, `pushed ${batch.map(({ id }) => id).join()}\n`);
      await outbox.push(batch, options);
      writeSync(file, `taken ${ids.join()}\n`);
    },
  };
}
