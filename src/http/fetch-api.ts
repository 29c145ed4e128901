import type { ProxyRules } from './proxy-rules.js';

/** The global `AbortSignal`. Callers whose type libraries lack it get the part of it that the SDK uses. */
export type AbortSignalLike = typeof globalThis extends { AbortSignal: { prototype: infer Signal } }
  ? Signal
  : {
      readonly aborted: boolean;
      readonly reason?: unknown;
      addEventListener(type: 'abort', listener: () => void): void;
      removeEventListener(type: 'abort', listener: () => void): void;
    };

/** The global `URL`. Callers whose type libraries lack it get the part of it that the SDK uses. */
export type UrlLike = typeof globalThis extends { URL: { prototype: infer Url } }
  ? Url
  : { readonly href: string; readonly protocol: string };

/** An `http.Agent` or `https.Agent`, or a function that returns the agent for a URL. */
export type AgentOption = object | ((url: UrlLike) => object);

/** The options that the SDK passes to a fetch. */
export interface FetchInit {
  method: string;
  headers: Record<string, string>;
  body?: string;
  signal: AbortSignalLike;
  redirect: 'manual';
}

/** The part of a fetch's answer that the SDK reads. */
export interface FetchResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  /** The body as a web or Node stream of bytes. Without one, the SDK calls `text()`. */
  readonly body?: unknown;
  text(): Promise<string>;
  /** Closes the connection that the answer came on. The SDK calls it when the answer belongs to another call. */
  discard?(): void;
}

/**
 * A WHATWG fetch: the global one, that of node-fetch or undici, or your own. When it rejects, the call fails with a
 * TargetError, mostly `ERR_TARGET_NETWORK`, or is retried.
 * @example
 * ```ts
 * import type { FetchApi } from 'target-node-sdk';
 *
 * const timedFetch: FetchApi = async (url, init) => {
 *   const startedAt = performance.now();
 *   try {
 *     return await fetch(url, init);
 *   } finally {
 *     console.log(`call to Target: ${performance.now() - startedAt} ms`);
 *   }
 * };
 * ```
 */
export interface FetchApi {
  (url: string, init: FetchInit): Promise<FetchResponse>;
  /**
   * True when `init.signal` may be any object with `aborted`, `reason` and listeners for `abort`. A real `AbortSignal`
   * costs a quarter of a fast call's time.
   * @default false
   */
  readonly takesAnySignal?: boolean | undefined;
  /**
   * True when the fetch connects to the hosts of its URLs itself, not through a proxy, and finds them with Node's
   * `dns.lookup`. The client then looks up a cluster that a visitor's cookie names, before it sends a call there.
   * @default false
   */
  readonly connectsDirectly?: boolean | undefined;
  /**
   * The maximum number of connections that the fetch opens to one host. Notifications use at most half of them, unless
   * `notifications.maxInFlight` is set.
   * @default no limit
   */
  readonly connections?: number | undefined;
  /**
   * Closes the connections to the origin of `url` that have been idle since before a time on the clock of
   * `performance.now()`. The client calls it when a connection turned out to be dead, because the idle ones may be dead
   * too. A fetch with this method keeps its connections itself, so an answer may come twice or late. The client
   * therefore compares the ids of calls and answers.
   */
  dropIdle?(url: string, before: number): void;
  /**
   * Makes the same fetch, but through the proxies of the environment. Clients with the option `proxy` use it.
   *
   * @internal
   */
  proxied?(proxies: ProxyRules): FetchApi;
}
