import { invalidOption } from '../errors.js';
import type { TargetClient } from '../index.js';
import { isObject } from '../json.js';
import type { NodeRequestLike, Visit } from './http.js';
import { answerBeacon } from './next-beacon.js';
import { clientSource } from './next-clients.js';
import { commitCookies } from './next-commit.js';
import { loadServer } from './next-modules.js';
import { type NextTargetOptions, toNextOptions } from './next-options.js';
import { type BegunRequest, beginRequest } from './next-proxy.js';
import { behindProxy, readHeaders, readNodeRequest, readWebRequest } from './next-requests.js';
import { currentHeaders } from './next-scope.js';
import { toVisitOptions, visitMaker } from './next-visits.js';
import { type NodeResponseLike, writeWithHead } from './write-head.js';

export type { NextTargetOptions } from './next-options.js';
export type { BegunRequest, NextAnswerLike } from './next-proxy.js';

/**
 * Target in a program of Next.js. Its functions need no `this`, so a file can export one of them by itself. All of them
 * are for the server: a client component cannot import this entry, and gets what it shows from its server component.
 */
export interface NextTarget {
  /**
   * Returns the client. It is made at first use, and never by importing the file. So `next build` makes none.
   *
   * Use {@link NextTarget.visit} in pages. Next.js keeps a page that reads nothing of the request, and shows what one
   * visitor got to all of them. So the build of a static page that calls the client alone fails. Other places cannot be
   * known, and keep the answer: a page that is rendered at its first request, because `generateStaticParams()` did not
   * name it, or is rendered again after a time, and `use cache` or `unstable_cache()` in a dynamic page.
   *
   * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` when an option of its config is missing or wrong, and while Next.js
   * builds static pages.
   */
  client(): TargetClient;
  /**
   * Resolves with the visit of the request. It works in server components, route handlers and server actions, and all of
   * them share one visit in a request. It makes a page dynamic. With `cacheComponents`, await it inside of `<Suspense>`.
   *
   * It fails inside of `use cache`, `unstable_cache()`, `after()` and `generateStaticParams()`, at the top of a module, and
   * in a page with `dynamic = 'force-static'`. Otherwise a cache would keep what one visitor got.
   *
   * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` as a rejection where there is no request. `cause` is the error of
   * Next.js. Errors by which Next.js learns that a page is dynamic pass as they are: do not catch them.
   *
   * @example
   * ```tsx
   * export default async function Hero() {
   *   const visit = await target.visit();
   *   return <h1>{await visit.offer('hero', 'Welcome')}</h1>;
   * }
   * ```
   */
  visit(): Promise<Visit>;
  /**
   * Returns the visit of a request of the Fetch API: in a proxy behind {@link NextTarget.begin}, and in handlers that get
   * a request. The caller writes its `headers()`, unless `apply` does.
   */
  visitOf(request: Request): Visit;
  /**
   * Returns the visit of a request of the Pages Router, in `getServerSideProps` and API routes. Its cookies are written
   * with the answer.
   *
   * @example
   * ```ts
   * export async function getServerSideProps({ req, res }) {
   *   return { props: { hero: await target.visitOf(req, res).offer('hero', 'Welcome') } };
   * }
   * ```
   */
  visitOf(request: NodeRequestLike, response: NodeResponseLike): Visit;
  /**
   * Begins a request in a proxy that does more than {@link NextTarget.proxy}: redirects, rewrites, or other middleware.
   * Pass its `headers` on, and give what you answer to `apply`. Calls of the proxy itself come behind it. A request is
   * begun once: a second call gives what the first one gave.
   *
   * A new visitor gets an identity when a browser asks for a page that somebody sees. The cookie of a known visitor is
   * renewed, and its session lives for 31 minutes from then on, because the page behind the proxy calls Target and cannot
   * write the cookie itself. When the session has ended, the next page, request of the router or server action begins a
   * new one. Requests of scripts only prolong a session: in Next.js 15, some of the router look like them. Files change
   * nothing. With `cookies.write: 'changed'`, nothing is prolonged.
   *
   * @example
   * ```ts
   * export async function proxy(request: NextRequest) {
   *   const { headers, apply } = await target.begin(request);
   *   return apply(NextResponse.rewrite(new URL('/en', request.url), { request: { headers } }));
   * }
   * ```
   */
  begin(request: Request): Promise<BegunRequest>;
  /**
   * Answers a request in a proxy. The browser gets a cookie with the visitor's identity, and the page sees it and its own
   * URL. An answer with a cookie has `Cache-Control: private, no-store`, also that of a static page, and also with
   * `cacheControl: false`: leave pages out of the `matcher` that never ask Target.
   *
   * @example
   * ```ts
   * // proxy.ts; in Next.js 15 it is middleware.ts, with `export const middleware = target.proxy`.
   * export const proxy = target.proxy;
   * export const config = { matcher: ['/((?!_next/static|_next/image|favicon.ico).*)'] };
   * ```
   */
  proxy(request: Request): Promise<Response>;
  /**
   * Writes the visitor's cookies in a server action. It writes them only when an id has changed, because a cookie makes
   * the browser forget the pages that the router has loaded. In a component, it writes a debug line and nothing else.
   *
   * It cannot write `Cache-Control`. So a route handler, whose answer to `GET` a cache may keep for others, uses
   * {@link NextTarget.visitOf} and sends the headers of the visit:
   * `Response.json(offer, { headers: target.visitOf(request).headers() })`.
   *
   * @example
   * ```ts
   * 'use server';
   * export async function buy(order: Order) {
   *   const visit = await target.visit();
   *   visit.track('orderConfirmPage', { order });
   *   await target.commit();
   * }
   * ```
   */
  commit(): Promise<void>;
  /**
   * The endpoint for reports of what pages have shown. Its path is the option `beacon`.
   *
   * With a beacon, a page that the router asks for counts nothing by itself: it may be loaded before the visitor wants it,
   * and Next.js hides from programs whether it is. Its impressions are counted when the browser shows them. Without a
   * beacon, such a page counts at once. So count conversions in server actions, and not in pages.
   *
   * @example
   * ```ts
   * // app/target/beacon/route.ts
   * export const { POST } = target.beacon;
   * ```
   */
  readonly beacon: {
    /** Answers a report of a browser. */
    POST(request: Request): Promise<Response>;
  };
}

/**
 * Makes Target for a program of Next.js 15 or 16, for the App Router and the Pages Router. Call it in a file of its own,
 * and import its result wherever it is needed. Next.js bundles such a file several times. All copies in a process share
 * the client, and the visit of a request.
 *
 * When `next dev` loads the file again, the client stays, unless its config was edited. Functions and objects of classes
 * in the config, such as loggers, count as unchanged: start `next dev` again after an edit of theirs.
 *
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a wrong option. `path` of the error names it.
 *
 * @example
 * ```ts
 * // lib/target.ts
 * export const target = createNextTarget({
 *   client: { client: 'acmeclient', organizationId: '1234567890@AdobeOrg' },
 *   beacon: '/target/beacon',
 * });
 * ```
 */
export function createNextTarget(options: NextTargetOptions): NextTarget {
  const checked = toNextOptions(options);
  const { trustProxy } = checked;
  const client = clientSource(checked);
  const visits = visitMaker(client, checked);
  const begun = new WeakMap<Request, Promise<BegunRequest>>();
  const begin = (request: Request) => {
    const before = begun.get(request);
    const beginning = before ?? beginRequest(request, client, checked, visits);
    if (!before && isObject(request)) {
      begun.set(request, beginning);
    }
    return beginning;
  };
  return {
    client,
    visit: async () => {
      const headers = await currentHeaders();
      return visits.of(headers, () => readHeaders(headers, trustProxy));
    },
    visitOf: (request: Request | NodeRequestLike, response?: NodeResponseLike) => {
      if (!response) {
        return visits.of(request, () => behindProxy(readWebRequest(request as Request, trustProxy)));
      }
      if (typeof response.writeHead !== 'function') {
        throw invalidOption('response', 'the response of Node', response);
      }
      const before = visits.find(request);
      const visit = visits.of(request, () => readNodeRequest(request as NodeRequestLike, trustProxy));
      if (!before) {
        writeWithHead(response, visit);
      }
      return visit;
    },
    begin,
    proxy: async (request) => {
      const { NextResponse } = await loadServer();
      const { headers, apply } = await begin(request);
      return apply(NextResponse.next({ request: { headers } }));
    },
    commit: async () => {
      const headers = await currentHeaders();
      const visit = visits.of(headers, () => readHeaders(headers, trustProxy));
      await commitCookies(client(), visit, readHeaders(headers, trustProxy).incoming);
    },
    beacon: {
      POST: (request) =>
        answerBeacon(
          client(),
          request,
          readWebRequest(request, trustProxy).incoming,
          toVisitOptions(client(), checked),
        ),
    },
  };
}
