import { parseCookie, stringifySetCookie } from 'cookie';
import { type CallOptions, TargetClient, type TargetCookie, type TargetDeliveryResponse } from '../index.js';
import { withoutInherited } from '../json.js';

/** The cookies of a browser, as options of a call. */
export type CookieOptions = Pick<CallOptions, 'targetCookie' | 'targetLocationHint' | 'visitorCookie'>;

/** Attributes of the cookies to set. */
export interface SetCookieOptions {
  /** @default the host that answers */
  readonly domain?: string | undefined;
  /** @default '/' */
  readonly path?: string | undefined;
  /** @default true */
  readonly secure?: boolean | undefined;
  /** @default 'lax' */
  readonly sameSite?: 'strict' | 'lax' | 'none' | undefined;
  /** `false` lets at.js read them in the page. @default false */
  readonly httpOnly?: boolean | undefined;
}

const MAX_HEADER_LENGTH = 64 * 1024;

/**
 * Reads Target's cookies and the AMCV cookie of an organization from a `Cookie` header, for any of the client's
 * calls: `client.getOffers({ request, ...readCookies(header, organizationId) })`. Never throws.
 */
export function readCookies(header: string | null | undefined, organizationId: string): CookieOptions {
  if (typeof header !== 'string') return {};
  const cookies = parseCookie(header.slice(0, MAX_HEADER_LENGTH));
  const amcvName = TargetClient.getVisitorCookieName(organizationId);
  return {
    targetCookie: cookies[TargetClient.TargetCookieName],
    targetLocationHint: cookies[TargetClient.TargetLocationHintCookieName],
    // Browsers send the `@` of the organization's id plain or percent-encoded, as it was set.
    visitorCookie: cookies[amcvName] ?? cookies[encodeURIComponent(amcvName)],
  };
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
  const written = { path, secure, sameSite, httpOnly, ...(domain !== undefined && { domain }) };
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
