import { invalidOption } from '../errors.js';
import type { TargetClient } from '../index.js';
import { isObject } from '../json.js';
import type { VisitSupport } from '../visit-support.js';
import type { IncomingRequest } from './incoming-request.js';
import { checkVisitOptions, VISIT_OPTIONS, type VisitOptions } from './visit-options.js';

/**
 * Checks the client, the request and the options of a visit, and returns the parts of the client that visits need.
 *
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a wrong value. `path` of the error names it.
 */
export function toVisitSupport(
  client: TargetClient,
  incoming: IncomingRequest,
  options: VisitOptions,
): VisitSupport {
  checkVisitOptions(options);
  const support: VisitSupport | undefined = client?.forVisits;
  if (!support) {
    throw invalidOption('client', 'a TargetClient', client);
  }
  if (!isObject(incoming)) {
    throw invalidOption('incoming', 'an IncomingRequest', incoming);
  }
  support.warnOfMisspelt(options, VISIT_OPTIONS);
  return support;
}
