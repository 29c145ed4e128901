import { MAX_TIMER_MS } from '../../http/deadline.js';
import { grown, obeyedMs, spread } from '../../http/retry.js';

/** What decides when an artifact is asked for again. */
export interface DownloadHistory {
  readonly pollingIntervalMs: number;
  /** Whether there is an artifact to decide by. */
  readonly isHeld: boolean;
  /** True while the next download has to settle what the last one brought: then there is one without polling, too. */
  readonly isInDoubt: boolean;
  /** Downloads that failed since the last one that did not. */
  readonly failures: number;
  /** How long the last answer asked to be left alone. */
  readonly askedMs: number | undefined;
}

const MAX_RETRIES = 10;
const FIRST_RETRY_MS = 1000;
/** So steep that a CDN in trouble gets five requests in the first minute, and each lost second is one of few. */
const RETRY_FACTOR = 4;
const MAX_RETRY_MS = 30_000;
const MAX_ASKED_MS = 60 * 60 * 1000;

/** How long to wait for the next download; undefined when there is none to come. */
export function msToNextDownload(history: DownloadHistory): number | undefined {
  const { pollingIntervalMs, isHeld, isInDoubt, failures, askedMs } = history;
  if (isHeld && !isInDoubt && pollingIntervalMs === 0) return undefined;
  const isRetry = failures > 0 && (!isHeld || failures <= MAX_RETRIES);
  const wantedMs = isRetry ? retryMs(history) : pollMs(history);
  return Math.min(Math.max(wantedMs, obeyedMs(askedMs, MAX_ASKED_MS) ?? 0), MAX_TIMER_MS);
}

function retryMs({ pollingIntervalMs, failures }: DownloadHistory): number {
  const firstMs = Math.min(FIRST_RETRY_MS, pollingIntervalMs || FIRST_RETRY_MS);
  const backoff = { minTimeoutMs: firstMs, maxTimeoutMs: MAX_RETRY_MS, factor: RETRY_FACTOR };
  return spread(grown(backoff, failures), 0.75, 1);
}

/** An interval that is shorter than the pauses between retries is no reason to go on faster than they did. */
function pollMs({ pollingIntervalMs, failures }: DownloadHistory): number {
  const isLonger = failures > 0 || pollingIntervalMs === 0;
  return spread(isLonger ? Math.max(pollingIntervalMs, MAX_RETRY_MS) : pollingIntervalMs, 0.9, 1.1);
}
