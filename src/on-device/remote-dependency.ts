import { type EdgeShare, needsEdge, type RemoteNames } from '../decide.js';
import type { DeliveryRequest, ExecuteRequest, PrefetchRequest, RequestDetails } from '../delivery-api.js';
import { hasOrder, hasOrders } from './purchases.js';
import type { CompiledArtifact } from './rules/compile.js';
import type { CompiledLocation } from './rules/location.js';

/**
 * Names the mboxes and views of a request that only the edge can decide. Each appears once. Those that the artifact
 * lists as remote come first, in its order. The others follow in the order of the request, `prefetch` before
 * `execute`. A page load counts as the global mbox. A view without a name stands for all views that only the edge can
 * decide.
 */
export function remoteDependency(
  request: DeliveryRequest,
  compiled: CompiledArtifact,
  isForEdge: IsForEdge = isNever,
): RemoteNames {
  const { remoteMboxes, remoteViews } = compiled.artifact;
  const parts = { request, compiled, isForEdge };
  return {
    remoteMboxes: inArtifactOrder(requestedRemoteMboxes(parts), remoteMboxes),
    remoteViews: inArtifactOrder(requestedRemoteViews(parts), remoteViews),
  };
}

/**
 * Names the part of a request for which a hybrid client asks the edge. The edge then decides the whole request.
 * Besides mboxes and views that only the edge can decide, the edge is needed for data that would be lost here:
 * orders, products, notifications, and fields that only the edge can process.
 */
export function edgeShare(request: DeliveryRequest, compiled: CompiledArtifact): EdgeShare {
  const isOrder = hasOrders(request);
  const names = remoteDependency(request, compiled, isOrder ? hasOrder : isNever);
  const isNeeded =
    isOrder || Boolean(request.notifications) || edgeOnlyFields(request).length > 0 || needsEdge(names);
  const { remoteMboxes, remoteViews } = names;
  return { remoteMboxes, remoteViews, isNeeded };
}

/**
 * Path of a request field that only the edge can process. `qaMode` and `preview` are for testers of activities;
 * client-side logging asks for an Analytics payload.
 */
export type EdgeOnlyField = 'qaMode' | 'preview' | 'experienceCloud.analytics.logging';

const NO_FIELDS: readonly EdgeOnlyField[] = [];

/** Returns the fields of a request that only the edge can process. Most requests have none. */
export function edgeOnlyFields({
  qaMode,
  preview,
  experienceCloud,
}: DeliveryRequest): readonly EdgeOnlyField[] {
  const isClientSide = experienceCloud?.analytics?.logging === 'client_side';
  if (!qaMode && !preview && !isClientSide) {
    return NO_FIELDS;
  }
  const fields: EdgeOnlyField[] = [];
  if (qaMode) {
    fields.push('qaMode');
  }
  if (preview) {
    fields.push('preview');
  }
  if (isClientSide) {
    fields.push('experienceCloud.analytics.logging');
  }
  return fields;
}

/** Returns true for a location that is left to the edge although the artifact could decide it. */
type IsForEdge = (location: RequestDetails) => boolean;

const isNever: IsForEdge = () => false;

interface Parts {
  readonly request: DeliveryRequest;
  readonly compiled: CompiledArtifact;
  readonly isForEdge: IsForEdge;
}

function requestedRemoteMboxes(parts: Parts): string[] {
  const { prefetch, execute } = parts.request;
  const remote: string[] = [];
  if (prefetch) {
    addRemoteMboxes(prefetch, parts, remote);
  }
  if (execute) {
    addRemoteMboxes(execute, parts, remote);
  }
  return remote;
}

function addRemoteMboxes(
  { mboxes, pageLoad }: ExecuteRequest | PrefetchRequest,
  { compiled, isForEdge }: Parts,
  remote: string[],
): void {
  for (const mbox of mboxes ?? []) {
    addIf(isForEdge(mbox), compiled.mbox(mbox.name), remote);
  }
  if (pageLoad) {
    addIf(isForEdge(pageLoad), compiled.mbox(compiled.globalMbox), remote);
  }
}

function requestedRemoteViews({ request, compiled, isForEdge }: Parts): string[] {
  const remote: string[] = [];
  for (const view of request.prefetch?.views ?? []) {
    if (view.name) {
      addIf(isForEdge(view), compiled.view(view.name), remote);
    } else {
      remote.push(...compiled.remoteViews());
    }
  }
  return remote;
}

function addIf(isForEdge: boolean, location: CompiledLocation, remote: string[]): void {
  if (isForEdge || location.remote) {
    remote.push(location.name);
  }
}

/** Removes repeated names, and puts those that the artifact lists first, in its order. */
function inArtifactOrder(names: string[], listed: readonly string[] | null | undefined): string[] {
  if (names.length < 2) {
    return names;
  }
  const wanted = new Set(names);
  const first = (listed ?? []).filter((name) => wanted.delete(name));
  return [...first, ...wanted];
}
