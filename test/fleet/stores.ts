import { equal, ok, rejects } from 'node:assert/strict';
import { brotliCompressSync, constants } from 'node:zlib';
import type { RedisLike } from '../../src/stores/redis.js';
import { offered, STORE_RULES } from '../stores/contract.js';
import { commandOf, type Library, type Servers } from './redis-clients.js';
import { startRedis } from './redis-server.js';
import type { FleetRun } from './run.js';

export type Stores = typeof import('target-node-sdk/stores/redis');

const { signal } = new AbortController();
const options = { signal };
/** The secret of all stores here. */
export const SECRET = 'cnrySecret';
let count = 0;

/** Checks the store on Redis with every library, one after the other. */
export async function checkStores({ report, sandbox, libraries }: FleetRun): Promise<void> {
  const { redisArtifactStore } = sandbox.require('target-node-sdk/stores/redis') as Stores;
  const server = await startRedis();
  const one = await libraries[0]?.open(server.port);
  try {
    for (const library of libraries) {
      await checkLibrary({ report, library, redisArtifactStore }, server.port);
    }
    if (one) {
      await checkContents(report, redisArtifactStore, one.client);
    }
  } finally {
    await one?.close();
    await server.stop();
  }
}

/** What the checks of a library need. */
export interface LibraryRow extends Pick<FleetRun, 'report'> {
  readonly library: Library;
  readonly redisArtifactStore: Stores['redisArtifactStore'];
}

/** Checks all promises of a store with a library, on the server or the servers of a port. */
export async function checkLibrary(
  { report, library, redisArtifactStore }: LibraryRow,
  port: number,
  kind: Servers['kind'] = 'single',
): Promise<void> {
  const { client, close } = await library.open(port, { kind });
  const server = kind === 'single' ? 'one server' : `a ${kind}`;
  try {
    const store = redisArtifactStore(client, { secret: SECRET });
    for (const rule of STORE_RULES) {
      await report.check(`${library.name}, ${server}: ${rule.name}`, () => rule.check(store, newKey()));
    }
    if (kind === 'single') {
      await report.check(`${library.name}: a server that forgot the scripts is sent them again`, async () => {
        const key = newKey();
        await store.offer(key, offered('1'), options);
        await commandOf(client)(['SCRIPT', 'FLUSH']);
        equal((await store.read(key, options))?.text, '1');
        equal(await store.confirm(key, offered('1').id, options), true);
        equal((await store.offer(key, offered('1'), options)).verdict, 'same');
      });
      const wrongType = `${library.name}: a key of another type counts as damage, and a forced offer replaces it`;
      await report.check(wrongType, async () => {
        const key = newKey();
        const isDamaged = { code: 'ERR_TARGET_ARTIFACT' };
        await commandOf(client)(['SET', nameOf(key), 'text']);
        await rejects(async () => store.peek(key, options), isDamaged);
        await rejects(async () => store.read(key, options), isDamaged);
        await rejects(async () => store.offer(key, offered('1'), options), isDamaged);
        equal((await store.offer(key, offered('1', { isForced: true }), options)).verdict, 'taken');
        equal((await store.read(key, options))?.text, '1');
      });
    }
  } finally {
    await close();
  }
}

async function checkContents(
  report: FleetRun['report'],
  redisArtifactStore: Stores['redisArtifactStore'],
  client: RedisLike,
): Promise<void> {
  const command = commandOf(client);
  const store = redisArtifactStore(client, { secret: SECRET });
  const isDamaged = { code: 'ERR_TARGET_ARTIFACT' };
  const params = { [constants.BROTLI_PARAM_QUALITY]: 1 };
  const bomb = brotliCompressSync(Buffer.alloc(40 * 1024 * 1024), { params }).toString('base64');
  const changes: Record<string, string[]> = {
    'a truncated body': ['body', 'AAAA'],
    'a body that becomes 40 MiB': ['body', bomb, 'bytes', String(40 * 1024 * 1024)],
    'another body': ['body', brotliCompressSync('evil').toString('base64'), 'bytes', '4'],
    'another etag': ['etag', '"evil"'],
    'another order': ['order', '99'],
    'another force': ['forced', '1'],
    'no signature': ['mac', ''],
    'another encoding': ['enc', 'gzip'],
  };
  for (const [what, fields] of Object.entries(changes)) {
    await report.check(`the store refuses ${what}, and a forced offer repairs it`, async () => {
      const key = newKey();
      const artifact = offered('good', { order: 1, etag: '"good"' });
      await store.offer(key, artifact, options);
      await command(['HSET', nameOf(key), ...fields]);
      await rejects(async () => store.read(key, options), isDamaged);
      await store.offer(key, { ...artifact, isForced: true }, options);
      equal((await store.read(key, options))?.text, 'good');
    });
  }
  await report.check('secrets can be changed one after the other', async () => {
    const key = newKey();
    const [older, both, newer] = ['old', ['new', 'old'], 'new'].map((secret) =>
      redisArtifactStore(client, { secret }),
    );
    await older?.offer(key, offered('by old'), options);
    equal((await both?.read(key, options))?.text, 'by old');
    await rejects(async () => newer?.read(key, options), isDamaged);
    await both?.offer(key, offered('by new', { isForced: true }), options);
    equal((await newer?.read(key, options))?.text, 'by new');
    await rejects(async () => older?.read(key, options), isDamaged);
  });
  await report.check('a checksum is no signature', async () => {
    const key = newKey();
    await redisArtifactStore(client).offer(key, offered('unsigned'), options);
    await rejects(async () => store.read(key, options), isDamaged);
  });
  await report.check('an artifact of another key is refused', async () => {
    const [from, to] = [newKey(), newKey()];
    await store.offer(from, offered('staging'), options);
    await command(['COPY', nameOf(from), nameOf(to)]);
    await rejects(async () => store.read(to, options), isDamaged);
  });
  await report.check('the artifact has a lifetime, which confirmations renew', async () => {
    const key = newKey();
    const brief = redisArtifactStore(client, { secret: SECRET, ttl: 100_000 });
    await brief.offer(key, offered('1'), options);
    await command(['PEXPIRE', nameOf(key), '50000']);
    await brief.confirm(key, offered('1').id, options);
    const left = Number(await command(['PTTL', nameOf(key)]));
    ok(left > 50_000 && left <= 100_000, String(left));
  });
}

/** A key that no other check uses. */
export function newKey(): string {
  count += 1;
  return `https://assets.example.com/demo/${count}/rules.json`;
}

function nameOf(key: string): string {
  return `target:{${encodeURIComponent(key)}}:artifact`;
}
