// These timers are imported because a test may replace the global ones by a fake clock, while the network goes on in
// real time.
import { clearTimeout, setTimeout } from 'node:timers';
import type { DeliveryRequest } from '../delivery-api.js';
import type { FaultKind } from './faults.js';
import { refuseUnknown, wrongOption } from './known-options.js';

/** A rule of the Delivery API that a request breaks. */
export interface Violation {
  /**
   * The path of the field, such as `execute.mboxes[2].parameters`. A query parameter is written `?sessionId`, and the
   * body itself is an empty text.
   */
  readonly path: string;
  /** The broken rule, as the end of a sentence that begins with the path. */
  readonly message: string;
}

/** A request that arrived at the edge. */
export interface ReceivedRequest {
  /** The HTTP method, such as `POST`. */
  readonly method: string;
  /** The path of the URL, without the query. */
  readonly path: string;
  /** The decoded query parameters. The last value counts when a name is repeated. */
  readonly query: Readonly<Record<string, string>>;
  /** The headers, with names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The body as text. */
  readonly rawBody: string;
  /** The parsed body; `undefined` when it is not JSON. */
  readonly body: unknown;
  /**
   * The parsed body of a delivery call, when it is an object. It may break rules of the API, which `violations` lists.
   */
  readonly delivery?: DeliveryRequest;
  /** The time at which the body was complete, in ms since 1970. */
  readonly time: number;
  /** The status of the answer. It is absent when the client got none, because of the faults `hang` and `reset`. */
  readonly status?: number;
  /** The fault that the request got. It is absent for the usual answer. */
  readonly fault?: FaultKind;
  /** The rules that a delivery call breaks. The list is empty for a good call. */
  readonly violations: readonly Violation[];
}

/** A {@link ReceivedRequest} that is still being answered, so its fields can be set. */
export type OpenRequest = { -readonly [K in keyof ReceivedRequest]: ReceivedRequest[K] };

/** Selects requests: by path, by a pattern for the path, or by a predicate. */
export type RequestFilter = string | RegExp | ((request: ReceivedRequest) => boolean);

/** Options of {@link TargetEdge.waitForRequests}. */
export interface WaitOptions {
  /** Selects the requests that count: a text is a path. @default all requests */
  readonly where?: RequestFilter;
  /** The time in ms after which the wait ends with an error. @default 5000 */
  readonly timeoutMs?: number;
}

/**
 * Checks a filter. A text that is no path, such as a whole URL, would never select a request.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a filter that can select nothing.
 */
export function checkFilter(path: string, filter: unknown): void {
  const isPath = typeof filter === 'string' && /^\/[^?#]*$/.test(filter);
  if (!(isPath || typeof filter === 'function' || isPattern(filter))) {
    throw wrongOption(path, 'a path such as "/rest/v1/delivery", a RegExp or a function', filter);
  }
}

/** Recognises an expression of another realm too. */
function isPattern(value: unknown): boolean {
  return Object.prototype.toString.call(value) === '[object RegExp]';
}

/** Tells whether a filter selects a request. */
export function isMeant(request: ReceivedRequest, filter: RequestFilter | undefined): boolean {
  if (filter === undefined) {
    return true;
  }
  if (typeof filter === 'string') {
    return request.path === filter;
  }
  // The method `search` is used, because `test` on a global or sticky expression starts where the last match ended.
  if (typeof filter === 'object') {
    return request.path.search(filter) >= 0;
  }
  return filter(request);
}

/** The requests that arrived, the oldest first. Only the newest are kept, up to a limit. */
export class RequestLog {
  readonly #limit: number;
  readonly #waiting = new Set<() => void>();
  readonly #listeners = new Set<(request: ReceivedRequest) => void>();
  #closed = false;
  #requests: OpenRequest[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The requests that are kept. */
  get requests(): readonly ReceivedRequest[] {
    return this.#requests;
  }

  /** Adds a request and wakes the callers that waited for it. */
  add(request: OpenRequest): void {
    this.#requests.push(request);
    if (this.#requests.length > this.#limit) {
      this.#requests.shift();
    }
    for (const check of this.#waiting) {
      check();
    }
    for (const listener of this.#listeners) {
      listener(request);
    }
  }

  /** Calls a function for each request that arrives. Returns the function that ends this. */
  listen(listener: (request: ReceivedRequest) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Removes all requests. */
  clear(): void {
    this.#requests = [];
  }

  /** Resolves with the selected requests as soon as there are `count` of them. */
  async waitFor(count: number, options: WaitOptions = {}): Promise<readonly ReceivedRequest[]> {
    refuseUnknown(options, ['where', 'timeoutMs'], 'waitForRequests');
    const { where, timeoutMs = 5000 } = options;
    if (where !== undefined) {
      checkFilter('where', where);
    }
    return new Promise((resolve, reject) => {
      const arrived = () => this.#requests.filter((request) => isMeant(request, where));
      const stop = () => {
        clearTimeout(timer);
        this.#waiting.delete(check);
      };
      const giveUp = (why: string) => {
        stop();
        reject(new Error(`${why} while waiting for ${count} requests; ${arrived().length} arrived`));
      };
      const check = () => {
        const requests = arrived();
        if (requests.length >= count) {
          stop();
          resolve(requests);
        } else if (this.#closed) {
          giveUp('the edge was closed');
        }
      };
      const timer = setTimeout(giveUp, timeoutMs, `${timeoutMs} ms passed`);
      this.#waiting.add(check);
      check();
    });
  }

  /** Ends all waits with an error, because no more requests will come. */
  close(): void {
    this.#closed = true;
    for (const check of this.#waiting) {
      check();
    }
  }
}
