import { deepEqual, equal, ok } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { OfferedArtifact, SharedArtifactStore } from '../../src/index.js';

/** One promise of a shared store, which every store keeps. */
export interface StoreRule {
  readonly name: string;
  check(store: SharedArtifactStore, key: string): Promise<void>;
}

const { signal } = new AbortController();
const options = { signal };

/** An artifact of a text, as a client offers it. */
export function offered(text: string, fields: Partial<OfferedArtifact> = {}): OfferedArtifact {
  const id = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return { text, id, isForced: false, ...fields };
}

/** The promises of a shared store. Its activation delay has to be at least 200 ms. */
export const STORE_RULES: readonly StoreRule[] = [
  {
    name: 'an empty store has nothing',
    check: async (store, key) => {
      equal(await store.peek(key, options), undefined);
      equal(await store.read(key, options), undefined);
      equal(await store.confirm(key, offered('x').id, options), false);
    },
  },
  {
    name: 'what is offered first is used at once, and read as it was offered',
    check: async (store, key) => {
      const first = offered('{"a":"ä€😀\\n"}', { order: 5, etag: 'W/"x"' });
      deepEqual(await store.offer(key, first, options), { verdict: 'taken', id: first.id, activeInMs: 0 });
      const read = await store.read(key, options);
      const { text, id, order, etag, isForced, activeInMs, seenMsAgo = -1 } = read ?? {};
      deepEqual({ text, id, order, etag, isForced, activeInMs }, { ...first, activeInMs: 0 });
      ok(seenMsAgo >= 0 && seenMsAgo < 60_000, String(seenMsAgo));
    },
  },
  {
    name: 'a change is used after the delay, the same version is not a change',
    check: async (store, key) => {
      const [first, second] = [offered('1'), offered('2')];
      await store.offer(key, first, options);
      const change = await store.offer(key, second, options);
      equal(change.verdict, 'taken');
      ok(change.activeInMs > 0, String(change.activeInMs));
      const read = await store.read(key, options);
      ok((read?.activeInMs ?? 99_999) <= change.activeInMs + 50, String(read?.activeInMs));
      const same = await store.offer(key, second, options);
      equal(same.verdict, 'same');
      ok(same.activeInMs <= change.activeInMs + 50);
    },
  },
  {
    name: 'a look tells the time until a change, as far as it tells one',
    check: async (store, key) => {
      const [first, second] = [offered('1'), offered('2')];
      await store.offer(key, first, options);
      equal((await store.peek(key, options))?.activeInMs ?? 0, 0);
      await store.peek(key, options);
      const { activeInMs } = await store.offer(key, second, options);
      const looks = [await store.peek(key, options), await store.peek(key, options)];
      for (const look of looks) {
        equal(look?.id, second.id);
        const leftMs = look?.activeInMs ?? activeInMs;
        ok(leftMs > 0 && leftMs <= activeInMs + 50, String(leftMs));
      }
    },
  },
  {
    name: 'a version that is repaired before its moment keeps the moment',
    check: async (store, key) => {
      const [first, second] = [offered('1'), offered('2')];
      await store.offer(key, first, options);
      const { activeInMs } = await store.offer(key, second, options);
      const repaired = await store.offer(key, { ...second, isForced: true }, options);
      equal(repaired.verdict, 'taken');
      ok(repaired.activeInMs > 0 && repaired.activeInMs <= activeInMs + 50, String(repaired.activeInMs));
    },
  },
  {
    name: 'offers in any order leave the newest',
    check: async (store, key) => {
      const all = Array.from({ length: 12 }, (_, order) => offered(`v${order}`, { order }));
      const shuffled = all.toSorted(() => Math.random() - 0.5);
      await Promise.all(shuffled.map((artifact) => store.offer(key, artifact, options)));
      equal((await store.read(key, options))?.text, 'v11');
      const late = await store.offer(key, offered('v3', { order: 3 }), options);
      deepEqual(late, { verdict: 'older', id: all.at(-1)?.id, activeInMs: 0 });
    },
  },
  {
    name: 'without an order, a version that was just replaced does not come back',
    check: async (store, key) => {
      const [a, b] = [offered('a'), offered('b')];
      await store.offer(key, a, options);
      await store.offer(key, b, options);
      equal((await store.offer(key, a, options)).verdict, 'older');
      equal((await store.peek(key, options))?.id, b.id);
    },
  },
  {
    name: 'a forced offer replaces a newer version',
    check: async (store, key) => {
      const [older, newer] = [offered('older', { order: 1 }), offered('newer', { order: 2 })];
      await store.offer(key, newer, options);
      equal((await store.offer(key, { ...older, isForced: true }, options)).verdict, 'taken');
      const read = await store.read(key, options);
      deepEqual([read?.text, read?.isForced], ['older', true]);
    },
  },
  {
    name: 'a confirmation changes the mark, and is refused for another version',
    check: async (store, key) => {
      const [a, b] = [offered('a'), offered('b')];
      await store.offer(key, a, options);
      const before = await store.peek(key, options);
      await new Promise((resolve) => setTimeout(resolve, 20));
      equal(await store.confirm(key, b.id, options), false);
      const { id, seen } = (await store.peek(key, options)) ?? {};
      deepEqual([id, seen], [before?.id, before?.seen]);
      equal(await store.confirm(key, a.id, options), true);
      const after = await store.peek(key, options);
      equal(after?.id, a.id);
      ok(after?.seen !== before?.seen, String(after?.seen));
    },
  },
  {
    name: 'one of all gets a ticket, and another one after its time',
    check: async (store, key) => {
      const claims = await Promise.all(
        Array.from({ length: 20 }, () => store.claim(`${key}:once`, 60_000, options)),
      );
      equal(claims.filter((isGranted) => isGranted).length, 1);
      equal(await store.claim(`${key}:heal`, 60_000, options), true);
      equal(await store.claim(`${key}:heal`, 60_000, options), false);
      for (let tried = 0; tried < 200; tried += 1) {
        if (await store.claim(key, 300, options)) {
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error('the ticket was never free again');
    },
  },
  {
    name: 'two keys have nothing to do with each other',
    check: async (store, key) => {
      const other = `${key}?other={1}`;
      await store.offer(key, offered('one'), options);
      equal(await store.peek(other, options), undefined);
      await store.offer(other, offered('two'), options);
      equal((await store.read(key, options))?.text, 'one');
      equal(await store.claim(key, 60_000, options), true);
      equal(await store.claim(other, 60_000, options), true);
    },
  },
  {
    name: 'a large text comes back whole',
    check: async (store, key) => {
      const text = JSON.stringify(
        Array.from({ length: 20_000 }, (_, index) => `rule ${index} ${index * 7919}`),
      );
      await store.offer(key, offered(text), options);
      equal((await store.read(key, options))?.text, text);
    },
  },
];
