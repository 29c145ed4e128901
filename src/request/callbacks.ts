import { callSafely } from '../call-safely.js';
import type { DecisioningMethod } from '../delivery-api.js';
import { invalidField, named, nameOf, TargetError, toTargetError, unreadableError } from '../errors.js';
import { ownFieldOf } from '../inherited-names.js';
import { isObject, ownJsonOf, Unreadable, unreadablePathOf } from '../json.js';
import type { Logger } from '../logger.js';
import type { CallWatch, ObservedOperation } from '../observer.js';
import { toObservedCall } from './observed-call.js';
import { CALL_OPTIONS, ownOptions } from './options.js';

/**
 * Callbacks of a call, for programs without promises. They are called in addition to the promise. An error that a
 * callback throws is logged and harms nothing.
 *
 * @example
 * ```ts
 * client.getOffers({
 *   request,
 *   callback: ({ response }) => show(response),
 *   errCallback: (error) => console.error(error.code),
 * });
 * ```
 */
export interface Callbacks<Result> {
  /** Called with the result. */
  readonly callback?: ((result: Result) => void) | undefined;
  /** Called with the error. The promise of the call then resolves to undefined. Its type does not say so. */
  readonly errCallback?: ((error: TargetError) => void) | undefined;
}

/** The parts of a client that calls are settled with. */
interface SettlingParts {
  readonly environment: {
    readonly logger: Logger;
    readonly config: { readonly decisioningMethod: DecisioningMethod };
  };
  readonly observers: CallWatch;
}

/**
 * Does the work of a call and passes its result or its error to the callbacks. The promise resolves to undefined when
 * an `errCallback` has got the error. Otherwise it rejects with a {@link TargetError}. Observers also see a call that is
 * refused before anybody answers it.
 */
export async function settle<Result, Options extends Callbacks<Result> | undefined>(
  options: Options,
  parts: SettlingParts,
  operation: ObservedOperation,
  work: (own: Options) => Result | PromiseLike<Result>,
): Promise<Result> {
  let errCallback: Callbacks<Result>['errCallback'];
  try {
    const own = isObject(options) ? ownOptions(options) : options;
    const callback = callbackOf(own, 'callback');
    errCallback = callbackOf(own, 'errCallback');
    checkCallback('callback', callback);
    checkCallback('errCallback', errCallback);
    const answer = work(own);
    // The property `then` is read here and not in a shared function. The read takes next to no time where it always
    // finds objects of one shape (benchmark on-device/prefetch-url).
    const isPromise = typeof (answer as Partial<PromiseLike<Result>>).then === 'function';
    const result = isPromise ? await answer : (answer as Result);
    if (typeof callback === 'function') {
      callBack(callback, result, parts.environment.logger);
    }
    return result;
  } catch (thrown) {
    const error = toCallError(thrown, options);
    const { decisioningMethod } = parts.environment.config;
    parts.observers.noteRefused(error, () => toObservedCall(operation, options, decisioningMethod));
    if (typeof errCallback !== 'function') {
      throw error;
    }
    callBack(errCallback, error, parts.environment.logger);
    // The type leaves undefined out. Otherwise every caller would have to check for it, although it comes only with an
    // errCallback.
    return undefined as Result;
  }
}

/** Reads a callback of a call. A getter of the caller may throw, and the error names its option. */
function callbackOf<Result, Name extends keyof Callbacks<Result>>(
  options: Callbacks<Result> | undefined,
  name: Name,
): Callbacks<Result>[Name] {
  try {
    return options?.[name];
  } catch (thrown) {
    throw unreadableError('ERR_TARGET_INVALID_REQUEST', name, thrown);
  }
}

/** Reads the request of a call. A getter of the caller may throw, and the error names its option. */
export function requestOf<Request>(options: { readonly request?: Request } | undefined): Request | undefined {
  try {
    return options?.request;
  } catch (thrown) {
    throw unreadableError('ERR_TARGET_INVALID_REQUEST', 'request', thrown);
  }
}

/**
 * Refuses a callback that is no function. It could never be called, so programs without promises would
 * lose the answer.
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST`
 */
function checkCallback(name: string, callback: unknown): void {
  if (callback === undefined || callback === null || typeof callback === 'function') {
    return;
  }
  throw invalidField(name, 'a function', callback);
}

/**
 * Makes the error of a call from a thrown value. When the caller's getter or proxy threw, the error names the option
 * that cannot be read. Otherwise it reports a defect of this package, which must not be called a mistake of the caller.
 */
export function toCallError(thrown: unknown, options: unknown): TargetError {
  if (thrown instanceof TargetError || !isObject(options)) {
    return toTargetError(thrown);
  }
  const path = unreadableOptionOf(options);
  if (path !== undefined) {
    return unreadableError('ERR_TARGET_INVALID_REQUEST', path, Unreadable.is(thrown) ? thrown.cause : thrown);
  }
  return toTargetError(named(thrown, 'request'));
}

/** Parts of a request that are read even when they are getters of the request's class. */
const DECLARED = ['execute', 'prefetch', 'notifications'];
/** Options that may be cookie objects, of which only the value is read. */
const COOKIES: ReadonlySet<string> = new Set([
  'targetCookie',
  'targetLocationHint',
  'targetLocationHintCookie',
  'visitorCookie',
]);

function unreadableOptionOf(options: object): string | undefined {
  for (const name of CALL_OPTIONS) {
    try {
      const value = ownFieldOf(options, name);
      ownJsonOf(value);
      if (COOKIES.has(name) && isObject(value)) {
        ownFieldOf(value, 'value');
      }
      const path = name === 'request' ? unreadablePathOf(value, DECLARED) : undefined;
      if (path !== undefined) {
        return path === '' ? name : path;
      }
      // A longer path would show a customer's integration code. Somebody may have written an id there by mistake.
      if (name === 'customerIds' && unreadablePathOf(value) !== undefined) {
        return name;
      }
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
