import type { ResolvedConfig } from '../config/config.js';
import { DELIVERY_PATH, type TelemetryEntry } from '../delivery-api.js';
import type { ExchangeRequest } from '../http/exchange.js';
import { copyWith, ownOf } from '../inherited-names.js';
import { jsonOf, WrittenReport } from '../reports/written-report.js';
import type { Delivery } from '../request/call.js';
import { toSentContext } from '../request/edge-limits.js';
import { isUnresolved } from './clusters.js';
import { VERSION } from './version.js';

/** A delivery on its way to its host. */
export interface Outgoing {
  readonly delivery: Delivery;
  /** The request as it is sent. */
  readonly request: Delivery['request'];
  /** The location hint that has decided the host: the visitor's, or the client's own. */
  readonly locationHint: string | undefined;
  readonly host: string;
  /**
   * True when only a visitor's cookie says that the host exists. If such a host does not exist, that says nothing about
   * the edge.
   */
  readonly isMereClaim: boolean;
  /** True when somebody waits for the answer. Reports may take as long as they need. */
  readonly isAwaited: boolean;
  /**
   * The telemetry entries of earlier calls that this call carries. They are set while the call passes through the
   * layers.
   */
  entries: readonly TelemetryEntry[];
  /** False as long as the circuit breaker may refuse the call. */
  isSent: boolean;
}

const MAX_BODY_BYTES = 32 * 1024 * 1024;
const NO_STATUSES: readonly number[] = [];

/** Tells whether somebody waits for an answer with offers. */
export function asksForOffers(request: Delivery['request']): boolean {
  const { execute, prefetch } = ownOf(request);
  return execute !== undefined || prefetch !== undefined;
}

/** Tells whether somebody waits for the answer to a delivery: for its offers, or for the visitor's ids. */
export function isAwaited(delivery: Delivery): boolean {
  return asksForOffers(delivery.request) || ownOf(delivery).asksForIds === true;
}

/** Makes the HTTP request of a delivery call. */
export function toExchangeRequest(
  { delivery, request, entries, isAwaited, isMereClaim }: Outgoing,
  { url, requestId }: Pick<ExchangeRequest, 'url' | 'requestId'>,
  { retry }: ResolvedConfig,
): ExchangeRequest {
  return {
    what: 'delivery call',
    url,
    method: 'POST',
    // The headers are written out, because a copy costs as much as the answer's JSON (benchmark on-device/execute-url).
    headers: {
      'Content-Type': 'application/json',
      'X-EXC-SDK': 'AdobeTargetNode',
      'X-EXC-SDK-Version': VERSION,
      'X-Request-Id': requestId,
    },
    body: toJson(request, entries),
    requestId,
    bodyId: request.requestId,
    maxBytes: MAX_BODY_BYTES,
    retry: ownOf(delivery).retry ?? retry,
    timeoutMs: delivery.timeoutMs,
    signal: delivery.signal,
    accepts: NO_STATUSES,
    isReport: !isAwaited,
    givesUpOn: isMereClaim ? isUnresolved : undefined,
  };
}

/** Makes the function that writes the URLs of a client's calls. Only host and session differ from call to call. */
export function createUrls(config: ResolvedConfig): (host: string, encodedSessionId: string) => string {
  const { scheme, organizationId, version } = config;
  const path = `${DELIVERY_PATH}?imsOrgId=${encodeURIComponent(organizationId)}&sessionId=`;
  const end = version === undefined ? '' : `&version=${encodeURIComponent(version)}`;
  return (host, encodedSessionId) => `${scheme}://${host}${path}${encodedSessionId}${end}`;
}

/** Leaves out the parts of a request that only an on-device decision understands. */
export function toSentRequest(request: Delivery['request']): Delivery['request'] {
  const { context, trace } = request;
  const isTraceable = trace?.authorizationToken !== undefined;
  const sentContext = toSentContext(context);
  // Most requests are sent as they are. They are copies already.
  if (sentContext === context && (!trace || isTraceable)) {
    return request;
  }
  // A spread with another field after it costs as much as the rest of a decision.
  const sent: { -readonly [Field in keyof Delivery['request']]: Delivery['request'][Field] } = copyWith(
    request,
    { context: sentContext },
  );
  if (trace && !isTraceable) {
    delete sent.trace;
  }
  return sent;
}

/**
 * Writes the body of a call. The telemetry entries are not put into the request itself, because they are about the
 * calls of other visitors.
 */
function toJson(request: Delivery['request'], entries: readonly TelemetryEntry[]): string {
  if (entries.length === 0) {
    return jsonOf(request);
  }
  const telemetry = { entries: [...(request.telemetry?.entries ?? []), ...entries] };
  if (!(request instanceof WrittenReport)) {
    return JSON.stringify(copyWith(request, { telemetry }));
  }
  // A report has no telemetry of its own.
  return `${request.json.slice(0, -1)},"telemetry":${JSON.stringify(telemetry)}}`;
}
