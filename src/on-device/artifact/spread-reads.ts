import type { SharedArtifactStore } from '../../config/shared-artifact-store.js';
import { spread } from '../../http/retry.js';

/** Share of the activation delay over which the reads of a fleet are spread. */
const SPREAD_SHARE = 0.6;
/** Share of the activation delay that is left for the read itself. */
const READ_SHARE = 0.2;

/**
 * Returns the random time in ms after which a process reads a new version. The processes of a fleet see it together, and
 * have to have it before its moment. A process that saw it late reads it sooner.
 */
export function msToRead(
  {
    activationDelayMs = 0,
    pollingIntervalMs,
  }: Pick<SharedArtifactStore, 'activationDelayMs' | 'pollingIntervalMs'>,
  activeInMs: number | undefined,
): number {
  // A look counts as late by its interval when the store does not tell how much time is left.
  const leftMs = activeInMs ?? activationDelayMs - pollingIntervalMs;
  const reserveMs = Math.max(activationDelayMs * READ_SHARE, 2 * pollingIntervalMs);
  return spread(Math.max(0, Math.min(activationDelayMs * SPREAD_SHARE, leftMs - reserveMs)), 0, 1);
}
