import { parse } from 'tldts';
import { createBoundedCache } from './bounded-cache.js';

/** What conditions see of a URL, as `page` or `referring`. */
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

/** No more of a URL than this is looked at: a visitor can send anything. */
const MAX_LENGTH = 4096;

const pagesByUrl = createBoundedCache<Page>(250);

/** The parts of a URL, for one without a scheme too; all of them empty where there is none or it cannot be parsed. */
export function parsePage(url: string | null | undefined): Page {
  const text = typeof url === 'string' ? url.slice(0, MAX_LENGTH) : '';
  const cached = pagesByUrl.get(text);
  if (cached) return cached;
  const page = toPage(text);
  pagesByUrl.set(text, page);
  return page;
}

/** Of the web it takes no slashes, but `localhost:80` and `https:80` are hosts with ports. */
const HAS_SCHEME = /^(?:https?:(?!\d)|[a-z][a-z0-9+.-]*:\/\/)/i;
/** Stands for the host of a URL that has none; never seen outside. */
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
    if (relative) return new URL(url, NO_HOST);
    if (HAS_SCHEME.test(url)) return new URL(url);
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

/** A host without a suffix of the public list (an IP address, a single label, an intranet) is its own domain. */
function parseHost(hostname: string): Host {
  const host = hostname.endsWith('.') ? hostname.slice(0, -1) : hostname;
  const { domain, subdomain, publicSuffix, isIcann, isPrivate } = parse(host, {
    allowPrivateDomains: true,
    extractHostname: false,
    validateHostname: false,
  });
  if (!domain || !(isIcann || isPrivate)) return { subdomain: '', domain: host, topLevelDomain: '' };
  return { subdomain: withoutWww(subdomain ?? ''), domain, topLevelDomain: publicSuffix ?? '' };
}

function withoutWww(subdomain: string): string {
  if (subdomain === 'www') return '';
  return subdomain.startsWith('www.') ? subdomain.slice(4) : subdomain;
}
