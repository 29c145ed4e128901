import { toError, toJsonError } from '../errors.js';

/** The fields that an error may have besides its message and stack: they name the call of the system that failed, and the host. */
const SHOWN = ['code', 'errno', 'syscall', 'hostname', 'host', 'address', 'port', 'type'] as const;
const HARMLESS_FIELDS = new Set<PropertyKey>([...SHOWN, 'name', 'message', 'stack', 'cause', 'errors']);
/** Enough for a chain that somebody reads, and an end to one that goes in a circle. */
const MAX_DEPTH = 5;
const MAX_ERRORS = 10;

type Fields = Readonly<Record<PropertyKey, unknown>>;

/**
 * An error as it may be shown as a cause: without bytes of an answer, which parsers attach and quote, and without more of
 * a URL than its host, for the rest holds sessions and keys. What has neither is left as it is.
 */
export function toCause(thrown: unknown): unknown {
  try {
    return shownCauseOf(thrown, 0);
  } catch {
    // A getter or a proxy of the caller's.
    return new Error('an error that cannot be read');
  }
}

function shownCauseOf(thrown: unknown, depth: number): unknown {
  if (thrown === undefined || thrown === null) return thrown;
  if (typeof thrown === 'string') return hostsAlone(thrown);
  const error = toError(thrown);
  const { message, cause, errors } = error as Error & { errors?: unknown };
  const shown = hostsAlone(toJsonError(error).message);
  const isDeep = depth === MAX_DEPTH;
  const shownCause = isDeep ? undefined : shownCauseOf(cause, depth + 1);
  const shownErrors = isDeep || !Array.isArray(errors) ? undefined : toCauses(errors, depth + 1);
  const isSame = shown === message && shownCause === cause && shownErrors === errors;
  if (isSame && error === thrown && isHarmless(error)) return error;
  // An object that is no error may still say which call of the system failed.
  const fields = (typeof thrown === 'object' ? thrown : error) as Fields;
  return copyOf(error, fields, { message: shown, cause: shownCause, errors: shownErrors });
}

/** The same list where nothing in it had to be changed. */
function toCauses(errors: readonly unknown[], depth: number): readonly unknown[] {
  const shown = errors.slice(0, MAX_ERRORS).map((error) => shownCauseOf(error, depth));
  const isSame = shown.length === errors.length && shown.every((error, at) => error === errors[at]);
  return isSame ? errors : shown;
}

function isHarmless(error: Error): boolean {
  const fields = error as unknown as Fields;
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
  if (isWord(name) && name !== copy.name) Object.defineProperty(copy, 'name', { value: name });
  const shown = SHOWN.filter((field) => isShowable(fields[field]));
  return Object.assign(copy, Object.fromEntries(shown.map((field) => [field, fields[field]])));
}

/** Whether a field can be no more than a word, a number or the name of a host. */
function isShowable(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && /^[\w.:%-]{1,255}$/.test(value));
}

/** A short word for what a cause is: its system error code, or its type, never a message. */
export function reasonOf(cause: unknown): string {
  const { type, name } = toError(cause) as Error & { type?: unknown };
  return codeOf(cause) ?? [type, name].find(isWord) ?? 'Error';
}

/** The system error code of a cause, or of what that was caused by. */
export function codeOf(shown: unknown): string | undefined {
  const { code, cause } = toError(shown) as Error & { code?: unknown };
  return [code, (cause as { code?: unknown } | null | undefined)?.code].find(isWord);
}

/** What a proxy did in the place of opening a tunnel. */
export interface ProxyTrouble {
  /** The status of its answer; undefined where there was none. */
  readonly status: number | undefined;
  readonly code: string;
}

const PROXY_CODE = /^ERR_PROXY_(?:(\d{3})|([\w-]+))$/;
/** The messages of undici's proxy agents and of the package `tunnel`, which have no code of their own. */
const PROXY_MESSAGE =
  /^(?:Proxy response \((\d{3})\) !== 200|tunneling socket could not be established, statusCode=(\d{3}))/;

/** Finds, among an error and its causes, that a proxy stood in the way; undefined where none did. */
export function proxyTroubleOf(thrown: unknown): ProxyTrouble | undefined {
  let error: unknown = thrown;
  for (let depth = 0; depth < MAX_DEPTH && typeof error === 'object' && error !== null; depth += 1) {
    const { code, message, cause } = error as Fields;
    const [, ownStatus, ownCode] = PROXY_CODE.exec(String(code)) ?? [];
    const [, undiciStatus, tunnelStatus] = PROXY_MESSAGE.exec(String(message)) ?? [];
    const status = ownStatus ?? undiciStatus ?? tunnelStatus;
    if (status !== undefined) return { status: Number(status), code: status };
    if (ownCode !== undefined) return { status: undefined, code: ownCode };
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
