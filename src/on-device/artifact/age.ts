import type { Artifact } from '../../artifact.js';
import type { ArtifactOrigin } from '../../stats.js';

/** Describes the date of a held artifact, and how far the date can be trusted. */
export interface Dated {
  /** Time at which the artifact was made, in epoch ms; undefined when the artifact does not say. */
  readonly madeMs: number | undefined;
  /**
   * True when the date was more than a day in the future on arrival: the clock of its maker or of this machine was
   * wrong.
   */
  readonly isFromFuture: boolean;
  /** Origin of the artifact: the CDN, a file, a store or the caller. */
  readonly source: ArtifactOrigin;
  /** Time of arrival in ms, on the clock of `performance.now()`. */
  readonly taken: number;
}

/**
 * A date is trusted when it is at most this far in the future. Differences up to a day come from time zones and from
 * clocks that are slightly wrong.
 */
const MAX_AHEAD_MS = 24 * 60 * 60 * 1000;
/** Longest time for which a CDN is expected to serve an artifact after a newer one was made. */
const MAX_UNDERWAY_MS = 10 * 60 * 1000;

/**
 * Returns the time at which an artifact was made, in epoch ms; undefined when it does not say or the date cannot be
 * read.
 */
export function generatedAtMs({ meta }: Artifact): number | undefined {
  const generatedAt = meta?.generatedAt;
  const ms = typeof generatedAt === 'string' ? Date.parse(generatedAt) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

/** Returns true when a date is so far in the future that the clock of its maker or of this machine must be wrong. */
export function isAhead(madeMs: number, nowMs: number): boolean {
  return madeMs - nowMs > MAX_AHEAD_MS;
}

/**
 * Returns true when an artifact was made before the held one, as far as both dates can be trusted. `newMadeMs` is the
 * date of the artifact that is not held yet.
 */
export function isOlder(newMadeMs: number | undefined, held: Dated, nowMs: number): boolean {
  const { madeMs } = held;
  if (newMadeMs === undefined || madeMs === undefined || isAhead(newMadeMs, nowMs)) {
    return false;
  }
  return newMadeMs < (isMisdated(held, nowMs) ? Math.min(madeMs, latestMadeMs(held, nowMs)) : madeMs);
}

/** Returns the age of an artifact in ms. An artifact without a trusted date counts as made when it arrived. */
export function ageMs(held: Dated, nowMs: number): number {
  const { madeMs, taken } = held;
  if (madeMs === undefined || isMisdated(held, nowMs)) {
    return performance.now() - taken;
  }
  return Math.max(0, nowMs - madeMs);
}

/** Returns true when an artifact came from its configured location, not from a store or from the caller. */
export function isFromLocation(source: ArtifactOrigin): boolean {
  return source === 'cdn' || source === 'file';
}

/** Returns true when the date of a held artifact cannot be trusted, because a clock is or was wrong. */
function isMisdated({ madeMs, isFromFuture }: Dated, nowMs: number): boolean {
  return isFromFuture || (madeMs !== undefined && isAhead(madeMs, nowMs));
}

/**
 * Returns the latest time at which a held artifact with a wrong date can have been made, in epoch ms. It was made
 * before it arrived. The time since its arrival is measured by `performance.now()` and subtracted from the present
 * time, because the clock may have been set since. Nobody knows when an artifact from a store or from the caller
 * arrived there. The result for such an artifact is so early that no other artifact counts as older.
 */
function latestMadeMs({ source, taken }: Dated, nowMs: number): number {
  if (!isFromLocation(source)) {
    return Number.NEGATIVE_INFINITY;
  }
  return nowMs - (performance.now() - taken) - MAX_UNDERWAY_MS;
}
