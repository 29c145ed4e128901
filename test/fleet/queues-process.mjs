// One process of a fleet: `producer` or `worker`. It runs the built package with the BullMQ of the given folder.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [role, folder, redisPort, edgeConfig, settings] = process.argv.slice(2);
const { Queue, Worker } = createRequire(join(folder, 'package.json'))('bullmq');
const { TargetClient, closeOnSignal } = await import('target-node-sdk');
const { bullmqOutbox, bullmqProcessor, bullmqWorkerOptions } = await import('target-node-sdk/queues/bullmq');
const { count = 0, rate = 500, artifact, prefix = '' } = JSON.parse(settings);
const connection = { host: '127.0.0.1', port: Number(redisPort), maxRetriesPerRequest: null };
const config = { ...JSON.parse(edgeConfig), telemetryEnabled: false };
const ignore = () => undefined;

if (role === 'worker') {
  const client = TargetClient.create({ ...config, timeout: 1000 });
  const worker = new Worker('target', bullmqProcessor(client), {
    connection,
    ...bullmqWorkerOptions,
    lockDuration: 5000,
    stalledInterval: 2000,
  });
  worker.on('error', ignore);
  closeOnSignal(client, { before: () => worker.close() });
  process.send({ ready: true });
  setInterval(
    () => process.connected && process.send({ relayed: client.stats().relayed }, ignore),
    50,
  ).unref();
} else {
  const queue = new Queue('target', { connection });
  const { add } = queue;
  let last = '';
  queue.add = (...parameters) =>
    add.apply(queue, parameters).catch((error) => {
      last = String(error);
      throw error;
    });
  process.on('exit', () => last && console.error('the last error of add:', last));
  queue.on('error', ignore);
  const client = TargetClient.create({
    ...config,
    decisioningMethod: 'on-device',
    artifactPayload: artifact,
    pollingInterval: 0,
    targetLocationHint: '35',
    notifications: { outbox: bullmqOutbox(queue), mode: 'always' },
  });
  await client.ready();
  process.send({ ready: true });
  for (let made = 0; made < count; ) {
    for (let left = Math.ceil(rate / 50); left > 0 && made < count; left -= 1, made += 1) {
      const id = { tntId: `${prefix}${made}` };
      await client.getOffers({ request: { id, execute: { mboxes: [{ name: 'hero' }] } } });
    }
    process.send({ stats: client.stats().notifications });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const stats = await client.flush({ timeout: 60_000 });
  process.send({ stats, isDone: true }, () => process.exit(0));
}
