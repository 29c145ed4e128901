import { startsAt } from '#platform';
import { type Decision, type LocalDecider, notReadyError } from '../decide.js';
import type { DeliveryResponse, ExperienceCloud, Geo, ResolvedDeliveryRequest } from '../delivery-api.js';
import { TargetError } from '../errors.js';
import { newHexId } from '../identity/ids.js';
import type { OwnHint } from '../identity/location-hint.js';
import type { NotificationQueue } from '../reports/notification-queue.js';
import { roundMs, type TelemetryBuffer, toTelemetryFeatures } from '../reports/telemetry.js';
import type { Call } from '../request/call.js';
import { toSentContext } from '../request/edge-limits.js';
import { ArtifactSource, type ArtifactSourceOptions } from './artifact/source.js';
import { type Evaluation, type EvaluationInputs, evaluate } from './evaluate.js';
import { createGeoLookup, type GeoLookup, type GeoOptions, needsLookup } from './geo-lookup.js';
import { type Report, toReports } from './offers/displays.js';
import { hasOrders, unreportedOrder } from './orders.js';
import { type EdgeOnlyField, edgeOnlyFields, edgeShare } from './remote-dependency.js';
import type { CompiledArtifact } from './rules/compile.js';

/** What on-device decisioning is made of. */
export interface OnDeviceOptions extends ArtifactSourceOptions, GeoOptions {
  readonly notifications: NotificationQueue;
  readonly telemetry: TelemetryBuffer;
  readonly clientHint: OwnHint;
  /** Told when the artifact has been asked for, or need not be. */
  readonly onStart: () => void;
}

/** On-device decisioning of one client, from its first download to its last decision. */
export interface OnDevice
  extends LocalDecider,
    Pick<ArtifactSource, 'state' | 'stats' | 'lastFailure' | 'whenReady' | 'refresh' | 'close'> {}

interface Parts extends OnDeviceOptions {
  readonly source: ArtifactSource;
  readonly lookUpGeo: GeoLookup;
}

/** The on-device decider: artifact + request + place → offers, and the displays to report after them. */
export function startOnDevice(options: OnDeviceOptions): OnDevice {
  const source = new ArtifactSource(options);
  const parts = { ...options, payload: undefined, source, lookUpGeo: createGeoLookup(options) };
  let hasStarted = false;
  const start = () => {
    if (hasStarted) return;
    hasStarted = true;
    source.start();
    options.onStart();
  };
  if (startsAt === 'create') start();
  return {
    decide: (call) => {
      start();
      return decide(call, parts);
    },
    edgeShare: (request) => {
      start();
      return source.compiled && edgeShare(request, source.compiled);
    },
    get state() {
      return source.state;
    },
    get stats() {
      return source.stats;
    },
    get lastFailure() {
      return source.lastFailure;
    },
    whenReady: (signal) => {
      start();
      return source.whenReady(signal);
    },
    refresh: () => {
      start();
      return source.refresh();
    },
    close: () => {
      hasStarted = true;
      source.close();
    },
  };
}

function decide(call: Call, parts: Parts): Decision | Promise<Decision> {
  const { source, lookUpGeo, clientHint } = parts;
  const started = parts.telemetry.isEnabled ? performance.now() : 0;
  // Held for the whole decision: an artifact that comes meanwhile is for the next one.
  const { compiled } = source;
  if (!compiled) {
    throw notReadyError(source.lastFailure);
  }
  throwIfAborted(call);
  const locationHint = call.locationHint ?? clientHint.current;
  const { geo } = call.request.context;
  const located: LocatedCall = { call, locationHint, compiled, started, geo, nowMs: call.nowMs };
  if (!compiled.artifact.geoTargetingEnabled || !needsLookup(geo)) return decideAt(located, parts);
  return lookUpGeo(geo, call).then((place) => {
    throwIfAborted(call);
    return decideAt({ ...located, geo: place, nowMs: parts.now() }, parts);
  });
}

/** A call on its way to its decision. */
interface LocatedCall {
  readonly call: Call;
  readonly locationHint: string | undefined;
  readonly compiled: CompiledArtifact;
  /** On the clock of `performance.now()`, when telemetry is on. */
  readonly started: number;
  /** Where the visitor is, as far as that will be known. */
  readonly geo: Geo | undefined;
  /** In epoch ms. */
  readonly nowMs: number;
}

/** Decides for a visitor whose place is known, as far as it will be. */
function decideAt(located: LocatedCall, parts: Parts): Decision {
  const { call, locationHint, compiled, started, geo, nowMs } = located;
  const { config, telemetry, source, newId } = parts;
  const evaluating = telemetry.isEnabled ? performance.now() : 0;
  const evaluation = evaluateSafely(call.request, compiled, {
    nowMs,
    sessionId: call.sessionId,
    newId,
    newTntId: () => newTntId(locationHint),
    geo,
    artifactFacts: call.request.trace ? source.facts : undefined,
  });
  const request = withTntId(call.request, evaluation.newTntId);
  const response = toDeliveryResponse(evaluation, request, config.client);
  for (const displays of evaluation.reports) report(displays, request, located, parts);
  warnOfLosses(request, evaluation, parts);
  // The edge alone can process the notifications that the caller brought along.
  if (request.notifications) {
    for (const own of toReports(request.notifications)) report(own, request, located, parts);
  }
  if (telemetry.isEnabled) recordTelemetry(request, { started, evaluating }, parts);
  const { remoteMboxes, remoteViews } = evaluation;
  return { request, response, decidedBy: 'on-device', locationHint, remoteMboxes, remoteViews };
}

const AS_LIVE = 'is ignored on-device: a tester is decided for, and counted, like any visitor';

/** The warnings of an on-device decision about fields that are for the edge alone. */
const LOSSES: Readonly<Record<EdgeOnlyField, string>> = {
  qaMode: `qaMode ${AS_LIVE}`,
  preview: `preview ${AS_LIVE}`,
  'experienceCloud.analytics.logging':
    "experienceCloud.analytics.logging 'client_side' is ignored on-device: the answer has no Analytics payload",
};

const ASK_THE_EDGE = 'decide such requests by hybrid or server-side';

/** Warns of what is lost because the edge was not asked. A hybrid client has asked it. */
function warnOfLosses(
  request: ResolvedDeliveryRequest,
  { reports }: Evaluation,
  { logger }: Pick<Parts, 'logger'>,
): void {
  for (const field of edgeOnlyFields(request)) logger.warn(`${LOSSES[field]}; ${ASK_THE_EDGE}`);
  const path = hasOrders(request) ? unreportedOrder(request, reports) : undefined;
  if (path === undefined) return;
  const why = 'was not reported, because no display of that location is';
  logger.warn(`the order or product of ${path} ${why}; ${ASK_THE_EDGE}, or send it with sendNotifications`);
}

/** What an artifact makes us stumble over is no fault of the caller's. */
function evaluateSafely(
  request: ResolvedDeliveryRequest,
  compiled: CompiledArtifact,
  inputs: EvaluationInputs,
): Evaluation {
  try {
    return evaluate(request, compiled, inputs);
  } catch (cause) {
    throw new TargetError('ERR_TARGET_ARTIFACT', 'the artifact could not be evaluated', { cause });
  }
}

function throwIfAborted({ signal }: Call): void {
  if (!signal?.aborted) return;
  const cause = signal.reason;
  throw new TargetError('ERR_TARGET_ABORTED', 'the decision was aborted by its signal', { cause });
}

/** A tntId in the form in which the edge makes them. */
function newTntId(locationHint: string | undefined): string {
  return locationHint === undefined ? newHexId() : `${newHexId()}.${locationHint}_0`;
}

/** What was decided is told with the visitor it was decided for. */
function withTntId(request: ResolvedDeliveryRequest, tntId: string | undefined): ResolvedDeliveryRequest {
  if (tntId === undefined) return request;
  return Object.assign({}, request, { id: Object.assign({}, request.id, { tntId }) });
}

function toDeliveryResponse(
  { status, id, execute, prefetch }: Evaluation,
  { requestId }: ResolvedDeliveryRequest,
  client: string,
): DeliveryResponse {
  const response: DeliveryResponse = { status, requestId, id, client };
  if (execute) response.execute = execute;
  if (prefetch) response.prefetch = prefetch;
  return response;
}

/** Queues notifications, with the visitor, session and property of the decision. */
function report(
  { notifications, json }: Report,
  request: ResolvedDeliveryRequest,
  located: LocatedCall,
  parts: Parts,
): void {
  const { id, experienceCloud, property, environmentId } = request;
  const requestId = parts.newId();
  const context = toSentContext(request.context);
  const reported = { requestId, context, id, experienceCloud, property, environmentId, notifications };
  parts.notifications.add({
    request: reported,
    json: toReportJson(reported, json),
    encodedSessionId: located.call.encodedSessionId,
    // The visitor's own: the client's may be another one when this is sent.
    locationHint: located.call.locationHint,
    decisioningMethod: 'on-device',
    timeoutMs: parts.config.timeoutMs,
    signal: undefined,
  });
}

/**
 * A report as JSON, by its parts: what of it is ours needs no look at each character, and an object that is nearly
 * always the same costs more than a string (`on-device/execute-url`).
 */
function toReportJson(
  { requestId, id, context, experienceCloud, property, environmentId }: ResolvedDeliveryRequest,
  notificationsJson: string,
): string {
  const head = `{"requestId":"${requestId}","context":${JSON.stringify(context)},"id":${JSON.stringify(id)}`;
  const sdid = loneSdidOf(experienceCloud);
  const shared =
    sdid === undefined
      ? withoutBraces(JSON.stringify({ experienceCloud }))
      : `,"experienceCloud":{"analytics":{"logging":"server_side","supplementalDataId":"${sdid}"}}`;
  const isLimited = property !== undefined || environmentId !== undefined;
  const limits = isLimited ? withoutBraces(JSON.stringify({ property, environmentId })) : '';
  return `${head}${shared}${limits},"notifications":[${notificationsJson}]}`;
}

/** The fields of an object's JSON, after others. */
function withoutBraces(json: string): string {
  return json === '{}' ? '' : `,${json.slice(1, -1)}`;
}

/** The supplemental data id, where nothing else is said of the Experience Cloud. */
function loneSdidOf({ analytics, audienceManager }: ExperienceCloud = {}): string | undefined {
  if (!analytics || audienceManager) return undefined;
  const { logging, supplementalDataId, trackingServer, trackingServerSecure } = analytics;
  const isLone =
    logging === 'server_side' && trackingServer === undefined && trackingServerSecure === undefined;
  return isLone && supplementalDataId && /^[\dA-F-]+$/.test(supplementalDataId)
    ? supplementalDataId
    : undefined;
}

function recordTelemetry(
  request: ResolvedDeliveryRequest,
  { started, evaluating }: { readonly started: number; readonly evaluating: number },
  { telemetry, now }: Parts,
): void {
  const ended = performance.now();
  telemetry.add({
    requestId: request.requestId,
    timestamp: now(),
    mode: 'local',
    execution: roundMs(ended - started),
    parsing: roundMs(ended - evaluating),
    features: toTelemetryFeatures(request, 'on-device'),
  });
}
