import type { RemoteNames } from '../decide.js';
import type { DeliveryRequest, ExecuteRequest, PrefetchRequest } from '../delivery-api.js';
import type { CompiledArtifact } from './compile.js';
import type { CompiledLocation } from './compiled-location.js';

/**
 * Names the mboxes and views of a request that the artifact cannot decide, each once: those that it lists as
 * remote in its order, then the others in the order of the request, prefetch first. A page load is the global
 * mbox; a view without a name is all views that the artifact lists as remote.
 */
export function remoteDependency(request: DeliveryRequest, compiled: CompiledArtifact): RemoteNames {
  const { remoteMboxes, remoteViews } = compiled.artifact;
  return {
    remoteMboxes: inArtifactOrder(requestedRemoteMboxes(request, compiled), remoteMboxes),
    remoteViews: inArtifactOrder(requestedRemoteViews(request, compiled), remoteViews),
  };
}

function requestedRemoteMboxes({ prefetch, execute }: DeliveryRequest, compiled: CompiledArtifact): string[] {
  const remote: string[] = [];
  if (prefetch) addRemoteMboxes(prefetch, compiled, remote);
  if (execute) addRemoteMboxes(execute, compiled, remote);
  return remote;
}

function addRemoteMboxes(
  { mboxes, pageLoad }: ExecuteRequest | PrefetchRequest,
  compiled: CompiledArtifact,
  remote: string[],
): void {
  for (const { name } of mboxes ?? []) addIfRemote(compiled.mbox(name), remote);
  if (pageLoad) addIfRemote(compiled.mbox(compiled.globalMbox), remote);
}

function requestedRemoteViews({ prefetch }: DeliveryRequest, compiled: CompiledArtifact): string[] {
  const remote: string[] = [];
  for (const { name } of prefetch?.views ?? []) {
    if (name) addIfRemote(compiled.view(name), remote);
    else remote.push(...compiled.remoteViews());
  }
  return remote.length > 1 ? [...new Set(remote)] : remote;
}

function addIfRemote(location: CompiledLocation, remote: string[]): void {
  if (location.remote) remote.push(location.name);
}

function inArtifactOrder(names: string[], listed: readonly string[] | null | undefined): string[] {
  if (names.length < 2) return names;
  const wanted = new Set(names);
  const first = (listed ?? []).filter((name) => wanted.delete(name));
  return [...first, ...wanted];
}
