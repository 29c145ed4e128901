import type { TargetError } from '../errors.js';
import type { Body } from './body.js';
import type { Trip } from './connection-use.js';
import type { Span } from './deadline.js';
import type { AbortSignalLike, FetchInit, FetchResponse } from './fetch-api.js';
import type { IssuedIds } from './mixed-answers.js';
import type { RetryPolicy } from './retry.js';

/** One HTTP request, with what may happen to it. */
export interface ExchangeRequest {
  /** Names the request in error messages, such as `delivery call`. */
  readonly what: string;
  readonly url: string;
  readonly method: 'GET' | 'POST';
  /** `X-Request-Id` is added where it is missing. */
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly requestId: string;
  /** The `requestId` of the body, which the answer repeats. */
  readonly bodyId?: string | undefined;
  /** The most bytes that the answer may have after decoding. */
  readonly maxBytes: number;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number;
  readonly signal?: AbortSignalLike | undefined;
  /** Statuses besides 2xx that are answers, such as 304. */
  readonly accepts?: readonly number[];
  /** The request reports what happened, and can wait until its session has fewer calls under way. @default false */
  readonly isReport?: boolean;
  /** Errors that no repetition helps, besides those that are never repeated. */
  readonly givesUpOn?: ((error: TargetError) => boolean) | undefined;
}

/** The answer to a request, read to its end. */
export interface Exchanged {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: Body;
  readonly attempts: number;
  /** The time from the request to the answer's headers. */
  readonly timeToFirstByteMs: number;
  /** The time from the answer's headers to the end of its body. */
  readonly downloadMs: number;
  /** The end of the body, on the clock of `performance.now()`. */
  readonly endedAt: number;
  /** The time of the DNS look-up; absent when the call had no need of one. */
  readonly dnsMs: number | undefined;
  /** The time of the TLS handshake; absent when the call had no need of one. */
  readonly tlsMs: number | undefined;
  /** Closes the connection that the answer came on, though another call may have it by now. */
  discard(): void;
}

/** The way of an attempt to the network. */
export interface Wire {
  /** The ids of the calls that share its connections; undefined where a fetch of the caller's has them. */
  readonly issued: IssuedIds | undefined;
  readonly takesAnySignal: boolean;
  readonly send: (trip: Trip, init: FetchInit, span: Span) => Promise<FetchResponse>;
  /** Hears of an attempt that was sent and not answered: connections that have been idle since before it may be dead too. */
  readonly onDead: (trip: Trip, sentAt: number) => void;
  /** Closes the connection that an answer came on. */
  readonly discard: (trip: Trip, response: FetchResponse) => void;
}

/** An exchange under way, and how far it has got: the error of a limit that cuts it off says it. */
export interface Progress {
  readonly request: ExchangeRequest;
  readonly wire: Wire;
  phase: 'unsent' | 'sent' | 'answered' | 'reading' | 'waiting';
  attempts: number;
  /** The call of the attempt under way; undefined before the first. */
  trip: Trip | undefined;
  /** The start of the attempt under way, on the clock of `performance.now()`. */
  sentAt: number;
  /** The status of the attempt under way, when it was answered. */
  status: number | undefined;
  lastError: TargetError | undefined;
}

/** An exchange of which nothing is sent yet. */
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
