import type { Decision, LocalDecider } from '../decide.js';
import type { DeliveryResponse, ResolvedDeliveryRequest } from '../delivery-api.js';
import { TargetError } from '../errors.js';
import type { ClientHint } from '../location-hint.js';
import type { NotificationQueue } from '../notifications.js';
import { type Call, withoutDashes } from '../request.js';
import { roundMs, type TelemetryBuffer, toTelemetryFeatures } from '../telemetry.js';
import { toAllocatedVisitor } from './allocation.js';
import { ArtifactSource, type ArtifactSourceOptions } from './artifact-source.js';
import { type Evaluation, evaluate } from './evaluate.js';
import { createGeoLookup, type GeoLookup, type GeoOptions, needsLookup } from './geo.js';
import { remoteDependency } from './remote-dependency.js';

/** What on-device decisioning is made of. */
export interface OnDeviceOptions extends ArtifactSourceOptions, GeoOptions {
  readonly notifications: NotificationQueue;
  readonly telemetry: TelemetryBuffer;
  readonly clientHint: ClientHint;
}

/** On-device decisioning of one client, from its first download to its last decision. */
export interface OnDevice
  extends LocalDecider,
    Pick<ArtifactSource, 'state' | 'stats' | 'whenReady' | 'refresh' | 'close'> {}

interface Parts extends OnDeviceOptions {
  readonly source: ArtifactSource;
  readonly lookUpGeo: GeoLookup;
}

/** The on-device decider: artifact + request + place → offers, and the displays to report behind them. */
export function startOnDevice(options: OnDeviceOptions): OnDevice {
  const source = new ArtifactSource(options);
  const parts = { ...options, payload: undefined, source, lookUpGeo: createGeoLookup(options) };
  source.start();
  return {
    decide: (call) => decide(call, parts),
    remoteNames: (request) => source.compiled && remoteDependency(request, source.compiled),
    get state() {
      return source.state;
    },
    get stats() {
      return source.stats;
    },
    whenReady: (signal) => source.whenReady(signal),
    refresh: () => source.refresh(),
    close: () => source.close(),
  };
}

async function decide(call: Call, options: Parts): Promise<Decision> {
  const { source, lookUpGeo, clientHint, now, newId } = options;
  const started = performance.now();
  // Held for the whole decision: an artifact that comes meanwhile is for the next one.
  const { compiled } = source;
  if (!compiled) {
    throw new TargetError('ERR_TARGET_NOT_READY', 'Unable to fulfill request; decisioning engine not ready.');
  }
  throwIfAborted(call);
  const locationHint = call.locationHint ?? clientHint.current;
  const request = withVisitor(call.request, locationHint, newId);
  const { geo } = request.context;
  const place = compiled.artifact.geoTargetingEnabled && needsLookup(geo) ? await lookUpGeo(call) : geo;
  throwIfAborted(call);
  const evaluating = performance.now();
  const evaluation = evaluateSafely(request, compiled, {
    nowMs: now(),
    sessionId: call.sessionId,
    newId,
    geo: place,
    artifactFacts: request.trace ? source.facts : undefined,
  });
  const response = toDeliveryResponse(evaluation, request, options.config.client);
  if (evaluation.notifications.length > 0) {
    reportDisplays(evaluation, { ...call, request, locationHint }, options);
  }
  recordTelemetry(request, { started, evaluating }, options);
  const { remoteMboxes, remoteViews } = evaluation;
  return { request, response, decidedBy: 'on-device', locationHint, remoteMboxes, remoteViews };
}

/** What an artifact makes us stumble over is no fault of the caller's. */
function evaluateSafely(...call: Parameters<typeof evaluate>): Evaluation {
  try {
    return evaluate(...call);
  } catch (cause) {
    throw new TargetError('ERR_TARGET_ARTIFACT', 'the artifact could not be evaluated', { cause });
  }
}

function throwIfAborted({ signal }: Call): void {
  if (!signal?.aborted) return;
  const cause = signal.reason;
  throw new TargetError('ERR_TARGET_ABORTED', 'the decision was aborted by its signal', { cause });
}

/** A visitor without any id to be allocated by gets a tntId, in the form in which the edge makes them. */
function withVisitor(
  request: ResolvedDeliveryRequest,
  locationHint: string | undefined,
  newId: () => string,
): ResolvedDeliveryRequest {
  const suffix = locationHint === undefined ? '' : `.${locationHint}_0`;
  const { id } = toAllocatedVisitor(request.id, () => withoutDashes(newId()) + suffix);
  return id === request.id ? request : { ...request, id };
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

/** Queues what was displayed, with the visitor, session and property of the decision. */
function reportDisplays({ notifications }: Evaluation, call: Call, options: Parts): void {
  const { id, context, experienceCloud, property, environmentId } = call.request;
  options.notifications.add({
    request: {
      requestId: options.newId(),
      context,
      ...(id && { id }),
      ...(experienceCloud && { experienceCloud }),
      ...(property && { property }),
      ...(environmentId !== undefined && { environmentId }),
      notifications,
    },
    sessionId: call.sessionId,
    locationHint: call.locationHint,
    decisioningMethod: 'on-device',
    timeoutMs: options.config.timeoutMs,
    signal: undefined,
  });
}

function recordTelemetry(
  request: ResolvedDeliveryRequest,
  { started, evaluating }: { readonly started: number; readonly evaluating: number },
  { telemetry, now }: Parts,
): void {
  if (!telemetry.isEnabled) return;
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
