import type { VisitSupport } from '../visit-support.js';
import type { VisitCall } from './visit-call.js';

/** A call that may have to wait until the visitor is known. */
export interface WaitingCall<Answer> {
  /**
   * The budget of the whole call in ms. The wait takes a part of it. It is undefined for a call for which nobody waits:
   * that one waits as long as it takes, and has its whole budget then.
   */
  readonly timeoutMs: number | undefined;
  readonly signal: VisitCall['signal'];
  /** Tells whether the call can go now without making a visitor of its own. */
  isKnown(): boolean;
  /** Sends the call. `timeoutMs` is the rest of the budget, when a part of it was spent. */
  send(timeoutMs?: number): PromiseLike<Answer>;
}

type Support = Pick<VisitSupport, 'waitFor' | 'held' | 'toLateError'>;

/**
 * Lets one call of an unknown visitor go first. The others wait for its answer, because it names the visitor. If it
 * fails, the next one goes first.
 */
export class IdentityFirst {
  readonly #support: Support;
  #first: Promise<void> | undefined;

  constructor(support: Support) {
    this.#support = support;
  }

  /** Sends a call at once, or when the visitor is known. */
  run<Answer>(call: WaitingCall<Answer>): PromiseLike<Answer> {
    if (call.isKnown()) {
      return call.send();
    }
    if (!this.#first) {
      return this.#lead(call.send());
    }
    const waiting = this.#wait(call);
    this.#support.held.add(waiting);
    return waiting;
  }

  #lead<Answer>(sent: PromiseLike<Answer>): PromiseLike<Answer> {
    const done = () => {
      this.#first = undefined;
    };
    this.#first = Promise.resolve(sent).then(done, done);
    return sent;
  }

  async #wait<Answer>(call: WaitingCall<Answer>): Promise<Answer> {
    const { signal, timeoutMs } = call;
    if (timeoutMs === undefined) {
      while (this.#first && !call.isKnown()) {
        await this.#first;
      }
      return this.#sendAfterWait(call, undefined);
    }
    const endMs = performance.now() + timeoutMs;
    const leftMs = () => {
      const left = endMs - performance.now();
      if (left <= 0) {
        throw this.#support.toLateError(timeoutMs);
      }
      return Math.ceil(left);
    };
    while (this.#first && !call.isKnown()) {
      await this.#support.waitFor(this.#first, { leftMs: leftMs(), timeoutMs, signal });
    }
    return this.#sendAfterWait(call, leftMs());
  }

  #sendAfterWait<Answer>(call: WaitingCall<Answer>, timeoutMs: number | undefined): PromiseLike<Answer> {
    return call.isKnown() ? call.send(timeoutMs) : this.#lead(call.send(timeoutMs));
  }
}
