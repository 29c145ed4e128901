import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { NotificationPolicy } from '../../src/config/config-policies.js';
import type { NotificationOutbox, QueuedDelivery } from '../../src/config/notification-outbox.js';
import type { Notification } from '../../src/delivery-api.js';
import { TargetError } from '../../src/errors.js';
import { Events } from '../../src/events.js';
import { within } from '../../src/http/deadline.js';
import { newUuid } from '../../src/identity/ids.js';
import { createLogger } from '../../src/logger.js';
import { BackgroundWork } from '../../src/reports/background-work.js';
import { NotificationQueue } from '../../src/reports/notification-queue.js';
import type { Delivery } from '../../src/request/call.js';
import type { NotificationStats } from '../../src/stats.js';
import { fakeTimers, pass, settle } from '../scripted-cdn.js';

/** What an outbox does with a push. */
type Push = 'take' | 'slow' | 'reject' | 'throw' | 'hang' | 'dead';

/** An outbox that does what it is told to, and keeps what it took. */
class ScriptedOutbox implements NotificationOutbox {
  does: Push = 'take';
  readonly pushed: string[][] = [];
  readonly taken: QueuedDelivery[] = [];
  readonly signals: AbortSignal[] = [];
  underWay = 0;
  mostUnderWay = 0;
  bytes: number[] = [];

  async push(batch: readonly QueuedDelivery[], { signal }: { readonly signal: AbortSignal }): Promise<void> {
    this.pushed.push(batch.map(({ id }) => id));
    this.bytes.push(batch.reduce((sum, { data }) => sum + Buffer.byteLength(data), 0));
    this.signals.push(signal);
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    try {
      await this.#answer(batch, signal);
    } finally {
      this.underWay -= 1;
    }
  }

  async #answer(batch: readonly QueuedDelivery[], signal: AbortSignal): Promise<void> {
    if (this.does === 'hang') {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return;
    }
    if (this.does === 'dead') {
      await new Promise(() => undefined);
    }
    if (this.does === 'slow') {
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    await Promise.resolve();
    if (this.does === 'reject') {
      throw new Error('the queue is full');
    }
    this.taken.push(...batch);
  }
}

/** What the edge does with calls. */
type Edge = 'confirm' | 'fail' | 'hang';

function queueOf(policy: Partial<NotificationPolicy> = {}) {
  const outbox = new ScriptedOutbox();
  const lines: string[] = [];
  const logger = createLogger({ warn: (line) => lines.push(String(line)) });
  const events = new Events(logger);
  const sent: string[] = [];
  const lost: string[] = [];
  events.on('sendNotificationError', ({ notification }) => void lost.push(notification.id));
  const edge: { does: Edge } = { does: 'confirm' };
  const queue = new NotificationQueue({
    policy: {
      ...{ maxInFlight: 64, maxQueued: 10_000, maxBytes: 32 * 1024 * 1024 },
      mode: undefined,
      outbox,
      ...policy,
    },
    events,
    logger,
    work: new BackgroundWork(undefined, logger),
    timeoutMs: 3000,
    now: () => Date.now(),
    newId: newUuid,
    hostOf: (hint = '') => `edge${hint}.example`,
    deliver: ({ request: { notifications = [] }, signal }) => {
      sent.push(...notifications.map(({ id }) => id));
      return within(
        { timeoutMs: 3000, signal },
        async () => {
          if (edge.does === 'fail') {
            throw new TargetError('ERR_TARGET_RESPONSE', 'status 503', { status: 503 });
          }
          await (edge.does === 'hang' ? new Promise(() => undefined) : Promise.resolve());
          return { response: { status: 200, notifications: notifications.map(({ id }) => ({ id })) } };
        },
        (limit) =>
          new TargetError(limit === 'signal' ? 'ERR_TARGET_ABORTED' : 'ERR_TARGET_TIMEOUT', 'cut off'),
      );
    },
  });
  return { queue, outbox, edge, sent, lost, lines };
}

let lastId = 0;
function callOf(size = 0, hint?: string): Delivery {
  lastId += 1;
  const notification: Notification = {
    id: `n${lastId}`,
    type: 'display',
    timestamp: 1,
    mbox: { name: 'x'.repeat(size) },
  };
  return {
    request: {
      requestId: `r${lastId}`,
      context: { channel: 'web' },
      id: { tntId: 't1' },
      notifications: [notification],
    },
    encodedSessionId: 's%2F1',
    locationHint: hint,
    decisioningMethod: 'on-device',
    timeoutMs: 3000,
    signal: undefined,
  };
}
function add(queue: NotificationQueue, calls: number, size = 0, hint?: string): void {
  for (let call = 0; call < calls; call += 1) {
    queue.add(callOf(size, hint));
  }
}
/** All counts of a queue. Those that are not named are 0, and as many were accepted as have a fate or wait. */
function counted(named: Partial<NotificationStats>): NotificationStats {
  const counts = { delivered: 0, failed: 0, dropped: 0, queued: 0, handedOver: 0, inFlight: 0, ...named };
  const { delivered, failed, dropped, queued, handedOver } = counts;
  return { ...counts, accepted: delivered + failed + dropped + queued + handedOver };
}
const lawHolds = ({ stats: s }: NotificationQueue) =>
  s.accepted === s.delivered + s.failed + s.dropped + s.queued + s.handedOver;
const limit = (timeoutMs: number) => ({ timeoutMs, signal: undefined });

beforeEach(fakeTimers);
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

describe('the mode always', () => {
  const always = { mode: 'always' as const };

  test('pushes batches of at most 100 calls, 500 ms after the first of them', async () => {
    const { queue, outbox, sent } = queueOf(always);
    add(queue, 250);
    await pass(0);
    expect(outbox.pushed.map(({ length }) => length)).toEqual([100, 100]);
    await pass(490);
    expect(outbox.pushed).toHaveLength(2);
    await pass(20);
    expect(outbox.pushed.map(({ length }) => length)).toEqual([100, 100, 50]);
    expect(new Set(outbox.taken.map(({ id }) => id)).size).toBe(250);
    expect(queue.stats).toEqual(counted({ handedOver: 250 }));
    expect(sent).toEqual([]);
    expect(queue.size).toBe(0);
  });

  test('pushes at most 256 KiB at once, and four batches at a time', async () => {
    const { queue, outbox } = queueOf(always);
    outbox.does = 'hang';
    add(queue, 60, 30_000);
    await pass(600);
    expect(outbox.pushed).toHaveLength(4);
    expect(Math.max(...outbox.bytes)).toBeLessThanOrEqual(256 * 1024);
    outbox.does = 'take';
    await pass(10_000);
    expect(queue.stats.handedOver).toBe(60);
    expect(outbox.mostUnderWay).toBe(4);
  });

  test('tells what another process needs to send a call', async () => {
    const { queue, outbox } = queueOf(always);
    queue.add(callOf(0, '35'));
    await pass(600);
    const [delivery] = outbox.taken;
    expect(delivery).toMatchObject({ visitor: 't1', notifications: 1 });
    expect(JSON.parse(delivery?.data ?? '')).toEqual({
      ...{ v: 1, i: delivery?.id, t: expect.any(Number), s: 's%2F1', h: '35', m: 'on-device' },
      r: {
        requestId: `r${lastId}`,
        context: { channel: 'web' },
        id: { tntId: 't1' },
        notifications: [{ id: `n${lastId}`, type: 'display', timestamp: 1, mbox: { name: '' } }],
      },
    });
  });

  test('sends a call of more than 64 KiB directly', async () => {
    const { queue, outbox, sent } = queueOf(always);
    add(queue, 1, 66_000);
    add(queue, 1);
    await pass(600);
    expect(sent).toHaveLength(1);
    expect(outbox.taken).toHaveLength(1);
    expect(queue.stats).toEqual(counted({ delivered: 1, handedOver: 1 }));
  });

  test.each<Push>(['reject', 'throw', 'hang'])(
    'pushes the same batch with the same ids again, and sends its calls after 5 s: %s',
    async (does) => {
      const { queue, outbox, sent } = queueOf(always);
      if (does === 'throw') {
        jest.spyOn(outbox, 'push').mockImplementation((batch) => {
          outbox.pushed.push(batch.map(({ id }) => id));
          throw new Error('no');
        });
      }
      outbox.does = does;
      add(queue, 3);
      await pass(4900);
      expect(sent).toEqual([]);
      expect(outbox.pushed.length).toBeGreaterThanOrEqual(2);
      expect(new Set(outbox.pushed.map(String)).size).toBe(1);
      await pass(4000);
      expect(sent).toHaveLength(3);
      expect(queue.stats).toEqual(counted({ delivered: 3, handedOver: 0, queued: 0 }));
    },
  );

  test('pushes a batch in its own order again, also when its calls were tried in another', async () => {
    const { queue, outbox, edge } = queueOf(always);
    outbox.does = 'reject';
    edge.does = 'fail';
    add(queue, 5, 0, '35');
    add(queue, 5, 0, '41');
    add(queue, 5, 0, '35');
    await pass(30_000);
    outbox.does = 'take';
    await pass(6000);
    expect(outbox.pushed.length).toBeGreaterThan(2);
    expect(new Set(outbox.pushed.map(String)).size).toBe(1);
    expect(queue.stats).toEqual(counted({ handedOver: 15, queued: 0 }));
  });

  test('goes back to the outbox when it works again, with no call in two places', async () => {
    const { queue, outbox, edge, sent } = queueOf(always);
    outbox.does = 'reject';
    edge.does = 'fail';
    add(queue, 150);
    await pass(20_000);
    expect(queue.stats).toEqual(counted({ queued: 150 }));
    outbox.does = 'take';
    await pass(6000);
    expect(queue.stats).toEqual(counted({ handedOver: 150, queued: 0 }));
    expect(outbox.taken).toHaveLength(150);
    expect(new Set(outbox.taken.map(({ id }) => id)).size).toBe(150);
    sent.length = 0;
    edge.does = 'confirm';
    add(queue, 5);
    await pass(600);
    expect(sent).toEqual([]);
    expect(outbox.taken).toHaveLength(155);
  });

  test('tries the outbox with at most one batch while it is down, and sends the rest', async () => {
    const { queue, outbox } = queueOf(always);
    outbox.does = 'reject';
    add(queue, 1);
    await pass(10_000);
    outbox.pushed.length = 0;
    for (let second = 0; second < 30; second += 1) {
      add(queue, 10);
      await pass(1000);
    }
    expect(queue.stats.delivered).toBeGreaterThan(290);
    expect(outbox.pushed.length).toBeLessThan(16);
    outbox.does = 'take';
    for (let second = 0; second < 10; second += 1) {
      add(queue, 10);
      await pass(1000);
    }
    expect(queue.stats.handedOver).toBeGreaterThanOrEqual(40);
    expect(lawHolds(queue)).toBe(true);
  });

  test('makes no further push while eight have not settled, and tries again after ten minutes', async () => {
    const { queue, outbox } = queueOf(always);
    outbox.does = 'dead';
    for (let second = 0; second < 120; second += 1) {
      add(queue, 2);
      await pass(1000);
    }
    expect(outbox.pushed.length).toBe(8);
    expect(queue.stats.delivered).toBeGreaterThan(200);
    outbox.does = 'take';
    await pass(600_000);
    add(queue, 1);
    await pass(10_000);
    expect(outbox.pushed.length).toBeGreaterThan(8);
    expect(outbox.taken.length).toBeGreaterThan(0);
    expect(lawHolds(queue)).toBe(true);
  });

  test('drops beyond maxQueued when outbox and edge are gone, and says each', async () => {
    const { queue, outbox, edge, lost } = queueOf({ ...always, maxQueued: 200 });
    outbox.does = 'reject';
    edge.does = 'fail';
    for (let second = 0; second < 30; second += 1) {
      add(queue, 20);
      await pass(1000);
    }
    expect(queue.size).toBeLessThanOrEqual(200);
    expect(queue.stats).toEqual(counted({ queued: 200, dropped: 400 }));
    expect(lost).toHaveLength(400);
  });

  test('is flushed at once', async () => {
    const { queue, outbox } = queueOf(always);
    add(queue, 3);
    await queue.flush(limit(1000));
    expect(queue.stats.handedOver).toBe(3);
    expect(outbox.pushed).toHaveLength(1);
  });

  test('writes one line for a fault and one for its end, without the message of the library', async () => {
    const { queue, outbox, lines } = queueOf(always);
    outbox.does = 'reject';
    add(queue, 1);
    await pass(20_000);
    expect(lines).toEqual([
      'AT: the outbox did not take notifications: it failed or gave no answer within 2 seconds',
    ]);
  });
});

describe('the mode overflow', () => {
  test('hands over nothing while all is well', async () => {
    const { queue, outbox } = queueOf();
    add(queue, 900);
    await queue.flush(limit(10_000));
    expect(queue.stats).toEqual(counted({ delivered: 900, handedOver: 0 }));
    expect(outbox.pushed).toEqual([]);
  });

  test('hands over the oldest calls while more than 1000 wait', async () => {
    const { queue, outbox, edge } = queueOf();
    edge.does = 'hang';
    const first = lastId + 1;
    add(queue, 1500);
    await pass(600);
    expect(queue.stats.handedOver).toBe(500);
    expect(outbox.taken[0]?.data).toContain(`"n${first}"`);
    expect(queue.size).toBe(1000);
  });

  test('hands everything over from the second pause of a host, but for the one call that tries it', async () => {
    const { queue, outbox, edge, sent } = queueOf();
    edge.does = 'fail';
    add(queue, 20);
    await pass(10_000);
    expect(queue.stats).toEqual(counted({ handedOver: 19, queued: 1 }));
    add(queue, 20);
    await pass(600);
    expect(queue.stats).toEqual(counted({ handedOver: 39, queued: 1 }));
    edge.does = 'confirm';
    await pass(40_000);
    expect(queue.stats).toEqual(counted({ handedOver: 39, queued: 0, delivered: 1 }));
    outbox.pushed.length = 0;
    sent.length = 0;
    add(queue, 20);
    await pass(1000);
    expect(queue.stats).toEqual(counted({ delivered: 21, handedOver: 39 }));
    expect(outbox.pushed).toEqual([]);
  });

  test('keeps the calls for a host that answers', async () => {
    const { queue, edge } = queueOf();
    edge.does = 'confirm';
    add(queue, 1, 0, '35');
    await pass(100);
    expect(queue.stats).toEqual(counted({ delivered: 1 }));
    edge.does = 'fail';
    add(queue, 10, 0, '41');
    await pass(5000);
    edge.does = 'confirm';
    add(queue, 5, 0, '35');
    await pass(100);
    expect(queue.stats.delivered).toBeGreaterThanOrEqual(6);
  });

  test('hands over what is left when a flush is over', async () => {
    const { queue, edge } = queueOf();
    edge.does = 'hang';
    add(queue, 20);
    const flushed = queue.flush(limit(300));
    await pass(310);
    await flushed;
    expect(queue.stats).toEqual(counted({ handedOver: 19, queued: 1, inFlight: 1 }));
  });
});

describe('close', () => {
  test.each(['overflow', 'always'] as const)(
    'hands 5000 calls over while the edge hangs: %s',
    async (mode) => {
      const { queue, edge, lost } = queueOf({ mode });
      add(queue, 1);
      await queue.flush(limit(1000));
      edge.does = 'hang';
      add(queue, 5000);
      await pass(0);
      const closed = queue.close(3000);
      await pass(3000);
      expect((await closed).handedOver + (await closed).delivered).toBe(5001);
      expect(lost).toEqual([]);
      expect(lawHolds(queue)).toBe(true);
      expect(jest.getTimerCount()).toBe(0);
    },
  );

  test('sends the calls itself when the outbox fails', async () => {
    const { queue, outbox } = queueOf();
    outbox.does = 'reject';
    add(queue, 200);
    const closed = queue.close(3000);
    await pass(3000);
    expect(await closed).toEqual({ delivered: 200, failed: 0, dropped: 0, handedOver: 0 });
  });

  test.each(['overflow', 'always'] as const)(
    'sends the calls itself when the outbox gives no answer, in the mode %s',
    async (mode) => {
      const { queue, outbox } = queueOf({ mode });
      outbox.does = 'dead';
      add(queue, 200);
      const closed = queue.close(3000);
      await pass(3000);
      expect(await closed).toEqual({ delivered: 200, failed: 0, dropped: 0, handedOver: 0 });
    },
  );

  test('sends directly what an outbox that is slow has not taken after half of the time', async () => {
    const { queue, outbox } = queueOf();
    outbox.does = 'slow';
    add(queue, 5000);
    const closed = queue.close(6000);
    await pass(6000);
    const { handedOver, delivered, dropped } = await closed;
    expect(handedOver).toBeGreaterThan(0);
    expect({ all: handedOver + delivered, dropped }).toEqual({ all: 5000, dropped: 0 });
  });

  test('does not cut off calls under way for an outbox that takes nothing', async () => {
    const { queue, outbox, edge, sent } = queueOf();
    outbox.does = 'reject';
    edge.does = 'hang';
    add(queue, 200);
    const closed = queue.close(3000);
    await pass(3000);
    await closed;
    expect(new Set(sent).size).toBe(sent.length);
  });

  test('ends in time when both hang, and drops what nobody took', async () => {
    const { queue, outbox, edge, lost } = queueOf();
    outbox.does = 'hang';
    edge.does = 'hang';
    add(queue, 200);
    const closed = queue.close(3000);
    await pass(3000);
    expect(await closed).toEqual({ delivered: 0, failed: 0, dropped: 200, handedOver: 0 });
    expect(lost).toHaveLength(200);
    outbox.does = 'take';
    await pass(10_000);
    await settle();
    expect(queue.stats).toEqual(counted({ dropped: 200, handedOver: 0, queued: 0 }));
    expect(jest.getTimerCount()).toBe(0);
  });
});
