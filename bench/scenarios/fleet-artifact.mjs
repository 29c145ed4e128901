/** A store that a fleet shares: its polls, its memory, and decisions beside it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LARGE_MBOXES, largeArtifactText } from '../artifacts.mjs';
import { operations } from '../operations.mjs';
import { startRedis } from '../redis.mjs';
import { requestOf } from '../visitors.mjs';

const KEY = 'https://assets.example.com/demo/production/v1/rules.json';
const OURS = () => import('../subjects/ours.mjs');
const { signal } = new AbortController();

/** @type {import('./index.mjs').Scenario[]} */
export const scenarios = [
  {
    name: 'fleet-artifact/poll',
    what: 'one look at the store on Redis, which holds 741 KB, and the command HMGET alone',
    sides: {
      peek: operations(async () => {
        const { store } = await startStore();
        return { operation: () => store.peek(KEY, { signal }) };
      }),
      hmget: operations(async () => {
        const { redis, name } = await startStore();
        return { operation: () => redis.sendCommand(['HMGET', name, 'id', 'seen']) };
      }),
    },
    comparisons: [
      { figure: 'cpuUs', of: 'peek', to: 'hmget', costs: 1.5 },
      { figure: 'p50Us', of: 'peek', to: 'hmget', costs: 1.5 },
    ],
  },
  {
    name: 'fleet-artifact/heap',
    what: 'heap of a client with the 741 KB artifact, with and without a store of files, after GC',
    needsGc: true,
    sides: {
      store: { measure: () => heapOfClient(true) },
      alone: { measure: () => heapOfClient(false) },
    },
    comparisons: [{ figure: 'bytes', of: 'store', to: 'alone', costs: 1.05 }],
  },
  {
    name: 'fleet-artifact/decision',
    what: 'on-device getOffers of 1 mbox, with a store and an outbox (overflow), and without both',
    sides: { fleet: operations(() => startDeciding(true)), alone: operations(() => startDeciding(false)) },
    same: ['alone', 'fleet'],
    comparisons: [{ figure: 'cpuUs', of: 'fleet', to: 'alone', costs: 1.02 }],
  },
];

async function startStore() {
  const { redisArtifactStore } = await import('target-node-sdk/stores/redis');
  const redis = await startRedis();
  const store = redisArtifactStore(redis, { secret: 'secret' });
  const id = '0123456789abcdef';
  await store.offer(KEY, { text: largeArtifactText(), id, isForced: false }, { signal });
  return { redis, store, name: `target:{${encodeURIComponent(KEY)}}:artifact` };
}

async function newFileStore() {
  const { fileArtifactStore } = await import('target-node-sdk/stores/file');
  const directory = mkdtempSync(join(tmpdir(), 'target-bench-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  return fileArtifactStore({ directory });
}

/** Clients go first whose code and hidden classes stay, as in the scenarios of memory. */
async function heapOfClient(hasStore) {
  const { startOnDevice } = await OURS();
  const start = async () => {
    const artifactStore = hasStore ? await newFileStore() : undefined;
    const fetchApi = async () => new Response(largeArtifactText());
    const own = { artifactPayload: undefined, artifactLocation: KEY, pollingInterval: 3_600_000 };
    const { client } = await startOnDevice(undefined, { ...own, artifactStore, fetchApi });
    // What the store is told comes after the first decision can be made.
    await sleep(1500);
    return client;
  };
  for (let round = 0; round < 2; round++) {
    await (await start()).close();
  }
  const before = await heapInUse();
  const client = await start();
  const bytes = (await heapInUse()) - before;
  await client.close();
  return { bytes };
}

async function heapInUse() {
  let least = Number.POSITIVE_INFINITY;
  for (let unchanged = 0; unchanged < 8; unchanged++) {
    await sleep(20);
    globalThis.gc?.();
    const { heapUsed } = process.memoryUsage();
    unchanged = heapUsed < least - 1024 ? -1 : unchanged;
    least = Math.min(least, heapUsed);
  }
  return least;
}

async function startDeciding(isFleet) {
  const { startOnDevice } = await OURS();
  const more = isFleet
    ? { artifactStore: await newFileStore(), notifications: { outbox: { push: async () => undefined } } }
    : {};
  const { client, sink } = await startOnDevice(JSON.parse(largeArtifactText()), more);
  const operation = (index) =>
    client.getOffers({
      request: requestOf(index, { execute: { mboxes: [{ name: LARGE_MBOXES[0], index: 0 }] } }, 'shop'),
    });
  return { operation, sink, owed: 1 };
}
