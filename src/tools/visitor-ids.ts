import { quietly } from '../call-safely.js';
import { VISITOR_ID_LIMITS } from '../delivery-api.js';
import { invalidField, invalidOption, TargetError } from '../errors.js';
import { idToText, isAbsent, isObject } from '../json.js';
import { madeUpIds } from './made-up-ids.js';
import type { Question } from './question.js';
import { reading, unreadable } from './reading.js';
import type { SimulateOptions } from './simulation.js';

/** The kinds of ids of which one alone decides the allocation. */
export type IdKind = 'tntId' | 'marketingCloudVisitorId' | 'thirdPartyId';

type Signal = Question['call']['signal'];

const DEFAULT_VISITORS = 10_000;

/** The ids of the visitors to simulate. */
export interface VisitorIds {
  /** The ids in portions: a list is one portion, because awaiting each of its ids would take as long as deciding. */
  readonly portions: AsyncIterable<Iterable<string>>;
  /** The number of visitors; undefined when nobody knows it. */
  readonly total: number | undefined;
}

/**
 * Reads the options of ids.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG`
 */
export function toVisitorIds(
  { ids, visitors, seed }: SimulateOptions,
  kind: IdKind,
  signal: Signal,
): VisitorIds {
  const most = VISITOR_ID_LIMITS[kind];
  const isCount = (value: unknown) => Number.isSafeInteger(value) && Number(value) > 0;
  if (!isAbsent(visitors) && !isCount(visitors)) {
    throw invalidOption('visitors', 'a whole number above 0', visitors);
  }
  if (!isAbsent(seed) && !Number.isSafeInteger(seed)) {
    throw invalidOption('seed', 'a whole number', seed);
  }
  if (isAbsent(ids)) {
    return { portions: once(madeUpIds(seed ?? 1)), total: visitors || DEFAULT_VISITORS };
  }
  const total = visitors || undefined;
  const [asyncIds, syncIds] = reading('ids', () => [
    iteratorOf(ids, Symbol.asyncIterator),
    iteratorOf(ids, Symbol.iterator),
  ]);
  if (asyncIds) {
    return { portions: oneByOne(asyncIds as AsyncIterator<unknown>, most, signal), total };
  }
  if (!syncIds) {
    throw invalidOption('ids', 'a list of ids, or another iterable of them', ids);
  }
  return { portions: once(checked(syncIds as Iterator<unknown>, most)), total };
}

function iteratorOf(ids: unknown, symbol: symbol): unknown {
  const method = isObject(ids) ? Reflect.get(ids, symbol) : undefined;
  const iterator: unknown = typeof method === 'function' ? Reflect.apply(method, ids, []) : undefined;
  return isObject(iterator) ? iterator : undefined;
}

async function* once(ids: Iterable<string>): AsyncGenerator<Iterable<string>> {
  yield ids;
}

/** Hands out ids of the caller. Errors of the caller's iterator name the option. */
function* checked(iterator: Iterator<unknown>, most: number): Generator<string> {
  let isOver = false;
  try {
    while (true) {
      const next = reading('ids', () => {
        const { done, value } = iterator.next();
        return done ? undefined : { value };
      });
      if (!next) {
        isOver = true;
        return;
      }
      yield toId(next.value, most);
    }
  } finally {
    if (!isOver) {
      reading('ids', () => iterator.return?.());
    }
  }
}

/** Waits for each id, and no longer than until the signal is aborted. */
async function* oneByOne(
  iterator: AsyncIterator<unknown>,
  most: number,
  signal: Signal,
): AsyncGenerator<Iterable<string>> {
  let isOver = false;
  try {
    while (true) {
      const { done, value } = await untilAborted(() => iterator.next(), signal);
      if (done) {
        isOver = true;
        return;
      }
      yield [toId(value, most)];
    }
  } catch (thrown) {
    throw unreadable('ids', thrown);
  } finally {
    if (!isOver) {
      // The iterator may hang, so nobody waits for its end.
      quietly(() => iterator.return?.());
    }
  }
}

function untilAborted<Value>(ask: () => Promise<Value>, signal: Signal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(abortedBy(signal));
    const settled =
      <Result>(settle: (result: Result) => void) =>
      (result: Result) => {
        signal?.removeEventListener('abort', stop);
        settle(result);
      };
    signal?.addEventListener('abort', stop);
    Promise.resolve(ask()).then(settled(resolve), settled(reject));
  });
}

/** Makes the error of a simulation whose signal was aborted. */
export function abortedBy(signal: Signal): TargetError {
  return new TargetError('ERR_TARGET_ABORTED', 'the simulation was aborted', { cause: signal?.reason });
}

/** An id of a report may be a number. Nothing of a wrong one is shown, because it is of a visitor. */
function toId(id: unknown, most: number): string {
  const text = typeof id === 'string' || typeof id === 'number' ? idToText(id) : undefined;
  if (text && text.length > most) {
    throw invalidField('ids', `at most ${most} characters`, text.length);
  }
  if (text) {
    return text;
  }
  throw invalidField('ids', 'filled texts', id);
}
