import { equal, ok } from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TargetEdge } from '../../src/testing/edge.js';
import { flagsArtifact } from '../fixtures/flags.js';
import { commandOf, type Library } from './redis-clients.js';
import { type RedisServer, startRedis } from './redis-server.js';
import type { FleetRun } from './run.js';

type Testing = typeof import('target-node-sdk/testing');

/** A change of a process. */
interface Told {
  readonly release: string;
  /** Start of its last decision by the version before, in epoch ms. */
  readonly oldMs: number;
  /** End of its first decision by the new version, in epoch ms. */
  readonly newMs: number;
  /** The most by which its timers were late since the change before, in ms. */
  readonly lagMs: number;
}

/** A fleet on one store. */
interface Fleet {
  readonly edge: TargetEdge;
  readonly pods: readonly ChildProcess[];
  readonly told: Told[];
  /** The common moment of the last change, as the store has it, in epoch ms. */
  readonly momentMs: () => Promise<number>;
}

const PODS = 5;
const ROUNDS = 20;
const POD = fileURLToPath(new URL('pod.mjs', import.meta.url));
/** No process decides by the new version this long before the moment, and all do this long after. */
const EARLY_MS = 100;
const LATE_MS = 250;
/** A round says nothing when the timers of a process were later than this: the machine had no time for it. */
const MAX_LAG_MS = 150;
const MAX_WAIT_MS = 60_000;

/** Processes change together, on Redis and on files. */
export async function checkChanges({ report, sandbox, libraries, isWhole }: FleetRun): Promise<void> {
  const { startTargetEdge } = sandbox.require('target-node-sdk/testing') as Testing;
  const redis = await startRedis();
  const { client, close } = await opened(libraries, redis);
  try {
    for (const store of ['redis', 'file']) {
      const edge = await startTargetEdge({ artifact: flagsArtifact({ release: '0' }) });
      const directory = store === 'file' ? mkdtempSync(join(sandbox.folder, 'store-')) : undefined;
      const asked = { decisioningMethod: 'on-device', pollingInterval: 3_600_000, directory };
      const config = JSON.stringify({ ...edge.config, ...asked });
      const args = [sandbox.projects, join(sandbox.folder, 'redis-6'), String(redis.port), config];
      const told: Told[] = [];
      const pods = Array.from({ length: PODS }, () => fork(POD, args));
      for (const pod of pods) {
        pod.on('message', (message: Told) => void told.push(message));
      }
      const momentMs = directory ? async () => momentOfFile(directory) : () => momentInRedis(client);
      try {
        await until(() => told.length === PODS);
        await checkRounds(report, store, { edge, pods, told, momentMs }, isWhole);
      } finally {
        for (const pod of pods) {
          pod.kill('SIGKILL');
          await once(pod, 'exit');
        }
        await edge.close();
      }
    }
  } finally {
    await close();
    await redis.stop();
  }
}

/** Makes rounds until enough of them say something. With `isWhole`, the time after the moment is checked too. */
async function checkRounds(
  report: FleetRun['report'],
  store: string,
  fleet: Fleet,
  isWhole: boolean,
): Promise<void> {
  const wanted = isWhole ? ROUNDS : 3;
  const lates: number[] = [];
  const earlies: number[] = [];
  let voids = 0;
  let failures = 0;
  for (let tried = 1; lates.length + failures < wanted && voids <= ROUNDS; tried += 1) {
    const release = String(tried);
    let isVoid = false;
    const before = lates.length;
    await report.check(`${store}: ${PODS} processes change together, change ${release}`, async () => {
      const { told, moment, downloads } = await change(fleet, release);
      equal(downloads, 1);
      const early = Math.max(...told.map(({ newMs }) => moment - newMs));
      const late = Math.max(...told.map(({ oldMs }) => oldMs - moment));
      ok(early <= EARLY_MS, `one decided by the new version ${early} ms before the moment`);
      isVoid = isWhole && Math.max(...told.map(({ lagMs }) => lagMs)) > MAX_LAG_MS;
      ok(!isWhole || isVoid || late <= LATE_MS, `one decided by the old version ${late} ms after the moment`);
      earlies.push(early);
      lates.push(late);
    });
    failures += lates.length === before ? 1 : 0;
    if (isVoid) {
      voids += 1;
      lates.pop();
    }
  }
  console.log(
    `     ${store}: at most ${Math.max(...earlies)} ms early and ${Math.max(...lates)} ms late, ${voids} void`,
  );
  await report.check(`${store}: ${wanted} changes say something`, () => equal(lates.length, wanted));
}

/** Makes one process learn of a new version, and waits until all decide by it. */
async function change({ edge, pods, told, momentMs }: Fleet, release: string) {
  edge.setArtifact(flagsArtifact({ release }));
  edge.clearRequests();
  const changes = () => told.filter((one) => one.release === release);
  pods[Number(release) % PODS]?.send('refresh');
  await until(() => changes().length === PODS);
  const downloads = edge.requests.filter(({ path }) => path.endsWith('rules.json')).length;
  return { told: changes(), moment: await momentMs(), downloads };
}

async function opened(libraries: readonly Library[], redis: RedisServer) {
  const [library] = libraries;
  if (!library) {
    throw new Error('no library is installed');
  }
  return library.open(redis.port);
}

async function momentInRedis(client: Parameters<typeof commandOf>[0]): Promise<number> {
  const command = commandOf(client);
  const [name] = (await command(['KEYS', 'target:*:artifact'])) as string[];
  return Number(await command(['HGET', name ?? '', 'at']));
}

function momentOfFile(directory: string): number {
  const name = readdirSync(directory).find((one) => one.endsWith('.json')) ?? '';
  const [line = ''] = readFileSync(join(directory, name), 'utf8').split('\n', 1);
  return JSON.parse(line).atMs;
}

async function until(isSo: () => boolean): Promise<void> {
  for (const from = performance.now(); !isSo(); ) {
    if (performance.now() - from > MAX_WAIT_MS) {
      throw new Error('it did not happen within a minute');
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
