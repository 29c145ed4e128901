import { toBase64, toBytes } from '#platform';
import { TargetError } from '../errors.js';
import type { Exchanged } from './exchange.js';
import type { AbortSignalLike } from './fetch-api.js';
import { decodeUrlPart, toUrl } from './hosts.js';
import type { RetryPolicy } from './retry.js';
import type { Transport } from './transport.js';

/** A file to download from the CDN. */
export interface DownloadRequest {
  /** Name of the request in error messages, such as `artifact download`. */
  readonly what: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly requestId: string;
  /** Time in ms for all attempts and redirects together. */
  readonly timeoutMs: number;
  /** The maximum number of bytes of the answer, after decoding. */
  readonly maxBytes: number;
  readonly retry: RetryPolicy;
  /** True when the headers say something about a visitor. No redirect may carry them to another host. */
  readonly isPersonal: boolean;
  readonly signal: AbortSignalLike | undefined;
}

const REDIRECTS = [301, 302, 303, 307, 308];
const MAX_REDIRECTS = 3;

/**
 * Downloads a file, or returns a 304. Follows at most three redirects, and none from https to http. A request with
 * personal headers is not redirected to another host. The attempts of the answer are those of all redirects together.
 * @throws TargetError `ERR_TARGET_RESPONSE` when a redirect is not followed, besides the errors of `exchange`
 */
export async function download(transport: Transport, request: DownloadRequest): Promise<Exchanged> {
  const deadline = performance.now() + request.timeoutMs;
  let url = new URL(request.url);
  const { origin } = url;
  let attempts = 0;
  const authorization = authorizationOf(url);
  for (let redirects = 0; ; redirects += 1) {
    const isKnown = authorization !== undefined && url.origin === origin;
    const answer = await transport.exchange({
      ...request,
      url: toSentUrl(url),
      headers: isKnown ? { ...request.headers, Authorization: authorization } : request.headers,
      method: 'GET',
      timeoutMs: Math.max(1, Math.ceil(deadline - performance.now())),
      accepts: [304, ...REDIRECTS],
      body: undefined,
      bodyId: undefined,
      isReport: false,
      givesUpOn: undefined,
    });
    attempts += answer.attempts;
    if (!REDIRECTS.includes(answer.status)) {
      return { ...answer, attempts };
    }
    const next = toRedirected(url, answer.headers.get('location'));
    if (next === undefined) {
      throw failure(request, answer, 'was redirected to where it must not go');
    }
    if (request.isPersonal && !staysOnHost(url, next)) {
      throw failure(request, answer, 'was redirected to another host');
    }
    if (redirects === MAX_REDIRECTS) {
      throw failure(request, answer, 'was redirected too often');
    }
    url = next;
  }
}

/** Writes the user and password of a URL as a header, because a fetch refuses a URL that holds them. */
function authorizationOf({ username, password }: URL): string | undefined {
  if (username === '' && password === '') {
    return undefined;
  }
  return `Basic ${toBase64(toBytes(`${decodeUrlPart(username)}:${decodeUrlPart(password)}`))}`;
}

/** Removes user and password from a URL, and its fragment, which is not sent. */
function toSentUrl({ href }: URL): string {
  const url = new URL(href);
  url.username = '';
  url.password = '';
  url.hash = '';
  return url.href;
}

function failure({ what, requestId }: DownloadRequest, { status }: Exchanged, result: string): TargetError {
  return new TargetError('ERR_TARGET_RESPONSE', `the ${what} ${result}`, { status, requestId });
}

function toRedirected(from: URL, location: string | null): URL | undefined {
  const to = location ? toUrl(location, from.href) : undefined;
  const isAllowed = to?.protocol === 'https:' || (to?.protocol === 'http:' && from.protocol === 'http:');
  return isAllowed ? to : undefined;
}

/**
 * Tells whether a redirect stays on its host. Another port is another host, unless the redirect goes from http to
 * https.
 */
function staysOnHost(from: URL, to: URL): boolean {
  return to.protocol === from.protocol ? to.host === from.host : to.hostname === from.hostname;
}
