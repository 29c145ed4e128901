import type { ResolvedConfig } from './config.js';
import type { Decision } from './decide.js';
import type { DeliveryResponse, ResolvedDeliveryRequest, TelemetryEntry } from './delivery-api.js';
import { TargetError } from './errors.js';
import { deliveryHost, hintOfEdgeHost } from './location-hint.js';
import type { Logger } from './logger.js';
import type { Call } from './request.js';
import { roundMs, type TelemetryBuffer, toTelemetryFeatures } from './telemetry.js';
import type { Exchanged, Transport } from './transport.js';
import { VERSION } from './version.js';

/** The part of a call that a delivery needs. */
export type Delivery = Pick<
  Call,
  'request' | 'sessionId' | 'locationHint' | 'decisioningMethod' | 'timeoutMs' | 'signal'
>;

/** What the edge decider is made of. */
export interface DeliveryOptions {
  readonly config: ResolvedConfig;
  readonly transport: Transport;
  readonly telemetry: TelemetryBuffer;
  readonly logger: Logger;
  readonly now: () => number;
  readonly newId: () => string;
}

const MAX_BODY_BYTES = 32 * 1024 * 1024;
const RESPONSE_FIELDS = [
  'status',
  'requestId',
  'id',
  'client',
  'edgeHost',
  'execute',
  'prefetch',
  'notifications',
];

/** The server-side decider: `POST /rest/v1/delivery` on the edge. Remembers the client's own location hint. */
export function createDelivery(options: DeliveryOptions): (delivery: Delivery) => Promise<Decision> {
  const { config, transport, telemetry, logger, now, newId } = options;
  let clientHint = config.targetLocationHint;

  return async (delivery) => {
    const { locationHint, decisioningMethod } = delivery;
    const entries = telemetry.take();
    const request = toSentRequest(delivery.request, entries);
    const httpRequestId = newId();
    const started = performance.now();
    logger.debug(() => `delivery request ${logger.show(request)}`);
    try {
      const exchanged = await transport.exchange({
        what: 'delivery call',
        url: toUrl(config, locationHint ?? clientHint, delivery.sessionId),
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          'X-EXC-SDK': 'AdobeTargetNode',
          'X-EXC-SDK-Version': VERSION,
        },
        body: JSON.stringify(request),
        requestId: httpRequestId,
        maxBytes: MAX_BODY_BYTES,
        retry: config.retry,
        timeoutMs: delivery.timeoutMs,
        signal: delivery.signal,
      });
      const parsingFrom = performance.now();
      const response = toDeliveryResponse(exchanged, request, { client: config.client, httpRequestId });
      const ended = performance.now();
      logger.debug(() => `delivery response ${logger.show(response)}`);
      // A visitor's cookie may say where this visitor's calls go, but not where those of others go.
      if (locationHint === undefined) clientHint = hintOfEdgeHost(response.edgeHost) ?? clientHint;
      if (telemetry.isEnabled && asksForSomething(request)) {
        telemetry.add({
          requestId: request.requestId,
          timestamp: now(),
          mode: response.edgeHost === undefined ? 'local' : 'edge',
          execution: roundMs(ended - started),
          parsing: roundMs(ended - parsingFrom),
          features: toTelemetryFeatures(request, decisioningMethod),
          request: {
            timeToFirstByte: roundMs(exchanged.timeToFirstByteMs),
            download: roundMs(exchanged.downloadMs),
            responseSize: exchanged.body.length,
          },
          ...(response.telemetryServerToken !== undefined && {
            telemetryServerToken: response.telemetryServerToken,
          }),
        });
      }
      return { request, response, decidedBy: 'server-side', remoteMboxes: [], remoteViews: [] };
    } catch (error) {
      telemetry.restore(entries);
      throw error;
    }
  };
}

function toUrl(config: ResolvedConfig, hint: string | undefined, sessionId: string): string {
  const host = config.serverDomain ?? deliveryHost(config.client, hint);
  const version = config.version === undefined ? '' : `&version=${encodeURIComponent(config.version)}`;
  const organization = encodeURIComponent(config.organizationId);
  return `${config.scheme}://${host}/rest/v1/delivery?imsOrgId=${organization}&sessionId=${encodeURIComponent(sessionId)}${version}`;
}

/** What goes to the edge: with telemetry, and without what only an on-device decision understands. */
function toSentRequest(
  request: ResolvedDeliveryRequest,
  entries: readonly TelemetryEntry[],
): ResolvedDeliveryRequest {
  const sent: { -readonly [Field in keyof ResolvedDeliveryRequest]: ResolvedDeliveryRequest[Field] } = {
    ...request,
  };
  if (entries.length > 0) {
    sent.telemetry = { entries: [...(request.telemetry?.entries ?? []), ...entries] };
  }
  if (sent.trace && sent.trace.authorizationToken === undefined) delete sent.trace;
  const { geo } = request.context;
  if (geo?.ipAddress === 'unknownIpAddress') {
    const { ipAddress: _, ...known } = geo;
    sent.context = { ...request.context, geo: known };
  }
  return sent;
}

/** A call that only carries telemetry is not measured: it would owe the next such call. */
function asksForSomething({ execute, prefetch, notifications }: ResolvedDeliveryRequest): boolean {
  return Boolean(execute ?? prefetch ?? notifications);
}

/** The answer's body, checked as far as the SDK itself looks into it; unknown fields pass. */
function toDeliveryResponse(
  { status, body, attempts }: Exchanged,
  { requestId }: ResolvedDeliveryRequest,
  { client, httpRequestId }: { readonly client: string; readonly httpRequestId: string },
): DeliveryResponse {
  if (status === 204) return { status, requestId, client };
  const text = body.toString('utf8');
  const invalid = (result: string, cause?: unknown) =>
    new TargetError('ERR_TARGET_INVALID_RESPONSE', `the delivery call was answered with ${result}`, {
      status,
      body: text.slice(0, 1024),
      requestId: httpRequestId,
      attempts,
      cause,
    });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw invalid(text === '' ? 'an empty body' : 'a body that is not JSON', cause);
  }
  const fault = faultOf(parsed);
  if (fault !== undefined) throw invalid(`JSON of the wrong shape: ${fault}`);
  return parsed as DeliveryResponse;
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isAbsent = (value: unknown): value is undefined | null => value === undefined || value === null;

/** What is wrong with the shape of an answer, if anything. */
function faultOf(parsed: unknown): string | undefined {
  if (!isObject(parsed)) return 'no object';
  if (RESPONSE_FIELDS.every((field) => isAbsent(parsed[field]))) return 'no field of a delivery response';
  const { status, id, edgeHost, execute, prefetch, notifications } = parsed;
  if (!isAbsent(status) && typeof status !== 'number') return 'status is no number';
  if (!isAbsent(id) && !isObject(id)) return 'id is no object';
  if (isObject(id) && !isAbsent(id.tntId) && typeof id.tntId !== 'string') return 'id.tntId is no string';
  if (!isAbsent(edgeHost) && typeof edgeHost !== 'string') return 'edgeHost is no string';
  if (!isAbsent(notifications) && !isListOfObjects(notifications))
    return 'notifications is no list of objects';
  return faultOfLocations('execute', execute) ?? faultOfLocations('prefetch', prefetch);
}

function faultOfLocations(name: string, part: unknown): string | undefined {
  if (isAbsent(part)) return undefined;
  if (!isObject(part)) return `${name} is no object`;
  for (const list of ['mboxes', 'views']) {
    const locations = part[list];
    if (isAbsent(locations)) continue;
    if (!isListOfObjects(locations)) return `${name}.${list} is no list of objects`;
    if (!locations.every(hasOptions)) return `the options in ${name}.${list} are no lists of objects`;
  }
  const { pageLoad } = part;
  if (!isAbsent(pageLoad) && !(isObject(pageLoad) && hasOptions(pageLoad)))
    return `${name}.pageLoad is malformed`;
  return undefined;
}

function hasOptions({ options }: Json): boolean {
  return isAbsent(options) || isListOfObjects(options);
}

function isListOfObjects(value: unknown): value is Json[] {
  return Array.isArray(value) && value.every(isObject);
}
