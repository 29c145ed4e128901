import { utf8Length } from '#platform';
import { DECISIONING_METHODS } from '../config/config.js';
import { type TargetError, toTargetError } from '../errors.js';
import { isLocationHint } from '../identity/location-hint.js';
import { isSessionId, MAX_SESSION_ID_LENGTH } from '../identity/mbox-cookie.js';
import { ownOf } from '../inherited-names.js';
import { isRecord, type JsonRecord, parseJson } from '../json.js';
import type { Logger } from '../logger.js';
import type { Delivery } from '../request/call.js';
import { copyRequest } from '../request/copy-request.js';
import { toSentContext } from '../request/edge-limits.js';
import { FORMAT, MAX_DATA_BYTES } from './queued-delivery.js';
import { WrittenReport } from './written-report.js';

/** A delivery that another process has queued. */
export interface ReadDelivery {
  readonly call: Delivery;
  /** The time at which it was queued, in ms since 1970. */
  readonly madeMs: number;
  readonly isOfBrowser: boolean;
  /** The number of notifications that were left out, because Target cannot process them. */
  readonly leftOut: number;
}

/** The result of reading: a delivery, data for a newer process, or data that nobody can send. */
export type Reading = ReadDelivery | 'of another version' | { readonly why: string };

/** The most characters of a session id. Each of them may be percent-encoded. */
const MAX_ENCODED_LENGTH = 3 * MAX_SESSION_ID_LENGTH;
/** A time may be this much ahead, because the clocks of two machines differ. */
const MAX_AHEAD_MS = 24 * 60 * 60 * 1000;

/** The parts of a client that reading needs. */
export interface ReadingOptions {
  /** Returns the time in ms since 1970. */
  readonly now: () => number;
  readonly newId: () => string;
  readonly timeoutMs: number;
  readonly logger: Logger;
}

/**
 * Reads the data of a delivery that another process has queued. Anybody who can write to the queue may have made it, so
 * nothing in it is trusted: its request may only report notifications, and no part of it names a host.
 */
export function readDelivery(data: unknown, options: ReadingOptions): Reading {
  if (typeof data !== 'string') {
    return { why: 'it is no text' };
  }
  if (data.length > MAX_DATA_BYTES || utf8Length(data) > MAX_DATA_BYTES) {
    return { why: 'it is larger than 64 KiB' };
  }
  const written = toRecord(data);
  if (!written) {
    return { why: 'it is no JSON object' };
  }
  const { v, t, s, h, b, m, r } = written;
  if (v !== FORMAT) {
    return Number.isSafeInteger(v) && Number(v) > FORMAT
      ? 'of another version'
      : { why: 'it names no version' };
  }
  const encodedSessionId = toEncodedSessionId(s);
  const decisioningMethod = DECISIONING_METHODS.find((method) => method === m);
  if (encodedSessionId === undefined || decisioningMethod === undefined || !isTime(t, options.now())) {
    return { why: 'its session, time or method is wrong' };
  }
  const report = toReport(r, options);
  if ('why' in report) {
    return report;
  }
  // A hint becomes a part of a host name. One that is no hint is left out, as that of a cookie is.
  const locationHint = isLocationHint(h) ? h : undefined;
  const { request, leftOut } = report;
  const call = { request, encodedSessionId, locationHint, decisioningMethod, timeoutMs: options.timeoutMs };
  return { call: { ...call, signal: undefined }, madeMs: t, isOfBrowser: b === 1, leftOut };
}

function toRecord(data: string): JsonRecord | undefined {
  try {
    const parsed = parseJson(data);
    return isRecord(parsed) ? ownOf(parsed) : undefined;
  } catch {
    return undefined;
  }
}

function isTime(value: unknown, nowMs: number): value is number {
  return typeof value === 'number' && value >= 0 && value <= nowMs + MAX_AHEAD_MS;
}

function toEncodedSessionId(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > MAX_ENCODED_LENGTH) {
    return undefined;
  }
  try {
    const sessionId = decodeURIComponent(value);
    return isSessionId(sessionId) ? encodeURIComponent(sessionId) : undefined;
  } catch {
    return undefined;
  }
}

/** Checks the request as that of any call, and keeps the parts that a report has. */
function toReport(
  value: unknown,
  { logger, newId }: ReadingOptions,
): { readonly request: WrittenReport; readonly leftOut: number } | { readonly why: string } {
  if (!isRecord(value)) {
    return { why: 'it has no request' };
  }
  const { execute, prefetch, notifications } = ownOf(value);
  if (execute !== undefined || prefetch !== undefined || !Array.isArray(notifications)) {
    return { why: 'its request is none of notifications alone' };
  }
  try {
    const copy = copyRequest(value, logger);
    const kept = copy.notifications ?? [];
    const requestId = copy.requestId ?? newId();
    const context = toSentContext({ ...copy.context, channel: copy.context?.channel ?? 'web' });
    if (kept.length === 0) {
      return { why: 'its request has no notifications' };
    }
    return {
      request: new WrittenReport({ ...copy, requestId, context }, kept),
      leftOut: notifications.length - kept.length,
    };
  } catch (thrown) {
    return { why: whyOf(toTargetError(thrown)) };
  }
}

function whyOf({ path, message }: TargetError): string {
  return path === undefined ? message : `its request is wrong: ${message}`;
}
