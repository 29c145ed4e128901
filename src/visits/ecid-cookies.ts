import { parseAmcvCookie, visitorCookieName } from '../identity/amcv-cookie.js';
import { valuesOf } from './cookie-header.js';

/** The cookie in which Adobe's servers keep the ECID of an AMCV cookie. */
const SERVER_COOKIE_NAME = 's_ecid';

/**
 * Finds the visitor's ECID in the cookies of an organization, as the value of an AMCV cookie. The organization's own AMCV
 * cookie has more than the ECID, so it comes first. The Web SDK keeps the ECID in a cookie of its own.
 * @see https://experienceleague.adobe.com/en/docs/core-services/interface/data-collection/cookies/web-sdk
 */
export function toVisitorCookie(pairs: readonly string[], organizationId: unknown): string | undefined {
  if (typeof organizationId !== 'string') {
    return undefined;
  }
  const ofVisitorApi = amcvNames(organizationId).flatMap((name) => valuesOf(name, pairs));
  const ofWebSdk = valuesOf(`kndctr_${organizationId.replaceAll('@', '_')}_identity`, pairs);
  const ofServers = valuesOf(SERVER_COOKIE_NAME, pairs);
  // A single cookie needs no choice, and the call reads it anyway.
  if (ofVisitorApi.length === 1 && ofWebSdk.length === 0 && ofServers.length === 0) {
    return ofVisitorApi[0];
  }
  const complete = ofVisitorApi.find((value) => ecidOf(value) !== undefined);
  if (complete !== undefined) {
    return complete;
  }
  const ecid = firstOf(ofWebSdk, ecidOfIdentity) ?? firstOf(ofServers, ecidOf);
  return ecid === undefined ? ofVisitorApi[0] : asVisitorCookie(ecid);
}

/** Writes an ECID as the value of an AMCV cookie. */
export function asVisitorCookie(ecid: string): string {
  return `MCMID|${ecid}`;
}

/** Reads the ECID in the value of an AMCV cookie. */
export function ecidOf(visitorCookie: string | undefined): string | undefined {
  return parseAmcvCookie(visitorCookie).MCMID;
}

/** Tells whether a text is an ECID. */
export function isEcid(text: string): boolean {
  return ecidOf(asVisitorCookie(text)) === text;
}

/**
 * Returns the names that the AMCV cookie may have. Browsers send the `@` of the organization's id plain or
 * percent-encoded, as it was set.
 */
export function amcvNames(organizationId: string): string[] {
  const name = visitorCookieName(organizationId);
  const encoded = name.replaceAll('@', '%40');
  return encoded === name ? [name] : [name, encoded];
}

function firstOf(values: readonly string[], read: (value: string) => string | undefined): string | undefined {
  for (const value of values) {
    const found = read(value);
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}

const MAX_LENGTH = 4096;
/** The number of the field with the ECID, in the message that the Web SDK's cookie holds. */
const ECID_FIELD = 1;
const WIRE_TYPE = { varint: 0, eightBytes: 1, bytes: 2, fourBytes: 5 } as const;
/** The greatest length whose varint is one byte. */
const MAX_SHORT_LENGTH = 127;

/**
 * Reads the ECID in the identity cookie of the Web SDK: a message of Protocol Buffers in url-safe base64. A message that
 * is cut off or has unknown kinds of fields before the ECID has none.
 * @see https://protobuf.dev/programming-guides/encoding/
 */
function ecidOfIdentity(cookie: string): string | undefined {
  const bytes = fromBase64(cookie);
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes.charCodeAt(at);
    const start = endOfVarint(bytes, at);
    const length = bytes.charCodeAt(start);
    if ((tag & 7) === WIRE_TYPE.bytes && length <= MAX_SHORT_LENGTH) {
      at = start + 1 + length;
      const text = bytes.slice(start + 1, at);
      if (tag >> 3 === ECID_FIELD) {
        return at <= bytes.length && isEcid(text) ? text : undefined;
      }
    } else if ((tag & 7) === WIRE_TYPE.varint) {
      at = endOfVarint(bytes, start);
    } else if ((tag & 7) === WIRE_TYPE.eightBytes) {
      at = start + 8;
    } else if ((tag & 7) === WIRE_TYPE.fourBytes) {
      at = start + 4;
    } else {
      return undefined;
    }
  }
  return undefined;
}

/** Finds the end of a number, whose last byte alone has no continuation bit. */
function endOfVarint(bytes: string, start: number): number {
  let at = start;
  while (bytes.charCodeAt(at) > MAX_SHORT_LENGTH) {
    at += 1;
  }
  return at + 1;
}

/** Reads the bytes of a text in base64, one character each. A malformed text has none. */
function fromBase64(text: string): string {
  try {
    const decoded = decodeURIComponent(text.slice(0, MAX_LENGTH));
    return atob(decoded.replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, ''));
  } catch {
    return '';
  }
}
