import { invalidOption } from '../errors.js';
import { isObject } from '../json.js';
import { hostOf } from '../visits/page-url.js';
import {
  fromFetchRequest,
  fromNodeRequest,
  type IncomingRequest,
  type NodeRequestLike,
  type VisitOptions,
} from './http.js';

/**
 * The header by which a proxy tells the page its URL, which server components do not know. The proxy overwrites what a
 * browser sends.
 */
export const URL_HEADER = 'x-target-url';
/** The header by which a proxy tells the page how it was asked for: the method, and whether the router asked. */
export const KIND_HEADER = 'x-target-request';
/** The maximum number of characters of a page's URL that go to the page. */
export const MAX_URL_LENGTH = 4096;

/** A request as visits read it, and whether the router of Next.js has sent it. */
export interface ReadRequest {
  readonly incoming: IncomingRequest;
  /**
   * True when the router has asked for a page. It may do so before the visitor wants it, and Next.js hides from programs
   * whether it did.
   */
  readonly isOfRouter: boolean;
  /** True when a browser asks for a page, and no proxy has said which one. */
  readonly isUnproxied?: boolean;
}

/** The headers of a request, as the Fetch API has them. */
type HeadersLike = Pick<Headers, 'get'> & Iterable<[name: string, value: string]>;

/** The request of a proxy or of a handler, as far as it is used. */
export interface WebRequestLike {
  readonly method: string;
  readonly url: string;
  readonly headers: HeadersLike;
}

/**
 * Reads a request that has a URL. Errors by which Next.js learns that a handler is dynamic pass as they are.
 *
 * Its host is that of the headers: `next start` has the name of the machine in the URL of
 * a request.
 */
export function readWebRequest(request: WebRequestLike, trustProxy: boolean | number): ReadRequest {
  // A request of Node has headers too, but no such function.
  if (typeof request?.headers?.get !== 'function') {
    throw invalidOption('request', 'a Request, or a request of Node with its response', request);
  }
  const { method, headers } = request;
  const { header, url: whole } = fromFetchRequest(request);
  const { pathname = '/', search = '', protocol } = whole === '' ? {} : new URL(whole);
  const own = { url: pathname + search, isSecure: protocol === 'https:' };
  const { url, ipAddress } = readAddress(Object.fromEntries(headers), own, trustProxy);
  // The router has sent this header with requests that may be too early since Next.js 15, and with all since 16.
  const isOfRouter = method === 'GET' && (headers.get('next-url') ?? headers.get('rsc')) !== null;
  return { incoming: { url: url || whole, method, ipAddress, header }, isOfRouter };
}

/** Reads a request of which only the headers are known. */
export function readHeaders(headers: HeadersLike, trustProxy: boolean | number): ReadRequest {
  const { header } = fromFetchRequest({ url: '', headers });
  const home = { url: '/', isSecure: isSecured(header) };
  const { url, ipAddress } = readAddress(Object.fromEntries(headers), home, trustProxy);
  const method = header('next-action') === undefined ? 'GET' : 'POST';
  const plain = { incoming: { url, method, ipAddress, header }, isOfRouter: false };
  const read = behindProxy(plain);
  const isPage = /^document$|html/.test(header('sec-fetch-dest') ?? header('accept') ?? '');
  return { ...read, isUnproxied: read === plain && isPage };
}

/** Reads a request of the Pages Router. */
export function readNodeRequest(request: NodeRequestLike, trustProxy: boolean | number): ReadRequest {
  if (!isObject(request?.headers)) {
    throw invalidOption('request', 'a request of Node', request);
  }
  const { url: asked, method, ipAddress, header } = fromNodeRequest(request, { trustProxy });
  const isSecure = asked.startsWith('https:') || isSecured(header);
  const { url } = readAddress(request.headers, { url: toPagePath(request.url ?? '/'), isSecure }, trustProxy);
  return behindProxy({ incoming: { url, method, ipAddress, header }, isOfRouter: false });
}

/**
 * Adds what the proxy has told of a request: its whole URL, and how it was asked for. Handlers know the URL without the
 * `basePath`, and as it was rewritten. A URL of another host is not believed, because a browser may have sent it past the
 * proxy.
 */
export function behindProxy(read: ReadRequest): ReadRequest {
  const { url, method, header } = read.incoming;
  const named = header(URL_HEADER) ?? '';
  if (url === '' || !/^https?:/.test(named) || hostOf(named) !== hostOf(url)) {
    return read;
  }
  const [asked = '', kind] = header(KIND_HEADER)?.split(' ') ?? [];
  return {
    incoming: { ...read.incoming, url: named, method: /^[A-Z]{1,10}$/.test(asked) ? asked : method },
    isOfRouter: read.isOfRouter || kind === 'router',
  };
}

/** Tells whether the browser used https, as Next.js knows it. */
function isSecured(header: IncomingRequest['header']): boolean {
  return header('x-forwarded-proto')?.split(',')[0]?.trim() === 'https';
}

/** Reads a request whose scheme is known otherwise than by its socket. */
function readAddress(
  headers: NodeRequestLike['headers'],
  { url, isSecure }: { readonly url: string; readonly isSecure: boolean },
  trustProxy: boolean | number,
): IncomingRequest {
  return fromNodeRequest({ url, headers, socket: { encrypted: isSecure } }, { trustProxy });
}

/** Returns the path of the page that a request of the Pages Router for data is about. */
function toPagePath(path: string): string {
  return path.replace(/^\/_next\/data\/[^/?]+(\/[^?]*)\.json(?=\?|$)/, (_, page) =>
    page === '/index' ? '/' : page,
  );
}

/**
 * Returns the options of a visit whose page may be rendered before the visitor wants to see it. Target then counts what
 * the browser reports as shown.
 */
export function uncountedByRouter(options: VisitOptions): VisitOptions {
  return options.beacon && options.unseen !== 'execute'
    ? Object.create(options, { unseen: { value: 'prefetch', enumerable: true } })
    : options;
}
