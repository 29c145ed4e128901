import type { Artifact } from '../../artifact.js';
import type { ArtifactOrigin } from '../../stats.js';

/** An artifact's date, and what tells if it can be believed. */
export interface Dated {
  /** When it was made, where it says so. */
  readonly madeMs: number | undefined;
  /** Set when its date was in the future on arrival; the clock may have been wrong. */
  readonly isFromFuture: boolean;
  readonly source: ArtifactOrigin;
  /** On the clock of `performance.now()`. */
  readonly taken: number;
}

/** Time zones and clocks that are a little wrong are no reason to doubt a date. */
const MAX_AHEAD_MS = 24 * 60 * 60 * 1000;
/** A CDN serves what it has kept for some minutes, while a newer artifact is there already. */
const MAX_UNDERWAY_MS = 10 * 60 * 1000;

/** When an artifact was made, where it says so. */
export function generatedAtMs({ meta }: Artifact): number | undefined {
  const generatedAt = meta?.generatedAt;
  const ms = typeof generatedAt === 'string' ? Date.parse(generatedAt) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

/** Whether a date is so far in the future that its maker's clock or this machine's is wrong. */
export function isAhead(madeMs: number, nowMs: number): boolean {
  return madeMs - nowMs > MAX_AHEAD_MS;
}

/** Whether an artifact of a date was made before the one that is held, as far as both dates can be believed. */
export function isOlder(comeMs: number | undefined, held: Dated, nowMs: number): boolean {
  const { madeMs } = held;
  if (comeMs === undefined || madeMs === undefined || isAhead(comeMs, nowMs)) return false;
  return comeMs < (isMisdated(held, nowMs) ? Math.min(madeMs, latestMadeMs(held, nowMs)) : madeMs);
}

/** How long ago an artifact was made; one without a date that can be believed counts as made when it came. */
export function ageMs(held: Dated, nowMs: number): number {
  const { madeMs, taken } = held;
  if (madeMs === undefined || isMisdated(held, nowMs)) return performance.now() - taken;
  return Math.max(0, nowMs - madeMs);
}

/** Whether an artifact came from its location, and not from a store or from the caller. */
export function isFromLocation(source: ArtifactOrigin): boolean {
  return source === 'cdn' || source === 'file';
}

/** A date is none to go by when the artifact's maker or the clock of this machine was wrong. */
function isMisdated({ madeMs, isFromFuture }: Dated, nowMs: number): boolean {
  return isFromFuture || (madeMs !== undefined && isAhead(madeMs, nowMs));
}

/**
 * An artifact was made before it came; nobody knows when it came to a store or to the caller. The time that has passed
 * since is taken from the clock as it is now, for the clock may have been set meanwhile.
 */
function latestMadeMs({ source, taken }: Dated, nowMs: number): number {
  if (!isFromLocation(source)) return Number.NEGATIVE_INFINITY;
  return nowMs - (performance.now() - taken) - MAX_UNDERWAY_MS;
}
