import type { SharedArtifact, StoredVersion } from '../../config/shared-artifact-store.js';
import { spread } from '../../http/retry.js';
import type { ArtifactStoreStats } from '../../stats.js';
import { CheckedStore } from './checked-store.js';
import type { Held } from './held.js';
import { toArtifactId } from './reader.js';
import { Repairs } from './repairs.js';
import type { Moment, Offered, SharingOptions } from './sharing-options.js';
import { msToRead } from './spread-reads.js';
import { START_MS, waitForOthers } from './start-looks.js';
import { isWithoutAnswer, StoreCalls } from './store-calls.js';
import { isBefore, isUnproven, prepareStored } from './stored-version.js';
import { Waits } from './waits.js';

/** Share of the polling interval in which one process of all asks the CDN. */
const TICKET_SHARE = 0.1;
/** Time within which a store is looked at again after it gave no answer. */
const LOOK_AGAIN_MS = 2000;
/** Age up to which an artifact of the store counts as current in a process that never downloads by itself. */
const DEFAULT_FRESH_MS = 300_000;

/**
 * Follows the artifact that a fleet shares. All processes take a new version into use at the moment that the store
 * names, and one of them asks the CDN for all.
 */
export class Sharing {
  readonly #options: SharingOptions;
  readonly #calls: StoreCalls;
  readonly #store: CheckedStore;
  /** The last mark of the version in use. */
  #seen: string | undefined;
  readonly #repairs: Repairs;
  /** The version that this process replaced alone, because the store did not take the next one. It is not followed. */
  #replacedId: string | undefined;
  /** True while the content of the store is of no use, so that the next offer replaces it. */
  #isBad = false;
  /** A first artifact without rules, which one download alone brought. Any version of the store is followed instead. */
  #unproven: Held | undefined;
  readonly #waits = new Waits();

  constructor(options: SharingOptions) {
    this.#options = options;
    this.#calls = new StoreCalls(options);
    this.#repairs = new Repairs(options.pollingIntervalMs);
    this.#store = new CheckedStore(options.store, options.key, this.#calls);
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
   * Asks the store for the first artifact. Resolves with true when this process has to download it: the store gave
   * nothing within a quarter of a second, nobody else downloads it, or that takes longer than two seconds.
   */
  async start(): Promise<boolean> {
    const isToDownload = await this.#hasToDownload(performance.now() + START_MS);
    void this.#lookOnAndOn();
    return isToDownload;
  }

  async #hasToDownload(endMs: number): Promise<boolean> {
    const { held, signal, pollingIntervalMs } = this.#options;
    const isHeldAtStart = held.inUse !== undefined;
    const isAnswered = await this.#waits.until(this.#readFirst(), endMs);
    if (isHeldAtStart || pollingIntervalMs === 0 || (held.inUse && held.isConfirmed)) {
      return false;
    }
    if ((await this.#waits.until(this.mayDownload(), endMs)) !== false || !isAnswered) {
      return true;
    }
    const isOver = () => held.inUse !== undefined || signal.aborted;
    await waitForOthers({ waits: this.#waits, isOver, read: () => this.#readFirst() });
    return !isOver();
  }

  /** Ends the loop. */
  close(): void {
    this.#waits.clear();
    this.#options.held.dropPending();
  }

  /** Resolves with false when another process asked the CDN a moment ago. */
  async mayDownload(): Promise<boolean> {
    const ttlMs = Math.max(1, Math.round(this.#options.pollingIntervalMs * TICKET_SHARE));
    return (await this.#store.claim('poll', ttlMs)) !== false;
  }

  /**
   * Offers a downloaded artifact, and takes it into use when the store says so. Without the store it is used at once.
   * With a late answer it is used after the delay, because other processes may have it from the store.
   */
  async offer(held: Held, { text, isForced }: { text: string; isForced: boolean }): Promise<void> {
    const { store } = this.#options;
    const { id = '', order, etag } = held;
    const artifact = { text, id, order, etag, isForced: isForced || this.#isBad };
    const replacedId = this.#options.held.newest?.id;
    if (isUnproven(held, this.#options.held.newest)) {
      return this.#takeUnproven(held, text);
    }
    this.#unproven = undefined;
    const isFirst = this.#options.held.inUse === undefined;
    if (isFirst) {
      this.#activate(held, text, { activeInMs: 0, seenMsAgo: 0 });
    }
    const offeredMs = performance.now();
    const answer = await this.#store.offer(artifact);
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
    if (verdict) {
      this.#isBad = false;
      this.#repairs.ended();
      this.#replacedId = undefined;
      this.#calls.noteGood();
    } else if (replacedId !== id) {
      this.#replacedId = replacedId;
    }
    const delayMs = answer === 'late' ? (store.activationDelayMs ?? 0) : 0;
    const leftMs = delayMs > 0 ? Math.max(delayMs - (performance.now() - offeredMs), LOOK_AGAIN_MS) : 0;
    const activeInMs = verdict?.activeInMs ?? leftMs;
    this.#activateOffered(held, { text, isFirst, activeInMs, isGuess: !verdict });
  }

  /** Tells the store that the CDN has confirmed the newest artifact of this process. */
  async confirm(): Promise<void> {
    const id = this.#options.held.newest?.id;
    if (id !== undefined) {
      await this.#store.confirm(id);
    }
  }

  get #freshMs(): number {
    return this.#options.pollingIntervalMs || DEFAULT_FRESH_MS;
  }

  /** Uses what the store has instead of a first artifact without rules, which is not offered. */
  async #takeUnproven(held: Held, text: string): Promise<void> {
    const before = this.#options.held.newest;
    this.#unproven = held;
    await this.#waits.until(this.#readFirst(), performance.now() + START_MS);
    if (this.#options.held.newest === before && !this.#options.signal.aborted) {
      this.#activate(held, text, { activeInMs: 0, seenMsAgo: 0 });
    }
  }

  #activateOffered(held: Held, { text, isFirst, activeInMs, isGuess }: Offered): void {
    if (this.#options.held.newest?.id === held.id) {
      if (!isGuess) {
        this.#options.held.correctActivation(activeInMs);
      }
      this.#options.held.confirm();
      this.#options.onConfirmed();
      return;
    }
    if (!isFirst) {
      this.#activate(held, text, { activeInMs, isGuess, seenMsAgo: 0 });
    }
  }

  #activate(held: Held, text: string, { activeInMs, isGuess = false, seenMsAgo }: Moment) {
    const onUse = () => this.#options.onUse(text);
    const isCurrent = seenMsAgo <= this.#freshMs;
    this.#options.held.activateAt(held, {
      inMs: activeInMs,
      isGuess,
      seenMsAgo: isCurrent ? seenMsAgo : undefined,
      onUse,
    });
  }

  /**
   * Reads the store's artifact at the start. What the CDN brings meanwhile stays, unless the store's is another. Resolves
   * with false when the store gave no answer.
   */
  async #readFirst(): Promise<boolean> {
    const answer = await this.#store.read();
    if (typeof answer === 'object' && answer.value) {
      await this.#follow(answer.value);
    }
    this.#isBad ||= answer === 'bad';
    return !isWithoutAnswer(answer);
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
    const { signal, onLook } = this.#options;
    const answer = await this.#store.peek();
    if (isWithoutAnswer(answer) || signal.aborted) {
      onLook();
      return;
    }
    if (answer === 'bad' || !answer.value) {
      this.#isBad = answer === 'bad';
      await this.#heal(true);
    } else {
      await this.#compare(answer.value);
    }
    if (this.#calls.isTicketToTry) {
      // A ticket that nobody needs shows whether the store can be written again.
      await this.#store.claim('probe', 1);
    }
    onLook();
  }

  /** Compares the version of the store with the own one. */
  async #compare({ id, seen, activeInMs }: StoredVersion): Promise<void> {
    const { held } = this.#options;
    if (id === held.newest?.id) {
      if (activeInMs !== undefined) {
        held.correctActivation(activeInMs);
      }
      this.#noteSeen(seen);
    } else if (id === this.#replacedId) {
      await this.#offerAgain(id);
    } else if (id === held.id) {
      // The store went back to the version in use before the moment of the next one came.
      held.dropPending();
      this.#noteSeen(seen);
    } else {
      this.#seen = undefined;
      await this.#readNewer(id, activeInMs);
    }
  }

  /** Brings the store the version that it did not take, by a new download of one process of all. */
  async #offerAgain(id: string): Promise<void> {
    if (!this.#repairs.isRefused(id) && (await this.#heal(false)) !== undefined) {
      this.#repairs.refuse(id);
    }
  }

  #noteSeen(seen: string): void {
    const isConfirmed = this.#seen !== undefined && this.#seen !== seen;
    this.#seen = seen;
    this.#isBad = false;
    this.#calls.noteHeld();
    if (isConfirmed) {
      this.#options.held.confirm();
      this.#options.onConfirmed();
    }
  }

  /** Reads a version that this process does not have. The reads of a fleet are spread, because all see it together. */
  async #readNewer(id: string, activeInMs?: number): Promise<void> {
    if (this.#repairs.isRefused(id)) {
      return;
    }
    const { store, held } = this.#options;
    const pauseMs = held.inUse ? msToRead(store, activeInMs) : 0;
    if (pauseMs > 0) {
      await this.#waits.pause(pauseMs);
    }
    const answer = await this.#store.read();
    if (this.#options.signal.aborted || isWithoutAnswer(answer)) {
      return;
    }
    if (answer === 'bad' || !answer.value) {
      this.#isBad = answer === 'bad';
      this.#repairs.refuse(id);
      await this.#heal(true);
      return;
    }
    await this.#follow(answer.value);
  }

  /** Takes the store's artifact into use at its moment, unless it is older than the own one or of no use. */
  async #follow(artifact: SharedArtifact): Promise<void> {
    const { text, id, activeInMs, seenMsAgo } = artifact;
    const { held, signal } = this.#options;
    const readMs = performance.now();
    const digest = await toArtifactId(text);
    const { newest } = held;
    if (signal.aborted || (newest?.id === id && newest.id === digest)) {
      return;
    }
    if (isBefore(artifact, newest) && newest !== this.#unproven) {
      this.#repairs.refuse(id);
      await this.#heal(false);
      return;
    }
    try {
      const prepared = prepareStored(held, artifact, digest);
      this.#isBad = false;
      this.#calls.noteGood();
      if (typeof prepared !== 'string') {
        const leftMs = Math.max(0, activeInMs - (performance.now() - readMs));
        this.#activate(prepared, text, { activeInMs: leftMs, seenMsAgo });
      }
    } catch (thrown) {
      this.#calls.noteBad(thrown);
      this.#isBad = true;
      this.#repairs.refuse(id);
      await this.#heal(true);
    }
  }

  /** Lets one process of all download the artifact and offer it. Resolves with whether it is this one, if known. */
  async #heal(isForced: boolean): Promise<boolean | undefined> {
    const { pollingIntervalMs, download, signal, held } = this.#options;
    // The first download is under way while there is no artifact, and its offer repairs the store.
    const isAble = held.inUse !== undefined && this.#calls.canOffer && this.#repairs.isDue;
    if (pollingIntervalMs === 0 || !isAble) {
      return undefined;
    }
    const isGranted = await this.#store.claim('heal', this.#repairs.ticketMs);
    if (isGranted && !signal.aborted) {
      this.#repairs.began();
      download({ isForced });
    }
    return isGranted;
  }
}
