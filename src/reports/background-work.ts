import { callSafely } from '../call-safely.js';
import type { WaitUntil } from '../config/config-options.js';
import { nameOf } from '../errors.js';
import { LineLimit } from '../log-limit.js';
import type { Logger } from '../logger.js';

/**
 * Gives work in the background to the `waitUntil` of the platform, which may stop the process before the work has
 * ended. An error of `waitUntil` is logged and harms nothing.
 */
export class BackgroundWork {
  /** The client's `waitUntil`. */
  readonly waitUntil: WaitUntil | undefined;
  readonly #failures: LineLimit;

  constructor(waitUntil: WaitUntil | undefined, logger: Logger) {
    this.waitUntil = waitUntil;
    this.#failures = new LineLimit((line) => logger.warn(line));
  }

  /** Gives work to a call's `waitUntil`, or to the client's. The promise that it gets never rejects. */
  handOver(work: Promise<unknown>, waitUntil = this.waitUntil): void {
    if (!waitUntil) {
      return;
    }
    const ended = work.then(ignore, ignore);
    callSafely(
      () => waitUntil(ended),
      (thrown) => this.#failures.say(`waitUntil failed: ${nameOf(thrown)}`),
    );
  }
}

/** Drops the result and the error of work, which are no business of the platform. */
function ignore(): void {}
