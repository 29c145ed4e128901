import { deepEqual, equal, ok } from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { TargetClient } from '../../src/index.js';
import { flagsArtifact } from '../fixtures/flags.js';
import { run, type Sandbox } from '../package/sandbox.js';
import { startRedis } from './redis-server.js';
import type { FleetRun } from './run.js';

type Testing = typeof import('target-node-sdk/testing');
type Package = typeof import('target-node-sdk');
type Files = typeof import('target-node-sdk/stores/file');

const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url));
const WORKERS = 4;
const MAX_WAIT_MS = 60_000;
const MAX_END_MS = 30_000;

/** Checks the store of files in real processes and on real disks, and that a process with a store ends by itself. */
export async function checkFiles({ report, sandbox }: FleetRun): Promise<void> {
  await report.check(`${WORKERS} workers of node:cluster have one version, also one that starts later`, () =>
    checkWorkers(sandbox),
  );
  if (process.getuid?.() === 0 && process.platform === 'linux') {
    await report.check('a disk that is full, and one that is read-only, cost nothing but the sharing', () =>
      onSmallDisk(sandbox, (folder, disk) => checkDisk(sandbox, folder, disk)),
    );
  } else {
    console.log('     skipped: a full disk and a read-only one, because only root can mount a small one');
  }
  for (const store of ['file', 'redis 5', 'ioredis 5', 'redis 6', 'ioredis 6']) {
    await report.check(`a process with a store (${store}) ends by itself`, () => checkEnd(sandbox, store));
  }
}

async function checkWorkers(sandbox: Sandbox): Promise<void> {
  const { startTargetEdge } = sandbox.require('target-node-sdk/testing') as Testing;
  const edge = await startTargetEdge({ artifact: flagsArtifact({ release: '1' }) });
  const directory = mkdtempSync(join(sandbox.folder, 'workers-'));
  const asked = { decisioningMethod: 'on-device', pollingInterval: 3_600_000, directory };
  const primary = fork(WORKER, [sandbox.projects, JSON.stringify({ ...edge.config, ...asked })]);
  const told: { readonly pid: number; readonly release: string }[] = [];
  primary.on('message', (message: (typeof told)[number]) => void told.push(message));
  const pidsOf = (release: string) =>
    new Set(told.flatMap((one) => (one.release === release ? [one.pid] : [])));
  const downloads = () => edge.requests.filter(({ path }) => path.endsWith('rules.json')).length;
  try {
    await until(() => pidsOf('1').size === WORKERS);
    // A worker does not wait long for the download of another one, and this machine may be slow.
    ok(downloads() <= WORKERS, String(downloads()));
    edge.clearRequests();
    edge.setArtifact(flagsArtifact({ release: '2' }));
    primary.send('refresh');
    await until(() => pidsOf('2').size === WORKERS);
    equal(downloads(), 1);
    primary.send('kill');
    await until(() => pidsOf('2').size === WORKERS + 1);
    const latest = new Map(told.map(({ pid, release }) => [pid, release]));
    deepEqual(new Set(latest.values()), new Set(['2']));
  } finally {
    primary.disconnect();
    await once(primary, 'exit');
    await edge.close();
  }
}

/** A disk of its own, which only root can mount. */
interface Disk {
  fill(): void;
  remount(how: 'ro' | 'rw'): Promise<unknown>;
  empty(): Promise<unknown>;
}

async function onSmallDisk(
  sandbox: Sandbox,
  check: (folder: string, disk: Disk) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(sandbox.folder, 'disk-'));
  const options = { cwd: sandbox.folder };
  const filler = join(folder, 'filler');
  await run('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder], options);
  try {
    await check(folder, {
      fill: () => {
        try {
          writeFileSync(filler, Buffer.alloc(1024 * 1024));
        } catch {
          // All space is taken now.
        }
      },
      remount: (how) => run('mount', ['-o', `remount,${how}`, folder], options),
      empty: () => run('rm', ['-f', filler], options),
    });
  } finally {
    await run('umount', [folder], options);
  }
}

async function checkDisk(sandbox: Sandbox, directory: string, disk: Disk): Promise<void> {
  const { startTargetEdge } = sandbox.require('target-node-sdk/testing') as Testing;
  const { TargetClient } = sandbox.require('target-node-sdk') as Package;
  const { fileArtifactStore } = sandbox.require('target-node-sdk/stores/file') as Files;
  const edge = await startTargetEdge({ artifact: flagsArtifact({ release: '1' }) });
  const warnings: string[] = [];
  const states: string[] = [];
  const nothing = () => undefined;
  const client = TargetClient.create({
    ...edge.config,
    artifactLocation: edge.artifactUrl,
    decisioningMethod: 'on-device',
    pollingInterval: 500,
    telemetryEnabled: false,
    artifactStore: fileArtifactStore({ directory, pollingInterval: 100, activationDelay: 200 }),
    logger: {
      debug: nothing,
      info: nothing,
      warn: (line) => void warnings.push(String(line)),
      error: nothing,
    },
  });
  client.on('artifactStoreChanged', ({ state }) => void states.push(state));
  const takes = async (release: string) => {
    edge.setArtifact(flagsArtifact({ release, fields: { filler: 'x'.repeat(20_000) } as object }));
    await until(async () => (await releaseOf(client)) === release);
  };
  try {
    await client.ready({ timeout: MAX_WAIT_MS });
    for (const fault of [
      { begin: async () => disk.fill(), end: disk.empty },
      { begin: () => disk.remount('ro'), end: () => disk.remount('rw') },
    ]) {
      states.length = 0;
      warnings.length = 0;
      await fault.begin();
      const { taken = 0 } = client.stats().artifactStore?.offers ?? {};
      await takes(`${Math.random()}`);
      await until(() => states.length > 0);
      // The fault lasts for several polls, looks and offers.
      await pause(1000);
      await takes(`${Math.random()}`);
      deepEqual(states, ['failing']);
      equal(warnings.filter((line) => line.includes('the artifact store failed')).length, 1, warnings.join());
      await fault.end();
      await until(() => states.length > 1);
      const last = `${Math.random()}`;
      await takes(last);
      await until(() => (client.stats().artifactStore?.offers.taken ?? 0) > taken);
      deepEqual(states, ['failing', 'ok']);
    }
  } finally {
    await client.close({ timeout: 1000 });
    await edge.close();
  }
}

/** Runs a program that uses a store and does not close its client. */
async function checkEnd(sandbox: Sandbox, store: string): Promise<void> {
  const { startTargetEdge } = sandbox.require('target-node-sdk/testing') as Testing;
  const edge = await startTargetEdge({ artifact: flagsArtifact({ release: '1' }) });
  const redis = await startRedis();
  const [library = '', version = ''] = store.split(' ');
  const folder = join(sandbox.folder, `redis-${version}`, 'package.json');
  const openings: Readonly<Record<string, string>> = {
    file: `const close = () => {}; const artifactStore = fileArtifactStore({ directory: ${JSON.stringify(mkdtempSync(join(sandbox.folder, 'end-')))} });`,
    redis: `const redis = require('node:module').createRequire(${JSON.stringify(folder)})('redis').createClient({ url: ${JSON.stringify(redis.url)} });
      await redis.connect(); const close = () => redis.destroy(); const artifactStore = redisArtifactStore(redis, { secret: 's' });`,
    ioredis: `const { Redis } = require('node:module').createRequire(${JSON.stringify(folder)})('ioredis');
      const redis = new Redis(${redis.port}); const close = () => redis.disconnect(); const artifactStore = redisArtifactStore(redis, { secret: 's' });`,
  };
  const program = `
    const { TargetClient } = require('target-node-sdk');
    const { fileArtifactStore } = require('target-node-sdk/stores/file');
    const { redisArtifactStore } = require('target-node-sdk/stores/redis');
    (async () => {
      ${openings[library]}
      const client = TargetClient.create({ ...${JSON.stringify(edge.config)}, decisioningMethod: 'on-device', artifactStore, telemetryEnabled: false });
      await client.ready();
      await new Promise((resolve) => setTimeout(resolve, 1500));
      console.log('offers taken:', client.stats().artifactStore.offers.taken);
      close();
    })();`;
  try {
    const { stdout } = await run(process.execPath, ['-e', program], {
      cwd: sandbox.projects,
      timeoutMs: MAX_END_MS,
    });
    ok(stdout.includes('offers taken: 1'), stdout);
  } finally {
    await redis.stop();
    await edge.close();
  }
}

async function releaseOf(client: TargetClient): Promise<string> {
  const { response } = await client.getOffers({
    request: { prefetch: { mboxes: [{ name: 'hero', index: 1 }] } },
  });
  return String(response.prefetch?.mboxes?.[0]?.options?.[0]?.content);
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const from = performance.now(); !(await isSo()); await pause(20)) {
    if (performance.now() - from > MAX_WAIT_MS) {
      throw new Error('it did not happen within a minute');
    }
  }
}
