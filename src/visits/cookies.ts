import { parseCookie, stringifySetCookie } from 'cookie';
import { parseAmcvCookie, visitorCookieName } from '../identity/amcv-cookie.js';
import { withoutQuotes } from '../identity/cookie-options.js';
import { isLocationHint, LOCATION_HINT_COOKIE_NAME } from '../identity/location-hint.js';
import { MBOX_COOKIE_NAME, parseMboxCookie } from '../identity/mbox-cookie.js';
import type { TargetCookie, TargetDeliveryResponse } from '../index.js';
import { ownOf, withoutInherited } from '../inherited-names.js';

/** The cookies of a browser, as options of a call. A cookie that the browser did not send is `undefined`. */
export interface CookieOptions {
  /** The value of the `mbox` cookie, with the session and the tntId. */
  readonly targetCookie?: string | undefined;
  /** The value of the `mboxEdgeCluster` cookie, with the location hint. */
  readonly targetLocationHint?: string | undefined;
  /** The value of the organization's AMCV cookie, with the ECID. */
  readonly visitorCookie?: string | undefined;
}

/** The attributes of the cookies that {@link toSetCookieHeaders} writes. */
export interface SetCookieOptions {
  /**
   * The domain that gets the cookies. If at.js runs in the page, set the domain that at.js uses. Otherwise the browser
   * keeps two cookies of one name.
   * @default the host that answers
   */
  readonly domain?: string | undefined;
  /** The path that gets the cookies, with all paths below it. @default '/' */
  readonly path?: string | undefined;
  /**
   * True when browsers send the cookies over https only. It is always true with `sameSite: 'none'`, because browsers
   * refuse such a cookie otherwise.
   * @default true
   */
  readonly secure?: boolean | undefined;
  /**
   * The requests with which browsers send the cookies: those from the same site alone (`strict`), links from other
   * sites too (`lax`), or all requests (`none`).
   * @default 'lax'
   */
  readonly sameSite?: 'strict' | 'lax' | 'none' | undefined;
  /** True when scripts in the page cannot read the cookies. at.js has to read them. @default false */
  readonly httpOnly?: boolean | undefined;
}

const MAX_HEADER_LENGTH = 64 * 1024;
/**
 * The maximum number of cookies of one name that are read. A browser sends one for each path and domain that has one.
 */
const MAX_COOKIES = 50;

/**
 * Reads Target's cookies and the AMCV cookie of an organization from a `Cookie` header. Pass the result to any call of
 * the client. If there are several cookies of one name, it takes the first that Target can use. It never throws: a
 * missing header has no cookies, and a malformed cookie counts as absent in the call.
 *
 * @param header the `Cookie` header of the browser's request. Only its first 65536 characters are read.
 * @param organizationId the id of the IMS organization, such as `1234567890@AdobeOrg`.
 *
 * @example
 * ```ts
 * const answer = await client.getOffers({
 *   request: { execute: { mboxes: [{ name: 'hero' }] } },
 *   ...readCookies(incoming.headers.cookie, '1234567890@AdobeOrg'),
 * });
 * ```
 */
export function readCookies(header: string | null | undefined, organizationId: string): CookieOptions {
  if (typeof header !== 'string') {
    return {};
  }
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

/**
 * Returns the names that the AMCV cookie may have. Browsers send the `@` of the organization's id plain or
 * percent-encoded, as it was set.
 */
function amcvNames(organizationId: unknown): string[] {
  if (typeof organizationId !== 'string') {
    return [];
  }
  const name = visitorCookieName(organizationId);
  const encoded = name.replaceAll('@', '%40');
  return encoded === name ? [name] : [name, encoded];
}

/** Reads every value of a cookie name. A parser of the whole header would keep only the first one. */
function valuesOf(name: string, pairs: readonly string[]): string[] {
  return pairs
    .filter((pair) => pair.trimStart().startsWith(name))
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

/** These attributes are written out, because the package `cookie` would find missing ones on `Object.prototype`. */
const NO_ATTRIBUTES: object = {
  domain: undefined,
  encode: undefined,
  expires: undefined,
  partitioned: undefined,
  priority: undefined,
};

/**
 * Writes the `Set-Cookie` headers that an answer needs, one text for each cookie: the `mbox` cookie, and the
 * `mboxEdgeCluster` cookie when the location hint is known. With them, Target recognises the visitor in the browser's
 * next request.
 *
 * @throws {TypeError} for an attribute that no cookie can have, such as a `domain` with a space.
 *
 * @example
 * ```ts
 * const answer = await client.getOffers({ request: { execute: { mboxes: [{ name: 'hero' }] } } });
 * outgoing.setHeader('Set-Cookie', toSetCookieHeaders(answer, { domain: 'example.com' }));
 * ```
 */
export function toSetCookieHeaders(
  answer: Pick<TargetDeliveryResponse, 'targetCookie' | 'targetLocationHintCookie'>,
  options: SetCookieOptions = {},
): string[] {
  const { targetCookie, targetLocationHintCookie } = ownOf(answer);
  const own = withoutInherited(options);
  const sameSite = own.sameSite ?? 'lax';
  const written = {
    path: own.path ?? '/',
    secure: (own.secure ?? true) || String(sameSite).toLowerCase() === 'none',
    sameSite,
    httpOnly: own.httpOnly ?? false,
    ...(own.domain && { domain: own.domain }),
  };
  const attributes = { ...NO_ATTRIBUTES, ...written };
  return [targetCookie, targetLocationHintCookie]
    .filter((cookie): cookie is TargetCookie => cookie !== undefined && cookie !== null)
    .map(({ name, value, maxAge }) => stringifySetCookie(name, value, { ...attributes, maxAge }));
}
