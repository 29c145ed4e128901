import { utf8Length } from '#platform';
import type { Delivery } from '../request/call.js';
import { jsonOf } from './written-report.js';

/** The queue estimates bytes instead of counting them while it uses at most this share of its limit. */
const ESTIMATED_SHARE = 1 / 32;
/** The largest number of UTF-8 bytes for one UTF-16 unit of a JavaScript string. */
const MAX_BYTES_A_CHARACTER = 3;

/**
 * Returns the bytes that a call takes of the queue's limit, given the bytes that are used already. A nearly empty queue
 * takes a quick upper estimate, because an exact count takes a noticeable part of the time of a decision (benchmark
 * on-device/10-mboxes).
 */
export function queuedBytesOf({ request }: Delivery, usedBytes: number, maxBytes: number): number {
  const json = jsonOf(request);
  const { length } = json;
  const most = MAX_BYTES_A_CHARACTER * length;
  if (usedBytes + most <= ESTIMATED_SHARE * maxBytes) {
    return most;
  }
  const bytes = utf8Length(json);
  // JavaScript engines store a string with characters beyond Latin-1 in two bytes each.
  return bytes === length ? length : Math.max(bytes, 2 * length);
}
