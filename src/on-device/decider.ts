import { startsAt } from '#platform';
import { type Decision, type EdgeShare, type LocalDecider, notReadyError } from '../decide.js';
import type { DeliveryResponse, Geo, ResolvedDeliveryRequest } from '../delivery-api.js';
import { TargetError } from '../errors.js';
import { isAborted, reasonOfAbort } from '../http/watched-signal.js';
import { newHexId } from '../identity/ids.js';
import type { OwnHint } from '../identity/location-hint.js';
import { copyWith, emptyLike } from '../json.js';
import type { NotificationQueue } from '../reports/notification-queue.js';
import { roundMs, type TelemetryBuffer, toTelemetryFeatures } from '../reports/telemetry.js';
import type { WrittenReport } from '../reports/written-report.js';
import type { Call } from '../request/call.js';
import type { ArtifactInUse } from './artifact/held.js';
import { ArtifactSource, type ArtifactSourceOptions } from './artifact/source.js';
import { toOwnReports } from './display-report.js';
import { warnOfLosses } from './edge-only-warnings.js';
import { type Evaluation, type EvaluationInputs, evaluate } from './evaluate.js';
import { createGeoLookup, type GeoLookup, type GeoOptions, needsLookup } from './geo-lookup.js';
import { edgeShare } from './remote-dependency.js';

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
  // By itself: what the closures see of the options they keep alive, and the payload may be large.
  const { onStart } = options;
  const parts = { ...options, payload: undefined, source, lookUpGeo: createGeoLookup(options) };
  let hasStarted = false;
  const start = () => {
    if (hasStarted) return;
    hasStarted = true;
    source.start();
    onStart();
  };
  if (startsAt === 'create') start();
  return {
    decide: (call) => {
      start();
      return decide(call, parts);
    },
    edgeShare: (request) => {
      start();
      return source.inUse && shareOf(request, source.inUse);
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

function shareOf(request: ResolvedDeliveryRequest, { compiled, undecidable }: ArtifactInUse): EdgeShare {
  const share = edgeShare(request, compiled);
  undecidable.write();
  return share;
}

function decide(call: Call, parts: Parts): Decision | Promise<Decision> {
  const { source, lookUpGeo, clientHint } = parts;
  const started = parts.telemetry.isEnabled ? performance.now() : 0;
  // Held for the whole decision: an artifact that comes meanwhile is for the next one.
  const { inUse } = source;
  if (!inUse) throw notReadyError(source.lastFailure);
  throwIfAborted(call);
  const locationHint = call.locationHint ?? clientHint.current;
  const { geo } = call.request.context;
  const located: LocatedCall = { call, locationHint, inUse, started, geo, nowMs: call.nowMs };
  if (!inUse.compiled.artifact.geoTargetingEnabled || !needsLookup(geo)) return decideAt(located, parts);
  return lookUpGeo(geo, call).then((place) => {
    throwIfAborted(call);
    return decideAt({ ...located, geo: place, nowMs: parts.now() }, parts);
  });
}

/** A call on its way to its decision. */
interface LocatedCall {
  readonly call: Call;
  readonly locationHint: string | undefined;
  readonly inUse: ArtifactInUse;
  /** On the clock of `performance.now()`, when telemetry is on. */
  readonly started: number;
  /** Where the visitor is, as far as that will be known. */
  readonly geo: Geo | undefined;
  /** In epoch ms. */
  readonly nowMs: number;
}

/** Decides for a visitor whose place is known, as far as it will be. */
function decideAt(located: LocatedCall, parts: Parts): Decision {
  const { call, locationHint, inUse, started, geo, nowMs } = located;
  const { config, telemetry, source, newId } = parts;
  const evaluating = telemetry.isEnabled ? performance.now() : 0;
  const evaluation = evaluateSafely(call.request, inUse, {
    nowMs,
    sessionId: call.sessionId,
    newId,
    newTntId: () => newTntId(locationHint),
    geo,
    artifactFacts: call.request.trace ? source.facts : undefined,
  });
  const request = withTntId(call.request, evaluation.newTntId);
  const response = toDeliveryResponse(evaluation, request, config.client);
  const { report: displays } = evaluation;
  if (displays) for (const report of displays.toRequests(request)) send(report, located, parts);
  warnOfLosses(request, displays, parts.logger);
  // The edge alone can process the notifications that the caller brought along.
  if (request.notifications) {
    for (const report of toOwnReports(request.notifications, request, newId)) send(report, located, parts);
  }
  if (telemetry.isEnabled) recordTelemetry(request, { started, evaluating }, parts);
  const { remoteMboxes, remoteViews } = evaluation;
  return { request, response, decidedBy: 'on-device', locationHint, remoteMboxes, remoteViews };
}

/** What an artifact makes us stumble over is no fault of the caller's. */
function evaluateSafely(
  request: ResolvedDeliveryRequest,
  { compiled, undecidable }: ArtifactInUse,
  inputs: EvaluationInputs,
): Evaluation {
  try {
    return evaluate(request, compiled, inputs);
  } catch (cause) {
    throw new TargetError('ERR_TARGET_ARTIFACT', 'the artifact could not be evaluated', { cause });
  } finally {
    undecidable.write();
  }
}

function throwIfAborted({ signal }: Call): void {
  if (!signal || !isAborted(signal)) return;
  const cause = reasonOfAbort(signal);
  throw new TargetError('ERR_TARGET_ABORTED', 'the decision was aborted by its signal', { cause });
}

/** A tntId in the form in which the edge makes them. */
function newTntId(locationHint: string | undefined): string {
  return locationHint === undefined ? newHexId() : `${newHexId()}.${locationHint}_0`;
}

/** What was decided is told with the visitor it was decided for. */
function withTntId(request: ResolvedDeliveryRequest, tntId: string | undefined): ResolvedDeliveryRequest {
  if (tntId === undefined) return request;
  return copyWith(request, { id: copyWith(request.id ?? emptyLike(request), { tntId }) });
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

/** Queues a report, with the visitor's session. */
function send(report: WrittenReport, { call }: LocatedCall, { notifications, config }: Parts): void {
  notifications.add({
    request: report,
    encodedSessionId: call.encodedSessionId,
    // The visitor's own: the client's may be another one when this is sent.
    locationHint: call.locationHint,
    decisioningMethod: 'on-device',
    timeoutMs: config.timeoutMs,
    signal: undefined,
  });
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
