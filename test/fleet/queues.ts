/**
 * Crashes of a fleet with BullMQ 5 and 6 and a real redis-server: what was handed over arrives at the edge. Prints, for
 * each row, the notifications that were lost and those that arrived twice.
 */
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startTargetEdge, type TargetEdge } from '../../src/testing/edge.js';
import { flagsArtifact } from '../fixtures/flags.js';
import { type RedisServer, startRedis } from './redis-server.js';

interface Counts {
  readonly accepted: number;
  readonly handedOver: number;
  readonly delivered: number;
  readonly queued: number;
}

/** The parts of a running fleet that a row breaks. */
interface Fleet {
  readonly edge: TargetEdge;
  redis: RedisServer;
  readonly workers: ChildProcess[];
  readonly producer: ChildProcess;
  readonly stats: () => Counts;
  readonly startWorker: () => Promise<ChildProcess>;
  readonly restartRedis: () => Promise<void>;
}

interface Row {
  readonly name: string;
  readonly redis?: readonly string[];
  /** True when the row loses what waits in Redis, which no queue can help. */
  readonly mayLose?: boolean;
  readonly act: (fleet: Fleet) => Promise<void>;
}

const ROOT = join(import.meta.dirname, '../..');
const COUNT = 5000;
const AOF = ['--appendonly', 'yes', '--appendfsync', 'everysec'];
const ALWAYS = ['--appendonly', 'yes', '--appendfsync', 'always'];
const MAX_MS = 120_000;

const killRedisTwice = async (fleet: Fleet) => {
  for (let time = 0; time < 2; time += 1) {
    await pause(2500);
    fleet.redis.kill();
    await pause(500);
    await fleet.restartRedis();
  }
};

const ROWS: readonly Row[] = [
  { name: 'nothing happens', redis: AOF, act: async () => undefined },
  {
    name: 'worker kill -9, four times',
    redis: AOF,
    act: async ({ workers, startWorker }) => {
      for (let time = 0; time < 4; time += 1) {
        await pause(1500);
        workers.shift()?.kill('SIGKILL');
        await startWorker();
      }
    },
  },
  {
    name: 'producer kill -9',
    redis: AOF,
    act: async ({ producer }) => {
      await pause(4000);
      producer.kill('SIGKILL');
    },
  },
  { name: 'Redis kill -9, twice, AOF everysec', redis: AOF, act: killRedisTwice },
  { name: 'Redis kill -9, twice, AOF always', redis: ALWAYS, act: killRedisTwice },
  { name: 'Redis kill -9, twice, no persistence', mayLose: true, act: killRedisTwice },
  {
    name: 'Redis SIGSTOP 5 s',
    redis: AOF,
    act: async ({ redis }) => {
      await pause(2500);
      redis.kill('SIGSTOP');
      await pause(5000);
      redis.kill('SIGCONT');
    },
  },
  {
    name: 'edge 503 for 6 s',
    redis: AOF,
    act: async ({ edge }) => {
      await pause(2500);
      const fault = edge.fault({ kind: 'status', status: 503 });
      await pause(6000);
      fault.clear();
    },
  },
  {
    name: 'FLUSHALL',
    redis: AOF,
    mayLose: true,
    act: async ({ redis }) => {
      await pause(4000);
      execFileSync('redis-cli', ['-p', String(redis.port), 'FLUSHALL']);
    },
  },
  {
    name: 'worker and producer kill -9 together',
    redis: AOF,
    act: async ({ workers, producer, startWorker }) => {
      await pause(4000);
      for (const one of [...workers.splice(0), producer]) {
        one.kill('SIGKILL');
      }
      await startWorker();
    },
  },
];

async function play(row: Row, folder: string): Promise<{ lost: number; doubled: number; line: string }> {
  const edge = await startTargetEdge({ maxRequests: 100_000 });
  const args = row.redis ?? ['--appendonly', 'no'];
  const redis = await startRedis(args);
  const folderOfRedis = folderOf(redis);
  const servers = [redis];
  const children: ChildProcess[] = [];
  const start = async (
    role: string,
    settings: object,
    onMessage: (message: Record<string, unknown>) => void,
  ) => {
    const parameters = [
      role,
      folder,
      String(redis.port),
      JSON.stringify(edge.config),
      JSON.stringify(settings),
    ];
    const child = fork(join(ROOT, 'test/fleet/queues-process.mjs'), parameters, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    children.push(child);
    await new Promise<void>((resolve, reject) => {
      child.on('message', (message: Record<string, unknown>) =>
        message.ready ? resolve() : onMessage(message),
      );
      child.once('exit', reject);
    });
    return child;
  };
  const workers: ChildProcess[] = [];
  const relayedBy = new Map<ChildProcess, number>();
  const relayed = () => [...relayedBy.values()].reduce((sum, count) => sum + count, 0);
  const startWorker = async () => {
    const worker: ChildProcess = await start('worker', {}, (message) => {
      relayedBy.set(worker, (message.relayed as { delivered: number }).delivered);
    });
    workers.push(worker);
    return worker;
  };
  let stats: Counts = { accepted: 0, handedOver: 0, delivered: 0, queued: 0 };
  let isDone = false;
  try {
    await startWorker();
    await startWorker();
    const settings = { count: COUNT, artifact: flagsArtifact(), prefix: 'v' };
    const producer = await start('producer', settings, (message) => {
      stats = (message.stats as Counts | undefined) ?? stats;
      isDone ||= message.isDone === true;
    });
    const fleet: Fleet = {
      ...{ edge, redis, workers, producer, startWorker, stats: () => stats },
      restartRedis: async () => {
        fleet.redis = await startRedis([...args, '--port', String(redis.port), '--dir', folderOfRedis]);
        servers.push(fleet.redis);
      },
    };
    producer.once('exit', () => {
      isDone = true;
    });
    await row.act(fleet);
    const endMs = performance.now() + MAX_MS;
    const seen = () => {
      const ids = edge.requests.flatMap(({ delivery, status = 0 }) =>
        status === 200 ? (delivery?.notifications ?? []).map(({ id }) => id) : [],
      );
      return { all: ids.length, unique: new Set(ids).size };
    };
    let last = -1;
    let stillSinceMs = performance.now();
    while (performance.now() < endMs) {
      await pause(250);
      const { all, unique } = seen();
      if (all !== last) {
        last = all;
        stillSinceMs = performance.now();
      }
      const isEnough = isDone && unique >= stats.handedOver + stats.delivered;
      if (isEnough || (isDone && performance.now() - stillSinceMs > (row.mayLose ? 8000 : 40_000))) {
        break;
      }
    }
    const { all, unique } = seen();
    const lost = Math.max(0, stats.handedOver + stats.delivered - unique);
    const doubled = all - unique;
    const law = JSON.stringify({ ...stats, relayed: relayed() });
    return {
      lost,
      doubled,
      line: `${row.name}: lost ${lost}, doubled ${doubled}; at the edge ${unique}; ${law}`,
    };
  } finally {
    for (const child of children) {
      child.kill('SIGKILL');
    }
    for (const server of servers.reverse()) {
      await server.stop();
    }
    await edge.close();
  }
}

/** The folder of a server, which its command line names. */
function folderOf(redis: RedisServer): string {
  const name = execFileSync('redis-cli', ['-p', String(redis.port), 'CONFIG', 'GET', 'dir'])
    .toString()
    .trim()
    .split('\n');
  return name[1] ?? '';
}

async function main(): Promise<void> {
  const [only] = process.argv.slice(2);
  let failures = 0;
  for (const major of [6, 5]) {
    const folder = join(ROOT, `test/fleet/bullmq-${major}`);
    if (!existsSync(join(folder, 'node_modules'))) {
      execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
        cwd: folder,
        stdio: 'inherit',
      });
    }
    const { version } = createRequire(join(folder, 'package.json'))('bullmq/package.json') as {
      version: string;
    };
    for (const row of ROWS.filter(({ name }) => !only || name.includes(only))) {
      const { lost, line } = await play(row, folder);
      const isBad = lost > 0 && !row.mayLose;
      failures += isBad ? 1 : 0;
      process.stdout.write(`${isBad ? 'FAIL' : 'ok  '} bullmq ${version}: ${line}\n`);
    }
  }
  process.exitCode = failures > 0 ? 1 : 0;
}

void main();
