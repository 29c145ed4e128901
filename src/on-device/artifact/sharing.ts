import type { SharedArtifact, SharedArtifactStore } from '../../config/shared-artifact-store.js';
import { TargetError } from '../../errors.js';
import type { Events } from '../../events.js';
import { spread } from '../../http/retry.js';
import type { Logger } from '../../logger.js';
import type { ArtifactStoreStats } from '../../stats.js';
import type { Held, HeldArtifact } from './held.js';
import { toArtifactId } from './reader.js';
import { toFlag, toOfferResult, toSharedArtifact, toStoredVersion } from './store-answers.js';
import { isWithoutAnswer, type StoreAnswer, StoreCalls } from './store-calls.js';
import { Waits } from './waits.js';

/** A download that the loop asks for. */
export interface WantedDownload {
  /** True when the artifact replaces whatever the store holds, because that is empty or of no use. */
  readonly isForced: boolean;
}

/** The parts of a client that a shared store needs. */
export interface SharingOptions {
  readonly store: SharedArtifactStore;
  /** URL of the artifact, under which the store keeps it. */
  readonly key: string;
  readonly held: HeldArtifact;
  readonly events: Events;
  readonly logger: Logger;
  /** Aborted when the client closes. */
  readonly signal: AbortSignal;
  /** Time between two downloads in ms; 0 when this process never downloads by itself. */
  readonly pollingIntervalMs: number;
  /** Downloads the whole artifact and offers it. It never rejects. */
  readonly download: (wanted: WantedDownload) => void;
  /** Called when an artifact of the store, or one that was offered to it, is in use. */
  readonly onUse: (text: string) => void;
  /** Called when the store says that the artifact in use is the current one. */
  readonly onConfirmed: () => void;
  /** Called after each look at the store, because time alone can change the status. */
  readonly onLook: () => void;
}

/** Time for which a start waits for the store, before it asks the CDN. */
const START_MS = 250;
/** Time between two looks at the store while another process downloads the first artifact. */
const START_LOOK_MS = 40;
/** Time for which one process of all repairs the store. */
const HEAL_MS = 10_000;
/** Share of the activation delay over which the reads of a fleet are spread. */
const SPREAD_SHARE = 0.6;
/** Share of the polling interval in which one process of all asks the CDN. */
const TICKET_SHARE = 0.1;
/** Age up to which an artifact of the store counts as current in a process that never downloads by itself. */
const DEFAULT_FRESH_MS = 300_000;

/**
 * Follows the artifact that a fleet shares. All processes take a new version into use at the moment that the store
 * names, and one of them asks the CDN for all.
 */
export class Sharing {
  readonly #options: SharingOptions;
  readonly #calls: StoreCalls;
  /** The last mark of the version in use. */
  #seen: string | undefined;
  /** The version of the store that was not taken, and the time until which it is not read again. */
  #refused: { readonly id: string; readonly untilMs: number } | undefined;
  /** True while the content of the store is of no use, so that the next offer replaces it. */
  #isBad = false;
  readonly #waits = new Waits();

  constructor(options: SharingOptions) {
    this.#options = options;
    this.#calls = new StoreCalls(options);
  }

  /** Counts of the calls, and the state of the store. */
  get stats(): ArtifactStoreStats {
    return this.#calls.stats;
  }

  /** True while the artifact in use may count as current: somebody confirmed it within two polling intervals. */
  isFresh(ageMs: number): boolean {
    return ageMs <= 2 * this.#freshMs;
  }

  /** Keeps the process alive while a caller waits for the first artifact. */
  keepAlive(isAwaited: boolean): void {
    this.#waits.keepAlive(isAwaited);
  }

  /**
   * Asks the store for the first artifact. Resolves with true when this process has to download it: nobody else does,
   * or the store gave nothing within a quarter of a second.
   */
  async start(): Promise<boolean> {
    const { held, pollingIntervalMs } = this.#options;
    const endMs = performance.now() + START_MS;
    const isHeldAtStart = held.inUse !== undefined;
    await this.#waits.until(this.#readFirst(), endMs);
    void this.#lookOnAndOn();
    if (isHeldAtStart || pollingIntervalMs === 0 || (held.inUse && held.isConfirmed)) {
      return false;
    }
    const ticket = this.mayDownload();
    if ((await this.#waits.until(ticket, endMs)) !== false) {
      return true;
    }
    while (!held.inUse && performance.now() < endMs) {
      await this.#waits.pause(START_LOOK_MS);
      await this.#waits.until(this.#readFirst(), endMs);
    }
    return held.inUse === undefined;
  }

  /** Ends the loop. */
  close(): void {
    this.#waits.clear();
    this.#options.held.dropPending();
  }

  /** Resolves with false when another process asked the CDN a moment ago. */
  async mayDownload(): Promise<boolean> {
    const ttlMs = Math.max(1, Math.round(this.#options.pollingIntervalMs * TICKET_SHARE));
    return (await this.#claim(this.#options.key, ttlMs)) !== false;
  }

  /**
   * Offers a downloaded artifact, and takes it into use when the store says so. Without the store it is used at once.
   * With a late answer it is used after the delay, because other processes may have it from the store.
   */
  async offer(held: Held, { text, isForced }: { text: string; isForced: boolean }): Promise<void> {
    const { store, key } = this.#options;
    const { id = '', order, etag } = held;
    const artifact = { text, id, order, etag, isForced: isForced || this.#isBad };
    const isFirst = this.#options.held.inUse === undefined;
    if (isFirst) {
      this.#activate(held, text, { activeInMs: 0, seenMsAgo: 0 });
    }
    const offeredMs = performance.now();
    const answer = await this.#calls.run(
      'offer',
      (signal) => store.offer(key, artifact, { signal }),
      (result) => toOfferResult(result, store.activationDelayMs),
    );
    const verdict = typeof answer === 'object' ? answer.value : undefined;
    if (verdict) {
      this.#calls.countOffer(verdict.verdict);
    }
    if (this.#options.signal.aborted) {
      return;
    }
    if (verdict?.verdict === 'older') {
      if (verdict.id !== this.#options.held.newest?.id) {
        await this.#readNewer(verdict.id);
      }
      return;
    }
    this.#isBad &&= !verdict;
    const delayMs = answer === 'late' ? (store.activationDelayMs ?? 0) : 0;
    const leftMs = Math.max(0, delayMs - (performance.now() - offeredMs));
    this.#activateOffered(held, { text, isFirst, activeInMs: verdict?.activeInMs ?? leftMs });
  }

  /** Tells the store that the CDN has confirmed the newest artifact of this process. */
  async confirm(): Promise<void> {
    const { store, key, held } = this.#options;
    const id = held.newest?.id;
    if (id !== undefined) {
      await this.#calls.run('confirm', (signal) => store.confirm(key, id, { signal }), toFlag);
    }
  }

  get #freshMs(): number {
    return this.#options.pollingIntervalMs || DEFAULT_FRESH_MS;
  }

  #activateOffered(
    held: Held,
    { text, isFirst, activeInMs }: { text: string; isFirst: boolean; activeInMs: number },
  ): void {
    if (this.#options.held.newest?.id === held.id) {
      this.#options.held.confirm();
      this.#options.onConfirmed();
      return;
    }
    if (!isFirst) {
      this.#activate(held, text, { activeInMs, seenMsAgo: 0 });
    }
  }

  #activate(
    held: Held,
    text: string,
    { activeInMs, seenMsAgo }: Pick<SharedArtifact, 'activeInMs' | 'seenMsAgo'>,
  ) {
    const onUse = () => this.#options.onUse(text);
    const isCurrent = seenMsAgo <= this.#freshMs;
    this.#options.held.activateAt(held, {
      inMs: activeInMs,
      seenMsAgo: isCurrent ? seenMsAgo : undefined,
      onUse,
    });
  }

  async #claim(key: string, ttlMs: number): Promise<boolean | undefined> {
    const { store } = this.#options;
    const answer = await this.#calls.run('claim', (signal) => store.claim(key, ttlMs, { signal }), toFlag);
    return typeof answer === 'object' ? answer.value : undefined;
  }

  /** Reads the store's artifact at the start. What the CDN brings meanwhile stays, unless the store's is another. */
  async #readFirst(): Promise<void> {
    const answer = await this.#read();
    if (typeof answer === 'object' && answer.value) {
      await this.#follow(answer.value);
    }
    this.#isBad ||= answer === 'bad';
  }

  /** Looks at the store until the client closes. It never rejects. */
  async #lookOnAndOn(): Promise<void> {
    const { signal, store } = this.#options;
    while (!signal.aborted) {
      await this.#waits.pause(Math.max(spread(store.pollingIntervalMs, 0.9, 1.1), this.#calls.pauseMs));
      await this.#look();
    }
  }

  /** Looks at the store once. It never rejects. */
  async #look(): Promise<void> {
    const { store, key, held, signal, onLook } = this.#options;
    const answer = await this.#calls.run(
      'peek',
      (callSignal) => store.peek(key, { signal: callSignal }),
      toStoredVersion,
    );
    if (isWithoutAnswer(answer) || signal.aborted) {
      onLook();
      return;
    }
    if (answer === 'bad' || !answer.value) {
      this.#isBad = answer === 'bad';
      await this.#heal(true);
    } else if (answer.value.id === held.newest?.id) {
      this.#noteSeen(answer.value.seen);
    } else if (answer.value.id === held.id) {
      // The store went back to the version in use before the moment of the next one came.
      held.dropPending();
      this.#noteSeen(answer.value.seen);
    } else {
      this.#seen = undefined;
      await this.#readNewer(answer.value.id);
    }
    onLook();
  }

  #noteSeen(seen: string): void {
    const isConfirmed = this.#seen !== undefined && this.#seen !== seen;
    this.#seen = seen;
    if (isConfirmed) {
      this.#options.held.confirm();
      this.#options.onConfirmed();
    }
  }

  /** Reads a version that this process does not have. The reads of a fleet are spread, because all see it together. */
  async #readNewer(id: string): Promise<void> {
    if (this.#refused?.id === id && performance.now() < this.#refused.untilMs) {
      return;
    }
    const { store, held } = this.#options;
    const delayMs = store.activationDelayMs ?? 0;
    // A look may come late by its interval, and the read itself takes time.
    const longestMs = Math.min(delayMs * SPREAD_SHARE, delayMs - 1.5 * store.pollingIntervalMs);
    if (held.inUse && longestMs > 0) {
      await this.#waits.pause(spread(longestMs, 0, 1));
    }
    const answer = await this.#read();
    if (this.#options.signal.aborted || isWithoutAnswer(answer)) {
      return;
    }
    if (answer === 'bad' || !answer.value) {
      this.#isBad = answer === 'bad';
      this.#refuse(id);
      await this.#heal(true);
      return;
    }
    await this.#follow(answer.value);
  }

  #read(): Promise<StoreAnswer<SharedArtifact | undefined>> {
    const { store, key } = this.#options;
    return this.#calls.run(
      'read',
      (signal) => store.read(key, { signal }),
      (read) => toSharedArtifact(read, store.activationDelayMs),
    );
  }

  /** Takes the store's artifact into use at its moment, unless it is older than the own one or of no use. */
  async #follow({ text, id, order, isForced, etag, activeInMs, seenMsAgo }: SharedArtifact): Promise<void> {
    const { held, signal } = this.#options;
    const readMs = performance.now();
    const digest = await toArtifactId(text);
    const { newest } = held;
    if (signal.aborted || (newest?.id === id && newest.id === digest)) {
      return;
    }
    if (!isForced && order !== undefined && newest?.order !== undefined && order < newest.order) {
      this.#refuse(id);
      await this.#heal(false);
      return;
    }
    try {
      if (digest !== id) {
        throw new TargetError('ERR_TARGET_ARTIFACT', 'the stored artifact has another id than it says');
      }
      const prepared = held.prepare(text, {
        source: 'store',
        etag,
        isRefresh: true,
        id,
        order,
        isFollowed: true,
      });
      if (typeof prepared !== 'string') {
        const leftMs = Math.max(0, activeInMs - (performance.now() - readMs));
        this.#activate(prepared, text, { activeInMs: leftMs, seenMsAgo });
      }
    } catch (thrown) {
      this.#calls.noteBad(thrown);
      this.#isBad = true;
      this.#refuse(id);
      await this.#heal(true);
    }
  }

  /** Remembers a version that was not taken, so that it is not read again at each look. */
  #refuse(id: string): void {
    this.#refused = { id, untilMs: performance.now() + HEAL_MS };
  }

  /** Lets one process of all download the artifact and offer it. */
  async #heal(isForced: boolean): Promise<void> {
    const { key, pollingIntervalMs, download, signal } = this.#options;
    if (pollingIntervalMs === 0 || !(await this.#claim(`${key}:heal`, HEAL_MS)) || signal.aborted) {
      return;
    }
    download({ isForced });
  }
}
