import type { ResolvedDeliveryRequest } from '../delivery-api.js';
import type { Logger } from '../logger.js';
import type { DisplayReport } from './display-report.js';
import { hasOrders, unreportedOrder } from './purchases.js';
import { type EdgeOnlyField, edgeOnlyFields } from './remote-dependency.js';

const AS_LIVE = 'is ignored on-device: a tester gets the offers of any visitor, and is counted as one';

/** Warnings about fields that an on-device decision ignores, because only the edge can process them. */
const LOSSES: Readonly<Record<EdgeOnlyField, string>> = {
  qaMode: `qaMode ${AS_LIVE}`,
  preview: `preview ${AS_LIVE}`,
  'experienceCloud.analytics.logging':
    "experienceCloud.analytics.logging 'client_side' is ignored on-device: the answer has no Analytics payload, and Target tells Analytics nothing",
};

const ASK_THE_EDGE = 'decide such requests by hybrid or server-side';

/**
 * Warns of the parts of a request that are lost because the edge was not asked. A `hybrid` call with such a request
 * does not come here, because it goes to the edge.
 */
export function warnOfLosses(
  request: ResolvedDeliveryRequest,
  report: DisplayReport | undefined,
  logger: Logger,
): void {
  for (const field of edgeOnlyFields(request)) {
    logger.warn(`${LOSSES[field]}; ${ASK_THE_EDGE}`);
  }
  const path = hasOrders(request) ? unreportedOrder(request, report?.notifications ?? []) : undefined;
  if (path === undefined) {
    return;
  }
  const why = 'was not reported, because no display of that location is';
  logger.warn(`the order or product of ${path} ${why}; ${ASK_THE_EDGE}, or send it with sendNotifications`);
}
