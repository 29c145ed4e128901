import { invalidField, TargetError } from '../errors.js';
import { ownOf } from '../inherited-names.js';
import { isRecord } from '../json.js';
import type { CopiedRequest } from '../request/copy-request.js';
import type { VisitSupport } from '../visit-support.js';
import type { TrackOptions } from './visit-call.js';

/** The path of a conversion's fields in its request. */
const INNER = 'execute.mboxes[0].';

/**
 * Makes the request of a conversion.
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` that names the field as the caller wrote it.
 */
export function toConversion(
  name: string,
  options: TrackOptions,
  support: Pick<VisitSupport, 'checkRequest' | 'toError'>,
): CopiedRequest {
  try {
    if (!isRecord(options)) {
      throw invalidField('options', 'an object', options);
    }
    // The options of a class may be getters, which a spread does not find.
    const { order, parameters, profileParameters } = ownOf(options);
    const mbox = { ...options, order, parameters, profileParameters, name };
    return support.checkRequest({ execute: { mboxes: [mbox] } });
  } catch (thrown) {
    const error = support.toError(thrown, { request: { options } });
    const { code, message, path, cause } = error;
    throw path?.startsWith(INNER)
      ? new TargetError(code, message.replace(INNER, ''), { path: path.slice(INNER.length), cause })
      : error;
  }
}
