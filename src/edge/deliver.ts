import type { ResolvedConfig } from '../config.js';
import type { DeliveryResponse, TelemetryEntry } from '../delivery-api.js';
import type { Exchanged, ExchangeRequest } from '../http/exchange.js';
import type { Transport } from '../http/transport.js';
import type { Delivery } from '../request/call.js';
import { toSentContext } from '../request/edge-limits.js';
import { VERSION } from '../version.js';
import { toDeliveryResponse } from './answer.js';
import { isUnresolved } from './clusters.js';

/** A delivery on its way to its host. */
export interface Outgoing {
  readonly delivery: Delivery;
  /** The request as it is sent. */
  readonly request: Delivery['request'];
  /** The location hint that the call goes by, the visitor's or the client's. */
  readonly locationHint: string | undefined;
  readonly host: string;
  /** Only a visitor's cookie says that the host exists: that it does not says nothing about the edge. */
  readonly isMereClaim: boolean;
  /** The telemetry of earlier calls that goes along, filled in on the way. */
  entries: readonly TelemetryEntry[];
}

/** A delivery call that was answered: what it sent and what came back. */
export interface Delivered extends Pick<Outgoing, 'request' | 'locationHint'> {
  readonly response: DeliveryResponse;
  readonly exchanged: Exchanged;
  /** The call's `X-Request-Id`. */
  readonly requestId: string;
  /** The start of the call, on the clock of `performance.now()`. */
  readonly startedAt: number;
}

/** Sends a delivery to its host. */
export type Deliver = (outgoing: Outgoing) => Promise<Delivered>;

/** The parts of a client that posting needs. */
export interface PostOptions {
  readonly config: ResolvedConfig;
  readonly transport: Transport;
  readonly newId: () => string;
}

const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** Makes the exchange with the edge itself: URL, headers and body of a call, and its answer. */
export function createPost({ config, transport, newId }: PostOptions): Deliver {
  const toUrl = createUrls(config);
  const answerer = { client: config.client, issued: transport.issued };
  return async (outgoing) => {
    const { host, request, locationHint, delivery } = outgoing;
    const url = toUrl(host, delivery.encodedSessionId);
    const startedAt = performance.now();
    const requestId = newId();
    const exchanged = await transport.exchange(toExchangeRequest(outgoing, { url, requestId }, config));
    const response = toDeliveryResponse(exchanged, { requestId, bodyId: request.requestId }, answerer);
    return { request, response, locationHint, exchanged, requestId, startedAt };
  };
}

/** Tells whether somebody waits for an answer with offers. */
export function asksForOffers({ execute, prefetch }: Delivery['request']): boolean {
  return execute !== undefined || prefetch !== undefined;
}

function toExchangeRequest(
  { delivery, request, entries, isMereClaim }: Outgoing,
  { url, requestId }: Pick<ExchangeRequest, 'url' | 'requestId'>,
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

/** The URLs of a client's calls, of which only session and location hint change. */
function createUrls(config: ResolvedConfig): (host: string, encodedSessionId: string) => string {
  const { scheme, organizationId, version } = config;
  const path = `/rest/v1/delivery?imsOrgId=${encodeURIComponent(organizationId)}&sessionId=`;
  const end = version === undefined ? '' : `&version=${encodeURIComponent(version)}`;
  return (host, encodedSessionId) => `${scheme}://${host}${path}${encodedSessionId}${end}`;
}

/** Leaves out what only an on-device decision understands. */
export function toSentRequest(request: Delivery['request']): Delivery['request'] {
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
