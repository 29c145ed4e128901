import { TargetError } from '../errors.js';
import { readBody, textOf } from './body.js';
import type { Opening, Trip } from './connection-use.js';
import type { Span } from './deadline.js';
import type { Exchanged, Progress } from './exchange.js';
import {
  toAttemptError,
  toFailure,
  toInvalid,
  toLimitError,
  toProxyError,
  toUnreadable,
} from './failures.js';
import type { FetchResponse } from './fetch-api.js';
import { toInit } from './fetch-init.js';
import { headerOf, SafeHeaders } from './headers.js';
import { toRetryAfterMs } from './retry.js';

const MAX_ERROR_BODY_BYTES = 1024;
const MAX_ERROR_BODY_MS = 250;

/**
 * Sends one HTTP request and reads its answer. Every failure is a TargetError. All of the work is done in one function,
 * because each further promise costs time (benchmark on-device/execute-url).
 */
export async function attempt(progress: Progress, span: Span): Promise<Exchanged> {
  const started = performance.now();
  // The timer of the deadline may be late in a busy process, so the clock decides.
  if (span.isOver(started)) {
    throw toLimitError(progress, 'deadline', span);
  }
  const { request, wire } = progress;
  // Every field is set from the start, so that none is read from `Object.prototype`.
  const opening: Opening = { isNew: false, dnsMs: undefined, tlsMs: undefined };
  const trip: Trip = { url: request.url, body: request.body, opening, cut: span, request: undefined };
  progress.attempts += 1;
  progress.phase = 'sent';
  progress.status = undefined;
  progress.trip = trip;
  progress.sentAt = started;
  try {
    const response = await wire.send(trip, toInit(request, wire, span), span);
    progress.phase = 'answered';
    const answered = performance.now();
    if (typeof response?.status !== 'number') {
      throw toUnreadable(undefined, progress);
    }
    const { status } = response;
    progress.status = status;
    const isAnswer = (status >= 200 && status < 300) || request.accepts.includes(status);
    if (!isAnswer) {
      throw await toResponseError(progress, span, response);
    }
    progress.phase = 'reading';
    const { body, isWhole } = await readBody(response, {
      maxBytes: request.maxBytes,
      maxMs: undefined,
      span,
    });
    if (!isWhole) {
      throw toInvalid(progress, `was answered with more than ${request.maxBytes} bytes`);
    }
    const endedAt = performance.now();
    return {
      status,
      headers: new SafeHeaders(response),
      body,
      attempts: progress.attempts,
      timeToFirstByteMs: answered - started,
      downloadMs: endedAt - answered,
      endedAt,
      dnsMs: opening.dnsMs,
      tlsMs: opening.tlsMs,
      discard: () => wire.discard(trip, response),
    };
  } catch (thrown) {
    const error = thrown instanceof TargetError ? thrown : toAttemptError(thrown, progress, span);
    progress.lastError = error;
    throw error;
  }
}

/**
 * Makes the error of an answer whose status is a failure. The error holds the start of the body, if that comes soon: a
 * retry should not have to wait for it.
 */
async function toResponseError(
  progress: Progress,
  span: Span,
  response: FetchResponse,
): Promise<TargetError> {
  const { wire, request, trip } = progress;
  const { status } = response;
  const maxMs = Math.min(MAX_ERROR_BODY_MS, request.timeoutMs / 4);
  const limits = { maxBytes: MAX_ERROR_BODY_BYTES, maxMs, span };
  // The failure itself matters more than its body, so a body that cannot be read is left out.
  const read = await readBody(response, limits).catch(() => undefined);
  const body = read ? textOf(read.body) : '';
  // Status 407 always comes from a proxy (https://www.rfc-editor.org/rfc/rfc9110#section-15.5.8).
  if (status === 407) {
    return toProxyError(progress, { status, code: '407' }, { body });
  }
  if (request.bodyId !== undefined && wire.issued?.isTextOfAnother(body, request.bodyId)) {
    if (trip) {
      wire.discard(trip, response);
    }
    return toInvalid(progress, 'was answered with the answer to another call');
  }
  const retryAfterMs = toRetryAfterMs(headerOf(response, 'retry-after'));
  const details = { status, body, retryAfterMs };
  return toFailure(progress, 'ERR_TARGET_RESPONSE', `was answered with status ${status}`, details);
}
