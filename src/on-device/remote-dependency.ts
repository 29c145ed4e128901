import { type EdgeShare, needsEdge, type RemoteNames } from '../decide.js';
import type { DeliveryRequest, ExecuteRequest, PrefetchRequest, RequestDetails } from '../delivery-api.js';
import { hasOrder, hasOrders } from './purchases.js';
import type { CompiledArtifact } from './rules/compile.js';
import type { CompiledLocation } from './rules/location.js';

/**
 * Names the mboxes and views of a request that the artifact cannot decide, each once: those that it lists as
 * remote in its order, then the others in the order of the request, prefetch first. A page load is the global
 * mbox; a view without a name is all views that the artifact lists as remote.
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
 * Names what a hybrid client leaves to the edge, which gets a request whole or not at all. Besides what the artifact
 * cannot decide, that is what would be lost here: orders and products, notifications, and fields for the edge alone.
 */
export function edgeShare(request: DeliveryRequest, compiled: CompiledArtifact): EdgeShare {
  const isOrder = hasOrders(request);
  const names = remoteDependency(request, compiled, isOrder ? hasOrder : isNever);
  const isNeeded =
    isOrder || Boolean(request.notifications) || edgeOnlyFields(request).length > 0 || needsEdge(names);
  const { remoteMboxes, remoteViews } = names;
  return { remoteMboxes, remoteViews, isNeeded };
}

/** Paths of the fields that an artifact knows nothing of: those of testers, and Analytics payloads for the page. */
export type EdgeOnlyField = 'qaMode' | 'preview' | 'experienceCloud.analytics.logging';

const NO_FIELDS: readonly EdgeOnlyField[] = [];

/** The fields of a request that are for the edge alone; most requests have none. */
export function edgeOnlyFields({
  qaMode,
  preview,
  experienceCloud,
}: DeliveryRequest): readonly EdgeOnlyField[] {
  const isClientSide = experienceCloud?.analytics?.logging === 'client_side';
  if (!qaMode && !preview && !isClientSide) return NO_FIELDS;
  const fields: EdgeOnlyField[] = [];
  if (qaMode) fields.push('qaMode');
  if (preview) fields.push('preview');
  if (isClientSide) fields.push('experienceCloud.analytics.logging');
  return fields;
}

/** Whether the edge is to have a location that the artifact could decide. */
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
  if (prefetch) addRemoteMboxes(prefetch, parts, remote);
  if (execute) addRemoteMboxes(execute, parts, remote);
  return remote;
}

function addRemoteMboxes(
  { mboxes, pageLoad }: ExecuteRequest | PrefetchRequest,
  { compiled, isForEdge }: Parts,
  remote: string[],
): void {
  for (const mbox of mboxes ?? []) addIf(isForEdge(mbox), compiled.mbox(mbox.name), remote);
  if (pageLoad) addIf(isForEdge(pageLoad), compiled.mbox(compiled.globalMbox), remote);
}

function requestedRemoteViews({ request, compiled, isForEdge }: Parts): string[] {
  const remote: string[] = [];
  for (const view of request.prefetch?.views ?? []) {
    if (view.name) addIf(isForEdge(view), compiled.view(view.name), remote);
    else remote.push(...compiled.remoteViews());
  }
  return remote;
}

function addIf(isForEdge: boolean, location: CompiledLocation, remote: string[]): void {
  if (isForEdge || location.remote) remote.push(location.name);
}

function inArtifactOrder(names: string[], listed: readonly string[] | null | undefined): string[] {
  if (names.length < 2) return names;
  const wanted = new Set(names);
  const first = (listed ?? []).filter((name) => wanted.delete(name));
  return [...first, ...wanted];
}
