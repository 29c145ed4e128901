import { type Timer, unref } from '#platform';
import type {
  DecisioningMethod,
  ResolvedDeliveryRequest,
  TelemetryEntry,
  TelemetryFeatures,
} from '../delivery-api.js';

/** Entries kept for the next call; the oldest go first when nothing takes them along. */
const MAX_BUFFERED = 1000;
const MAX_PER_CALL = 100;
const FLUSH_INTERVAL_MS = 60_000;

/**
 * Keeps what calls cost until a delivery call takes it along. When none comes for a minute, it asks for one with
 * `flush`, at most once a minute. Off, it keeps nothing.
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

  get isEnabled(): boolean {
    return this.#isEnabled;
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  add(entry: TelemetryEntry): void {
    if (!this.#isEnabled) return;
    this.#entries.push(entry);
    if (this.#entries.length > MAX_BUFFERED) this.#entries.shift();
    this.#wait();
  }

  /** The oldest entries, for one call to carry. */
  take(): readonly TelemetryEntry[] {
    if (this.isEmpty) return [];
    const entries = this.#entries.splice(0, MAX_PER_CALL);
    // A call that happens anyway: the next one most likely takes the rest.
    this.#rest();
    if (!this.isEmpty) this.#wait();
    return entries;
  }

  /** Takes back what a failed call was to carry. */
  restore(entries: readonly TelemetryEntry[]): void {
    if (entries.length === 0) return;
    this.#entries = [...entries, ...this.#entries].slice(-MAX_BUFFERED);
    this.#wait();
  }

  /** Stops asking for calls. */
  stop(): void {
    this.#isStopped = true;
    this.#rest();
  }

  #wait(): void {
    if (this.#isStopped) return;
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

/** What a request used of the SDK, for its telemetry entry; what was not used is left out. */
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

/** How long an artifact download took and what it brought. */
export interface Downloaded {
  readonly startedMs: number;
  readonly executionMs: number;
  readonly parsingMs: number;
  /** Unknown of a file. */
  readonly timeToFirstByteMs: number | undefined;
  readonly downloadMs: number | undefined;
  readonly bytes: number;
}

/** The entry of an artifact download. */
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

/** Milliseconds with two decimals, as telemetry counts. */
export function roundMs(ms: number): number {
  return Math.round(ms * 100) / 100;
}
