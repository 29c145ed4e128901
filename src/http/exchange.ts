import type { TargetError } from '../errors.js';
import type { Body } from './body.js';
import type { Trip } from './connection-use.js';
import type { Span } from './deadline.js';
import type { AbortSignalLike, FetchInit, FetchResponse } from './fetch-api.js';
import type { IssuedIds } from './mixed-answers.js';
import type { RetryPolicy } from './retry.js';

/** An HTTP request, with its limits and retries. */
export interface ExchangeRequest {
  /** Name of the request in error messages, such as `delivery call`. */
  readonly what: string;
  readonly url: string;
  readonly method: 'GET' | 'POST';
  /** The header `X-Request-Id` is added if it is missing. */
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
  readonly requestId: string;
  /** The `requestId` in the body of the request. The answer repeats it. Undefined when there is none. */
  readonly bodyId: string | undefined;
  /** The maximum number of bytes of the answer, after decoding. */
  readonly maxBytes: number;
  readonly retry: RetryPolicy;
  /** Time in ms for all attempts together. */
  readonly timeoutMs: number;
  readonly signal: AbortSignalLike | undefined;
  /** Statuses that are answers and not failures, besides 2xx. An example is 304. */
  readonly accepts: readonly number[];
  /** True when the request reports events. A report can wait until its session has fewer calls under way. */
  readonly isReport: boolean;
  /** Returns true for an error after which a retry is useless. It is not asked about errors that are never retried. */
  readonly givesUpOn: ((error: TargetError) => boolean) | undefined;
}

/** The answer to a request, read to its end. */
export interface Exchanged {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: Body;
  /** Number of requests that were sent, with all retries. */
  readonly attempts: number;
  /** Time in ms from the request to the headers of its answer. */
  readonly timeToFirstByteMs: number;
  /** Time in ms from the headers of the answer to the end of its body. */
  readonly downloadMs: number;
  /** The end of the body, on the clock of `performance.now()`. */
  readonly endedAt: number;
  /** Time of the DNS look-up in ms. Absent when the call needed none. */
  readonly dnsMs: number | undefined;
  /** Time of the TLS handshake in ms. Absent when the call needed none. */
  readonly tlsMs: number | undefined;
  /** Closes the connection that the answer came on, even if another call uses it by now. */
  discard(): void;
}

/** The fetch that sends the attempts, and its connections. */
export interface Wire {
  /** The ids of the calls on the same connections. Undefined for a fetch of the caller that has no `dropIdle`. */
  readonly issued: IssuedIds | undefined;
  /** True when the fetch takes any object with the methods of a signal. */
  readonly takesAnySignal: boolean;
  readonly send: (trip: Trip, init: FetchInit, span: Span) => Promise<FetchResponse>;
  /**
   * Called after an attempt that was sent and got no answer. Connections that have been idle since before it was sent
   * may be dead too.
   */
  readonly onDead: (trip: Trip, sentAt: number) => void;
  /** Closes the connection that an answer came on. */
  readonly discard: (trip: Trip, response: FetchResponse) => void;
}

/**
 * An exchange that is under way. Its fields tell how far the exchange has come. The error of a limit that cuts it off
 * needs them.
 */
export interface Progress {
  readonly request: ExchangeRequest;
  readonly wire: Wire;
  phase: 'unsent' | 'sent' | 'answered' | 'reading' | 'waiting';
  attempts: number;
  /** The call of the latest attempt. Undefined before the first. */
  trip: Trip | undefined;
  /** The start of the latest attempt, on the clock of `performance.now()`. */
  sentAt: number;
  /** The status that the latest attempt was answered with. Undefined before the answer. */
  status: number | undefined;
  lastError: TargetError | undefined;
}

/** Makes the state of an exchange that has sent nothing. */
export function unsent(request: ExchangeRequest, wire: Wire): Progress {
  return {
    request,
    wire,
    phase: 'unsent',
    attempts: 0,
    trip: undefined,
    sentAt: 0,
    status: undefined,
    lastError: undefined,
  };
}
