import type { TelemetryEntry, TelemetryRequest } from '../delivery-api.js';
import { lengthOf } from '../http/body.js';
import type { Exchanged } from '../http/exchange.js';
import { roundMs, toTelemetryFeatures } from '../reports/telemetry.js';
import type { Delivered } from './deliver.js';
import type { Outgoing } from './delivery-request.js';

/** Makes the telemetry entry of a call whose answer has just been read. */
export function toDeliveryEntry(
  { delivery, request }: Outgoing,
  { response, exchanged, requestId, startedAt }: Delivered,
  nowMs: number,
): TelemetryEntry {
  const ended = performance.now();
  return {
    requestId: request.requestId ?? requestId,
    timestamp: nowMs,
    mode: response.edgeHost === undefined ? 'local' : 'edge',
    execution: roundMs(ended - startedAt),
    parsing: roundMs(ended - exchanged.endedAt),
    features: toTelemetryFeatures(request, delivery.decisioningMethod),
    request: toTelemetryRequest(exchanged),
    ...(response.telemetryServerToken !== undefined && {
      telemetryServerToken: response.telemetryServerToken,
    }),
  };
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
