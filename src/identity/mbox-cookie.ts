import { toBytes, toText } from '#platform';
import { EDGE_LIMITS } from '../delivery-api.js';
import { hintOfTntId } from './location-hint.js';

/** `session#{id}#{expires}|PC#{tntId}#{expires}`; name and value percent-encoded, expires in epoch seconds. */

/** What the mbox cookie says about a visitor; what is malformed or expired is absent. */
export interface MboxCookie {
  readonly sessionId?: string | undefined;
  readonly tntId?: string | undefined;
  /** The location hint of the tntId. */
  readonly locationHint?: string | undefined;
}

/** A cookie to set. */
export interface TargetCookie {
  readonly name: string;
  readonly value: string;
  /** Seconds. */
  readonly maxAge: number;
}

/** The name of the mbox cookie. */
export const MBOX_COOKIE_NAME = 'mbox';

/** It has all fields, so that none of them is found on `Object.prototype`. */
const EMPTY: MboxCookie = Object.freeze({ sessionId: undefined, tntId: undefined, locationHint: undefined });
/** How long a session lives after its last call, and the location hint with it. */
export const SESSION_SECONDS = 1860;
/** The longest id of a session, which the Delivery API's description gives in words alone. */
export const MAX_SESSION_ID_LENGTH = 128;
const PC_SECONDS = 63_244_800;
const MAX_LENGTH = 4096;
const MAX_PARTS = 50;
/** The bar between the parts of a cookie that was encoded as a whole never, once or twice. */
const BARS = ['|', /\||%7C/i, /\||%(?:25)?7C/i] as const;
/** What the API takes as a session id: printable, without a space, `?` or `/`. */
const SESSION_ID = /^[!-.0->@-~]+$/;

/** Whether the Delivery API takes this as a session id. */
export function isSessionId(value: string): boolean {
  return value.length <= MAX_SESSION_ID_LENGTH && SESSION_ID.test(value);
}

/** Reads the mbox cookie as a browser sent it. A part that is malformed is skipped alone; nothing ever throws. */
export function parseMboxCookie(cookie: unknown, nowMs: number): MboxCookie {
  if (typeof cookie !== 'string') return EMPTY;
  const values = new Map<string, string>();
  const start = cookie.slice(0, MAX_LENGTH);
  const encodings = encodingsOf(start);
  for (const part of start.split(BARS[encodings], MAX_PARTS)) {
    const [name, value, expires] = (decodePart(part, encodings) ?? '').split('#', 3).map(decode);
    if (!name || !value || value.length > EDGE_LIMITS.VisitorId.tntId || !isLive(expires, nowMs)) continue;
    values.set(name, value);
  }
  const sessionId = values.get('session');
  const tntId = values.get('PC');
  const locationHint = hintOfTntId(tntId);
  return {
    sessionId: sessionId !== undefined && isSessionId(sessionId) ? sessionId : undefined,
    tntId,
    locationHint,
  };
}

/** The mbox cookie to send to the browser with an answer. */
export function formatMboxCookie(
  encodedSessionId: string,
  tntId: string | undefined,
  nowMs: number,
): TargetCookie {
  const now = Math.floor(nowMs / 1000);
  if (now !== expiry.now)
    expiry = { now, session: `#${now + SESSION_SECONDS}`, device: `#${now + PC_SECONDS}` };
  const session = `session#${encodedSessionId}${expiry.session}`;
  if (!tntId) return { name: MBOX_COOKIE_NAME, value: session, maxAge: SESSION_SECONDS };
  const value = `${session}|PC#${encode(tntId)}${expiry.device}`;
  return { name: MBOX_COOKIE_NAME, value, maxAge: PC_SECONDS };
}

/** Of the last second that a cookie was written in: there are thousands of cookies in each. */
let expiry = { now: Number.NaN, session: '', device: '' };

/** Percent-encodes; a lone surrogate, which cannot be encoded, is replaced. */
function encode(value: string): string {
  if (isUnreserved(value)) return value;
  try {
    return encodeURIComponent(value);
  } catch {
    return encodeURIComponent(toText(toBytes(value)));
  }
}

const UNRESERVED = Uint8Array.from({ length: 128 }, (_, code) =>
  /[\w.~-]/.test(String.fromCharCode(code)) ? 1 : 0,
);

/** Whether nothing has to be encoded; for texts as short as ids this is faster than an expression (`on-device/prefetch-url`). */
function isUnreserved(value: string): boolean {
  for (let at = 0; at < value.length; at += 1) if (UNRESERVED[value.charCodeAt(at)] !== 1) return false;
  return true;
}

/**
 * Tells how often a cookie was encoded as a whole, by its `#`: never, once where it was taken from the header without
 * decoding, or twice, because two programs on its way may each have encoded it.
 */
function encodingsOf(cookie: string): 0 | 1 | 2 {
  if (cookie.includes('#')) return 0;
  return cookie.includes('%23') ? 1 : 2;
}

function decodePart(part: string, encodings: 0 | 1 | 2): string | undefined {
  if (encodings === 0) return part;
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

function isLive(expires: string | undefined, nowMs: number): boolean {
  return expires !== undefined && /^\d{1,15}$/.test(expires) && Math.floor(nowMs / 1000) <= Number(expires);
}
