import type {
  DecisioningMethod,
  ResolvedDeliveryRequest,
  TelemetryEntry,
  TelemetryFeatures,
} from './delivery-api.js';

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
  #timer: NodeJS.Timeout | undefined;

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
    this.#timer ??= setTimeout(() => this.#onTimer(), FLUSH_INTERVAL_MS).unref();
  }

  /** The oldest entries, for one call to carry. */
  take(): readonly TelemetryEntry[] {
    return this.#entries.length === 0 ? [] : this.#entries.splice(0, MAX_PER_CALL);
  }

  /** Takes back what a failed call was to carry. */
  restore(entries: readonly TelemetryEntry[]): void {
    if (entries.length > 0) this.#entries = [...entries, ...this.#entries].slice(-MAX_BUFFERED);
  }

  /** Stops asking for calls. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #onTimer(): void {
    this.#timer = undefined;
    if (!this.isEmpty) this.#flush();
  }
}

/** What a request used of the SDK, for its telemetry entry; what was not used is left out. */
export function toTelemetryFeatures(
  { execute, prefetch }: ResolvedDeliveryRequest,
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

/** Milliseconds with two decimals, as telemetry counts. */
export function roundMs(ms: number): number {
  return Math.round(ms * 100) / 100;
}
