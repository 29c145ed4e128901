import { ref, type Timer, unref } from '#platform';
import type { TargetError } from '../../errors.js';
import { MAX_TIMER_MS } from '../../http/deadline.js';
import { grown, obeyedMs, spread } from '../../http/retry.js';
import { ownOf } from '../../inherited-names.js';

/** Holds the facts that decide when the artifact is downloaded again. */
export interface DownloadHistory {
  /** Time between two downloads in ms; 0 switches polling off. */
  readonly pollingIntervalMs: number;
  /** True when there is an artifact from which calls can be decided. */
  readonly isHeld: boolean;
  /**
   * True while the next download has to confirm the artifact of the last one. It is then made even when polling is off.
   */
  readonly isInDoubt: boolean;
  /** Number of downloads that have failed since the last one that succeeded. */
  readonly failures: number;
  /** Time in ms for which the last response asked to wait (`Retry-After`); undefined when it did not ask. */
  readonly retryAfterMs: number | undefined;
}

/** Number of failures in a row that are retried early while an artifact is held. Later ones wait for the next poll. */
const MAX_RETRIES = 10;
const FIRST_RETRY_MS = 1000;
/**
 * Factor by which the pause between retries grows. With 4, the first retry comes within about a second, and a failing
 * CDN still sees at most five requests in the first minute.
 */
const RETRY_FACTOR = 4;
/** Longest pause between two retries. */
const MAX_RETRY_MS = 30_000;
/** Longest time to wait because a response asked for it. */
const MAX_RETRY_AFTER_MS = 60 * 60 * 1000;

/** Returns the time until the next download in ms; undefined when there will be none. */
export function msToNextDownload(history: DownloadHistory): number | undefined {
  const { pollingIntervalMs, isHeld, isInDoubt, failures, retryAfterMs } = history;
  if (isHeld && !isInDoubt && pollingIntervalMs === 0) {
    return undefined;
  }
  const isRetry = failures > 0 && (!isHeld || failures <= MAX_RETRIES);
  const wantedMs = isRetry ? retryMs(history) : pollMs(history);
  return Math.min(Math.max(wantedMs, obeyedMs(retryAfterMs, MAX_RETRY_AFTER_MS) ?? 0), MAX_TIMER_MS);
}

function retryMs({ pollingIntervalMs, failures }: DownloadHistory): number {
  const firstMs = Math.min(FIRST_RETRY_MS, pollingIntervalMs || FIRST_RETRY_MS);
  const backoff = { minTimeoutMs: firstMs, maxTimeoutMs: MAX_RETRY_MS, factor: RETRY_FACTOR };
  return spread(grown(backoff, failures), 0.75, 1);
}

/**
 * Returns the time until the next poll in ms. After failures it is at least the longest pause between retries. So a
 * short polling interval does not ask a failing CDN more often than the retries did. The same pause is used when
 * polling is off and only a last download is due.
 */
function pollMs({ pollingIntervalMs, failures }: DownloadHistory): number {
  const isLonger = failures > 0 || pollingIntervalMs === 0;
  return spread(isLonger ? Math.max(pollingIntervalMs, MAX_RETRY_MS) : pollingIntervalMs, 0.9, 1.1);
}

/** The state of a client that decides when the next download is due. */
export interface NextDownload extends Pick<DownloadHistory, 'isHeld' | 'isInDoubt'> {
  /** True while a caller waits for the first artifact, so the process has to stay alive. */
  readonly isAwaited: boolean;
  /** Share of the delay. Processes that started together divide their first interval by a random one. */
  readonly share: number;
}

/** Plans the next download, by the failures of those before. */
export class DownloadSchedule {
  readonly #pollingIntervalMs: number;
  readonly #onDue: () => void;
  #timer: Timer | undefined;
  #failures = 0;
  #lastFailure: TargetError | undefined;

  constructor(pollingIntervalMs: number, onDue: () => void) {
    this.#pollingIntervalMs = pollingIntervalMs;
    this.#onDue = onDue;
  }

  /** Number of downloads that failed since the last one that worked. */
  get failures(): number {
    return this.#failures;
  }

  /** Error of the last download; undefined when it succeeded or when none has ended yet. */
  get lastFailure(): TargetError | undefined {
    return this.#lastFailure;
  }

  /** Notes the end of a download, or that another process of a fleet made one that worked. */
  ended(error?: TargetError): void {
    this.#failures = error ? this.#failures + 1 : 0;
    this.#lastFailure = error;
  }

  /** Plans the next download. */
  plan({ isHeld, isInDoubt, isAwaited, share }: NextDownload): void {
    this.clear();
    const delayMs = msToNextDownload({
      pollingIntervalMs: this.#pollingIntervalMs,
      isHeld,
      isInDoubt,
      failures: this.#failures,
      retryAfterMs: ownOf(this.#lastFailure)?.retryAfterMs,
    });
    if (delayMs !== undefined) {
      this.#timer = setTimeout(this.#onDue, delayMs * share);
      this.keepAlive(isAwaited);
    }
  }

  /** Keeps the process alive while the next download is awaited, or lets it end. */
  keepAlive(isAwaited: boolean): void {
    (isAwaited ? ref : unref)(this.#timer);
  }

  /** Cancels the next download. */
  clear(): void {
    clearTimeout(this.#timer);
  }
}
