import type { TargetError } from '../errors.js';
import { verdictOn } from '../http/retry.js';
import { ownOf } from '../inherited-names.js';
import type { Delivery } from '../request/call.js';
import { notificationsOf } from './notification-fates.js';
import type { QueuedCall } from './queue-lanes.js';
import { jsonOf } from './written-report.js';

/** The status of an answer to a body that is too large for the edge or for a proxy. */
const TOO_LARGE = 413;

/**
 * Returns the smaller calls that may work after an error that another attempt would repeat. There are none when nothing
 * would be gained.
 *
 * A call that is too large becomes two calls with half of its notifications each. One wrong token spoils a whole
 * request, so each notification of a browser goes alone after a refusal.
 */
export function partsAfter(
  error: TargetError,
  { call, isOfBrowser }: Pick<QueuedCall, 'call' | 'isOfBrowser'>,
): Delivery[] {
  const count = notificationsOf(call).length;
  if (count < 2) {
    return [];
  }
  if (isOfBrowser) {
    return verdictOn(error).saysOfHost === 'answered' ? split(call, 1) : [];
  }
  return ownOf(error).status === TOO_LARGE ? split(call, Math.ceil(count / 2)) : [];
}

/**
 * Splits a call. The parts come from the JSON that was written when the call was made, because the caller may have
 * changed parts of the object since.
 */
function split(call: Delivery, size: number): Delivery[] {
  const written: Delivery['request'] = JSON.parse(jsonOf(call.request));
  // The parts have no `requestId`. So each gets an id of its own, and the answers to them cannot be confused.
  const { requestId: _, notifications = [], ...request } = written;
  const parts: Delivery[] = [];
  for (let start = 0; start < notifications.length; start += size) {
    parts.push({ ...call, request: { ...request, notifications: notifications.slice(start, start + size) } });
  }
  return parts;
}
