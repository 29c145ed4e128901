import { describe, expect, test } from '@jest/globals';
import type { NotificationStats, TargetClientStats } from '../src/index.js';
import { html } from '../src/testing/edge.js';
import { flagsArtifact, HERO } from './fixtures/flags.js';
import { answer, hang, status } from './recording-fetch.js';
import { confirm, fakeTimers, held, pass, served, settle, withScripts } from './scripted-cdn.js';
import { targetErrorOf, withEdge } from './with-edge.js';

const FAR = { execute: { mboxes: [{ name: 'far' }] } };
const CLICK = { id: 'n', type: 'click' as const, timestamp: 1, mbox: { name: 'hero' } };
const bench = withEdge({ artifact: flagsArtifact(), offers: { mboxes: { far: html('from far') } } });
const start = withScripts();

const NOTHING: TargetClientStats = {
  status: 'live',
  decisions: 0,
  deliveries: 0,
  retries: 0,
  failures: 0,
  notifications: { accepted: 0, delivered: 0, failed: 0, dropped: 0, queued: 0, handedOver: 0, inFlight: 0 },
  relayed: { delivered: 0, failed: 0 },
  circuitBreaker: { state: 'closed', refused: 0, hosts: [] },
};

describe('the stats of a client', () => {
  test('are zeros at first, and plain data', () => {
    const client = bench.connect();
    const stats = client.stats();
    expect(stats).toEqual(NOTHING);
    expect(JSON.parse(JSON.stringify(stats))).toEqual(NOTHING);
  });

  test('are a snapshot', async () => {
    const client = bench.connect();
    const before = client.stats();
    await client.getOffers({ request: FAR });
    expect(before).toEqual(NOTHING);
    expect(client.stats()).toEqual({ ...NOTHING, decisions: 1, deliveries: 1 });
  });

  test('count decisions, deliveries, retries and failures', async () => {
    const client = bench.connect({ retry: { minTimeout: 0 } });
    await client.getAttributes(['far']);
    await client.sendNotifications({ request: { notifications: [CLICK] } });
    bench.edge.fault({ kind: 'status', status: 500 }, { times: 1 });
    await client.getOffers({ request: FAR });
    expect(client.stats()).toEqual({ ...NOTHING, decisions: 2, deliveries: 3, retries: 1 });
    bench.edge.fault({ kind: 'reset' }, { times: 3 });
    await targetErrorOf(() => client.getOffers({ request: FAR }));
    expect(client.stats()).toMatchObject({ decisions: 2, deliveries: 4, retries: 3, failures: 1 });
    bench.edge.fault({ kind: 'body', body: 'null' }, { times: 1 });
    await targetErrorOf(() => client.getOffers({ request: FAR }));
    await targetErrorOf(() => client.getOffers({ request: { execute: {} } }));
    expect(client.stats()).toMatchObject({ decisions: 2, deliveries: 5, retries: 3, failures: 2 });
    expect(bench.edge.requests).toHaveLength(5 + 3);
  });

  test('count what the circuit breaker refuses as neither a delivery nor its failure', async () => {
    const circuitBreaker = { minTimeout: 600_000, maxTimeout: 600_000 };
    const client = bench.connect({ retry: { retries: 0 }, circuitBreaker });
    bench.edge.fault({ kind: 'status', status: 500 });
    for (let time = 0; time < 8; time += 1) {
      await targetErrorOf(() => client.getOffers({ request: FAR }));
    }
    expect(client.stats()).toMatchObject({
      deliveries: 5,
      failures: 5,
      circuitBreaker: { state: 'open', refused: 3, hosts: [{ host: bench.edge.config.serverDomain }] },
    });
  });

  test('are there when it is closed', async () => {
    const client = bench.connect();
    await client.getOffers({ request: FAR });
    await client.close();
    expect(client.stats()).toMatchObject({ decisions: 1, deliveries: 1 });
  });
});

describe('notifications by fate', () => {
  const payload = { artifactPayload: flagsArtifact(), pollingInterval: 0 };

  test('are queued, then delivered', async () => {
    const slow = held(confirm);
    const { client } = start(payload, { deliveries: [slow.script] });
    for (let time = 0; time < 3; time += 1) {
      await client.getOffers({ request: HERO });
    }
    expect(client.stats()).toMatchObject({
      decisions: 3,
      deliveries: 0,
      notifications: { accepted: 3, delivered: 0, queued: 3 },
    });
    await settle();
    expect(client.stats()).toMatchObject({
      deliveries: 1,
      notifications: { accepted: 3, delivered: 0, queued: 3 },
    });
    slow.release();
    await settle();
    expect(client.stats().notifications).toMatchObject({ accepted: 3, delivered: 1, queued: 2 });
    slow.release();
    await client.flush();
    expect(client.stats()).toMatchObject({
      deliveries: 3,
      notifications: { accepted: 3, delivered: 3, queued: 0 },
    });
  });

  test('fail when the edge refuses them, and when it does not repeat their ids', async () => {
    const { client } = start(payload, {
      deliveries: [status(400), answer({ status: 200, notifications: [] })],
    });
    for (let time = 0; time < 2; time += 1) {
      await client.getOffers({ request: HERO });
    }
    await client.flush();
    expect(client.stats()).toMatchObject({
      failures: 1,
      notifications: { accepted: 2, delivered: 0, failed: 2, dropped: 0, queued: 0 },
    });
  });

  test('wait behind a fault that passes', async () => {
    const { client } = start(payload, { deliveries: [status(503), confirm] });
    await client.getOffers({ request: HERO });
    await settle();
    expect(client.stats()).toMatchObject({
      failures: 1,
      retries: 0,
      notifications: { accepted: 1, queued: 1 },
    });
    await client.flush();
    expect(client.stats().notifications).toMatchObject({ delivered: 1, queued: 0 });
  });

  test('are dropped by close, and when too many are queued', async () => {
    const { client } = start(payload, { deliveries: [hang] });
    const request = { execute: { mboxes: [{ name: 'hero' }, { name: 'flags' }] } };
    for (let time = 0; time < 10_001; time += 1) {
      await client.getOffers({ request });
    }
    expect(client.stats().notifications).toMatchObject({
      accepted: 20_002,
      delivered: 0,
      failed: 0,
      dropped: 2,
      queued: 20_000,
    });
    const closed = await client.close({ timeout: 1 });
    const { accepted, queued, inFlight: _, ...fates } = client.stats().notifications;
    expect(fates).toEqual(closed);
    expect({ accepted, queued, ...fates }).toMatchObject({
      accepted: 20_002,
      delivered: 0,
      failed: 0,
      dropped: 20_002,
      queued: 0,
    });
  });

  test('add up whenever somebody looks, a listener too', async () => {
    const fates = [
      confirm,
      status(400),
      status(413),
      answer({ status: 200, notifications: [] }),
      status(503),
      hang,
    ];
    const { client } = start(payload, { deliveries: fates });
    // What a listener throws is logged, and would fail nothing.
    const looks: NotificationStats[] = [];
    const look = () => void looks.push(client.stats().notifications);
    client.on('sendNotificationError', look);
    const request = { execute: { mboxes: [{ name: 'hero' }, { name: 'flags' }] } };
    for (let time = 0; time < 20; time += 1) {
      await client.getOffers({ request });
      if (time % 3 === 0) {
        await settle();
      }
      look();
    }
    await client.close({ timeout: 500 });
    look();
    for (const { accepted, delivered, failed, dropped, queued } of looks) {
      expect(delivered + failed + dropped + queued).toBe(accepted);
    }
    expect(looks.at(-1)).toMatchObject({ accepted: 40, delivered: 2, failed: 4, dropped: 34, queued: 0 });
    expect(looks).toHaveLength(20 + 1 + 4 + 34);
  });
});

describe('the artifact in use', () => {
  const generatedAt = '2026-01-01T00:00:00.000Z';

  test('has version, date, source and age', async () => {
    fakeTimers();
    const { client } = start(
      {},
      { downloads: [served({ generatedAt, etag: '"v1"' }), status(304), status(500)] },
    );
    expect(client.stats()).toEqual({ ...NOTHING, status: 'waiting' });
    await pass(1);
    const { ageMs, ...artifact } = client.stats().artifact ?? { ageMs: -1 };
    expect(artifact).toEqual({
      version: '1.0.0',
      generatedAt,
      source: 'cdn',
      id: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
    expect(ageMs).toBeLessThanOrEqual(1);
    await pass(200_000);
    expect(client.stats().artifact?.ageMs).toBeGreaterThanOrEqual(200_000);
    // The 304 of the poll says that it is the current one.
    await pass(150_000);
    expect(client.stats().artifact?.ageMs).toBeLessThanOrEqual(80_000);
    // And the failures behind it say nothing.
    await pass(1_200_000);
    expect(client.stats().artifact?.ageMs).toBeGreaterThanOrEqual(1_200_000);
  });

  test('is as old as it says before it is confirmed', () => {
    fakeTimers();
    const madeMs = Date.now() - 3_600_000;
    const artifactPayload = flagsArtifact({ generatedAt: new Date(madeMs).toISOString() });
    const { client } = start({ artifactPayload });
    return settle().then(() => {
      expect(client.stats().artifact).toMatchObject({ source: 'payload', ageMs: Date.now() - madeMs });
    });
  });

  test('is as old as its life here when it does not say', async () => {
    fakeTimers();
    const { client } = start({ artifactPayload: flagsArtifact(), pollingInterval: 0 });
    await settle();
    await pass(5000);
    expect(client.stats().artifact).toEqual({ version: '1.0.0', source: 'payload', ageMs: 5000 });
  });

  test('is never younger than new, whatever its date', async () => {
    fakeTimers();
    const { client } = start({ artifactPayload: flagsArtifact({ generatedAt: '2999-01-01' }) });
    await settle();
    expect(client.stats().artifact?.ageMs).toBe(0);
  });
});
