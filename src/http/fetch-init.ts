import type { Span } from './deadline.js';
import type { AbortSignalLike, FetchInit } from './fetch-api.js';

/** What goes into one attempt. */
interface AttemptParts {
  readonly method: string;
  /** `X-Request-Id` is added where it is missing. */
  readonly headers: Record<string, string>;
  readonly requestId: string;
  readonly body?: string;
}

/** What a fetch is passed for one attempt, which its span may cut off. */
export function toInit(
  { method, headers, requestId, body }: AttemptParts,
  { takesAnySignal }: { readonly takesAnySignal: boolean },
  span: Span,
): FetchInit {
  const sent = 'X-Request-Id' in headers ? headers : { ...headers, 'X-Request-Id': requestId };
  const init: FetchInit = takesAnySignal
    ? { method, headers: sent, redirect: 'manual', signal: span as unknown as AbortSignalLike }
    : new LazyInit(method, sent, span);
  if (body !== undefined) init.body = body;
  return init;
}

/**
 * For a fetch that wants a real signal, which is made when it looks at it: one that answers from memory never does. One
 * getter for all, because a new one each time costs as much as the answer's JSON (`on-device/execute-url`).
 */
class LazyInit implements FetchInit {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly redirect = 'manual';
  declare readonly signal: AbortSignalLike;
  body?: string;
  readonly #span: Span;

  constructor(method: string, headers: Record<string, string>, span: Span) {
    this.method = method;
    this.headers = headers;
    this.#span = span;
    // Its own, for the many who write `{ ...init }`.
    Object.defineProperty(this, 'signal', LazyInit.#signal);
  }

  static readonly #signal: PropertyDescriptor & ThisType<LazyInit> = {
    get() {
      return this.#span.signal;
    },
    enumerable: true,
    configurable: true,
  };
}
