import type { WaitUntil } from '../../config/config-options.js';
import { isSharedStore, type SharedArtifactStore } from '../../config/shared-artifact-store.js';
import { closedError, type TargetError } from '../../errors.js';
import { noteAttempts, type ObservedCall } from '../../observer.js';
import type { ArtifactStats, ArtifactStoreStats, ReadyState } from '../../stats.js';
import type { ArtifactFacts } from '../trace.js';
import { DownloadReports } from './download-reports.js';
import { type ArtifactInUse, HeldArtifact } from './held.js';
import { type ArtifactReader, createArtifactReader, toArtifactError } from './reader.js';
import { Readiness, toReadyState } from './readiness.js';
import { DownloadSchedule } from './schedule.js';
import type { Sharing } from './sharing.js';
import type { WantedDownload } from './sharing-options.js';
import type { ArtifactSourceOptions } from './source-options.js';
import { StoredArtifact } from './stored.js';

/**
 * Keeps the artifact up to date. There is one download at a time. The last good artifact stays in use when a download
 * fails. Downloads are retried without end until there is a first artifact.
 */
export class ArtifactSource {
  readonly #options: Omit<ArtifactSourceOptions, 'payload'>;
  readonly #reader: ArtifactReader;
  readonly #held: HeldArtifact;
  readonly #stored: StoredArtifact | undefined;
  /** The store that a fleet shares, once its part of the code is loaded. */
  #sharing: Sharing | undefined;
  readonly #reports: DownloadReports;
  /** Aborted when the source is closed. */
  readonly #abort = new AbortController();
  readonly #readiness: Readiness;
  #running: Promise<void> | undefined;
  /** True while the running download was asked for by `refresh()`. */
  #isRefresh = false;
  /** The running download, when a shared store needs the whole artifact. */
  #wanted: WantedDownload | undefined;
  readonly #schedule: DownloadSchedule;
  /** True when there has been an artifact. */
  #isReady = false;

  constructor(options: ArtifactSourceOptions) {
    const { config, events, logger, onFirst } = options;
    const { artifactStore: store } = config;
    const { payload: _, ...kept } = options;
    this.#options = kept;
    this.#reader = createArtifactReader(options);
    this.#stored =
      store && !isSharedStore(store)
        ? new StoredArtifact({ store, key: this.#reader.location, logger })
        : undefined;
    this.#held = new HeldArtifact(options);
    this.#schedule = new DownloadSchedule(config.pollingIntervalMs, () => void this.#poll());
    this.#reports = new DownloadReports(options, this.#reader.location);
    this.#readiness = new Readiness({
      events,
      artifactLocation: this.#reader.location,
      onAwaited: (isAwaited) => {
        this.#schedule.keepAlive(isAwaited);
        this.#sharing?.keepAlive(isAwaited);
      },
    });
    if (this.inUse) {
      this.#isReady = true;
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
    const { failures } = this.#schedule;
    const isFresh = !stats || !this.#sharing || this.#sharing.isFresh(stats.ageMs);
    const canDoWithout = failures > 0 && this.#options.config.decisioningMethod === 'hybrid';
    return toReadyState(stats, { isCurrent: isConfirmed && isFresh && failures === 0, canDoWithout });
  }

  /** Statistics of the artifact in use; undefined while there is none. */
  get stats(): ArtifactStats | undefined {
    return this.#held.stats;
  }

  /** Statistics of the store that a fleet shares; undefined without one. */
  get storeStats(): ArtifactStoreStats | undefined {
    return this.#sharing?.stats;
  }

  /** ETag of the artifact in use; undefined when it has none, or there is no artifact. */
  get etag(): string | undefined {
    return this.#held.etag;
  }

  /** Error of the last download; undefined when it succeeded or when none has ended yet. */
  get lastFailure(): TargetError | undefined {
    return this.#schedule.lastFailure;
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
    const { artifactStore, maximumWaitReadyMs } = this.#options.config;
    if (this.inUse) {
      this.#readiness.announce(this.state);
    } else {
      this.#readiness.startWaitLimit(maximumWaitReadyMs, () => this.#schedule.lastFailure);
    }
    if (isSharedStore(artifactStore)) {
      this.#options.work.handOver(this.#startSharing(artifactStore), waitUntil);
    } else {
      this.#startAlone(waitUntil);
    }
  }

  /** Asks the store that a fleet shares first. It never rejects. */
  async #startSharing(store: SharedArtifactStore): Promise<void> {
    const { signal } = this.#abort;
    const { events, logger, config } = this.#options;
    const loaded = await import('./sharing.js').catch(() => undefined);
    if (signal.aborted) {
      return;
    }
    if (!loaded) {
      logger.warn('the artifact store is not used, because its part of the code could not be loaded');
      this.#startAlone(undefined);
      return;
    }
    this.#sharing = new loaded.Sharing({
      ...{ store, key: this.#reader.location, held: this.#held, events, logger, signal },
      pollingIntervalMs: config.pollingIntervalMs,
      download: (wanted) => this.#downloadWhole(wanted),
      onUse: (text) => this.#onUse(text),
      onConfirmed: () => this.#onConfirmed(),
      onLook: () => this.#readiness.announce(this.state),
    });
    this.#sharing.keepAlive(this.#readiness.isAwaited);
    if (await this.#sharing.start()) {
      await this.#downloadOnce().catch(() => undefined);
    } else {
      this.#plan(Math.random());
    }
  }

  #startAlone(waitUntil: WaitUntil | undefined): void {
    if (this.inUse) {
      this.#plan();
      return;
    }
    this.#downloadInBackground(waitUntil);
    const restored = this.#stored?.restore((text) => {
      if (this.inUse || this.#abort.signal.aborted) {
        return;
      }
      const facts = { etag: undefined, id: undefined, order: undefined };
      this.#held.take(text, { ...facts, source: 'store', isRefresh: false, isFollowed: false });
      this.#noteFirst();
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
    this.#schedule.clear();
    const error = closedError();
    this.#abort.abort(error);
    this.#sharing?.close();
    this.#readiness.giveUp(error);
  }

  async #downloadOnce(): Promise<void> {
    this.#running ??= this.#reports.watch((call) => this.#download(call));
    return this.#running;
  }

  #downloadInBackground(waitUntil?: WaitUntil): void {
    // The failure was already announced, by an event.
    const ended = this.#downloadOnce().catch(() => undefined);
    this.#options.work.handOver(
      ended.then(() => this.#stored?.written),
      waitUntil,
    );
  }

  /** Downloads, unless another process of the fleet did so a moment ago. */
  async #poll(): Promise<void> {
    const isGranted = !this.inUse || !this.#sharing || (await this.#sharing.mayDownload());
    if (isGranted && !this.#abort.signal.aborted) {
      this.#downloadInBackground();
    } else {
      this.#plan();
    }
  }

  /** Downloads the artifact for a store that needs it, after the download that is under way. */
  #downloadWhole(wanted: WantedDownload): void {
    const start = () => {
      if (!this.#abort.signal.aborted) {
        this.#wanted = wanted;
        this.#downloadInBackground();
      }
    };
    void Promise.resolve(this.#running).then(start, start);
  }

  #onUse(text: string): void {
    this.#noteFirst();
    this.#onConfirmed();
    this.#reports.isNew(text);
  }

  #onConfirmed(): void {
    if (this.#held.isConfirmed) {
      this.#schedule.ended();
    }
    this.#readiness.announce(this.state);
  }

  #plan(share = 1): void {
    const isOffline = this.#sharing !== undefined && this.#options.config.pollingIntervalMs === 0;
    if (isOffline || this.#abort.signal.aborted) {
      this.#schedule.clear();
      return;
    }
    const isHeld = this.inUse !== undefined;
    const { isInDoubt } = this.#held;
    this.#schedule.plan({ isHeld, isInDoubt, isAwaited: this.#readiness.isAwaited, share });
  }

  async #download(observed: ObservedCall | undefined): Promise<void> {
    const { signal } = this.#abort;
    const onAnswer = (attempts: number) => observed && noteAttempts(observed, attempts);
    const startedMs = this.#options.now();
    const started = performance.now();
    try {
      const condition = this.#wanted ? undefined : this.#held.condition;
      const read = await this.#reader.read(condition, signal, onAnswer);
      if (signal.aborted) {
        throw closedError();
      }
      const parsingFrom = performance.now();
      const prepared =
        read && this.#held.prepare(read.text, { ...read, isRefresh: this.#isRefresh, isFollowed: false });
      const ended = performance.now();
      const refusal = typeof prepared === 'string' ? prepared : undefined;
      if (read && typeof prepared === 'object') {
        if (this.#sharing) {
          const isForced = this.#isRefresh || this.#wanted?.isForced === true;
          await this.#sharing.offer(prepared, { text: read.text, isForced });
        } else {
          this.#held.replace(prepared);
          this.#noteFirst();
        }
      } else if (!read) {
        this.#held.confirm();
        void this.#sharing?.confirm();
      }
      this.#end(undefined);
      this.#reports.ended(refusal);
      this.#readiness.announce(this.state);
      if (!read || refusal) {
        return;
      }
      if (!this.#sharing) {
        this.#stored?.keep(read.text);
        this.#reports.isNew(read.text);
      }
      this.#reports.took(read, { startedMs, executionMs: ended - started, parsingMs: ended - parsingFrom });
    } catch (thrown) {
      if (signal.aborted) {
        throw closedError();
      }
      const error = toArtifactError(thrown);
      this.#end(error);
      this.#readiness.announce(this.state);
      this.#reports.failed(error, this.inUse !== undefined);
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
    this.#wanted = undefined;
    this.#schedule.ended(error);
    this.#plan();
  }

  #noteFirst(): void {
    if (!this.#isReady) {
      this.#isReady = true;
      this.#readiness.endWaitLimit();
      this.#options.onFirst();
    }
  }
}
