import { type Timer, unref } from '#platform';
import type {
  DecisioningMethod,
  ResolvedDeliveryRequest,
  TelemetryEntry,
  TelemetryFeatures,
} from '../delivery-api.js';

/** The number of entries that are kept for later calls. The oldest are dropped. */
const MAX_BUFFERED = 1000;
/** One call carries at most this many entries. */
const MAX_PER_CALL = 100;
/** Entries wait this long for a call before one is made for them. */
const FLUSH_INTERVAL_MS = 60_000;

/**
 * Keeps timing measurements until a later delivery call carries them. When there is no such call for a minute, it calls
 * `flush` to get one, at most once a minute. It keeps nothing when telemetry is off.
 */
export class TelemetryBuffer {
  readonly #isEnabled: boolean;
  readonly #flush: () => void;
  #entries: TelemetryEntry[] = [];
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(isEnabled: boolean, flush: () => void) {
    this.#isEnabled = isEnabled;
    this.#flush = flush;
  }

  /** True when telemetry is on. */
  get isEnabled(): boolean {
    return this.#isEnabled;
  }

  /** True when no entry is kept. */
  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** Keeps an entry, unless telemetry is off. */
  add(entry: TelemetryEntry): void {
    if (!this.#isEnabled) {
      return;
    }
    this.#entries.push(entry);
    if (this.#entries.length > MAX_BUFFERED) {
      this.#entries.shift();
    }
    this.#wait();
  }

  /** Removes and returns the oldest entries, as many as one call may carry. */
  take(): readonly TelemetryEntry[] {
    if (this.isEmpty) {
      return [];
    }
    const entries = this.#entries.splice(0, MAX_PER_CALL);
    // The timer starts anew: this call is made anyway, and the next one will most likely carry the rest.
    this.#rest();
    if (!this.isEmpty) {
      this.#wait();
    }
    return entries;
  }

  /** Keeps the entries of a call that failed. A later call carries them. */
  restore(entries: readonly TelemetryEntry[]): void {
    if (entries.length === 0) {
      return;
    }
    this.#entries = [...entries, ...this.#entries].slice(-MAX_BUFFERED);
    this.#wait();
  }

  /** Stops asking for calls. */
  stop(): void {
    this.#isStopped = true;
    this.#rest();
  }

  #wait(): void {
    if (this.#isStopped) {
      return;
    }
    this.#timer ??= unref(
      setTimeout(() => {
        this.#timer = undefined;
        this.#flush();
      }, FLUSH_INTERVAL_MS),
    );
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** Lists what a request used of the SDK, for its telemetry entry. Fields that do not apply are absent. */
export function toTelemetryFeatures(
  { execute, prefetch }: Pick<ResolvedDeliveryRequest, 'execute' | 'prefetch'>,
  decisioningMethod: DecisioningMethod,
): TelemetryFeatures {
  const executeMboxCount = execute?.mboxes?.length ?? 0;
  const prefetchMboxCount = prefetch?.mboxes?.length ?? 0;
  const prefetchViewCount = prefetch?.views?.length ?? 0;
  return {
    decisioningMethod,
    ...(executeMboxCount > 0 && { executeMboxCount }),
    ...(execute?.pageLoad && { executePageLoad: true }),
    ...(prefetchMboxCount > 0 && { prefetchMboxCount }),
    ...(prefetch?.pageLoad && { prefetchPageLoad: true }),
    ...(prefetchViewCount > 0 && { prefetchViewCount }),
  };
}

/** Measurements of one artifact download. */
export interface Downloaded {
  /** The start of the download in ms since 1970. */
  readonly startedMs: number;
  /** The time of the whole download in ms. */
  readonly executionMs: number;
  /** The time in ms for parsing the artifact. */
  readonly parsingMs: number;
  /** The time in ms until the first byte of the answer. It is `undefined` for an artifact from a file. */
  readonly timeToFirstByteMs: number | undefined;
  /** The time in ms from the first byte to the last. It is `undefined` for an artifact from a file. */
  readonly downloadMs: number | undefined;
  /** The size of the artifact in bytes. */
  readonly bytes: number;
}

/** Makes the telemetry entry of an artifact download. */
export function toDownloadEntry(download: Downloaded): TelemetryEntry {
  const { startedMs, executionMs, parsingMs, timeToFirstByteMs, downloadMs, bytes } = download;
  return {
    requestId: 'ArtifactDownload',
    timestamp: startedMs,
    execution: roundMs(executionMs),
    parsing: roundMs(parsingMs),
    request: {
      ...(timeToFirstByteMs !== undefined && { timeToFirstByte: roundMs(timeToFirstByteMs) }),
      ...(downloadMs !== undefined && { download: roundMs(downloadMs) }),
      responseSize: bytes,
    },
  };
}

/** Rounds milliseconds to two decimals, as all telemetry fields are. */
export function roundMs(ms: number): number {
  return Math.round(ms * 100) / 100;
}
