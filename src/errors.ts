import { ownOf } from './inherited-names.js';
import { isObject, Unreadable } from './json.js';

/** Every code that a {@link TargetError} can have. */
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
] as const satisfies readonly TargetErrorCode[];

/**
 * The kind of failure that a {@link TargetError} reports. The meaning of a code does not change between versions.
 *
 * - `ERR_TARGET_INVALID_CONFIG`: an option of the client is missing or wrong. `path` names it. A call has this code only
 *   when the client's `agent` is a function that returned a promise.
 * - `ERR_TARGET_INVALID_REQUEST`: a request or an option of a call is wrong, and nothing was sent. `path` names the
 *   field.
 * - `ERR_TARGET_NOT_READY`: `on-device` has no artifact yet, or `ready()` gave up. `cause` is the last download's
 *   failure.
 * - `ERR_TARGET_TIMEOUT`: the call did not end within its `timeout`.
 * - `ERR_TARGET_ABORTED`: the call's `signal` was aborted, or a notification did not fit into the queue.
 * - `ERR_TARGET_NETWORK`: there was no connection, or it broke off, after all retries. With a `status`, a proxy
 *   refused it.
 * - `ERR_TARGET_RESPONSE`: the answer has a status other than 2xx. See `status` and `body`.
 * - `ERR_TARGET_INVALID_RESPONSE`: the answer is not JSON, has a wrong shape, is too long or belongs to another call.
 * - `ERR_TARGET_ARTIFACT`: the artifact cannot be read, has a wrong shape or version, or cannot be evaluated.
 * - `ERR_TARGET_ATTRIBUTE_NOT_FOUND`: an attribute does not exist, and the caller gave no default.
 * - `ERR_TARGET_CIRCUIT_OPEN`: the edge has not answered lately, so nothing was sent. `cause` is the last failure.
 * - `ERR_TARGET_CLOSED`: the client is closed.
 * - `ERR_TARGET_INTERNAL`: a defect of this package, never a mistake of its user. `cause` is the error that was
 *   thrown.
 */
export type TargetErrorCode =
  | 'ERR_TARGET_INVALID_CONFIG'
  | 'ERR_TARGET_INVALID_REQUEST'
  | 'ERR_TARGET_NOT_READY'
  | 'ERR_TARGET_TIMEOUT'
  | 'ERR_TARGET_ABORTED'
  | 'ERR_TARGET_NETWORK'
  | 'ERR_TARGET_RESPONSE'
  | 'ERR_TARGET_INVALID_RESPONSE'
  | 'ERR_TARGET_ARTIFACT'
  | 'ERR_TARGET_ATTRIBUTE_NOT_FOUND'
  | 'ERR_TARGET_CIRCUIT_OPEN'
  | 'ERR_TARGET_CLOSED'
  | 'ERR_TARGET_INTERNAL';

/**
 * Facts about a failure besides its code and message. Each becomes the field of the same name of {@link TargetError}.
 */
export interface TargetErrorDetails {
  /** The error behind this one. */
  readonly cause?: unknown;
  /** The HTTP status of the answer. */
  readonly status?: number | undefined;
  /** The beginning of the answer's body. */
  readonly body?: string | undefined;
  /** The `X-Request-Id` of the last attempt. */
  readonly requestId?: string | undefined;
  /** The number of HTTP requests that were sent. */
  readonly attempts?: number | undefined;
  /** The option or request field that is wrong. */
  readonly path?: string | undefined;
  /** The time in ms that the answer asked callers to wait. */
  readonly retryAfterMs?: number | undefined;
}

/**
 * Marks the errors of all copies of this package in a process. There can be several copies: a bundler makes one for
 * each bundle, and `import` and `require` load different ones.
 */
const BRAND = Symbol.for('target-node-sdk/TargetError');

/** Fields of a {@link TargetError} that hold no visitor's data, so they may be shown to anybody. */
const PUBLIC_FIELDS = ['path', 'status', 'attempts', 'requestId', 'retryAfterMs'] as const;

/**
 * The one error class of the SDK. Its message names the operation that failed and the reason. It never holds a cookie,
 * a visitor id, an event token or a part of an answer.
 *
 * `error instanceof TargetError` is true for errors of every copy of this package in the process.
 *
 * @example
 * ```ts
 * try {
 *   const { response } = await client.getOffers({ request, timeout: 300 });
 *   return response;
 * } catch (error) {
 *   if (!(error instanceof TargetError)) throw error;
 *   console.error(error.code, error.message, error.requestId);
 *   return undefined; // The page shows its default content.
 * }
 * ```
 */
export class TargetError extends Error {
  // Both are defined here and not declared as members. So type checkers of users see an ordinary class.
  static {
    Object.defineProperty(TargetError.prototype, BRAND, { value: true });
    Object.defineProperty(TargetError, Symbol.hasInstance, {
      value(this: unknown, value: unknown): boolean {
        // A user's class that extends this one accepts only its own instances.
        return this === TargetError
          ? hasBrand(value)
          : Function.prototype[Symbol.hasInstance].call(this, value);
      },
    });
  }

  /** The kind of failure. Decide by it, because messages can change. */
  readonly code: TargetErrorCode;
  /**
   * The HTTP status of the answer, when one came. It is the status of Target or of a proxy, not one for your visitor.
   */
  declare readonly status?: number;
  /**
   * The first kilobyte of the answer's body, when an answer came. It may hold a visitor's data. So it is not
   * enumerable, and `JSON.stringify`, a spread, `console.log` and loggers do not show it.
   */
  declare readonly body?: string;
  /** The `X-Request-Id` of the last attempt. Use it to find the call in the logs of both sides. */
  declare readonly requestId?: string;
  /** The number of HTTP requests that were sent, retries included. */
  declare readonly attempts?: number;
  /** The path of the option or request field that is wrong, such as `execute.mboxes[2].parameters`. */
  declare readonly path?: string;
  /**
   * The time in ms that the answer asked callers to wait, by its `Retry-After` header. Retries within the call's
   * `timeout` have waited for it already. The next call should wait for it too.
   *
   * @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
   * @example
   * ```ts
   * if (error instanceof TargetError && error.retryAfterMs !== undefined) pauseFor(error.retryAfterMs);
   * ```
   */
  declare readonly retryAfterMs?: number;

  /** Makes an error. Users need this only in tests of their own code. */
  constructor(code: TargetErrorCode, message: string, details: TargetErrorDetails = {}) {
    const own = ownOf(details);
    super(message, own.cause === undefined ? undefined : { cause: withoutBody(own.cause) });
    this.code = code;
    for (const field of PUBLIC_FIELDS) {
      if (own[field] !== undefined) {
        Object.defineProperty(this, field, { value: own[field], enumerable: true });
      }
    }
    // Some printers, such as `%o`, show fields that are not enumerable. They show only the name of a getter.
    const { body } = own;
    if (body !== undefined) {
      Object.defineProperty(this, 'body', { get: () => body });
    }
  }

  /** The name of every error of this class: `TargetError`. */
  override get name(): string {
    return 'TargetError';
  }

  /**
   * Returns the fields that `JSON.stringify` writes. They may be shown to anybody. So `body` and `cause` are left out.
   */
  toJSON(): Pick<
    TargetError,
    'code' | 'message' | 'path' | 'status' | 'attempts' | 'requestId' | 'retryAfterMs'
  > {
    const { code, message } = this;
    const known = PUBLIC_FIELDS.filter((field) => Object.hasOwn(this, field));
    return { code, message, ...Object.fromEntries(known.map((field) => [field, this[field]])) };
  }
}

function hasBrand(value: unknown): boolean {
  try {
    return isObject(value) && Reflect.get(value, BRAND) === true;
  } catch {
    // A proxy may throw when it is read.
    return false;
  }
}

/** Copies a cause without the answer's body. Only the error that the caller gets has the body. */
function withoutBody(thrown: unknown): unknown {
  if (!(thrown instanceof TargetError) || thrown.body === undefined) {
    return thrown;
  }
  const { code, message, path, status, attempts, requestId, retryAfterMs, cause } = ownOf(thrown);
  return new TargetError(code, message, { path, status, attempts, requestId, retryAfterMs, cause });
}

/** Copies an error for calls of other visitors. Those must not see the answer, the request id and the causes. */
export function withoutVisitor(error: TargetError): TargetError {
  const { code, message, status, attempts, retryAfterMs } = ownOf(error);
  return new TargetError(code, message, { status, attempts, retryAfterMs });
}

/** Makes the error of a call that comes after the client's `close()`. */
export function closedError(): TargetError {
  return new TargetError('ERR_TARGET_CLOSED', 'the client is closed');
}

/** Makes an Error of a thrown value. Listeners and fetches of users may throw any value. */
export function toError(thrown: unknown): Error {
  if (isError(thrown)) {
    return thrown;
  }
  try {
    return new Error(describe(thrown));
  } catch {
    return new Error('an object that cannot be read');
  }
}

/**
 * Tells whether a value is an error. That includes errors of other realms, such as those of Node inside a test runner,
 * and objects that a library made to look like an error.
 */
function isError(value: unknown): value is Error {
  try {
    if (Object.prototype.toString.call(value) === '[object Error]') {
      return true;
    }
    const { message, stack } = value as Partial<Error>;
    return isObject(value) && typeof message === 'string' && typeof stack === 'string';
  } catch {
    return false;
  }
}

/**
 * Returns the name of a thrown value, for a log line. The name is always one short word, even when the value has
 * another kind of name or its getter throws.
 */
export function nameOf(thrown: unknown): string {
  try {
    const { name }: { readonly name: unknown } = toError(thrown);
    if (typeof name === 'string' && /^[\w$.-]{1,64}$/.test(name)) {
      return name;
    }
  } catch {
    // The name has a getter that throws.
  }
  return 'Error';
}

/**
 * Returns the message of an error of this package, and the name of any other, because other messages may hold secrets.
 */
export function messageOf(thrown: unknown): string {
  return thrown instanceof TargetError ? thrown.message : nameOf(thrown);
}

/**
 * Describes a value for an error message. It names the type. It shows the value only when that cannot be a secret: a
 * number, a boolean, null or undefined.
 */
export function describe(value: unknown): string {
  return typeof value === 'number' ? `the number ${value}` : describeKind(value);
}

/** Describes a value that may be a visitor's. It hides numbers too, because an id may have been given as a number. */
export function describeKind(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'boolean') {
    return String(value);
  }
  if (typeof value === 'string') {
    return value === ''
      ? 'an empty string'
      : `a string of ${value.length} character${value.length === 1 ? '' : 's'}`;
  }
  try {
    if (Array.isArray(value)) {
      return `an array of ${value.length}`;
    }
  } catch {
    // The value is a proxy that has been revoked, or one that throws.
  }
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

export type InvalidCode = 'ERR_TARGET_INVALID_CONFIG' | 'ERR_TARGET_INVALID_REQUEST';

function invalid(code: InvalidCode, path: string, wanted: string, shown: string): TargetError {
  return new TargetError(code, `${path} must be ${wanted}, not ${shown}`, { path });
}

/** Makes the error for an option of the client that has a wrong value. `show` describes the value that came. */
export function invalidOption(path: string, wanted: string, came: unknown, show = showOption): TargetError {
  return invalid('ERR_TARGET_INVALID_CONFIG', path, wanted, show(came));
}

/**
 * Makes the error for a request field or an option of a call that has a wrong value. `show` describes the value that
 * came. {@link describe} may be used for values that cannot be a visitor's id.
 */
export function invalidField(path: string, wanted: string, came: unknown, show = describeKind): TargetError {
  return invalid('ERR_TARGET_INVALID_REQUEST', path, wanted, show(came));
}

/** Describes an option. A text is shown, because the programmer wrote it. A URL that may hold a secret is not shown. */
function showOption(came: unknown): string {
  const isShown = typeof came === 'string' && !/:[\s\S]*@|\?[\s\S]*=/.test(came);
  return isShown ? JSON.stringify(came.slice(0, 64)) : describe(came);
}

/**
 * Makes the error for a text that is not JSON. The JavaScript engine quotes a piece of the text in its message. The
 * piece is removed, because it may hold a visitor's data or a key.
 */
export function toJsonError(thrown: unknown): SyntaxError {
  const { message } = toError(thrown);
  return new SyntaxError(message.replace(/[, .]*"[\s\S]*"[ .]*(?=is not valid JSON)/, ' '));
}

/** Makes the error for a field of the caller that cannot be read, because its getter or a proxy threw. */
export function unreadableError(code: InvalidCode, path: string, cause: unknown): TargetError {
  return new TargetError(code, `${path} could not be read`, { path, cause });
}

/**
 * Returns an error that names a value of a call, when code of the caller threw while the value was read. Any other error
 * is returned as it is.
 */
export function named(thrown: unknown, path: string): unknown {
  return Unreadable.is(thrown) ? unreadableError('ERR_TARGET_INVALID_REQUEST', path, thrown.cause) : thrown;
}

/**
 * Makes a {@link TargetError} of a thrown value. An error of this package is returned as it is. Any other value shows a
 * defect of this package and becomes the cause of an `ERR_TARGET_INTERNAL`.
 */
export function toTargetError(thrown: unknown): TargetError {
  if (thrown instanceof TargetError) {
    return thrown;
  }
  return new TargetError('ERR_TARGET_INTERNAL', `a defect of target-node-sdk: ${nameOf(thrown)}`, {
    cause: thrown,
  });
}
