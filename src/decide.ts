import type { DeliveryResponse, ResolvedDeliveryRequest } from './delivery-api.js';
import { TargetError } from './errors.js';
import type { Call } from './request.js';

/** What a decider answers. */
export interface Decision {
  /** The request as it was decided. */
  readonly request: ResolvedDeliveryRequest;
  readonly response: DeliveryResponse;
  /** Who decided. */
  readonly decidedBy: 'server-side' | 'on-device';
  /** Mboxes and views of the request that only the edge can decide. */
  readonly remoteMboxes: readonly string[];
  readonly remoteViews: readonly string[];
}

/** The one contract of everything that can decide. */
export type Decider = (call: Call) => Promise<Decision>;

/** A decider in this process, which may have to leave a call to the edge. */
export interface LocalDecider {
  readonly decide: Decider;
  /** Whether the edge has to decide this request, in whole. */
  needsEdge(request: ResolvedDeliveryRequest): boolean;
}

/** Which decider answers a call: the edge, unless the method asks for this process and it can. */
export function chooseDecider(
  { request, decisioningMethod }: Call,
  edge: Decider,
  local: LocalDecider | undefined,
): Decider {
  if (decisioningMethod === 'server-side') return edge;
  if (decisioningMethod === 'hybrid' && (!local || local.needsEdge(request))) return edge;
  return local?.decide ?? notReady;
}

const notReady: Decider = async () => {
  throw new TargetError('ERR_TARGET_NOT_READY', 'Unable to fulfill request; decisioning engine not ready.');
};
