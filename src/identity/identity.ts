import { type AudienceManager, type CustomerId, EDGE_LIMITS } from '../delivery-api.js';
import { invalidField, named } from '../errors.js';
import { idToText, isAbsent, isRecord, type JsonRecord } from '../json.js';
import type { Logger } from '../logger.js';
import { type AmcvValues, MAX_REGION_LENGTH, NO_VALUES } from './amcv-cookie.js';
import { type CookieOption, type LocationHintOption, toCookieText, toHintText } from './cookie-options.js';
import {
  type CustomerIdsByCode,
  type CustomerIdsOption,
  NO_CUSTOMER_IDS,
  readCustomerIds,
  toCustomerIds,
  toCustomerIdsByCode,
  toHeldCustomerIds,
} from './customer-ids.js';
import type { IdSource } from './ids.js';
import { isLocationHint } from './location-hint.js';
import { isSessionId, MAX_SESSION_ID_LENGTH, parseMboxCookie } from './mbox-cookie.js';
import { isSupplementalDataId } from './supplemental-data-id.js';
import { guarded, isVisitor, Visitor, type VisitorLike } from './visitor.js';

/**
 * The options of a call that identify the visitor. Pass on the browser's cookies, and set the answer's cookies in the
 * browser. Otherwise each call counts as a new visitor.
 *
 * A malformed or expired cookie counts as absent, and so does `null`. A value of a wrong type makes the call reject
 * with `ERR_TARGET_INVALID_REQUEST`, and `path` of the error names the option.
 *
 * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/api/delivery-api/identifying-visitors
 *
 * @example
 * ```ts
 * const { response, targetCookie } = await client.getOffers({
 *   request: { execute: { mboxes: [{ name: 'hero' }] } },
 *   targetCookie: cookies[TargetClient.TargetCookieName],
 *   targetLocationHint: cookies[TargetClient.TargetLocationHintCookieName],
 *   visitorCookie: cookies[TargetClient.getVisitorCookieName('1234567890@AdobeOrg')],
 *   customerIds: { crm: { id: 'customer-7', authState: TargetClient.AuthState.AUTHENTICATED } },
 * });
 * ```
 */
export interface IdentityOptions {
  /**
   * The `mbox` cookie: its value, or a cookie object such as `targetCookie` of an earlier answer. It holds the session
   * and the tntId.
   * @default none: the call starts a session, and the edge makes a tntId
   */
  readonly targetCookie?: CookieOption | null | undefined;
  /**
   * The `mboxEdgeCluster` cookie: its value, or a cookie object such as `targetLocationHintCookie` of an earlier
   * answer. Anything but 1 to 4 digits counts as absent. The location hint in the tntId of `targetCookie` wins over it.
   * @default the client's own location hint
   */
  readonly targetLocationHint?: LocationHintOption | null | undefined;
  /**
   * Another name of `targetLocationHint`. Adobe's samples use it. If both have a location hint, `targetLocationHint` is
   * used.
   */
  readonly targetLocationHintCookie?: LocationHintOption | null | undefined;
  /**
   * The AMCV cookie: its value, percent-encoded or not, or a cookie object. It holds the ECID, and the region and blob
   * of Audience Manager. It is not used when `visitor` is given.
   * @default none
   */
  readonly visitorCookie?: CookieOption | null | undefined;
  /**
   * The name of the part of a page that makes this call, such as `header`. Calls that share a `visitor` share its
   * supplemental data id only when each has a `consumerId` of its own.
   * @default 'target-global-mbox'
   */
  readonly consumerId?: string | number | null | undefined;
  /**
   * The ids that your own systems have for the visitor, by integration code, or as a list in the form of the Delivery
   * API. They are sent with those of `visitor` and of the request, at most 50 in all.
   * @default none
   */
  readonly customerIds?: CustomerIdsOption | null | undefined;
  /**
   * The id of the session, for calls of one visitor that have no mbox cookie in common. It has 1 to 128 printable
   * characters without space, `?` and `/`. The session in `targetCookie` wins over it.
   * @default a new random id
   */
  readonly sessionId?: string | number | null | undefined;
  /**
   * A visitor object that several calls share: a `Visitor` of this package, or one of `@adobe-mcid/visitor-js-server`.
   * Each call sends the customer ids that the object holds, and adds its own `customerIds` to the object. A call
   * rejects with `ERR_TARGET_INVALID_REQUEST` when a method of the object throws, or returns a promise instead of its
   * value.
   * @default a new one, made of `visitorCookie`
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

/** The identity of a visitor, taken from options, cookies and the visitor object. Ids in the request win over these. */
export interface Identity {
  readonly visitor: VisitorLike;
  readonly consumerId: string;
  readonly sessionId: string;
  /** The id of the session, percent-encoded for cookies and URLs. */
  readonly encodedSessionId: string;
  readonly tntId: string | undefined;
  readonly ecid: string | undefined;
  /** The customer ids in the options of this call. */
  readonly customerIds: readonly CustomerId[];
  /** The other customer ids that the visitor object holds. Earlier calls or `setCustomerIDs` have added them. */
  readonly heldCustomerIds: readonly CustomerId[];
  /** The location hint of the edge cluster that keeps the visitor's profile, such as `35`. */
  readonly locationHint: string | undefined;
  readonly audienceManager: AudienceManager | undefined;
}

const DEFAULT_CONSUMER_ID = 'target-global-mbox';

/**
 * Finds the identity of the visitor in the options of a call. Adds the customer ids of the call to a visitor object
 * that the caller shares.
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` for a wrong option, or a visitor object that fails.
 */
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
  const given = readCustomerIds(options.customerIds);
  const customerIds = toCustomerIds(given);
  // All options are checked before the visitor object gets the customer ids.
  const consumerId = toConsumerId(options.consumerId);
  const visitor = toVisitor(options, config, ids);
  const held = options.visitor ? heldBy(visitor, config.organizationId) : undefined;
  const stillHeld = addCustomerIds(visitor, given, held);
  const values = toValues(visitor.getVisitorValues());
  return {
    visitor,
    consumerId,
    sessionId,
    // A new id has nothing to encode, and finding that out would take as long as making the id.
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
 * Draws the supplemental data id of one call. It is called once for each call, as the last step, because a consumer
 * that asks twice gets another id. An id in the request is given to the visitor object, so that `visitorState` has it
 * too. The browser sends the hits of the page with the id in `visitorState`, and both ids have to be the same.
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
  if (typeof drawn !== 'string') {
    return undefined;
  }
  // An id of our own visitor is not checked, because the check would take time in every on-device decision.
  const isOurs = Object.getPrototypeOf(visitor) === Visitor.prototype;
  return isOurs || isSupplementalDataId(drawn) ? drawn : undefined;
}

function toGivenSessionId(ofCookie: string | undefined, sessionId: unknown): string | undefined {
  if (isAbsent(sessionId)) {
    return ofCookie;
  }
  // A boolean would put all visitors into one session.
  const text = typeof sessionId === 'boolean' ? undefined : textOf(sessionId, 'sessionId');
  if (text === undefined || !isSessionId(text)) {
    const wanted = `1 to ${MAX_SESSION_ID_LENGTH} printable characters without space, ? or /`;
    throw invalidField('sessionId', wanted, sessionId);
  }
  return ofCookie ?? text;
}

function textOf(id: unknown, name: string): string | undefined {
  try {
    return idToText(id);
  } catch (thrown) {
    throw named(thrown, name);
  }
}

function toVisitor(
  { visitor, visitorCookie }: IdentityOptions,
  { organizationId }: IdentityConfig,
  { newSupplementalDataId }: IdSource,
): VisitorLike {
  const cookie = toCookieText(visitorCookie, 'visitorCookie');
  return isVisitor(visitor) ? guarded(visitor) : new Visitor(organizationId, cookie, newSupplementalDataId);
}

/** Reads the customer ids that a visitor object holds. Adobe's visitor object has them only in its state. */
function heldBy(visitor: VisitorLike, organizationId: string): JsonRecord | undefined {
  if (typeof visitor.getCustomerIDs === 'function') {
    return toRecord(visitor.getCustomerIDs());
  }
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
 * Adds the customer ids of a call to those that the visitor object holds, because `setCustomerIDs` replaces all of
 * them. Returns the held ids that the call does not name.
 */
function addCustomerIds(
  visitor: VisitorLike,
  option: CustomerIdsOption | null | undefined,
  held: JsonRecord | undefined,
): JsonRecord | undefined {
  if (!option) {
    return held;
  }
  const given = toCustomerIdsByCode(option);
  visitor.setCustomerIDs?.(held ? ({ ...held, ...given } as CustomerIdsByCode) : given);
  return held && Object.fromEntries(Object.entries(held).filter(([code]) => !Object.hasOwn(given, code)));
}

/**
 * Reads the consumer id of a call. A value that is no name is an error. If the default replaced it, calls of different
 * consumers would count as calls of one consumer.
 */
function toConsumerId(consumerId: unknown): string {
  if (typeof consumerId === 'string' && consumerId !== '') {
    return consumerId;
  }
  if (isAbsent(consumerId)) {
    return DEFAULT_CONSUMER_ID;
  }
  const text = textOf(consumerId, 'consumerId');
  if (text !== undefined) {
    return text;
  }
  throw invalidField('consumerId', 'a string', consumerId);
}

/**
 * Reads the location hint in the options of a call. A cookie can hold anything, so a text that is no hint is ignored.
 */
function toLocationHint(options: IdentityOptions): string | undefined {
  const hint = toHintText(options.targetLocationHint, 'targetLocationHint');
  const alias = toHintText(options.targetLocationHintCookie, 'targetLocationHintCookie');
  if (isLocationHint(hint)) {
    return hint;
  }
  return isLocationHint(alias) ? alias : undefined;
}

/** The values that a visitor object returns under the names of an AMCV cookie. They are not checked yet. */
type VisitorValues = { readonly [Name in keyof AmcvValues]?: unknown };

function toValues(values: unknown): VisitorValues {
  return isRecord(values) ? values : NO_VALUES;
}

/**
 * Returns a value of a visitor object as text. Returns undefined for anything but a text or a number that the API
 * takes.
 */
function toText(value: unknown, maxLength: number): string | undefined {
  // Most visitors have none of the values. This shortcut saves a thirtieth of a decision (benchmark
  // on-device/prefetch-url).
  if (value === undefined) {
    return undefined;
  }
  const text = typeof value === 'boolean' ? undefined : idToText(value);
  return text !== undefined && text !== '' && text.length <= maxLength ? text : undefined;
}

function toAudienceManager({ MCAAMLH, MCAAMB }: VisitorValues): AudienceManager | undefined {
  const region = toText(MCAAMLH, MAX_REGION_LENGTH);
  const blob = toText(MCAAMB, EDGE_LIMITS.AudienceManager.blob);
  const locationHint = region === undefined ? 0 : Number.parseInt(region, 10);
  if (!(locationHint > 0)) {
    return blob === undefined ? undefined : { blob };
  }
  return blob === undefined ? { locationHint } : { locationHint, blob };
}
