import { invalidField, named } from '../errors.js';
import { fieldOf, isRecord } from '../json.js';

/** A cookie as an object, such as `targetCookie` of an earlier answer, or a cookie that a framework has parsed. */
export interface CookieLike {
  /** The name of the cookie. It is not checked. */
  readonly name?: string | undefined;
  /** The value of the cookie. It may be in double quotes, and percent-encoded once, twice or not at all. */
  readonly value: string;
}

/** The type of an option that takes a cookie: the value of the cookie, or the cookie as an object. */
export type CookieOption = string | CookieLike;

/** The type of an option that takes a location hint: 1 to 4 digits as text or number, or the cookie that holds them. */
export type LocationHintOption = CookieOption | number;

/**
 * Reads the value of a cookie from an option.
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` for any other type. If it were ignored, each call would count as a
 * new visitor, and nobody would notice.
 */
export function toCookieText(option: unknown, name: string): string | undefined {
  return option === undefined || option === null
    ? undefined
    : toText(option, cookieValue(option, name), name);
}

function toText(option: unknown, value: unknown, name: string): string {
  if (typeof value === 'string') {
    return withoutQuotes(value);
  }
  throw invalidField(name, "a string, or a cookie such as { name: 'mbox', value: '…' }", option);
}

/** Returns the value of a cookie object, and anything else as it is. */
function cookieValue(option: unknown, name: string): unknown {
  if (!isRecord(option)) {
    return option;
  }
  try {
    return fieldOf(option, 'value');
  } catch (thrown) {
    throw named(thrown, name);
  }
}

/** A double quote, as it is, percent-encoded, and percent-encoded twice. */
const QUOTES = ['"', '%22', '%2522'];
const MAX_QUOTES = 3;

/**
 * Removes the double quotes around the value of a cookie, also percent-encoded ones. They are no part of it, but not
 * every parser removes them. Programs on the way of the cookie may each have added a pair.
 * @see https://www.rfc-editor.org/rfc/rfc6265#section-4.1.1
 */
export function withoutQuotes(value: string): string {
  let inner = value;
  for (let pair = 0; pair < MAX_QUOTES; pair += 1) {
    const quote = quoteAround(inner);
    if (quote === undefined) {
      break;
    }
    inner = inner.slice(quote.length, -quote.length);
  }
  return inner;
}

function quoteAround(value: string): string | undefined {
  // Most values have no quotes, and their first character shows it.
  if (!value.startsWith('"') && !value.startsWith('%')) {
    return undefined;
  }
  return QUOTES.find(
    (quote) => value.startsWith(quote) && value.endsWith(quote) && value.length >= 2 * quote.length,
  );
}

/**
 * Reads the value of a location hint from an option. Programs that parse cookies may hold it as a number.
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` for any other type.
 */
export function toHintText(option: unknown, name: string): string | undefined {
  if (option === undefined || option === null) {
    return undefined;
  }
  const value = cookieValue(option, name);
  return toText(option, typeof value === 'number' ? String(value) : value, name);
}
