import { utf8Length } from '#platform';
import type { QueuedDelivery } from '../config/notification-outbox.js';
import type { Delivery } from '../request/call.js';
import { notificationsOf } from './notification-fates.js';
import { jsonOf } from './written-report.js';

/** The version of the format of {@link QueuedDelivery.data}. A process leaves other versions to newer processes. */
export const FORMAT = 1;
/** The most bytes of the data of one delivery. A larger one is sent directly. */
export const MAX_DATA_BYTES = 64 * 1024;

/** The facts about a delivery that its data carries beside the call. */
export interface DeliveryStamp {
  readonly id: string;
  /** The time at which the delivery was queued, in ms since 1970. */
  readonly madeMs: number;
  /** True for a report of what a browser has shown. Its notifications go one by one after a refusal. */
  readonly isOfBrowser: boolean;
}

/** A delivery for another process, and the bytes of its data. */
export interface WrittenDelivery {
  readonly delivery: QueuedDelivery;
  readonly bytes: number;
}

/** Writes a delivery call for another process. Its data may be larger than `MAX_DATA_BYTES`. */
export function writeDelivery(call: Delivery, { id, madeMs, isOfBrowser }: DeliveryStamp): WrittenDelivery {
  const { encodedSessionId, locationHint, decisioningMethod, request } = call;
  // The session is percent-encoded, and the other texts are the SDK's own. So none of them needs escaping.
  const hint = locationHint === undefined ? '' : `,"h":"${locationHint}"`;
  const browser = isOfBrowser ? ',"b":1' : '';
  const head = `{"v":${FORMAT},"i":"${id}","t":${madeMs},"s":"${encodedSessionId}"${hint}${browser}`;
  const data = `${head},"m":"${decisioningMethod}","r":${jsonOf(request)}}`;
  const notifications = notificationsOf(call).length;
  const delivery = Object.freeze({ id, visitor: visitorOf(call), notifications, data });
  return { delivery, bytes: utf8Length(data) };
}

/** Returns the id by which the deliveries of one visitor belong together. */
export function visitorOf({ request, encodedSessionId }: Delivery): string {
  const { marketingCloudVisitorId, tntId } = request.id ?? {};
  return marketingCloudVisitorId || tntId || decodeURIComponent(encodedSessionId);
}
