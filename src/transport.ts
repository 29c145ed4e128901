import nodeFetch from 'node-fetch';
import pRetry from 'p-retry';
import type { RetryPolicy } from './config.js';
import { Connections, type Opening } from './connections.js';
import { type Abortable, type Span, sleep, within } from './deadline.js';
import { TargetError, type TargetErrorCode, type TargetErrorDetails, toError } from './errors.js';
import type { AbortSignalLike, AgentOption, FetchApi, FetchInit, FetchResponse } from './fetch-api.js';
import { readBody } from './response-body.js';

/** One HTTP request, with what may happen to it. */
export interface ExchangeRequest {
  /** For error messages, such as `delivery call`. */
  readonly what: string;
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly requestId: string;
  /** Bytes of the answer after decoding. */
  readonly maxBytes: number;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number;
  readonly signal?: AbortSignalLike | undefined;
  /** Statuses besides 2xx that are answers, such as 304. */
  readonly accepts?: readonly number[];
}

/** What came back, read to its end. */
export interface Exchanged {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: Buffer;
  readonly attempts: number;
  /** From the request to the answer's headers. */
  readonly timeToFirstByteMs: number;
  /** From the answer's headers to the end of its body. */
  readonly downloadMs: number;
  /** Of the DNS look-up; absent when the call had no need of one. */
  readonly dnsMs?: number;
  /** Of the TLS handshake; absent when the call had no need of one. */
  readonly tlsMs?: number;
}

/** The one way to the network. */
export interface Transport {
  exchange(request: ExchangeRequest): Promise<Exchanged>;
  /** Closes idle connections; those in use close behind their answer. */
  close(): void;
}

/** The transport's part of the configuration. */
export interface TransportOptions {
  readonly fetchApi: FetchApi | undefined;
  readonly agent: AgentOption | undefined;
}

/** For what has a schedule of its own. */
export const NO_RETRY: RetryPolicy = {
  retries: 0,
  minTimeoutMs: 0,
  maxTimeoutMs: 0,
  factor: 1,
  jitter: false,
};

const RETRIED_STATUSES = new Set([408, 429, 500, 502, 503, 504]);
const MAX_ERROR_BODY_BYTES = 1024;
const MAX_ERROR_BODY_MS = 250;

/** Makes the client's transport: an injected fetch, or node-fetch on keep-alive connections. */
export function createTransport({ fetchApi, agent }: TransportOptions): Transport {
  const connections = fetchApi || agent ? undefined : new Connections();
  const call = fetchApi ?? (nodeFetch as unknown as FetchApi);
  const chosen = agent ?? (connections && ((url: URL) => connections.agentOf(url)));
  const extra = chosen && { agent: chosen };
  return {
    exchange: (request) => {
      const send: Send = (init) => call(request.url, { ...init, ...extra });
      return exchange(request, {
        send: connections ? (init, opening) => connections.measure(opening, () => send(init, opening)) : send,
        onBroken: ({ isNew }) => {
          // Where one connection was dead, those that waited beside it most likely are: a retry takes a new one.
          if (!isNew) connections?.dropIdle();
        },
      });
    },
    close: () => connections?.close(),
  };
}

type Send = (init: FetchInit, opening: Opening) => Promise<FetchResponse>;

/** How an attempt gets to the network. */
interface Wire {
  readonly send: Send;
  /** Told of an attempt that found its connection broken. */
  readonly onBroken: (opening: Opening) => void;
}

/** How far an exchange has got, for the error of a limit that cuts it off. */
interface Progress {
  attempts: number;
  doing: string;
  status?: number | undefined;
  lastError?: TargetError;
}

/** One request with its retries, all of it within one deadline, whatever the fetch does. */
function exchange(request: ExchangeRequest, wire: Wire): Promise<Exchanged> {
  const progress: Progress = { attempts: 0, doing: 'it was not sent' };
  const limits = { timeoutMs: request.timeoutMs, signal: request.signal as Abortable | undefined };
  return within(
    limits,
    (span) => attemptUntil(request, wire, span, progress),
    (limit) => toLimitError(request, progress, limit),
  );
}

function toLimitError(
  { what, requestId, timeoutMs, signal }: ExchangeRequest,
  { attempts, doing, status, lastError }: Progress,
  limit: 'deadline' | 'signal',
): TargetError {
  if (limit === 'signal') {
    const details = { cause: signal?.reason, attempts, requestId };
    return new TargetError('ERR_TARGET_ABORTED', `the ${what} was aborted by its signal`, details);
  }
  const details = { cause: lastError, attempts, requestId, status };
  return new TargetError(
    'ERR_TARGET_TIMEOUT',
    `the ${what} did not end within ${timeoutMs} ms: ${doing}`,
    details,
  );
}

function attemptUntil(
  request: ExchangeRequest,
  wire: Wire,
  { signal, deadline }: Span,
  progress: Progress,
): Promise<Exchanged> {
  let waitMs = 0;
  const tryOnce = async () => {
    if (waitMs > 0) await sleep(waitMs, signal);
    // A process that was busy may come back to this before it comes to the timer of the deadline.
    if (performance.now() >= deadline) throw toLimitError(request, progress, 'deadline');
    progress.attempts += 1;
    try {
      return await attemptOnce({ request, wire, signal, progress, opening: {} });
    } catch (thrown) {
      progress.lastError = thrown instanceof TargetError ? thrown : toUnreadable(thrown, request, progress);
      throw progress.lastError;
    }
  };
  return pRetry(tryOnce, {
    retries: request.retry.retries,
    // The waits are ours: p-retry has no full jitter and does not know Retry-After.
    minTimeout: 0,
    signal,
    shouldRetry: ({ error, attemptNumber }) => {
      if (!isRetryable(error as TargetError)) return false;
      waitMs = toWaitMs(request.retry, attemptNumber, retryAfterMs.get(error));
      progress.doing = 'it waited for its repetition';
      return performance.now() + waitMs < deadline;
    },
  });
}

/** For an injected fetch that answers with something that is no Response, or throws when it is looked at. */
function toUnreadable(
  cause: unknown,
  { what, requestId }: ExchangeRequest,
  { attempts }: Progress,
): TargetError {
  const message = `the ${what} was answered by the fetchApi with no Response`;
  return new TargetError('ERR_TARGET_INVALID_RESPONSE', message, { cause, attempts, requestId });
}

/** How long an answer asked to be left alone, by the error that it became. */
const retryAfterMs = new WeakMap<Error, number>();

/** How long the answer behind an error asked to be left alone, for what is repeated later than in one exchange. */
export function retryAfterMsOf(error: Error): number | undefined {
  return retryAfterMs.get(error);
}

function isRetryable({ code, status }: TargetError): boolean {
  return code === 'ERR_TARGET_NETWORK' || (code === 'ERR_TARGET_RESPONSE' && isRetriedStatus(status));
}

function isRetriedStatus(status: number | undefined): boolean {
  return status !== undefined && RETRIED_STATUSES.has(status);
}

/** Exponential backoff with full jitter, or what Retry-After asks for when that is longer. */
function toWaitMs(retry: RetryPolicy, attemptNumber: number, askedMs = 0): number {
  const longest = Math.min(retry.minTimeoutMs * retry.factor ** (attemptNumber - 1), retry.maxTimeoutMs) || 0;
  return Math.max(retry.jitter ? Math.random() * longest : longest, askedMs);
}

/** One HTTP request, on its way. */
interface Attempt {
  readonly request: ExchangeRequest;
  readonly wire: Wire;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly opening: Opening;
}

/** One HTTP request and its answer. Every failure is a TargetError. */
async function attemptOnce(attempt: Attempt): Promise<Exchanged> {
  const { request, progress, opening } = attempt;
  progress.doing = 'no answer came';
  progress.status = undefined;
  const started = performance.now();
  const response = await send(attempt);
  const answered = performance.now();
  const { status } = response;
  progress.doing = `the body of the answer with status ${status} did not end`;
  progress.status = status;
  const isAnswer = (status >= 200 && status < 300) || request.accepts?.includes(status) === true;
  if (!isAnswer) throw await toResponseError(attempt, response);
  const body = await readAnswer(attempt, response);
  return {
    status,
    headers: { get: (name) => headerOf(response, name) },
    body,
    attempts: progress.attempts,
    timeToFirstByteMs: answered - started,
    downloadMs: performance.now() - answered,
    ...(opening.dnsMs !== undefined && { dnsMs: opening.dnsMs }),
    ...(opening.tlsMs !== undefined && { tlsMs: opening.tlsMs }),
  };
}

async function send(attempt: Attempt): Promise<FetchResponse> {
  const { method, headers, body, requestId } = attempt.request;
  const init: FetchInit = {
    method,
    headers: { ...headers, 'X-Request-Id': requestId },
    ...(body !== undefined && { body }),
    signal: attempt.signal as AbortSignalLike,
    redirect: 'manual',
  };
  let response: FetchResponse;
  try {
    response = await attempt.wire.send(init, attempt.opening);
  } catch (cause) {
    throw toNetworkError(attempt, 'failed', cause);
  }
  if (typeof response?.status === 'number') return response;
  throw toUnreadable(undefined, attempt.request, attempt.progress);
}

async function readAnswer(attempt: Attempt, response: FetchResponse): Promise<Buffer> {
  const { maxBytes } = attempt.request;
  const { status } = response;
  try {
    const { bytes, isWhole } = await readBody(response, { maxBytes, signal: attempt.signal });
    if (isWhole) return bytes;
  } catch (cause) {
    if (!isDecodingError(cause)) throw toNetworkError(attempt, 'broke off in the body', cause, status);
    const result = `was answered with a body that cannot be decoded: ${reasonOf(cause)}`;
    throw toFailure(attempt, 'ERR_TARGET_INVALID_RESPONSE', result, { cause, status });
  }
  const result = `was answered with more than ${maxBytes} bytes`;
  throw toFailure(attempt, 'ERR_TARGET_INVALID_RESPONSE', result, { status });
}

/** An answer that is none, with as much of its body as comes soon: a retry should not have to wait for it. */
async function toResponseError(attempt: Attempt, response: FetchResponse): Promise<TargetError> {
  const { signal, request } = attempt;
  const { status } = response;
  const maxMs = Math.min(MAX_ERROR_BODY_MS, request.timeoutMs / 4);
  const limits = { maxBytes: MAX_ERROR_BODY_BYTES, maxMs, signal };
  // What is said of a failure matters less than the failure itself.
  const read = await readBody(response, limits).catch(() => undefined);
  const error = toFailure(attempt, 'ERR_TARGET_RESPONSE', `was answered with status ${status}`, {
    status,
    body: read?.bytes.toString('utf8') ?? '',
  });
  const askedMs = toRetryAfterMs(headerOf(response, 'retry-after'));
  if (askedMs !== undefined) retryAfterMs.set(error, askedMs);
  return error;
}

function toNetworkError(attempt: Attempt, result: string, thrown: unknown, status?: number): TargetError {
  if (!attempt.signal.aborted) attempt.wire.onBroken(attempt.opening);
  const details = { cause: withoutQueries(thrown), status };
  return toFailure(attempt, 'ERR_TARGET_NETWORK', `${result}: ${reasonOf(thrown)}`, details);
}

function toFailure(
  { request: { what, requestId }, progress: { attempts } }: Attempt,
  code: TargetErrorCode,
  result: string,
  details: TargetErrorDetails = {},
): TargetError {
  return new TargetError(code, `the ${what} ${result}`, { attempts, requestId, ...details });
}

/** Whether the bytes came, but their content encoding is broken. */
function isDecodingError(thrown: unknown): boolean {
  return /^(Z_|ERR_BROTLI_|ERR__ERROR_FORMAT_)/.test(codeOf(thrown) ?? '');
}

function headerOf({ headers }: FetchResponse, name: string): string | null {
  const value: unknown = typeof headers?.get === 'function' ? headers.get(name) : null;
  return typeof value === 'string' ? value : null;
}

/** `Retry-After`, in seconds or as a date, as milliseconds from now. */
function toRetryAfterMs(value: string | null): number | undefined {
  if (!value) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** A short word for why a fetch failed: its system error code, never a message that may quote the URL. */
function reasonOf(thrown: unknown): string {
  const { type, name } = toError(thrown) as Error & { type?: unknown };
  return codeOf(thrown) ?? [type, name].find(isWord) ?? 'Error';
}

/** The system error code of what a fetch threw, or of what that was caused by. */
function codeOf(thrown: unknown): string | undefined {
  const { code, cause } = toError(thrown) as Error & { code?: unknown };
  return [code, (cause as { code?: unknown } | null | undefined)?.code].find(isWord);
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && /^[\w-]{1,64}$/.test(value);
}

/** What a fetch threw, without the queries of URLs in its message: they hold the visitor's session. */
function withoutQueries(thrown: unknown): unknown {
  const { message, code } = toError(thrown) as Error & { code?: unknown };
  if (!message.includes('?')) return thrown;
  return Object.assign(new Error(message.replace(/\?\S*/g, '')), isWord(code) && { code });
}
