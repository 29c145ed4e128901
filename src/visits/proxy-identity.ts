import { formatMboxCookie, parseMboxCookie } from '../identity/mbox-cookie.js';
import type { TargetClient } from '../index.js';
import { ownOf } from '../inherited-names.js';
import { toSetCookieHeaders } from './cookies.js';
import { readIdentity } from './ecid.js';
import { ecidOf } from './ecid-cookies.js';
import type { IncomingRequest } from './incoming-request.js';
import { headerOf } from './page-url.js';
import { createVisit } from './visit.js';
import { VisitFacts } from './visit-facts.js';
import { forgottenCookies } from './visit-identity.js';
import type { VisitOptions } from './visit-options.js';

/** The ways to name a visitor whom nobody knows. */
export type NewVisitors = 'mint' | 'ask' | 'session';

/** A request that a proxy passes on, and what its visitor may be given. */
export interface PassingRequest {
  readonly incoming: IncomingRequest;
  /**
   * The kind of the request: of a browser for a page, of a router that renders a part of one, or any other. A page makes
   * a new visitor. A page and a router begin a new session of a known visitor. All of them prolong a session.
   */
  readonly kind: 'page' | 'router' | 'other';
}

/** The maximum time in ms for which a page waits until Target has named its visitor. */
const MAX_WAIT_MS = 500;
/** Matches the user agents of programs that read pages, as they name themselves. */
const BOT = /bot\b|crawl|spider|slurp/i;

/**
 * Returns the `Set-Cookie` lines that give the visitor of a page an identity before the page is rendered, because a page
 * may not be able to set cookies. For the same reason they prolong the session: the page calls Target, and the session
 * there ends 30 minutes after the last call. It asks Target only for `ask`. Without consent there are none, except those
 * that delete what the browser has when consent is withdrawn. It never rejects.
 */
export async function cookiesOfProxy(
  client: TargetClient,
  { incoming, kind }: PassingRequest,
  options: VisitOptions,
  newVisitors: NewVisitors,
): Promise<readonly string[]> {
  const facts = new VisitFacts(client, client.forVisits, incoming, options);
  const write = ownOf(options.cookies)?.write;
  if (write === 'never') {
    return [];
  }
  if (facts.consent.forget) {
    return hasCookies(incoming) ? forgottenCookies(facts.cookies) : [];
  }
  if (facts.mode !== 'normal') {
    return [];
  }
  const { targetCookie, visitorCookie } = readIdentity(incoming, client.organizationId);
  const { sessionId, tntId } = parseMboxCookie(targetCookie, Date.now());
  if (sessionId !== undefined) {
    const prolonged = () => formatMboxCookie(encodeURIComponent(sessionId), tntId, Date.now());
    return write === 'changed' ? [] : toLines(prolonged(), facts);
  }
  const isNamed = tntId !== undefined || ecidOf(visitorCookie) !== undefined;
  const canBegin = kind === 'page' ? !facts.isUnseen : kind === 'router' && isNamed;
  if (!canBegin) {
    return [];
  }
  if (!isNamed && newVisitors === 'ask' && !isBot(incoming)) {
    const asked = await ask(client, incoming, options);
    if (asked.length > 0) {
      return asked;
    }
  }
  const { newId } = client.forVisits;
  const minted = !isNamed && newVisitors === 'mint' ? newId() : tntId;
  return toLines(formatMboxCookie(newId(), minted, Date.now()), facts);
}

async function ask(
  client: TargetClient,
  incoming: IncomingRequest,
  options: VisitOptions,
): Promise<readonly string[]> {
  const timeout = Math.min(client.forVisits.toTimeoutMs(options.timeout), MAX_WAIT_MS);
  try {
    // The functions of the program have been asked. They must not answer otherwise in the same request.
    const own = { timeout: { value: timeout }, consent: { value: true }, isBot: { value: undefined } };
    const visit = createVisit(client, incoming, Object.create(options, own));
    await visit.identify();
    return visit.setCookies;
  } catch (thrown) {
    const { message } = client.forVisits.toError(thrown, {});
    client.forVisits.logger.debug(`a new visitor gets a session alone: ${message}`);
    return [];
  }
}

function toLines(targetCookie: ReturnType<typeof formatMboxCookie>, { cookies }: VisitFacts): string[] {
  return toSetCookieHeaders({ targetCookie }, cookies);
}

function isBot(incoming: IncomingRequest): boolean {
  const agent = headerOf(incoming, 'user-agent', 1024);
  return agent === undefined || BOT.test(agent);
}

function hasCookies(incoming: IncomingRequest): boolean {
  return /(?:^|;\s*)mbox(?:EdgeCluster)?=/.test(incoming.header('cookie') ?? '');
}
