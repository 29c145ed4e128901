import { formatMboxCookie, parseMboxCookie, SESSION_SECONDS } from '../identity/mbox-cookie.js';
import type { TargetClient } from '../index.js';
import { ownOf } from '../inherited-names.js';
import { type CookieOptions, toSetCookieHeaders } from './cookies.js';
import { readIdentity } from './ecid.js';
import { ecidOf } from './ecid-cookies.js';
import type { IncomingRequest } from './incoming-request.js';
import { headerOf } from './page-url.js';
import { createVisit } from './visit.js';
import { VisitFacts } from './visit-facts.js';
import type { VisitOptions } from './visit-options.js';

/** The ways to name a visitor whom nobody knows. */
export type NewVisitors = 'mint' | 'ask' | 'session';

/** A request that a proxy passes on, and what its visitor may be given. */
export interface PassingRequest {
  readonly incoming: IncomingRequest;
  /** True when the request is for a page. Only such a request makes a new visitor or a new session. */
  readonly isForPage: boolean;
}

/** The maximum time in ms for which a page waits until Target has named its visitor. */
const MAX_WAIT_MS = 500;
/** Matches the user agents of programs that read pages, as they name themselves. */
const BOT = /bot\b|crawl|spider|slurp/i;
/** Matches the session in an mbox cookie, with the time of its end in seconds since 1970. */
const SESSION = /(?:^|\|)session#[^#|]*#(\d{1,15})/;

/**
 * Returns the `Set-Cookie` lines that give the visitor of a page an identity before the page is rendered, because a page
 * may not be able to set cookies. It asks Target only for `ask`. Without consent there are none, except those that delete
 * what the browser has when consent is withdrawn. It never rejects.
 */
export async function cookiesOfProxy(
  client: TargetClient,
  { incoming, isForPage }: PassingRequest,
  options: VisitOptions,
  newVisitors: NewVisitors,
): Promise<readonly string[]> {
  const facts = new VisitFacts(client, client.forVisits, incoming, options);
  const write = ownOf(options.cookies)?.write;
  if (write === 'never') {
    return [];
  }
  if (facts.consent.forget) {
    return hasCookies(incoming) ? createVisit(client, incoming, options).setCookies : [];
  }
  if (facts.mode !== 'normal') {
    return [];
  }
  const cookies = readIdentity(incoming, client.organizationId);
  const { sessionId, tntId } = parseMboxCookie(cookies.targetCookie, Date.now());
  if (sessionId !== undefined) {
    return write === 'changed' ? [] : toLines(renewed(cookies, sessionId, tntId), options);
  }
  if (!isForPage || facts.isUnseen) {
    return [];
  }
  const isNamed = tntId !== undefined || ecidOf(cookies.visitorCookie) !== undefined;
  if (!isNamed && newVisitors === 'ask' && !isBot(incoming)) {
    const asked = await ask(client, incoming, options);
    if (asked.length > 0) {
      return asked;
    }
  }
  const { newId } = client.forVisits;
  const minted = !isNamed && newVisitors === 'mint' ? newId() : tntId;
  return toLines(formatMboxCookie(newId(), minted, Date.now()), options);
}

/**
 * Prolongs a cookie. The session of a visitor with a tntId still ends when it would have: that of the edge ends 30 minutes
 * after the last call, and a proxy makes none. Without a tntId, the session is all by which the visitor is known.
 */
function renewed(
  { targetCookie = '' }: CookieOptions,
  sessionId: string,
  tntId: string | undefined,
): ReturnType<typeof formatMboxCookie> {
  const now = Date.now();
  const cookie = formatMboxCookie(encodeURIComponent(sessionId), tntId, now);
  const ends = tntId === undefined ? undefined : SESSION.exec(decoded(targetCookie))?.[1];
  const latest = Math.floor(now / 1000) + SESSION_SECONDS;
  const end = Math.min(Number(ends ?? latest), latest);
  const [start = '', , ...rest] = cookie.value.split(/(?<=^session#[^#|]*#)(\d+)/);
  return { ...cookie, value: [start, end, ...rest].join('') };
}

/** Undoes the percent-encoding of a whole cookie, which may have been done twice. */
function decoded(cookie: string): string {
  try {
    const once = cookie.includes('#') ? cookie : decodeURIComponent(cookie);
    return once.includes('#') ? once : decodeURIComponent(once);
  } catch {
    return cookie;
  }
}

async function ask(
  client: TargetClient,
  incoming: IncomingRequest,
  options: VisitOptions,
): Promise<readonly string[]> {
  const timeout = Math.min(client.forVisits.toTimeoutMs(options.timeout), MAX_WAIT_MS);
  try {
    const visit = createVisit(client, incoming, Object.create(options, { timeout: { value: timeout } }));
    await visit.identify();
    return visit.setCookies;
  } catch (thrown) {
    const { message } = client.forVisits.toError(thrown, {});
    client.forVisits.logger.debug(`a new visitor gets a session alone: ${message}`);
    return [];
  }
}

function toLines(targetCookie: ReturnType<typeof formatMboxCookie>, { cookies }: VisitOptions): string[] {
  return toSetCookieHeaders({ targetCookie }, cookies ?? undefined);
}

function isBot(incoming: IncomingRequest): boolean {
  const agent = headerOf(incoming, 'user-agent', 1024);
  return agent === undefined || BOT.test(agent);
}

function hasCookies(incoming: IncomingRequest): boolean {
  return /(?:^|;\s*)mbox(?:EdgeCluster)?=/.test(incoming.header('cookie') ?? '');
}
