import type { DeliveryResponse, ResolvedDeliveryRequest } from './delivery-api.js';
import { TargetError } from './errors.js';
import { isThenable } from './json.js';
import type { Call } from './request/call.js';

/** Mboxes and views of a request that only the edge can decide. */
export interface RemoteNames {
  readonly remoteMboxes: readonly string[];
  readonly remoteViews: readonly string[];
}

/** Whether anything of a request is left to the edge. */
export function needsEdge({ remoteMboxes, remoteViews }: RemoteNames): boolean {
  return remoteMboxes.length > 0 || remoteViews.length > 0;
}

/** The part of a request that a hybrid client leaves to the edge. */
export interface EdgeShare extends RemoteNames {
  /** Whether the edge is to decide the request; for some requests no mbox or view is the reason. */
  readonly isNeeded: boolean;
}

/** What a decider answers. */
export interface Decision extends RemoteNames {
  /** The request as it was decided. */
  readonly request: ResolvedDeliveryRequest;
  readonly response: DeliveryResponse;
  readonly decidedBy: 'server-side' | 'on-device';
  /** The location hint that the call went by, the visitor's or the client's. */
  readonly locationHint: string | undefined;
}

/** Decides on the edge. */
export type EdgeDecider = (call: Call) => Promise<Decision>;

/** A decider in this process, which may have to leave a call to the edge. */
export interface LocalDecider {
  /** Answers at once, unless it has to ask where the visitor is; throws as well as it rejects. */
  decide(call: Call): Decision | PromiseLike<Decision>;
  /** The part of a request that it leaves to the edge in hybrid; undefined while it cannot decide anything. */
  edgeShare(request: ResolvedDeliveryRequest): EdgeShare | undefined;
}

/** Who can decide. */
export interface Deciders {
  readonly edge: EdgeDecider;
  /** Only of a client that was made for it; a promise until it is loaded, which looking at it may begin. */
  readonly local: LocalDecider | PromiseLike<LocalDecider> | undefined;
}

/**
 * Has a call decided: on the edge, unless its method asks for this process. Hybrid asks it for what it can do whole.
 * What this process decides at once is no promise: each costs as much as a small decision (`on-device/prefetch-url`).
 */
export function decide(call: Call, deciders: Deciders): Decision | PromiseLike<Decision> {
  const { edge } = deciders;
  if (call.decisioningMethod === 'server-side') return edge(call);
  const { local } = deciders;
  if (isThenable(local)) return local.then((loaded) => decide(call, { edge, local: loaded }));
  if (call.decisioningMethod === 'hybrid') return decideHybrid(call, edge, local);
  if (!local) throw notReadyError();
  return local.decide(call);
}

/** For a decision that needs rules where there are none, and why there are none. */
export function notReadyError(cause?: TargetError): TargetError {
  const message = 'Unable to fulfill request; decisioning engine not ready.';
  return new TargetError('ERR_TARGET_NOT_READY', message, { cause });
}

function decideHybrid(
  call: Call,
  edge: EdgeDecider,
  local: LocalDecider | undefined,
): Decision | PromiseLike<Decision> {
  const share = local?.edgeShare(call.request);
  if (!local || !share) return edge(call);
  const { isNeeded, remoteMboxes, remoteViews } = share;
  if (!isNeeded) return local.decide(call);
  return edge(call).then((decision) => ({ ...decision, remoteMboxes, remoteViews }));
}
