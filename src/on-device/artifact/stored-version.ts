import type { SharedArtifact } from '../../config/shared-artifact-store.js';
import { TargetError } from '../../errors.js';
import type { Held, HeldArtifact, Refusal } from './held.js';

/**
 * Checks and compiles an artifact of a shared store.
 * @throws TargetError `ERR_TARGET_ARTIFACT` when it cannot be used.
 */
export function prepareStored(
  held: HeldArtifact,
  { text, id, order, etag }: SharedArtifact,
  digest: string,
): Held | Refusal {
  if (digest !== id) {
    throw new TargetError('ERR_TARGET_ARTIFACT', 'the stored artifact has another id than it says');
  }
  return held.prepare(text, { source: 'store', etag, isRefresh: true, id, order, isFollowed: true });
}

/** Tells whether an artifact of a shared store was made before the newest one of this process. */
export function isBefore({ isForced, order }: SharedArtifact, newest: Held | undefined): boolean {
  return !isForced && order !== undefined && newest?.order !== undefined && order < newest.order;
}

/**
 * Tells whether an artifact without rules may be a fault of the CDN: this process has nothing to compare it with, so a
 * second download has to confirm it before a fleet follows it.
 */
export function isUnproven(arrived: Held, newest: Held | undefined): boolean {
  return arrived.isBlank && (newest === undefined || (newest.isBlank && newest.source === 'payload'));
}
