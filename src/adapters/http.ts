import { parseCookie, stringifySetCookie } from 'cookie';
import { parseAmcvCookie, visitorCookieName } from '../identity/amcv-cookie.js';
import { withoutQuotes } from '../identity/cookie-options.js';
import { isLocationHint, LOCATION_HINT_COOKIE_NAME } from '../identity/location-hint.js';
import { MBOX_COOKIE_NAME, parseMboxCookie } from '../identity/mbox-cookie.js';
import type { TargetCookie, TargetDeliveryResponse } from '../index.js';
import { withoutInherited } from '../inherited-names.js';

/** The cookies of a browser, as options of a call. */
export interface CookieOptions {
  readonly targetCookie?: string | undefined;
  readonly targetLocationHint?: string | undefined;
  readonly visitorCookie?: string | undefined;
}

/** Attributes of the cookies to set. */
export interface SetCookieOptions {
  /** @default the host that answers */
  readonly domain?: string | undefined;
  /** @default '/' */
  readonly path?: string | undefined;
  /** Always true with `sameSite: 'none'`, because browsers refuse such a cookie otherwise. @default true */
  readonly secure?: boolean | undefined;
  /** @default 'lax' */
  readonly sameSite?: 'strict' | 'lax' | 'none' | undefined;
  /** `false` lets at.js read them in the page. @default false */
  readonly httpOnly?: boolean | undefined;
}

const MAX_HEADER_LENGTH = 64 * 1024;
/** The most cookies of one name that are looked at. A browser sends as many as there are paths and domains with one. */
const MAX_COOKIES = 50;

/**
 * Reads Target's cookies and the AMCV cookie of an organization from a `Cookie` header, for any of the client's
 * calls. Of several cookies with one name, the first that Target can use counts. Never throws.
 *
 * @example
 * const answer = await client.getOffers({ request, ...readCookies(header, organizationId) });
 */
export function readCookies(header: string | null | undefined, organizationId: string): CookieOptions {
  if (typeof header !== 'string') return {};
  const pairs = header.slice(0, MAX_HEADER_LENGTH).split(';');
  const nowMs = Date.now();
  const targetCookies = valuesOf(MBOX_COOKIE_NAME, pairs);
  const hints = valuesOf(LOCATION_HINT_COOKIE_NAME, pairs);
  const visitorCookies = amcvNames(organizationId).flatMap((name) => valuesOf(name, pairs));
  const hasId = (value: string) => {
    const { sessionId, tntId } = parseMboxCookie(value, nowMs);
    return sessionId !== undefined || tntId !== undefined;
  };
  return {
    targetCookie: targetCookies.find(hasId) ?? targetCookies[0],
    targetLocationHint: hints.find(isLocationHint) ?? hints[0],
    visitorCookie:
      visitorCookies.find((value) => parseAmcvCookie(value).MCMID !== undefined) ?? visitorCookies[0],
  };
}

/** Browsers send the `@` of the organization's id plain or percent-encoded, as it was set. */
function amcvNames(organizationId: unknown): string[] {
  if (typeof organizationId !== 'string') return [];
  const name = visitorCookieName(organizationId);
  const encoded = name.replaceAll('@', '%40');
  return encoded === name ? [name] : [name, encoded];
}

/** Reads every value of a name. The parser of a whole header would keep the first of them alone. */
function valuesOf(name: string, pairs: readonly string[]): string[] {
  return pairs
    .filter((pair) => pair.trimStart().startsWith(name))
    .slice(0, MAX_COOKIES)
    .map((pair) => parseCookie(pair, { decode: toCookieValue })[name])
    .filter((value) => value !== undefined);
}

/** A value with a plain separator is not encoded as a whole, and its parts may be: they are decoded when it is used. */
function toCookieValue(written: string): string {
  const value = withoutQuotes(written);
  if (/[#|]/.test(value)) return value;
  try {
    return withoutQuotes(decodeURIComponent(value));
  } catch {
    return value;
  }
}

/** The package `cookie` reads attributes that are not written too, and would find them on `Object.prototype`. */
const NO_ATTRIBUTES: object = {
  domain: undefined,
  encode: undefined,
  expires: undefined,
  partitioned: undefined,
  priority: undefined,
};

/** The `Set-Cookie` headers that carry the visitor's ids to the next call. */
export function toSetCookieHeaders(
  {
    targetCookie,
    targetLocationHintCookie,
  }: Pick<TargetDeliveryResponse, 'targetCookie' | 'targetLocationHintCookie'>,
  options: SetCookieOptions = {},
): string[] {
  const own = withoutInherited(options);
  const { domain, path = '/', secure = true, sameSite = 'lax', httpOnly = false } = own;
  const isForOtherSites = String(sameSite).toLowerCase() === 'none';
  const written = {
    path,
    secure: secure || isForOtherSites,
    sameSite,
    httpOnly,
    ...(domain !== undefined && { domain }),
  };
  const attributes = Object.assign({}, NO_ATTRIBUTES, written);
  return [targetCookie, targetLocationHintCookie]
    .filter((cookie): cookie is TargetCookie => cookie !== undefined)
    .map(({ name, value, maxAge }) => stringifySetCookie(name, value, Object.assign(attributes, { maxAge })));
}

const ESCAPES: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

/**
 * JSON that is safe inside a `<script>` of a page: an offer may hold `</script>`. For `visitorState` and for
 * at.js's `serverState`.
 */
export function toInlineJson(value: unknown): string {
  return (JSON.stringify(value) ?? 'null').replace(
    /[<>&\u2028\u2029]/g,
    (character) => ESCAPES[character] ?? '',
  );
}
