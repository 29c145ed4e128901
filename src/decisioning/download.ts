import { TargetError } from '../errors.js';
import type { AbortSignalLike, Exchanged, Transport } from '../transport.js';

/** A file to get from the CDN. */
export interface DownloadRequest {
  readonly what: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly requestId: string;
  readonly timeoutMs: number;
  /** Repetitions of each request on a passing fault. */
  readonly retry: Parameters<Transport['exchange']>[0]['retry'];
  readonly signal?: AbortSignalLike | undefined;
}

/** How often an unchanged or moved file is asked for again. */
export const NO_RETRY = { retries: 0, minTimeoutMs: 0, maxTimeoutMs: 0, factor: 1, jitter: false } as const;

const REDIRECTS = [301, 302, 303, 307, 308];
const MAX_REDIRECTS = 3;
const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** Gets a file, or a 304. Follows at most three redirects, never from https to http: no visitor's id travels along. */
export async function download(transport: Transport, request: DownloadRequest): Promise<Exchanged> {
  const deadline = performance.now() + request.timeoutMs;
  let { url } = request;
  for (let redirects = 0; ; redirects += 1) {
    const answer = await transport.exchange({
      ...request,
      url,
      method: 'GET',
      maxBytes: MAX_BODY_BYTES,
      timeoutMs: Math.max(1, deadline - performance.now()),
      accepts: [304, ...REDIRECTS],
    });
    if (!REDIRECTS.includes(answer.status)) return answer;
    const next = toRedirected(url, answer.headers.get('location'));
    if (next === undefined || redirects === MAX_REDIRECTS) {
      const { what, requestId } = request;
      const result =
        next === undefined ? 'was redirected to where it must not go' : 'was redirected too often';
      throw new TargetError('ERR_TARGET_RESPONSE', `the ${what} ${result}`, {
        status: answer.status,
        requestId,
      });
    }
    url = next;
  }
}

function toRedirected(from: string, location: string | null): string | undefined {
  if (!location || !URL.canParse(location, from)) return undefined;
  const { protocol, href } = new URL(location, from);
  const isAllowed = protocol === 'https:' || (protocol === 'http:' && from.startsWith('http:'));
  return isAllowed ? href : undefined;
}
