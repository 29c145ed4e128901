import { DECISIONING_METHODS } from '../config.js';
import type { DecisioningMethod } from '../delivery-api.js';
import { describe, invalidField } from '../errors.js';
import type { AbortSignalLike } from '../http/fetch-api.js';
import type { IdentityOptions } from '../identity/identity.js';
import { withoutInherited } from '../inherited-names.js';
import type { Logger } from '../logger.js';
import { timeout as timeoutCheck, warnOfUnknown } from '../option-checks.js';
import type { DeliveryRequest } from './loose-request.js';
import { readNumber } from './scalars.js';

/** Options that `getOffers`, `getAttributes` and `sendNotifications` have in common. */
export interface CallOptions extends IdentityOptions {
  /** @default the client's */
  readonly decisioningMethod?: DecisioningMethod | undefined;
  /** Budget of this call in ms. @default the client's */
  readonly timeout?: number | undefined;
  /** Aborts this call. */
  readonly signal?: AbortSignalLike | undefined;
}

/** Options of `getOffers` and `sendNotifications`. */
export interface RequestOptions extends CallOptions {
  /** Conforms to the Delivery API. */
  readonly request: DeliveryRequest;
}

/** Limits of `ready`, `flush` and `close`. */
export interface WaitOptions {
  /** In ms, above 0 and below 2^31. @default `maximumWaitReady` for `ready`, the client's `timeout` for `flush` and `close` */
  readonly timeout?: number | undefined;
  /** Ends the wait. */
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
  callback: true,
  errCallback: true,
} satisfies Record<keyof RequestOptions | 'callback' | 'errCallback', true>;

/** Every option of a call. */
export const CALL_OPTIONS: ReadonlySet<string> = new Set(Object.keys(OPTIONS));

const ROOT = Object.prototype;

/**
 * Returns the options of a call without those that somebody has put on `Object.prototype`, which are as good as never there.
 * The names are written out, because that costs nothing in a compiled function (benchmark on-device/prefetch-url).
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
    'callback' in ROOT ||
    'errCallback' in ROOT;
  return inherits ? withoutInherited(options) : options;
}

/** Names each option that no call has. Most calls have none, and cost no list of names. */
export function warnOfUnknownOptions(options: object, logger: Logger): void {
  for (const name in options) {
    if (CALL_OPTIONS.has(name)) continue;
    warnOfUnknown(options, [...CALL_OPTIONS], (line) => logger.warn(line));
    return;
  }
}

/** The `decisioningMethod` option of a call. */
export function toDecisioningMethod(method: unknown): DecisioningMethod | undefined {
  if (method === undefined || method === null || method === '') return undefined;
  const known = DECISIONING_METHODS.find((one) => one === method);
  if (known) return known;
  throw invalidField('decisioningMethod', `one of ${DECISIONING_METHODS.join(', ')}`, method);
}

/** The `timeout` option of a call. It may be a text of digits, as environment variables have it. */
export function toTimeoutMs(timeout: unknown): number | undefined {
  if (timeout === undefined || timeout === null || timeout === '') return undefined;
  const timeoutMs = readNumber(timeout);
  if (timeoutCheck.accepts(timeoutMs)) return timeoutMs;
  throw invalidField('timeout', timeoutCheck.wanted, timeout, describe);
}

/** The `signal` option of a call. */
export function toSignal(signal: unknown): AbortSignalLike | undefined {
  if (signal === undefined || signal === null) return undefined;
  const { addEventListener, removeEventListener } = signal as Partial<AbortSignal>;
  if (typeof addEventListener === 'function' && typeof removeEventListener === 'function') {
    return signal as AbortSignalLike;
  }
  throw invalidField('signal', 'an AbortSignal', signal);
}
