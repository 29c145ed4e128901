import { beforeEach, describe, expect, test } from '@jest/globals';
import { type SharedArtifactStore, TargetError } from '../src/index.js';
import { flagsArtifact } from './fixtures/flags.js';
import { type MemoryStore, memoryStore } from './fixtures/memory-store.js';
import { type Script, status } from './recording-fetch.js';
import { fakeTimers, pass, releaseOf, served, withScripts } from './scripted-cdn.js';
import { listeningLogger } from './with-edge.js';

const startWith = withScripts();
const MINUTE = 60_000;
const KEY = 'https://assets.adobetarget.com/demo/production/v1/rules.json';
const [A, B] = [
  { release: 'A', etag: '"a"' },
  { release: 'B', etag: '"b"' },
];
const NEVER = new Promise<never>(() => undefined);
const down = () => Promise.reject(Object.assign(new Error('down'), { name: 'ReplyError' }));
const isWrite = (call: string) => !['peek', 'read'].includes(call);

/** A process of a fleet, with what it logs. */
function pod(artifactStore: SharedArtifactStore, downloads: readonly Script[]) {
  const { logger, lines } = listeningLogger();
  return { ...startWith({ artifactStore, logger }, { downloads }), lines };
}

const statesOf = ({ heard }: ReturnType<typeof pod>) => heard.artifactStoreChanged.map(({ state }) => state);

/** Puts a version into a store as another process would. */
async function put(store: MemoryStore, release: string): Promise<void> {
  const { createHash } = await import('node:crypto');
  const text = JSON.stringify(flagsArtifact({ release }));
  const id = createHash('sha256').update(text).digest('hex').slice(0, 16);
  store.kept.set(KEY, { text, id, isForced: false, past: [], atMs: 0, seenMs: performance.now() });
}

describe('a shared store that can only be read', () => {
  beforeEach(fakeTimers);

  test('fails until it can be written again, which is told once, and is read meanwhile', async () => {
    const store = memoryStore();
    const one = pod(store, [served(A), status(304)]);
    await pass(2000);
    store.fault = (call) => (isWrite(call) ? down() : undefined);
    await pass(20 * MINUTE);
    expect(statesOf(one)).toEqual(['failing']);
    expect(one.lines.warn.filter((line) => line.includes('the artifact store failed'))).toHaveLength(2);
    const before = store.count('peek');
    await pass(MINUTE);
    expect(store.count('peek') - before).toBeGreaterThan(50);
    await put(store, 'C');
    await pass(6000);
    expect(await releaseOf(one.client)).toBe('C');
    store.fault = undefined;
    await pass(MINUTE);
    expect(statesOf(one)).toEqual(['failing', 'ok']);
  });

  test('fails while tickets are refused, although offers are taken', async () => {
    const store = memoryStore();
    const one = pod(
      store,
      ['A', 'B', 'C', 'D', 'E'].map((release) => served({ release })),
    );
    await pass(2000);
    store.fault = (call) => (call === 'claim' ? down() : undefined);
    await pass(30 * MINUTE);
    expect(store.count('offer')).toBeGreaterThan(4);
    expect(store.kept.get(KEY)?.text).toContain('"E"');
    expect(statesOf(one)).toEqual(['failing']);
  });

  test('does not bring back the version that a process replaced alone', async () => {
    const store = memoryStore();
    const one = pod(store, [served(A), served(B)]);
    await pass(2000);
    store.fault = (call) => (isWrite(call) ? down() : undefined);
    await one.client.refresh();
    await pass(4 * MINUTE);
    expect(await releaseOf(one.client)).toBe('B');
    expect(one.heard.artifactDownloadSucceeded).toHaveLength(2);
    store.fault = undefined;
    await pass(2 * MINUTE);
    expect(await releaseOf(one.client)).toBe('B');
    expect(store.kept.get(KEY)?.text).toContain('"B"');
  });

  test('that takes no offers is told once, and tried less and less often', async () => {
    const store = memoryStore();
    const one = pod(store, [served(A), served(B)]);
    await pass(2000);
    store.fault = (call) => (call === 'offer' ? down() : undefined);
    await one.client.refresh();
    const before = one.downloads.length;
    await pass(20 * MINUTE);
    expect(statesOf(one)).toEqual(['failing']);
    // The usual polls are about four, and the repairs come after 10, 20, 40 … seconds, at last every five minutes.
    expect(one.downloads.length - before).toBeLessThanOrEqual(15);
    store.fault = undefined;
    await pass(6 * MINUTE);
    expect(statesOf(one)).toEqual(['failing', 'ok']);
    expect(store.kept.get(KEY)?.text).toContain('"B"');
  });

  test('works again soon after one write that failed', async () => {
    const store = memoryStore();
    const one = pod(store, [served(A), status(304)]);
    await pass(2000);
    store.fault = (call) => (call === 'confirm' ? down() : undefined);
    for (let step = 0; step < 1000 && statesOf(one).length === 0; step += 1) {
      await pass(1000);
    }
    store.fault = undefined;
    await pass(5000);
    expect(statesOf(one)).toEqual(['failing', 'ok']);
  });

  test('that refuses one kind of write for ever does not come and go', async () => {
    const store = memoryStore();
    const one = pod(store, [served(A), status(304)]);
    await pass(2000);
    store.fault = (call) => (call === 'confirm' ? down() : undefined);
    await pass(60 * MINUTE);
    expect(statesOf(one)).toEqual(['failing', 'ok', 'failing']);
  });
});

describe('calls of a shared store that do not settle', () => {
  beforeEach(fakeTimers);

  test('are at most four, and the store is used again when they do', async () => {
    const store = memoryStore();
    const one = pod(store, [served(A), status(304)]);
    await pass(2000);
    const open: (() => void)[] = [];
    store.fault = () => new Promise((_, reject) => open.push(() => reject(new Error('too late'))));
    await pass(9 * MINUTE);
    expect(open.length).toBeGreaterThan(1);
    expect(open.length).toBeLessThanOrEqual(4);
    store.fault = undefined;
    for (const settle of open) {
      settle();
    }
    await pass(MINUTE);
    expect(statesOf(one)).toEqual(['failing', 'ok']);
  });

  test('do not keep the store from being used for ever', async () => {
    const store = memoryStore();
    const one = pod(store, [served(A), status(304)]);
    await pass(2000);
    store.fault = () => NEVER;
    await pass(9 * MINUTE);
    store.fault = undefined;
    await pass(11 * MINUTE);
    expect(statesOf(one)).toEqual(['failing', 'ok']);
  });
});

describe('an offer that is answered too late', () => {
  beforeEach(fakeTimers);

  /** A store whose looks tell the time that is left. */
  function tellingStore() {
    const store = memoryStore();
    const { peek } = store;
    store.peek = async (...args) => {
      const version = await peek(...args);
      const leftMs = Math.max(0, (store.kept.get(KEY)?.atMs ?? 0) - performance.now());
      return version && { ...version, activeInMs: leftMs };
    };
    return store;
  }

  test('is used at the moment of the store, which the next look tells', async () => {
    const store = tellingStore();
    const first = pod(store, [served(A), served(B)]);
    const other = pod(store, [served(A), status(304)]);
    await pass(2000);
    const { offer } = store;
    const slow: SharedArtifactStore['offer'] = async (...args) => {
      await new Promise((resolve) => setTimeout(resolve, 1800));
      await offer(...args);
      return NEVER;
    };
    store.offer = slow;
    void first.client.refresh();
    await pass(3000);
    const leftMs = (store.kept.get(KEY)?.atMs ?? 0) - performance.now();
    await pass(leftMs - 20);
    expect([await releaseOf(first.client), await releaseOf(other.client)]).toEqual(['A', 'A']);
    await pass(40);
    expect([await releaseOf(first.client), await releaseOf(other.client)]).toEqual(['B', 'B']);
  });

  test('is made again when the store never got it', async () => {
    const store = tellingStore();
    const first = pod(store, [served(A), served(B), served(B), status(304)]);
    await pass(2000);
    const { offer } = store;
    store.offer = (_, __, { signal }) => {
      store.offer = offer;
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    };
    void first.client.refresh();
    await pass(12_000);
    expect(await releaseOf(first.client)).toBe('B');
    expect(store.kept.get(KEY)?.text).toContain('"B"');
  });
});

test('fleets with two secrets in one store repair it against each other for a short time only', async () => {
  fakeTimers();
  const store = memoryStore();
  let owner = '';
  let taken = 0;
  const signedBy = (secret: string): SharedArtifactStore => ({
    ...store,
    read: (key, options) => {
      if (store.kept.has(key) && owner !== secret) {
        throw new TargetError('ERR_TARGET_ARTIFACT', 'the artifact has a wrong signature');
      }
      return store.read(key, options);
    },
    offer: async (key, artifact, options) => {
      const answer = await store.offer(key, artifact, options);
      if (answer.verdict === 'taken') {
        owner = secret;
        taken += 1;
      }
      return answer;
    },
  });
  const pods = ['one', 'one', 'two', 'two'].map((secret) => pod(signedBy(secret), [served(A), served(B)]));
  await pass(3 * MINUTE);
  await pods[0]?.client.refresh();
  // Each process that read something bad repairs it once at most.
  await pass(20 * MINUTE);
  expect(taken).toBeLessThan(12);
  const before = taken;
  await pass(20 * MINUTE);
  expect(taken).toBe(before);
  for (const one of pods) {
    expect(await releaseOf(one.client)).toBe('B');
    expect(one.lines.warn.filter((line) => line.includes('holds nothing of use')).length).toBeLessThan(4);
    expect(statesOf(one)).toEqual([]);
  }
});
