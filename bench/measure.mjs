/** Measures operations one after the other, letting the event loop turn as a server's would. */
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';

/**
 * @typedef {object} Operations One side of a scenario, ready to work.
 * @property {(index: number) => unknown} operation Does one; the index is another one each time.
 * @property {number} [concurrency] How many are under way at a time. 1 without it.
 * @property {import('./sink.mjs').Sink} [sink] Where notifications go.
 * @property {number} [owed] Notification calls that each operation owes.
 * @property {number} [warmUpCalls] Operations before anything is measured, however long they take.
 */

const PER_TURN = 64;
const SAMPLES = 1 << 20;

/**
 * CPU time per operation of this process, in µs, and the wall time of single operations.
 * @param {Operations} operations
 * @param {import('./scenarios/index.mjs').Run} run
 */
export async function measureOperations(operations, { warmUpMs, measureMs, quick }) {
  const next = { index: 0 };
  await workFor(warmUpMs, operations, next);
  const { warmUpCalls = 0 } = operations;
  if (!quick && next.index < warmUpCalls) {
    await workThrough(warmUpCalls - next.index, operations, next);
  }
  await settle(operations, next.index);
  const started = performance.now();
  const cpu = process.cpuUsage();
  const count = await workFor(measureMs, operations, next);
  await settle(operations, next.index);
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - started) / 1000;
  const stamps = new Stamps();
  await workFor(measureMs, { ...operations, operation: stamps.around(operations.operation) }, next);
  await settle(operations, next.index);
  return {
    cpuUs: (user + system) / count,
    perSecond: count / seconds,
    p50Us: stamps.quantile(0.5),
    p99Us: stamps.quantile(0.99),
    operations: count,
  };
}

/** Starts one side; the call with which a client asks for its location hint is not counted as a notification. */
export async function started(start) {
  const running = await start();
  if (!running.sink) {
    return running;
  }
  await sleep(20);
  running.sink.calls = 0;
  return running;
}

/** Does so many operations, from `next.index` on. */
export async function workThrough(count, { operation, concurrency = 1 }, next) {
  const end = next.index + count;
  const work = async () => {
    while (next.index < end) {
      await operation(next.index++);
      if (next.index % PER_TURN === 0) {
        await turn();
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
}

/** Waits until every notification owed has reached the sink, and makes sure of it. */
export async function settle({ sink, owed = 0 }, operations) {
  if (!sink) {
    return;
  }
  const wanted = operations * owed;
  for (let waits = 0; sink.calls < wanted && waits < 2000; waits++) {
    await sleep(5);
  }
  await turn();
  if (sink.calls !== wanted) {
    throw new Error(`${wanted} notification calls were owed, ${sink.calls} came`);
  }
}

async function workFor(ms, operations, next) {
  const from = next.index;
  const until = performance.now() + ms;
  const batch = PER_TURN * (operations.concurrency ?? 1);
  // The slow ones are not to overrun a short limit by a whole batch.
  let size = 1;
  do {
    await workThrough(size, operations, next);
    await turn();
    if (size < batch) {
      size *= 2;
    }
  } while (performance.now() < until);
  return next.index - from;
}

/** The wall times of the last million operations, in µs. */
class Stamps {
  #samples = new Float64Array(SAMPLES);
  #count = 0;

  around(operation) {
    return async (index) => {
      const started = performance.now();
      await operation(index);
      this.#samples[this.#count++ % SAMPLES] = (performance.now() - started) * 1000;
    };
  }

  quantile(part) {
    const sorted = this.#samples.slice(0, Math.min(this.#count, SAMPLES)).sort();
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  }
}
