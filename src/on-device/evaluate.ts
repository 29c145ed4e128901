import { needsEdge, type RemoteNames } from '../decide.js';
import type {
  DeliveryRequest,
  ExecuteRequest,
  ExecuteResponse,
  Geo,
  MboxResponse,
  PrefetchRequest,
  PrefetchResponse,
  ViewResponse,
  VisitorId,
  VisitorIdResponse,
} from '../delivery-api.js';
import { toAnsweredIds } from '../identity/visitor-ids.js';
import { emptyLike, hasNoPrototype, withoutPrototypes } from '../inherited-names.js';
import { decideMbox, decidePageLoad, decideView, type Part } from './answers.js';
import { DisplayReport } from './display-report.js';
import { toAllocatedVisitor } from './facts/allocation.js';
import { CallContext } from './facts/context.js';
import { remoteDependency } from './remote-dependency.js';
import type { CompiledArtifact } from './rules/compile.js';
import {
  type ArtifactFacts,
  type SearchRecorder,
  type TraceMode,
  TraceRecorder,
  toTraceFacts,
} from './trace.js';

/** The inputs of an evaluation, in addition to the request and the artifact. */
export interface EvaluationInputs {
  /** Time for which the request is decided, in epoch ms. */
  readonly nowMs: number;
  readonly sessionId: string;
  /** Makes the ids of notifications. */
  readonly newId: () => string;
  /**
   * Makes the tntId of a visitor who has no id for the allocation.
   * @default newId
   */
  readonly newTntId?: (() => string) | undefined;
  /**
   * The visitor's geographic data, as given or as looked up.
   * @default request.context.geo
   */
  readonly geo?: Geo | null | undefined;
  /** Facts about the artifact's downloads, for traces. */
  readonly artifactFacts?: ArtifactFacts | undefined;
  /** Makes a tool's recorder, which takes the place of the trace's. A client has none. */
  readonly recorder?: ((mode: TraceMode) => SearchRecorder) | undefined;
}

/** Result of an evaluation. The caller may change every object in it. */
export interface Evaluation extends RemoteNames {
  /** Status of the response: 206 when only the edge can answer some part of the request, else 200. */
  readonly status: 200 | 206;
  /** The ids of the request, with the new tntId if there is one. */
  readonly id: VisitorIdResponse;
  /** New tntId of a visitor who had no id for the allocation; undefined for other visitors. */
  readonly newTntId: string | undefined;
  readonly execute: ExecuteResponse | undefined;
  readonly prefetch: PrefetchResponse | undefined;
  /** Displays to report; undefined when nothing is executed. */
  readonly report: DisplayReport | undefined;
}

/**
 * Decides a request from the artifact, without network and clock: time and ids are passed in. Only caches, and counters
 * in activities and rule keys, outlive a call. The counters stay correct because an evaluation is synchronous: no other
 * evaluation runs in between. On-device decisioning is described at
 * https://experienceleague.adobe.com/en/docs/target-dev/developer/server-side/on-device-decisioning/overview.
 */
export function evaluate(
  request: DeliveryRequest,
  compiled: CompiledArtifact,
  inputs: EvaluationInputs,
): Evaluation {
  const { nowMs, newId, newTntId = newId } = inputs;
  const visitor = toAllocatedVisitor(request.id, newTntId);
  if (visitor.id !== request.id && hasNoPrototype(request)) {
    withoutPrototypes(visitor.id);
  }
  const context = new CallContext(request.context ?? {}, {
    nowMs,
    visitor,
    geo: inputs.geo === undefined ? request.context?.geo : inputs.geo,
  });
  const report = request.execute && new DisplayReport(nowMs, newId, request.impressionId);
  const sources: PartSources = { request, compiled, inputs, visitorId: visitor.id, context, report };
  const remote = remoteDependency(request, compiled);
  return {
    status: needsEdge(remote) ? 206 : 200,
    id: toAnsweredIds(visitor.id),
    newTntId: visitor.id === request.id ? undefined : visitor.id.tntId,
    execute: request.execute ? decideExecute(request.execute, toPart('execute', sources)) : undefined,
    prefetch: request.prefetch ? decidePrefetch(request.prefetch, toPart('prefetch', sources)) : undefined,
    report,
    remoteMboxes: remote.remoteMboxes,
    remoteViews: remote.remoteViews,
  };
}

interface PartSources {
  readonly request: DeliveryRequest;
  readonly compiled: CompiledArtifact;
  readonly inputs: EvaluationInputs;
  readonly visitorId: VisitorId;
  readonly context: CallContext;
  readonly report: DisplayReport | undefined;
}

function toPart(mode: TraceMode, sources: PartSources): Part {
  const { request, compiled, context, report } = sources;
  return {
    compiled,
    context,
    propertyToken: request.property?.token,
    report: mode === 'execute' ? report : undefined,
    recorder: recorderFor(mode, sources),
    plainSearch: undefined,
  };
}

function recorderFor(mode: TraceMode, sources: PartSources): SearchRecorder | undefined {
  const { request, inputs, context } = sources;
  if (inputs.recorder) {
    return inputs.recorder(mode);
  }
  return request.trace
    ? new TraceRecorder(toTraceFacts(mode, { ...sources, context: context.request }))
    : undefined;
}

function decideExecute(execute: ExecuteRequest, part: Part): ExecuteResponse {
  const { mboxes, pageLoad } = execute;
  const response: ExecuteResponse = emptyLike(execute);
  if (mboxes) {
    response.mboxes = decideMboxes(mboxes, part);
  }
  if (pageLoad) {
    response.pageLoad = decidePageLoad(pageLoad, part);
  }
  return response;
}

function decidePrefetch(prefetch: PrefetchRequest, part: Part): PrefetchResponse {
  const { mboxes, views, pageLoad } = prefetch;
  const response: PrefetchResponse = emptyLike(prefetch);
  if (mboxes) {
    response.mboxes = decideMboxes(mboxes, part);
  }
  if (views) {
    const answers: ViewResponse[] = [];
    for (const view of views) {
      decideView(view, part, answers);
    }
    response.views = answers;
  }
  if (pageLoad) {
    response.pageLoad = decidePageLoad(pageLoad, part);
  }
  return response;
}

function decideMboxes(mboxes: NonNullable<ExecuteRequest['mboxes']>, part: Part): MboxResponse[] {
  const answers: MboxResponse[] = [];
  for (const mbox of mboxes) {
    decideMbox(mbox, part, answers);
  }
  return answers;
}
