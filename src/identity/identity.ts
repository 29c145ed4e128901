import { type AudienceManager, type CustomerId, EDGE_LIMITS } from '../delivery-api.js';
import { invalidField } from '../errors.js';
import { idToText, isRecord } from '../json.js';
import { type AmcvValues, MAX_REGION_LENGTH, NO_VALUES } from './amcv-cookie.js';
import { type CustomerIdsOption, toCustomerIds, toCustomerIdsByCode } from './customer-ids.js';
import type { IdSource } from './ids.js';
import { isLocationHint } from './location-hint.js';
import { isSessionId, MAX_SESSION_ID_LENGTH, parseMboxCookie } from './mbox-cookie.js';
import { guarded, isVisitor, Visitor, type VisitorLike } from './visitor.js';

/** The options of a call that say who asks. */
export interface IdentityOptions {
  /** Value of the mbox cookie. */
  readonly targetCookie?: string | undefined;
  /** Value of the mboxEdgeCluster cookie. */
  readonly targetLocationHint?: string | undefined;
  /** The same as `targetLocationHint`, under the name that Adobe's samples use. */
  readonly targetLocationHintCookie?: string | undefined;
  /** Value of the AMCV cookie, percent-encoded or not. */
  readonly visitorCookie?: string | undefined;
  /** Tells apart the calls of one page that share a visitor. @default 'target-global-mbox' */
  readonly consumerId?: string | undefined;
  /** Ids of a customer by integration code, or a list in the Delivery API's form. */
  readonly customerIds?: CustomerIdsOption | undefined;
  /** Joins calls to one session where no mbox cookie does. @default a new one */
  readonly sessionId?: string | undefined;
  /** A visitor object to share between calls. @default made of `visitorCookie` */
  readonly visitor?: VisitorLike | undefined;
}

/** The part of a client's configuration that an identity needs. */
export interface IdentityConfig {
  readonly organizationId: string;
}

/** Everything that options, cookies and the visitor object tell of who asks. The ids that a request names itself win. */
export interface Identity {
  readonly visitor: VisitorLike;
  readonly consumerId: string;
  readonly sessionId: string;
  /** The session's id as cookies and URLs have it. */
  readonly encodedSessionId: string;
  readonly tntId: string | undefined;
  readonly ecid: string | undefined;
  readonly customerIds: readonly CustomerId[];
  /** The edge cluster that keeps the visitor's profile. */
  readonly locationHint: string | undefined;
  readonly audienceManager: AudienceManager | undefined;
}

const DEFAULT_CONSUMER_ID = 'target-global-mbox';

/** Finds out who asks. A visitor object that is given learns the customer ids and tells its own. */
export function toIdentity(
  options: IdentityOptions,
  config: IdentityConfig,
  nowMs: number,
  ids: IdSource,
): Identity {
  const cookie = parseMboxCookie(options.targetCookie, nowMs);
  const givenSessionId = toGivenSessionId(cookie.sessionId, options.sessionId);
  const sessionId = givenSessionId ?? ids.newHexId();
  const customerIds = toCustomerIds(options.customerIds);
  const visitor = toVisitor(options, config, ids);
  if (options.customerIds) visitor.setCustomerIDs?.(toCustomerIdsByCode(options.customerIds));
  const values = toValues(visitor.getVisitorValues());
  return {
    visitor,
    consumerId: toConsumerId(options.consumerId),
    sessionId,
    // Nothing in ours has to be encoded, and to find that out takes as long as to make one.
    encodedSessionId: givenSessionId === undefined ? sessionId : encodeURIComponent(sessionId),
    tntId: cookie.tntId,
    ecid: toText(values.MCMID, EDGE_LIMITS.VisitorId.marketingCloudVisitorId),
    customerIds,
    locationHint: cookie.locationHint ?? toLocationHint(options),
    audienceManager: toAudienceManager(values),
  };
}

/**
 * Draws the supplemental data id of one call. It is for the last step of making one: a consumer who asks twice gets another.
 * The page's hits carry the id of `visitorState`, so that an id of the request's own has to be in that too.
 */
export function drawSupplementalDataId(
  { visitor, consumerId }: Identity,
  given: string | undefined,
): string | undefined {
  if (given !== undefined) visitor.adopt?.(given);
  const drawn: unknown = visitor.getSupplementalDataID(consumerId);
  return typeof drawn === 'string' && drawn.length === EDGE_LIMITS.AnalyticsRequest.supplementalDataId
    ? drawn
    : undefined;
}

function toGivenSessionId(ofCookie: string | undefined, sessionId: unknown): string | undefined {
  if (sessionId === undefined || sessionId === null || sessionId === '') return ofCookie;
  if (typeof sessionId !== 'string' || !isSessionId(sessionId)) {
    const wanted = `1 to ${MAX_SESSION_ID_LENGTH} printable characters without space, ? or /`;
    throw invalidField('sessionId', wanted, sessionId);
  }
  return ofCookie ?? sessionId;
}

function toVisitor(
  { visitor, visitorCookie }: IdentityOptions,
  { organizationId }: IdentityConfig,
  { newSupplementalDataId }: IdSource,
): VisitorLike {
  return isVisitor(visitor)
    ? guarded(visitor)
    : new Visitor(organizationId, visitorCookie, newSupplementalDataId);
}

function toConsumerId(consumerId: unknown): string {
  return typeof consumerId === 'string' && consumerId !== '' ? consumerId : DEFAULT_CONSUMER_ID;
}

/** The hint of the per-call option; from a cookie, so that anything but digits is ignored. */
function toLocationHint({
  targetLocationHint,
  targetLocationHintCookie,
}: IdentityOptions): string | undefined {
  if (isLocationHint(targetLocationHint)) return targetLocationHint;
  return isLocationHint(targetLocationHintCookie) ? targetLocationHintCookie : undefined;
}

/** The names that an AMCV cookie has, with whatever a visitor object says they are. */
type VisitorValues = { readonly [Name in keyof AmcvValues]?: unknown };

function toValues(values: unknown): VisitorValues {
  return isRecord(values) ? values : NO_VALUES;
}

/** A value of the caller's or our own visitor object; only texts and numbers that the API takes count. */
function toText(value: unknown, maxLength: number): string | undefined {
  const text = typeof value === 'boolean' ? undefined : idToText(value);
  return text !== undefined && text !== '' && text.length <= maxLength ? text : undefined;
}

function toAudienceManager({ MCAAMLH, MCAAMB }: VisitorValues): AudienceManager | undefined {
  const region = toText(MCAAMLH, MAX_REGION_LENGTH);
  const blob = toText(MCAAMB, EDGE_LIMITS.AudienceManager.blob);
  const locationHint = region === undefined ? 0 : Number.parseInt(region, 10);
  if (!(locationHint > 0)) return blob === undefined ? undefined : { blob };
  return blob === undefined ? { locationHint } : { locationHint, blob };
}
