import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { NotificationPolicy } from '../../src/config/config-policies.js';
import type { DeliveryResponse, Notification } from '../../src/delivery-api.js';
import { TargetError, type TargetErrorCode } from '../../src/errors.js';
import { Events, type TargetEvents } from '../../src/events.js';
import { within } from '../../src/http/deadline.js';
import { newUuid } from '../../src/identity/ids.js';
import { createLogger } from '../../src/logger.js';
import { BackgroundWork } from '../../src/reports/background-work.js';
import { NotificationQueue } from '../../src/reports/notification-queue.js';
import { WrittenReport } from '../../src/reports/written-report.js';
import type { Delivery } from '../../src/request/call.js';
import { fakeTimers, pass, settle } from '../scripted-cdn.js';

type Answer = { readonly response: DeliveryResponse };
type Deliver = (call: Delivery) => Promise<Answer>;

/** A queue, what it sent, and what it raised. */
function queueOf(deliver: Deliver, policy: Partial<NotificationPolicy> = {}) {
  const logger = createLogger(null);
  const events = new Events(logger);
  const sent: string[][] = [];
  const errors: TargetEvents['sendNotificationError'][] = [];
  events.on('sendNotificationError', (event) => errors.push(event));
  const queue = new NotificationQueue({
    policy: {
      ...{ maxInFlight: 64, maxQueued: 10_000, maxBytes: 32 * 1024 * 1024 },
      outbox: undefined,
      mode: undefined,
      ...policy,
    },
    events,
    logger,
    work: new BackgroundWork(undefined, logger),
    timeoutMs: 3000,
    now: () => Date.now(),
    newId: newUuid,
    hostOf: (hint = '') => `edge${hint}.example`,
    deliver: (call) => {
      sent.push(idsOf(call));
      return deliver(call);
    },
  });
  return { queue, sent, errors };
}

function callOf(...ids: readonly string[]): Delivery {
  const notifications = ids.map(
    (id): Notification => ({ id, type: 'display', timestamp: 1, mbox: { name: 'hero' } }),
  );
  return {
    request: { context: { channel: 'web' }, notifications },
    encodedSessionId: 's',
    locationHint: undefined,
    decisioningMethod: 'on-device',
    timeoutMs: 3000,
    signal: undefined,
  };
}

/** A call whose JSON was written before. */
function callOfText(id: string, json: string): Delivery {
  const call = callOf(id);
  const { context, notifications = [] } = call.request;
  return { ...call, request: new WrittenReport({ requestId: id, context }, notifications, json) };
}

const NEVER_MS = 2 ** 31 - 1;
const FOREVER = { timeoutMs: NEVER_MS, signal: undefined };
const fatesOf = ({ stats: { delivered, failed, dropped } }: NotificationQueue) => ({
  delivered,
  failed,
  dropped,
});
const idsOf = ({ request }: Delivery) => (request.notifications ?? []).map(({ id }) => id);
const confirmed = (ids: readonly string[]): Answer => ({
  response: { status: 200, notifications: ids.map((id) => ({ id })) },
});
const confirm: Deliver = async (call) => confirmed(idsOf(call));
const failure = (status: number) => new TargetError('ERR_TARGET_RESPONSE', `status ${status}`, { status });
const failing = (code: TargetErrorCode) => new TargetError(code, code);

async function closeNow(queue: NotificationQueue) {
  const closed = queue.close(1);
  await pass(1);
  return closed;
}

/** Answers when it is told to, and fails when it is aborted. */
function heldEdge() {
  const waiting: (() => void)[] = [];
  const deliver: Deliver = (call) => {
    const answered = new Promise<Answer>((resolve) => {
      waiting.push(() => resolve(confirmed(idsOf(call))));
    });
    // As the transport does: one listener of the queue's signal, however many calls there are.
    return within(
      { timeoutMs: NEVER_MS, signal: call.signal },
      () => answered,
      () => failing('ERR_TARGET_ABORTED'),
    );
  };
  const release = async (count = waiting.length) => {
    for (const answer of waiting.splice(0, count)) {
      answer();
    }
    await settle();
  };
  return { deliver, release };
}

beforeEach(fakeTimers);
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

describe('a queue', () => {
  test('sends behind the current turn, and lets nobody wait', async () => {
    const { queue, sent } = queueOf(confirm);
    queue.add(callOf('a', 'b'));
    expect(sent).toHaveLength(0);
    await queue.flush(FOREVER);
    expect(sent).toEqual([['a', 'b']]);
    expect(fatesOf(queue)).toEqual({ delivered: 2, failed: 0, dropped: 0 });
    expect(queue.size).toBe(0);
  });

  test('begins with one call, goes on with ten, and with one more for each that succeeds', async () => {
    const { deliver, release } = heldEdge();
    const { queue, sent } = queueOf(deliver);
    for (let call = 0; call < 300; call += 1) {
      queue.add(callOf(`${call}`));
    }
    await settle();
    expect(sent).toHaveLength(1);
    await release();
    expect(sent).toHaveLength(1 + 10);
    await release(3);
    expect(sent).toHaveLength(4 + 13);
    await release();
    expect(sent).toHaveLength(17 + 26);
    await release();
    await release();
    // No more than 64 at a time.
    expect(sent).toHaveLength(17 + 26 + 52 + 64);
    while (queue.size > 0) {
      await release();
    }
    expect(fatesOf(queue)).toEqual({ delivered: 300, failed: 0, dropped: 0 });
    expect(new Set(sent.flat()).size).toBe(300);
  });

  test.each([1, 5, 128])('has no more than maxInFlight under way to a host: %i', async (maxInFlight) => {
    const { deliver, release } = heldEdge();
    const { queue, sent } = queueOf(deliver, { maxInFlight });
    for (let call = 0; call < 1000; call += 1) {
      queue.add(callOf(`${call}`));
    }
    let most = 0;
    for (let before = 0; queue.size > 0; before = sent.length) {
      await release();
      most = Math.max(most, sent.length - before);
    }
    expect(most).toBe(maxInFlight);
  });

  test('has no more than twice maxInFlight under way to all hosts', async () => {
    const { deliver, release } = heldEdge();
    const { queue, sent } = queueOf(deliver, { maxInFlight: 10 });
    for (let call = 0; call < 200; call += 1) {
      queue.add({ ...callOf(`${call}`), locationHint: `${30 + (call % 4)}` });
    }
    await settle();
    expect(sent).toHaveLength(4);
    await release();
    expect(sent).toHaveLength(4 + 20);
    while (queue.size > 0) {
      await release();
    }
    expect(queue.stats.delivered).toBe(200);
  });

  test('tries at most sixteen hosts at a time that have not answered yet', async () => {
    const { deliver, release } = heldEdge();
    const { queue, sent } = queueOf(deliver);
    queue.add(callOf('own'));
    await settle();
    await release();
    for (let hint = 100; hint < 150; hint += 1) {
      queue.add({ ...callOf(`${hint}`), locationHint: `${hint}` });
    }
    for (let call = 0; call < 5; call += 1) {
      queue.add(callOf(`own ${call}`));
    }
    await settle();
    expect(sent).toHaveLength(1 + 16 + 5);
    while (queue.size > 0) {
      await release();
    }
    expect(queue.stats.delivered).toBe(56);
  });

  test('is bounded in bytes, and says of each call that is too much', async () => {
    const { deliver, release } = heldEdge();
    const { queue, errors } = queueOf(deliver, { maxBytes: 100_000 });
    const json = 'é'.repeat(10_000);
    for (let call = 0; call < 7; call += 1) {
      queue.add(callOfText(`${call}`, json));
    }
    expect(queue.stats).toMatchObject({ accepted: 7, delivered: 0, failed: 0, dropped: 2, queued: 5 });
    expect(errors).toHaveLength(2);
    expect(errors[0]?.error).toMatchObject({
      code: 'ERR_TARGET_ABORTED',
      message: 'a notification was dropped: more than 100000 bytes would be queued',
    });
    await settle();
    await release();
    queue.add(callOfText('room', json));
    expect(queue.stats).toMatchObject({ dropped: 2, queued: 5 });
    while (queue.size > 0) {
      await settle();
      await release();
    }
    expect(queue.stats).toMatchObject({ accepted: 8, delivered: 6 });
  });

  test('holds ten thousand calls, and says of each that came too late', async () => {
    const { deliver, release } = heldEdge();
    const { queue, errors } = queueOf(deliver);
    for (let call = 0; call < 10_001; call += 1) {
      queue.add(callOf(`${call}`));
    }
    queue.add(callOf('x', 'y'));
    expect(queue.size).toBe(10_000);
    expect(fatesOf(queue)).toEqual({ delivered: 0, failed: 0, dropped: 3 });
    expect(errors.map(({ notification }) => (notification as Notification).id)).toEqual(['10000', 'x', 'y']);
    expect(errors[0]?.error).toMatchObject({
      code: 'ERR_TARGET_ABORTED',
      message: 'a notification was dropped: 10000 calls are queued',
    });
    await settle();
    await release();
    queue.add(callOf('z'));
    expect(queue.size).toBe(10_000);
  });

  test.each<[string, Error]>([
    ['500', failure(500)],
    ['503', failure(503)],
    ['429', failure(429)],
    ['408', failure(408)],
    ['no network', failing('ERR_TARGET_NETWORK')],
    ['no answer', failing('ERR_TARGET_TIMEOUT')],
    ['an answer that is none', failing('ERR_TARGET_INVALID_RESPONSE')],
  ])('sends the same ids again, at most eight times in a minute: %s', async (_, error) => {
    jest.spyOn(Math, 'random').mockReturnValue(0);
    let isDown = true;
    const { queue, sent, errors } = queueOf((call) => (isDown ? Promise.reject(error) : confirm(call)));
    queue.add(callOf('a', 'b'));
    await settle();
    await pass(60_000);
    expect(sent.length).toBeGreaterThan(4);
    expect(sent.length).toBeLessThanOrEqual(8);
    expect(sent.every((ids) => ids.join() === 'a,b')).toBe(true);
    isDown = false;
    await pass(60_000);
    expect(fatesOf(queue)).toEqual({ delivered: 2, failed: 0, dropped: 0 });
    expect(errors).toHaveLength(0);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('asks with one call alone while the edge is down, however many wait', async () => {
    const { queue, sent } = queueOf(() => Promise.reject(failure(503)));
    for (let call = 0; call < 100; call += 1) {
      queue.add(callOf(`${call}`));
    }
    await settle();
    await pass(60_000);
    expect(sent.length).toBeLessThanOrEqual(8);
    expect(await closeNow(queue)).toEqual({ delivered: 0, failed: 0, dropped: 100, handedOver: 0 });
  });

  test('has calls that come in a pause wait for its end', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(0);
    const { queue, sent } = queueOf(() => Promise.reject(failure(503)));
    queue.add(callOf('a'));
    await settle();
    queue.add(callOf('b'));
    await settle();
    expect(sent).toEqual([['a']]);
    await pass(149);
    expect(sent).toEqual([['a']]);
    await pass(1);
    // One that did not fail there yet.
    expect(sent).toEqual([['a'], ['b']]);
    await pass(450);
    expect(sent).toEqual([['a'], ['b'], ['a']]);
  });

  test('does not blame a host for a call that always fails', async () => {
    const { queue, sent } = queueOf((call) =>
      idsOf(call)[0]?.startsWith('poison') ? Promise.reject(failure(500)) : confirm(call),
    );
    queue.add(callOf('first'));
    await settle();
    queue.add(callOf('poison'));
    await pass(25_000);
    const before = sent.length;
    queue.add(callOf('healthy'));
    await settle();
    expect(sent.slice(before)).toEqual([['healthy']]);
    expect(queue.stats).toMatchObject({ delivered: 2, queued: 1 });
    await closeNow(queue);
  });

  test('tries a paused host with a call that did not fail there', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(0);
    const { queue, sent } = queueOf((call) =>
      idsOf(call)[0]?.startsWith('poison') ? Promise.reject(failure(500)) : confirm(call),
    );
    queue.add(callOf('first'));
    await settle();
    for (let call = 0; call < 10; call += 1) {
      queue.add(callOf(`poison ${call}`));
    }
    await settle();
    queue.add(callOf('healthy'));
    await settle();
    expect(sent.at(-1)).not.toEqual(['healthy']);
    await pass(750);
    expect(queue.stats.delivered).toBe(2);
    await closeNow(queue);
  });

  test('gives no host the places of others', async () => {
    const { deliver, release } = heldEdge();
    const hanging: Deliver = (call) =>
      call.locationHint === '39' && isSick ? new Promise(() => undefined) : deliver(call);
    let isSick = false;
    const { queue, sent } = queueOf(hanging, { maxInFlight: 64 });
    const to = (locationHint: string, id: string) => ({ ...callOf(id), locationHint });
    for (let round = 0; round < 8; round += 1) {
      for (let call = 0; call < 100; call += 1) {
        queue.add(to(['35', '39'][call % 2] ?? '', `${round} ${call}`));
      }
      while (queue.size > 0) {
        await settle();
        await release();
      }
    }
    isSick = true;
    for (const hint of ['39', '35', '36', '37', '38']) {
      for (let call = 0; call < 200; call += 1) {
        queue.add(to(hint, `late ${hint} ${call}`));
      }
    }
    const before = sent.length;
    for (let round = 0; round < 40; round += 1) {
      await settle();
      await release();
    }
    const arrived = sent.slice(before).filter(([id]) => !id?.startsWith('late 39')).length;
    expect(arrived).toBe(800);
    void queue.close(1);
  });

  test('gives lanes their turns', async () => {
    const { deliver, release } = heldEdge();
    const { queue, sent } = queueOf(deliver, { maxInFlight: 1 });
    for (let call = 0; call < 3; call += 1) {
      for (const hint of ['35', '36', '37']) {
        queue.add({ ...callOf(`${hint} ${call}`), locationHint: hint });
      }
    }
    while (queue.size > 0) {
      await settle();
      await release(1);
    }
    const hints = sent.map(([id]) => id?.slice(0, 2));
    expect(new Set(hints.slice(0, 3)).size).toBe(3);
    expect(new Set(hints.slice(3, 6)).size).toBe(3);
  });

  test('has room again for what was split', async () => {
    const { queue } = queueOf(
      async (call) => {
        if (idsOf(call).length > 1) {
          throw failure(413);
        }
        return confirmed(idsOf(call));
      },
      { maxBytes: 1000 },
    );
    for (let round = 0; round < 20; round += 1) {
      queue.add(callOf(`${round} a`, `${round} b`));
      await queue.flush(FOREVER);
    }
    expect(queue.stats).toMatchObject({ delivered: 40, dropped: 0 });
  });

  test('blames no fault that is over for what is dropped later', async () => {
    let isDown = true;
    const { queue, errors } = queueOf((call) => (isDown ? Promise.reject(failure(503)) : confirm(call)), {
      maxQueued: 1,
    });
    queue.add(callOf('a'));
    queue.add(callOf('b'));
    await settle();
    queue.add(callOf('c'));
    isDown = false;
    await queue.flush(FOREVER);
    queue.add(callOf('d'));
    queue.add(callOf('e'));
    expect(errors.map(({ error }) => error.cause !== undefined)).toEqual([false, true, false]);
  });

  test('lets a passing fault hold up nothing but its own call', async () => {
    let isSick = false;
    const { queue, sent } = queueOf((call) =>
      isSick && idsOf(call)[0] === 'sick' ? Promise.reject(failure(503)) : confirm(call),
    );
    queue.add(callOf('first'));
    await settle();
    isSick = true;
    for (const id of ['sick', 'a', 'b', 'c']) {
      queue.add(callOf(id));
    }
    await settle();
    expect(sent).toEqual([['first'], ['sick'], ['a'], ['b'], ['c']]);
    isSick = false;
    await pass(100);
    expect(fatesOf(queue)).toEqual({ delivered: 5, failed: 0, dropped: 0 });
  });

  test('pauses a host after eight faults in a row, and another host never', async () => {
    let isDown = false;
    const { queue, sent } = queueOf((call) =>
      isDown && call.locationHint === '35' ? Promise.reject(failure(503)) : confirm(call),
    );
    const to = (locationHint: string, id: string) => ({ ...callOf(id), locationHint });
    for (const hint of ['35', '41']) {
      queue.add(to(hint, `first ${hint}`));
    }
    await settle();
    isDown = true;
    for (let call = 0; call < 40; call += 1) {
      queue.add(to('35', `${call}`));
    }
    await settle();
    // The ten that were under way together.
    expect(sent).toHaveLength(2 + 10);
    for (let call = 0; call < 40; call += 1) {
      queue.add(to('41', `other ${call}`));
    }
    await settle();
    expect(queue.stats.delivered).toBe(2 + 40);
    await pass(740);
    expect(sent).toHaveLength(2 + 10 + 40);
    isDown = false;
    await pass(60_000);
    expect(fatesOf(queue)).toEqual({ delivered: 82, failed: 0, dropped: 0 });
  });

  test('tries again what was too many calls of one session, and blames no host for it', async () => {
    let isBusy = true;
    const { queue, sent, errors } = queueOf((call) => {
      return isBusy && idsOf(call)[0] === 'busy' ? Promise.reject(failure(420)) : confirm(call);
    });
    queue.add(callOf('busy'));
    for (let call = 0; call < 5; call += 1) {
      queue.add(callOf(`${call}`));
    }
    await settle();
    expect(sent).toHaveLength(6);
    expect(queue.stats.delivered).toBe(5);
    isBusy = false;
    await pass(1000);
    expect(fatesOf(queue)).toEqual({ delivered: 6, failed: 0, dropped: 0 });
    expect(errors).toEqual([]);
  });

  describe('that was asked to wait', () => {
    const asking = (retryAfterMs: number) =>
      new TargetError('ERR_TARGET_RESPONSE', 'status 503', { status: 503, retryAfterMs });

    test('has the call wait, and the others not', async () => {
      const { queue, sent } = queueOf((call) =>
        idsOf(call)[0] === 'asked' ? Promise.reject(asking(30_000)) : confirm(call),
      );
      queue.add(callOf('first'));
      await settle();
      queue.add(callOf('asked'));
      queue.add(callOf('other'));
      await settle();
      expect(queue.stats.delivered).toBe(2);
      void queue.flush(FOREVER);
      await pass(29_999);
      expect(sent).toHaveLength(3);
      await pass(3001);
      expect(sent).toHaveLength(4);
      await closeNow(queue);
    });

    test('is not left alone that asked three times, but not in a row', async () => {
      const answers = [asking(30_000), asking(30_000), failure(503), asking(30_000)];
      const { queue, sent } = queueOf((call) => {
        const error = idsOf(call)[0] === 'first' ? undefined : answers.shift();
        return error ? Promise.reject(error) : confirm(call);
      });
      queue.add(callOf('first'));
      await settle();
      for (const id of ['a', 'b', 'c', 'd', 'e']) {
        queue.add(callOf(id));
      }
      await settle();
      expect(sent.map(([id]) => id)).toEqual(['first', 'a', 'b', 'c', 'd', 'e']);
      queue.add(callOf('f'));
      await settle();
      expect(sent.at(-1)).toEqual(['f']);
      await closeNow(queue);
    });

    test('waits a moment even when it was asked to wait for none', async () => {
      const { queue, sent } = queueOf((call) =>
        idsOf(call)[0] === 'asked' ? Promise.reject(asking(0)) : confirm(call),
      );
      queue.add(callOf('first'));
      await settle();
      queue.add(callOf('asked'));
      await settle();
      expect(sent).toHaveLength(2);
      await closeNow(queue);
    });

    test('leaves a host alone that has asked three times in a row, flushed or not', async () => {
      let isDown = false;
      const { queue, sent } = queueOf((call) => (isDown ? Promise.reject(asking(30_000)) : confirm(call)));
      queue.add(callOf('first'));
      await settle();
      isDown = true;
      for (const id of ['a', 'b', 'c']) {
        queue.add(callOf(id));
      }
      await settle();
      queue.add(callOf('d'));
      void queue.flush(FOREVER);
      await pass(29_999);
      expect(sent).toHaveLength(4);
      isDown = false;
      await pass(4000);
      expect(fatesOf(queue)).toEqual({ delivered: 5, failed: 0, dropped: 0 });
    });
  });

  test('pauses once for calls that failed together', async () => {
    let isDown = false;
    const edge = heldEdge();
    const { queue, sent } = queueOf(async (call) => {
      const answer = await edge.deliver(call);
      if (isDown) {
        throw failure(500);
      }
      return answer;
    });
    for (let call = 0; call < 20; call += 1) {
      queue.add(callOf(`${call}`));
    }
    await settle();
    await edge.release();
    isDown = true;
    await edge.release();
    expect(sent).toHaveLength(11);
    isDown = false;
    await pass(1000);
    // One, however many wait.
    expect(sent).toHaveLength(12);
    await edge.release();
    await edge.release();
    await edge.release();
    expect(fatesOf(queue)).toEqual({ delivered: 20, failed: 0, dropped: 0 });
  });

  describe('because a visitor’s cluster is not to be reached', () => {
    const down = new Set<string | undefined>();
    let hints: (string | undefined)[];
    const unreached: Deliver = (call) => {
      hints.push(call.locationHint);
      const isDown = down.has(call.locationHint);
      return isDown ? Promise.reject(failing('ERR_TARGET_NETWORK')) : confirm(call);
    };
    const from = (locationHint: string, ...ids: readonly string[]): Delivery => ({
      ...callOf(...ids),
      locationHint,
    });

    beforeEach(() => {
      hints = [];
      down.clear();
      down.add('9999');
    });

    test('goes the client’s own way, and no other call has to wait', async () => {
      const { queue, errors } = queueOf(unreached);
      queue.add(from('9999', 'a'));
      for (const id of ['b', 'c']) {
        queue.add(callOf(id));
      }
      queue.add(from('35', 'd'));
      await settle();
      expect(fatesOf(queue)).toEqual({ delivered: 4, failed: 0, dropped: 0 });
      expect(hints).toEqual(['9999', undefined, '35', undefined, undefined]);
      expect(errors).toEqual([]);
      expect(jest.getTimerCount()).toBe(0);
    });

    test('goes there at once for five minutes', async () => {
      const { queue } = queueOf(unreached);
      queue.add(from('9999', 'a'));
      await settle();
      await pass(5 * 60_000 - 1);
      queue.add(from('9999', 'b'));
      await settle();
      expect(hints).toEqual(['9999', undefined, undefined]);
      await pass(1);
      queue.add(from('9999', 'c'));
      await settle();
      expect(hints.slice(3)).toEqual(['9999', undefined]);
      expect(queue.stats.delivered).toBe(3);
    });

    test('pauses all the same when the client’s own way is none either', async () => {
      jest.spyOn(Math, 'random').mockReturnValue(0);
      down.add(undefined);
      const { queue } = queueOf(unreached);
      for (let call = 0; call < 100; call += 1) {
        queue.add(from('9999', `${call}`));
      }
      await settle();
      await pass(60_000);
      expect(hints[0]).toBe('9999');
      expect(hints.slice(1).every((hint) => hint === undefined)).toBe(true);
      expect(hints.length).toBeLessThanOrEqual(9);
      down.clear();
      await pass(60_000);
      expect(fatesOf(queue)).toEqual({ delivered: 100, failed: 0, dropped: 0 });
    });

    test('ends where every attempt fails', async () => {
      down.add(undefined);
      const { queue, errors } = queueOf(unreached);
      queue.add(from('9999', 'a'));
      await settle();
      await pass(60 * 60_000);
      expect(hints.slice(0, 2)).toEqual(['9999', undefined]);
      expect(errors).toMatchObject([{ notification: { id: 'a' }, error: { code: 'ERR_TARGET_NETWORK' } }]);
    });

    test('remembers a hundred of them', async () => {
      const { queue } = queueOf(unreached);
      for (let hint = 1000; hint <= 1100; hint += 1) {
        down.add(`${hint}`);
        queue.add(from(`${hint}`, `${hint}`));
        await queue.flush(FOREVER);
      }
      hints = [];
      for (const hint of ['1000', '1001']) {
        queue.add(from(hint, `again ${hint}`));
      }
      await queue.flush(FOREVER);
      expect(hints).toEqual(['1000', undefined, undefined]);
      expect(fatesOf(queue)).toEqual({ delivered: 103, failed: 0, dropped: 0 });
    });
  });

  test('tries ten times', async () => {
    // Waits of middling length: ten short ones end before two minutes are over, and then there is an eleventh.
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    const { queue, sent, errors } = queueOf(() => Promise.reject(failure(500)));
    queue.add(callOf('a'));
    await settle();
    await pass(60 * 60_000);
    expect(sent).toHaveLength(10);
    expect(fatesOf(queue)).toEqual({ delivered: 0, failed: 1, dropped: 0 });
    expect(errors).toEqual([
      {
        type: 'sendNotificationError',
        notification: expect.objectContaining({ id: 'a' }),
        error: expect.objectContaining({ status: 500 }),
      },
    ]);
  });

  test('lets a call that the edge stumbles over hold up no other', async () => {
    const { queue } = queueOf((call) => {
      return idsOf(call)[0] === 'bad' ? Promise.reject(failure(500)) : confirm(call);
    });
    queue.add(callOf('bad'));
    for (let call = 0; call < 30; call += 1) {
      queue.add(callOf(`${call}`));
    }
    await settle();
    await pass(1000);
    expect(queue.stats.delivered).toBe(30);
    await pass(60 * 60_000);
    expect(fatesOf(queue)).toEqual({ delivered: 30, failed: 1, dropped: 0 });
  });

  test.each([400, 401, 403, 404])('tries what was answered with %i once', async (status) => {
    const { queue, sent, errors } = queueOf(() => Promise.reject(failure(status)));
    queue.add(callOf('a', 'b'));
    await queue.flush(FOREVER);
    expect(sent).toHaveLength(1);
    expect(fatesOf(queue)).toEqual({ delivered: 0, failed: 2, dropped: 0 });
    expect(errors.map(({ notification, error }) => [notification, error])).toMatchObject([
      [{ id: 'a' }, { status }],
      [{ id: 'b' }, { status }],
    ]);
  });

  test('splits what was too large, and fails with what cannot be split', async () => {
    const { queue, sent, errors } = queueOf(async (call) => {
      const ids = idsOf(call);
      if (ids.length > 2 || ids.includes('huge')) {
        throw failure(413);
      }
      return confirmed(ids);
    });
    queue.add(callOf('a', 'b', 'huge', 'c', 'd'));
    await queue.flush(FOREVER);
    expect(fatesOf(queue)).toEqual({ delivered: 4, failed: 1, dropped: 0 });
    expect(errors).toMatchObject([{ notification: { id: 'huge' }, error: { status: 413 } }]);
    expect(sent[0]).toHaveLength(5);
  });

  test.each<[string, DeliveryResponse, string[]]>([
    ['some of its ids', { status: 200, notifications: [{ id: 'b' }, { id: 'other' }] }, ['a', 'c']],
    ['none of its ids', { status: 200, notifications: [] }, ['a', 'b', 'c']],
    ['no list of ids', { status: 200 }, ['a', 'b', 'c']],
  ])('counts as failed what the edge did not process: %s', async (_, response, refused) => {
    const { queue, sent, errors } = queueOf(async () => ({ response }));
    queue.add(callOf('a', 'b', 'c'));
    await queue.flush(FOREVER);
    expect(sent).toHaveLength(1);
    expect(fatesOf(queue)).toEqual({ delivered: 3 - refused.length, failed: refused.length, dropped: 0 });
    expect(errors.map(({ notification }) => (notification as Notification).id)).toEqual(refused);
    expect(errors[0]?.error).toMatchObject({
      code: 'ERR_TARGET_INVALID_RESPONSE',
      message: 'the edge did not process a notification',
    });
  });

  test('takes an answer without a body for a confirmation', async () => {
    const { queue } = queueOf(async () => ({ response: { status: 204 } }));
    queue.add(callOf('a'));
    await queue.flush(FOREVER);
    expect(fatesOf(queue)).toEqual({ delivered: 1, failed: 0, dropped: 0 });
  });
});

describe('flush', () => {
  test('has nothing to do with an empty queue', async () => {
    await queueOf(confirm).queue.flush(FOREVER);
  });

  test('does not wait for a pause to end', async () => {
    let isDown = true;
    const { queue } = queueOf((call) => (isDown ? Promise.reject(failure(500)) : confirm(call)));
    queue.add(callOf('a'));
    await settle();
    isDown = false;
    await queue.flush(FOREVER);
    expect(queue.stats.delivered).toBe(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('waits for what is added meanwhile, and for many at once', async () => {
    const { deliver, release } = heldEdge();
    const { queue } = queueOf(deliver);
    queue.add(callOf('a'));
    const flushed = Promise.all([queue.flush(FOREVER), queue.flush(FOREVER)]);
    queue.add(callOf('b'));
    await release();
    await release();
    await flushed;
    expect(queue.stats.delivered).toBe(2);
  });

  test('waits for no call that came behind it', async () => {
    const { deliver, release } = heldEdge();
    const { queue } = queueOf(deliver);
    queue.add(callOf('a'));
    const flushed = queue.flush(FOREVER);
    queue.add(callOf('b'));
    await release(1);
    await flushed;
    expect(queue.stats).toMatchObject({ delivered: 1, queued: 1 });
    await closeNow(queue);
  });

  test('ends with its time, or with its signal, and leaves the rest to the queue', async () => {
    const { deliver, release } = heldEdge();
    const { queue } = queueOf(deliver);
    queue.add(callOf('a'));
    const timed = queue.flush({ timeoutMs: 3000, signal: undefined });
    await pass(3000);
    await timed;
    const controller = new AbortController();
    const aborted = queue.flush({ timeoutMs: NEVER_MS, signal: controller.signal });
    controller.abort();
    await aborted;
    await queue.flush({ timeoutMs: NEVER_MS, signal: AbortSignal.abort() });
    expect(queue.stats).toMatchObject({ delivered: 0, queued: 1 });
    await release();
    expect(queue.stats).toMatchObject({ delivered: 1, queued: 0 });
    expect(jest.getTimerCount()).toBe(0);
  });

  test.each([
    ['one call', 1],
    ['many', 50],
  ])(
    'makes at most one try a second of a host that fails, however often it is called: %s',
    async (_, calls) => {
      const { queue, sent, errors } = queueOf(() => Promise.reject(failure(503)));
      for (let call = 0; call < calls; call += 1) {
        queue.add(callOf(`${call}`));
      }
      for (let turn = 0; turn < 600; turn += 1) {
        void queue.flush({ timeoutMs: 50, signal: undefined });
        await pass(50);
      }
      expect(sent.length).toBeGreaterThan(20);
      expect(sent.length).toBeLessThanOrEqual(40);
      expect(errors).toEqual([]);
      const closed = queue.close(1);
      await pass(1);
      await closed;
    },
  );

  test('ends when the queue is closed', async () => {
    const { queue } = queueOf(() => Promise.reject(failure(500)));
    queue.add(callOf('a'));
    const flushed = queue.flush(FOREVER);
    await settle();
    const closed = queue.close(10);
    await pass(10);
    await Promise.all([flushed, closed]);
  });
});

describe('close', () => {
  test('sends what is queued, and tells what became of it', async () => {
    const { queue } = queueOf(confirm);
    queue.add(callOf('a'));
    queue.add(callOf('b'));
    expect(await queue.close(1000)).toEqual({ delivered: 2, failed: 0, dropped: 0, handedOver: 0 });
    expect(jest.getTimerCount()).toBe(0);
  });

  test('drops what cannot be sent in time, and says why it could not', async () => {
    const { queue, errors } = queueOf(() => Promise.reject(failure(503)));
    for (const id of ['a', 'b', 'c']) {
      queue.add(callOf(id));
    }
    const closed = queue.close(100);
    await pass(100);
    expect(await closed).toEqual({ delivered: 0, failed: 0, dropped: 3, handedOver: 0 });
    expect(errors).toHaveLength(3);
    expect(errors[0]?.error).toMatchObject({ code: 'ERR_TARGET_CLOSED', cause: { status: 503 } });
    expect(jest.getTimerCount()).toBe(0);
  });

  test('cuts off what is under way', async () => {
    const { deliver } = heldEdge();
    const { queue, errors } = queueOf(deliver);
    queue.add(callOf('a'));
    const closed = queue.close(100);
    await pass(100);
    expect(await closed).toEqual({ delivered: 0, failed: 0, dropped: 1, handedOver: 0 });
    expect(errors[0]?.error.message).toBe(
      'a notification was dropped: the client closed before it was delivered',
    );
  });

  test('drops what comes behind it', async () => {
    const { queue, sent, errors } = queueOf(confirm);
    await queue.close(0);
    queue.add(callOf('late'));
    await settle();
    expect(sent).toHaveLength(0);
    expect(fatesOf(queue)).toEqual({ delivered: 0, failed: 0, dropped: 1 });
    expect(errors[0]?.error).toMatchObject({ code: 'ERR_TARGET_CLOSED' });
  });
});

describe('reports of browsers', () => {
  const fromBrowser = (queue: NotificationQueue, ...ids: readonly string[]) =>
    queue.add(callOf(...ids), undefined, true);
  const numbered = (count: number) => Array.from({ length: count }, (_, at) => String(at));

  test('take at most a quarter of the calls, and leave the rest for decisions', async () => {
    const { deliver, release } = heldEdge();
    const { queue, errors } = queueOf(deliver, { maxQueued: 12 });
    for (const id of numbered(5)) {
      fromBrowser(queue, id);
    }
    expect(queue.size).toBe(3);
    expect(errors.map(({ error }) => error.message)).toEqual(
      Array(2).fill('a notification was dropped: a quarter of the queue holds reports of browsers'),
    );
    for (const id of numbered(9)) {
      queue.add(callOf(`decision ${id}`));
    }
    expect([queue.size, queue.stats.dropped]).toEqual([12, 2]);
    await pass(0);
    while (queue.size > 0) {
      await release();
    }
    fromBrowser(queue, 'later');
    expect(queue.size).toBe(1);
    await pass(0);
    await release();
    expect(queue.stats).toMatchObject({ accepted: 15, delivered: 13, failed: 0, dropped: 2, queued: 0 });
  });

  test('take at most a quarter of the bytes', () => {
    const { queue } = queueOf(confirm, { maxBytes: 40_000 });
    const long = (id: string) => callOfText(id, 'x'.repeat(6000));
    queue.add(long('a'), undefined, true);
    queue.add(long('b'), undefined, true);
    queue.add(long('c'));
    expect([queue.size, queue.stats.dropped]).toEqual([2, 1]);
  });

  test('find room in the smallest queue', () => {
    const { queue } = queueOf(confirm, { maxQueued: 1 });
    fromBrowser(queue, 'a');
    expect(queue.size).toBe(1);
  });

  test.each([400, 403, 404, 413, 422])(
    'are sent once more, one by one, after a refusal with %s',
    async (status) => {
      const { queue, sent, errors } = queueOf(async (call) => {
        const ids = idsOf(call);
        return ids.includes('bad') ? Promise.reject(failure(status)) : confirmed(ids);
      });
      fromBrowser(queue, 'a', 'bad', 'b');
      await queue.flush(FOREVER);
      expect(sent).toEqual([['a', 'bad', 'b'], ['a'], ['bad'], ['b']]);
      expect(queue.stats).toMatchObject({ accepted: 3, delivered: 2, failed: 1, dropped: 0, queued: 0 });
      expect(errors.map(({ notification }) => notification.id)).toEqual(['bad']);
    },
  );

  test('of one notification are not repeated after a refusal, and neither are decisions', async () => {
    const { queue, sent } = queueOf(async () => Promise.reject(failure(400)));
    fromBrowser(queue, 'a');
    queue.add(callOf('b', 'c'));
    await queue.flush(FOREVER);
    expect(sent).toEqual([['a'], ['b', 'c']]);
    expect(fatesOf(queue)).toEqual({ delivered: 0, failed: 3, dropped: 0 });
  });

  test('are not split while their part of the queue has no room for it', async () => {
    const { queue, sent } = queueOf(async () => Promise.reject(failure(400)), { maxQueued: 8 });
    fromBrowser(queue, 'a', 'b', 'c');
    fromBrowser(queue, 'd', 'e');
    await queue.flush(FOREVER);
    expect(sent[0]).toEqual(['a', 'b', 'c']);
    expect(queue.stats).toMatchObject({ accepted: 5, failed: 5, queued: 0 });
  });

  test('are tried again like others when the edge fails', async () => {
    let attempts = 0;
    const { queue, sent } = queueOf(async (call) => {
      attempts += 1;
      return attempts === 1 ? Promise.reject(failure(503)) : confirmed(idsOf(call));
    });
    fromBrowser(queue, 'a', 'b');
    const flushed = queue.flush(FOREVER);
    await pass(60_000);
    await flushed;
    expect(sent).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
    expect(queue.stats.delivered).toBe(2);
  });
});
