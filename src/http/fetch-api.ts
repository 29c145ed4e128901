/** The global `AbortSignal`, where the caller's type libraries know it. */
export type AbortSignalLike = typeof globalThis extends { AbortSignal: { prototype: infer Signal } }
  ? Signal
  : {
      readonly aborted: boolean;
      readonly reason?: unknown;
      addEventListener(type: 'abort', listener: () => void): void;
      removeEventListener(type: 'abort', listener: () => void): void;
    };

/** The global `URL`, where the caller's type libraries know it. */
export type UrlLike = typeof globalThis extends { URL: { prototype: infer Url } }
  ? Url
  : { readonly href: string; readonly protocol: string };

/** Tells whether a text is a URL, by itself or on the base of another. Jest's jsdom environment has no `URL.canParse`. */
export function canParse(url: string, base?: string): boolean {
  try {
    return new URL(url, base).href !== '';
  } catch {
    return false;
  }
}

/** `http.Agent` or `https.Agent`, or a function that finds the agent of a URL. */
export type AgentOption = object | ((url: UrlLike) => object);

/** What the SDK passes to a fetch. */
export interface FetchInit {
  method: string;
  headers: Record<string, string>;
  body?: string;
  signal: AbortSignalLike;
  redirect: 'manual';
}

/** What the SDK reads of a fetch's answer. */
export interface FetchResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  /** A web or Node stream of bytes; without one, `text()` is read. */
  readonly body?: unknown;
  text(): Promise<string>;
  /** Closes the connection that the answer came on: it was the answer to another call. */
  discard?(): void;
}

/** A WHATWG fetch: the global one, node-fetch's, undici's or your own. */
export interface FetchApi {
  (url: string, init: FetchInit): Promise<FetchResponse>;
  /**
   * Whether `init.signal` may be any object with `aborted`, `reason` and listeners of `abort`. A real `AbortSignal` costs
   * a fast call a quarter of its time. @default false
   */
  readonly takesAnySignal?: boolean | undefined;
  /**
   * Whether it connects to the hosts of its URLs itself, not through a proxy, and by the names that `dns.lookup` of Node
   * finds. Then a cluster that a visitor's cookie names is looked up before a call goes there. @default false
   */
  readonly connectsDirectly?: boolean | undefined;
  /**
   * How many connections it opens to one host, where that is limited. Notifications take half of them at most, unless
   * `notifications.maxInFlight` says otherwise. @default no limit
   */
  readonly connections?: number | undefined;
  /**
   * Closes the connections to the origin of a URL that have been idle since before a time, on the clock of
   * `performance.now()`: a call found its connection dead, and those may be dead with it. A fetch that has this keeps its
   * connections itself, so that an answer may come twice or late: the client compares the ids of calls and answers.
   */
  dropIdle?(url: string, before: number): void;
}
