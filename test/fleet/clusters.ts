import { equal } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { steadyPort } from '../steady-port.js';
import { offered } from '../stores/contract.js';
import type { Library } from './redis-clients.js';
import { type RedisServer, startRedis } from './redis-server.js';
import type { FleetRun } from './run.js';
import { checkLibrary, newKey, SECRET, type Stores } from './stores.js';

const execute = promisify(execFile);
const options = { signal: new AbortController().signal };
const HOST = '127.0.0.1';
const MAX_WAIT_MS = 60_000;

/** Checks the store on a cluster and behind a Sentinel, with every library that knows them. */
export async function checkServers({ report, sandbox, libraries, isWhole }: FleetRun): Promise<void> {
  if (!isWhole) {
    return;
  }
  const { redisArtifactStore } = sandbox.require('target-node-sdk/stores/redis') as Stores;
  await checkCluster({ report, libraries, redisArtifactStore });
  for (const library of libraries.filter(({ hasSentinel }) => hasSentinel)) {
    await report.check(`${library.name}, a Sentinel: the store goes on after a fail-over`, () =>
      checkFailOver(sandbox.folder, library, redisArtifactStore),
    );
  }
}

/** Starts three masters that are one cluster, and checks every library on it. */
async function checkCluster({
  report,
  libraries,
  redisArtifactStore,
}: Pick<FleetRun, 'report' | 'libraries'> & Pick<Stores, 'redisArtifactStore'>): Promise<void> {
  const servers: RedisServer[] = [];
  try {
    for (let master = 0; master < 3; master += 1) {
      servers.push(await startRedis(['--cluster-enabled', 'yes']));
    }
    const hosts = servers.map(({ port }) => `${HOST}:${port}`);
    await execute('redis-cli', ['--cluster', 'create', ...hosts, '--cluster-yes']);
    // A master takes commands only when it has heard of all others.
    for (const { port } of servers) {
      await becomes(async () => (await ask(port, 'CLUSTER', 'INFO')).includes('cluster_state:ok'));
    }
    for (const library of libraries) {
      await checkLibrary({ report, library, redisArtifactStore }, servers[0]?.port ?? 0, 'cluster');
    }
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

/** Kills the master of a Sentinel, and uses the store on the replica that becomes the master. */
async function checkFailOver(
  folder: string,
  library: Library,
  redisArtifactStore: Stores['redisArtifactStore'],
): Promise<void> {
  const servers: RedisServer[] = [];
  try {
    const master = await startRedis();
    servers.push(master);
    const replica = await startRedis(['--replicaof', HOST, String(master.port)]);
    servers.push(replica);
    await becomes(async () => (await ask(master.port, 'INFO', 'replication')).includes('state=online'));
    const sentinel = await startSentinel(folder, master.port);
    servers.push(sentinel);
    await becomes(async () => (await ask(sentinel.port, 'SENTINEL', 'REPLICAS', 'fleet')).includes(HOST));
    const { client, close } = await library.open(sentinel.port, { kind: 'sentinel' });
    try {
      const store = redisArtifactStore(client, { secret: SECRET });
      const key = newKey();
      await store.offer(key, offered('before', { order: 1 }), options);
      await becomes(async () => (await ask(replica.port, 'DBSIZE')).trim() !== '0');
      master.kill();
      await becomes(async () => {
        const limit = new Promise<never>((_, reject) =>
          setTimeout(() => reject(new Error('late')), 1000).unref(),
        );
        const offer = store.offer(key, offered('after', { order: 2 }), options);
        return (await Promise.race([offer, limit])).id === offered('after').id;
      });
      equal((await store.read(key, options))?.text, 'after');
      equal(await store.confirm(key, offered('after').id, options), true);
      equal((await ask(replica.port, 'ROLE')).split('\n')[0], 'master');
    } finally {
      await close();
    }
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

async function startSentinel(folder: string, masterPort: number): Promise<RedisServer> {
  const port = await steadyPort();
  const file = join(folder, `sentinel-${port}.conf`);
  const lines = [
    `sentinel monitor fleet ${HOST} ${masterPort} 1`,
    'sentinel down-after-milliseconds fleet 500',
    'sentinel failover-timeout fleet 3000',
  ];
  writeFileSync(file, lines.join('\n'));
  return startRedis([file, '--port', String(port), '--sentinel']);
}

/** Asks a server, and resolves with what it printed. */
async function ask(port: number, ...command: string[]): Promise<string> {
  return (await execute('redis-cli', ['-h', HOST, '-p', String(port), ...command])).stdout;
}

/** Waits until something is so. What throws is not so yet. */
async function becomes(isSo: () => Promise<boolean>): Promise<void> {
  let last: unknown;
  for (const from = performance.now(); performance.now() - from < MAX_WAIT_MS; await pause(100)) {
    try {
      if (await isSo()) {
        return;
      }
    } catch (error) {
      last = error;
    }
  }
  throw new Error('it did not happen within a minute', { cause: last });
}
