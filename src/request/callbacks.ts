import { callSafely } from '../call-safely.js';
import { invalidField, nameOf, TargetError, toTargetError, unreadableError } from '../errors.js';
import { isObject, isThenable, unreadablePathOf } from '../json.js';
import type { Logger } from '../logger.js';
import { CALL_OPTIONS, ownOptions } from './options.js';

/** Called with the result or the error of a call, besides its promise. */
export interface Callbacks<Result> {
  /** Called with the result. */
  readonly callback?: ((result: Result) => void) | undefined;
  /** Called with the error. The promise of the call then resolves to undefined, which its type does not say. */
  readonly errCallback?: ((error: TargetError) => void) | undefined;
}

/**
 * Does the work of a call, and hands its result or error to the callbacks, which can do the call no harm. Resolves to
 * undefined once an `errCallback` took the error.
 */
export async function settle<Result, Options extends Callbacks<Result> | undefined>(
  options: Options,
  logger: Logger,
  work: (own: Options) => Result | PromiseLike<Result>,
): Promise<Result> {
  let errCallback: Callbacks<Result>['errCallback'];
  try {
    const own = isObject(options) ? ownOptions(options) : options;
    const callback = own?.callback;
    errCallback = own?.errCallback;
    checkCallback('callback', callback);
    checkCallback('errCallback', errCallback);
    const answer = work(own);
    const result = isThenable(answer) ? await answer : answer;
    if (typeof callback === 'function') callBack(callback, result, logger);
    return result;
  } catch (thrown) {
    const error = toCallError(thrown, options);
    if (typeof errCallback !== 'function') throw error;
    callBack(errCallback, error, logger);
    // A type that included undefined would make every caller check for it, and only one with an errCallback can get it.
    return undefined as Result;
  }
}

/** A callback that is never called would lose the answer, or the error, of a program without promises. */
function checkCallback(name: string, callback: unknown): void {
  if (callback === undefined || callback === null || typeof callback === 'function') return;
  throw invalidField(name, 'a function', callback);
}

/** Tells a getter or a proxy of the caller's that threw from a defect of this package, which is never called the caller's mistake. */
function toCallError(thrown: unknown, options: unknown): TargetError {
  if (thrown instanceof TargetError || !isObject(options)) return toTargetError(thrown);
  const path = unreadableOptionOf(options);
  return path === undefined
    ? toTargetError(thrown)
    : unreadableError('ERR_TARGET_INVALID_REQUEST', path, thrown);
}

/** The parts of a request that are read of a class instance too. */
const DECLARED = ['execute', 'prefetch', 'notifications'];

function unreadableOptionOf(options: object): string | undefined {
  for (const name of CALL_OPTIONS) {
    try {
      const value: unknown = Reflect.get(options, name);
      const path = name === 'request' ? unreadablePathOf(value, DECLARED) : undefined;
      if (path !== undefined) return path === '' ? name : path;
      // The path would name a customer's integration code, in whose place an id may have been written.
      if (name === 'customerIds' && unreadablePathOf(value) !== undefined) return name;
    } catch {
      return name;
    }
  }
  return undefined;
}

function callBack<Value>(callback: (value: Value) => unknown, value: Value, logger: Logger): void {
  callSafely(
    () => callback(value),
    (thrown) => logger.error(() => `a callback failed: ${nameOf(thrown)}`),
  );
}
