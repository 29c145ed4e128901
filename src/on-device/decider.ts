import { startsAt } from '#platform';
import type { WaitUntil } from '../config/config-options.js';
import {
  type Decision,
  type EdgeShare,
  type LocalDecider,
  notReadyError,
  throwIfAborted,
  withTntId,
} from '../decide.js';
import type { DeliveryResponse, Geo, ResolvedDeliveryRequest } from '../delivery-api.js';
import { TargetError } from '../errors.js';
import { type IdSource, newTntId } from '../identity/ids.js';
import type { OwnHint } from '../identity/location-hint.js';
import { hasNoPrototype } from '../inherited-names.js';
import type { NotificationQueue } from '../reports/notification-queue.js';
import { roundMs, toTelemetryFeatures } from '../reports/telemetry.js';
import type { WrittenReport } from '../reports/written-report.js';
import type { Call, Delivery } from '../request/call.js';
import type { ArtifactInUse } from './artifact/held.js';
import { ArtifactSource } from './artifact/source.js';
import type { ArtifactSourceOptions } from './artifact/source-options.js';
import { toOwnReports } from './display-report.js';
import { warnOfLosses } from './edge-only-warnings.js';
import { type Evaluation, type EvaluationInputs, evaluate } from './evaluate.js';
import { createGeoLookup, type GeoLookup, type GeoOptions, needsLookup } from './geo-lookup.js';
import { needsGeo } from './geo-need.js';
import { edgeShare } from './remote-dependency.js';

/** The parts of a client that on-device decisioning needs. */
export interface OnDeviceOptions extends ArtifactSourceOptions, GeoOptions {
  readonly notifications: NotificationQueue;
  /** The client's location hint, for calls of visitors who have none. */
  readonly clientHint: OwnHint;
  /** Makes the tntIds of new visitors. */
  readonly ids: IdSource;
  /**
   * Called when the first download has started, or when it is clear that none is needed. It takes the `waitUntil` of the
   * call that started it.
   */
  readonly onStart: (waitUntil: WaitUntil | undefined) => void;
}

/** The on-device decisioning of one client, from the first download of its artifact until the client is closed. */
export interface OnDevice
  extends LocalDecider,
    Pick<
      ArtifactSource,
      'state' | 'stats' | 'storeStats' | 'etag' | 'lastFailure' | 'whenReady' | 'refresh' | 'close'
    > {
  /** The name of the artifact's global mbox; undefined before there is an artifact. */
  readonly globalMbox: string | undefined;
  /** Tells whether the artifact in use has rules of an mbox. */
  hasMbox(name: string): boolean;
  /** Returns the rules of each mbox as they came, while no call has asked for any of them. */
  writtenMboxes(): ReadonlyMap<string, readonly unknown[]> | undefined;
}

interface Parts extends OnDeviceOptions {
  readonly source: ArtifactSource;
  readonly lookUpGeo: GeoLookup;
}

/**
 * Starts on-device decisioning. The decider finds offers from artifact, request and geographic data, and reports their
 * displays afterwards. Some runtimes allow no network before the first call. There, the download starts with the first
 * call.
 */
export function startOnDevice(options: OnDeviceOptions): OnDevice {
  const source = new ArtifactSource(options);
  // The closures below must not refer to `options`. They would keep the payload in memory, which may be large.
  const { onStart } = options;
  const parts = { ...options, payload: undefined, source, lookUpGeo: createGeoLookup(options) };
  let hasStarted = false;
  const start = (waitUntil?: WaitUntil) => {
    if (hasStarted) {
      return;
    }
    hasStarted = true;
    source.start(waitUntil);
    onStart(waitUntil);
  };
  if (startsAt === 'create') {
    start();
  }
  return {
    decide: (call) => {
      start(call.waitUntil);
      return decide(call, parts);
    },
    edgeShare: ({ request, waitUntil }) => {
      start(waitUntil);
      return source.inUse && shareOf(request, source.inUse);
    },
    get state() {
      return source.state;
    },
    get stats() {
      return source.stats;
    },
    get storeStats() {
      return source.storeStats;
    },
    get etag() {
      return source.etag;
    },
    get globalMbox() {
      return source.inUse?.compiled.globalMbox;
    },
    hasMbox: (name) => source.inUse?.compiled.hasMbox(name) === true,
    writtenMboxes: () => source.inUse?.compiled.writtenMboxes(),
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
  // One artifact serves the whole decision. An artifact that arrives meanwhile serves the next one.
  const { inUse } = source;
  if (!inUse) {
    throw notReadyError(source.lastFailure);
  }
  throwIfAborted(call);
  const locationHint = call.locationHint ?? clientHint.current;
  const { geo } = call.request.context;
  const located: LocatedCall = { call, locationHint, inUse, started, geo, nowMs: call.nowMs };
  const { geoTargetingEnabled } = inUse.compiled.artifact;
  if (!geoTargetingEnabled || !needsLookup(geo) || !needsGeoSafely(call.request, inUse)) {
    return decideAt(located, parts);
  }
  return lookUpGeo(geo, call).then((found) => {
    throwIfAborted(call);
    return decideAt({ ...located, geo: found, nowMs: parts.now() }, parts);
  });
}

/** A call, with everything that its decision needs. */
interface LocatedCall {
  readonly call: Call;
  readonly locationHint: string | undefined;
  readonly inUse: ArtifactInUse;
  /** Time at which the decision began, on the clock of `performance.now()`; 0 when telemetry is off. */
  readonly started: number;
  /** The visitor's geographic data. They are undefined when none are known. */
  readonly geo: Geo | undefined;
  /** Time for which the call is decided, in epoch ms. */
  readonly nowMs: number;
}

/** Decides a call whose geographic data are complete: they were given, looked up or not needed. */
function decideAt(located: LocatedCall, parts: Parts): Decision {
  const { call, locationHint, inUse, started, geo, nowMs } = located;
  const { config, telemetry, source, newId, ids } = parts;
  const evaluating = telemetry.isEnabled ? performance.now() : 0;
  const evaluation = evaluateSafely(call.request, inUse, {
    nowMs,
    sessionId: call.sessionId,
    newId,
    newTntId: () => newTntId(locationHint, ids),
    geo,
    artifactFacts: call.request.trace ? source.facts : undefined,
    recorder: undefined,
  });
  const request = withTntId(call.request, evaluation.newTntId);
  const response = toDeliveryResponse(evaluation, request, config.client);
  const { report: displays } = evaluation;
  if (displays) {
    for (const report of displays.toRequests(request)) {
      send(report, located, parts);
    }
  }
  warnOfLosses(request, displays, parts.logger);
  // The caller's own notifications are sent, because nobody but the edge can process them.
  if (request.notifications) {
    for (const report of toOwnReports(request.notifications, request, newId)) {
      send(report, located, parts);
    }
  }
  if (telemetry.isEnabled) {
    recordTelemetry(request, { started, evaluating }, parts);
  }
  const { remoteMboxes, remoteViews } = evaluation;
  return { request, response, decidedBy: 'on-device', locationHint, remoteMboxes, remoteViews };
}

/**
 * Evaluates a call. An error during the evaluation comes from the artifact, and must not look like a mistake of the
 * caller.
 * @throws TargetError `ERR_TARGET_ARTIFACT` when the artifact cannot be evaluated.
 */
function evaluateSafely(
  request: ResolvedDeliveryRequest,
  { compiled, undecidable }: ArtifactInUse,
  inputs: EvaluationInputs,
): Evaluation {
  try {
    return evaluate(request, compiled, inputs);
  } catch (cause) {
    throw unusableError(cause);
  } finally {
    undecidable.write();
  }
}

/** Tells whether an evaluation would read the visitor's place. Errors are those of the evaluation. */
function needsGeoSafely(request: ResolvedDeliveryRequest, { compiled }: ArtifactInUse): boolean {
  try {
    return needsGeo(request, compiled);
  } catch (cause) {
    throw unusableError(cause);
  }
}

function unusableError(cause: unknown): TargetError {
  return new TargetError('ERR_TARGET_ARTIFACT', 'the artifact could not be evaluated', { cause });
}

function toDeliveryResponse(
  { status, id, execute, prefetch }: Evaluation,
  request: ResolvedDeliveryRequest,
  client: string,
): DeliveryResponse {
  const { requestId } = request;
  const response: DeliveryResponse = { status, requestId, id, client };
  if (hasNoPrototype(request)) {
    Object.setPrototypeOf(response, null);
  }
  if (execute) {
    response.execute = execute;
  }
  if (prefetch) {
    response.prefetch = prefetch;
  }
  return response;
}

/** Adds a report to the queue of notifications, with the session of the visitor. */
function send(report: WrittenReport, { call }: LocatedCall, { notifications, config }: Parts): void {
  const delivery: Delivery = {
    request: report,
    encodedSessionId: call.encodedSessionId,
    // The report uses the visitor's own hint, because the client's hint may have changed by the time it is sent.
    locationHint: call.locationHint,
    decisioningMethod: 'on-device',
    timeoutMs: config.timeoutMs,
    signal: undefined,
  };
  notifications.add(delivery, call.waitUntil);
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
