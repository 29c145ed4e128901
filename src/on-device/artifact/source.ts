import { ref, type Timer, unref } from '#platform';
import type { Artifact } from '../../artifact.js';
import type { ResolvedConfig } from '../../config.js';
import { closedError, TargetError, toError } from '../../errors.js';
import type { Events } from '../../events.js';
import type { Transport } from '../../http/transport.js';
import { FaultLog } from '../../log-limit.js';
import type { Logger } from '../../logger.js';
import type { Downloaded } from '../../reports/telemetry.js';
import type { ArtifactStats, ReadyState, ReadyStatus } from '../../stats.js';
import type { CompiledArtifact } from '../rules/compile.js';
import type { ArtifactFacts } from '../trace.js';
import { type Arrival, HeldArtifact, type Refusal } from './held.js';
import { type ArtifactReader, createArtifactReader, type ReadArtifact } from './reader.js';
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
  readonly #waiting = new Set<{ resolve: (state: ReadyState) => void; reject: (error: Error) => void }>();
  #running: Promise<void> | undefined;
  #isAsked = false;
  #timer: Timer | undefined;
  #patience: Timer | undefined;
  #failures = 0;
  #lastFailure: TargetError | undefined;
  #toldStatus: ReadyStatus | undefined;

  constructor(options: ArtifactSourceOptions) {
    const { config, logger, onFirst } = options;
    const { artifactStore: store } = config;
    const { payload: _, ...kept } = options;
    this.#options = kept;
    this.#reader = createArtifactReader(options);
    this.#stored = store && new StoredArtifact({ store, key: this.#reader.location, logger });
    this.#held = new HeldArtifact(options);
    this.#faults = new FaultLog(logger.write, 'artifact downloads work');
    if (this.compiled) onFirst();
  }

  /** The compiled artifact in use, if there is one. */
  get compiled(): CompiledArtifact | undefined {
    return this.#held.compiled;
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
    if (this.compiled) {
      this.#tellStatus();
      this.#schedule();
      return;
    }
    this.#downloadInBackground();
    this.#losePatience();
    void this.#stored?.restore((text) => {
      if (this.compiled || this.#abort.signal.aborted) return;
      this.#take(text, { source: 'store' });
      this.#tellStatus();
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
    // The wait may be over before this part of the client is loaded: nothing would end it any more.
    signal.throwIfAborted();
    return new Promise<ReadyState>((resolve, reject) => {
      const waiting = { resolve, reject };
      this.#waiting.add(waiting);
      ref(this.#timer);
      signal.addEventListener('abort', () => {
        this.#waiting.delete(waiting);
        if (this.#waiting.size === 0) unref(this.#timer);
      });
    });
  }

  /** Ends polling and the download that runs. */
  close(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#patience);
    const error = closedError();
    this.#abort.abort(error);
    for (const { reject } of this.#waiting) reject(error);
    this.#waiting.clear();
  }

  /** Tells those who listen, instead of calling `ready`, that the first artifact takes longer than they would wait. */
  #losePatience(): void {
    const { config, events } = this.#options;
    const { maximumWaitReadyMs } = config;
    if (maximumWaitReadyMs === undefined) return;
    const complain = () => {
      const error = new TargetError(
        'ERR_TARGET_NOT_READY',
        `no artifact came within ${maximumWaitReadyMs} ms`,
        { cause: this.#lastFailure },
      );
      events.emit({ type: 'artifactDownloadFailed', artifactLocation: this.#reader.location, error });
    };
    this.#patience = unref(setTimeout(complain, maximumWaitReadyMs));
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
      isHeld: this.compiled !== undefined,
      isInDoubt: this.#held.isInDoubt,
      failures: this.#failures,
      askedMs: this.#lastFailure?.retryAfterMs,
    });
    if (delayMs === undefined || this.#abort.signal.aborted) return;
    this.#timer = setTimeout(() => this.#downloadInBackground(), delayMs);
    if (this.#waiting.size === 0) unref(this.#timer);
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
      this.#tellStatus();
      if (!read || refusal) return;
      this.#tell(read);
      const { bytes, timeToFirstByteMs, downloadMs } = read;
      const took = { executionMs: ended - started, parsingMs: ended - parsingFrom };
      this.#options.onDownload({ startedMs, ...took, bytes, timeToFirstByteMs, downloadMs });
    } catch (thrown) {
      if (signal.aborted) throw signal.reason;
      const error = toArtifactError(thrown);
      this.#end(error);
      this.#tellStatus();
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
    this.#faults.failed(`${error.message}; ${this.compiled ? 'the last good one stays' : 'none is held'}`);
    events.emit({ type: 'artifactDownloadFailed', artifactLocation: this.#reader.location, error });
  }

  /** Whoever waits is told with it: it goes on when it is told for the first time. */
  #tellStatus(): void {
    const { state } = this;
    if (!state) return;
    this.#release(state);
    if (state.status === this.#toldStatus) return;
    this.#toldStatus = state.status;
    this.#options.events.emit({ type: 'statusChanged', ...state });
  }

  #release(state: ReadyState): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const { resolve } of waiting) resolve(state);
    // Nobody waits for the next download any more.
    unref(this.#timer);
  }

  #takeRead({ text, etag }: ReadArtifact): Refusal | undefined {
    const source = this.#reader.location.startsWith('file:') ? 'file' : 'cdn';
    return this.#take(text, { etag, isAsked: this.#isAsked, source });
  }

  #take(text: string, arrival: Arrival): Refusal | undefined {
    const isFirst = this.compiled === undefined;
    const refusal = this.#held.take(text, arrival);
    if (isFirst) {
      clearTimeout(this.#patience);
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
