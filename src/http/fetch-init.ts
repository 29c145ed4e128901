import type { Span } from './deadline.js';
import type { AbortSignalLike, FetchInit } from './fetch-api.js';

/** The parts of one attempt. */
interface AttemptParts {
  readonly method: string;
  /** The header `X-Request-Id` is added if it is missing. */
  readonly headers: Record<string, string>;
  readonly requestId: string;
  readonly body: string | undefined;
}

/** Makes the options that a fetch gets for one attempt. The span can cut the attempt off. */
export function toInit(
  { method, headers, requestId, body }: AttemptParts,
  { takesAnySignal }: { readonly takesAnySignal: boolean },
  span: Span,
): FetchInit {
  const sent = 'X-Request-Id' in headers ? headers : { ...headers, 'X-Request-Id': requestId };
  if (!takesAnySignal) {
    return new LazyInit({ method, headers: sent, body }, span);
  }
  const signal = span as unknown as AbortSignalLike;
  return body === undefined
    ? { method, headers: sent, redirect: 'manual', signal }
    : { method, headers: sent, redirect: 'manual', signal, body };
}

/**
 * Options for a fetch that needs a real signal. The signal is made when the fetch reads it. A fetch that answers from
 * memory never reads it. All objects share one getter, because a new one each time costs as much as the answer's JSON
 * (benchmark on-device/execute-url).
 */
class LazyInit implements FetchInit {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly redirect = 'manual';
  declare readonly signal: AbortSignalLike;
  body?: string;
  readonly #span: Span;

  constructor({ method, headers, body }: Omit<AttemptParts, 'requestId'>, span: Span) {
    this.method = method;
    this.headers = headers;
    if (body !== undefined) {
      this.body = body;
    }
    this.#span = span;
    // The property is the object's own, because many fetch functions copy it with `{ ...init }`.
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
