import { isNativeError } from '#platform';
import { isObject } from './json.js';

/** Every code a {@link TargetError} can have. */
export const ERROR_CODES = [
  'ERR_TARGET_INVALID_CONFIG',
  'ERR_TARGET_INVALID_REQUEST',
  'ERR_TARGET_NOT_READY',
  'ERR_TARGET_TIMEOUT',
  'ERR_TARGET_ABORTED',
  'ERR_TARGET_NETWORK',
  'ERR_TARGET_RESPONSE',
  'ERR_TARGET_INVALID_RESPONSE',
  'ERR_TARGET_ARTIFACT',
  'ERR_TARGET_ATTRIBUTE_NOT_FOUND',
  'ERR_TARGET_CIRCUIT_OPEN',
  'ERR_TARGET_CLOSED',
  'ERR_TARGET_INTERNAL',
] as const;

/** The code of a {@link TargetError}: what went wrong, in a form that does not change between versions. */
export type TargetErrorCode = (typeof ERROR_CODES)[number];

/** What is known about a failure besides its code and message. */
export interface TargetErrorDetails {
  readonly cause?: unknown;
  readonly status?: number | undefined;
  readonly body?: string | undefined;
  readonly requestId?: string | undefined;
  readonly attempts?: number | undefined;
  readonly path?: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

/**
 * Marks the errors of all copies of this package that one process has loaded: a bundler makes one for each bundle, and
 * `import` and `require` load different ones.
 */
const BRAND = Symbol.for('target-node-sdk/TargetError');

/** The fields of a {@link TargetError} that may be shown to anybody. */
const PUBLIC_FIELDS = ['path', 'status', 'attempts', 'requestId', 'retryAfterMs'] as const;

/**
 * The one error class of the SDK. The message says what failed, on what and with what result, and never
 * holds a cookie, a visitor id, an event token or a part of an answer.
 *
 * `error instanceof TargetError` holds for errors of every copy of this package in the process.
 */
export class TargetError extends Error {
  // Both are defined, and not declared, so that users' type checkers see an ordinary class.
  static {
    Object.defineProperty(TargetError.prototype, BRAND, { value: true });
    Object.defineProperty(TargetError, Symbol.hasInstance, {
      value(this: unknown, value: unknown): boolean {
        // A class of the user's that extends this one has only its own instances.
        return this === TargetError
          ? hasBrand(value)
          : Function.prototype[Symbol.hasInstance].call(this, value);
      },
    });
  }

  /** What went wrong. */
  readonly code: TargetErrorCode;
  /** HTTP status of the answer, when one came. */
  declare readonly status?: number;
  /**
   * First kilobyte of the answer's body, when one came. It may hold a visitor's data, so it is not enumerable:
   * `JSON.stringify`, a spread, `console.log` and loggers do not show it.
   */
  declare readonly body?: string;
  /** `X-Request-Id` of the last attempt. */
  declare readonly requestId?: string;
  /** How many HTTP requests were sent. */
  declare readonly attempts?: number;
  /** The option or request field that is wrong, such as `execute.mboxes[2].parameters`. */
  declare readonly path?: string;
  /**
   * How long the answer asked to be left alone, in milliseconds: its `Retry-After`, when it had one. Repetitions within
   * the call's `timeout` have waited for it already; the next call should.
   *
   * @example
   * if (error instanceof TargetError && error.retryAfterMs !== undefined) pauseFor(error.retryAfterMs);
   */
  declare readonly retryAfterMs?: number;

  constructor(code: TargetErrorCode, message: string, details: TargetErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: withoutBody(details.cause) });
    this.code = code;
    for (const field of PUBLIC_FIELDS) {
      if (details[field] !== undefined)
        Object.defineProperty(this, field, { value: details[field], enumerable: true });
    }
    // Printers that show hidden fields, as `%o` does, show of a getter no more than its name.
    const { body } = details;
    if (body !== undefined) Object.defineProperty(this, 'body', { get: () => body });
  }

  override get name(): string {
    return 'TargetError';
  }

  /** The fields that may be shown to anybody, as `JSON.stringify` writes them: neither `body` nor `cause`. */
  toJSON(): Pick<TargetError, 'code' | 'message' | (typeof PUBLIC_FIELDS)[number]> {
    const { code, message } = this;
    const known = PUBLIC_FIELDS.filter((field) => this[field] !== undefined);
    return { code, message, ...Object.fromEntries(known.map((field) => [field, this[field]])) };
  }
}

function hasBrand(value: unknown): boolean {
  try {
    return isObject(value) && Reflect.get(value, BRAND) === true;
  } catch {
    // A proxy of somebody's may throw when it is looked at.
    return false;
  }
}

/** A cause without the answer's body: the error that a caller is given has that, and nothing behind it. */
function withoutBody(thrown: unknown): unknown {
  if (!(thrown instanceof TargetError) || thrown.body === undefined) return thrown;
  const { code, message, path, status, attempts, requestId, retryAfterMs, cause } = thrown;
  return new TargetError(code, message, { path, status, attempts, requestId, retryAfterMs, cause });
}

/** The same error for calls of other visitors, which are not to see the answer, the request id and the causes. */
export function withoutVisitor({ code, message, status, attempts, retryAfterMs }: TargetError): TargetError {
  return new TargetError(code, message, { status, attempts, retryAfterMs });
}

/** Makes the error of whatever is asked of a client that is closed, or closes meanwhile. */
export function closedError(): TargetError {
  return new TargetError('ERR_TARGET_CLOSED', 'the client is closed');
}

/** Whatever was thrown, as an Error: a listener or an injected fetch may throw anything. */
export function toError(thrown: unknown): Error {
  if (isError(thrown)) return thrown;
  try {
    return new Error(describe(thrown));
  } catch {
    return new Error('an object that cannot be read');
  }
}

/** Recognises errors of other realms, such as Node's own inside of a test runner's, and objects that libraries made to look like one. */
function isError(value: unknown): value is Error {
  if (isNativeError(value)) return true;
  try {
    const { message, stack } = value as Partial<Error>;
    return isObject(value) && typeof message === 'string' && typeof stack === 'string';
  } catch {
    return false;
  }
}

/** The name of whatever was thrown, for a log line: a word, although the thrown object may have something else for a name, or a getter that throws. */
export function nameOf(thrown: unknown): string {
  try {
    const { name }: { readonly name: unknown } = toError(thrown);
    if (typeof name === 'string' && /^[\w$.-]{1,64}$/.test(name)) return name;
  } catch {
    // The name is a getter that throws.
  }
  return 'Error';
}

/** The message of an error of this package. Other messages may hold anything, so that the name stands for them. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof TargetError ? thrown.message : nameOf(thrown);
}

/**
 * A short word for a value in an error message: its type, and the value itself only where it cannot be a
 * secret (numbers, booleans, nullish).
 */
export function describe(value: unknown): string {
  return typeof value === 'number' ? `the number ${value}` : describeKind(value);
}

/** The same for what may be a visitor's: an id may have been given as a number. */
export function describeKind(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'boolean') return String(value);
  if (typeof value === 'string')
    return value === ''
      ? 'an empty string'
      : `a string of ${value.length} character${value.length === 1 ? '' : 's'}`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

type InvalidCode = 'ERR_TARGET_INVALID_CONFIG' | 'ERR_TARGET_INVALID_REQUEST';

function invalid(code: InvalidCode, path: string, wanted: string, shown: string): TargetError {
  return new TargetError(code, `${path} must be ${wanted}, not ${shown}`, { path });
}

/** Makes the error of a configuration option that is not what it must be; `show` puts what came into words. */
export function invalidOption(path: string, wanted: string, came: unknown, show = showOption): TargetError {
  return invalid('ERR_TARGET_INVALID_CONFIG', path, wanted, show(came));
}

/**
 * Makes the error of a request field or of an option of a call that is not what it must be. `show` puts what came into
 * words: {@link describe} for what cannot be a visitor's id.
 */
export function invalidField(path: string, wanted: string, came: unknown, show = describeKind): TargetError {
  return invalid('ERR_TARGET_INVALID_REQUEST', path, wanted, show(came));
}

/** Options are the programmer's own, so that their text may be shown; but not the password or key of a URL. */
function showOption(came: unknown): string {
  const isShown = typeof came === 'string' && !/:[\s\S]*@|\?[\s\S]*=/.test(came);
  return isShown ? JSON.stringify(came.slice(0, 64)) : describe(came);
}

/** Why a text is not JSON, without the piece of it that the engine quotes: it may be a visitor's, or a key. */
export function toJsonError(thrown: unknown): SyntaxError {
  const { message } = toError(thrown);
  return new SyntaxError(message.replace(/[, .]*"[\s\S]*"[ .]*(?=is not valid JSON)/, ' '));
}

/** Makes the error of a field of the caller's whose getter, or whose proxy, threw. */
export function unreadableError(code: InvalidCode, path: string, cause: unknown): TargetError {
  return new TargetError(code, `${path} could not be read`, { path, cause });
}

/** An error of this package is returned as it is. Anything else that is thrown is a defect of the package, and the cause of its error. */
export function toTargetError(thrown: unknown): TargetError {
  if (thrown instanceof TargetError) return thrown;
  return new TargetError('ERR_TARGET_INTERNAL', `a defect of target-node-sdk: ${nameOf(thrown)}`, {
    cause: thrown,
  });
}
