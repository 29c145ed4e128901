import { isLocationHint, LOCATION_HINT_COOKIE_NAME } from '../identity/location-hint.js';
import { MBOX_COOKIE_NAME, parseMboxCookie } from '../identity/mbox-cookie.js';
import type { TargetCookie, TargetDeliveryResponse } from '../index.js';
import { ownOf, withoutInherited } from '../inherited-names.js';
import { toCookiePairs, toSetCookie, valuesOf } from './cookie-header.js';
import { toVisitorCookie } from './ecid-cookies.js';

/** The cookies of a browser, as options of a call. A cookie that the browser did not send is `undefined`. */
export interface CookieOptions {
  /** The value of the `mbox` cookie, with the session and the tntId. */
  readonly targetCookie?: string | undefined;
  /** The value of the `mboxEdgeCluster` cookie, with the location hint. */
  readonly targetLocationHint?: string | undefined;
  /**
   * The value of the organization's AMCV cookie, with the ECID. It has the ECID alone, as `MCMID|…`, when that comes from
   * another cookie or from the URL.
   */
  readonly visitorCookie?: string | undefined;
}

/** The cookies of a browser that sent none. */
export const NO_COOKIES: CookieOptions = Object.freeze({
  targetCookie: undefined,
  targetLocationHint: undefined,
  visitorCookie: undefined,
});

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

/**
 * Reads Target's cookies and the visitor's ECID from a `Cookie` header. Pass the result to any call of the client. The
 * ECID is taken from the AMCV cookie of the organization, else from the identity cookie of the Web SDK, else from
 * `s_ecid`. If there are several cookies of one name, it takes the first that Target can use. It never throws: a missing
 * header has no cookies, and a malformed cookie counts as absent in the call.
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
  return readCookiesAt(header, organizationId, Date.now());
}

/** Reads the same cookies at a given time. An mbox cookie that has expired by then is taken only if no other is there. */
export function readCookiesAt(header: unknown, organizationId: unknown, nowMs: number): CookieOptions {
  const pairs = toCookiePairs(header);
  if (pairs.length === 0) {
    return NO_COOKIES;
  }
  const targetCookies = valuesOf(MBOX_COOKIE_NAME, pairs);
  const hints = valuesOf(LOCATION_HINT_COOKIE_NAME, pairs);
  return {
    targetCookie:
      (targetCookies.length > 1 && targetCookies.find((value) => hasId(value, nowMs))) || targetCookies[0],
    targetLocationHint: hints.find(isLocationHint) ?? hints[0],
    visitorCookie: toVisitorCookie(pairs, organizationId),
  };
}

/** Tells whether an mbox cookie has an id at a given time: that of a session, or a tntId. */
export function hasId(targetCookie: string | undefined, nowMs: number): boolean {
  const { sessionId, tntId } = parseMboxCookie(targetCookie, nowMs);
  return (sessionId ?? tntId) !== undefined;
}

/** The options of callers who give none. They have nothing of `Object.prototype`. */
const NO_OPTIONS: SetCookieOptions = Object.create(null);

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
  options: SetCookieOptions = NO_OPTIONS,
): string[] {
  const { targetCookie, targetLocationHintCookie } = ownOf(answer);
  const own = options === NO_OPTIONS ? options : withoutInherited(options);
  const sameSite = own.sameSite ?? 'lax';
  const written = {
    path: own.path ?? '/',
    secure: (own.secure ?? true) || String(sameSite).toLowerCase() === 'none',
    sameSite,
    httpOnly: own.httpOnly ?? false,
    domain: own.domain || undefined,
  };
  return [targetCookie, targetLocationHintCookie]
    .filter((cookie): cookie is TargetCookie => cookie !== undefined && cookie !== null)
    .map(({ name, value, maxAge }) => toSetCookie(name, value, { ...written, maxAge }));
}
