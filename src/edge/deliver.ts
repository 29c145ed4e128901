import type { ResolvedConfig } from '../config.js';
import type { EdgeDecider } from '../decide.js';
import type {
  DeliveryResponse,
  ResolvedDeliveryRequest,
  TelemetryEntry,
  TelemetryRequest,
} from '../delivery-api.js';
import { TargetError, type TargetErrorCode, toError, toJsonError } from '../errors.js';
import { lengthOf, textOf } from '../http/body.js';
import type { Exchanged, ExchangeRequest } from '../http/exchange.js';
import { isOfBusyProcess } from '../http/failures.js';
import { verdictOn } from '../http/retry.js';
import type { Transport } from '../http/transport.js';
import { deliveryHost, hintOfEdgeHost, type OwnHint } from '../identity/location-hint.js';
import { FaultLog } from '../log-limit.js';
import type { Logger } from '../logger.js';
import { roundMs, type TelemetryBuffer, toTelemetryFeatures } from '../reports/telemetry.js';
import type { Delivery } from '../request/call.js';
import { checkMboxCount, toSentContext } from '../request/edge-limits.js';
import type { DeliveryCounts } from '../stats.js';
import { VERSION } from '../version.js';
import { faultOfAnswer } from './answer.js';
import type { CircuitBreaker } from './circuit-breaker.js';
import { Clusters, isUnresolved } from './clusters.js';

/** What delivery calls are made with. */
export interface DeliveryOptions {
  readonly config: ResolvedConfig;
  readonly transport: Transport;
  readonly telemetry: TelemetryBuffer;
  /** Learns from the answers. */
  readonly clientHint: OwnHint;
  /** Undefined when it is off. */
  readonly breaker: CircuitBreaker | undefined;
  /** Goes up with the calls. */
  readonly counts: DeliveryCounts;
  readonly logger: Logger;
  readonly now: () => number;
  readonly newId: () => string;
}

type OwnHintOptions = Pick<DeliveryOptions, 'config' | 'clientHint' | 'breaker'>;

const MAX_BODY_BYTES = 32 * 1024 * 1024;
/** Of a body, in an error. */
const MAX_SHOWN_LENGTH = 1024;

/** What a delivery call sent and what came back. */
export interface Delivered {
  readonly request: Delivery['request'];
  readonly response: DeliveryResponse;
  /** The location hint that the call went by. */
  readonly locationHint: string | undefined;
}

/** Sends one delivery call: `POST /rest/v1/delivery`. */
export type Deliver = (delivery: Delivery) => Promise<Delivered>;

/** The way to the edge. */
export interface EdgeRoute {
  readonly deliver: Deliver;
  /** The host that a delivery with this location hint, or without one, would go to now. */
  hostOf(locationHint: string | undefined): string;
}

/** Makes the one way to the edge, which takes telemetry along and learns the client's own location hint. */
export function createDelivery(options: DeliveryOptions): EdgeRoute {
  const { config, transport, clientHint } = options;
  const clusters = new Clusters(transport.lookUp);
  const send = createSend(options);
  const sendToCluster = createSendToCluster(send, clusters);
  /** Whether a hint is a visitor's alone, so that its cluster may be made up. */
  const isMereClaim = (hint: string) =>
    config.serverDomain === undefined && hint !== clientHint.current && hint !== config.targetLocationHint;
  return {
    deliver: (delivery) => {
      const { locationHint } = delivery;
      if (locationHint === undefined) return send(delivery);
      return isMereClaim(locationHint) ? sendToCluster(delivery, locationHint) : send(delivery, locationHint);
    },
    hostOf: (hint) => {
      const isLeft = hint === undefined || (isMereClaim(hint) && !clusters.mayBeTried(hint));
      return hostOf(config, isLeft ? clientHint.current : hint);
    },
  };
}

/**
 * Sends a delivery by a location hint, or else by the client's own. A hint that only a visitor's cookie names may be made
 * up: that its cluster does not exist says nothing about the edge.
 */
type Send = (delivery: Delivery, locationHint?: string, isMereClaim?: boolean) => Promise<Delivered>;

/** Sends to clusters that visitors' cookies name. Where one does not exist, the call goes the client's own way in its time. */
function createSendToCluster(send: Send, clusters: Clusters) {
  return async (delivery: Delivery, locationHint: string): Promise<Delivered> => {
    const deadline = performance.now() + delivery.timeoutMs;
    const isKnown = clusters.isKnown(locationHint);
    if (isKnown || (await clusters.admits(locationHint, delivery))) {
      try {
        const delivered = await send(isKnown ? delivery : until(deadline, delivery), locationHint, true);
        clusters.reached(locationHint);
        return delivered;
      } catch (error) {
        if (!clusters.failed(locationHint, toError(error))) throw error;
      }
    }
    return send(until(deadline, delivery));
  };
}

/** The same delivery with the time that is left. */
function until(deadline: number, delivery: Delivery): Delivery {
  const { timeoutMs: wholeTimeoutMs } = delivery;
  return { ...delivery, wholeTimeoutMs, timeoutMs: Math.max(1, Math.ceil(deadline - performance.now())) };
}

function createSend(options: DeliveryOptions): Send {
  const { config, transport, telemetry, clientHint, logger, counts, newId } = options;
  const toUrl = createUrls(config);
  const faults = new FaultLog(logger.write, 'delivery calls work');
  const noteFailure = (delivery: Delivery, error: unknown) => {
    counts.failures += 1;
    counts.retries += repetitionsOf(error);
    if (codeOf(error) !== 'ERR_TARGET_ABORTED') faults.failed(toError(error).message);
    // An edge cluster that has gone must not keep the client: the client's own name finds another.
    if (
      delivery.locationHint === undefined &&
      verdictOn(toError(error) as TargetError).saysOfHost === 'silent' &&
      hadItsTime(error, delivery, config)
    )
      clientHint.current = config.targetLocationHint;
  };
  return async (delivery, givenHint, isMereClaim = false) => {
    // Somebody waits for offers. Notifications are to arrive, whatever it takes.
    const breaker = asksForOffers(delivery.request) ? options.breaker : undefined;
    const locationHint = givenHint ?? (breaker ? ownHint(options) : clientHint.current);
    const host = hostOf(config, locationHint);
    const isTry = breaker?.enter(host) === true;
    counts.deliveries += 1;
    const entries = telemetry.take();
    const request = toSentRequest(delivery.request);
    logger.debug(() => `delivery request ${logger.show(request)}`);
    try {
      const url = toUrl(host, delivery.encodedSessionId);
      const started = performance.now();
      const sent: Sent = { delivery, request, entries, url, isMereClaim, requestId: newId(), started };
      const exchanged = await transport.exchange(toExchangeRequest(sent, config));
      const response = toDeliveryResponse(exchanged, sent, options);
      counts.retries += exchanged.attempts - 1;
      if (telemetry.isEnabled && isMeasured(request)) recordTelemetry(sent, exchanged, response, options);
      breaker?.answered(host);
      logger.debug(() => `delivery response ${logger.show(response)}`);
      faults.worked();
      // A visitor's cookie may say where this visitor's calls go, but not where those of others go.
      if (delivery.locationHint === undefined) {
        clientHint.current = hintOfEdgeHost(response.edgeHost) ?? clientHint.current;
      }
      return { request, response, locationHint };
    } catch (error) {
      telemetry.restore(entries);
      const isNowhere = isMereClaim && isUnresolved(toError(error));
      if (isNowhere || !hadItsTime(error, delivery, config)) breaker?.leftOff(host, isTry);
      else breaker?.failed(host, error, isTry);
      // The call goes on to another host, and is one call.
      if (isNowhere) counts.deliveries -= 1;
      else noteFailure(delivery, error);
      throw error;
    }
  };
}

/** Whether a host had the time that it should have: not where the call's own was shorter than the client's, or this process was busy. */
function hadItsTime(error: unknown, delivery: Delivery, config: ResolvedConfig): boolean {
  if (codeOf(error) !== 'ERR_TARGET_TIMEOUT') return true;
  const { timeoutMs, wholeTimeoutMs = timeoutMs } = delivery;
  return wholeTimeoutMs >= config.timeoutMs && !isOfBusyProcess(toError(error));
}

function codeOf(error: unknown): TargetErrorCode | undefined {
  return (toError(error) as Partial<TargetError>).code;
}

/**
 * The hint of calls without a visitor's. A cluster that was merely learned and has stopped answering is no reason to
 * fail: the client's own name finds another.
 */
export function ownHint({ config, clientHint, breaker }: OwnHintOptions): string | undefined {
  const { current } = clientHint;
  const { targetLocationHint } = config;
  if (current === targetLocationHint) return current;
  return breaker?.isRefusing(hostOf(config, current)) ? targetLocationHint : current;
}

/** The host of calls that go by a hint. */
export function hostOf({ client, serverDomain }: ResolvedConfig, locationHint: string | undefined): string {
  return serverDomain ?? deliveryHost(client, locationHint);
}

function repetitionsOf(error: unknown): number {
  return error instanceof TargetError ? Math.max(0, (error.attempts ?? 1) - 1) : 0;
}

/** Whether somebody waits for an answer with offers. */
export function asksForOffers({ execute, prefetch }: Delivery['request']): boolean {
  return execute !== undefined || prefetch !== undefined;
}

/** The server-side decider. */
export function createEdgeDecider(deliver: Deliver): EdgeDecider {
  return async (call) => {
    checkMboxCount(call.request);
    const { request, response, locationHint } = await deliver(call);
    return {
      // It was sent with the id of the call: there is nothing to add.
      request: request as ResolvedDeliveryRequest,
      response,
      decidedBy: 'server-side',
      locationHint,
      remoteMboxes: [],
      remoteViews: [],
    };
  };
}

/** A call as it is sent. */
interface Sent {
  readonly delivery: Delivery;
  readonly request: Delivery['request'];
  /** The telemetry of earlier calls that goes along. */
  readonly entries: readonly TelemetryEntry[];
  readonly url: string;
  /** Whether only a visitor's cookie says that the host exists. */
  readonly isMereClaim: boolean;
  readonly requestId: string;
  /** On the clock of `performance.now()`. */
  readonly started: number;
}

function toExchangeRequest(
  { delivery, request, entries, url, isMereClaim, requestId }: Sent,
  { retry }: ResolvedConfig,
): ExchangeRequest {
  return {
    what: 'delivery call',
    url,
    method: 'POST',
    // Written out, because a copy costs as much as the answer's JSON (`on-device/execute-url`).
    headers: {
      'Content-Type': 'application/json',
      'X-EXC-SDK': 'AdobeTargetNode',
      'X-EXC-SDK-Version': VERSION,
      'X-Request-Id': requestId,
    },
    body: toJson(delivery, request, entries),
    requestId,
    bodyId: request.requestId,
    maxBytes: MAX_BODY_BYTES,
    retry: delivery.retry ?? retry,
    timeoutMs: delivery.timeoutMs,
    signal: delivery.signal,
    isReport: !asksForOffers(request),
    givesUpOn: isMereClaim ? isUnresolved : undefined,
  };
}

/** What a call took, when its answer has just been read. */
function recordTelemetry(
  { delivery, request, requestId, started }: Sent,
  exchanged: Exchanged,
  response: DeliveryResponse,
  { telemetry, now }: DeliveryOptions,
): void {
  const ended = performance.now();
  telemetry.add({
    requestId: request.requestId ?? requestId,
    timestamp: now(),
    mode: response.edgeHost === undefined ? 'local' : 'edge',
    execution: roundMs(ended - started),
    parsing: roundMs(ended - exchanged.endedAt),
    features: toTelemetryFeatures(request, delivery.decisioningMethod),
    request: toTelemetryRequest(exchanged),
    ...(response.telemetryServerToken !== undefined && {
      telemetryServerToken: response.telemetryServerToken,
    }),
  });
}

function toTelemetryRequest(exchanged: Exchanged): TelemetryRequest {
  const { dnsMs, tlsMs, timeToFirstByteMs, downloadMs, body } = exchanged;
  return {
    ...(dnsMs !== undefined && { dns: roundMs(dnsMs) }),
    ...(tlsMs !== undefined && { tls: roundMs(tlsMs) }),
    timeToFirstByte: roundMs(timeToFirstByteMs),
    download: roundMs(downloadMs),
    responseSize: lengthOf(body),
  };
}

/** The URLs of a client's calls, of which only session and location hint change. */
function createUrls(config: ResolvedConfig): (host: string, encodedSessionId: string) => string {
  const { scheme, organizationId, version } = config;
  const path = `/rest/v1/delivery?imsOrgId=${encodeURIComponent(organizationId)}&sessionId=`;
  const end = version === undefined ? '' : `&version=${encodeURIComponent(version)}`;
  return (host, encodedSessionId) => `${scheme}://${host}${path}${encodedSessionId}${end}`;
}

/** Leaves out what only an on-device decision understands. */
function toSentRequest(request: Delivery['request']): Delivery['request'] {
  const { context, trace } = request;
  const isTraceable = trace?.authorizationToken !== undefined;
  const sentContext = toSentContext(context);
  // Most requests go as they are: it is a copy already.
  if (sentContext === context && (!trace || isTraceable)) return request;
  // A spread with another field after it costs as much as the rest of a decision.
  const sent: { -readonly [Field in keyof Delivery['request']]: Delivery['request'][Field] } = Object.assign(
    {},
    request,
  );
  if (trace && !isTraceable) delete sent.trace;
  sent.context = sentContext;
  return sent;
}

/** Writes the body of a call. Telemetry is added here and not to the request, for it tells of other visitors' calls. */
function toJson(
  { json, request: written }: Delivery,
  request: Delivery['request'],
  entries: readonly TelemetryEntry[],
): string {
  const text = request.context === written.context ? json : undefined;
  if (entries.length === 0) return text ?? JSON.stringify(request);
  const telemetry = { entries: [...(request.telemetry?.entries ?? []), ...entries] };
  if (text === undefined) return JSON.stringify(Object.assign({}, request, { telemetry }));
  // A request that was written already has no telemetry of its own.
  return `${text.slice(0, -1)},"telemetry":${JSON.stringify(telemetry)}}`;
}

/** A call that only carries telemetry is not measured: it would owe the next such call. */
function isMeasured(request: Delivery['request']): boolean {
  return asksForOffers(request) || request.notifications !== undefined;
}

/** The answer's body, checked as far as the SDK itself looks into it; unknown fields pass. */
function toDeliveryResponse(
  exchanged: Exchanged,
  sent: Sent,
  { config: { client }, transport: { issued } }: DeliveryOptions,
): DeliveryResponse {
  const { status, body } = exchanged;
  const { requestId = '' } = sent.request;
  if (status === 204) return { status, client, ...(requestId !== '' && { requestId }) };
  const text = textOf(body);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    if (issued?.isTextOfAnother(text, requestId)) throw toAnotherCalls(exchanged, sent);
    const result = text === '' ? 'an empty body' : 'a body that is not JSON';
    throw toInvalidAnswer(result, { exchanged, sent, shown: text, cause: toJsonError(cause) });
  }
  const answer = parsed as DeliveryResponse | null;
  if (issued?.isOfAnother(answer?.requestId, requestId)) throw toAnotherCalls(exchanged, sent);
  const fault = faultOfAnswer(parsed);
  if (fault !== undefined)
    throw toInvalidAnswer(`JSON of the wrong shape: ${fault}`, { exchanged, sent, shown: text });
  return parsed as DeliveryResponse;
}

/** An answer that came twice or late: nobody sees it, and nobody is given what its connection brings next. */
function toAnotherCalls(exchanged: Exchanged, sent: Sent): TargetError {
  exchanged.discard();
  return toInvalidAnswer('the answer to another call', { exchanged, sent });
}

interface InvalidAnswer {
  readonly exchanged: Exchanged;
  readonly sent: Sent;
  /** The body as far as the caller may see it. */
  readonly shown?: string;
  readonly cause?: Error;
}

function toInvalidAnswer(
  result: string,
  { exchanged: { status, attempts }, sent: { requestId }, shown, cause }: InvalidAnswer,
): TargetError {
  return new TargetError('ERR_TARGET_INVALID_RESPONSE', `the delivery call was answered with ${result}`, {
    status,
    body: shown?.slice(0, MAX_SHOWN_LENGTH),
    requestId,
    attempts,
    cause,
  });
}
