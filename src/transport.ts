import http from 'node:http';
import https from 'node:https';
import nodeFetch from 'node-fetch';
import pRetry from 'p-retry';
import type { RetryPolicy } from './config.js';
import { TargetError, type TargetErrorCode, toError } from './errors.js';

/** The global `AbortSignal`, where the caller's type libraries know it. */
export type AbortSignalLike = typeof globalThis extends { AbortSignal: { prototype: infer Signal } }
  ? Signal
  : { readonly aborted: boolean; readonly reason?: unknown };

/** The global `URL`, where the caller's type libraries know it. */
export type UrlLike = typeof globalThis extends { URL: { prototype: infer Url } }
  ? Url
  : { readonly href: string; readonly protocol: string };

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
}

/** A WHATWG fetch: the global one, node-fetch's, undici's or your own. */
export type FetchApi = (url: string, init: FetchInit) => Promise<FetchResponse>;

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

const RETRIED_STATUSES = new Set([408, 429, 500, 502, 503, 504]);
const MAX_SOCKETS_PER_HOST = 128;
const MAX_ERROR_BODY_LENGTH = 1024;

/** Makes the client's transport: an injected fetch, or node-fetch on keep-alive agents. */
export function createTransport({ fetchApi, agent }: TransportOptions): Transport {
  const agents = fetchApi || agent ? [] : createAgents();
  const [httpAgent, httpsAgent] = agents;
  const chosen = agent ?? (({ protocol }: URL) => (protocol === 'http:' ? httpAgent : httpsAgent));
  const call = fetchApi ?? (nodeFetch as unknown as FetchApi);
  const extra = fetchApi && !agent ? {} : { agent: chosen };
  return {
    exchange: (request) => exchange(request, (init) => call(request.url, { ...init, ...extra })),
    close: () => {
      for (const agent of agents) closeIdle(agent);
    },
  };
}

function createAgents(): [http.Agent, https.Agent] {
  const options = { keepAlive: true, maxSockets: MAX_SOCKETS_PER_HOST, scheduling: 'lifo' } as const;
  return [new http.Agent(options), new https.Agent(options)];
}

function closeIdle(agent: http.Agent): void {
  agent.maxFreeSockets = 0;
  for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
}

/** What is known of an exchange while it runs, for the error of a deadline that cuts it off. */
interface Progress {
  attempts: number;
  lastError?: TargetError;
}

type Fetch = (init: FetchInit) => Promise<FetchResponse>;

/** One request with its retries, all of it within one deadline, whatever the fetch does. */
function exchange(request: ExchangeRequest, fetch: Fetch): Promise<Exchanged> {
  const { what, requestId, timeoutMs, signal: outer } = request;
  const progress: Progress = { attempts: 0 };
  const deadline = performance.now() + timeoutMs;
  return new Promise((resolve, reject) => {
    // One controller a call: combined signals keep memory alive for as long as the caller's signal lives.
    const controller = new AbortController();
    const end = () => {
      clearTimeout(timer);
      outer?.removeEventListener('abort', onAbort);
    };
    const cut = (code: TargetErrorCode, result: string, cause: unknown) => {
      end();
      const { attempts } = progress;
      const error = new TargetError(code, `the ${what} ${result}`, { cause, attempts, requestId });
      reject(error);
      controller.abort(error);
    };
    const onAbort = () => cut('ERR_TARGET_ABORTED', 'was aborted by its signal', outer?.reason);
    const timer = setTimeout(
      () => cut('ERR_TARGET_TIMEOUT', `did not end within ${timeoutMs} ms`, progress.lastError),
      timeoutMs,
    );
    if (outer?.aborted) return onAbort();
    outer?.addEventListener('abort', onAbort);
    attemptUntil(request, fetch, controller.signal, { progress, deadline }).then(
      (answer) => {
        end();
        resolve(answer);
      },
      (error) => {
        end();
        reject(error);
      },
    );
  });
}

interface Course {
  readonly progress: Progress;
  readonly deadline: number;
}

function attemptUntil(
  request: ExchangeRequest,
  fetch: Fetch,
  signal: AbortSignal,
  { progress, deadline }: Course,
): Promise<Exchanged> {
  let waitMs = 0;
  return pRetry(
    async () => {
      if (waitMs > 0) await sleep(waitMs, signal);
      progress.attempts += 1;
      try {
        return await attempt(request, fetch, signal, progress.attempts);
      } catch (error) {
        progress.lastError = error as TargetError;
        throw error;
      }
    },
    {
      retries: request.retry.retries,
      // The waits are ours: p-retry has no full jitter and does not know Retry-After.
      minTimeout: 0,
      signal,
      shouldRetry: ({ error, attemptNumber }) => {
        if (!isRetryable(error as TargetError)) return false;
        waitMs = toWaitMs(request.retry, attemptNumber, retryAfterMs.get(error));
        return performance.now() + waitMs < deadline;
      },
    },
  );
}

/** How long an answer asked to be left alone, by the error that it became. */
const retryAfterMs = new WeakMap<Error, number>();

function isRetryable({ code, status }: TargetError): boolean {
  return code === 'ERR_TARGET_NETWORK' || (status !== undefined && RETRIED_STATUSES.has(status));
}

/** Exponential backoff with full jitter, or what Retry-After asks for when that is longer. */
function toWaitMs(retry: RetryPolicy, attemptNumber: number, askedMs = 0): number {
  const longest = Math.min(retry.minTimeoutMs * retry.factor ** (attemptNumber - 1), retry.maxTimeoutMs);
  return Math.max(retry.jitter ? Math.random() * longest : longest, askedMs);
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** One HTTP request and its answer. Every failure is a TargetError. */
async function attempt(
  request: ExchangeRequest,
  fetch: Fetch,
  signal: AbortSignal,
  attempts: number,
): Promise<Exchanged> {
  const { what, method, headers, body, requestId, maxBytes } = request;
  const fail = (code: TargetErrorCode, result: string, details: object = {}) =>
    new TargetError(code, `the ${what} ${result}`, { attempts, requestId, ...details });
  const started = performance.now();
  let response: FetchResponse;
  try {
    const init = {
      method,
      headers: { ...headers, 'X-Request-Id': requestId },
      signal: signal as AbortSignalLike,
      redirect: 'manual',
    } as const;
    response = await fetch(body === undefined ? init : { ...init, body });
  } catch (cause) {
    throw fail('ERR_TARGET_NETWORK', `failed: ${reasonOf(cause)}`, { cause });
  }
  if (typeof response?.status !== 'number') {
    throw fail(
      'ERR_TARGET_INVALID_RESPONSE',
      'was answered by the fetchApi with something that is no Response',
    );
  }
  const { status } = response;
  const answered = performance.now();
  const isAnswer = (status >= 200 && status < 300) || request.accepts?.includes(status) === true;
  const read = await readBody(response, isAnswer ? maxBytes : MAX_ERROR_BODY_LENGTH, signal).catch(
    (cause) => {
      // What is said of a failure matters less than the failure itself.
      if (!isAnswer) return { bytes: Buffer.alloc(0), isWhole: true };
      const code = isDecodingError(cause) ? 'ERR_TARGET_INVALID_RESPONSE' : 'ERR_TARGET_NETWORK';
      throw fail(code, `broke off in the body: ${reasonOf(cause)}`, { cause, status });
    },
  );
  if (!isAnswer) {
    const error = fail('ERR_TARGET_RESPONSE', `was answered with status ${status}`, {
      status,
      body: read.bytes.toString('utf8'),
    });
    const askedMs = toRetryAfterMs(headerOf(response, 'retry-after'));
    if (askedMs !== undefined) retryAfterMs.set(error, askedMs);
    throw error;
  }
  if (!read.isWhole)
    throw fail('ERR_TARGET_INVALID_RESPONSE', `was answered with more than ${maxBytes} bytes`, { status });
  return {
    status,
    headers: response.headers,
    body: read.bytes,
    attempts,
    timeToFirstByteMs: answered - started,
    downloadMs: performance.now() - answered,
  };
}

interface ReadBody {
  readonly bytes: Buffer;
  readonly isWhole: boolean;
}

/** Reads a body up to a number of bytes, counted after decoding, and lets go of the rest. */
async function readBody(response: FetchResponse, maxBytes: number, signal: AbortSignal): Promise<ReadBody> {
  const { body } = response;
  if (!isStream(body)) {
    const bytes = Buffer.from(typeof response.text === 'function' ? await response.text() : '');
    return { bytes: bytes.subarray(0, maxBytes), isWhole: bytes.length <= maxBytes };
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop destroys the stream, and with it the connection whose rest nobody wants.
  for await (const chunk of body) {
    signal.throwIfAborted();
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    length += bytes.length;
    chunks.push(bytes);
    if (length > maxBytes) return { bytes: Buffer.concat(chunks, maxBytes), isWhole: false };
  }
  return { bytes: Buffer.concat(chunks, length), isWhole: true };
}

function isStream(body: unknown): body is AsyncIterable<Uint8Array | string> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}

/** Whether the bytes came, but their content encoding is broken. */
function isDecodingError(thrown: unknown): boolean {
  const { code } = toError(thrown) as Error & { code?: unknown };
  return typeof code === 'string' && code.startsWith('Z_');
}

function headerOf(response: FetchResponse, name: string): string | null {
  return typeof response.headers?.get === 'function' ? response.headers.get(name) : null;
}

/** `Retry-After`, in seconds or as a date, as milliseconds from now. */
function toRetryAfterMs(value: string | null): number | undefined {
  if (!value) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** A short word for why a fetch failed: its system error code, never a message that may quote the URL. */
function reasonOf(thrown: unknown): string {
  const error = toError(thrown) as Error & { code?: unknown; type?: unknown };
  const inner = error.cause instanceof Error ? (error.cause as Error & { code?: unknown }).code : undefined;
  const word = error.code ?? inner ?? error.type ?? error.name;
  return typeof word === 'string' ? word : 'Error';
}
