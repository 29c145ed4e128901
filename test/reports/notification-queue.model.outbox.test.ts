import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import type { NotificationOutbox, QueuedDelivery } from '../../src/config/notification-outbox.js';
import type { Notification } from '../../src/delivery-api.js';
import { TargetError } from '../../src/errors.js';
import { Events } from '../../src/events.js';
import { within } from '../../src/http/deadline.js';
import { newUuid } from '../../src/identity/ids.js';
import { createLogger } from '../../src/logger.js';
import { BackgroundWork } from '../../src/reports/background-work.js';
import { NotificationQueue } from '../../src/reports/notification-queue.js';
import type { CloseResult, NotificationStats } from '../../src/stats.js';
import { fakeTimers, pass, settle } from '../scripted-cdn.js';

/*
 * A watcher of a queue with an outbox. It sees what is accepted, sent, answered, pushed and taken, and knows the rules
 * of the guide: each notification has one fate, the first one that is confirmed; a call is never sent and pushed at the
 * same time; a batch that is pushed again is the same batch.
 */

/** A limit is kept in two parts, and timers count whole milliseconds. */
const SLACK_MS = 2;
const PUSH_MS = 2000;
const DOWN_AFTER_MS = 5000;
const MAX_BATCH_BYTES = 256 * 1024;

/** What an outbox may do with a push. `forget` takes the batch and never answers, `lie` takes it and rejects. */
const PUSHES = ['take', 'take', 'take late', 'too late', 'reject', 'throw', 'hang', 'forget', 'lie'] as const;
type Push = (typeof PUSHES)[number];

/** What the edge may do with a call. */
const EDGES = ['confirm', 'confirm', 'slow', 'refuse', 'fail', 'silent'] as const;
type Edge = (typeof EDGES)[number];

interface Policy {
  readonly mode: 'overflow' | 'always';
  readonly maxInFlight: number;
  readonly maxQueued: number;
}

type Fate = 'delivered' | 'handedOver';

const idsOf = ({ data }: QueuedDelivery): string[] =>
  (JSON.parse(data) as { r: { notifications: Notification[] } }).r.notifications.map(({ id }) => id);

const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

class World {
  readonly violations: string[] = [];
  readonly fates = new Map<string, Fate>();
  readonly lost = new Set<string>();
  readonly accepted: string[] = [];
  readonly queue: NotificationQueue;
  readonly mode: Policy['mode'];
  readonly #large = new Set<string>();
  /** The notifications of the calls that are under way to the edge. */
  readonly #sending = new Set<string>();
  /** The pushes that the client waits for, and their notifications. */
  readonly #pushing = new Set<readonly string[]>();
  readonly #pushed = new Set<string>();
  /** The last batch of each delivery that was pushed, and its data. */
  readonly #batches = new Map<string, { readonly batch: readonly string[]; readonly data: string }>();
  /** The deliveries by their notifications, and those that were sent since they were pushed. */
  readonly #deliveries = new Map<string, string>();
  readonly #sent = new Set<string>();
  /** The time of the first failure of pushes since one was taken. */
  #failingSinceMs = Number.POSITIVE_INFINITY;
  pushes: Push = 'take';
  edge: Edge = 'confirm';
  /** True when the outbox was down since the queue was empty. */
  wasDown = false;
  isClosing = false;
  isClosed = false;

  constructor({ mode, maxInFlight, maxQueued }: Policy) {
    this.mode = mode;
    const logger = createLogger(null);
    const events = new Events(logger);
    events.on('sendNotificationError', ({ notification }) => this.#lose((notification as Notification).id));
    const outbox: NotificationOutbox = { push: (batch, { signal }) => this.#push(batch, signal) };
    this.queue = new NotificationQueue({
      policy: { mode, maxInFlight, maxQueued, maxBytes: 32 * 1024 * 1024, outbox },
      events,
      logger,
      work: new BackgroundWork(undefined, logger),
      timeoutMs: 3000,
      now: () => Date.now(),
      newId: newUuid,
      hostOf: (hint = '') => `edge${hint}.example`,
      deliver: ({ request: { notifications = [] }, signal }) =>
        this.#deliver(
          notifications.map(({ id }) => id),
          signal,
        ),
    });
  }

  accept(calls: number, hint: string | undefined, size: number): void {
    for (let call = 0; call < calls; call += 1) {
      const id = `n${this.accepted.length}`;
      this.accepted.push(id);
      if (size > 64 * 1024) {
        this.#large.add(id);
      }
      const notifications = [
        { id, type: 'display' as const, timestamp: 1, mbox: { name: 'x'.repeat(size) } },
      ];
      this.queue.add({
        request: { requestId: `r-${id}`, context: { channel: 'web' }, notifications },
        encodedSessionId: 's',
        locationHint: hint,
        decisioningMethod: 'on-device',
        timeoutMs: 3000,
        signal: undefined,
      });
    }
  }

  #deliver(ids: readonly string[], signal: Parameters<typeof within>[0]['signal']) {
    const { edge } = this;
    for (const id of ids) {
      this.#begin(id);
      this.#sending.add(id);
      this.#sent.add(this.#deliveries.get(id) ?? '');
      // What came back from an outbox that was down may still be sent when it works again.
      this.wasDown ||= performance.now() - this.#failingSinceMs >= DOWN_AFTER_MS - 1;
      if (this.mode === 'always' && !this.#large.has(id) && !this.wasDown && !this.isClosing) {
        this.#blame(`${id} is sent although the outbox works`);
      }
    }
    return within(
      { timeoutMs: 3000, signal },
      async () => {
        await (edge === 'silent' ? new Promise(() => undefined) : after(edge === 'slow' ? 1500 : 20));
        if (edge === 'fail' || edge === 'refuse') {
          const status = edge === 'fail' ? 503 : 400;
          throw new TargetError('ERR_TARGET_RESPONSE', `status ${status}`, { status });
        }
        return { response: { status: 200, notifications: ids.map((id) => ({ id })) } };
      },
      (limit) => new TargetError(limit === 'signal' ? 'ERR_TARGET_ABORTED' : 'ERR_TARGET_TIMEOUT', 'cut off'),
    ).then(
      (answer) => {
        this.#end(ids, 'delivered');
        return answer;
      },
      (error: unknown) => {
        this.#settle(ids);
        throw error;
      },
    );
  }

  #push(batch: readonly QueuedDelivery[], signal: AbortSignal): Promise<void> {
    const startMs = performance.now();
    this.#checkBatch(batch);
    const ids = batch.flatMap(idsOf);
    for (const id of ids) {
      this.#begin(id);
      this.#pushed.add(id);
    }
    this.#pushing.add(ids);
    const end = (isTaken: boolean) => {
      if (!this.#pushing.delete(ids)) {
        return;
      }
      for (const id of ids) {
        this.#pushed.delete(id);
      }
      if (isTaken && !this.isClosed) {
        this.#failingSinceMs = Number.POSITIVE_INFINITY;
        this.#end(ids, 'handedOver');
      } else if (!isTaken) {
        this.#failingSinceMs = Math.min(this.#failingSinceMs, startMs);
      }
    };
    void after(PUSH_MS).then(() => end(false));
    // A client that closes gives a push up sooner.
    signal.addEventListener('abort', () => end(false));
    const { pushes } = this;
    if (pushes === 'throw') {
      end(false);
      throw new Error('no');
    }
    return this.#answer(pushes).finally(() => end(pushes.startsWith('take')));
  }

  async #answer(push: Push): Promise<void> {
    if (push === 'hang' || push === 'forget') {
      await new Promise(() => undefined);
    }
    await after({ 'take late': 1500, 'too late': 2500 }[push as string] ?? 5);
    if (push === 'reject' || push === 'lie') {
      throw new Error('no');
    }
  }

  #checkBatch(batch: readonly QueuedDelivery[]): void {
    const bytes = batch.reduce((sum, { data }) => sum + Buffer.byteLength(data), 0);
    if (batch.length === 0 || batch.length > 100 || bytes > MAX_BATCH_BYTES) {
      this.#blame(`a batch of ${batch.length} deliveries and ${bytes} bytes`);
    }
    if (this.#pushing.size >= 4) {
      this.#blame('more than four pushes at a time');
    }
    const ids = batch.map(({ id }) => id);
    const last = batch.map(({ id }) => this.#batches.get(id));
    if (batch.some(({ data }, at) => last[at] && last[at].data !== data)) {
      this.#blame('a delivery has other data');
    }
    // A call that was sent meanwhile is free: its last batch may have been pushed again without it.
    const kept = ids.filter((id) => !this.#sent.has(id));
    const first = this.#batches.get(kept[0] ?? '')?.batch;
    if (kept.some((id) => this.#batches.get(id)?.batch !== first)) {
      this.#blame('a batch has deliveries of other batches');
    }
    if (first && String(first.filter((id) => kept.includes(id))) !== String(kept)) {
      this.#blame('a batch that is pushed again has another order');
    }
    for (const delivery of batch) {
      const { id, data } = delivery;
      this.#batches.set(id, { batch: ids, data });
      this.#sent.delete(id);
      for (const notification of idsOf(delivery)) {
        this.#deliveries.set(notification, id);
      }
    }
  }

  /** A notification is sent or pushed. It must have no fate yet, and be in no other place. */
  #begin(id: string): void {
    const places = {
      isSent: this.#sending.has(id),
      isPushed: this.#pushed.has(id),
      fate: this.fates.get(id),
    };
    if (places.isSent || places.isPushed || places.fate || this.lost.has(id)) {
      this.#blame(`${id} goes a second time: ${JSON.stringify(places)}`);
    }
  }

  #settle(ids: readonly string[]): void {
    for (const id of ids) {
      this.#sending.delete(id);
    }
  }

  #end(ids: readonly string[], fate: Fate): void {
    this.#settle(ids);
    for (const id of ids) {
      if (this.fates.has(id)) {
        this.#blame(`${id} is ${this.fates.get(id)} and ${fate}`);
      }
      this.fates.set(id, fate);
    }
  }

  #lose(id: string): void {
    if (this.fates.has(id)) {
      this.#blame(`${id} is ${this.fates.get(id)} and lost`);
    }
    if (this.lost.has(id)) {
      this.#blame(`${id} is lost twice`);
    }
    this.lost.add(id);
  }

  #blame(what: string): void {
    this.violations.push(what);
  }
}

/** After each step, all that can be seen of the queue is what the watcher has seen. */
async function check(world: World): Promise<void> {
  await settle();
  const { queue, violations, fates, lost, accepted } = world;
  expect(violations).toEqual([]);
  const count = (fate: Fate) => [...fates.values()].filter((one) => one === fate).length;
  const { failed, dropped, inFlight } = queue.stats;
  const wanted: NotificationStats = {
    accepted: accepted.length,
    delivered: count('delivered'),
    handedOver: count('handedOver'),
    queued: accepted.length - fates.size - lost.size,
    ...{ failed, dropped, inFlight },
  };
  expect(queue.stats).toEqual(wanted);
  expect(failed + dropped).toBe(lost.size);
  // Each call has one notification, so the two are the same number.
  expect(queue.size).toBe(wanted.queued);
  world.wasDown &&= queue.size > 0;
}

type Step = fc.AsyncCommand<World, World>;

function step(name: string, run: (world: World) => unknown): Step {
  return {
    check: () => true,
    run: async (world) => {
      await run(world);
      await check(world);
    },
    toString: () => name,
  };
}

async function flush(world: World, timeoutMs: number): Promise<void> {
  let isOver = false;
  void world.queue.flush({ timeoutMs, signal: undefined }).then(() => {
    isOver = true;
  });
  await pass(timeoutMs + SLACK_MS);
  await settle();
  expect(isOver).toBe(true);
}

const hints = fc.constantFrom(undefined, undefined, '35', '41');
const steps: readonly fc.Arbitrary<Step>[] = [
  fc
    .tuple(fc.integer({ min: 1, max: 300 }), hints)
    .map(([calls, hint]) => step(`accept ${calls} to ${hint}`, (world) => world.accept(calls, hint, 0))),
  fc
    .tuple(fc.integer({ min: 1, max: 20 }), fc.constantFrom(30_000, 70_000))
    .map(([calls, size]) =>
      step(`accept ${calls} of ${size}`, (world) => world.accept(calls, undefined, size)),
    ),
  fc.constant(step('accept 1300', (world) => world.accept(1300, undefined, 0))),
  fc
    .constantFrom(...PUSHES)
    .map((pushes) => step(`outbox: ${pushes}`, (world) => Object.assign(world, { pushes }))),
  fc.constantFrom(...EDGES).map((edge) => step(`edge: ${edge}`, (world) => Object.assign(world, { edge }))),
  fc.integer({ min: 1, max: 150 }).map((tens) => step(`pass ${tens * 10} ms`, () => pass(tens * 10))),
  fc.integer({ min: 2, max: 40 }).map((seconds) => step(`pass ${seconds} s`, () => pass(seconds * 1000))),
  fc
    .integer({ min: 1, max: 5000 })
    .map((timeoutMs) => step(`flush within ${timeoutMs} ms`, (world) => flush(world, timeoutMs))),
];

const policies = fc.record<Policy>({
  mode: fc.constantFrom('overflow', 'always'),
  maxInFlight: fc.constantFrom(1, 12, 64),
  maxQueued: fc.constantFrom(90, 2000, 10_000),
});

async function play(policy: Policy, commands: Iterable<Step>, limitMs: number): Promise<void> {
  // Timers of a script before this one that failed.
  jest.clearAllTimers();
  const world = new World(policy);
  await fc.asyncModelRun(() => ({ model: world, real: world }), commands);
  world.isClosing = true;
  let result: CloseResult | undefined;
  void world.queue.close(limitMs).then((closed) => {
    result = closed;
    world.isClosed = true;
  });
  await pass(limitMs + SLACK_MS);
  await settle();
  const { delivered, failed, dropped, handedOver } = world.queue.stats;
  expect(result).toEqual({ delivered, failed, dropped, handedOver });
  await check(world);
  expect(world.queue.stats.queued).toBe(0);
  world.accept(1, undefined, 0);
  await check(world);
  // What answers late changes nothing any more.
  await pass(10_000);
  await check(world);
  expect(jest.getTimerCount()).toBe(0);
}

beforeEach(fakeTimers);
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

test('each notification has one fate, in both modes, whatever the outbox and the edge do', async () => {
  const scripts = fc.commands([...steps], { maxCommands: 30, size: 'max' });
  const limits = fc.integer({ min: 1, max: 20_000 });
  await fc.assert(fc.asyncProperty(policies, scripts, limits, play), { numRuns: 25, endOnFailure: true });
});

test('a flush in an outage of both ends in time, and everything goes when one of them is back', async () => {
  for (const mode of ['overflow', 'always'] as const) {
    const world = new World({ mode, maxInFlight: 64, maxQueued: 10_000 });
    Object.assign(world, { edge: 'silent', pushes: 'hang' });
    world.accept(300, undefined, 0);
    await flush(world, 800);
    await check(world);
    expect(world.queue.stats).toMatchObject({ queued: 300, delivered: 0, handedOver: 0 });
    world.pushes = 'take';
    await pass(60_000);
    await flush(world, 1000);
    await check(world);
    world.isClosing = true;
    const closed = world.queue.close(1000);
    await pass(1000);
    expect((await closed).dropped).toBe(0);
    await pass(10_000);
  }
});
