import { VISITOR_ID_LIMITS } from '../delivery-api.js';
import { hintOfTntId } from './location-hint.js';

/**
 * This file reads and writes the mbox cookie, `session#{id}#{expires}|PC#{tntId}#{expires}`. The names and the values
 * are percent-encoded, and `expires` is in seconds since 1970.
 * @see https://experienceleague.adobe.com/docs/core-services/interface/administration/ec-cookies/cookies-target.html
 */

/** The ids in an mbox cookie. A malformed or expired id is absent. */
export interface MboxCookie {
  readonly sessionId?: string | undefined;
  readonly tntId?: string | undefined;
  /** The location hint in the tntId. */
  readonly locationHint?: string | undefined;
}

/**
 * A cookie to set in the browser. `toSetCookieHeaders` of `target-node-sdk/http` writes its header.
 *
 * @example
 * ```ts
 * // Express takes milliseconds.
 * response.cookie(targetCookie.name, targetCookie.value, { maxAge: targetCookie.maxAge * 1000 });
 * ```
 */
export interface TargetCookie {
  /** The name of the cookie: `mbox` or `mboxEdgeCluster`. */
  readonly name: string;
  /** The value of the cookie. A library may percent-encode it once more. The client can still read it. */
  readonly value: string;
  /** The time for which the browser keeps the cookie, in seconds. */
  readonly maxAge: number;
}

/** The name of the cookie that holds the session and the tntId. */
export const MBOX_COOKIE_NAME = 'mbox';

/** The ids of a visitor without a cookie. It has all fields, so none of them is read from `Object.prototype`. */
const EMPTY: MboxCookie = Object.freeze({ sessionId: undefined, tntId: undefined, locationHint: undefined });
/** The time in seconds that a session lives after its last call. The location hint lives as long. */
export const SESSION_SECONDS = 1860;
/** The maximum length of a session id. The Delivery API gives it in the description of the field, not in its schema. */
export const MAX_SESSION_ID_LENGTH = 128;
/** The time in seconds that a tntId lives after the last call: 732 days. */
const PC_SECONDS = 63_244_800;
const MAX_LENGTH = 4096;
const MAX_PARTS = 50;
/**
 * The pattern of the bar between the parts of a cookie. The index is the number of times that the whole cookie was
 * encoded: 0, 1 or 2.
 */
const BARS = ['|', /\||%7C/i, /\||%(?:25)?7C/i] as const;
/** The characters that the API takes in a session id: printable ASCII without space, `?` and `/`. */
const SESSION_ID = /^[!-.0->@-~]+$/;

/** Tells whether the Delivery API takes a text as a session id. */
export function isSessionId(value: string): boolean {
  return value.length <= MAX_SESSION_ID_LENGTH && SESSION_ID.test(value);
}

/**
 * The cookie that was read last, and the second of it. A visit reads the cookie of its visitor, and so does each of its
 * calls at once.
 */
let last: { readonly cookie: string; readonly now: number; readonly ids: MboxCookie } | undefined;

/**
 * Reads the mbox cookie as a browser sent it. A malformed or expired part is skipped, and the other parts still count.
 * The function never throws.
 */
export function parseMboxCookie(cookie: unknown, nowMs: number): MboxCookie {
  if (typeof cookie !== 'string') {
    return EMPTY;
  }
  const now = Math.floor(nowMs / 1000);
  if (last?.cookie !== cookie || last.now !== now) {
    last = { cookie, now, ids: readIds(cookie, now) };
  }
  return last.ids;
}

function readIds(cookie: string, now: number): MboxCookie {
  const values = new Map<string, string>();
  const start = cookie.slice(0, MAX_LENGTH);
  const encodings = encodingsOf(start);
  for (const part of start.split(BARS[encodings], MAX_PARTS)) {
    const [name, value, expires] = (decodePart(part, encodings) ?? '').split('#', 3).map(decode);
    if (!name || !value || value.length > VISITOR_ID_LIMITS.tntId || !isLive(expires, now)) {
      continue;
    }
    values.set(name, value);
  }
  const sessionId = values.get('session');
  const tntId = values.get('PC');
  return {
    sessionId: sessionId !== undefined && isSessionId(sessionId) ? sessionId : undefined,
    tntId,
    locationHint: hintOfTntId(tntId),
  };
}

/** Makes the mbox cookie that an answer sets in the browser. */
export function formatMboxCookie(
  encodedSessionId: string,
  tntId: string | undefined,
  nowMs: number,
): TargetCookie {
  const now = Math.floor(nowMs / 1000);
  if (now !== expiry.now) {
    expiry = { now, session: `#${now + SESSION_SECONDS}`, device: `#${now + PC_SECONDS}` };
  }
  const session = `session#${encodedSessionId}${expiry.session}`;
  if (!tntId) {
    return { name: MBOX_COOKIE_NAME, value: session, maxAge: SESSION_SECONDS };
  }
  const value = `${session}|PC#${encode(tntId)}${expiry.device}`;
  return { name: MBOX_COOKIE_NAME, value, maxAge: PC_SECONDS };
}

/**
 * The times of expiry that were written last. They change once in a second, and a busy server writes thousands of
 * cookies in each second.
 */
let expiry = { now: Number.NaN, session: '', device: '' };

/** Percent-encodes a text. A lone surrogate cannot be encoded and is replaced. */
function encode(value: string): string {
  // Ids rarely have such a character, and this test is faster than an encoding that changes nothing.
  if (!RESERVED.test(value)) {
    return value;
  }
  try {
    return encodeURIComponent(value);
  } catch {
    return encodeURIComponent(value.replace(LONE_SURROGATES, '\ufffd'));
  }
}

/** Matches a character that may have to be encoded. */
const RESERVED = /[^\w.~-]/;
const LONE_SURROGATES = /\p{Surrogate}/gu;

/**
 * Tells how often a cookie was percent-encoded as a whole, by the form of its `#`. A cookie that was taken from the
 * header without decoding was encoded once. Two programs on its way may have encoded it twice.
 */
function encodingsOf(cookie: string): 0 | 1 | 2 {
  if (cookie.includes('#')) {
    return 0;
  }
  return cookie.includes('%23') ? 1 : 2;
}

function decodePart(part: string, encodings: 0 | 1 | 2): string | undefined {
  if (encodings === 0) {
    return part;
  }
  const once = decode(part);
  return once === undefined || encodings === 1 ? once : decode(once);
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function isLive(expires: string | undefined, now: number): boolean {
  return expires !== undefined && /^\d{1,15}$/.test(expires) && now <= Number(expires);
}
