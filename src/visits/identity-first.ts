import type { VisitSupport } from '../visit-support.js';
import type { VisitCall } from './visit-call.js';

/** A call that may have to wait until the visitor is known. */
export interface WaitingCall<Answer> {
  /** The budget of the whole call in ms. The wait takes a part of it. */
  readonly timeoutMs: number;
  readonly signal: VisitCall['signal'];
  /** Tells whether the call can go now without making a visitor of its own. */
  isKnown(): boolean;
  /** Sends the call. `timeoutMs` is the rest of the budget, when a part of it was spent. */
  send(timeoutMs?: number): PromiseLike<Answer>;
}

/**
 * Lets one call of an unknown visitor go first. The others wait for its answer, because it names the visitor. If it
 * fails, the next one goes first.
 */
export class IdentityFirst {
  readonly #support: Pick<VisitSupport, 'waitFor' | 'hold'>;
  #first: Promise<void> | undefined;

  constructor(support: Pick<VisitSupport, 'waitFor' | 'hold'>) {
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
    this.#support.hold(waiting);
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
    const { signal } = call;
    const endMs = performance.now() + call.timeoutMs;
    // The rest is never 0, so that the wait fails with the error of a call whose time is over.
    const leftMs = () => Math.max(0.001, endMs - performance.now());
    while (this.#first && !call.isKnown()) {
      await this.#support.waitFor(this.#first, { timeoutMs: leftMs(), signal });
    }
    return call.isKnown() ? call.send(leftMs()) : this.#lead(call.send(leftMs()));
  }
}
