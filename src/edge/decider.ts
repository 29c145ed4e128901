import type { EdgeDecider } from '../decide.js';
import type { ResolvedDeliveryRequest } from '../delivery-api.js';
import { checkMboxCount } from '../request/edge-limits.js';
import type { EdgeRoute } from './route.js';

/** Makes the decider that asks the edge. */
export function createEdgeDecider({ deliver }: EdgeRoute): EdgeDecider {
  return async (call) => {
    checkMboxCount(call.request);
    const { request, response, locationHint, exchanged } = await deliver(call);
    return {
      // The request was sent with the id of the call, so no id has to be added.
      request: request as ResolvedDeliveryRequest,
      response,
      decidedBy: 'server-side',
      locationHint,
      remoteMboxes: [],
      remoteViews: [],
      attempts: exchanged.attempts,
    };
  };
}
