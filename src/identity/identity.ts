import { type AudienceManager, type CustomerId, EDGE_LIMITS } from '../delivery-api.js';
import { invalidField } from '../errors.js';
import { idToText, isRecord, type JsonRecord } from '../json.js';
import type { Logger } from '../logger.js';
import { type AmcvValues, MAX_REGION_LENGTH, NO_VALUES } from './amcv-cookie.js';
import { type CookieOption, type LocationHintOption, toCookieText, toHintText } from './cookie-options.js';
import {
  type CustomerIdsByCode,
  type CustomerIdsOption,
  NO_CUSTOMER_IDS,
  toCustomerIds,
  toCustomerIdsByCode,
  toHeldCustomerIds,
} from './customer-ids.js';
import { type IdSource, isSupplementalDataId } from './ids.js';
import { isLocationHint } from './location-hint.js';
import { isSessionId, MAX_SESSION_ID_LENGTH, parseMboxCookie } from './mbox-cookie.js';
import { isVisitor, Visitor, type VisitorLike } from './visitor.js';

/** The options of a call that say who asks. */
export interface IdentityOptions {
  /** The mbox cookie: its value, or the cookie itself, such as `targetCookie` of an answer. */
  readonly targetCookie?: CookieOption | null | undefined;
  /** The mboxEdgeCluster cookie: its value, or the cookie itself, such as `targetLocationHintCookie` of an answer. */
  readonly targetLocationHint?: LocationHintOption | null | undefined;
  /** The same as `targetLocationHint`, under the name that Adobe's samples use. */
  readonly targetLocationHintCookie?: LocationHintOption | null | undefined;
  /** The AMCV cookie: its value, percent-encoded or not, or the cookie itself. */
  readonly visitorCookie?: CookieOption | null | undefined;
  /** Tells apart the calls of one page that share a visitor. @default 'target-global-mbox' */
  readonly consumerId?: string | number | null | undefined;
  /** Ids of a customer by integration code, or a list in the Delivery API's form. */
  readonly customerIds?: CustomerIdsOption | null | undefined;
  /** Joins calls to one session where no mbox cookie does. @default a new one */
  readonly sessionId?: string | number | null | undefined;
  /**
   * A visitor object to share between calls, ours or that of `@adobe-mcid/visitor-js-server`. The customer ids that it
   * holds are sent with each of them. @default made of `visitorCookie`
   */
  readonly visitor?: VisitorLike | null | undefined;
}

/** The part of a client's configuration that an identity needs. */
export interface IdentityConfig {
  readonly organizationId: string;
}

/** The parts of a client that an identity needs. */
export interface IdentityEnvironment {
  readonly config: IdentityConfig;
  readonly logger: Pick<Logger, 'warn'>;
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
  /** The customer ids of this call. */
  readonly customerIds: readonly CustomerId[];
  /** The customer ids that the visitor object holds besides them, of earlier calls or by `setCustomerIDs`. */
  readonly heldCustomerIds: readonly CustomerId[];
  /** The edge cluster that keeps the visitor's profile. */
  readonly locationHint: string | undefined;
  readonly audienceManager: AudienceManager | undefined;
}

const DEFAULT_CONSUMER_ID = 'target-global-mbox';

/** Finds out who asks. A visitor object that is given learns the customer ids and tells its own. */
export function toIdentity(
  options: IdentityOptions,
  { config, logger }: IdentityEnvironment,
  nowMs: number,
  ids: IdSource,
): Identity {
  const cookie = parseMboxCookie(toCookieText(options.targetCookie, 'targetCookie'), nowMs);
  const hint = toLocationHint(options);
  const givenSessionId = toGivenSessionId(cookie.sessionId, options.sessionId);
  const sessionId = givenSessionId ?? ids.newHexId();
  const customerIds = toCustomerIds(options.customerIds);
  // What is wrong must be found before the visitor object is told anything.
  const consumerId = toConsumerId(options.consumerId);
  const visitor = toVisitor(options, config, ids);
  const held = options.visitor ? heldBy(visitor, config.organizationId) : undefined;
  const stillHeld = teach(visitor, options.customerIds, held);
  const values = toValues(visitor.getVisitorValues());
  return {
    visitor,
    consumerId,
    sessionId,
    // Nothing in ours has to be encoded, and to find that out takes as long as to make one.
    encodedSessionId: givenSessionId === undefined ? sessionId : encodeURIComponent(sessionId),
    tntId: cookie.tntId,
    ecid: toText(values.MCMID, EDGE_LIMITS.VisitorId.marketingCloudVisitorId),
    customerIds,
    heldCustomerIds: stillHeld ? toHeld(stillHeld, logger) : NO_CUSTOMER_IDS,
    locationHint: cookie.locationHint ?? hint,
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
  if (given !== undefined && typeof visitor.adopt === 'function') {
    visitor.adopt(given, consumerId);
    return given;
  }
  const drawn: unknown = visitor.getSupplementalDataID(consumerId);
  if (typeof drawn !== 'string') return undefined;
  // Ours need no check, which would cost every on-device decision its time.
  const isOurs = Object.getPrototypeOf(visitor) === Visitor.prototype;
  return isOurs || isSupplementalDataId(drawn) ? drawn : undefined;
}

function toGivenSessionId(ofCookie: string | undefined, sessionId: unknown): string | undefined {
  if (sessionId === undefined || sessionId === null || sessionId === '') return ofCookie;
  // A boolean would be one session for all visitors.
  const text = typeof sessionId === 'boolean' ? undefined : idToText(sessionId);
  if (text === undefined || !isSessionId(text)) {
    const wanted = `1 to ${MAX_SESSION_ID_LENGTH} printable characters without space, ? or /`;
    throw invalidField('sessionId', wanted, sessionId);
  }
  return ofCookie ?? text;
}

function toVisitor(
  { visitor, visitorCookie }: IdentityOptions,
  { organizationId }: IdentityConfig,
  { newSupplementalDataId }: IdSource,
): VisitorLike {
  const cookie = toCookieText(visitorCookie, 'visitorCookie');
  return isVisitor(visitor) ? visitor : new Visitor(organizationId, cookie, newSupplementalDataId);
}

/** Reads the customer ids that a visitor object holds. Adobe's tells them in its state alone. */
function heldBy(visitor: VisitorLike, organizationId: string): JsonRecord | undefined {
  if (typeof visitor.getCustomerIDs === 'function') return toRecord(visitor.getCustomerIDs());
  const states = toRecord(visitor.getState());
  const state =
    states && Object.hasOwn(states, organizationId) ? toRecord(states[organizationId]) : undefined;
  return toRecord(state?.customerIDs);
}

function toHeld(held: JsonRecord, logger: Pick<Logger, 'warn'>): readonly CustomerId[] {
  return toHeldCustomerIds(held, (why) =>
    logger.warn(`a customer id of the visitor object is not sent: ${why}`),
  );
}

function toRecord(value: unknown): JsonRecord | undefined {
  return isRecord(value) ? value : undefined;
}

/**
 * Adds the customer ids of a call to those that the visitor object holds, whose method would replace them. Returns those
 * that the call does not name.
 */
function teach(
  visitor: VisitorLike,
  option: CustomerIdsOption | null | undefined,
  held: JsonRecord | undefined,
): JsonRecord | undefined {
  if (!option) return held;
  const given = toCustomerIdsByCode(option);
  visitor.setCustomerIDs?.(held ? ({ ...held, ...given } as CustomerIdsByCode) : given);
  return held && Object.fromEntries(Object.entries(held).filter(([code]) => !Object.hasOwn(given, code)));
}

/** A value that is none would join the calls of all its consumers. */
function toConsumerId(consumerId: unknown): string {
  if (typeof consumerId === 'string' && consumerId !== '') return consumerId;
  if (consumerId === undefined || consumerId === null || consumerId === '') return DEFAULT_CONSUMER_ID;
  const text = idToText(consumerId);
  if (text !== undefined) return text;
  throw invalidField('consumerId', 'a string', consumerId);
}

/** Reads the hint of the options of a call. It comes from a cookie, so that any text but digits is ignored. */
function toLocationHint(options: IdentityOptions): string | undefined {
  const hint = toHintText(options.targetLocationHint, 'targetLocationHint');
  const alias = toHintText(options.targetLocationHintCookie, 'targetLocationHintCookie');
  if (isLocationHint(hint)) return hint;
  return isLocationHint(alias) ? alias : undefined;
}

/** The names that an AMCV cookie has, with whatever a visitor object says they are. */
type VisitorValues = { readonly [Name in keyof AmcvValues]?: unknown };

function toValues(values: unknown): VisitorValues {
  return isRecord(values) ? values : NO_VALUES;
}

/** A value of the caller's or our own visitor object; only texts and numbers that the API takes count. */
function toText(value: unknown, maxLength: number): string | undefined {
  // Most visitors have none of the values, and to convert nothing takes a thirtieth of a decision (benchmark on-device/prefetch-url).
  if (value === undefined) return undefined;
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
