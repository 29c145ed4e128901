import type { DeliveryRequest } from '../delivery-api.js';
import type { CompiledArtifact } from './compile.js';

/** What of a request only the edge can answer completely. */
export interface RemoteDependency {
  readonly remoteMboxes: string[];
  readonly remoteViews: string[];
}

/**
 * Names the mboxes and views of a request that the artifact cannot decide, each once: those that it lists as
 * remote in its order, then the others in the order of the request, prefetch first. A page load is the global
 * mbox; a view without a name is all views that the artifact lists as remote.
 */
export function remoteDependency(request: DeliveryRequest, compiled: CompiledArtifact): RemoteDependency {
  const { artifact } = compiled;
  const remoteMboxes = remoteOnes(requestedMboxes(request, compiled), (name) => compiled.mbox(name).remote);
  const remoteViews = requestedRemoteViews(request, compiled);
  return {
    remoteMboxes: inArtifactOrder(remoteMboxes, artifact.remoteMboxes ?? []),
    remoteViews: inArtifactOrder(remoteViews, artifact.remoteViews ?? []),
  };
}

/** Whether anything of a request is left to the edge. */
export function needsEdge({ remoteMboxes, remoteViews }: RemoteDependency): boolean {
  return remoteMboxes.length > 0 || remoteViews.length > 0;
}

function requestedMboxes({ prefetch, execute }: DeliveryRequest, compiled: CompiledArtifact): string[] {
  const names: string[] = [];
  for (const part of [prefetch, execute]) {
    for (const mbox of part?.mboxes ?? []) names.push(mbox.name);
    if (part?.pageLoad) names.push(compiled.globalMbox);
  }
  return names;
}

function requestedRemoteViews({ prefetch }: DeliveryRequest, compiled: CompiledArtifact): string[] {
  const remote: string[] = [];
  for (const { name } of prefetch?.views ?? []) {
    if (name) remote.push(...remoteOnes([name], (view) => compiled.view(view).remote));
    else remote.push(...allRemoteViews(compiled));
  }
  return [...new Set(remote)];
}

/** Besides the listed ones, views whose rules we do not understand. */
function allRemoteViews(compiled: CompiledArtifact): string[] {
  const undecidable = compiled.views().filter((view) => view.undecidable);
  return [...(compiled.artifact.remoteViews ?? []), ...undecidable.map((view) => view.name)];
}

function remoteOnes(names: readonly string[], isRemote: (name: string) => boolean): string[] {
  const remote: string[] = [];
  for (const name of names) if (isRemote(name) && !remote.includes(name)) remote.push(name);
  return remote;
}

function inArtifactOrder(names: string[], listed: readonly string[]): string[] {
  if (names.length < 2) return names;
  const wanted = new Set(names);
  const first = listed.filter((name) => wanted.delete(name));
  return [...first, ...wanted];
}
