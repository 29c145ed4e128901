import { type Timer, unref } from '#platform';
import type { ArtifactStore } from '../../config.js';
import { messageOf } from '../../errors.js';
import { FaultLog } from '../../log-limit.js';
import type { Logger } from '../../logger.js';

/** What keeping an artifact outside the process needs. */
export interface StoredArtifactOptions {
  readonly store: ArtifactStore;
  /** The artifact's location, under which it is kept. */
  readonly key: string;
  readonly logger: Logger;
}

const MAX_WRITE_MS = 30_000;

/** The caller's store, which may be slow, broken or filled by somebody else: nothing here rejects. */
export class StoredArtifact {
  readonly #options: StoredArtifactOptions;
  #next: string | undefined;
  #isWriting = false;
  readonly #faults: FaultLog;

  constructor(options: StoredArtifactOptions) {
    this.#options = options;
    this.#faults = new FaultLog(options.logger.write, 'the artifact store works');
  }

  /** Gives what an earlier process kept to `take`, if there is anything; what `take` throws is said in one warning. */
  async restore(take: (text: string) => void): Promise<void> {
    const { store, key } = this.#options;
    try {
      const text = await store.get(key);
      if (text === undefined || text === null) return;
      if (typeof text !== 'string') throw new TypeError('not a text');
      take(text);
    } catch (thrown) {
      this.#faults.failed(`the artifact store gave nothing of use: ${reasonOf(thrown)}`);
    }
  }

  /** Keeps an artifact for later processes. One at a time, so that an older one cannot end up on top. */
  keep(text: string): void {
    this.#next = text;
    if (!this.#isWriting) void this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    for (let text = this.#takeNext(); text !== undefined; text = this.#takeNext()) await this.#write(text);
    this.#isWriting = false;
  }

  #takeNext(): string | undefined {
    const next = this.#next;
    this.#next = undefined;
    return next;
  }

  async #write(text: string): Promise<void> {
    const { store, key } = this.#options;
    let timer: Timer | undefined;
    const limit = new Promise<never>((_, reject) => {
      timer = unref(setTimeout(() => reject(new Error('it did not end')), MAX_WRITE_MS));
    });
    try {
      await Promise.race([store.set(key, text), limit]);
      this.#faults.worked();
    } catch (thrown) {
      this.#faults.failed(`the artifact store could not be written: ${reasonOf(thrown)}`);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A store's own message may hold its address and password. */
function reasonOf(thrown: unknown): string {
  return messageOf(thrown);
}
