// Not the globals, which a test may have replaced by a fake clock: the network goes on in real time.
import { clearTimeout, setTimeout } from 'node:timers';
import type { DeliveryRequest } from '../delivery-api.js';
import type { FaultKind } from './faults.js';

/** Where a request breaks the rules of the Delivery API. */
export interface Violation {
  /** Such as `execute.mboxes[2].parameters`; a query parameter is `?sessionId`, the body itself ''. */
  readonly path: string;
  readonly message: string;
}

/** A request that arrived at the edge. */
export interface ReceivedRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Decoded; the last one of a name wins. */
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly rawBody: string;
  /** The body's JSON; undefined when it is not JSON. */
  readonly body: unknown;
  /** The body, when it is an object that was sent to the delivery path; it may break rules: see `violations`. */
  readonly delivery?: DeliveryRequest;
  /** Milliseconds since 1970, when the body was complete. */
  readonly time: number;
  /** Of the answer; absent of a request that is left hanging or reset. */
  readonly status?: number;
  /** The fault that it met. */
  readonly fault?: FaultKind;
  /** What is wrong with a delivery request; empty for a good one. */
  readonly violations: readonly Violation[];
}

/** A {@link ReceivedRequest} while it is being answered. */
export type OpenRequest = { -readonly [K in keyof ReceivedRequest]: ReceivedRequest[K] };

/** Which requests are meant: those to a path, or those that fit a predicate. */
export type RequestFilter = string | RegExp | ((request: ReceivedRequest) => boolean);

/** What {@link RequestLog.waitFor} waits for. */
export interface WaitOptions {
  /** Only these count. @default all */
  readonly where?: RequestFilter;
  /** Milliseconds until the wait is given up with an error. @default 5000 */
  readonly timeoutMs?: number;
}

/** Whether a request is one of those that are meant. */
export function isMeant(request: ReceivedRequest, filter: RequestFilter | undefined): boolean {
  if (filter === undefined) return true;
  if (typeof filter === 'string') return request.path === filter;
  // A global or sticky expression would remember where it stopped.
  if (typeof filter === 'object') return request.path.search(filter) >= 0;
  return filter(request);
}

/** What arrived, oldest first, up to a number of requests. */
export class RequestLog {
  readonly #limit: number;
  readonly #waiting = new Set<() => void>();
  #closed = false;
  #requests: OpenRequest[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The requests that are still held. */
  get requests(): readonly ReceivedRequest[] {
    return this.#requests;
  }

  /** Adds a request, and wakes whoever waited for it. */
  add(request: OpenRequest): void {
    this.#requests.push(request);
    if (this.#requests.length > this.#limit) this.#requests.shift();
    for (const check of this.#waiting) check();
  }

  /** Forgets what arrived so far. */
  clear(): void {
    this.#requests = [];
  }

  /** Resolves with the requests that are meant as soon as there are that many. */
  waitFor(count: number, { where, timeoutMs = 5000 }: WaitOptions = {}): Promise<readonly ReceivedRequest[]> {
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
        } else if (this.#closed) giveUp('the edge was closed');
      };
      const timer = setTimeout(giveUp, timeoutMs, `${timeoutMs} ms passed`);
      this.#waiting.add(check);
      check();
    });
  }

  /** Tells whoever still waits that nothing more will come. */
  close(): void {
    this.#closed = true;
    for (const check of this.#waiting) check();
  }
}
