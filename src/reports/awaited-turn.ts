import type { WaitUntil } from '../config/config-options.js';
import type { BackgroundWork } from './background-work.js';

/**
 * One turn of the event loop in which calls were queued. Each `waitUntil` gets one promise for all calls of the turn,
 * and gets it while the call is made: some platforms refuse it later.
 */
export class AwaitedTurn {
  readonly #work: BackgroundWork;
  readonly #informed = new Set<WaitUntil>();
  readonly #ended: Promise<void>;
  #end: (ended: Promise<void>) => void = () => undefined;

  constructor(work: BackgroundWork) {
    this.#work = work;
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Gives the promise of the turn to a `waitUntil`, unless it has it. */
  inform(waitUntil: WaitUntil): void {
    if (this.#informed.has(waitUntil)) {
      return;
    }
    // This comes first, because the function may make calls itself.
    this.#informed.add(waitUntil);
    this.#work.handOver(this.#ended, waitUntil);
  }

  /** Notes that the turn is over. Its promise then ends with the calls. */
  end(ended: Promise<void>): void {
    this.#end(ended);
  }
}
