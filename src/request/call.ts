import type { ResolvedConfig } from '../config.js';
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
import { RANDOM_IDS } from '../identity/ids.js';
import { copyWith, hasNoPrototype, withoutPrototypes } from '../inherited-names.js';
import type { Logger } from '../logger.js';
import { type CopiedRequest, copyRequest } from './copy-request.js';
import type { DeliveryRequest } from './loose-request.js';
import { type CallOptions, toDecisioningMethod, toSignal, toTimeoutMs } from './options.js';

/** A call, normalised: what is asked, by whom, and within which limits. */
export interface Call extends Pick<Identity, 'sessionId' | 'encodedSessionId' | 'locationHint' | 'visitor'> {
  readonly request: ResolvedDeliveryRequest;
  /** When it was made, in epoch ms. */
  readonly nowMs: number;
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

/**
 * Options, cookies and visitor → a complete call. The caller's objects are copied, never changed. A request and a method
 * of their own are what a method of the client asks for in the place of its caller.
 */
export function toCall(
  options: CallOptions,
  environment: CallEnvironment,
  request: DeliveryRequest,
  method?: DecisioningMethod,
): Call {
  const { config, logger, now } = environment;
  const written = copyRequest(request, logger);
  const nowMs = now();
  const identity = toIdentity(options, environment, nowMs, RANDOM_IDS);
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
  };
}

type Completed = { -readonly [Field in keyof ResolvedDeliveryRequest]: ResolvedDeliveryRequest[Field] };

/** Adds who asks, and what a request has to say but need not be told. In place: every on-device decision goes through here. */
function complete(
  written: CopiedRequest,
  identity: Identity,
  nowMs: number,
  { config, newId }: CallEnvironment,
): ResolvedDeliveryRequest {
  const completed = written as Completed;
  const id = toVisitorId(written.id, identity);
  if (id) completed.id = id;
  completed.requestId ??= newId();
  // The edge counts an impression once, however often a call for it is repeated.
  if (completed.execute) completed.impressionId ??= newId();
  if (config.environmentId !== undefined) completed.environmentId ??= config.environmentId;
  if (config.propertyToken !== undefined) completed.property ??= { token: config.propertyToken };
  completed.context = toContext(written.context, nowMs);
  completed.experienceCloud = toExperienceCloud(written.experienceCloud, identity);
  return hasNoPrototype(completed) ? withoutPrototypes(completed) : completed;
}

function toVisitorId(written: VisitorId | undefined, identity: Identity): VisitorId | undefined {
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
  const id: { -readonly [Field in keyof VisitorId]: VisitorId[Field] } = {};
  if (tntId !== undefined) id.tntId = tntId;
  if (written?.thirdPartyId !== undefined) id.thirdPartyId = written.thirdPartyId;
  if (ecid !== undefined) id.marketingCloudVisitorId = ecid;
  if (customerIds) id.customerIds = customerIds;
  return (tntId ?? ecid ?? written?.thirdPartyId ?? customerIds) ? id : undefined;
}

/** Those of the call come first. A request's own stand for those that the visitor object holds by the same code. */
function toSentCustomerIds(
  written: readonly CustomerId[] | undefined,
  { customerIds, heldCustomerIds }: Identity,
): readonly CustomerId[] | undefined {
  if (customerIds.length === 0 && heldCustomerIds.length === 0) return written;
  if (!written) return [...customerIds, ...heldCustomerIds];
  const codes = new Set(written.map(({ integrationCode }) => integrationCode));
  const held = heldCustomerIds.filter(({ integrationCode }) => !codes.has(integrationCode));
  return [...customerIds, ...held, ...written];
}

function toContext(written: Context | undefined, nowMs: number): ResolvedDeliveryRequest['context'] {
  if (!written) return { channel: 'web', timeOffsetInMinutes: 0 - new Date(nowMs).getTimezoneOffset() };
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
