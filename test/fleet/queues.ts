import { deepEqual, equal, ok } from 'node:assert/strict';
import { cpSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runNpm, type Sandbox } from '../package/sandbox.js';
import { type FleetSettings, QueueFleet, type Result, until } from './queue-fleet.js';
import { redisCli } from './redis-server.js';
import { startReplica } from './replica.js';
import type { FleetRun } from './run.js';

type Testing = typeof import('target-node-sdk/testing');

/** A row of the crash matrix. */
interface Row {
  readonly name: string;
  /** The arguments of redis-server. @default AOF_EVERYSEC */
  readonly redis?: readonly string[];
  /** True when the row loses what waits in Redis, which no queue can help. */
  readonly mayLose?: boolean;
  /** True when nothing crashes, so nothing may be sent twice. */
  readonly isCalm?: boolean;
  /** True for the rows of the core run. */
  readonly isCore?: boolean;
  readonly jobOptions?: object;
  /** The lifetime of a worker's lock. Rows that kill workers have a short one, because a killed one keeps its jobs. */
  readonly lockMs?: number;
  /** Breaks something. The run then ends when no job is left. */
  readonly act: (fleet: QueueFleet) => Promise<unknown>;
  /** The number of notifications that the row adds beside those of the producer. */
  readonly added?: number;
  /** Further checks of the result. */
  readonly check?: (result: Result) => void;
}

const AOF_EVERYSEC = ['--appendonly', 'yes', '--appendfsync', 'everysec'];
const AOF_ALWAYS = ['--appendonly', 'yes', '--appendfsync', 'always'];
const LOCK_MS = 10_000;
const LAG_MS = 100;
const UNAVAILABLE = { kind: 'status', status: 503 } as const;

const killRedisTwice = async (fleet: QueueFleet) => {
  for (const share of [0.2, 0.6]) {
    await fleet.took(share);
    fleet.redis.kill();
    await pause(500);
    await fleet.restartRedis();
  }
};

const stopRedis = async (fleet: QueueFleet, ms: number) => {
  await fleet.took(0.3);
  fleet.redis.kill('SIGSTOP');
  await pause(ms);
  fleet.redis.kill('SIGCONT');
};

const ROWS: readonly Row[] = [
  { name: 'nothing happens', isCalm: true, act: async () => undefined },
  {
    name: 'worker kill -9, four times',
    lockMs: LOCK_MS,
    act: async (fleet) => {
      for (const share of [0.1, 0.3, 0.5, 0.7]) {
        await fleet.took(share);
        await fleet.killWorker();
        await fleet.startWorker();
      }
    },
  },
  {
    name: 'producer kill -9',
    act: async (fleet) => {
      await fleet.took(0.4);
      await fleet.killProducer();
    },
  },
  {
    name: 'both workers and the producer kill -9 together',
    isCore: true,
    lockMs: LOCK_MS,
    act: async (fleet) => {
      await fleet.took(0.4);
      await Promise.all([fleet.killWorker(), fleet.killWorker(), fleet.killProducer()]);
      await fleet.startWorker();
    },
  },
  { name: 'Redis kill -9, twice, AOF everysec', isCore: true, act: killRedisTwice },
  { name: 'Redis kill -9, twice, AOF always', redis: AOF_ALWAYS, act: killRedisTwice },
  {
    name: 'Redis kill -9, twice, no persistence',
    redis: ['--appendonly', 'no'],
    mayLose: true,
    act: killRedisTwice,
  },
  {
    name: 'Redis answers the producer too late, while workers are fast',
    isCore: true,
    act: async (fleet) => {
      await fleet.took(0.3);
      fleet.delayProducer(1300);
      await pause(2500);
      fleet.delayProducer(0);
    },
    // A machine that is very slow sends directly meanwhile. Only these may come twice.
    check: ({ doubled, direct, repeatedPushes }) =>
      ok(repeatedPushes > 0 && doubled <= direct, `doubled ${doubled}, pushed again ${repeatedPushes}`),
  },
  { name: 'Redis SIGSTOP 4 s', act: (fleet) => stopRedis(fleet, 4000) },
  {
    name: 'Redis SIGSTOP 15 s, so that the producer sends directly',
    act: (fleet) => stopRedis(fleet, 15_000),
    check: ({ direct }) => ok(direct > 0, 'nothing was sent directly'),
  },
  {
    name: 'edge 503 for 6 s',
    isCalm: true,
    act: async (fleet) => {
      await fleet.took(0.3);
      const fault = fleet.edge.fault(UNAVAILABLE);
      await pause(6000);
      fault.clear();
    },
    check: ({ again }) => ok(again > 0, 'no job was tried again'),
  },
  {
    name: 'edge 503 for 30 % of all calls: a job keeps what has to wait',
    isCalm: true,
    jobOptions: { attempts: 1000, backoff: { type: 'fixed', delay: 500 } },
    act: async (fleet) => {
      let calls = 0;
      fleet.edge.fault(UNAVAILABLE, { where: () => calls++ % 10 < 3 });
    },
    check: ({ again }) => ok(again > 0, 'no job was tried again'),
  },
  {
    name: 'FLUSHALL',
    mayLose: true,
    act: async (fleet) => {
      await fleet.took(0.4);
      await redisCli(fleet.redis.port, 'FLUSHALL');
    },
  },
  {
    name: `fail-over to a replica ${LAG_MS} ms behind`,
    mayLose: true,
    lockMs: LOCK_MS,
    act: failOver,
  },
  {
    name: 'dead letters, and their return',
    isCore: true,
    isCalm: true,
    jobOptions: { attempts: 2, backoff: { type: 'fixed', delay: 100 } },
    act: deadLetters,
  },
  {
    name: 'an old worker leaves new records to a new one',
    isCalm: true,
    jobOptions: { attempts: 1000, backoff: { type: 'fixed', delay: 200 } },
    added: 3,
    act: newRecords,
  },
];

/** The rows of the core run and their size; the whole run has the size of the table in the guide. */
const SIZE = { core: 1000, whole: 5000 };

/**
 * Plays the crash matrix with BullMQ and a real redis-server. The variable `ROW` selects the rows whose names contain it.
 */
export async function checkQueues({ report, sandbox, isWhole }: FleetRun): Promise<void> {
  const { startTargetEdge } = sandbox.require('target-node-sdk/testing') as Testing;
  for (const major of isWhole ? [6, 5] : [6]) {
    const library = await installBullmq(sandbox, major);
    const { version } = createRequire(join(library, 'package.json'))('bullmq/package.json');
    const only = process.env.ROW;
    for (const row of ROWS.filter(({ isCore, name }) => (only ? name.includes(only) : isWhole || isCore))) {
      await report.check(`bullmq ${version}: ${row.name}`, async () => {
        const edge = await startTargetEdge({ maxRequests: 1_000_000, acceptToken: () => true });
        try {
          await play(row, {
            ...{ edge, library, projects: sandbox.projects, redis: row.redis ?? AOF_EVERYSEC },
            ...{ count: isWhole ? SIZE.whole : SIZE.core, jobOptions: row.jobOptions, lockMs: row.lockMs },
          });
        } finally {
          await edge.close();
        }
      });
    }
  }
}

async function play(row: Row, settings: FleetSettings): Promise<void> {
  const fleet = await QueueFleet.start(settings);
  try {
    await row.act(fleet);
    await fleet.drained();
    const result = await fleet.result();
    console.log(`     lost ${result.lost}, doubled ${result.doubled} ${JSON.stringify(result)}`);
    const { lost, doubled, unconfirmed, handedOver, relayed, held } = result;
    ok(row.mayLose || lost === 0, `lost ${lost}`);
    ok(!row.isCalm || doubled === 0, `doubled ${doubled}`);
    const { added = 0 } = row;
    equal(handedOver + added + doubled + unconfirmed, relayed + held + lost, 'the law of the fleet');
    row.check?.(result);
  } finally {
    await fleet.stop();
  }
}

async function failOver(fleet: QueueFleet): Promise<void> {
  const replica = await startReplica(fleet.redis, { lagMs: LAG_MS, args: AOF_EVERYSEC });
  await fleet.took(0.5);
  await replica.takeOver();
  fleet.use(replica.server);
}

async function deadLetters(fleet: QueueFleet): Promise<void> {
  const { count } = fleet.settings;
  const fault = fleet.edge.fault(UNAVAILABLE);
  await fleet.produced();
  await until('all jobs are given up', () =>
    fleet.withQueue(async (queue) => {
      const [all, failed] = await Promise.all([fleet.jobs(), queue.getJobs(['failed'])]);
      return all.length === failed.length;
    }),
  );
  const { held, relayed, lost } = await fleet.result();
  const arrived = new Set(fleet.arrived()).size;
  deepEqual({ all: held + arrived, relayed, lost }, { all: count, relayed: arrived, lost: 0 });
  ok(held > 0.9 * count, `held ${held}`);
  fault.clear();
  await fleet.withQueue((queue) => queue.retryJobs({ state: 'failed' }));
}

async function newRecords(fleet: QueueFleet): Promise<void> {
  const { count } = fleet.settings;
  const now = Date.now();
  const newText = (id: number) =>
    `{"v":2,"i":"i${id}","t":${now},"s":"s${id}","m":"on-device","r":${JSON.stringify({
      requestId: `r${id}`,
      context: { channel: 'web' },
      notifications: [{ id: `new${id}`, type: 'display', timestamp: now, mbox: { name: 'hero' } }],
    })}}`;
  const job = { v: 2, x: JSON.stringify([newText(1)]) };
  const mixed = { v: 1, d: JSON.stringify([newText(2), newText(3).replace('"v":2', '"v":1')]) };
  await fleet.withQueue(async (queue) => {
    for (const data of [job, mixed]) {
      await queue.add('deliver', data, { ...fleet.settings.jobOptions, removeOnComplete: true });
    }
  });
  await fleet.produced();
  await until('only the new ones are left', async () => (await fleet.jobs()).length === 2);
  await until('all others arrived', () => new Set(fleet.arrived()).size === count + 1);
  const left = (await fleet.jobs()).map(({ data }) => JSON.stringify(data)).sort();
  deepEqual(left, [JSON.stringify(job), JSON.stringify({ v: 1, d: JSON.stringify([newText(2)]) })].sort());
  await fleet.startWorker({ isNewer: true });
  await fleet.drained();
  deepEqual(
    ['new1', 'new2', 'new3'].filter((id) => !fleet.arrived().includes(id)),
    [],
  );
}

async function installBullmq(sandbox: Sandbox, major: number): Promise<string> {
  const library = join(sandbox.folder, `bullmq-${major}`);
  mkdirSync(library);
  for (const file of ['package.json', 'package-lock.json']) {
    const from = join(dirname(fileURLToPath(import.meta.url)), `bullmq-${major}`, file);
    cpSync(from, join(library, file));
  }
  await runNpm(['ci', '--ignore-scripts'], { cwd: library, timeoutMs: 600_000 });
  return library;
}
