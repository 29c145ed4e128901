import { beforeEach, describe, expect, test } from '@jest/globals';
import type { SharedArtifactStore, TargetClientConfig } from '../src/index.js';
import { flagsArtifact } from './fixtures/flags.js';
import { type MemoryStore, memoryStore } from './fixtures/memory-store.js';
import { type Script, status } from './recording-fetch.js';
import { fakeTimers, held, pass, releaseOf, served, withScripts } from './scripted-cdn.js';
import { listeningLogger, targetErrorOf, withEdge } from './with-edge.js';

const bench = withEdge();
const startWith = withScripts();
const MINUTE = 60_000;
const KEY = 'https://assets.adobetarget.com/demo/production/v1/rules.json';
const NEVER = new Promise(() => undefined);
const [A, B] = [
  { release: 'A', etag: '"a"' },
  { release: 'B', etag: '"b"' },
];
const textOf = (release: string) => JSON.stringify(flagsArtifact({ release }));

/** A process of a fleet, with what it warns of. */
function pod(
  artifactStore: SharedArtifactStore,
  downloads: readonly Script[],
  config: Partial<TargetClientConfig> = {},
) {
  const { logger, lines } = listeningLogger();
  return { ...startWith({ artifactStore, logger, ...config }, { downloads }), lines };
}

const artifactOf = ({ client }: ReturnType<typeof pod>) => client.stats().artifact;

/** Two processes that decide by A, of which the first learns of B at its next poll. */
async function fleet(store: MemoryStore, ofSecond: Script = status(304)) {
  const first = pod(store, [served(A), served(B), status(304)]);
  await pass(300);
  const second = pod(store, [ofSecond]);
  await pass(300);
  return { first, second };
}

/** Lets time pass until the store holds the second version. */
async function untilOffered(store: MemoryStore, count = 2): Promise<void> {
  for (let step = 0; step < 20_000 && store.count('offer') < count; step += 1) {
    await pass(100);
  }
}

describe('a fleet with a shared store', () => {
  beforeEach(fakeTimers);

  test('starts with one download', async () => {
    const store = memoryStore();
    const pods = Array.from({ length: 5 }, () => pod(store, [served(A)]));
    await pass(300);
    for (const { client } of pods) {
      expect(await releaseOf(client)).toBe('A');
      expect(client.stats()).toMatchObject({ status: 'live', artifactStore: { state: 'ok', failures: 0 } });
    }
    expect(pods.flatMap(({ downloads }) => downloads)).toHaveLength(1);
    expect(store.kept.get(KEY)?.text).toBe(textOf('A'));
  });

  test('changes to a new version at one time', async () => {
    const store = memoryStore();
    const { first, second } = await fleet(store);
    await untilOffered(store);
    await pass(4200);
    const [{ id }, { id: other }] = [artifactOf(first) ?? {}, artifactOf(second) ?? {}];
    expect(id).toMatch(/^[0-9a-f]{16}$/);
    expect(other).toBe(id);
    for (const one of [first, second]) {
      expect(await releaseOf(one.client)).toBe('A');
      expect(artifactOf(one)).toMatchObject({ pendingId: store.kept.get(KEY)?.id });
      expect(artifactOf(one)?.activatesInMs).toBeLessThanOrEqual(800);
    }
    await pass(900);
    for (const one of [first, second]) {
      expect(await releaseOf(one.client)).toBe('B');
      expect(artifactOf(one)).toMatchObject({ id: store.kept.get(KEY)?.id });
      expect(artifactOf(one)?.pendingId).toBeUndefined();
      expect(one.client.stats().status).toBe('live');
    }
    const full = second.downloads.filter(({ init }) => !new Headers(init.headers).has('If-None-Match'));
    expect(full).toHaveLength(0);
    expect(second.heard.artifactDownloadSucceeded.at(-1)?.artifactPayload).toEqual(
      flagsArtifact({ release: 'B' }),
    );
  });

  test('decides by the new version when the timers of a frozen process are late', async () => {
    const store = memoryStore();
    const { first, second } = await fleet(store);
    await untilOffered(store);
    await pass(4200);
    // The clock goes on, and no timer runs.
    const { now } = performance;
    performance.now = () => now.call(performance) + 10_000;
    try {
      expect(await releaseOf(first.client)).toBe('B');
      expect(await releaseOf(second.client)).toBe('B');
    } finally {
      performance.now = now;
    }
  });

  test('asks the CDN with one ticket', async () => {
    const store = memoryStore({ pollingIntervalMs: 10_000 });
    const pods = Array.from({ length: 20 }, () => pod(store, [served(A), status(304)]));
    await pass(30 * MINUTE);
    const asked = pods.flatMap(({ downloads }) => downloads).length;
    // Each asks once in 5 minutes without a store: 120 times.
    expect(asked).toBeLessThan(70);
    expect(asked).toBeGreaterThan(6);
    for (const { client } of pods) {
      expect(client.stats().status).toBe('live');
    }
  });

  test('notices confirmations of others', async () => {
    const store = memoryStore();
    const [one, other] = [pod(store, [served(A), status(304)]), pod(store, [served(A), status(304)])];
    await pass(12 * MINUTE);
    for (const { client } of [one, other]) {
      expect(client.stats().status).toBe('live');
      expect(client.stats().artifact?.ageMs).toBeLessThan(6 * MINUTE);
    }
  });

  test('becomes `cached` when nobody reaches the CDN, and `live` again', async () => {
    const store = memoryStore();
    const { first, second } = await fleet(store);
    const down = pod(store, [status(503)]);
    await pass(300);
    expect(await releaseOf(down.client)).toBe('A');
    await first.client.close();
    await second.client.close();
    await pass(20 * MINUTE);
    expect(down.client.stats().status).toBe('cached');
    const up = pod(store, [served(A), status(304)]);
    await pass(6 * MINUTE);
    expect(up.client.stats().status).toBe('live');
    expect(down.heard.statusChanged.map((event) => event.status)).toEqual(
      expect.arrayContaining(['live', 'cached', 'live']),
    );
    expect(down.heard.statusChanged.length).toBeGreaterThanOrEqual(3);
  });

  test('fills a store that was emptied, once', async () => {
    const store = memoryStore();
    const { first, second } = await fleet(store, served(A));
    store.kept.clear();
    await pass(3000);
    expect(store.kept.get(KEY)).toBeDefined();
    expect(first.downloads.length + second.downloads.length).toBe(2);
    expect(await releaseOf(second.client)).toMatch(/[AB]/);
  });

  test.each<[string, Partial<{ text: string; id: string }>]>([
    ['a text that is no artifact', { text: '{}', id: '44136fa355b3678a' }],
    ['a text of another id', { text: textOf('evil'), id: '0123456789abcdef' }],
    ['an id that is none', { text: textOf('evil'), id: '*' }],
    ['no text', { text: undefined as unknown as string }],
  ])('repairs a store with %s, once', async (_, forged) => {
    const store = memoryStore();
    const { first, second } = await fleet(store, served(A));
    const good = store.kept.get(KEY);
    if (!good) {
      throw new Error('nothing is stored');
    }
    store.kept.set(KEY, { ...good, id: 'fedcba9876543210', ...forged });
    await pass(9000);
    expect(store.kept.get(KEY)?.text).toMatch(/"[AB]"/);
    expect(first.downloads.length + second.downloads.length).toBe(2);
    expect([first, second].flatMap(({ lines }) => lines.warn).length).toBeGreaterThanOrEqual(1);
    for (const { client, lines } of [first, second]) {
      expect(await releaseOf(client)).toMatch(/[AB]/);
      expect(lines.warn.filter((line) => line.includes('holds nothing of use')).length).toBeLessThanOrEqual(
        1,
      );
    }
  });

  test('follows no older version, and repairs the store', async () => {
    const store = memoryStore();
    const older = served({ ...A, generatedAt: '2026-01-01T00:00:00Z' });
    const newer = served({ ...B, generatedAt: '2026-02-01T00:00:00Z' });
    const before = pod(store, [older]);
    await pass(300);
    const old = store.kept.get(KEY);
    const after = pod(store, [newer], { pollingInterval: 300_000 });
    await after.client.refresh();
    await pass(6000);
    expect(await releaseOf(before.client)).toBe('B');
    store.kept.set(KEY, { ...(old as NonNullable<typeof old>), seenMs: performance.now() });
    await pass(200);
    const release = await releaseOf(after.client);
    await pass(12_000);
    expect([release, await releaseOf(after.client)]).toEqual(['B', 'B']);
  });

  test('follows what `refresh()` of one process brought, although it is older', async () => {
    const store = memoryStore();
    const newer = served({ ...B, generatedAt: '2026-02-01T00:00:00Z' });
    const older = served({ ...A, generatedAt: '2026-01-01T00:00:00Z' });
    const first = pod(store, [newer, older]);
    await pass(300);
    const second = pod(store, [newer]);
    await pass(300);
    await first.client.refresh();
    await pass(6000);
    expect(await releaseOf(first.client)).toBe('A');
    expect(await releaseOf(second.client)).toBe('A');
  });

  test('reads what the store has when the CDN brings an older version', async () => {
    const store = memoryStore();
    const first = pod(store, [served(A), served(B), status(304)]);
    await pass(300);
    await first.client.refresh();
    await pass(6000);
    const lagging = pod(store, [served(A), served(A)], {
      artifactPayload: flagsArtifact({ release: 'payload' }),
    });
    await pass(2000);
    expect(await releaseOf(lagging.client)).toBe('B');
    // Ten minutes after a change nobody lags any more, and an offer without a date counts as new.
    await pass(8 * MINUTE);
    expect(await releaseOf(lagging.client)).toBe('B');
    expect(store.kept.get(KEY)?.text).toBe(textOf('B'));
  });

  test('never asks the CDN with a polling interval of 0', async () => {
    const store = memoryStore();
    const offline = pod(store, [served(A)], { pollingInterval: 0 });
    await pass(MINUTE);
    expect(offline.client.stats().status).toBe('waiting');
    const online = pod(store, [served(A), served(B), status(304)]);
    await pass(3000);
    expect(await releaseOf(offline.client)).toBe('A');
    await untilOffered(store);
    await pass(6000);
    expect(await releaseOf(offline.client)).toBe('B');
    expect(offline.downloads).toHaveLength(0);
    expect(await releaseOf(online.client)).toBe('B');
  });
});

describe('a shared store that fails', () => {
  beforeEach(fakeTimers);
  const down = () =>
    Promise.reject(Object.assign(new Error('redis://:secret@host'), { name: 'SocketClosedError' }));

  test.each<[string, () => unknown]>([
    ['rejects', down],
    ['never answers', () => NEVER],
    ['answers with anything', () => 42],
  ])('costs a start a quarter of a second when it %s', async (_, fault) => {
    const store = memoryStore();
    store.fault = fault;
    const { client, downloads } = pod(store, [served(A)]);
    const ready = client.ready();
    await pass(260);
    expect(downloads.length).toBeGreaterThanOrEqual(1);
    await pass(2000);
    await ready;
    expect(await releaseOf(client)).toBe('A');
    expect(client.stats().artifactStore?.failures).toBeGreaterThan(0);
  });

  test('is left alone for a while, raises one event each time, and its secrets stay hidden', async () => {
    const store = memoryStore();
    const { client, heard, lines } = pod(store, [served(A), status(304)]);
    await pass(2000);
    store.fault = down;
    const before = store.calls.length;
    await pass(5 * MINUTE);
    expect(store.calls.length - before).toBeLessThan(40);
    expect(heard.artifactStoreChanged).toMatchObject([{ state: 'failing' }]);
    expect(client.stats().artifactStore).toMatchObject({ state: 'failing', lastError: 'SocketClosedError' });
    store.fault = undefined;
    await pass(MINUTE);
    expect(heard.artifactStoreChanged).toMatchObject([{ state: 'failing' }, { state: 'ok' }]);
    const said = JSON.stringify([
      lines,
      heard.artifactStoreChanged.map(({ error }) => [String(error), String(error?.cause)]),
    ]);
    expect(said).not.toContain('secret');
    expect(lines.warn.filter((line) => line.includes('store'))).toHaveLength(1);
    expect(lines.info.filter((line) => line.includes('store'))).toHaveLength(1);
  });

  test('leaves a process that works as without a store', async () => {
    const store = memoryStore();
    const { client, downloads } = pod(store, [served(A), served(B), status(304)]);
    await pass(2000);
    store.fault = () => NEVER;
    await pass(6 * MINUTE);
    expect(await releaseOf(client)).toBe('B');
    expect(downloads.length).toBeGreaterThanOrEqual(2);
    expect(client.stats().status).toBe('live');
  });

  test('that takes an offer and answers too late is waited for as by the other processes', async () => {
    const store = memoryStore();
    const first = pod(store, [served(A), served(B)]);
    const other = pod(store, [served(A), status(304)]);
    await pass(2000);
    const { offer } = store;
    const late: SharedArtifactStore['offer'] = async (...args) => {
      await offer(...args);
      return NEVER as Promise<never>;
    };
    store.offer = late;
    void first.client.refresh();
    await pass(1500);
    expect([await releaseOf(first.client), await releaseOf(other.client)]).toEqual(['A', 'A']);
    await pass(4000);
    expect([await releaseOf(first.client), await releaseOf(other.client)]).toEqual(['B', 'B']);
  });

  test('has at most one call of each kind under way', async () => {
    const store = memoryStore();
    pod(store, [served(A), status(304)]);
    await pass(2000);
    const open = new Map<string, number>();
    let most = 0;
    store.fault = (call) => {
      open.set(call, (open.get(call) ?? 0) + 1);
      most = Math.max(most, ...open.values());
      return NEVER;
    };
    await pass(25_000);
    expect(most).toBe(1);
  });

  test('aborts the signal of a call that is given up', async () => {
    const store = memoryStore();
    const signals: AbortSignal[] = [];
    const peek: SharedArtifactStore['peek'] = (key, options) => {
      signals.push(options.signal);
      return signals.length > 1 ? (NEVER as Promise<never>) : store.peek(key, options);
    };
    const { client } = pod({ ...store, peek }, [served(A), status(304)]);
    await pass(4000);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, true]);
    await client.close();
  });
});

describe('the start with a shared store', () => {
  beforeEach(fakeTimers);

  test('uses the payload first, and then what the fleet uses', async () => {
    const store = memoryStore();
    await fleet(store);
    const { client, downloads } = pod(store, [served(B)], {
      artifactPayload: flagsArtifact({ release: 'payload' }),
    });
    await client.ready();
    expect(await releaseOf(client)).toBe('payload');
    await pass(300);
    expect(await releaseOf(client)).toBe('A');
    expect(client.stats()).toMatchObject({ status: 'live', artifact: { source: 'store' } });
    expect(downloads).toHaveLength(0);
  });

  test('asks the CDN at once when nobody has confirmed the version of the store lately', async () => {
    const store = memoryStore();
    const { first, second } = await fleet(store);
    await first.client.close();
    await second.client.close();
    await pass(60 * MINUTE);
    const cdn = held(served(B));
    const { client, downloads } = pod(store, [cdn.script]);
    await pass(200);
    expect(await releaseOf(client)).toBe('A');
    expect(client.stats().status).toBe('cached');
    expect(downloads).toHaveLength(1);
    cdn.release();
    await pass(6000);
    expect(await releaseOf(client)).toBe('B');
    expect(client.stats().status).toBe('live');
  });

  test('keeps nothing alive after `close`', async () => {
    const store = memoryStore();
    const { client } = pod(store, [served(A)]);
    await pass(300);
    await client.close();
    const before = store.calls.length;
    await pass(10 * MINUTE);
    expect(store.calls.length).toBe(before);
  });
});

describe('the option artifactStore', () => {
  test.each<[string, unknown, string]>([
    ['a store without peek', { ...memoryStore(), peek: undefined }, 'artifactStore'],
    [
      'a store whose interval is too short',
      { ...memoryStore(), pollingIntervalMs: 1 },
      'artifactStore.pollingIntervalMs',
    ],
    [
      'a store without an interval',
      { ...memoryStore(), pollingIntervalMs: undefined },
      'artifactStore.pollingIntervalMs',
    ],
    [
      'a store with a wrong delay',
      { ...memoryStore(), activationDelayMs: -1 },
      'artifactStore.activationDelayMs',
    ],
  ])('refuses %s', async (_, store, path) => {
    const error = await targetErrorOf(() => bench.connect({ artifactStore: store as SharedArtifactStore }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_CONFIG', path });
  });
});
