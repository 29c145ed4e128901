/** Display notifications that are handed to BullMQ, against those that are posted. */
import { setImmediate as turn } from 'node:timers/promises';
import { scenarios as queueScenarios } from './queue.mjs';

const LONGEST_MS = 9 * 60_000;
const PER_TURN = 50;

/** @type {import('./index.mjs').Scenario[]} */
export const scenarios = [
  {
    name: 'fleet-queue/hand-over',
    what: 'CPU of this process for one notification, without its decision: handed to BullMQ, or posted',
    server: { notifications: { rttMs: 1 } },
    sides: {
      handOver: reported(async () => ({ notifications: { outbox: await newOutbox(), mode: 'always' } })),
      undici: reported(async () => (await import('../subjects/http.mjs')).undiciTransport()),
      nodeFetch: reported(async () => ({})),
    },
    comparisons: [
      { figure: 'cpuUs', of: 'handOver', to: 'undici', costs: 0.1 },
      { figure: 'cpuUs', of: 'handOver', to: 'nodeFetch', costs: 0.05 },
    ],
  },
  {
    name: 'fleet-queue/packed',
    what: 'CPU of Redis for the whole life of one notification: 100 in a job, and a job each',
    server: { notifications: { rttMs: 1 } },
    sides: { packed: lived(100), each: lived(1) },
    comparisons: [{ figure: 'cpuUs', of: 'packed', to: 'each', costs: 0.1 }],
  },
  {
    name: 'fleet-queue/close',
    what: '`close()` with 5 000 notifications waiting, RTT 50 ms: handed to BullMQ, or posted',
    server: { notifications: { rttMs: 50 } },
    sides: {
      handedOver: closed(async () => ({ outbox: await newOutbox() })),
      posted: closed(async () => ({})),
    },
    comparisons: [{ figure: 'wallMs', of: 'handedOver', to: 'posted', costs: 0.1 }],
  },
  // The window that grows, and one of ten, which many SDKs have.
  ...queueScenarios
    .filter(({ name }) => name === 'queue/in-flight')
    .map((scenario) => ({ ...scenario, name: 'fleet-queue/drain' })),
];

async function newOutbox() {
  const { bullmqOutbox } = await import('target-node-sdk/queues/bullmq');
  const { startQueue } = await import('../bullmq.mjs');
  return bullmqOutbox((await startQueue()).queue);
}

async function start(host, more) {
  const { startReporting } = await import('../subjects/ours.mjs');
  const { artifactOfMboxes } = await import('../artifacts.mjs');
  const { notifications, ...rest } = more;
  const client = await startReporting(host, {
    artifact: artifactOfMboxes(10),
    organizationId: `errors-0@${process.pid}`,
    notifications: { maxQueued: 100_000, ...notifications },
    ...rest,
  });
  const show = async (count) => {
    for (let shown = 0; shown < count; shown += 1) {
      const id = { tntId: `visitor${shown}` };
      await client.getOffers({ request: { id, execute: { mboxes: [{ name: 'mbox-0', index: 1 }] } } });
      if (shown % PER_TURN === PER_TURN - 1) {
        await turn();
      }
    }
  };
  return { client, show };
}

/** The CPU of decisions with their notifications, less that of decisions whose notifications are dropped. */
function reported(optionsOf) {
  return (host) => ({
    measure: async ({ quick }) => {
      const count = quick ? 200 : 6000;
      const bare = await start(host, { notifications: { maxQueued: 1 }, agent: await silentAgent() });
      const own = await start(host, await optionsOf());
      const cost = async ({ client, show }, isFlushed) => {
        await show(count / 4);
        await (isFlushed && client.flush({ timeout: LONGEST_MS }));
        const cpu = process.cpuUsage();
        await show(count);
        await (isFlushed && client.flush({ timeout: LONGEST_MS }));
        const { user, system } = process.cpuUsage(cpu);
        return (user + system) / count;
      };
      const decisionUs = await cost(bare, false);
      const cpuUs = (await cost(own, true)) - decisionUs;
      expectAll(own.client, count * 1.25);
      return { cpuUs };
    },
  });
}

/** An agent whose requests never end. */
async function silentAgent() {
  const { Agent } = await import('node:http');
  const agent = new Agent();
  agent.addRequest = () => undefined;
  return agent;
}

function expectAll(client, wanted) {
  const { delivered, handedOver } = client.stats().notifications;
  if (delivered + handedOver !== wanted) {
    throw new Error(`${delivered} delivered, ${handedOver} handed over, of ${wanted}`);
  }
}

/** The CPU of Redis for notifications that are queued and processed, by the size of a batch. */
function lived(size) {
  return (host) => ({
    measure: async ({ quick }) => {
      const count = quick ? 200 : 10_000;
      const deliveries = await queuedDeliveries(host, count);
      const { bullmqOutbox, bullmqProcessor, bullmqWorkerOptions } = await import(
        'target-node-sdk/queues/bullmq'
      );
      const { startQueue } = await import('../bullmq.mjs');
      const { queue, work, cpuUs } = await startQueue();
      let done = 0;
      const deliverQueued = async (data) => {
        done += data.length;
        return { delivered: data.length, failed: 0, again: [] };
      };
      const outbox = bullmqOutbox(queue);
      const { signal } = new AbortController();
      const before = await cpuUs();
      const worker = work(bullmqProcessor({ deliverQueued }), bullmqWorkerOptions);
      for (let at = 0; at < count; at += 4 * size) {
        const starts = [0, 1, 2, 3].map((push) => at + push * size).filter((from) => from < count);
        await Promise.all(starts.map((from) => outbox.push(deliveries.slice(from, from + size), { signal })));
      }
      while (done < count) {
        await new Promise((resolve) => worker.once('completed', resolve));
      }
      await worker.close();
      return { cpuUs: ((await cpuUs()) - before) / count };
    },
  });
}

/** Deliveries as a client hands them over. */
async function queuedDeliveries(host, count) {
  const deliveries = [];
  const outbox = { push: async (batch) => void deliveries.push(...batch) };
  const { client, show } = await start(host, { notifications: { outbox, mode: 'always' } });
  await show(count);
  await client.flush();
  return deliveries;
}

function closed(policyOf) {
  return (host) => ({
    measure: async ({ quick }) => {
      const count = quick ? 200 : 5000;
      const { client, show } = await start(host, { notifications: await policyOf() });
      await show(300);
      await client.flush({ timeout: LONGEST_MS });
      const mboxes = [{ name: 'mbox-0', index: 1 }];
      for (let shown = 0; shown < count; shown += 1) {
        await client.getOffers({ request: { id: { tntId: `late${shown}` }, execute: { mboxes } } });
      }
      const started = performance.now();
      const { delivered, handedOver } = await client.close({ timeout: LONGEST_MS });
      const wallMs = performance.now() - started;
      if (delivered + handedOver !== count + 300) {
        throw new Error(`${delivered} delivered, ${handedOver} handed over`);
      }
      return { wallMs };
    },
  });
}
