import { TargetError } from '../errors.js';
import type { OnDevice, OnDeviceOptions } from './decider.js';

/**
 * On-device decisioning of one client, loaded by those alone who decide here: it is most of the code, and knows the
 * public suffixes. A load that failed is forgotten, so that the next call tries it again.
 */
export class LazyOnDevice {
  #options: OnDeviceOptions;
  #loading: Promise<OnDevice> | undefined;
  #loaded: OnDevice | undefined;

  /** Begins to load. */
  constructor(options: OnDeviceOptions) {
    this.#options = options;
    void this.load();
  }

  /** The decider once it is loaded; undefined before. */
  get loaded(): OnDevice | undefined {
    return this.#loaded;
  }

  /** The decider, or a promise of it until it is loaded. */
  get decider(): OnDevice | Promise<OnDevice> {
    return this.#loaded ?? this.load();
  }

  /** Resolves when it is loaded; rejects with NOT_READY when it cannot be. */
  load(): Promise<OnDevice> {
    if (this.#loading) return this.#loading;
    const loading = this.#load();
    this.#loading = loading;
    // Whoever makes a call hears why it cannot be loaded.
    loading.catch(() => undefined);
    return loading;
  }

  /** Closes what is loaded or being loaded; one that cannot be loaded has nothing to close. */
  async close(): Promise<void> {
    (await this.#loading?.catch(() => undefined))?.close();
  }

  async #load(): Promise<OnDevice> {
    const { startOnDevice } = await import('./decider.js').catch((cause: unknown) => {
      this.#loading = undefined;
      throw new TargetError('ERR_TARGET_NOT_READY', 'on-device decisioning could not be loaded', { cause });
    });
    const loaded = startOnDevice(this.#options);
    // The payload may be large, and is of no use any more.
    this.#options = { ...this.#options, payload: undefined };
    this.#loaded = loaded;
    return loaded;
  }
}
