import { beforeEach, describe, expect, test } from '@jest/globals';
import type { SharedArtifactStore, TargetClientConfig } from '../src/index.js';
import { flagsArtifact } from './fixtures/flags.js';
import { memoryStore } from './fixtures/memory-store.js';
import { answer, type Script, status } from './recording-fetch.js';
import { fakeTimers, pass, releaseOf, served, withScripts } from './scripted-cdn.js';
import { listeningLogger } from './with-edge.js';

const startWith = withScripts();
const MINUTE = 60_000;
const KEY = 'https://assets.adobetarget.com/demo/production/v1/rules.json';
const A = { release: 'A', etag: '"a"' };
const NEVER = new Promise<never>(() => undefined);

/** A process of a fleet, with what it logs. */
function pod(
  artifactStore: SharedArtifactStore,
  downloads: readonly Script[],
  config: Partial<TargetClientConfig> = {},
) {
  const { logger, lines } = listeningLogger();
  return { ...startWith({ artifactStore, logger, ...config }, { downloads }), lines };
}

/** A CDN that takes some time. */
function slow(script: Script, ms: number): Script {
  return async (call) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return script(call);
  };
}

/** An artifact without rules and names, dated or not. */
function blankArtifact(generatedAt?: string) {
  const names = { localMboxes: [], remoteMboxes: [], localViews: [], remoteViews: [] };
  const artifact = flagsArtifact({ release: 'none', ...(generatedAt && { generatedAt }) });
  return { ...artifact, ...names, rules: { mboxes: {}, views: {} } };
}

const blank = (generatedAt?: string) => answer(blankArtifact(generatedAt));

const downloadsOf = (pods: readonly ReturnType<typeof pod>[]) => pods.flatMap(({ downloads }) => downloads);

describe('a fleet that starts together', () => {
  beforeEach(fakeTimers);

  test.each([0, 100, 300, 1000, 1500])('makes one download from a CDN that takes %i ms', async (ms) => {
    const store = memoryStore();
    const pods = Array.from({ length: 20 }, () => pod(store, [slow(served(A), ms)]));
    const ready = Promise.all(pods.map(({ client }) => client.ready()));
    await pass(ms + 250);
    await ready;
    await pass(5000);
    expect(downloadsOf(pods)).toHaveLength(1);
    expect(await Promise.all(pods.map(({ client }) => releaseOf(client)))).toEqual(Array(20).fill('A'));
    expect(store.kept.get(KEY)?.text).toContain('"A"');
  });

  test('makes one download when the store is damaged', async () => {
    const store = memoryStore();
    const entry = { text: '{}', id: '44136fa355b3678a', isForced: false, past: [], atMs: 0, seenMs: 0 };
    store.kept.set(KEY, entry);
    const pods = Array.from({ length: 20 }, () => pod(store, [slow(served(A), 1000)]));
    await pass(5000);
    expect(downloadsOf(pods)).toHaveLength(1);
    expect(await Promise.all(pods.map(({ client }) => releaseOf(client)))).toEqual(Array(20).fill('A'));
  });

  test('asks the CDN each for itself when the one that downloads takes too long', async () => {
    const store = memoryStore();
    const hanging = pod(store, [() => NEVER]);
    await pass(50);
    const other = pod(store, [served(A)]);
    await pass(1500);
    expect(other.downloads).toHaveLength(0);
    await pass(1000);
    expect(await releaseOf(other.client)).toBe('A');
    await pass(1500);
    expect(hanging.client.stats().artifact?.source).toBe('store');
  });

  test.each<[string, string, () => unknown]>([
    ['rejects reads', 'read', () => Promise.reject(new Error('down'))],
    ['answers no read', 'read', () => NEVER],
    ['answers no claim', 'claim', () => NEVER],
    ['rejects claims', 'claim', () => Promise.reject(new Error('down'))],
  ])('does not wait for a store that %s', async (_, kind, fault) => {
    const store = memoryStore();
    await store.claim(KEY, MINUTE, { signal: new AbortController().signal });
    store.fault = (call) => (call === kind ? fault() : undefined);
    const { client, downloads } = pod(store, [served(A)]);
    await pass(300);
    expect(downloads).toHaveLength(1);
    expect(await releaseOf(client)).toBe('A');
  });

  test('keeps the limit of `ready`, and ends at `close`', async () => {
    const store = memoryStore();
    pod(store, [() => NEVER]);
    await pass(50);
    const { client, downloads } = pod(store, [served(A)]);
    const ready = client.ready({ timeout: 1000 }).catch((error: unknown) => error);
    await pass(1000);
    expect(await ready).toMatchObject({ code: 'ERR_TARGET_NOT_READY' });
    await client.close();
    await pass(5000);
    expect(downloads).toHaveLength(0);
  });
});

describe('a first artifact without rules', () => {
  beforeEach(fakeTimers);

  const reads: [string, (store: SharedArtifactStore) => SharedArtifactStore][] = [
    [
      'is slow',
      (store) => ({
        ...store,
        read: async (...args) => {
          await new Promise((resolve) => setTimeout(resolve, 400));
          return store.read(...args);
        },
      }),
    ],
    [
      'fails once',
      (store) => {
        let isFirst = true;
        const read: SharedArtifactStore['read'] = (...args) => {
          const fails = isFirst;
          isFirst = false;
          return fails ? Promise.reject(new Error('down')) : store.read(...args);
        };
        return { ...store, read };
      },
    ],
  ];
  test.each(
    reads.flatMap(([name, wrap]) =>
      [undefined, '2026-03-01T00:00:00Z'].map((date) => [name, date, wrap] as const),
    ),
  )('empties no fleet when the read of the store %s (dated %s)', async (_, date, wrap) => {
    const store = memoryStore();
    const first = pod(store, [served({ ...A, generatedAt: '2026-01-01T00:00:00Z' }), status(304)]);
    await pass(MINUTE);
    const second = pod(wrap(store), [blank(date)]);
    await pass(20_000);
    expect(second.downloads.length).toBeGreaterThanOrEqual(1);
    expect(store.kept.get(KEY)?.text).toContain('"A"');
    expect([await releaseOf(first.client), await releaseOf(second.client)]).toEqual(['A', 'A']);
  });

  test('empties no fleet in a process that began with a payload without rules', async () => {
    const store = memoryStore();
    const first = pod(store, [served(A), status(304)]);
    await pass(MINUTE);
    store.fault = (call) => (call === 'read' ? NEVER : undefined);
    const second = pod(store, [blank()], { artifactPayload: blankArtifact() });
    await pass(400);
    const refreshed = second.client.refresh();
    await pass(2000);
    await refreshed;
    store.fault = undefined;
    await pass(MINUTE);
    expect(store.kept.get(KEY)?.text).toContain('"A"');
    expect([await releaseOf(first.client), await releaseOf(second.client)]).toEqual(['A', 'A']);
  });

  test('is used by an account without activities, and shared when a second download confirms it', async () => {
    const store = memoryStore();
    const pods = Array.from({ length: 5 }, () => pod(store, [blank()]));
    const ready = Promise.all(pods.map(({ client }) => client.ready()));
    await pass(5000);
    await ready;
    expect(store.kept.get(KEY)?.text).toBe(JSON.stringify(blankArtifact()));
    expect(downloadsOf(pods)).toHaveLength(2);
    for (const { client } of pods) {
      expect(await releaseOf(client)).toBeUndefined();
      expect(client.stats().status).toBe('live');
    }
  });

  test('gives way to the first artifact with rules', async () => {
    const store = memoryStore();
    const one = pod(store, [blank(), served(A)]);
    await pass(10_000);
    expect(await releaseOf(one.client)).toBe('A');
    expect(store.kept.get(KEY)?.text).toContain('"A"');
  });
});

describe('a store that is not what it was', () => {
  beforeEach(fakeTimers);

  test.each<[string, () => number | undefined]>([
    [
      'throw',
      () => {
        throw new Error('gone');
      },
    ],
    ['are undefined', () => undefined],
    ['are 0', () => 0],
  ])('is looked at as before when its times %s', async (_, later) => {
    const store = memoryStore();
    let isLater = false;
    const changed = {
      ...store,
      get pollingIntervalMs() {
        return isLater ? (later() as number) : 1000;
      },
      get activationDelayMs() {
        return isLater ? later() : 5000;
      },
    };
    const one = pod(changed, [served(A), served({ release: 'B' })]);
    await pass(500);
    isLater = true;
    const before = store.count('peek');
    await pass(10_000);
    expect(store.count('peek') - before).toBeGreaterThanOrEqual(8);
    expect(store.count('peek') - before).toBeLessThanOrEqual(12);
    await one.client.refresh();
    await pass(6000);
    expect(await releaseOf(one.client)).toBe('B');
  });

  test('gets one repair in ten seconds of a process, although it grants each ticket', async () => {
    const store = memoryStore();
    const forgetful: SharedArtifactStore = {
      ...store,
      peek: async () => undefined,
      claim: async () => true,
    };
    const one = pod(forgetful, [served(A)]);
    await pass(1000);
    const before = one.downloads.length;
    await pass(MINUTE);
    expect(one.downloads.length - before).toBeGreaterThanOrEqual(4);
    expect(one.downloads.length - before).toBeLessThanOrEqual(7);
  });

  const secret = 'redis://:secret@host';
  const faults: [string, object, string][] = [
    ['a system code', { code: 'EACCES' }, 'EACCES'],
    ['a word of Redis', { name: 'ReplyError', message: `NOAUTH ${secret}` }, 'ReplyError NOAUTH'],
    ['a word with a colon', { message: `OOM: ${secret}` }, 'OOM'],
    ['a cause', { message: secret, cause: { code: 'ECONNREFUSED' } }, 'ECONNREFUSED'],
    ['an unknown word', { message: `SECRET ${secret}` }, 'Error'],
    ['a word inside', { message: `a NOAUTH ${secret}` }, 'Error'],
    ['a longer word', { message: `NOAUTH.${secret}` }, 'Error'],
    ['a code of another form', { code: `E${secret}` }, 'Error'],
  ];
  test.each(faults)('is named by %s', async (_, fields, name) => {
    const store = memoryStore();
    store.fault = () => Promise.reject(Object.assign(new Error('?'), fields));
    const one = pod(store, [served(A)]);
    await pass(500);
    expect(one.client.stats().artifactStore?.lastError).toBe(name);
    expect(one.lines.warn.join()).toContain(`the artifact store failed (${name})`);
    expect(JSON.stringify([one.lines, one.heard.artifactStoreChanged.map(String)])).not.toContain('secret');
  });
});
