import { type CookieOptions, readCookies } from './cookies.js';
import type { IncomingRequest } from './incoming-request.js';

export function readIdentity(
  incoming: IncomingRequest,
  organizationId: string,
  _nowMs: number,
): CookieOptions {
  return readCookies(incoming.header('cookie'), organizationId);
}
