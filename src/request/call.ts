import type { ResolvedConfig } from '../config/config.js';
import type { WaitUntil } from '../config/config-options.js';
import {
  type Context,
  type CustomerId,
  type DecisioningMethod,
  EDGE_LIMITS,
  type ExperienceCloud,
  type ResolvedDeliveryRequest,
  type VisitorId,
} from '../delivery-api.js';
import { invalidField } from '../errors.js';
import type { AbortSignalLike } from '../http/fetch-api.js';
import type { RetryPolicy } from '../http/retry.js';
import { drawSupplementalDataId, type Identity, toIdentity } from '../identity/identity.js';
import type { IdSource } from '../identity/ids.js';
import { copyWith, emptyLike, hasNoPrototype, withoutPrototypes } from '../inherited-names.js';
import type { Logger } from '../logger.js';
import { type CopiedRequest, copyRequest } from './copy-request.js';
import type { DeliveryRequest } from './loose-request.js';
import {
  type CallOptions,
  readOptions,
  toDecisioningMethod,
  toSignal,
  toTimeoutMs,
  toWaitUntil,
} from './options.js';

/** A call with all defaults filled in: the request, the visitor it is for, and its limits. */
export interface Call extends Pick<Identity, 'sessionId' | 'encodedSessionId' | 'locationHint' | 'visitor'> {
  readonly request: ResolvedDeliveryRequest;
  /** The time at which the call was made, in ms since 1970. */
  readonly nowMs: number;
  readonly decisioningMethod: DecisioningMethod;
  /** The budget of the whole call in ms, retries included. */
  readonly timeoutMs: number;
  readonly signal: AbortSignalLike | undefined;
  /** The function that is given the work which this call leaves behind. It is `undefined` when the client's is used. */
  readonly waitUntil: WaitUntil | undefined;
  /**
   * True when somebody waits for the visitor's ids in the answer. Somebody also waits for the answer to a request for
   * offers, and nobody for the answer to a report.
   */
  readonly asksForIds?: boolean;
  /** The budget in ms that is usual for such calls. A host that needs longer is at fault. @default the client's */
  readonly usualTimeoutMs?: number | undefined;
  /** True when no later call may repeat a part of this one. */
  readonly isForgotten?: boolean | undefined;
}

/** The part of a question that its call keeps. */
export type CallKind = Pick<Call, 'usualTimeoutMs' | 'isForgotten'> & {
  /** The method by which it is decided, whatever its options say: only the edge takes notifications. */
  readonly method?: DecisioningMethod | undefined;
};

/** The parts of a call that one HTTP call to the edge needs. */
export interface Delivery
  extends Pick<
    Call,
    | 'encodedSessionId'
    | 'locationHint'
    | 'decisioningMethod'
    | 'timeoutMs'
    | 'signal'
    | 'asksForIds'
    | 'usualTimeoutMs'
  > {
  /**
   * The budget of the whole call in ms. `timeoutMs` is less when a part of it was spent before the host was chosen.
   * @default timeoutMs
   */
  readonly wholeTimeoutMs?: number;
  /** The request to send. It has no request id when nobody reads the answer. */
  readonly request: Omit<ResolvedDeliveryRequest, 'requestId'> & { readonly requestId?: string };
  /** The rules for retries. @default the client's */
  readonly retry?: RetryPolicy | undefined;
}

/** The parts of a client that are needed to complete a call. */
export interface CallEnvironment {
  readonly config: ResolvedConfig;
  readonly logger: Logger;
  /** Returns the time in ms since 1970. */
  readonly now: () => number;
  /** Makes a random id for requests and impressions. */
  readonly newId: () => string;
  /** Makes the random ids of visitors, sessions and calls. */
  readonly ids: IdSource;
}

/**
 * Completes a call: checks its options, reads its cookies and its visitor object, and fills in the defaults. The
 * request is copied and never changed. The request is a parameter of its own, because some methods of the client add to
 * it.
 *
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` for a wrong option or request, with the path of the field.
 */
export function toCall(
  given: CallOptions,
  environment: CallEnvironment,
  request: DeliveryRequest | undefined,
  { method, usualTimeoutMs, isForgotten }: CallKind,
): Call {
  const { config, logger, now } = environment;
  const options = readOptions(given);
  const written = copyRequest(request, logger);
  const nowMs = now();
  const identity = toIdentity(options, environment, nowMs, environment.ids);
  const decisioningMethod =
    method ?? toDecisioningMethod(options.decisioningMethod) ?? config.decisioningMethod;
  const { visitor, sessionId, encodedSessionId, locationHint } = identity;
  return {
    request: complete(written, identity, nowMs, environment),
    nowMs,
    sessionId,
    encodedSessionId,
    locationHint,
    visitor,
    decisioningMethod,
    timeoutMs: toTimeoutMs(options.timeout) ?? config.timeoutMs,
    signal: toSignal(options.signal),
    waitUntil: toWaitUntil(options.waitUntil),
    usualTimeoutMs,
    isForgotten,
  };
}

type Completed = { -readonly [Field in keyof ResolvedDeliveryRequest]: ResolvedDeliveryRequest[Field] };

/**
 * Adds the visitor's ids to a request, and the defaults of fields that a request must have. It changes the copy that it
 * is given: every on-device decision comes through here, and another copy would take time.
 */
function complete(
  written: CopiedRequest,
  identity: Identity,
  nowMs: number,
  { config, newId }: CallEnvironment,
): ResolvedDeliveryRequest {
  const completed = written as Completed;
  const id = toVisitorId(written, identity);
  if (id) {
    completed.id = id;
  }
  completed.requestId ??= newId();
  // The edge counts each impression id once, so a retried call counts no second impression.
  if (completed.execute) {
    completed.impressionId ??= newId();
  }
  if (config.environmentId !== undefined) {
    completed.environmentId ??= config.environmentId;
  }
  if (config.propertyToken !== undefined) {
    completed.property ??= { token: config.propertyToken };
  }
  completed.context = toContext(written.context, nowMs);
  completed.experienceCloud = toExperienceCloud(written.experienceCloud, identity);
  return hasNoPrototype(completed) ? withoutPrototypes(completed) : completed;
}

function toVisitorId(request: CopiedRequest, identity: Identity): VisitorId | undefined {
  const written = request.id;
  const tntId = written?.tntId ?? identity.tntId;
  const ecid = written?.marketingCloudVisitorId ?? identity.ecid;
  const customerIds = toSentCustomerIds(written?.customerIds, identity);
  if (customerIds && customerIds.length > EDGE_LIMITS.VisitorId.customerIds) {
    throw invalidField(
      'id.customerIds',
      `an array of at most ${EDGE_LIMITS.VisitorId.customerIds}`,
      customerIds,
    );
  }
  const id: { -readonly [Field in keyof VisitorId]: VisitorId[Field] } = emptyLike(request);
  if (tntId !== undefined) {
    id.tntId = tntId;
  }
  if (written?.thirdPartyId !== undefined) {
    id.thirdPartyId = written.thirdPartyId;
  }
  if (ecid !== undefined) {
    id.marketingCloudVisitorId = ecid;
  }
  if (customerIds) {
    id.customerIds = customerIds;
  }
  return (tntId ?? ecid ?? written?.thirdPartyId ?? customerIds) ? id : undefined;
}

/**
 * Joins the customer ids of the options, of the visitor object and of the request, in this order. An id of the request
 * replaces one of the visitor object that has the same integration code.
 */
function toSentCustomerIds(
  written: readonly CustomerId[] | undefined,
  { customerIds, heldCustomerIds }: Identity,
): readonly CustomerId[] | undefined {
  if (customerIds.length === 0 && heldCustomerIds.length === 0) {
    return written;
  }
  if (!written) {
    return [...customerIds, ...heldCustomerIds];
  }
  const codes = new Set(written.map(({ integrationCode }) => integrationCode));
  const held = heldCustomerIds.filter(({ integrationCode }) => !codes.has(integrationCode));
  return [...customerIds, ...held, ...written];
}

function toContext(written: Context | undefined, nowMs: number): ResolvedDeliveryRequest['context'] {
  if (!written) {
    return { channel: 'web', timeOffsetInMinutes: 0 - new Date(nowMs).getTimezoneOffset() };
  }
  const { channel } = written;
  return channel
    ? (written as ResolvedDeliveryRequest['context'])
    : copyWith(written, { channel: 'web' } as const);
}

function toExperienceCloud(written: ExperienceCloud | undefined, identity: Identity): ExperienceCloud {
  const given = written?.analytics;
  const supplementalDataId = drawSupplementalDataId(identity, given?.supplementalDataId);
  const consumed = { logging: 'server_side', supplementalDataId } as const;
  const analytics = given ? { ...consumed, ...given } : consumed;
  const known = identity.audienceManager;
  const own = written?.audienceManager;
  const audienceManager = known && own ? { ...known, ...own } : (known ?? own);
  return audienceManager ? { analytics, audienceManager } : { analytics };
}
