import { describe, expect, test } from '@jest/globals';
import type { NotificationOutbox, QueuedDelivery, TargetClientConfig } from '../src/index.js';
import { TargetClient } from '../src/index.js';
import type { ReceivedRequest } from '../src/testing/edge.js';
import { flagsArtifact, HERO } from './fixtures/flags.js';
import { withEdge } from './with-edge.js';

const bench = withEdge({ artifact: flagsArtifact(), maxRequests: 10_000 });

/** An outbox that keeps what it is given. */
function keepingOutbox() {
  const held: QueuedDelivery[] = [];
  const outbox: NotificationOutbox = { push: async (batch) => void held.push(...batch) };
  return { held, outbox };
}

/** Decides for visitors in a process that hands everything over. Returns the data. */
async function queued(visitors: readonly string[], config: Partial<TargetClientConfig> = {}) {
  const { held, outbox } = keepingOutbox();
  const client = bench.connect({
    decisioningMethod: 'on-device',
    artifactPayload: flagsArtifact(),
    pollingInterval: 0,
    targetLocationHint: '35',
    notifications: { outbox, mode: 'always' },
    ...config,
  });
  await client.ready();
  for (const tntId of visitors) {
    await client.getOffers({ request: { ...HERO, id: { tntId } }, sessionId: `s-${tntId}` });
  }
  expect(await client.flush()).toEqual({
    ...{ accepted: visitors.length, delivered: 0, failed: 0, dropped: 0 },
    ...{ queued: 0, handedOver: visitors.length, inFlight: 0 },
  });
  return held.map(({ data }) => data);
}

const reports = () => bench.edge.requests.filter(({ delivery }) => delivery?.notifications);
const tntIdOf = ({ delivery }: ReceivedRequest) => delivery?.id?.tntId;
const changed = (data: string, fields: object): string =>
  JSON.stringify({ ...(JSON.parse(data) as object), ...fields });
const unavailable = { kind: 'status', status: 503 } as const;
const ONCE = { retry: { retries: 0 } };

describe('deliverQueued', () => {
  test('sends what another process has handed over, as that process would have', async () => {
    const data = await queued(['a', 'b', 'c']);
    expect(reports()).toEqual([]);
    const worker = bench.connect();
    expect(await worker.deliverQueued(data)).toEqual({ delivered: 3, failed: 0, again: [] });
    const viaWorker = reports().map(({ delivery, query }) => ({ delivery, session: query.sessionId }));
    expect(viaWorker.map(({ delivery }) => delivery?.id?.tntId).sort()).toEqual(['a', 'b', 'c']);
    for (const { delivery, session } of viaWorker) {
      expect(session).toBe(`s-${delivery?.id?.tntId}`);
      expect(
        data.some(
          (text) => JSON.stringify((JSON.parse(text) as { r: object }).r) === JSON.stringify(delivery),
        ),
      ).toBe(true);
    }
    expect(worker.stats()).toMatchObject({
      relayed: { delivered: 3, failed: 0 },
      notifications: { accepted: 0, delivered: 0 },
    });
  });

  test('keeps the order of a visitor behind a part of a delivery that has to wait', async () => {
    const [first = '', second = ''] = await queued(['v', 'v']);
    const { r } = JSON.parse(first) as { r: { notifications: { id: string }[] } };
    const notifications = ['n1', 'n2'].map((id) => ({ ...r.notifications[0], id }));
    const pair = changed(first, { b: 1, r: { ...r, notifications } });
    const idsOf = ({ delivery }: ReceivedRequest) => delivery?.notifications?.map(({ id }) => id) ?? [];
    bench.edge.fault({ kind: 'status', status: 400 }, { where: (request) => idsOf(request).length === 2 });
    const outage = bench.edge.fault(unavailable, { where: (request) => idsOf(request)[0] === 'n2' });
    const worker = bench.connect(ONCE);
    const result = await worker.deliverQueued([pair, second]);
    expect(result).toMatchObject({ delivered: 1, failed: 0 });
    expect(result.again).toHaveLength(2);
    expect(result.again[1]).toBe(second);
    outage.clear();
    expect(await worker.deliverQueued(result.again)).toMatchObject({ delivered: 2, again: [] });
    const sent = reports().map((request) => idsOf(request)[0]);
    const last = (JSON.parse(second) as { r: { notifications: { id: string }[] } }).r;
    expect(sent).toEqual(['n1', 'n1', 'n2', 'n2', last.notifications[0]?.id]);
  });

  test('sends the deliveries of one visitor in order, and those of others beside them', async () => {
    const visitors = Array.from({ length: 60 }, (_, at) => `v${at % 3}`);
    const data = await queued(visitors);
    expect(await bench.connect().deliverQueued(data)).toMatchObject({ delivered: 60 });
    for (const visitor of ['v0', 'v1', 'v2']) {
      const ids = reports()
        .filter((request) => tntIdOf(request) === visitor)
        .map(({ delivery }) => delivery?.requestId);
      const wanted = data
        .map((text) => (JSON.parse(text) as { r: { requestId: string; id: { tntId: string } } }).r)
        .filter(({ id }) => id.tntId === visitor)
        .map(({ requestId }) => requestId);
      expect(ids).toEqual(wanted);
    }
  });

  test('gives back what the edge refuses for the moment, with its reason and its wait', async () => {
    const data = await queued(['a', 'b']);
    const worker = bench.connect(ONCE);
    bench.edge.fault({ ...unavailable, headers: { 'Retry-After': 7 } });
    const result = await worker.deliverQueued(data);
    expect(result).toMatchObject({ delivered: 0, failed: 0, error: { status: 503 } });
    expect([...result.again].sort()).toEqual([...data].sort());
    expect(result.retryAfterMs).toBeGreaterThanOrEqual(7000);
    bench.edge.clearFaults();
    expect(await worker.deliverQueued(result.again)).toMatchObject({ delivered: 2, again: [] });
    expect(worker.stats().relayed).toEqual({ delivered: 2, failed: 0 });
  });

  test('asks a host that fails no more than some times, however much there is', async () => {
    const data = await queued(Array.from({ length: 300 }, (_, at) => `v${at}`));
    const fault = bench.edge.fault(unavailable);
    const { again } = await bench.connect(ONCE).deliverQueued(data, { concurrency: 4 });
    expect(again).toHaveLength(300);
    expect(fault.hits).toBeLessThanOrEqual(8 + 4);
  });

  test('keeps the order behind a delivery that has to wait', async () => {
    const data = await queued(['a', 'a', 'a']);
    bench.edge.fault(unavailable, { times: 1 });
    expect((await bench.connect(ONCE).deliverQueued(data)).again).toEqual(data);
  });

  test('counts what the edge refuses for good as failed, and raises it', async () => {
    const data = await queued(['a']);
    const worker = bench.connect();
    const lost: string[] = [];
    worker.on('sendNotificationError', ({ error }) => lost.push(error.code));
    bench.edge.fault({ kind: 'status', status: 400 });
    expect(await worker.deliverQueued(data)).toMatchObject({ delivered: 0, failed: 1, again: [] });
    expect(lost).toEqual(['ERR_TARGET_RESPONSE']);
    expect(worker.stats().relayed).toEqual({ delivered: 0, failed: 1 });
  });

  test('counts what is too old as failed', async () => {
    const [data = ''] = await queued(['a']);
    const worker = bench.connect();
    const old = changed(data, { t: Date.now() - 31 * 60_000 });
    expect(await worker.deliverQueued([old])).toMatchObject({ failed: 1, again: [] });
    expect(await worker.deliverQueued([old], { maxAge: 3_600_000 })).toMatchObject({ delivered: 1 });
  });

  test('leaves another version to newer processes', async () => {
    const [data = ''] = await queued(['a']);
    const worker = bench.connect();
    for (const v of [2, 3, 1000]) {
      const other = changed(data, { v });
      expect(await worker.deliverQueued([other, data])).toMatchObject({
        delivered: 1,
        failed: 0,
        again: [other],
      });
    }
  });

  test('gives up what no version has written, because it would come back for ever', async () => {
    const [data = ''] = await queued(['a']);
    for (const v of ['1', 0, -1, 1.5, null, {}]) {
      const result = await bench.connect().deliverQueued([changed(data, { v })]);
      expect(result).toMatchObject({ delivered: 0, failed: 1, again: [] });
    }
  });

  test('reads much data within its time, and lets other work go on meanwhile', async () => {
    const [data = ''] = await queued(['a']);
    const many = Array.from({ length: 5000 }, () => data);
    let turns = 0;
    const ticking = setInterval(() => {
      turns += 1;
    });
    bench.edge.fault({ kind: 'hang' });
    const { again, delivered, failed } = await bench.connect().deliverQueued(many, { timeout: 5 });
    clearInterval(ticking);
    expect(turns).toBeGreaterThan(0);
    expect({ delivered, failed, again: again.length }).toEqual({ delivered: 0, failed: 0, again: 5000 });
  });

  test('says why nothing was sent', async () => {
    const lines: string[] = [];
    const worker = bench.connect({ logger: { warn: (line: unknown) => void lines.push(String(line)) } });
    await worker.deliverQueued(['x'], { maxAge: 8 * 86_400_000 });
    expect(lines.join()).toContain('no queued delivery was sent: maxAge');
  });

  test('ends with its time and with its signal, and gives back what was not sent', async () => {
    const data = await queued(['a', 'b', 'c']);
    const worker = bench.connect();
    bench.edge.fault({ kind: 'hang' });
    const late = await worker.deliverQueued(data, { timeout: 100 });
    expect([...late.again].sort()).toEqual([...data].sort());
    expect(await worker.deliverQueued(data, { signal: AbortSignal.abort() })).toMatchObject({ again: data });
    const controller = new AbortController();
    const aborted = worker.deliverQueued(data, { signal: controller.signal });
    controller.abort();
    expect((await aborted).again).toHaveLength(3);
  });

  test('sends nothing on a closed client', async () => {
    const data = await queued(['a', 'b']);
    const worker = bench.connect();
    await worker.close();
    const result = await worker.deliverQueued(data);
    expect(result).toMatchObject({ delivered: 0, failed: 0, error: { code: 'ERR_TARGET_CLOSED' } });
    expect([...result.again].sort()).toEqual([...data].sort());
  });

  test('takes no host from the data: a hint that is none is left out', async () => {
    const [data = ''] = await queued(['a']);
    const { fetchApi, urls } = bench.detour();
    const worker = TargetClient.create({ client: 'acmeclient', organizationId: '1@AdobeOrg', fetchApi });
    const hints = ['evil.example/', '35.evil.example', '123456', 35, '', null, ['35'], '٣٥'];
    for (const h of hints) {
      await worker.deliverQueued([changed(data, { h })]);
    }
    // The client's own host, and the cluster that its answers name.
    const own = ['acmeclient.tt.omtrdc.net', 'mboxedge35.tt.omtrdc.net'];
    expect(urls).toHaveLength(hints.length);
    expect(urls.filter(({ host }) => !own.includes(host))).toEqual([]);
    await worker.deliverQueued([changed(data, { h: '41' })]);
    expect(urls.at(-1)?.host).toBe('mboxedge41.tt.omtrdc.net');
    await worker.close();
  });

  const hostile: readonly [string, (data: string) => unknown][] = [
    ['no text', () => 5],
    ['null', () => null],
    ['an object', () => ({ toString: () => '{}' })],
    ['no JSON', () => '{'],
    ['a list', () => '[]'],
    ['deep nesting', () => '['.repeat(60_000)],
    ['more than 64 KiB', (data) => `${data.slice(0, -1)},"x":"${'x'.repeat(70_000)}"}`],
    ['no version', (data) => changed(data, { v: undefined })],
    ['no session', (data) => changed(data, { s: '' })],
    ['a session that ends the query', (data) => changed(data, { s: 'a b' })],
    ['a session that does not decode', (data) => changed(data, { s: '%zz' })],
    ['a long session', (data) => changed(data, { s: 'a'.repeat(129) })],
    ['another method', (data) => changed(data, { m: 'POST' })],
    ['no time', (data) => changed(data, { t: 'now' })],
    ['a time far ahead', (data) => changed(data, { t: Date.now() + 2 * 86_400_000 })],
    ['no request', (data) => changed(data, { r: null })],
    ['a request for offers', (data) => changed(data, { r: { execute: { mboxes: [{ name: 'a' }] } } })],
    ['notifications that are none', (data) => changed(data, { r: { notifications: [{}] } })],
    ['no notifications', (data) => changed(data, { r: { notifications: [] } })],
    [
      'a wrong field',
      (data) =>
        changed(data, { r: { context: 5, notifications: [{ id: 'a', type: 'display', timestamp: 1 }] } }),
    ],
  ];
  test.each(hostile)(
    'counts hostile data as failed, sends nothing of it, and goes on: %s',
    async (_, make) => {
      const [data = '', second = ''] = await queued(['a', 'b']);
      const worker = bench.connect();
      const result = await worker.deliverQueued([make(data) as string, second]);
      expect(result).toMatchObject({ delivered: 1, failed: 1, again: [] });
      expect(result.error?.code).toBe('ERR_TARGET_INVALID_REQUEST');
      expect(reports().map(tntIdOf)).toEqual(['b']);
      expect(worker.stats().relayed).toEqual({ delivered: 1, failed: 1 });
    },
  );

  test('sends the parts of a report alone, and never a query, a trace or a preview', async () => {
    const [data = ''] = await queued(['a']);
    const { r } = JSON.parse(data) as { r: object };
    const extra = {
      trace: { authorizationToken: 't' },
      qaMode: { token: 'q' },
      preview: { token: 'p' },
      x: 1,
    };
    await bench.connect().deliverQueued([changed(data, { r: { ...r, ...extra } })]);
    expect(bench.sent()).toEqual(r);
  });

  test.each<[string, unknown, unknown]>([
    ['data', 'a text', {}],
    ['data', null, {}],
    ['timeout', [], { timeout: -1 }],
    ['concurrency', [], { concurrency: 0 }],
    ['maxAge', [], { maxAge: 8 * 86_400_000 }],
    ['signal', [], { signal: {} }],
    [
      'options',
      [],
      {
        get timeout() {
          throw new Error('a fault of the caller');
        },
      },
    ],
  ])('never rejects: a wrong %s is named, and the data comes back', async (path, data, options) => {
    const worker = bench.connect();
    const given = Array.isArray(data) ? ['kept'] : data;
    const result = await worker.deliverQueued(given as string[], options as object);
    expect(result).toMatchObject({
      delivered: 0,
      failed: 0,
      error: { code: 'ERR_TARGET_INVALID_REQUEST', path },
    });
    expect(result.again).toEqual(Array.isArray(data) ? ['kept'] : []);
  });

  test('takes the list and its texts as they are, and changes nothing of the caller', async () => {
    const data = Object.freeze(await queued(['a']));
    expect(await bench.connect().deliverQueued(data)).toMatchObject({ delivered: 1 });
  });

  test('tells nobody of a visitor', async () => {
    const lines: string[] = [];
    const write = (...line: unknown[]) => void lines.push(line.join(' '));
    const logger = { debug: write, info: write, warn: write, error: write };
    const secret = 'secretvisitor42';
    const { held, outbox } = keepingOutbox();
    const client = bench.connect({
      decisioningMethod: 'on-device',
      artifactPayload: flagsArtifact(),
      pollingInterval: 0,
      logger,
      notifications: {
        outbox: {
          push: async (batch) => {
            await outbox.push(batch, { signal: new AbortController().signal });
            throw new TypeError(secret);
          },
        },
        mode: 'always',
      },
    });
    await client.ready();
    await client.getOffers({ request: { ...HERO, id: { tntId: secret } } });
    await client.flush({ timeout: 300 });
    const worker = bench.connect({ logger, ...ONCE });
    const data = held.map((one) => one.data);
    const bad = changed(data[0] ?? '', {
      r: {
        id: { tntId: secret },
        context: 5,
        notifications: [{ id: secret, type: 'display', timestamp: 1 }],
      },
    });
    bench.edge.fault(unavailable);
    const results = await worker.deliverQueued([...data.slice(0, 1), bad]);
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.filter((line) => line.includes(secret))).toEqual([]);
    expect(JSON.stringify(results.error)).not.toContain(secret);
  });
});
