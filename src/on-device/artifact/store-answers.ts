import type { OfferResult, SharedArtifact, StoredVersion } from '../../config/shared-artifact-store.js';
import { TargetError } from '../../errors.js';
import { isRecord, type JsonRecord } from '../../json.js';
import { SENDABLE_ETAG } from './reader.js';

/** The most characters of an artifact that is read from a store. */
const MAX_TEXT_LENGTH = 32 * 1024 * 1024;
/** The longest time in ms for which a store can put off the use of an artifact. */
const MAX_DELAY_MS = 10 * 60 * 1000;
/** The form of an id: the first 16 hexadecimal digits of a digest. */
const ID = /^[0-9a-f]{16}$/;

/** Checks the answer of `peek`. */
export function toStoredVersion(answer: unknown, ownDelayMs: number | undefined): StoredVersion | undefined {
  if (answer === undefined || answer === null) {
    return undefined;
  }
  const { id, seen, activeInMs } = toRecord(answer);
  if (typeof seen !== 'string' || seen.length > 1024) {
    throw wrong('seen');
  }
  const leftMs = activeInMs === undefined ? undefined : toDelay(activeInMs, ownDelayMs);
  return { id: toId(id), seen, activeInMs: leftMs };
}

/** Checks the answer of `read`. The id is compared with the text by the caller. */
export function toSharedArtifact(
  answer: unknown,
  ownDelayMs: number | undefined,
): SharedArtifact | undefined {
  if (answer === undefined || answer === null) {
    return undefined;
  }
  const { text, id, order, isForced, etag, activeInMs, seenMsAgo } = toRecord(answer);
  if (typeof text !== 'string' || text.length > MAX_TEXT_LENGTH) {
    throw wrong('text');
  }
  if (typeof isForced !== 'boolean') {
    throw wrong('isForced');
  }
  if (order !== undefined && !(typeof order === 'number' && Number.isFinite(order))) {
    throw wrong('order');
  }
  if (etag !== undefined && typeof etag !== 'string') {
    throw wrong('etag');
  }
  return {
    text,
    id: toId(id),
    order,
    isForced,
    etag: etag !== undefined && SENDABLE_ETAG.test(etag) ? etag : undefined,
    activeInMs: toDelay(activeInMs, ownDelayMs),
    seenMsAgo: toMs(seenMsAgo, 'seenMsAgo'),
  };
}

/** Checks the answer of `offer`. */
export function toOfferResult(answer: unknown, ownDelayMs: number | undefined): OfferResult {
  const { verdict, id, activeInMs } = toRecord(answer);
  if (verdict !== 'taken' && verdict !== 'same' && verdict !== 'older') {
    throw wrong('verdict');
  }
  return { verdict, id: toId(id), activeInMs: toDelay(activeInMs, ownDelayMs) };
}

/** Checks the answer of `confirm` or `claim`. */
export function toFlag(answer: unknown): boolean {
  if (typeof answer !== 'boolean') {
    throw wrong('answer');
  }
  return answer;
}

function toRecord(answer: unknown): JsonRecord {
  if (!isRecord(answer)) {
    throw wrong('answer');
  }
  return answer;
}

function toId(id: unknown): string {
  if (typeof id !== 'string' || !ID.test(id)) {
    throw wrong('id');
  }
  return id;
}

/** A store that somebody else filled cannot put off a new version for longer than twice the own delay. */
function toDelay(value: unknown, ownDelayMs: number | undefined): number {
  const maxMs = ownDelayMs === undefined ? MAX_DELAY_MS : Math.min(2 * ownDelayMs, MAX_DELAY_MS);
  return Math.min(toMs(value, 'activeInMs'), maxMs);
}

function toMs(value: unknown, name: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw wrong(name);
  }
  return Math.max(0, value);
}

/** The error names the field only, because what came in it may be anything. */
function wrong(field: string): TargetError {
  return new TargetError('ERR_TARGET_ARTIFACT', `the artifact store's ${field} is wrong`, { path: field });
}
