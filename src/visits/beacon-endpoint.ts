import { callSafely } from '../call-safely.js';
import { messageOf } from '../errors.js';
import type { Context, TargetClient } from '../index.js';
import { ownFieldOf, ownOf } from '../inherited-names.js';
import type { VisitSupport } from '../visit-support.js';
import { type BeaconReport, isTooLong, MAX_BEACON_BYTES, readBeacon } from './beacon-body.js';
import { hasId, readCookiesAt } from './cookies.js';
import { ecidOf } from './ecid-cookies.js';
import type { IncomingRequest } from './incoming-request.js';
import { headerOf, hostOf, MAX_READ_LENGTH, urlOf } from './page-url.js';
import { type BeaconBody, readBody } from './read-body.js';
import { toWrittenCookies } from './secure-cookies.js';
import { VisitFacts } from './visit-facts.js';
import { forgottenCookies, VisitIdentity } from './visit-identity.js';
import type { VisitOptions } from './visit-options.js';
import { toVisitSupport } from './visit-support-of.js';

/** The answer to a beacon. It has no body. */
export interface BeaconAnswer {
  /**
   * 204 for a beacon that was taken or that is not counted, 400 for a malformed one, 403 for one that no page of this
   * site has sent, and 413 for one of more than 64 kB.
   */
  readonly status: 204 | 400 | 403 | 413;
  /** The headers to send, such as the `Set-Cookie` that prolongs the visitor's session. */
  readonly headers: [name: string, value: string][];
}

/**
 * Takes what the script of {@link beaconScript} sends. It answers at once, and Target gets the report from the
 * notification queue of the client. Give it the options of your visits: without consent, for bots, and in QA mode nothing
 * is reported. The functions in them get a request whose `url` is the address of the page.
 *
 * The visitor is that of the request's cookies, and a request without them is dropped. Nothing that a browser sends makes
 * it reject.
 *
 * @param body the body of the request: its text, a request of Node, or the `body` of a `Request`. At most 64 kB of it are
 * read.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` as a rejection, for a wrong option, as `createVisit` does.
 * @example
 * ```ts
 * const { status, headers } = await handleBeacon(client, fromFetchRequest(request), request.body);
 * return new Response(null, { status, headers });
 * ```
 */
export async function handleBeacon(
  client: TargetClient,
  incoming: IncomingRequest,
  body: BeaconBody,
  options: VisitOptions | null = {},
): Promise<BeaconAnswer> {
  const own = ownOf(options ?? {});
  const support = toVisitSupport(client, incoming, own);
  const nowMs = Date.now();
  if (!isOfOwnPage(incoming)) {
    return { status: 403, headers: [] };
  }
  const text = await readBody(body, MAX_BEACON_BYTES);
  if (isTooLong(text)) {
    return { status: 413, headers: [] };
  }
  const reports = readBeacon(text, nowMs);
  if (!reports) {
    return { status: 400, headers: [] };
  }
  try {
    const facts = new VisitFacts(client, support, toPage(incoming), own);
    if (facts.consent.forget) {
      return taken(forgottenCookies(toWrittenCookies(own.cookies, incoming)), own);
    }
    const cookies = readCookiesAt(
      headerOf(incoming, 'cookie', MAX_READ_LENGTH),
      client.organizationId,
      nowMs,
    );
    // A report of nobody would make a new visitor.
    const isNamed = hasId(cookies.targetCookie, nowMs) || ecidOf(cookies.visitorCookie) !== undefined;
    if (reports.length === 0 || !facts.counts || facts.qaMode || !isNamed) {
      return taken([], own);
    }
    const identity = new VisitIdentity(cookies, support, toWrittenCookies(own.cookies, incoming));
    for (const report of reports) {
      send(report, { facts, identity, support, options: own });
    }
    identity.renew();
    return taken(identity.setCookies(), own);
  } catch (thrown) {
    reportFault(thrown, support, own);
    return taken([], own);
  }
}

function taken(setCookies: readonly string[], { cacheControl }: VisitOptions): BeaconAnswer {
  const headers = setCookies.map((line): [string, string] => ['Set-Cookie', line]);
  if (headers.length > 0 && cacheControl !== false) {
    headers.push(['Cache-Control', 'private, no-store']);
  }
  return { status: 204, headers };
}

interface Sender {
  readonly facts: VisitFacts;
  readonly identity: VisitIdentity;
  readonly support: VisitSupport;
  readonly options: VisitOptions;
}

function send(
  { notifications, property, analytics }: BeaconReport,
  { facts, identity, support, options }: Sender,
): void {
  const { waitUntil } = options;
  support.queueReport({
    ...identity.toOptions(),
    customerIds: facts.customerIds,
    waitUntil: waitUntil ?? undefined,
    request: {
      context: facts.context as Context,
      notifications,
      ...(property && { property }),
      ...(analytics && { experienceCloud: { analytics } }),
    },
  });
}

/**
 * Tells whether a page of this site has sent a request. A form or a script of another site can send a beacon too, with
 * the visitor's cookies.
 * @see https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
 */
function isOfOwnPage(incoming: IncomingRequest): boolean {
  const site = headerOf(incoming, 'sec-fetch-site', MAX_READ_LENGTH);
  if (site !== undefined) {
    return site === 'same-origin' || site === 'same-site';
  }
  const origin = hostOf(headerOf(incoming, 'origin', MAX_READ_LENGTH) ?? '');
  return origin !== '' && origin === hostOf(urlOf(incoming));
}

/**
 * Makes the request for the page that has sent a beacon: its address is the referrer. A QA link in it ends the beacon, and
 * so does `mboxDisable`.
 */
function toPage(incoming: IncomingRequest): IncomingRequest {
  const read = (name: 'method' | 'ipAddress'): string | undefined => {
    try {
      const value = ownFieldOf(incoming, name);
      return typeof value === 'string' ? value : undefined;
    } catch {
      return undefined;
    }
  };
  return {
    url: headerOf(incoming, 'referer', MAX_READ_LENGTH) ?? '',
    method: read('method'),
    ipAddress: read('ipAddress'),
    header: (name) => (name === 'referer' ? undefined : incoming.header(name)),
  };
}

function reportFault(thrown: unknown, { toError, logger }: VisitSupport, { onError }: VisitOptions): void {
  const error = toError(thrown, undefined);
  if (!onError) {
    logger.warn(`a beacon could not be reported: ${error.message}`);
    return;
  }
  callSafely(
    () => onError(error),
    (failure) => logger.warn(`the option onError of a visit failed: ${messageOf(failure)}`),
  );
}
