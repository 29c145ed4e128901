import pRetry from 'p-retry';
import { allowListeners, defaultFetch, later, sockets } from '#platform';
import { TargetError, type TargetErrorCode, type TargetErrorDetails } from '../errors.js';
import { type Body, quietly, readBody, textOf } from './body.js';
import { codeOf, reasonOf, toCause } from './causes.js';
import type { Opening, Trip } from './connections.js';
import { type Limit, type Span, sleep, within } from './deadline.js';
import type { AbortSignalLike, AgentOption, FetchApi, FetchInit, FetchResponse } from './fetch-api.js';
import { toInit } from './fetch-init.js';
import { IssuedIds } from './issued-ids.js';
import type { RetryPolicy } from './retry.js';

/** One HTTP request, with what may happen to it. */
export interface ExchangeRequest {
  /** For error messages, such as `delivery call`. */
  readonly what: string;
  readonly url: string;
  readonly method: 'GET' | 'POST';
  /** `X-Request-Id` is added where it is missing. */
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly requestId: string;
  /** The `requestId` of the body, which the answer repeats. */
  readonly bodyId?: string | undefined;
  /** Bytes of the answer after decoding. */
  readonly maxBytes: number;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number;
  readonly signal?: AbortSignalLike | undefined;
  /** Statuses besides 2xx that are answers, such as 304. */
  readonly accepts?: readonly number[];
  /** Statuses that pass, besides those that pass for every request. */
  readonly passing?: readonly number[] | undefined;
  /** Errors that no repetition helps, besides those that are never repeated. */
  readonly givesUpOn?: ((error: TargetError) => boolean) | undefined;
}

/** What came back, read to its end. */
export interface Exchanged {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: Body;
  readonly attempts: number;
  /** From the request to the answer's headers. */
  readonly timeToFirstByteMs: number;
  /** From the answer's headers to the end of its body. */
  readonly downloadMs: number;
  /** On the clock of `performance.now()`. */
  readonly endedAt: number;
  /** Of the DNS look-up; absent when the call had no need of one. */
  readonly dnsMs: number | undefined;
  /** Of the TLS handshake; absent when the call had no need of one. */
  readonly tlsMs: number | undefined;
  /** Closes the connection that the answer came on, though another call may have it by now. */
  discard(): void;
}

/** The one way to the network. */
export interface Transport {
  exchange(request: ExchangeRequest): Promise<Exchanged>;
  /** Looks a host's name up, where that is not left to a fetch or a proxy. */
  readonly lookUp: ((hostname: string) => Promise<unknown>) | undefined;
  /** The ids of the calls that share its connections; undefined where a fetch of the caller's has them. */
  readonly issued: IssuedIds | undefined;
  /** Closes idle connections; those in use close after their answer. */
  close(): void;
}

/** The transport's part of the configuration. */
export interface TransportOptions {
  readonly fetchApi: FetchApi | undefined;
  readonly agent: AgentOption | undefined;
}

/** Adobe's answer to too many calls of one session at a time. */
export const SESSION_BUSY = 420;
const RETRIED_STATUSES = new Set([408, 429, 500, 502, 503, 504]);
const MAX_ERROR_BODY_BYTES = 1024;
const MAX_ERROR_BODY_MS = 250;

/** Makes the client's transport: an injected fetch, or node-fetch on keep-alive connections. */
export function createTransport({ fetchApi, agent }: TransportOptions): Transport {
  const connections = fetchApi || agent ? undefined : sockets?.open();
  const call = fetchApi ?? defaultFetch;
  const chosen = agent ?? (connections && ((url: URL) => connections.agentOf(url)));
  const send = (url: string, init: FetchInit) =>
    call(url, chosen ? Object.assign(init, { agent: chosen }) : init);
  const issued = issuedOn(fetchApi);
  const wire: Wire = {
    issued,
    takesAnySignal: call.takesAnySignal === true,
    send: (trip, init, span) =>
      connections
        ? connections.start(
            trip,
            (body) => send(trip.url, Object.assign(init, { body })),
            () => span.drop(),
          )
        : send(trip.url, init),
    onDead: ({ url, opening }, sentAt) => {
      // One that was opened for the attempt says nothing of those that were open before.
      if (opening.isNew) return;
      quietly(() =>
        agent
          ? sockets?.dropIdleOf(agentOf(agent, url), url)
          : (connections ?? fetchApi)?.dropIdle?.(url, sentAt),
      );
    },
    discard: (trip, response) => {
      // An agent of the caller's does not tell which connection it was, but has it back in a moment.
      if (agent) later(() => quietly(() => sockets?.dropIdleOf(agentOf(agent, trip.url), trip.url)));
      else quietly(() => (connections ? connections.discard(trip) : response.discard?.()));
    },
  };
  return {
    exchange: (request) => exchange(request, wire),
    lookUp: connections || (fetchApi?.connectsDirectly && !agent) ? sockets?.lookUp : undefined,
    issued,
    close: () => connections?.close(),
  };
}

function agentOf(agent: AgentOption, url: string): object {
  return typeof agent === 'function' ? agent(new URL(url)) : agent;
}

/** By the fetch whose connections clients share. */
const issuedByFetch = new WeakMap<FetchApi, IssuedIds>();

function issuedOn(fetchApi: FetchApi | undefined): IssuedIds | undefined {
  if (!fetchApi) return new IssuedIds();
  // A fetch of the caller's may answer from memory, and the same to several calls.
  if (!fetchApi.dropIdle) return undefined;
  const issued = issuedByFetch.get(fetchApi) ?? new IssuedIds();
  issuedByFetch.set(fetchApi, issued);
  return issued;
}

/** How an attempt gets to the network. */
interface Wire extends Pick<Transport, 'issued'> {
  readonly takesAnySignal: boolean;
  readonly send: (trip: Trip, init: FetchInit, span: Span) => Promise<FetchResponse>;
  /** Told of an attempt that was sent and not answered: connections that have been idle since before it may be dead too. */
  readonly onDead: (trip: Trip, sentAt: number) => void;
  /** Closes the connection that an answer came on. */
  readonly discard: (trip: Trip, response: FetchResponse) => void;
}

/** An exchange under way, and how far it has got: what the error of a limit that cuts it off tells. */
interface Course {
  readonly request: ExchangeRequest;
  readonly wire: Wire;
  phase: 'unsent' | 'sent' | 'answered' | 'reading' | 'waiting';
  attempts: number;
  /** The call of the attempt under way; undefined before the first. */
  trip: Trip | undefined;
  /** On the clock of `performance.now()`. */
  sentAt: number;
  /** Of the attempt under way, when it was answered. */
  status: number | undefined;
  lastError: TargetError | undefined;
  /** Before the next attempt. */
  waitMs: number;
}

/** One request with its retries, all of it within one deadline, whatever the fetch does. */
function exchange(request: ExchangeRequest, wire: Wire): Promise<Exchanged> {
  if (request.bodyId !== undefined) wire.issued?.add(request.bodyId);
  const course: Course = {
    request,
    wire,
    phase: 'unsent',
    attempts: 0,
    trip: undefined,
    sentAt: 0,
    status: undefined,
    lastError: undefined,
    waitMs: 0,
  };
  return within(
    { timeoutMs: request.timeoutMs, signal: request.signal },
    (span) => attempt(course, span),
    (limit, span) => {
      if (limit === 'deadline' && course.phase !== 'waiting' && course.trip)
        wire.onDead(course.trip, course.sentAt);
      return toLimitError(course, limit, span);
    },
  );
}

/** Errors of calls that this process was too busy for. */
const busyErrors = new WeakSet<Error>();

/** Whether a call failed because this process was busy, which is no fault of the host. */
export function isOfBusyProcess(error: Error): boolean {
  return busyErrors.has(error);
}

function toLimitError(course: Course, limit: Limit, span?: Span): TargetError {
  const { request, attempts, status, lastError } = course;
  const { what, requestId, timeoutMs, signal } = request;
  if (limit === 'signal') {
    const details = { cause: signal?.reason, attempts, requestId };
    return new TargetError('ERR_TARGET_ABORTED', `the ${what} was aborted by its signal`, details);
  }
  const details = { cause: lastError, attempts, requestId, status };
  const message = `the ${what} did not end within ${timeoutMs} ms: ${whatHappened(course)}`;
  const error = new TargetError('ERR_TARGET_TIMEOUT', message, details);
  if (span?.wasBusy) busyErrors.add(error);
  return error;
}

function whatHappened({ phase, status }: Course): string {
  if (phase === 'unsent') return 'it was not sent';
  if (phase === 'sent') return 'no answer came';
  if (phase === 'waiting') return 'it waited for its repetition';
  return `the body of the answer with status ${status} did not end`;
}

function tryAgain(course: Course, span: Span): Promise<Exchanged> {
  // Each attempt listens to it, and Node warns of more than ten.
  allowListeners(span.signal);
  return pRetry(() => attempt(course, span), {
    // It makes the first retry itself, as its first try.
    retries: course.request.retry.retries - 1,
    // The waits are ours: p-retry has no full jitter and does not know Retry-After.
    minTimeout: 0,
    signal: span.signal,
    shouldRetry: ({ error }) => planRetry(course, span, error as TargetError),
  });
}

/** Notes what the next attempt has to wait for; false when there is to be none. */
function planRetry(course: Course, { deadline }: Span, error: TargetError): boolean {
  const { passing = [], givesUpOn } = course.request;
  const isPassing = isRetryable(error) || passing.includes(error.status ?? 0);
  if (!isPassing || givesUpOn?.(error)) return false;
  course.waitMs = toWaitMs(course.request.retry, course.attempts, retryAfterMs.get(error));
  course.phase = 'waiting';
  return performance.now() + course.waitMs < deadline;
}

/**
 * One HTTP request and its answer; after a first that failed, the others too. Every failure is a TargetError. One
 * function, for each promise costs (`on-device/execute-url`).
 */
async function attempt(course: Course, span: Span): Promise<Exchanged> {
  if (course.waitMs > 0) await sleep(course.waitMs, span.signal);
  const started = performance.now();
  // A process that was busy may come back to this before it comes to the timer of the deadline.
  if (span.isOver(started)) throw toLimitError(course, 'deadline', span);
  const { request, wire } = course;
  const opening: Opening = {};
  const trip: Trip = { url: request.url, body: request.body, opening };
  course.attempts += 1;
  course.phase = 'sent';
  course.status = undefined;
  course.trip = trip;
  course.sentAt = started;
  try {
    const response = await wire.send(trip, toInit(request, wire, span), span);
    course.phase = 'answered';
    const answered = performance.now();
    if (typeof response?.status !== 'number') throw toUnreadable(undefined, course);
    const { status } = response;
    course.status = status;
    const isAnswer = (status >= 200 && status < 300) || request.accepts?.includes(status) === true;
    if (!isAnswer) throw await toResponseError(course, span, response);
    course.phase = 'reading';
    const { body, isWhole } = await readBody(response, { maxBytes: request.maxBytes, span });
    if (!isWhole) throw toInvalid(course, `was answered with more than ${request.maxBytes} bytes`);
    const endedAt = performance.now();
    return {
      status,
      headers: new SafeHeaders(response),
      body,
      attempts: course.attempts,
      timeToFirstByteMs: answered - started,
      downloadMs: endedAt - answered,
      endedAt,
      dnsMs: opening.dnsMs,
      tlsMs: opening.tlsMs,
      discard: () => wire.discard(trip, response),
    };
  } catch (thrown) {
    const error = thrown instanceof TargetError ? thrown : toAttemptError(thrown, course, span);
    course.lastError = error;
    // Hardly any call needs more than one attempt, and p-retry costs as much as the rest.
    const isFirst = course.attempts === 1 && request.retry.retries > 0;
    if (isFirst && planRetry(course, span, error)) return tryAgain(course, span);
    throw error;
  }
}

/** What a fetch threw, by how far the attempt had got. */
function toAttemptError(thrown: unknown, course: Course, span: Span): TargetError {
  if (course.phase === 'sent') return toNetworkError(thrown, course, span, 'failed');
  if (course.phase !== 'reading') return toUnreadable(thrown, course);
  if (!isDecodingError(thrown)) return toNetworkError(thrown, course, span, 'broke off in the body');
  const cause = toCause(thrown);
  return toInvalid(course, `was answered with a body that cannot be decoded: ${reasonOf(cause)}`, cause);
}

/** For an injected fetch that answers with something that is no Response, or throws when it is looked at. */
function toUnreadable(thrown: unknown, course: Course): TargetError {
  return toInvalid(course, 'was answered by the fetchApi with no Response', toCause(thrown));
}

/** How long an answer asked to be left alone, by the error that it became. */
const retryAfterMs = new WeakMap<Error, number>();

/** Notes how long the answer behind an error asked to be left alone. */
export function noteRetryAfter(error: Error, askedMs: number): void {
  retryAfterMs.set(error, askedMs);
}

/** How long the answer behind an error asked to be left alone, for what is repeated later than in one exchange. */
export function retryAfterMsOf(error: Error): number | undefined {
  return retryAfterMs.get(error);
}

function isRetryable({ code, status }: TargetError): boolean {
  return code === 'ERR_TARGET_NETWORK' || (code === 'ERR_TARGET_RESPONSE' && isRetriedStatus(status));
}

/** Whether an error says that nobody answered. */
export function isUnreached(error: Error): boolean {
  const { code } = error as Partial<TargetError>;
  return code === 'ERR_TARGET_NETWORK' || code === 'ERR_TARGET_TIMEOUT';
}

/** Whether a status says that the same request may succeed later. */
export function isRetriedStatus(status: number | undefined): boolean {
  return status !== undefined && RETRIED_STATUSES.has(status);
}

/** Exponential backoff with full jitter, or what Retry-After asks for when that is longer. */
function toWaitMs(retry: RetryPolicy, attemptNumber: number, askedMs = 0): number {
  const longest = Math.min(retry.minTimeoutMs * retry.factor ** (attemptNumber - 1), retry.maxTimeoutMs) || 0;
  return Math.max(retry.jitter ? Math.random() * longest : longest, askedMs);
}

/** An answer that is none, with as much of its body as comes soon: a retry should not have to wait for it. */
async function toResponseError(course: Course, span: Span, response: FetchResponse): Promise<TargetError> {
  const { wire, request, trip } = course;
  const { status } = response;
  const maxMs = Math.min(MAX_ERROR_BODY_MS, course.request.timeoutMs / 4);
  const limits = { maxBytes: MAX_ERROR_BODY_BYTES, maxMs, span };
  // What is said of a failure matters less than the failure itself.
  const read = await readBody(response, limits).catch(() => undefined);
  const body = read ? textOf(read.body) : '';
  if (request.bodyId !== undefined && wire.issued?.isTextOfAnother(body, request.bodyId)) {
    if (trip) wire.discard(trip, response);
    return toInvalid(course, 'was answered with the answer to another call');
  }
  const error = toFailure(course, 'ERR_TARGET_RESPONSE', `was answered with status ${status}`, {
    status,
    body,
  });
  const askedMs = toRetryAfterMs(headerOf(response, 'retry-after'));
  if (askedMs !== undefined) noteRetryAfter(error, askedMs);
  return error;
}

function toNetworkError(thrown: unknown, course: Course, span: Span, result: string): TargetError {
  if (!span.aborted && course.trip) course.wire.onDead(course.trip, course.sentAt);
  const cause = toCause(thrown);
  const details = { cause, status: course.status };
  return toFailure(course, 'ERR_TARGET_NETWORK', `${result}: ${reasonOf(cause)}`, details);
}

function toInvalid(course: Course, result: string, cause?: unknown): TargetError {
  return toFailure(course, 'ERR_TARGET_INVALID_RESPONSE', result, { cause, status: course.status });
}

function toFailure(
  { request: { what, requestId }, attempts }: Course,
  code: TargetErrorCode,
  result: string,
  details: TargetErrorDetails,
): TargetError {
  return new TargetError(code, `the ${what} ${result}`, { attempts, requestId, ...details });
}

/** Whether the bytes came, but their content encoding is broken. */
function isDecodingError(thrown: unknown): boolean {
  return /^(Z_|ERR_BROTLI_|ERR__ERROR_FORMAT_)/.test(codeOf(thrown) ?? '');
}

/** The headers of an answer, which may be anybody's. */
class SafeHeaders {
  readonly #response: FetchResponse;

  constructor(response: FetchResponse) {
    this.#response = response;
  }

  get(name: string): string | null {
    return headerOf(this.#response, name);
  }
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
