import { ref, type Timer, unref } from '#platform';
import type { Artifact } from '../../artifact.js';
import type { ResolvedConfig } from '../../config.js';
import { closedError, TargetError, toError } from '../../errors.js';
import type { Events } from '../../events.js';
import type { Transport } from '../../http/transport.js';
import { FaultLog } from '../../log-limit.js';
import type { Logger } from '../../logger.js';
import type { Downloaded } from '../../reports/telemetry.js';
import type { ArtifactStats, ReadyState } from '../../stats.js';
import type { ArtifactFacts } from '../trace.js';
import { type Arrival, type ArtifactInUse, HeldArtifact, type Refusal } from './held.js';
import { type ArtifactReader, createArtifactReader, type ReadArtifact } from './reader.js';
import { Readiness } from './readiness.js';
import { msToNextDownload } from './schedule.js';
import { StoredArtifact } from './stored.js';

/** What an artifact source needs. */
export interface ArtifactSourceOptions {
  readonly config: ResolvedConfig;
  /** The artifact that the caller brought along. */
  readonly payload: Artifact | undefined;
  readonly transport: Transport;
  readonly events: Events;
  readonly logger: Logger;
  readonly now: () => number;
  readonly newId: () => string;
  /** Told when there is an artifact for the first time. */
  readonly onFirst: () => void;
  /** Told how long each download took, for telemetry. */
  readonly onDownload: (download: Downloaded) => void;
}

const REFUSALS: Readonly<Record<Refusal, string>> = {
  older: 'an older artifact than the one in use was not taken',
  blank: 'an artifact without any rules was not taken: the next download has to confirm it',
};

/**
 * The artifact, kept fresh: one download at a time, the last good one kept whatever comes, and a first one that is
 * waited for as long as it takes.
 */
export class ArtifactSource {
  readonly #options: Omit<ArtifactSourceOptions, 'payload'>;
  readonly #reader: ArtifactReader;
  readonly #held: HeldArtifact;
  readonly #stored: StoredArtifact | undefined;
  readonly #faults: FaultLog;
  readonly #abort = new AbortController();
  readonly #readiness: Readiness;
  #running: Promise<void> | undefined;
  #isAsked = false;
  #timer: Timer | undefined;
  #failures = 0;
  #lastFailure: TargetError | undefined;

  constructor(options: ArtifactSourceOptions) {
    const { config, events, logger, onFirst } = options;
    const { artifactStore: store } = config;
    const { payload: _, ...kept } = options;
    this.#options = kept;
    this.#reader = createArtifactReader(options);
    this.#stored = store && new StoredArtifact({ store, key: this.#reader.location, logger });
    this.#held = new HeldArtifact(options);
    this.#faults = new FaultLog(logger.write, 'artifact downloads work');
    this.#readiness = new Readiness({
      events,
      artifactLocation: this.#reader.location,
      onAwaited: (isAwaited) => (isAwaited ? ref(this.#timer) : unref(this.#timer)),
    });
    if (this.inUse) onFirst();
  }

  /** The artifact in use, if there is one. */
  get inUse(): ArtifactInUse | undefined {
    return this.#held.inUse;
  }

  /** What decisions are made by; undefined while none can be made. */
  get state(): ReadyState | undefined {
    const { stats, isConfirmed } = this.#held;
    if (stats) {
      const { source, ageMs } = stats;
      return { status: isConfirmed && this.#failures === 0 ? 'live' : 'cached', source, ageMs };
    }
    if (this.#failures === 0 || this.#options.config.decisioningMethod !== 'hybrid') return undefined;
    return { status: 'degraded', source: 'edge', ageMs: 0 };
  }

  /** The artifact in use, for those who ask how the client is. */
  get stats(): ArtifactStats | undefined {
    return this.#held.stats;
  }

  /** What the last download failed of; undefined when none has ended yet, or when it did not fail. */
  get lastFailure(): TargetError | undefined {
    return this.#lastFailure;
  }

  /** What is known of the artifact in use, for traces. */
  get facts(): ArtifactFacts {
    const { isPayload, retrieved } = this.#held;
    return {
      artifactLocation: isPayload ? undefined : this.#reader.location,
      pollingInterval: this.#options.config.pollingIntervalMs,
      pollingHalted: this.#abort.signal.aborted,
      artifactRetrievalCount: retrieved.times,
      artifactLastRetrievedMs: retrieved.lastMs,
    };
  }

  /** Begins to download and poll. What an earlier process kept serves until the first download is there. */
  start(): void {
    if (this.inUse) {
      this.#readiness.tell(this.state);
      this.#schedule();
      return;
    }
    this.#downloadInBackground();
    this.#readiness.startPatience(this.#options.config.maximumWaitReadyMs, () => this.#lastFailure);
    void this.#stored?.restore((text) => {
      if (this.inUse || this.#abort.signal.aborted) return;
      this.#take(text, { source: 'store' });
      this.#readiness.tell(this.state);
    });
  }

  /** Downloads now, or joins the download that runs. Rejects with what it failed of; what was held stays held. */
  async refresh(): Promise<void> {
    this.#isAsked = true;
    return this.#downloadOnce();
  }

  /**
   * Resolves when decisions can be made, and rejects when the client is closed before. Until then, or until the
   * signal is aborted, waiting keeps the process alive.
   */
  async whenReady(signal: AbortSignal): Promise<ReadyState> {
    const { state } = this;
    if (state) return state;
    this.#abort.signal.throwIfAborted();
    return this.#readiness.wait(signal);
  }

  /** Ends polling and the download that runs. */
  close(): void {
    clearTimeout(this.#timer);
    const error = closedError();
    this.#abort.abort(error);
    this.#readiness.giveUp(error);
  }

  async #downloadOnce(): Promise<void> {
    this.#running ??= this.#download();
    return this.#running;
  }

  #downloadInBackground(): void {
    // What failed was told by its event.
    this.#downloadOnce().catch(() => undefined);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const delayMs = msToNextDownload({
      pollingIntervalMs: this.#options.config.pollingIntervalMs,
      isHeld: this.inUse !== undefined,
      isInDoubt: this.#held.isInDoubt,
      failures: this.#failures,
      askedMs: this.#lastFailure?.retryAfterMs,
    });
    if (delayMs === undefined || this.#abort.signal.aborted) return;
    this.#timer = setTimeout(() => this.#downloadInBackground(), delayMs);
    if (!this.#readiness.isAwaited) unref(this.#timer);
  }

  async #download(): Promise<void> {
    const { signal } = this.#abort;
    const startedMs = this.#options.now();
    const started = performance.now();
    try {
      const read = await this.#reader.read(this.#held.condition, signal);
      signal.throwIfAborted();
      const parsingFrom = performance.now();
      const refusal = read && this.#takeRead(read);
      if (!read) this.#held.confirm();
      const ended = performance.now();
      this.#end(undefined);
      if (refusal) this.#faults.failed(REFUSALS[refusal]);
      else this.#faults.worked();
      this.#readiness.tell(this.state);
      if (!read || refusal) return;
      this.#tell(read);
      const { bytes, timeToFirstByteMs, downloadMs } = read;
      const took = { executionMs: ended - started, parsingMs: ended - parsingFrom };
      this.#options.onDownload({ startedMs, ...took, bytes, timeToFirstByteMs, downloadMs });
    } catch (thrown) {
      if (signal.aborted) throw signal.reason;
      const error = toArtifactError(thrown);
      this.#end(error);
      this.#readiness.tell(this.state);
      this.#tellFailure(error);
      throw error;
    }
  }

  /** Before anybody is told of it, so that a listener's `refresh` does not join what is over. */
  #end(error: TargetError | undefined): void {
    this.#running = undefined;
    this.#isAsked = false;
    this.#failures = error ? this.#failures + 1 : 0;
    this.#lastFailure = error;
    this.#schedule();
  }

  #tell({ text }: ReadArtifact): void {
    this.#stored?.keep(text);
    this.#options.events.emit({
      type: 'artifactDownloadSucceeded',
      artifactLocation: this.#reader.location,
      // A copy, for what a listener does to it must not reach the artifact in use; made for those who look.
      get artifactPayload() {
        return JSON.parse(text);
      },
    });
  }

  #tellFailure(error: TargetError): void {
    const { events } = this.#options;
    this.#faults.failed(`${error.message}; ${this.inUse ? 'the last good one stays' : 'none is held'}`);
    events.emit({ type: 'artifactDownloadFailed', artifactLocation: this.#reader.location, error });
  }

  #takeRead({ text, etag }: ReadArtifact): Refusal | undefined {
    const source = /^file:/i.test(this.#reader.location) ? 'file' : 'cdn';
    return this.#take(text, { etag, isAsked: this.#isAsked, source });
  }

  #take(text: string, arrival: Arrival): Refusal | undefined {
    const isFirst = this.inUse === undefined;
    const refusal = this.#held.take(text, arrival);
    if (isFirst) {
      this.#readiness.endPatience();
      this.#options.onFirst();
    }
    return refusal;
  }
}

/** Why there is no new artifact; a fault of the network keeps its own code. */
function toArtifactError(thrown: unknown): TargetError {
  if (thrown instanceof TargetError) return thrown;
  const { name } = toError(thrown);
  return new TargetError('ERR_TARGET_ARTIFACT', `the artifact cannot be used: ${name}`, { cause: thrown });
}
