import { parse } from 'tldts';
import { createBoundedCache } from './bounded-cache.js';

/**
 * Holds the parts of a URL that conditions read, as `page` or `referring`. Names that end in `_lc` are in lower case.
 */
export interface Page {
  readonly url: string;
  readonly path: string;
  readonly query: string;
  readonly fragment: string;
  readonly subdomain: string;
  readonly domain: string;
  readonly topLevelDomain: string;
  readonly url_lc: string;
  readonly path_lc: string;
  readonly query_lc: string;
  readonly fragment_lc: string;
  readonly subdomain_lc: string;
  readonly domain_lc: string;
  readonly topLevelDomain_lc: string;
}

/**
 * Longest part of a URL that is parsed, in characters. The limit exists because a visitor can send a URL of any
 * length.
 */
const MAX_LENGTH = 4096;

const pagesByUrl = createBoundedCache<Page>(250);

/**
 * Parses a URL, also one that has no scheme. All parts but `url` are empty when there is no URL or it cannot be
 * parsed. Results are cached.
 */
export function parsePage(url: string | null | undefined): Page {
  const text = typeof url === 'string' ? url.slice(0, MAX_LENGTH) : '';
  const cached = pagesByUrl.get(text);
  if (cached) {
    return cached;
  }
  const page = toPage(text);
  pagesByUrl.set(text, page);
  return page;
}

/**
 * Matches a URL that begins with a scheme. `http:` and `https:` need no slashes, unless a digit follows: `https:80`
 * is a host and a port. Other schemes need `//` after the colon: `localhost:80` is a host and a port too.
 */
const HAS_SCHEME = /^(?:https?:(?!\d)|[a-z][a-z0-9+.-]*:\/\/)/i;
/** Base for parsing a URL that has no host. It never appears in a result. */
const NO_HOST = 'http://no-host.invalid';

function toPage(url: string): Page {
  const trimmed = url.trim();
  const relative = /^(?:[?#]|\/(?!\/))/.test(trimmed);
  const parsed = trimmed === '' ? null : parseUrl(trimmed, relative);
  const path = parsed?.pathname ?? '';
  const query = parsed?.search.slice(1) ?? '';
  const fragment = parsed?.hash.slice(1) ?? '';
  const { subdomain, domain, topLevelDomain } = parseHost(relative ? '' : (parsed?.hostname ?? ''));
  return Object.freeze({
    url,
    path,
    query,
    fragment,
    subdomain,
    domain,
    topLevelDomain,
    url_lc: url.toLowerCase(),
    path_lc: path.toLowerCase(),
    query_lc: query.toLowerCase(),
    fragment_lc: fragment.toLowerCase(),
    subdomain_lc: subdomain.toLowerCase(),
    domain_lc: domain.toLowerCase(),
    topLevelDomain_lc: topLevelDomain.toLowerCase(),
  });
}

function parseUrl(url: string, relative: boolean): URL | null {
  try {
    if (relative) {
      return new URL(url, NO_HOST);
    }
    if (HAS_SCHEME.test(url)) {
      return new URL(url);
    }
    return new URL(url.startsWith('//') ? `http:${url}` : `http://${url}`);
  } catch {
    return null;
  }
}

interface Host {
  readonly subdomain: string;
  readonly domain: string;
  readonly topLevelDomain: string;
}

/**
 * Splits a host name by the public suffix list (https://publicsuffix.org). A host without a suffix of that list is
 * its own domain: an IP address, a single label, a host of an intranet.
 */
function parseHost(hostname: string): Host {
  const host = hostname.endsWith('.') ? hostname.slice(0, -1) : hostname;
  const { domain, subdomain, publicSuffix, isIcann, isPrivate } = parse(host, {
    allowPrivateDomains: true,
    extractHostname: false,
    validateHostname: false,
  });
  if (!domain || !(isIcann || isPrivate)) {
    return { subdomain: '', domain: host, topLevelDomain: '' };
  }
  return { subdomain: withoutWww(subdomain ?? ''), domain, topLevelDomain: publicSuffix ?? '' };
}

function withoutWww(subdomain: string): string {
  if (subdomain === 'www') {
    return '';
  }
  return subdomain.startsWith('www.') ? subdomain.slice(4) : subdomain;
}
