import { parseCookie, type SerializeOptions, stringifySetCookie } from 'cookie';
import { withoutQuotes } from '../identity/cookie-options.js';
import { MAX_READ_LENGTH } from './page-url.js';

/**
 * The maximum number of cookies of one name that are read. A browser sends one for each path and domain that has one.
 */
const MAX_COOKIES = 50;

/** Splits the beginning of a `Cookie` header into its pairs of name and value. A missing header has none. */
export function toCookiePairs(header: unknown): string[] {
  return typeof header === 'string'
    ? header
        .slice(0, MAX_READ_LENGTH)
        .split(';')
        .map((pair) => pair.trimStart())
    : [];
}

/** Reads every value of a cookie name. A parser of the whole header would keep only the first one. */
export function valuesOf(name: string, pairs: readonly string[]): string[] {
  return pairs
    .filter((pair) => pair.startsWith(name))
    .slice(0, MAX_COOKIES)
    .map((pair) => parseCookie(pair, { decode: toCookieValue })[name])
    .filter((value) => value !== undefined);
}

/**
 * Decodes the value of a cookie. A value with a plain `#` or `|` was not encoded as a whole, but its parts may be: they
 * are decoded when the call uses them.
 */
function toCookieValue(written: string): string {
  const value = withoutQuotes(written);
  if (/[#|]/.test(value)) {
    return value;
  }
  try {
    return withoutQuotes(decodeURIComponent(value));
  } catch {
    return value;
  }
}

/** The attributes of a cookie. All of them are set, so that none is read from `Object.prototype`. */
export type CookieAttributes = {
  readonly [Name in AttributeName]: SerializeOptions[Name] | undefined;
};

type AttributeName = 'domain' | 'path' | 'secure' | 'sameSite' | 'httpOnly' | 'maxAge';

/** The attributes of a cookie that has none. */
export const NO_ATTRIBUTES: CookieAttributes = Object.freeze({
  domain: undefined,
  path: undefined,
  secure: undefined,
  sameSite: undefined,
  httpOnly: undefined,
  maxAge: undefined,
});

/**
 * Writes a `Set-Cookie` header.
 * @throws {TypeError} for an attribute that no cookie can have.
 */
export function toSetCookie(name: string, value: string, attributes: CookieAttributes): string {
  const { domain, path, secure, sameSite, httpOnly, maxAge } = attributes;
  // All attributes are written out. The package `cookie` would find missing ones on `Object.prototype`, and a spread
  // takes longer than the rest.
  const written: object = {
    domain,
    path,
    secure,
    sameSite,
    httpOnly,
    maxAge,
    encode: undefined,
    expires: undefined,
    partitioned: undefined,
    priority: undefined,
  };
  return stringifySetCookie(name, value, written);
}
