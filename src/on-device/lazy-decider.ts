import type { Deciders, EdgeDecider } from '../decide.js';
import { TargetError } from '../errors.js';
import type { OnDevice, OnDeviceOptions } from './decider.js';

/**
 * Loads on-device decisioning for clients that need it. It is most of the SDK's code, and includes the public suffix
 * list. A failed load is forgotten, and the next call tries again.
 */
export class LazyOnDevice {
  #options: OnDeviceOptions;
  #loading: Promise<OnDevice> | undefined;
  #loaded: OnDevice | undefined;

  /** Starts loading. */
  constructor(options: OnDeviceOptions) {
    this.#options = options;
    void this.load();
  }

  /** The decider; undefined until it is loaded. */
  get loaded(): OnDevice | undefined {
    return this.#loaded;
  }

  /** The decider, or a promise of it while it is being loaded. */
  get decider(): OnDevice | Promise<OnDevice> {
    return this.#loaded ?? this.load();
  }

  /**
   * Resolves when on-device decisioning is loaded.
   * @throws TargetError `ERR_TARGET_NOT_READY` when it cannot be loaded.
   */
  load(): Promise<OnDevice> {
    if (this.#loading) {
      return this.#loading;
    }
    const loading = this.#load();
    this.#loading = loading;
    // Every call reports the failure to its caller. Without this handler the rejection would be unhandled when no call
    // waits for the load.
    loading.catch(() => undefined);
    return loading;
  }

  /** Closes on-device decisioning, as soon as it is loaded. Nothing has to be closed when the load fails. */
  async close(): Promise<void> {
    (await this.#loading?.catch(() => undefined))?.close();
  }

  async #load(): Promise<OnDevice> {
    const { startOnDevice } = await import('./decider.js').catch((cause: unknown) => {
      this.#loading = undefined;
      throw new TargetError('ERR_TARGET_NOT_READY', 'on-device decisioning could not be loaded', { cause });
    });
    const loaded = startOnDevice(this.#options);
    // The payload may be large, and is not needed after the start.
    this.#options = { ...this.#options, payload: undefined };
    this.#loaded = loaded;
    return loaded;
  }
}

/** Puts the deciders of a client together. A call that reads `local` after a failed load starts the load again. */
export function toDeciders(edge: EdgeDecider, onDevice: LazyOnDevice | undefined): Deciders {
  return {
    edge,
    get local() {
      return onDevice?.decider;
    },
  };
}
