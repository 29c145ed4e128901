import { callSafely } from './call-safely.js';
import { invalidField, type TargetError, toError, toTargetError } from './errors.js';
import type { Logger } from './logger.js';

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
export async function settle<Result>(
  options: Callbacks<Result> | undefined,
  logger: Logger,
  work: () => Result | Promise<Result>,
): Promise<Result> {
  let errCallback: Callbacks<Result>['errCallback'];
  try {
    const callback = options?.callback;
    errCallback = options?.errCallback;
    checkCallback('callback', callback);
    checkCallback('errCallback', errCallback);
    const answer = work();
    const result = answer instanceof Promise ? await answer : answer;
    if (typeof callback === 'function') callBack(callback, result, logger);
    return result;
  } catch (thrown) {
    const error = toTargetError(thrown);
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

function callBack<Value>(callback: (value: Value) => unknown, value: Value, logger: Logger): void {
  callSafely(
    () => callback(value),
    (thrown) => logger.error(() => `a callback failed: ${toError(thrown).name}`),
  );
}
