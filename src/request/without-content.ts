import { invalidField } from '../errors.js';
import { copyWith, ownOf } from '../inherited-names.js';
import { isRecord } from '../json.js';
import type { DeliveryRequest } from './loose-request.js';

/** The parts of a request that ask for something or report something. */
const CONTENT = ['execute', 'prefetch', 'notifications'] as const;

/**
 * Returns the request of a call that asks only who the visitor is. It always has a context, because a request cannot be
 * empty. A request that is no object is returned as it is, and the check of the request names the fault later.
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` when the request asks for offers or reports something.
 */
export function withoutContent(written: DeliveryRequest | null | undefined): DeliveryRequest {
  const request = written ?? {};
  if (!isRecord(request)) {
    return request;
  }
  const own = ownOf(request);
  for (const part of CONTENT) {
    const given = own[part];
    if (given && !(Array.isArray(given) && given.length === 0)) {
      throw invalidField(part, 'absent in a call of identify', given);
    }
  }
  const context = { channel: 'web' } as const;
  return own.context ? request : copyWith(request, { context });
}
