import { invalidOption } from '../errors.js';
import type { TargetClient } from '../index.js';
import { toUrl } from '../visits/page-url.js';
import { cookiesOfProxy } from '../visits/proxy-identity.js';
import { nameOf, readSetCookie, type WrittenCookie, withCookies } from '../visits/written-cookies.js';
import type { NextOptions } from './next-options.js';
import {
  KIND_HEADER,
  MAX_URL_LENGTH,
  type ReadRequest,
  readWebRequest,
  URL_HEADER,
} from './next-requests.js';
import type { VisitMaker } from './next-visits.js';

/** An answer that a proxy adds to, such as a `NextResponse`. */
export interface NextAnswerLike {
  readonly headers: Headers;
}

/** A request that a proxy has begun. */
export interface BegunRequest {
  /** The headers for the rest of Next.js: those of the request, with the visitor's identity and the URL of the page. */
  readonly headers: Headers;
  /**
   * Adds the visitor's cookies to an answer, with `Cache-Control: private, no-store`, and returns the answer. The `cookies`
   * of a `NextResponse` know them too, so the program can set others before and after. An answer whose headers cannot be
   * changed is copied.
   */
  apply<Answer extends NextAnswerLike>(response: Answer): Answer;
}

/** Begins a request in a proxy. */
export async function beginRequest(
  request: Request,
  client: () => TargetClient,
  options: NextOptions,
  visits: VisitMaker,
): Promise<BegunRequest> {
  const read = readWebRequest(request, options.trustProxy);
  const kind = kindOf(request, read);
  const before = visits.find(request)?.setCookies ?? [];
  const lines =
    before.length > 0 || kind === 'file'
      ? before
      : await cookiesOfProxy(
          client(),
          { incoming: read.incoming, kind },
          options.visits,
          options.newVisitors,
        );
  const headers = toForwarded(request, read, lines);
  // Calls of the proxy itself find the visitor that the page finds.
  const header = (name: string) => headers.get(name) ?? undefined;
  visits.know(request, { ...read, incoming: { ...read.incoming, header } });
  const applied = new WeakSet<object>();
  return {
    headers,
    apply: (response) => {
      if (typeof response?.headers?.append !== 'function') {
        throw invalidOption(
          'response',
          'a response, such as NextResponse.next({ request: { headers } })',
          response,
        );
      }
      if (applied.has(response)) {
        return response;
      }
      const visit = options.visits.clientHints ? visits.of(request, () => read) : visits.find(request);
      const answer = withHeaders(response, withDue(lines, visit?.headers() ?? []));
      applied.add(answer);
      return answer;
    },
  };
}

/** The kinds of requests: for a page that a browser shows, of the router of Next.js, for a file, or for anything else. */
type Kind = 'page' | 'router' | 'file' | 'other';

function kindOf({ url, method, headers }: Request, { incoming, isOfRouter }: ReadRequest): Kind {
  const path = toUrl(incoming.url || url)?.pathname ?? '';
  if (/^\/_next\/(?!data\/)/.test(path)) {
    return 'file';
  }
  // The answer to a server action has the page in it, as those to the router have.
  const isRendering = isOfRouter || (method === 'POST' && headers.has('next-action'));
  // Browsers send this header to hosts that they trust: over https, and to the same machine.
  const wanted = headers.get('sec-fetch-dest');
  if (wanted !== null) {
    const isShown = /^i?frame$|^document$/.test(wanted);
    return isShown ? 'page' : wanted !== 'empty' ? 'file' : isRendering ? 'router' : 'other';
  }
  if (isRendering) {
    return 'router';
  }
  const isHtml = headers.get('accept')?.includes('text/html') === true;
  return isHtml ? 'page' : /\.\w{2,5}$/.test(path) ? 'file' : 'other';
}

function toForwarded(
  { headers: given, method }: Request,
  { incoming, isOfRouter }: ReadRequest,
  lines: readonly string[],
): Headers {
  const headers = new Headers(given);
  headers.delete(URL_HEADER);
  headers.delete(KIND_HEADER);
  if (incoming.url !== '') {
    headers.set(URL_HEADER, incoming.url.slice(0, MAX_URL_LENGTH));
    headers.set(KIND_HEADER, isOfRouter ? `${method} router` : method);
  }
  if (lines.length > 0) {
    headers.set('cookie', withCookies(headers.get('cookie'), lines));
  }
  return headers;
}

type Header = readonly [name: string, value: string];

function isSetCookie([name]: Header): boolean {
  return name === 'Set-Cookie';
}

/** Returns the headers of a visit, with the lines of the proxy for those cookies that the visit does not write. */
function withDue(lines: readonly string[], due: readonly Header[]): Header[] {
  const names = due.filter(isSetCookie).map(([, line]) => nameOf(line));
  const own = lines.filter((line) => !names.includes(nameOf(line)));
  return [...own.map((line): Header => ['Set-Cookie', line]), ...due];
}

function withHeaders<Answer extends NextAnswerLike>(response: Answer, headers: readonly Header[]): Answer {
  // No cache may keep a visitor's cookie for others, also when the program sets the header of its pages itself.
  const all: Header[] = headers.some(isSetCookie)
    ? [...headers, ['Cache-Control', 'private, no-store']]
    : [...headers];
  try {
    addHeaders(response, all);
    return response;
  } catch {
    // The headers of an answer of `fetch` or of `Response.redirect` cannot be changed, but those of a copy can.
    const given = response as unknown as Response;
    const copy = new Response(given.body, given);
    addHeaders(copy, all);
    return copy as unknown as Answer;
  }
}

function addHeaders(response: NextAnswerLike, headers: readonly Header[]): void {
  const { headers: to, cookies: jar } = response as NextAnswerLike & { readonly cookies?: CookieJar | null };
  const lines = headers.filter(isSetCookie).map(([, line]) => line);
  if (typeof jar?.set === 'function' && lines.length > 0) {
    const before = to.getSetCookie();
    for (const { name, value, attributes } of lines.map(readSetCookie)) {
      jar.set(name, value, attributes);
    }
    // The jar knows the cookies now. It has dropped the lines of others, so all are written as they were.
    to.delete('Set-Cookie');
    for (const line of before) {
      to.append('Set-Cookie', line);
    }
  }
  for (const [name, value] of headers) {
    to[name === 'Cache-Control' ? 'set' : 'append'](name, value);
  }
}

/** The cookies of a `NextResponse`. Each `set` writes all cookies anew that it knows, and drops all other lines. */
interface CookieJar {
  set(name: string, value: string, attributes: WrittenCookie['attributes']): unknown;
}
