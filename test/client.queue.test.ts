import { Agent } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { createUndiciFetch } from '../src/http/undici.js';
import type { NotificationStats, TargetClientConfig, TargetErrorCode } from '../src/index.js';
import type { ReceivedRequest } from '../src/testing/edge.js';
import { flagsArtifact, HERO } from './fixtures/flags.js';
import { targetErrorOf, withEdge } from './with-edge.js';

const bench = withEdge({ artifact: flagsArtifact(), maxRequests: 10_000 });
const DELIVERY = '/rest/v1/delivery';
/** Long enough for any machine: what is waited for comes, or the test fails. */
const LONG = { timeout: 60_000 };

async function start(config: Partial<TargetClientConfig> = {}) {
  const client = bench.connect({
    decisioningMethod: 'on-device',
    artifactPayload: flagsArtifact(),
    pollingInterval: 0,
    targetLocationHint: '35',
    ...config,
  });
  await client.ready(LONG);
  const lost: { readonly code: TargetErrorCode; readonly message: string }[] = [];
  client.on('sendNotificationError', ({ error: { code, message } }) => lost.push({ code, message }));
  const show = async (visitors: number, name = 'visitor') => {
    for (let visitor = 0; visitor < visitors; visitor += 1) {
      await client.getOffers({ request: { ...HERO, id: { tntId: `${name}${visitor}` } } });
    }
  };
  return { client, lost, show };
}

const tntIdOf = ({ delivery }: ReceivedRequest) => delivery?.id?.tntId;
const isOf = (name: string) => (request: ReceivedRequest) =>
  request.path === DELIVERY && tntIdOf(request)?.startsWith(name) === true;
const unavailable = { kind: 'status', status: 503 } as const;

/** Looks again and again until something holds. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

describe('flush', () => {
  const nothing: NotificationStats = {
    ...{ accepted: 0, delivered: 0, failed: 0, dropped: 0 },
    ...{ queued: 0, handedOver: 0, inFlight: 0 },
  };

  test('resolves to what became of all notifications', async () => {
    const { client, show } = await start();
    expect(await client.flush()).toEqual(nothing);
    await show(3);
    expect(await client.flush(LONG)).toEqual({ ...nothing, accepted: 3, delivered: 3 });
  });

  test('ends after its time, and leaves what was not sent to the queue', async () => {
    const { client, show } = await start({ timeout: 500 });
    const hang = bench.edge.fault({ kind: 'hang' });
    await show(2);
    expect(await client.flush({ timeout: 50 })).toMatchObject({
      ...nothing,
      accepted: 2,
      queued: 2,
      inFlight: 1,
    });
    hang.clear();
    expect(await client.flush(LONG)).toEqual({ ...nothing, accepted: 2, delivered: 2 });
  });

  test.each([0, -5, Number.NEGATIVE_INFINITY])(
    'ends at once when its time is over already: %s',
    async (timeout) => {
      const { client, show } = await start();
      bench.edge.fault({ kind: 'hang' });
      await show(1);
      expect(await client.flush({ timeout })).toMatchObject({ queued: 1 });
      expect(await client.close({ timeout })).toMatchObject({ dropped: 1 });
    },
  );

  test('takes the client’s timeout where it is given none', async () => {
    const { client, show } = await start({ timeout: 80 });
    bench.edge.fault({ kind: 'hang' });
    await show(1);
    expect(await client.flush()).toMatchObject({ accepted: 1, queued: 1 });
  });

  test('ends with its signal', async () => {
    const { client, show } = await start();
    bench.edge.fault({ kind: 'hang' });
    await show(1);
    const controller = new AbortController();
    const flushed = client.flush({ ...LONG, signal: controller.signal });
    controller.abort();
    expect(await flushed).toMatchObject({ queued: 1 });
    expect(await client.flush({ ...LONG, signal: AbortSignal.abort() })).toMatchObject({ queued: 1 });
    await client.close({ timeout: 1 });
  });

  test.each<[string, unknown]>([
    ['no timeout', { timeout: Number.NaN }],
    ['a text', 'soon'],
    ['null', null],
    ['no signal', { signal: {} }],
    [
      'a getter that throws',
      {
        get timeout(): number {
          throw new Error('a fault of the caller');
        },
      },
    ],
    [
      'a signal that throws',
      {
        signal: {
          aborted: false,
          addEventListener: () => {
            throw new Error('a fault of the caller');
          },
          removeEventListener: () => undefined,
        },
      },
    ],
  ])('never rejects: %s', async (_, options) => {
    const { client, show } = await start({ timeout: 200 });
    bench.edge.fault({ kind: 'hang' });
    await show(1);
    expect(await client.flush(options as { timeout: number })).toMatchObject({ accepted: 1 });
  });

  test('is there on a closed client, and on one that decides on the edge', async () => {
    const { client } = await start();
    await client.close();
    expect(await client.flush()).toEqual(nothing);
    expect(await bench.connect().flush()).toEqual(nothing);
  });

  test('ends no wait that the edge has asked for', async () => {
    const { client, show } = await start(LONG);
    const fault = bench.edge.fault({ ...unavailable, headers: { 'Retry-After': 600 } });
    await show(1);
    await until(() => fault.hits === 1);
    for (let turn = 0; turn < 20; turn += 1) {
      await client.flush({ timeout: 20 });
    }
    expect(fault.hits).toBe(1);
    expect(client.stats().notifications).toEqual({ ...nothing, accepted: 1, queued: 1 });
    await client.close({ timeout: 1 });
  });
});

describe('the queue', () => {
  test('delivers all while a third of the answers fails', async () => {
    const { client, lost, show } = await start();
    let answers = 0;
    bench.edge.fault(unavailable, { where: () => ++answers % 3 === 0 });
    await show(300);
    expect(await client.flush(LONG)).toMatchObject({ accepted: 300, delivered: 300, queued: 0 });
    expect(lost).toEqual([]);
  });

  test('lets a report that always fails hold up no other', async () => {
    const { client, lost, show } = await start();
    bench.edge.fault(unavailable, { where: isOf('poison') });
    await show(1, 'first');
    await client.flush(LONG);
    await show(1, 'poison');
    await show(300, 'healthy');
    await until(() => client.stats().notifications.delivered === 301);
    expect(client.stats().notifications).toMatchObject({ accepted: 302, queued: 1 });
    expect(lost).toEqual([]);
    await client.close({ timeout: 1 });
  });

  test('tries a report again that was one too many of its session, which is passing', async () => {
    const { client, lost, show } = await start();
    bench.edge.fault({ kind: 'status', status: 420 }, { times: 2 });
    await show(1);
    expect(await client.flush(LONG)).toMatchObject({ delivered: 1, failed: 0 });
    expect(bench.edge.requestsTo(DELIVERY)).toHaveLength(3);
    const ids = bench.edge.requests.map(({ delivery }) => delivery?.notifications?.[0]);
    expect(new Set(ids.map((one) => `${one?.id} ${one?.impressionId}`)).size).toBe(1);
    expect(lost).toEqual([]);
  });

  test.each<[string, () => Partial<TargetClientConfig>, number]>([
    ['by default', () => ({}), 64],
    ['as many as it is told', () => ({ notifications: { maxInFlight: 5 } }), 5],
    ['one', () => ({ notifications: { maxInFlight: 1 } }), 1],
    ['half of what an agent opens', () => ({ agent: new Agent({ keepAlive: true, maxSockets: 12 }) }), 6],
    ['half of what undici opens', () => ({ fetchApi: createUndiciFetch({ connections: 9 }) }), 5],
    [
      'as many as it is told, of what an agent opens',
      () => ({ agent: new Agent({ maxSockets: 12 }), notifications: { maxInFlight: 11 } }),
      11,
    ],
  ])('has so many calls under way to a host: %s', async (_, config, most) => {
    const { client, show } = await start(config());
    await show(200);
    await client.flush(LONG);
    const hang = bench.edge.fault({ kind: 'hang' });
    await show(200, 'waiting');
    await until(() => hang.hits >= most);
    for (let turn = 0; turn < 50; turn += 1) {
      await new Promise(setImmediate);
    }
    expect(hang.hits).toBe(most);
    await client.close({ timeout: 1 });
  });

  test('has one call under way to a host that fails, where it had 64', async () => {
    const { client, show } = await start();
    await show(200);
    await client.flush(LONG);
    const failing = bench.edge.fault(unavailable);
    await show(100, 'failing');
    await until(() => failing.hits >= 64 && client.stats().notifications.inFlight === 0);
    failing.clear();
    const slow = bench.edge.fault({ kind: 'hang' });
    await until(() => slow.hits > 0);
    for (let turn = 0; turn < 50; turn += 1) {
      await new Promise(setImmediate);
    }
    expect(client.stats().notifications.inFlight).toBe(1);
    await client.close({ timeout: 1 });
  });

  test('drops what is too many calls, and says of each that it did', async () => {
    const { client, lost, show } = await start({ notifications: { maxQueued: 10 } });
    bench.edge.fault({ kind: 'hang' });
    await show(12);
    expect(client.stats().notifications).toMatchObject({ accepted: 12, dropped: 2, queued: 10 });
    const dropped = {
      code: 'ERR_TARGET_ABORTED',
      message: 'a notification was dropped: 10 calls are queued',
    };
    expect(lost).toEqual([dropped, dropped]);
    await client.close({ timeout: 1 });
  });

  test('drops what is too many bytes', async () => {
    const { client, lost } = await start({ notifications: { maxBytes: 100_000 } });
    bench.edge.fault({ kind: 'hang' });
    const context = { channel: 'web' as const, userAgent: 'u'.repeat(15_000) };
    for (let visitor = 0; visitor < 10; visitor += 1) {
      await client.getOffers({ request: { ...HERO, context } });
    }
    expect(client.stats().notifications).toMatchObject({ accepted: 10, dropped: 4, queued: 6 });
    expect(lost).toHaveLength(4);
    expect(lost[0]?.message).toBe('a notification was dropped: more than 100000 bytes would be queued');
    await client.close({ timeout: 1 });
  });
});

describe('the notifications option', () => {
  test.each<[object, string]>([
    [{ maxInFlight: 0 }, 'notifications.maxInFlight must be an integer from 1 to 128, not the number 0'],
    [{ maxInFlight: 129 }, 'notifications.maxInFlight must be an integer from 1 to 128, not the number 129'],
    [{ maxInFlight: 1.5 }, 'notifications.maxInFlight must be an integer from 1 to 128, not the number 1.5'],
    [{ maxQueued: 0 }, 'notifications.maxQueued must be an integer of at least 1, not the number 0'],
    [
      { maxQueued: Number.NaN },
      'notifications.maxQueued must be an integer of at least 1, not the number NaN',
    ],
    [{ maxBytes: -1 }, 'notifications.maxBytes must be an integer of at least 1, not the number -1'],
    [
      { maxBytes: Number.POSITIVE_INFINITY },
      'notifications.maxBytes must be an integer of at least 1, not the number Infinity',
    ],
  ])('is checked: %j', async (notifications, message) => {
    const error = await targetErrorOf(() => bench.connect({ notifications }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_CONFIG', message });
  });

  test('is an object', async () => {
    const notifications = 5 as unknown as object;
    const error = await targetErrorOf(() => bench.connect({ notifications }));
    expect(error.message).toBe('notifications must be an object, not the number 5');
  });
});
