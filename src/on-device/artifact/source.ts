import { ref, type Timer, unref } from '#platform';
import type { Artifact } from '../../artifact.js';
import type { ResolvedConfig } from '../../config/config.js';
import type { WaitUntil } from '../../config/config-options.js';
import { closedError, nameOf, TargetError } from '../../errors.js';
import type { Events } from '../../events.js';
import type { Transport } from '../../http/transport.js';
import { ownOf } from '../../inherited-names.js';
import { FaultLog } from '../../log-limit.js';
import type { Logger } from '../../logger.js';
import { noteAttempts, type ObservedCall, type Observers } from '../../observer.js';
import type { BackgroundWork } from '../../reports/background-work.js';
import { type TelemetryBuffer, toDownloadEntry } from '../../reports/telemetry.js';
import type { ArtifactStats, ReadyState } from '../../stats.js';
import type { ArtifactFacts } from '../trace.js';
import { type Arrival, type ArtifactInUse, HeldArtifact, type Refusal } from './held.js';
import { type ArtifactReader, createArtifactReader, type ReadArtifact } from './reader.js';
import { Readiness } from './readiness.js';
import { msToNextDownload } from './schedule.js';
import { StoredArtifact } from './stored.js';

/** The parts of a client that an artifact source needs. */
export interface ArtifactSourceOptions {
  readonly config: ResolvedConfig;
  /** Artifact that the caller passed in the configuration; undefined when there is none. */
  readonly payload: Artifact | undefined;
  /** True when the payload counts as the current artifact. */
  readonly isPayloadCurrent: boolean;
  readonly transport: Transport;
  readonly events: Events;
  readonly observers: Observers;
  readonly logger: Logger;
  /** Returns the present time in epoch ms. */
  readonly now: () => number;
  /** Makes the ids of download requests. */
  readonly newId: () => string;
  /** Called when the first artifact is in use. */
  readonly onFirst: () => void;
  /** Takes the duration of each download that brought a new artifact. */
  readonly telemetry: TelemetryBuffer;
  /** Tells the platform of the downloads that nobody waits for. */
  readonly work: BackgroundWork;
}

const REFUSALS: Readonly<Record<Refusal, string>> = {
  older: 'an older artifact than the one in use was not taken',
  blank: 'an artifact without any rules was not taken: the next download has to confirm it',
};

/**
 * Keeps the artifact up to date. There is one download at a time. The last good artifact stays in use when a download
 * fails. Downloads are retried without end until there is a first artifact.
 */
export class ArtifactSource {
  readonly #options: Omit<ArtifactSourceOptions, 'payload'>;
  readonly #reader: ArtifactReader;
  readonly #held: HeldArtifact;
  readonly #stored: StoredArtifact | undefined;
  readonly #faults: FaultLog;
  /** Aborted when the source is closed. */
  readonly #abort = new AbortController();
  readonly #readiness: Readiness;
  #running: Promise<void> | undefined;
  /** True while the running download was asked for by `refresh()`. */
  #isRefresh = false;
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
    if (this.inUse) {
      onFirst();
    }
  }

  /** The artifact in use; undefined while there is none. */
  get inUse(): ArtifactInUse | undefined {
    return this.#held.inUse;
  }

  /**
   * Status, origin and age of the rules that decide; undefined while nothing can be decided. The status `degraded`
   * means that a hybrid client has no artifact, so the edge decides.
   */
  get state(): ReadyState | undefined {
    const { stats, isConfirmed } = this.#held;
    if (stats) {
      const { source, ageMs } = stats;
      return { status: isConfirmed && this.#failures === 0 ? 'live' : 'cached', source, ageMs };
    }
    if (this.#failures === 0 || this.#options.config.decisioningMethod !== 'hybrid') {
      return undefined;
    }
    return { status: 'degraded', source: 'edge', ageMs: 0 };
  }

  /** Statistics of the artifact in use; undefined while there is none. */
  get stats(): ArtifactStats | undefined {
    return this.#held.stats;
  }

  /** ETag of the artifact in use; undefined when it has none, or there is no artifact. */
  get etag(): string | undefined {
    return this.#held.etag;
  }

  /** Error of the last download; undefined when it succeeded or when none has ended yet. */
  get lastFailure(): TargetError | undefined {
    return this.#lastFailure;
  }

  /** Facts about the artifact and its downloads, for traces. */
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

  /**
   * Starts downloading and polling. An artifact that an earlier process put in the store is used until the first
   * download ends. The platform is told of the download by `waitUntil`, else by the client's.
   */
  start(waitUntil?: WaitUntil): void {
    if (this.inUse) {
      this.#readiness.announce(this.state);
      this.#schedule();
      return;
    }
    this.#downloadInBackground(waitUntil);
    this.#readiness.startWaitLimit(this.#options.config.maximumWaitReadyMs, () => this.#lastFailure);
    const restored = this.#stored?.restore((text) => {
      if (this.inUse || this.#abort.signal.aborted) {
        return;
      }
      this.#take(text, { source: 'store', etag: undefined, isRefresh: false });
      this.#readiness.announce(this.state);
    });
    if (restored) {
      this.#options.work.handOver(restored, waitUntil);
    }
  }

  /**
   * Downloads now, or joins the running download. A download that fails leaves the artifact in use as it is.
   * @throws TargetError the reason why the download failed.
   */
  async refresh(): Promise<void> {
    this.#isRefresh = true;
    await this.#downloadOnce();
    const written = this.#stored?.written;
    if (written) {
      this.#options.work.handOver(written);
    }
  }

  /**
   * Resolves when decisions can be made. Rejects when the client is closed first. Waiting keeps the process alive until
   * then, or until the signal is aborted.
   */
  async whenReady(signal: AbortSignal): Promise<ReadyState> {
    const { state } = this;
    if (state) {
      return state;
    }
    if (this.#abort.signal.aborted) {
      throw closedError();
    }
    return this.#readiness.wait(signal);
  }

  /** Ends polling and aborts the running download. */
  close(): void {
    clearTimeout(this.#timer);
    const error = closedError();
    this.#abort.abort(error);
    this.#readiness.giveUp(error);
  }

  async #downloadOnce(): Promise<void> {
    this.#running ??= this.#observedDownload();
    return this.#running;
  }

  #observedDownload(): Promise<void> {
    const { config, observers } = this.#options;
    if (!observers.areWatching) {
      return this.#download(undefined);
    }
    const { decisioningMethod } = config;
    const call: ObservedCall = { operation: 'artifact', decisioningMethod, mboxes: [] };
    return observers.watch(call, () => this.#download(call));
  }

  #downloadInBackground(waitUntil?: WaitUntil): void {
    // The failure was already announced, by an event.
    const ended = this.#downloadOnce().catch(() => undefined);
    this.#options.work.handOver(
      ended.then(() => this.#stored?.written),
      waitUntil,
    );
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const delayMs = msToNextDownload({
      pollingIntervalMs: this.#options.config.pollingIntervalMs,
      isHeld: this.inUse !== undefined,
      isInDoubt: this.#held.isInDoubt,
      failures: this.#failures,
      retryAfterMs: ownOf(this.#lastFailure)?.retryAfterMs,
    });
    if (delayMs === undefined || this.#abort.signal.aborted) {
      return;
    }
    this.#timer = setTimeout(() => this.#downloadInBackground(), delayMs);
    if (!this.#readiness.isAwaited) {
      unref(this.#timer);
    }
  }

  async #download(observed: ObservedCall | undefined): Promise<void> {
    const { signal } = this.#abort;
    const onAnswer = (attempts: number) => observed && noteAttempts(observed, attempts);
    const startedMs = this.#options.now();
    const started = performance.now();
    try {
      const read = await this.#reader.read(this.#held.condition, signal, onAnswer);
      if (signal.aborted) {
        throw closedError();
      }
      const parsingFrom = performance.now();
      const refusal = read && this.#takeRead(read);
      if (!read) {
        this.#held.confirm();
      }
      const ended = performance.now();
      this.#end(undefined);
      if (refusal) {
        this.#faults.failed(REFUSALS[refusal]);
      } else {
        this.#faults.worked();
      }
      this.#readiness.announce(this.state);
      if (!read || refusal) {
        return;
      }
      this.#announce(read);
      const { bytes, timeToFirstByteMs, downloadMs } = read;
      const took = { executionMs: ended - started, parsingMs: ended - parsingFrom };
      const download = { startedMs, ...took, bytes, timeToFirstByteMs, downloadMs };
      this.#options.telemetry.add(toDownloadEntry(download));
    } catch (thrown) {
      if (signal.aborted) {
        throw closedError();
      }
      const error = toArtifactError(thrown);
      this.#end(error);
      this.#readiness.announce(this.state);
      this.#announceFailure(error);
      throw error;
    }
  }

  /**
   * Ends the running download and plans the next one. It runs before events are emitted. So a `refresh()` in a listener
   * starts a new download.
   */
  #end(error: TargetError | undefined): void {
    this.#running = undefined;
    this.#isRefresh = false;
    this.#failures = error ? this.#failures + 1 : 0;
    this.#lastFailure = error;
    this.#schedule();
  }

  #announce({ text }: ReadArtifact): void {
    this.#stored?.keep(text);
    this.#options.events.emit({
      type: 'artifactDownloadSucceeded',
      artifactLocation: this.#reader.location,
      // Each read returns a copy, because a listener's changes must not reach the artifact in use. It is parsed only
      // for listeners that read it.
      get artifactPayload() {
        return JSON.parse(text);
      },
    });
  }

  #announceFailure(error: TargetError): void {
    const { events } = this.#options;
    this.#faults.failed(`${error.message}; ${this.inUse ? 'the last good one stays' : 'none is held'}`);
    events.emit({ type: 'artifactDownloadFailed', artifactLocation: this.#reader.location, error });
  }

  #takeRead({ text, etag }: ReadArtifact): Refusal | undefined {
    const source = /^file:/i.test(this.#reader.location) ? 'file' : 'cdn';
    return this.#take(text, { etag, isRefresh: this.#isRefresh, source });
  }

  #take(text: string, arrival: Arrival): Refusal | undefined {
    const isFirst = this.inUse === undefined;
    const refusal = this.#held.take(text, arrival);
    if (isFirst) {
      this.#readiness.endWaitLimit();
      this.#options.onFirst();
    }
    return refusal;
  }
}

/** Converts a thrown value to a `TargetError`. An error of the network keeps its own code. */
function toArtifactError(thrown: unknown): TargetError {
  if (thrown instanceof TargetError) {
    return thrown;
  }
  return new TargetError('ERR_TARGET_ARTIFACT', `the artifact cannot be used: ${nameOf(thrown)}`, {
    cause: thrown,
  });
}
