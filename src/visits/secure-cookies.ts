import { ownOf } from '../inherited-names.js';
import type { IncomingRequest } from './incoming-request.js';
import { urlOf } from './page-url.js';
import type { VisitCookieOptions, WrittenCookieOptions } from './visit-options.js';

/**
 * Returns the attributes of the cookies for the answer to a request. Its URL decides `secure: 'auto'`. A page whose URL
 * is unknown is secure.
 */
export function toWrittenCookies(
  given: VisitCookieOptions | null | undefined,
  incoming: IncomingRequest,
): WrittenCookieOptions | undefined {
  const cookies = ownOf(given ?? undefined);
  const secure = cookies?.secure;
  if (!cookies || secure !== 'auto') {
    return cookies as WrittenCookieOptions | undefined;
  }
  const isPlain = /^http:/i.test(urlOf(incoming));
  // A spread would not find the attributes that are getters of a class.
  return Object.create(cookies, { secure: { value: !isPlain, enumerable: true } });
}
