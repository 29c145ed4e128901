/** The worker of the fleet. It sends the impressions that web processes have handed over. */
import { Worker } from 'bullmq';
import { closeOnSignal, TargetClient } from 'target-node-sdk';
import { bullmqWorkerOptions } from 'target-node-sdk/queues/bullmq';
import { QUEUE, toConnection, toProcessor } from './queue.js';
import { followSupervisor, reportAlways, sendLast, toReport } from './report.js';
import { readSettings } from './settings.js';

const GRACE_MS = 5_000;
/** A killed worker is noticed after this time. BullMQ's own 30 seconds are right for production. */
const STALLED_MS = 5_000;

const { edge, redisPort } = readSettings();
const client = TargetClient.create(edge);
const worker = new Worker(QUEUE, toProcessor(client), {
  connection: toConnection(redisPort),
  ...bullmqWorkerOptions,
  lockDuration: STALLED_MS,
  stalledInterval: STALLED_MS,
});
// Without a listener, an error of the connection would end the process. The connection comes back by itself.
worker.on('error', () => undefined);
followSupervisor();
reportAlways(report);

function report() {
  return toReport(client.stats());
}

// Jobs under way are ended before the client closes. Other jobs wait in the queue for the next worker.
const { closed } = closeOnSignal(client, {
  before: () => worker.close(),
  signals: ['SIGTERM'],
  timeout: GRACE_MS,
});
await closed;
sendLast(report());
