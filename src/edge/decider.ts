import type { EdgeDecider } from '../decide.js';
import type { ResolvedDeliveryRequest } from '../delivery-api.js';
import { checkMboxCount } from '../request/edge-limits.js';
import type { EdgeRoute } from './route.js';

/** The server-side decider. */
export function createEdgeDecider({ deliver }: EdgeRoute): EdgeDecider {
  return async (call) => {
    checkMboxCount(call.request);
    const { request, response, locationHint } = await deliver(call);
    return {
      // It was sent with the id of the call: there is nothing to add.
      request: request as ResolvedDeliveryRequest,
      response,
      decidedBy: 'server-side',
      locationHint,
      remoteMboxes: [],
      remoteViews: [],
    };
  };
}
