import { ownFieldOf } from '../inherited-names.js';
import type { IncomingRequest } from './incoming-request.js';
import { headerOf } from './page-url.js';

/**
 * The headers of a speculative request. Chromium and Firefox send `Sec-Purpose`, older versions of them `Purpose` and
 * `X-Moz`, and the previews of Safari and Facebook's app `X-Purpose`.
 * @see https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Purpose
 */
const PURPOSES = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'];
const SPECULATIVE = /(?:^|[\s,:;"])(?:prefetch|prerender|preview)(?:$|[\s,:;"])/i;
const MAX_LENGTH = 1024;

/**
 * Tells whether a browser, or the router of Next.js, loads a page that the visitor may never see. An impression of such
 * a page must not be counted. It never throws.
 *
 * @example
 * ```ts
 * const request = isPrefetch(incoming) ? { prefetch: { mboxes } } : { execute: { mboxes } };
 * ```
 */
export function isPrefetch(incoming: IncomingRequest): boolean {
  if (PURPOSES.some((name) => SPECULATIVE.test(headerOf(incoming, name, MAX_LENGTH) ?? ''))) {
    return true;
  }
  // The router sends 1 for the static part of a page, and 2 for all of it.
  const ofRouter = headerOf(incoming, 'next-router-prefetch', MAX_LENGTH)?.trim();
  return ofRouter !== undefined && ofRouter !== '' && ofRouter !== '0';
}

/**
 * Tells whether nobody sees the answer of a request: a speculative request, or one whose method gives no page. It never
 * throws.
 */
export function isUnseen(incoming: IncomingRequest): boolean {
  return hasNoPage(incoming) || isPrefetch(incoming);
}

/** Tells whether the answer of a request has no page, because of its method. It never throws. */
export function hasNoPage(incoming: IncomingRequest): boolean {
  const method = methodOf(incoming);
  return method === 'HEAD' || method === 'OPTIONS';
}

function methodOf(incoming: IncomingRequest): string {
  try {
    const method = ownFieldOf(incoming, 'method');
    return typeof method === 'string' ? method.toUpperCase() : 'GET';
  } catch {
    return 'GET';
  }
}
