import { DECISIONING_METHODS } from '../config/config.js';
import type { WaitUntil } from '../config/config-options.js';
import { timeout as timeoutCheck, toUnknownLine } from '../config/option-checks.js';
import type { DecisioningMethod } from '../delivery-api.js';
import { describe, invalidField, named, unreadableError } from '../errors.js';
import type { AbortSignalLike } from '../http/fetch-api.js';
import type { IdentityOptions } from '../identity/identity.js';
import { withoutInherited } from '../inherited-names.js';
import { isAbsent } from '../json.js';
import type { Logger } from '../logger.js';
import type { DeliveryRequest } from './loose-request.js';
import { readNumber } from './scalars.js';

/**
 * The options that `getOffers`, `getAttributes`, `sendNotifications` and `identify` share. A wrong value makes the call reject with
 * `ERR_TARGET_INVALID_REQUEST`, and `path` of the error names the option. `null` counts as absent. An unknown option is
 * ignored with a warning.
 *
 * @example
 * ```ts
 * const { response } = await client.getOffers({
 *   request: { execute: { mboxes: [{ name: 'hero' }] } },
 *   targetCookie: 'session%2373f3%231900000000%7CPC%23abc.35_0%231960000000',
 *   decisioningMethod: 'hybrid',
 *   timeout: 500,
 *   signal: AbortSignal.timeout(2000),
 * });
 * ```
 */
export interface CallOptions extends IdentityOptions {
  /**
   * The method of deciding this call. `sendNotifications` does not use it, because only the edge takes notifications. A
   * client whose own method is `server-side` has no rules: `on-device` then rejects with `ERR_TARGET_NOT_READY`, and
   * `hybrid` asks the edge. `identify` needs no rules.
   * @default the client's `decisioningMethod`
   */
  readonly decisioningMethod?: DecisioningMethod | undefined;
  /**
   * The budget of the whole call in ms, retries included: above 0 and below 2^31. A delivery call that takes longer
   * rejects with `ERR_TARGET_TIMEOUT`.
   * @default the client's `timeout`
   */
  readonly timeout?: number | undefined;
  /**
   * The signal that aborts this call. The call then rejects with `ERR_TARGET_ABORTED`, and the reason of the signal is
   * the `cause` of the error.
   * @default none
   */
  readonly signal?: AbortSignalLike | undefined;
  /**
   * A function that is given the work in the background that this call causes, such as its display notifications. It is
   * for platforms that have one function for each request, such as `ctx.waitUntil` of Cloudflare.
   * @default the client's `waitUntil`
   *
   * @example
   * ```ts
   * await client.getOffers({ request, waitUntil: (work) => ctx.waitUntil(work) });
   * ```
   */
  readonly waitUntil?: WaitUntil | undefined;
}

/** The options of `getOffers` and `sendNotifications`. */
export interface RequestOptions extends CallOptions {
  /**
   * The request, in the format of the Delivery API. `getOffers` asks for offers by `execute` and `prefetch`, and
   * `sendNotifications` needs `notifications`.
   * @see https://developers.adobetarget.com/api/delivery-api/
   */
  readonly request: DeliveryRequest;
}

/**
 * The limits of a wait for `ready`, `flush` or `close`.
 *
 * @example
 * ```ts
 * await client.ready({ timeout: 5000 });
 * const { queued } = await client.flush({ timeout: 1000, signal: AbortSignal.timeout(500) });
 * ```
 */
export interface WaitOptions {
  /**
   * The longest wait in ms: above 0 and below 2^31. After it, `ready` rejects with `ERR_TARGET_NOT_READY`, and `flush`
   * and `close` resolve with their counts. A wrong value makes `ready` reject with `ERR_TARGET_INVALID_REQUEST`.
   * `flush` and `close` never fail: 0 or less ends them at once, and any other wrong value counts as absent.
   * @default `maximumWaitReady` for `ready`, the client's `timeout` for `flush` and `close`
   */
  readonly timeout?: number | undefined;
  /**
   * The signal that ends the wait. `ready` then rejects with `ERR_TARGET_ABORTED`, and `flush` resolves with its
   * counts. `close` takes no signal.
   * @default none
   */
  readonly signal?: AbortSignalLike | undefined;
}

const OPTIONS = {
  request: true,
  targetCookie: true,
  targetLocationHint: true,
  targetLocationHintCookie: true,
  visitorCookie: true,
  consumerId: true,
  customerIds: true,
  sessionId: true,
  visitor: true,
  decisioningMethod: true,
  timeout: true,
  signal: true,
  waitUntil: true,
  callback: true,
  errCallback: true,
} satisfies Record<keyof RequestOptions | 'callback' | 'errCallback', true>;

/** The names of all options of a call. */
export const CALL_OPTIONS: ReadonlySet<string> = new Set(Object.keys(OPTIONS));

const ROOT = Object.prototype;

/**
 * Returns the options of a call without those that somebody has added to `Object.prototype`. Such options are ignored
 * everywhere. The names are written out, because that costs nothing in a compiled function (benchmark
 * on-device/prefetch-url).
 */
export function ownOptions<Options extends object>(options: Options): Options {
  const inherits =
    'request' in ROOT ||
    'targetCookie' in ROOT ||
    'targetLocationHint' in ROOT ||
    'targetLocationHintCookie' in ROOT ||
    'visitorCookie' in ROOT ||
    'consumerId' in ROOT ||
    'customerIds' in ROOT ||
    'sessionId' in ROOT ||
    'visitor' in ROOT ||
    'decisioningMethod' in ROOT ||
    'timeout' in ROOT ||
    'signal' in ROOT ||
    'waitUntil' in ROOT ||
    'callback' in ROOT ||
    'errCallback' in ROOT;
  return inherits ? withoutInherited(options) : options;
}

/**
 * Reads the options of a call, each once. A getter of the caller may throw, and the error names its option.
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` for an option that cannot be read.
 */
export function readOptions(options: CallOptions): CallOptions {
  let name = '';
  try {
    name = 'targetCookie';
    const { targetCookie } = options;
    name = 'targetLocationHint';
    const { targetLocationHint } = options;
    name = 'targetLocationHintCookie';
    const { targetLocationHintCookie } = options;
    name = 'visitorCookie';
    const { visitorCookie } = options;
    name = 'consumerId';
    const { consumerId } = options;
    name = 'customerIds';
    const { customerIds } = options;
    name = 'sessionId';
    const { sessionId } = options;
    name = 'visitor';
    const { visitor } = options;
    name = 'decisioningMethod';
    const { decisioningMethod } = options;
    name = 'timeout';
    const { timeout } = options;
    name = 'signal';
    const { signal } = options;
    name = 'waitUntil';
    const { waitUntil } = options;
    return {
      targetCookie,
      targetLocationHint,
      targetLocationHintCookie,
      visitorCookie,
      consumerId,
      customerIds,
      sessionId,
      visitor,
      decisioningMethod,
      timeout,
      signal,
      waitUntil,
    };
  } catch (thrown) {
    throw unreadableError('ERR_TARGET_INVALID_REQUEST', name, thrown);
  }
}

/** The maximum number of unknown options whose warnings are kept. Programs write their options, so they have few. */
const MAX_LINES = 100;
/** Warnings by option. A program that passes an unknown option does so in every call. */
const linesByOption = new Map<string, string>();

/** Warns of each option that calls do not have. */
export function warnOfUnknownOptions(options: object, logger: Logger): void {
  for (const name in options) {
    // Most calls have no other option, and the comparison is faster than the look-up.
    if (name === 'request' || CALL_OPTIONS.has(name) || !Object.hasOwn(options, name)) {
      continue;
    }
    logger.warn(() => lineOf(name));
  }
}

function lineOf(option: string): string {
  const known = linesByOption.get(option);
  if (known !== undefined) {
    return known;
  }
  const line = toUnknownLine(option, [...CALL_OPTIONS]);
  if (linesByOption.size < MAX_LINES) {
    linesByOption.set(option, line);
  }
  return line;
}

/**
 * Checks the `decisioningMethod` option of a call.
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` for any other word.
 */
export function toDecisioningMethod(method: unknown): DecisioningMethod | undefined {
  if (isAbsent(method)) {
    return undefined;
  }
  const known = DECISIONING_METHODS.find((one) => one === method);
  if (known) {
    return known;
  }
  throw invalidField('decisioningMethod', `one of ${DECISIONING_METHODS.join(', ')}`, method);
}

/**
 * Checks the `timeout` option of a call, and returns it in ms. It may be a text of digits, as environment variables
 * hold it.
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` for a value that is not above 0 and below 2^31.
 */
export function toTimeoutMs(timeout: unknown): number | undefined {
  if (isAbsent(timeout)) {
    return undefined;
  }
  const timeoutMs = readTimeout(timeout);
  if (timeoutCheck.accepts(timeoutMs)) {
    return timeoutMs;
  }
  throw invalidField('timeout', timeoutCheck.wanted, timeout, describe);
}

function readTimeout(timeout: unknown): unknown {
  try {
    return readNumber(timeout);
  } catch (thrown) {
    throw named(thrown, 'timeout');
  }
}

/**
 * Checks the `signal` option of a call.
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` for an object that nobody can listen to.
 */
export function toSignal(signal: unknown): AbortSignalLike | undefined {
  if (signal === undefined || signal === null) {
    return undefined;
  }
  try {
    const { addEventListener, removeEventListener } = signal as Partial<AbortSignal>;
    if (typeof addEventListener === 'function' && typeof removeEventListener === 'function') {
      return signal as AbortSignalLike;
    }
  } catch (thrown) {
    throw unreadableError('ERR_TARGET_INVALID_REQUEST', 'signal', thrown);
  }
  throw invalidField('signal', 'an AbortSignal', signal);
}

/**
 * Checks the `waitUntil` option of a call.
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` for anything but a function.
 */
export function toWaitUntil(waitUntil: unknown): WaitUntil | undefined {
  if (waitUntil === undefined || waitUntil === null) {
    return undefined;
  }
  if (typeof waitUntil === 'function') {
    return waitUntil as WaitUntil;
  }
  throw invalidField('waitUntil', 'a function', waitUntil);
}
