import { TargetError } from '../errors.js';
import type { OnAbort } from './merged-calls.js';

/** A call that may have to wait until the visitor is known. */
export interface WaitingCall<Answer> {
  /** The budget of the whole call in ms. The wait takes a part of it. */
  readonly timeoutMs: number;
  /** Watches the signal of the caller. */
  readonly onAbort: OnAbort | undefined;
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
  #first: Promise<void> | undefined;

  /** Sends a call at once, or when the visitor is known. */
  run<Answer>(call: WaitingCall<Answer>): PromiseLike<Answer> {
    if (call.isKnown()) {
      return call.send();
    }
    return this.#first ? this.#wait(call) : this.#lead(call.send());
  }

  #lead<Answer>(sent: PromiseLike<Answer>): PromiseLike<Answer> {
    const done = () => {
      this.#first = undefined;
    };
    this.#first = Promise.resolve(sent).then(done, done);
    return sent;
  }

  async #wait<Answer>(call: WaitingCall<Answer>): Promise<Answer> {
    const endMs = performance.now() + call.timeoutMs;
    while (this.#first && !call.isKnown()) {
      await ended(this.#first, endMs, call);
    }
    const leftMs = endMs - performance.now();
    if (leftMs <= 0) {
      throw timeoutError(call);
    }
    return call.isKnown() ? call.send(leftMs) : this.#lead(call.send(leftMs));
  }
}

/** Waits for the end of the first call, within the limits of another. */
function ended(
  first: Promise<void>,
  endMs: number,
  call: Pick<WaitingCall<unknown>, 'timeoutMs' | 'onAbort'>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (act: () => void) => {
      clearTimeout(timer);
      stop?.();
      act();
    };
    const timer = setTimeout(
      () => end(() => reject(timeoutError(call))),
      Math.max(0, endMs - performance.now()),
    );
    const stop = call.onAbort?.((error) => {
      clearTimeout(timer);
      reject(error);
    });
    void first.then(() => end(resolve));
  });
}

function timeoutError({ timeoutMs }: Pick<WaitingCall<unknown>, 'timeoutMs'>): TargetError {
  return new TargetError(
    'ERR_TARGET_TIMEOUT',
    `the delivery call did not end within ${timeoutMs} ms: it was not sent, because the call that names the visitor had no answer`,
  );
}
