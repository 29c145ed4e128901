import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { within } from '../src/deadline.js';
import type { DeliveryResponse, Notification } from '../src/delivery-api.js';
import { TargetError } from '../src/errors.js';
import { Events } from '../src/events.js';
import { createLogger } from '../src/logger.js';
import { NotificationQueue } from '../src/notifications.js';
import type { Delivery } from '../src/request.js';
import type { CloseResult } from '../src/stats.js';
import { fakeTimers, pass, settle } from './scripted-cdn.js';

const MAX_QUEUED = 10_000;
const MAX_IN_FLIGHT = 10;
const MAX_ATTEMPTS = 10;
const FIRST_PAUSE_MS = 750;
const MAX_PAUSE_MS = 22_500;
const NEVER_MS = 2 ** 31 - 1;

/** What the edge, or the way to it, may do with a call; `half` confirms every other notification. */
const ANSWERS = [
  'ok',
  'half',
  'no body',
  'refused',
  'too large',
  'failing',
  'unreachable',
  'silent',
] as const;
type Answer = (typeof ANSWERS)[number];

interface Call {
  readonly ids: readonly string[];
  attempts: number;
}

/** What a queue has to do, in the plainest words: no promises, no timers, no network. */
class Model {
  readonly accepted: string[] = [];
  readonly delivered: string[] = [];
  readonly failed: string[] = [];
  readonly dropped: string[] = [];
  queued: Call[] = [];
  inFlight: Call[] = [];
  isClosing = false;
  /** What the close told. */
  told: CloseResult | undefined;
  #nowMs = 0;
  #closeAtMs = Number.POSITIVE_INFINITY;
  #pausedUntilMs: number | undefined;
  #pauses = 0;
  #isTrusted = false;

  get isClosed(): boolean {
    return this.told !== undefined;
  }

  get counts(): CloseResult {
    const { delivered, failed, dropped } = this;
    return { delivered: delivered.length, failed: failed.length, dropped: dropped.length };
  }

  get size(): number {
    return this.queued.length + this.inFlight.length;
  }

  add(ids: readonly string[]): void {
    this.accepted.push(...ids);
    if (this.isClosed || this.size >= MAX_QUEUED) this.dropped.push(...ids);
    else this.queued.push({ ids, attempts: 0 });
  }

  /** Nothing is left to do in this turn. */
  settle(): void {
    if (this.isClosing && !this.isClosed && this.size === 0) this.#close();
    const limit = this.#isTrusted ? MAX_IN_FLIGHT : 1;
    while (this.#pausedUntilMs === undefined && this.inFlight.length < limit) {
      const next = this.queued.shift();
      if (!next) break;
      next.attempts += 1;
      this.inFlight.push(next);
    }
  }

  answer(call: Call, answer: Answer): void {
    this.inFlight.splice(this.inFlight.indexOf(call), 1);
    const { ids } = call;
    if (answer === 'ok' || answer === 'half' || answer === 'no body') {
      const confirmed = answer === 'half' ? ids.filter((_, index) => index % 2 === 0) : ids;
      this.delivered.push(...confirmed);
      this.failed.push(...ids.filter((id) => !confirmed.includes(id)));
      this.#isTrusted = true;
      this.#pauses = 0;
    } else if (answer === 'too large' && ids.length > 1) {
      const middle = Math.ceil(ids.length / 2);
      const halves = [ids.slice(0, middle), ids.slice(middle)];
      this.queued.unshift(...halves.map((half) => ({ ids: half, attempts: 0 })));
    } else if (answer === 'too large' || answer === 'refused') {
      this.failed.push(...ids);
    } else {
      if (call.attempts < MAX_ATTEMPTS) this.queued.push(call);
      else this.failed.push(...ids);
      this.#isTrusted = false;
      if (this.#pausedUntilMs !== undefined) return;
      this.#pauses += 1;
      this.#pausedUntilMs = this.#nowMs + Math.min(FIRST_PAUSE_MS * 2 ** (this.#pauses - 1), MAX_PAUSE_MS);
    }
  }

  pass(ms: number): void {
    const end = this.#nowMs + ms;
    for (;;) {
      const at = Math.min(this.#pausedUntilMs ?? Number.POSITIVE_INFINITY, this.#closeAtMs);
      if (at > end) break;
      this.#nowMs = at;
      if (at === this.#closeAtMs) this.#close();
      else this.flush();
      this.settle();
    }
    this.#nowMs = end;
  }

  flush(): void {
    this.#pausedUntilMs = undefined;
  }

  close(limitMs: number): void {
    this.isClosing = true;
    this.#closeAtMs = this.#nowMs + limitMs;
    if (this.size > 0) this.flush();
  }

  #close(): void {
    this.#closeAtMs = Number.POSITIVE_INFINITY;
    this.#pausedUntilMs = undefined;
    for (const { ids } of [...this.queued.splice(0), ...this.inFlight.splice(0)]) this.dropped.push(...ids);
    this.told = this.counts;
  }
}

/** The queue itself, with an edge that answers when it is told to. */
class Real {
  readonly queue: NotificationQueue;
  readonly errors: string[] = [];
  readonly ended: Promise<unknown>[] = [];
  readonly inFlight = new Map<string, (answer: Answer) => void>();
  readonly confirmed: string[] = [];
  closed: Promise<CloseResult> | undefined;

  constructor() {
    const logger = createLogger(null);
    const events = new Events(logger);
    events.on('sendNotificationError', ({ notification }) => {
      this.errors.push((notification as Notification).id);
    });
    this.queue = new NotificationQueue({
      events,
      logger,
      hostOf: () => 'edge.example',
      deliver: (call) => this.#deliver(call),
    });
  }

  #deliver({ request, signal }: Delivery): Promise<{ readonly response: DeliveryResponse }> {
    const ids = (request.notifications ?? []).map(({ id }) => id);
    const key = ids.join();
    const reply = (answer: Answer) => {
      const fault = toFault(answer);
      if (fault) throw fault;
      const confirmed = answer === 'half' ? ids.filter((_, index) => index % 2 === 0) : ids;
      this.confirmed.push(...confirmed);
      if (answer === 'no body') return { response: { status: 204 } };
      return { response: { status: 200, notifications: confirmed.map((id) => ({ id })) } };
    };
    const answered = new Promise<Answer>((resolve) => this.inFlight.set(key, resolve));
    // As the transport does: one listener of the queue's signal, however many calls there are.
    return within(
      { timeoutMs: NEVER_MS, signal },
      () => answered.then(reply),
      () => new TargetError('ERR_TARGET_ABORTED', 'cut off'),
    ).finally(() => this.inFlight.delete(key));
  }
}

function toFault(answer: Answer): TargetError | undefined {
  if (answer === 'refused') return new TargetError('ERR_TARGET_RESPONSE', '400', { status: 400 });
  if (answer === 'too large') return new TargetError('ERR_TARGET_RESPONSE', '413', { status: 413 });
  if (answer === 'failing') return new TargetError('ERR_TARGET_RESPONSE', '503', { status: 503 });
  if (answer === 'unreachable') return new TargetError('ERR_TARGET_NETWORK', 'ECONNREFUSED');
  return answer === 'silent' ? new TargetError('ERR_TARGET_TIMEOUT', 'no answer') : undefined;
}

/** After each step, all that can be seen of the queue is what the model says. */
async function compare(model: Model, { queue, errors, inFlight, confirmed }: Real): Promise<void> {
  await settle();
  model.settle();
  const { accepted, delivered, failed, dropped } = model;
  expect(queue.counts).toEqual(model.counts);
  expect(queue.size).toBe(model.size);
  expect([...inFlight.keys()].sort()).toEqual(model.inFlight.map(({ ids }) => ids.join()).sort());
  expect(errors).toHaveLength(failed.length + dropped.length);
  expect(confirmed).toHaveLength(delivered.length);
  // The law itself, of the queue's own numbers.
  const waiting = [...model.queued, ...model.inFlight].reduce((sum, { ids }) => sum + ids.length, 0);
  const { counts } = queue;
  expect(counts.delivered + counts.failed + counts.dropped + waiting).toBe(accepted.length);
}

type Step = fc.AsyncCommand<Model, Real>;

function step(
  name: string,
  run: (model: Model, real: Real) => unknown,
  check: (model: Readonly<Model>) => boolean = () => true,
): Step {
  return {
    check,
    run: async (model, real) => {
      await run(model, real);
      await compare(model, real);
    },
    toString: () => name,
  };
}

let lastId = 0;

function accept(model: Model, { queue }: Real, length: number): void {
  const ids = Array.from({ length }, () => `n${++lastId}`);
  const notifications = ids.map((id): Notification => ({ id, type: 'display', timestamp: 1 }));
  model.add(ids);
  queue.add({
    request: { context: { channel: 'web' }, notifications },
    encodedSessionId: 's',
    locationHint: undefined,
    decisioningMethod: 'on-device',
    timeoutMs: 3000,
    signal: undefined,
  });
}

function answerOne(model: Model, real: Real, which: number, answer: Answer): void {
  const call = model.inFlight[which % model.inFlight.length];
  if (!call) return;
  const reply = real.inFlight.get(call.ids.join());
  model.answer(call, answer);
  // The queue goes on behind each answer, and not behind all that come together.
  model.settle();
  reply?.(answer);
}

function flush(model: Model, { queue, ended }: Real): void {
  ended.push(queue.flush());
  if (model.size > 0) model.flush();
}

const hasInFlight = ({ inFlight }: Readonly<Model>) => inFlight.length > 0;
const common: readonly fc.Arbitrary<Step>[] = [
  fc.integer({ min: 1, max: 5 }).map((length) => step(`accept ${length}`, (m, r) => accept(m, r, length))),
  fc.integer({ min: 5, max: 40 }).map((calls) =>
    step(`accept ${calls} calls`, (m, r) => {
      for (let call = 0; call < calls; call += 1) accept(m, r, 1);
    }),
  ),
  fc
    .tuple(fc.nat(9), fc.constantFrom(...ANSWERS))
    .map(([which, answer]) =>
      step(`answer ${which} ${answer}`, (m, r) => answerOne(m, r, which, answer), hasInFlight),
    ),
  fc.constantFrom(...ANSWERS).map((answer) =>
    step(
      `answer all ${answer}`,
      (m, r) => {
        for (let left = m.inFlight.length; left > 0; left -= 1) answerOne(m, r, 0, answer);
      },
      hasInFlight,
    ),
  ),
  // All tries that there are, and more.
  fc.integer({ min: 2, max: 12 }).map((times) =>
    step(
      `fail ${times} times`,
      async (m, r) => {
        for (let left = times; left > 0 && m.size > 0 && !m.isClosed; left -= 1) {
          answerOne(m, r, 0, 'failing');
          await compare(m, r);
          flush(m, r);
          await compare(m, r);
        }
      },
      hasInFlight,
    ),
  ),
  // Times are never those of two things at once: all are multiples of ten, and those of a close are not.
  fc.integer({ min: 1, max: 4000 }).map((tens) =>
    step(`pass ${tens * 10} ms`, async (m, r) => {
      // What was accepted in this turn begins before time passes.
      await compare(m, r);
      m.pass(tens * 10);
      await pass(tens * 10);
    }),
  ),
  fc.constant(step('flush', flush)),
];
const overflow: fc.Arbitrary<Step> = fc.constant(
  step('overflow', (m, r) => {
    for (let left = MAX_QUEUED - m.size + 2; left > 0; left -= 1) accept(m, r, 1);
  }),
);
const close: fc.Arbitrary<Step> = fc.nat(3000).map((tens) =>
  step(
    `close within ${tens * 10 + 1} ms`,
    (m, r) => {
      m.close(tens * 10 + 1);
      r.closed = r.queue.close(tens * 10 + 1);
    },
    ({ isClosing }) => !isClosing,
  ),
);
const steps = [...common.map((arbitrary) => ({ weight: 6, arbitrary })), { weight: 3, arbitrary: close }];

async function play(commands: Iterable<Step>): Promise<void> {
  // Of a script before this one that failed.
  jest.clearAllTimers();
  const model = new Model();
  const real = new Real();
  await fc.asyncModelRun(() => ({ model, real }), commands);
  if (!model.isClosing) {
    model.close(1);
    real.closed = real.queue.close(1);
  }
  await compare(model, real);
  model.pass(40_001);
  await pass(40_001);
  await compare(model, real);
  expect(model.isClosed).toBe(true);
  expect(await real.closed).toEqual(model.told);
  await Promise.all(real.ended);
  // Nothing has two fates, and nothing has none.
  const { accepted, delivered, failed, dropped } = model;
  expect([...real.errors].sort()).toEqual([...failed, ...dropped].sort());
  expect([...real.confirmed].sort()).toEqual([...delivered].sort());
  expect([...real.errors, ...real.confirmed].sort()).toEqual([...accepted].sort());
  expect(jest.getTimerCount()).toBe(0);
}

beforeEach(() => {
  fakeTimers();
  // The shortest pauses that there are, which the model knows.
  jest.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

test('accepted = delivered + failed + dropped + queued, and every step is what the model says', async () => {
  const scripts = fc.commands([fc.oneof(...steps)], { maxCommands: 60, size: 'max' });
  await fc.assert(fc.asyncProperty(scripts, play), { numRuns: 150 });
});

test('the same with a queue that overflows', async () => {
  const scripts = fc.commands([fc.oneof(...steps, { weight: 6, arbitrary: overflow })], {
    maxCommands: 20,
    size: 'max',
  });
  await fc.assert(fc.asyncProperty(scripts, play), { numRuns: 10 });
});
