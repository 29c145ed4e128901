import { TargetError, type TargetErrorCode, type TargetErrorDetails } from '../errors.js';
import type { Limit, Span } from './deadline.js';
import { codeOf, type ProxyTrouble, proxyTroubleOf, reasonOf, toCause } from './error-causes.js';
import type { Progress } from './exchange.js';
import { toUrl } from './hosts.js';
import { reasonOfAbort } from './watched-signal.js';

/**
 * Timeouts that came while this process was too busy for its calls. They are noted here and not on the errors, because
 * callers do not need this fact.
 */
const timeoutsOfBusyProcess = new WeakSet<Error>();

/** Tells whether a call failed because this process was busy. The host is not to blame then. */
export function isOfBusyProcess(error: Error): boolean {
  return timeoutsOfBusyProcess.has(error);
}

/** Makes the error of an exchange that was cut off by a limit. */
export function toLimitError(progress: Progress, limit: Limit, span?: Span): TargetError {
  const { request, attempts, status, lastError } = progress;
  const { what, requestId, timeoutMs, signal } = request;
  if (limit === 'signal') {
    const details = { cause: reasonOfAbort(signal), attempts, requestId };
    return new TargetError('ERR_TARGET_ABORTED', `the ${what} was aborted by its signal`, details);
  }
  const details = { cause: lastError, attempts, requestId, status };
  const message = `the ${what} did not end within ${timeoutMs} ms: ${whatHappened(progress)}`;
  const error = new TargetError('ERR_TARGET_TIMEOUT', message, details);
  if (span?.wasBusy) {
    timeoutsOfBusyProcess.add(error);
  }
  return error;
}

function whatHappened({ phase, status }: Progress): string {
  if (phase === 'unsent') {
    return 'it was not sent';
  }
  if (phase === 'sent') {
    return 'no answer came';
  }
  if (phase === 'waiting') {
    return 'it waited to be sent again';
  }
  return `the body of the answer with status ${status} did not end`;
}

/** Makes the error for an exception of a fetch. The phase of the attempt decides the kind of error. */
export function toAttemptError(thrown: unknown, progress: Progress, span: Span): TargetError {
  const { phase } = progress;
  if (phase === 'sent') {
    return toNetworkError(thrown, progress, span, 'failed');
  }
  if (phase !== 'reading') {
    return toUnreadable(thrown, progress);
  }
  if (!isDecodingError(thrown)) {
    return toNetworkError(thrown, progress, span, 'broke off in the body');
  }
  const cause = toCause(thrown);
  return toInvalid(progress, `was answered with a body that cannot be decoded: ${reasonOf(cause)}`, cause);
}

function toNetworkError(thrown: unknown, progress: Progress, span: Span, result: string): TargetError {
  const { wire, trip, sentAt, status } = progress;
  if (!span.aborted && trip) {
    wire.onDead(trip, sentAt);
  }
  const cause = toCause(thrown);
  const trouble = proxyTroubleOf(cause);
  if (trouble) {
    return toProxyError(progress, trouble, { cause });
  }
  return toFailure(progress, 'ERR_TARGET_NETWORK', `${result}: ${reasonOf(cause)}${at(progress)}`, {
    cause,
    status,
  });
}

/** Makes the error of a call that a proxy did not let through. It says nothing about the host behind the proxy. */
export function toProxyError(
  progress: Progress,
  { status, code }: ProxyTrouble,
  details: TargetErrorDetails,
): TargetError {
  const reason =
    status === undefined
      ? `the proxy opened no tunnel: ${code}`
      : `the proxy refused it with status ${status}`;
  return toFailure(progress, 'ERR_TARGET_NETWORK', `failed: ${reason}${at(progress)}`, {
    ...details,
    status,
  });
}

/** Names the host of an attempt, for the end of a message. */
function at({ request }: Progress): string {
  const host = toUrl(request.url)?.host;
  return host ? ` (${host})` : '';
}

/** Makes the error for a caller's fetch that returned no Response, or a Response that throws when it is read. */
export function toUnreadable(thrown: unknown, progress: Progress): TargetError {
  return toInvalid(progress, 'was answered by the fetchApi with no Response', toCause(thrown));
}

/** Makes the error of an answer that cannot be used. */
export function toInvalid(progress: Progress, result: string, cause?: unknown): TargetError {
  return toFailure(progress, 'ERR_TARGET_INVALID_RESPONSE', result, { cause, status: progress.status });
}

/** Makes the error of an exchange, with the fields that all errors of its last attempt have. */
export function toFailure(
  { request: { what, requestId }, attempts }: Progress,
  code: TargetErrorCode,
  result: string,
  details: TargetErrorDetails,
): TargetError {
  return new TargetError(code, `the ${what} ${result}`, { attempts, requestId, ...details });
}

/** Tells whether the bytes of an answer arrived, but could not be decoded. */
function isDecodingError(thrown: unknown): boolean {
  return /^(Z_|ERR_BROTLI_|ERR__ERROR_FORMAT_|ERR_CONTENT_CODING$)/.test(codeOf(thrown) ?? '');
}
