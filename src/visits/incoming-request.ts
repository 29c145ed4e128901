import { ownFieldOf } from '../inherited-names.js';
import { isObject } from '../json.js';

/**
 * A request of a browser, in the form that all functions of this entry take. `fromNodeRequest` and `fromFetchRequest`
 * make it, and so does every program that can answer its questions.
 *
 * @example
 * ```ts
 * // A request of AWS Lambda behind API Gateway, version 2 of the payload.
 * const incoming: IncomingRequest = {
 *   url: `https://${event.headers.host}${event.rawPath}${event.rawQueryString && `?${event.rawQueryString}`}`,
 *   method: event.requestContext.http.method,
 *   ipAddress: event.requestContext.http.sourceIp,
 *   header: (name) => (name === 'cookie' ? event.cookies?.join('; ') : event.headers[name]),
 * };
 * ```
 */
export interface IncomingRequest {
  /** The absolute URL of the page. It is empty when it is not known. */
  readonly url: string;
  /** The method, such as `GET`. A request without one counts as `GET`. */
  readonly method?: string | undefined;
  /** The visitor's IP address, where it is known. */
  readonly ipAddress?: string | undefined;
  /** Returns the value of a header by its name in lower case. */
  header(name: string): string | undefined;
}

/** The part of a request of `node:http`, `node:https` or `node:http2` that is read. */
export interface NodeRequestLike {
  readonly method?: string | undefined;
  /** The path with the query, as in the first line of the request. */
  readonly url?: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly socket?:
    | { readonly remoteAddress?: string | undefined; readonly encrypted?: boolean | undefined }
    | null
    | undefined;
}

/** The part of a `Request` of the Fetch API that is read. */
export interface FetchRequestLike {
  readonly method?: string | undefined;
  readonly url: string;
  readonly headers: { get(name: string): string | null };
}

/** The options of {@link fromNodeRequest}. */
export interface NodeRequestOptions {
  /**
   * The number of proxies in front of this server. `true` is one. Then the headers `X-Forwarded-Proto`,
   * `X-Forwarded-Host` and `X-Forwarded-For` of the proxies are believed. Without a proxy in front, anybody can send
   * these headers and choose the scheme, host and IP address.
   * @default false
   */
  readonly trustProxy?: boolean | number | undefined;
}

/** The options of {@link fromFetchRequest}. */
export interface FetchRequestOptions extends NodeRequestOptions {
  /**
   * The header in which the platform gives the visitor's IP address, such as `cf-connecting-ip`. The last address in it
   * is used. Name only a header that the platform always sets itself.
   * @default none: the IP address is that of `trustProxy`, or not known
   */
  readonly ipHeader?: string | undefined;
}

/**
 * Reads a request of Node's own servers: `node:http`, `node:https` and `node:http2`. Without `trustProxy`, the scheme and the IP address are those of the socket, and the host is the `Host`
 * header. It never throws: a field that is missing or malformed is absent, and a URL without a host is empty.
 *
 * @example
 * ```ts
 * createServer((request, response) => {
 *   const incoming = fromNodeRequest(request, { trustProxy: true });
 *   response.end(incoming.url);
 * });
 * ```
 */
export function fromNodeRequest(request: NodeRequestLike, options: NodeRequestOptions = {}): IncomingRequest {
  const hops = toHops(options);
  const header = headersOf(request);
  // The engine keeps the getters of an object literal, and the request with them, until a full garbage collection.
  return {
    url: toNodeUrl(request, header, hops > 0),
    method: textOf(fieldOf(request, 'method')),
    ipAddress: toAddress(forwardedFor(header, hops) ?? fieldOf(fieldOf(request, 'socket'), 'remoteAddress')),
    header,
  };
}

/**
 * Reads a `Request` of the Fetch API, as Hono, Next.js, Deno, Bun and Cloudflare Workers have it. It never throws: a
 * field that is missing or malformed is absent.
 *
 * @example
 * ```ts
 * export default {
 *   fetch(request: Request): Response {
 *     const incoming = fromFetchRequest(request, { ipHeader: 'cf-connecting-ip' });
 *     return Response.json(toContext(incoming));
 *   },
 * };
 * ```
 */
export function fromFetchRequest(
  request: FetchRequestLike,
  options: FetchRequestOptions = {},
): IncomingRequest {
  const hops = toHops(options);
  const written = textOf(fieldOf(request, 'url')) ?? '';
  const ipHeader = textOf(fieldOf(options, 'ipHeader'));
  const header = (name: string): string | undefined => {
    try {
      return textOf(request.headers.get(name));
    } catch {
      return undefined;
    }
  };
  const url = /^https?:/i.test(written) && URL.canParse(written) ? written : '';
  return {
    url: hops > 0 ? asForwarded(url, header) : url,
    method: textOf(fieldOf(request, 'method')),
    ipAddress: toAddress(
      ipHeader === undefined ? forwardedFor(header, hops) : listOf(header(ipHeader)).at(-1),
    ),
    header,
  };
}

function toHops(options: unknown): number {
  const trusted = fieldOf(options, 'trustProxy');
  return trusted === true ? 1 : Number.isSafeInteger(trusted) ? Math.max(0, Number(trusted)) : 0;
}

type ReadHeader = (name: string) => string | undefined;

const FIRST_SMALL_LETTER = 'a'.charCodeAt(0);

/** Makes the function that reads a header. Servers other than Node's may begin the names of headers with capitals. */
function headersOf(request: unknown): ReadHeader {
  let byLowerName: Map<string, unknown> | undefined;
  return (name) => {
    try {
      const { headers } = request as NodeRequestLike;
      const lower = name.toLowerCase();
      if (Object.hasOwn(headers, lower)) {
        return joined(headers[lower], lower);
      }
      byLowerName ??= new Map(
        namesWithCapitals(headers).map((known) => [known.toLowerCase(), headers[known]]),
      );
      return joined(byLowerName.get(lower), lower);
    } catch {
      return undefined;
    }
  };
}

function namesWithCapitals(headers: object): string[] {
  return Object.keys(headers).filter((name) => name.charCodeAt(0) < FIRST_SMALL_LETTER);
}

/** Joins the values of a header that came several times. */
function joined(value: unknown, name: string): string | undefined {
  if (!Array.isArray(value)) {
    return textOf(value);
  }
  const texts = value.filter((item) => typeof item === 'string');
  return texts.length === 0 ? undefined : texts.join(name === 'cookie' ? '; ' : ', ');
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Reads a field of an object of somebody else, which may have any type. A field that cannot be read is absent. */
function fieldOf(source: unknown, name: string): unknown {
  try {
    return isObject(source) ? ownFieldOf(source, name) : undefined;
  } catch {
    // The socket of an HTTP/2 request cannot be read when its session has ended.
    return undefined;
  }
}

/** Matches a host as headers have it: a name or an IPv4 address, or an IPv6 address in brackets, and a port. */
const HOST = /^(?:[\w.-]{1,255}|\[[\da-f:.]{2,45}\])(?::\d{1,5})?$/i;
/** Matches the target of a request to a proxy, which is a whole URL. */
const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/is;

function toNodeUrl(request: NodeRequestLike, header: ReadHeader, isTrusting: boolean): string {
  const target = textOf(fieldOf(request, 'url')) ?? '/';
  const [, authority, rest = target] = ABSOLUTE.exec(target) ?? [];
  const hosts = [
    isTrusting ? forwardedHost(header) : undefined,
    authority,
    header(':authority'),
    header('host'),
  ];
  const host = hosts.find((known) => known !== undefined && HOST.test(known));
  const path = rest.startsWith('/') ? rest : rest.startsWith('?') ? `/${rest}` : '/';
  const url = `${schemeOf(request, header, isTrusting)}://${host}${path}`;
  return host !== undefined && URL.canParse(url) ? url : '';
}

function schemeOf(request: NodeRequestLike, header: ReadHeader, isTrusting: boolean): string {
  const forwarded = isTrusting ? forwardedScheme(header) : undefined;
  return forwarded ?? (fieldOf(fieldOf(request, 'socket'), 'encrypted') === true ? 'https' : 'http');
}

function forwardedHost(header: ReadHeader): string | undefined {
  return listOf(header('x-forwarded-host'))[0];
}

function forwardedScheme(header: ReadHeader): string | undefined {
  const scheme = listOf(header('x-forwarded-proto'))[0]?.toLowerCase();
  return scheme === 'https' || scheme === 'http' ? scheme : undefined;
}

/** Reads the address that the farthest trusted proxy has seen. It is the first one when there are fewer. */
function forwardedFor(header: ReadHeader, hops: number): string | undefined {
  const addresses = hops > 0 ? listOf(header('x-forwarded-for')) : [];
  return addresses.at(-hops) ?? addresses[0];
}

/** Returns the URL that the browser asked a proxy for. The server knows only the one that the proxy asked for. */
function asForwarded(url: string, header: ReadHeader): string {
  const [, scheme, authority, rest] = /^(https?):\/\/([^/?#]*)(.*)$/is.exec(url) ?? [];
  const host = forwardedHost(header);
  const trusted = host !== undefined && HOST.test(host) ? host : authority;
  const forwarded = `${forwardedScheme(header) ?? scheme}://${trusted}${rest}`;
  return authority !== undefined && URL.canParse(forwarded) ? forwarded : url;
}

/** Reads the items of a header that holds a list. */
function listOf(value: string | undefined): string[] {
  const items = value?.split(',').map((item) => item.trim()) ?? [];
  return items.filter((item) => item !== '');
}

const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|(?=.{2,64}$)[\da-f:.]*:[\da-f:.]*(?:%[\w.-]+)?)$/i;
/** Matches an address with a port, as some proxies write it. */
const WITH_PORT = /^(?:\[([^\]]*)\](?::\d+)?|(\d[\d.]*):\d+)$/;

/** Reads an IP address. Anything else, such as `unknown`, is none. */
function toAddress(written: unknown): string | undefined {
  const text = textOf(written)?.replace(/^"|"$/g, '') ?? '';
  const [, inBrackets, beforePort] = WITH_PORT.exec(text) ?? [];
  const address = inBrackets ?? beforePort ?? text;
  return ADDRESS.test(address) ? address : undefined;
}
