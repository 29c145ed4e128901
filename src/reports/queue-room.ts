import type { NotificationPolicy } from '../config/config-policies.js';
import type { Delivery } from '../request/call.js';
import { queuedBytesOf } from './queued-bytes.js';

/** The share of the queue that the reports of browsers may take. The rest is kept for decisions. */
const SHARE_OF_BROWSERS = 1 / 4;

/**
 * Counts the calls and bytes of a queue against its limits. Anybody can send reports of what a browser has shown, so
 * they must not take the room of the displays that this process has decided.
 */
export class QueueRoom {
  readonly #policy: NotificationPolicy;
  readonly #maxOfBrowsers: number;
  #bytes = 0;
  #callsOfBrowsers = 0;
  #bytesOfBrowsers = 0;

  constructor(policy: NotificationPolicy) {
    this.#policy = policy;
    // A queue of less than four calls would otherwise take no report at all.
    this.#maxOfBrowsers = Math.max(1, Math.floor(policy.maxQueued * SHARE_OF_BROWSERS));
  }

  /** Returns the bytes that a call would take. */
  bytesOf(call: Delivery): number {
    return queuedBytesOf(call, this.#bytes, this.#policy.maxBytes);
  }

  /**
   * Tells why calls that come beside the queued ones do not fit; `undefined` when they do. The fields are parameters,
   * because each display comes here (benchmark on-device/execute-url).
   */
  lackFor(calls: number, bytes: number, isOfBrowser: boolean, queued: number): string | undefined {
    const { maxQueued, maxBytes } = this.#policy;
    if (queued + calls > maxQueued) {
      return `${maxQueued} calls are queued`;
    }
    if (this.#bytes + bytes > maxBytes) {
      return `more than ${maxBytes} bytes would be queued`;
    }
    const isTooMuch =
      isOfBrowser &&
      (this.#callsOfBrowsers + calls > this.#maxOfBrowsers ||
        this.#bytesOfBrowsers + bytes > maxBytes * SHARE_OF_BROWSERS);
    return isTooMuch ? 'a quarter of the queue holds reports of browsers' : undefined;
  }

  enter(bytes: number, isOfBrowser: boolean): void {
    this.#bytes += bytes;
    if (isOfBrowser) {
      this.#callsOfBrowsers += 1;
      this.#bytesOfBrowsers += bytes;
    }
  }

  leave(bytes: number, isOfBrowser: boolean): void {
    this.#bytes -= bytes;
    if (isOfBrowser) {
      this.#callsOfBrowsers -= 1;
      this.#bytesOfBrowsers -= bytes;
    }
  }
}
