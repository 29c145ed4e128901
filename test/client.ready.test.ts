import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type { ArtifactStore } from '../src/index.js';
import { flagsArtifact, HERO } from './fixtures/flags.js';
import { answer, hang, refuse, type Script, status } from './recording-fetch.js';
import { fakeTimers, listening, next, pass, releaseOf, served, settle, withScripts } from './scripted-cdn.js';
import { targetErrorOf, withEdge } from './with-edge.js';

const RULES = /rules\.json$/;
const MINUTE = 60_000;
const bench = withEdge({ artifact: flagsArtifact() });
const start = withScripts();

const connect = (config: Parameters<typeof bench.connect>[0]) => {
  const { heard, events } = listening();
  return { client: bench.connect({ targetLocationHint: '35', events, ...config }), heard };
};
const isRules = { where: ({ path }: { readonly path: string }) => RULES.test(path) };

afterEach(() => {
  bench.edge.setArtifact(flagsArtifact());
});

function storeOf(release: string): ArtifactStore {
  return { get: async () => JSON.stringify(flagsArtifact({ release })), set: async () => undefined };
}

describe('ready refuses', () => {
  test.each([
    ['a signal that is none', { signal: {} as never }, 'signal'],
    ['a timeout that is none', { timeout: 0 }, 'timeout'],
    ['a timeout that no timer can wait for', { timeout: 2 ** 31 }, 'timeout'],
    ['a timeout that a timer would overflow with', { timeout: 2 ** 31 - 0.5 }, 'timeout'],
  ])('%s', async (_, options, path) => {
    const { client } = connect({ decisioningMethod: 'on-device' });
    expect(await targetErrorOf(() => client.ready(options))).toMatchObject({
      code: 'ERR_TARGET_INVALID_REQUEST',
      path,
    });
  });

  test('nothing of options that are null, as calls do', async () => {
    const { client } = connect({ decisioningMethod: 'on-device' });
    expect(await client.ready({ signal: null, timeout: null } as never)).toMatchObject({ status: 'live' });
  });
});

describe('ready resolves with', () => {
  test('live for a client that needs no rules', async () => {
    const { client, heard } = connect({ decisioningMethod: 'server-side' });
    bench.edge.fault({ kind: 'reset' });
    expect(await client.ready()).toEqual({ status: 'live', source: 'edge', ageMs: 0 });
    expect(client.stats().status).toBe('live');
    await settle();
    expect(heard.statusChanged).toEqual([]);
  });

  test.each(['on-device', 'hybrid'] as const)(
    'live with the first download: %s',
    async (decisioningMethod) => {
      const { client, heard } = connect({ decisioningMethod });
      expect(client.stats().status).toBe('waiting');
      const { ageMs, ...state } = await client.ready();
      expect(state).toEqual({ status: 'live', source: 'cdn' });
      expect(ageMs).toBeGreaterThanOrEqual(0);
      expect(client.stats()).toMatchObject({ status: 'live', artifact: { source: 'cdn' } });
      expect(heard.statusChanged).toEqual([{ type: 'statusChanged', ...state, ageMs: expect.any(Number) }]);
    },
  );

  test('live with a file, and cached when it is gone', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ready-'));
    const file = join(folder, 'rules.json');
    await writeFile(file, JSON.stringify(flagsArtifact()));
    const { client } = connect({
      decisioningMethod: 'on-device',
      artifactLocation: pathToFileURL(file).href,
      pollingInterval: 0,
    });
    expect(await client.ready()).toMatchObject({ status: 'live', source: 'file' });
    await rm(folder, { recursive: true });
    await targetErrorOf(() => client.refresh());
    expect(await client.ready()).toMatchObject({ status: 'cached', source: 'file' });
  });

  test('cached for what was brought along, and flips to live with the CDN', async () => {
    const { client, heard } = connect({
      decisioningMethod: 'on-device',
      artifactPayload: flagsArtifact({ release: 'payload' }),
    });
    expect(await client.ready()).toMatchObject({ status: 'cached', source: 'payload' });
    await client.refresh();
    expect(await client.ready()).toMatchObject({ status: 'live', source: 'cdn' });
    expect(heard.statusChanged.map(({ status, source }) => [status, source])).toEqual([
      ['cached', 'payload'],
      ['live', 'cdn'],
    ]);
  });

  test('cached for what was stored, in an outage that began before, and flips to live behind it', async () => {
    bench.edge.fault({ kind: 'status', status: 500 }, isRules);
    const { client, heard } = connect({ decisioningMethod: 'on-device', artifactStore: storeOf('stored') });
    expect(await client.ready()).toMatchObject({ status: 'cached', source: 'store' });
    expect(await releaseOf(client)).toBe('stored');
    await targetErrorOf(() => client.refresh());
    expect(client.stats()).toMatchObject({ status: 'cached', artifact: { source: 'store' } });
    bench.edge.clearFaults();
    await client.refresh();
    expect(await client.ready()).toMatchObject({ status: 'live', source: 'cdn' });
    expect(await releaseOf(client)).toBe('first');
    expect(heard.statusChanged.map(({ status }) => status)).toEqual(['cached', 'live']);
  });

  test('cached while the downloads behind the first fail, live with the next 304', async () => {
    const { client, heard } = connect({ decisioningMethod: 'on-device' });
    await client.ready();
    const fault = bench.edge.fault({ kind: 'reset' }, isRules);
    await targetErrorOf(() => client.refresh());
    await targetErrorOf(() => client.refresh());
    expect(await client.ready()).toMatchObject({ status: 'cached', source: 'cdn' });
    expect(client.stats()).toMatchObject({ status: 'cached', artifact: { source: 'cdn' } });
    fault.clear();
    await client.refresh();
    expect(bench.edge.requestsTo(isRules.where).map(({ status }) => status)).toContain(304);
    expect(await client.ready()).toMatchObject({ status: 'live', source: 'cdn' });
    expect(heard.statusChanged.map(({ status }) => status)).toEqual(['live', 'cached', 'live']);
  });

  test('cached while the CDN has only an older one', async () => {
    const generatedAt = '2026-02-01T00:00:00.000Z';
    const { client } = start(
      { artifactPayload: flagsArtifact({ release: 'payload', generatedAt }), pollingInterval: 300_000 },
      { downloads: [served({ release: 'older', generatedAt: '2026-01-01T00:00:00.000Z' })] },
    );
    fakeTimers();
    await client.ready();
    await pass(6 * MINUTE);
    expect(await client.ready()).toMatchObject({ status: 'cached', source: 'payload' });
  });

  test('degraded for a hybrid client whose CDN is down, which decides on the edge, and live later', async () => {
    bench.edge.fault({ kind: 'status', status: 503 }, isRules);
    const { client, heard } = connect({ decisioningMethod: 'hybrid' });
    expect(await client.ready()).toEqual({ status: 'degraded', source: 'edge', ageMs: 0 });
    expect(client.stats().status).toBe('degraded');
    expect((await client.getOffers({ request: HERO })).decisioningMethod).toBe('server-side');
    bench.edge.clearFaults();
    await client.refresh();
    expect(await client.ready()).toMatchObject({ status: 'live', source: 'cdn' });
    expect((await client.getOffers({ request: HERO })).decisioningMethod).toBe('on-device');
    expect(heard.statusChanged.map(({ status }) => status)).toEqual(['degraded', 'live']);
    expect(heard.clientReady).toHaveLength(1);
  });
});

describe('ready rejects at its timeout and not before', () => {
  test.each<[string, Script]>([
    ['fails', status(500)],
    ['refuses the connection', refuse],
    ['never answers', hang],
    ['has no rules', status(404)],
    ['has something else', answer({ version: '2.0.0', rules: {} })],
  ])('when the CDN %s', async (_, script) => {
    fakeTimers();
    const { client, heard } = start({}, { downloads: [script] });
    let ended: unknown;
    const ready = targetErrorOf(() => client.ready({ timeout: 5 * MINUTE })).then((error) => {
      ended = error;
    });
    await pass(5 * MINUTE - 1);
    expect(ended).toBeUndefined();
    expect(heard.artifactDownloadFailed.length).toBeGreaterThanOrEqual(4);
    await pass(1);
    await ready;
    expect(ended).toMatchObject({ code: 'ERR_TARGET_NOT_READY' });
    expect(client.stats().status).toBe('waiting');
    expect(heard.statusChanged).toEqual([]);
  });

  test('and polling goes on and makes it live', async () => {
    fakeTimers();
    let isDown = true;
    const { client } = start({}, { downloads: [(call) => (isDown ? status(500) : served())(call)] });
    const error = targetErrorOf(() => client.ready({ timeout: 1000 }));
    await pass(1000);
    expect((await error).code).toBe('ERR_TARGET_NOT_READY');
    await pass(10 * MINUTE);
    isDown = false;
    const changed = next(client, 'statusChanged');
    await pass(MINUTE);
    expect(await changed).toMatchObject({ status: 'live', source: 'cdn' });
    expect(client.stats().status).toBe('live');
  });

  test('for hybrid too, when the first download has not ended either way', async () => {
    fakeTimers();
    const { client } = start({ decisioningMethod: 'hybrid' }, { downloads: [hang] });
    const error = targetErrorOf(() => client.ready({ timeout: 1000 }));
    await pass(1000);
    expect((await error).code).toBe('ERR_TARGET_NOT_READY');
    await pass(MINUTE);
    expect(await client.ready()).toMatchObject({ status: 'degraded' });
  });
});

test('a listener that closes the client does not take back what came', async () => {
  const { client } = start({
    events: { artifactDownloadSucceeded: () => void client.close({ timeout: 1 }) },
  });
  expect(await client.ready()).toMatchObject({ status: 'live' });
});

test('a wait that is over before the client can begin keeps no process alive', async () => {
  fakeTimers();
  const { client } = start({}, { downloads: [status(500)] });
  const controller = new AbortController();
  const error = targetErrorOf(() => client.ready({ signal: controller.signal }));
  controller.abort();
  expect((await error).code).toBe('ERR_TARGET_ABORTED');
  const setTimer = jest.spyOn(globalThis, 'setTimeout');
  await settle();
  const timers = setTimer.mock.results.map(({ value }) => value as NodeJS.Timeout);
  expect(timers.length).toBeGreaterThan(0);
  expect(timers.filter((timer) => timer.hasRef())).toEqual([]);
});
