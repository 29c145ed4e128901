import { ownFieldOf } from '../inherited-names.js';
import type { IncomingRequest } from './incoming-request.js';

/** The maximum number of characters of a URL or a `Cookie` header that are read. */
export const MAX_READ_LENGTH = 64 * 1024;

/** Parses a text as an absolute URL. Returns undefined for any other text. */
export function toUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

/**
 * Returns the host of a URL, with the port unless it is the default of either scheme: behind a proxy that ends TLS, a server
 * may know its own pages by `http:`. A text that is no URL has none.
 */
export function hostOf(url: URL | string): string {
  const host = (typeof url === 'string' ? toUrl(url) : url)?.host ?? '';
  return host.replace(/:(?:80|443)$/, '');
}

/**
 * Reads the parameters of the page's URL, if the URL has the name of one that is wanted. Most URLs do not, and parsing one
 * takes longer than looking for a text in it. The function never throws.
 */
export function queryWith(incoming: IncomingRequest, name: string): URLSearchParams | undefined {
  const url = urlOf(incoming);
  return url.includes(name) ? toUrl(url)?.searchParams : undefined;
}

/** Reads the URL of a request, which a program may have made itself. A URL that cannot be read is empty. */
export function urlOf(incoming: IncomingRequest): string {
  try {
    const url = ownFieldOf(incoming, 'url');
    return typeof url === 'string' ? url.slice(0, MAX_READ_LENGTH) : '';
  } catch {
    return '';
  }
}

/**
 * Reads the beginning of a header of a request, which a program may have made itself. An empty header counts as absent,
 * and so does one that cannot be read.
 */
export function headerOf(incoming: IncomingRequest, name: string, maxLength: number): string | undefined {
  try {
    const value: unknown = incoming.header(name);
    return typeof value === 'string' && value !== '' ? cut(value, maxLength) : undefined;
  } catch {
    return undefined;
  }
}

/** Cuts a text, but not inside a surrogate pair. */
export function cut(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : text.slice(0, maxLength).replace(/[\ud800-\udbff]$/, '');
}

/** Tells whether a value is the path of a page of the same host. Browsers take two slashes for another host. */
export function isPath(value: unknown): value is string {
  return typeof value === 'string' && /^\/(?![/\\])[^\s\\\p{Cc}]*$/u.test(value);
}
