import { type Timer, unref } from '#platform';
import type { ArtifactStore } from '../../config/config-options.js';
import { messageOf } from '../../errors.js';
import { FaultLog } from '../../log-limit.js';
import type { Logger } from '../../logger.js';

/** The data that are needed to keep an artifact outside the process. */
export interface StoredArtifactOptions {
  readonly store: ArtifactStore;
  /** URL of the artifact, under which the store keeps it. */
  readonly key: string;
  readonly logger: Logger;
}

/** Time limit for one write. */
const MAX_WRITE_MS = 30_000;

/**
 * Reads and writes the caller's artifact store. The store may be slow, broken or filled by somebody else: no method
 * rejects because of it.
 */
export class StoredArtifact {
  readonly #options: StoredArtifactOptions;
  #next: string | undefined;
  #writing: Promise<void> | undefined;
  readonly #faults: FaultLog;

  constructor(options: StoredArtifactOptions) {
    this.#options = options;
    this.#faults = new FaultLog(options.logger.write, 'the artifact store works');
  }

  /**
   * Passes the artifact that an earlier process stored to `take`. Nothing happens when there is none. An error of the
   * store or of `take` becomes a warning.
   */
  async restore(take: (text: string) => void): Promise<void> {
    const { store, key } = this.#options;
    try {
      const text = await store.get(key);
      if (text === undefined || text === null) {
        return;
      }
      if (typeof text !== 'string') {
        throw new TypeError('not a text');
      }
      take(text);
    } catch (thrown) {
      this.#faults.failed(`the artifact store gave nothing of use: ${messageOf(thrown)}`);
    }
  }

  /**
   * Stores an artifact for later processes. Each write waits for the one before, because an older artifact must not
   * overwrite a newer one.
   */
  keep(text: string): void {
    this.#next = text;
    this.#writing ??= this.#writeAll();
  }

  /** Resolves when everything is written, or has failed to be. It is `undefined` when nothing is being written. */
  get written(): Promise<void> | undefined {
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    for (let text = this.#takeNext(); text !== undefined; text = this.#takeNext()) {
      await this.#write(text);
    }
    this.#writing = undefined;
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
      this.#faults.failed(`the artifact store could not be written: ${messageOf(thrown)}`);
    } finally {
      clearTimeout(timer);
    }
  }
}
