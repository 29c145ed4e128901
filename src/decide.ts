import type { DeliveryResponse, ResolvedDeliveryRequest } from './delivery-api.js';
import { TargetError } from './errors.js';
import type { Call } from './request.js';

/** Mboxes and views of a request that only the edge can decide. */
export interface RemoteNames {
  readonly remoteMboxes: readonly string[];
  readonly remoteViews: readonly string[];
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

/** The one contract of everything that can decide. */
export type Decider = (call: Call) => Promise<Decision>;

/** A decider in this process, which may have to leave a call to the edge. */
export interface LocalDecider {
  readonly decide: Decider;
  /** What of a request it cannot decide; undefined while it cannot decide anything. */
  remoteNames(request: ResolvedDeliveryRequest): RemoteNames | undefined;
}

/** Who can decide. */
export interface Deciders {
  readonly edge: Decider;
  /** Only of a client that was made for it, once it is loaded. */
  readonly local: Promise<LocalDecider> | undefined;
}

/** Has a call decided: on the edge, unless its method asks for this process. Hybrid asks it for what it can do whole. */
export async function decide(call: Call, deciders: Deciders): Promise<Decision> {
  const { edge } = deciders;
  if (call.decisioningMethod === 'server-side') return edge(call);
  const local = await deciders.local;
  if (call.decisioningMethod === 'hybrid') {
    const remote = local?.remoteNames(call.request);
    if (!remote) return edge(call);
    if (remote.remoteMboxes.length + remote.remoteViews.length > 0)
      return { ...(await edge(call)), ...remote };
  }
  if (!local) {
    throw new TargetError('ERR_TARGET_NOT_READY', 'Unable to fulfill request; decisioning engine not ready.');
  }
  return local.decide(call);
}
