import { type CookieOptions, readCookiesAt } from './cookies.js';
import { asVisitorCookie, ecidOf, isEcid } from './ecid-cookies.js';
import type { IncomingRequest } from './incoming-request.js';
import { headerOf, MAX_READ_LENGTH, queryWith } from './page-url.js';

/** The time for which an ECID in a URL is used. A link that somebody shares later must not carry the ECID along. */
const MAX_AGE_SECONDS = 300;

/**
 * Reads Target's cookies and the visitor's ECID from a request: what `readCookies` reads from its `Cookie` header, and
 * the parameter `adobe_mc` of its URL. Links from an app or from another domain of the organization have this parameter.
 * Its ECID wins over that of the cookies, if it is of the same organization and at most five minutes old. It never
 * throws.
 *
 * @param organizationId the id of the IMS organization, such as `1234567890@AdobeOrg`.
 * @param nowMs the time in ms since 1970. @default now
 * @see https://experienceleague.adobe.com/en/docs/id-service/using/id-service-api/methods/appendvisitorid
 *
 * @example
 * ```ts
 * const incoming = fromNodeRequest(request);
 * const answer = await client.getOffers({
 *   request: { context: toContext(incoming), execute: { mboxes: [{ name: 'hero' }] } },
 *   ...readIdentity(incoming, '1234567890@AdobeOrg'),
 * });
 * ```
 */
export function readIdentity(
  incoming: IncomingRequest,
  organizationId: string,
  nowMs: number = Date.now(),
): CookieOptions {
  const cookies = readCookiesAt(headerOf(incoming, 'cookie', MAX_READ_LENGTH), organizationId, nowMs);
  const ecid = ecidOfUrl(incoming, organizationId, nowMs);
  // The AMCV cookie of the same visitor has the region and the blob of Audience Manager too.
  return ecid === undefined || ecid === ecidOf(cookies.visitorCookie)
    ? cookies
    : { ...cookies, visitorCookie: asVisitorCookie(ecid) };
}

/** Reads `adobe_mc`, which is written `TS={seconds}|MCMID={ECID}|MCORGID={organization}` in any order. */
function ecidOfUrl(incoming: IncomingRequest, organizationId: unknown, nowMs: number): string | undefined {
  for (const value of queryWith(incoming, 'adobe_mc')?.getAll('adobe_mc') ?? []) {
    const fields = new Map(value.split('|', 10).map(toPair));
    const ecid = fields.get('MCMID');
    const madeAt = fields.get('TS') ?? '';
    if (
      ecid !== undefined &&
      isEcid(ecid) &&
      fields.get('MCORGID') === organizationId &&
      /^\d{1,15}$/.test(madeAt) &&
      Math.abs(nowMs / 1000 - Number(madeAt)) <= MAX_AGE_SECONDS
    ) {
      return ecid;
    }
  }
  return undefined;
}

/** Reads a name and its value. Adobe's libraries encode the `@` of the organization's id once more. */
function toPair(written: string): [string, string] {
  const [name = '', value = ''] = written.split('=', 2);
  try {
    return [name, decodeURIComponent(value)];
  } catch {
    return [name, value];
  }
}
