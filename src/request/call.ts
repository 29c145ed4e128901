import type { ResolvedConfig } from '../config.js';
import type {
  AudienceManager,
  Context,
  CustomerId,
  DecisioningMethod,
  DeliveryRequest,
  ExperienceCloud,
  ResolvedDeliveryRequest,
  VisitorId,
} from '../delivery-api.js';
import { invalidField } from '../errors.js';
import type { AbortSignalLike } from '../http/fetch-api.js';
import type { RetryPolicy } from '../http/retry.js';
import { newHexId } from '../identity/ids.js';
import { isLocationHint } from '../identity/location-hint.js';
import { isSessionId, type MboxCookie, parseMboxCookie } from '../identity/mbox-cookie.js';
import { toCustomerIds, toCustomerIdsByCode, Visitor, type VisitorLike } from '../identity/visitor.js';
import { isObject } from '../json.js';
import type { Logger } from '../logger.js';
import { copyRequest } from './copy-request.js';
import { EDGE_LIMITS } from './edge-limits.js';
import { type CallOptions, toDecisioningMethod, toSignal, toTimeoutMs } from './options.js';

/** A call, normalised: what is asked, by whom, and within which limits. */
export interface Call {
  readonly request: ResolvedDeliveryRequest;
  /** When it was made, in epoch ms. */
  readonly nowMs: number;
  readonly sessionId: string;
  /** The same as cookies and URLs have it. */
  readonly encodedSessionId: string;
  /** The visitor's location hint, from a cookie. */
  readonly locationHint: string | undefined;
  readonly visitor: VisitorLike;
  readonly decisioningMethod: DecisioningMethod;
  readonly timeoutMs: number;
  readonly signal: AbortSignalLike | undefined;
}

/** What one HTTP call to the edge needs of a call. */
export interface Delivery
  extends Pick<Call, 'encodedSessionId' | 'locationHint' | 'decisioningMethod' | 'timeoutMs' | 'signal'> {
  /** The time of the whole call, where a part of it was over before the host was chosen. @default timeoutMs */
  readonly wholeTimeoutMs?: number;
  /** Without a request id when nobody asks about the answer. */
  readonly request: Omit<ResolvedDeliveryRequest, 'requestId'> & { readonly requestId?: string };
  /** The request as JSON, where it was written already. */
  readonly json?: string | undefined;
  /** @default the client's */
  readonly retry?: RetryPolicy | undefined;
}

/** What normalising needs besides the options. */
export interface CallEnvironment {
  readonly config: ResolvedConfig;
  readonly logger: Logger;
  readonly now: () => number;
  readonly newId: () => string;
}

const DEFAULT_CONSUMER_ID = 'target-global-mbox';
const MAX_ECID_LENGTH = 128;
const MAX_BLOB_LENGTH = 1024;
const MAX_HINT_LENGTH = 9;
const MAX_CUSTOMER_IDS = EDGE_LIMITS.VisitorId.customerIds;
const SDID_LENGTH = EDGE_LIMITS.AnalyticsRequest.supplementalDataId;

/**
 * Options, cookies and visitor → a complete call. The caller's objects are copied, never changed. A request and a method
 * of their own are what a method of the client asks for in the place of its caller.
 */
export function toCall(
  options: CallOptions,
  { config, logger, now, newId }: CallEnvironment,
  request: DeliveryRequest,
  method?: DecisioningMethod,
): Call {
  const written = copyRequest(request, logger);
  const nowMs = now();
  const cookie = parseMboxCookie(options.targetCookie, nowMs);
  const givenSessionId = toGivenSessionId(cookie, options.sessionId);
  const sessionId = givenSessionId ?? newHexId();
  const customerIds = toCustomerIds(options.customerIds);
  const visitor = toVisitor(options, config);
  if (options.customerIds) visitor.setCustomerIDs?.(toCustomerIdsByCode(options.customerIds));
  const decisioningMethod =
    method ?? toDecisioningMethod(options.decisioningMethod) ?? config.decisioningMethod;
  // The copy is completed in place: every on-device decision goes through here.
  const completed = written as Completed;
  const id = toVisitorId(written.id, customerIds, cookie, visitor);
  if (id) completed.id = id;
  completed.requestId ??= newId();
  // The edge counts an impression once, however often a call for it is repeated.
  if (completed.execute) completed.impressionId ??= newId();
  if (config.environmentId !== undefined) completed.environmentId ??= config.environmentId;
  if (config.propertyToken !== undefined) completed.property ??= { token: config.propertyToken };
  completed.context = toContext(written.context, nowMs);
  completed.experienceCloud = toExperienceCloud(written.experienceCloud, options, visitor);
  return {
    request: completed,
    nowMs,
    sessionId,
    // Nothing in ours has to be encoded, and to find that out takes as long as to make one.
    encodedSessionId: givenSessionId === undefined ? sessionId : encodeURIComponent(sessionId),
    locationHint: cookie.locationHint ?? toLocationHint(options),
    visitor,
    decisioningMethod,
    timeoutMs: toTimeoutMs(options.timeout) ?? config.timeoutMs,
    signal: toSignal(options.signal),
  };
}

type Completed = { -readonly [Field in keyof ResolvedDeliveryRequest]: ResolvedDeliveryRequest[Field] };

function toVisitor({ visitor, visitorCookie }: CallOptions, { organizationId }: ResolvedConfig): VisitorLike {
  return isVisitor(visitor) ? visitor : new Visitor(organizationId, visitorCookie);
}

function isVisitor(visitor: unknown): visitor is VisitorLike {
  if (visitor === undefined || visitor === null) return false;
  const methods = ['getState', 'getVisitorValues', 'getSupplementalDataID'] as const;
  if (isObject(visitor) && methods.every((name) => typeof (visitor as VisitorLike)[name] === 'function')) {
    return true;
  }
  throw invalidField('visitor', `an object with ${methods.join(', ')}`, visitor);
}

function toVisitorId(
  written: VisitorId | undefined,
  given: readonly CustomerId[],
  cookie: MboxCookie,
  visitor: VisitorLike,
): VisitorId | undefined {
  const tntId = written?.tntId ?? cookie.tntId;
  const ecid = written?.marketingCloudVisitorId ?? visitorValue(visitor, 'MCMID', MAX_ECID_LENGTH);
  const customerIds = given.length === 0 ? written?.customerIds : [...given, ...(written?.customerIds ?? [])];
  if (customerIds && customerIds.length > MAX_CUSTOMER_IDS) {
    throw invalidField('id.customerIds', `an array of at most ${MAX_CUSTOMER_IDS}`, customerIds);
  }
  const id: { -readonly [Field in keyof VisitorId]: VisitorId[Field] } = {};
  if (tntId !== undefined) id.tntId = tntId;
  if (written?.thirdPartyId !== undefined) id.thirdPartyId = written.thirdPartyId;
  if (ecid !== undefined) id.marketingCloudVisitorId = ecid;
  if (customerIds) id.customerIds = customerIds;
  return (tntId ?? ecid ?? id.thirdPartyId ?? customerIds) ? id : undefined;
}

/** A value of the caller's or our own visitor object; only texts and numbers that the API takes count. */
function visitorValue(visitor: VisitorLike, name: string, maxLength: number): string | undefined {
  const values = visitor.getVisitorValues() as Readonly<Record<string, unknown>> | null | undefined;
  const value = values?.[name];
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const shown = String(value);
  return shown !== '' && shown.length <= maxLength ? shown : undefined;
}

function toContext(written: Context | undefined, nowMs: number): ResolvedDeliveryRequest['context'] {
  if (!written) return { channel: 'web', timeOffsetInMinutes: 0 - new Date(nowMs).getTimezoneOffset() };
  const { channel } = written;
  return channel
    ? (written as ResolvedDeliveryRequest['context'])
    : Object.assign({}, written, { channel: 'web' } as const);
}

function toExperienceCloud(
  written: ExperienceCloud | undefined,
  { consumerId }: CallOptions,
  visitor: VisitorLike,
): ExperienceCloud {
  const consumer = typeof consumerId === 'string' && consumerId !== '' ? consumerId : DEFAULT_CONSUMER_ID;
  const given = written?.analytics;
  // The page's hits carry the id of `visitorState`, so that the caller's own has to be in it too.
  if (given?.supplementalDataId !== undefined && visitor instanceof Visitor) {
    visitor.adopt(given.supplementalDataId);
  }
  const supplementalDataId = toSupplementalDataId(visitor.getSupplementalDataID(consumer));
  const consumed = { logging: 'server_side', supplementalDataId } as const;
  const analytics = given ? { ...consumed, ...given } : consumed;
  const audienceManager = toAudienceManager(written?.audienceManager, visitor);
  return audienceManager ? { analytics, audienceManager } : { analytics };
}

/** What a visitor object of the caller's gave, as far as the API takes it. */
function toSupplementalDataId(given: unknown): string | undefined {
  return typeof given === 'string' && given.length === SDID_LENGTH ? given : undefined;
}

function toAudienceManager(
  written: AudienceManager | undefined,
  visitor: VisitorLike,
): AudienceManager | undefined {
  const hint = visitorValue(visitor, 'MCAAMLH', MAX_HINT_LENGTH);
  const blob = visitorValue(visitor, 'MCAAMB', MAX_BLOB_LENGTH);
  if (hint === undefined && blob === undefined) return written;
  const locationHint = Number.parseInt(hint ?? '', 10);
  if (!(locationHint > 0) && blob === undefined) return written;
  return { ...(locationHint > 0 && { locationHint }), ...(blob !== undefined && { blob }), ...written };
}

function toGivenSessionId(cookie: MboxCookie, sessionId: unknown): string | undefined {
  if (sessionId !== undefined && sessionId !== null && sessionId !== '') {
    if (typeof sessionId !== 'string' || !isSessionId(sessionId)) {
      throw invalidField('sessionId', '1 to 128 printable characters without space, ? or /', sessionId);
    }
    return cookie.sessionId ?? sessionId;
  }
  return cookie.sessionId;
}

/** The hint of the per-call option; from a cookie, so that anything but digits is ignored. */
function toLocationHint({ targetLocationHint, targetLocationHintCookie }: CallOptions): string | undefined {
  if (isLocationHint(targetLocationHint)) return targetLocationHint;
  return isLocationHint(targetLocationHintCookie) ? targetLocationHintCookie : undefined;
}
