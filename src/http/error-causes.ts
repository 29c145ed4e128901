import { toError, toJsonError } from '../errors.js';
import { ownOf } from '../inherited-names.js';

/**
 * The fields, besides message and stack, that a shown error may have. They name the system call that failed, and its
 * host.
 */
const SHOWN = ['code', 'errno', 'syscall', 'hostname', 'host', 'address', 'port', 'type'] as const;
const HARMLESS_FIELDS = new Set<PropertyKey>([...SHOWN, 'name', 'message', 'stack', 'cause', 'errors']);
/** The maximum number of causes that are followed. A longer chain helps nobody, and a chain may be a circle. */
const MAX_DEPTH = 5;
const MAX_ERRORS = 10;

type Fields = Readonly<Record<PropertyKey, unknown>>;

/**
 * Makes an error safe to be shown as a cause. Errors of parsers may hold bytes of the answer. The copy leaves them out.
 * URLs in the copy keep only their host, because the rest may hold session ids and keys. An error without such bytes
 * and URLs is returned as it is.
 */
export function toCause(thrown: unknown): unknown {
  try {
    return shownCauseOf(thrown, 0);
  } catch {
    // The caller's own error may be a `Proxy` object, or have a getter that throws.
    return new Error('an error that cannot be read');
  }
}

function shownCauseOf(thrown: unknown, depth: number): unknown {
  if (thrown === undefined || thrown === null) {
    return thrown;
  }
  if (typeof thrown === 'string') {
    return hostsAlone(thrown);
  }
  const error = toError(thrown);
  const { message, cause, errors } = ownOf(error) as Error & { errors?: unknown };
  const shown = hostsAlone(toJsonError(error).message);
  const isDeep = depth === MAX_DEPTH;
  const shownCause = isDeep ? undefined : shownCauseOf(cause, depth + 1);
  const shownErrors = isDeep || !Array.isArray(errors) ? undefined : toCauses(errors, depth + 1);
  const isSame = shown === message && shownCause === cause && shownErrors === errors;
  if (isSame && error === thrown && isHarmless(error)) {
    return error;
  }
  // An object that is not an error may still name the system call that failed.
  const fields = ownOf((typeof thrown === 'object' ? thrown : error) as Fields);
  return copyOf(error, fields, { message: shown, cause: shownCause, errors: shownErrors });
}

/** Copies a list of errors. Returns the list itself when nothing in it had to change. */
function toCauses(errors: readonly unknown[], depth: number): readonly unknown[] {
  const shown = errors.slice(0, MAX_ERRORS).map((error) => shownCauseOf(error, depth));
  const isSame = shown.length === errors.length && shown.every((error, at) => error === errors[at]);
  return isSame ? errors : shown;
}

function isHarmless(error: Error): boolean {
  const fields = ownOf(error as unknown as Fields);
  return (
    Reflect.ownKeys(error).every((name) => HARMLESS_FIELDS.has(name)) &&
    isWord(error.name) &&
    SHOWN.every((name) => fields[name] === undefined || isShowable(fields[name]))
  );
}

interface Shown {
  readonly message: string;
  readonly cause: unknown;
  readonly errors: readonly unknown[] | undefined;
}

function copyOf(error: Error, fields: Fields, { message, cause, errors }: Shown): Error {
  const options = cause === undefined ? undefined : { cause };
  const copy = errors ? new AggregateError(errors, message, options) : new Error(message, options);
  const { name } = error;
  if (isWord(name) && name !== copy.name) {
    Object.defineProperty(copy, 'name', { value: name });
  }
  const shown = SHOWN.filter((field) => isShowable(fields[field]));
  return Object.assign(copy, Object.fromEntries(shown.map((field) => [field, fields[field]])));
}

/** Tells whether a field can only be a number, a word or the name of a host. */
function isShowable(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && /^[\w.:%-]{1,255}$/.test(value));
}

/** Names the reason of an error in one word: its system error code or its type, but never its message. */
export function reasonOf(cause: unknown): string {
  const { type, name } = ownOf(toError(cause)) as Error & { type?: unknown };
  return codeOf(cause) ?? [type, name].find(isWord) ?? 'Error';
}

/** Returns the system error code of an error, or that of its cause. */
export function codeOf(shown: unknown): string | undefined {
  const { code, cause } = ownOf(toError(shown)) as Error & { code?: unknown };
  return [code, ownOf(cause as { code?: unknown } | null | undefined)?.code].find(isWord);
}

/** A proxy's failure to open a tunnel. */
export interface ProxyTrouble {
  /** The status that the proxy answered with. Undefined when it did not answer. */
  readonly status: number | undefined;
  /** The status as a text, or the system error code. */
  readonly code: string;
}

const PROXY_CODE = /^ERR_PROXY_(?:(\d{3})|([\w-]+))$/;
/** The messages of undici's proxy agents and of the package `tunnel`. Their errors have no code. */
const PROXY_MESSAGE =
  /^(?:Proxy response \((\d{3})\) !== 200|tunneling socket could not be established, statusCode=(\d{3}))/;

/** Searches an error and its causes for the failure of a proxy. Returns undefined when there is none. */
export function proxyTroubleOf(thrown: unknown): ProxyTrouble | undefined {
  let error: unknown = thrown;
  for (let depth = 0; depth < MAX_DEPTH && typeof error === 'object' && error !== null; depth += 1) {
    const { code, message, cause } = ownOf(error as Fields);
    const [, ownStatus, ownCode] = PROXY_CODE.exec(String(code)) ?? [];
    const [, undiciStatus, tunnelStatus] = PROXY_MESSAGE.exec(String(message)) ?? [];
    const status = ownStatus ?? undiciStatus ?? tunnelStatus;
    if (status !== undefined) {
      return { status: Number(status), code: status };
    }
    if (ownCode !== undefined) {
      return { status: undefined, code: ownCode };
    }
    error = cause;
  }
  return undefined;
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && /^[\w-]{1,64}$/.test(value);
}

function hostsAlone(message: string): string {
  return message.replace(/\b([a-z][a-z\d+.-]{0,20}:\/\/)(?:[^\s/?#@]*@)?([^\s/?#]*)\S*|\?\S*/gi, '$1$2');
}
