import { type Timer, unref } from '#platform';
import { callSafely } from '../../call-safely.js';
import { nameOf, TargetError } from '../../errors.js';
import type { Events } from '../../events.js';
import { grown, spread } from '../../http/retry.js';
import { FaultLog } from '../../log-limit.js';
import type { Logger } from '../../logger.js';
import type { ArtifactStoreStats } from '../../stats.js';

/** The kinds of calls. At most one call of each kind is under way. */
export type StoreCall = 'peek' | 'read' | 'offer' | 'confirm' | 'claim';

/**
 * The result of a call. `failed`: the store refused it, or was not asked, because it failed a moment ago. `late`: it gave
 * no answer in time, and may carry the call out all the same. `bad`: the content of the store is damaged or forged.
 */
export type StoreAnswer<Value> = { readonly value: Value } | 'failed' | 'late' | 'bad';

/** Tells whether a call ended without an answer of the store. */
export function isWithoutAnswer(answer: StoreAnswer<unknown>): answer is 'failed' | 'late' {
  return answer === 'failed' || answer === 'late';
}

/** The parts of a client that the calls of a store need. */
export interface StoreCallsOptions {
  readonly logger: Logger;
  readonly events: Events;
  /** Aborted when the client closes. */
  readonly signal: AbortSignal;
}

/** Time limit for one call. A client of Redis may wait for a server that has stopped without any limit of its own. */
const MAX_CALL_MS = 1000;
/** A call that has not settled after this time no longer keeps others of its kind from being made. */
const FORGOTTEN_MS = 30_000;
const PAUSES = { minTimeoutMs: 1000, maxTimeoutMs: 30_000, factor: 2 };

/**
 * Calls a store that may be slow, dead, or filled by somebody else. No method rejects. After a failure the store is left
 * alone for 1 to 30 seconds.
 */
export class StoreCalls {
  readonly #options: StoreCallsOptions;
  readonly #faults: FaultLog;
  /** Start of each call that has not settled, on the clock of `performance.now()`. */
  readonly #underWay = new Map<StoreCall, number>();
  /** Number of calls that failed in a row. */
  #failures = 0;
  #pausedUntilMs = 0;
  #state: ArtifactStoreStats['state'] = 'ok';
  #failed = 0;
  #lastError: string | undefined;
  #offers = { taken: 0, same: 0, older: 0 };

  constructor(options: StoreCallsOptions) {
    this.#options = options;
    this.#faults = new FaultLog(options.logger.write, 'the artifact store works');
  }

  /** Counts of the calls, and the state of the store. */
  get stats(): ArtifactStoreStats {
    const lastError = this.#lastError;
    return {
      state: this.#state,
      failures: this.#failed,
      offers: { ...this.#offers },
      ...(lastError !== undefined && { lastError }),
    };
  }

  /** Time in ms until the store is asked again after a failure; 0 while it works. */
  get pauseMs(): number {
    return Math.max(0, this.#pausedUntilMs - performance.now());
  }

  /** Counts an offer by the store's answer. */
  countOffer(verdict: keyof ArtifactStoreStats['offers']): void {
    this.#offers[verdict] += 1;
  }

  /**
   * Makes a call, within its time limit. `check` throws when the answer is of no use.
   */
  async run<Value>(
    kind: StoreCall,
    call: (signal: AbortSignal) => PromiseLike<unknown>,
    check: (answer: unknown) => Value,
  ): Promise<StoreAnswer<Value>> {
    const nowMs = performance.now();
    const since = this.#underWay.get(kind);
    const isBusy = since !== undefined && nowMs - since < FORGOTTEN_MS;
    if (isBusy || nowMs < this.#pausedUntilMs || this.#options.signal.aborted) {
      return 'failed';
    }
    const late = timeoutError();
    try {
      const value = check(await this.#withinLimit(kind, call, late));
      this.#worked();
      return { value };
    } catch (thrown) {
      if (this.#options.signal.aborted) {
        return 'failed';
      }
      if (isAboutContent(thrown)) {
        this.#note(thrown, 'the artifact store holds nothing of use');
        return 'bad';
      }
      this.#fail(thrown);
      return thrown === late ? 'late' : 'failed';
    }
  }

  /** Notes content that cannot be used, found after the call. */
  noteBad(thrown: unknown): void {
    this.#note(thrown, 'the artifact store holds nothing of use');
  }

  /** Rejects with `late` when the call takes too long. */
  #withinLimit(
    kind: StoreCall,
    call: (signal: AbortSignal) => PromiseLike<unknown>,
    late: Error,
  ): Promise<unknown> {
    const abort = new AbortController();
    const startedMs = performance.now();
    this.#underWay.set(kind, startedMs);
    return new Promise((resolve, reject) => {
      let timer: Timer | undefined;
      const giveUp = (reason: Error) => {
        this.#options.signal.removeEventListener('abort', onClose);
        reject(reason);
        abort.abort(reason);
      };
      const onClose = () => giveUp(new TargetError('ERR_TARGET_CLOSED', 'the client is closed'));
      const settle = () => {
        clearTimeout(timer);
        this.#options.signal.removeEventListener('abort', onClose);
        if (this.#underWay.get(kind) === startedMs) {
          this.#underWay.delete(kind);
        }
      };
      timer = unref(setTimeout(() => giveUp(late), MAX_CALL_MS));
      this.#options.signal.addEventListener('abort', onClose, { once: true });
      startCall(() => call(abort.signal))
        .then(resolve, reject)
        .then(settle, settle);
    });
  }

  #worked(): void {
    this.#failures = 0;
    this.#pausedUntilMs = 0;
    this.#faults.worked();
    this.#change('ok');
  }

  #fail(thrown: unknown): void {
    this.#failures += 1;
    const pauseMs = spread(grown(PAUSES, this.#failures), 0.75, 1);
    this.#pausedUntilMs = performance.now() + pauseMs;
    this.#note(thrown, 'the artifact store failed');
    this.#change('failing', thrown);
  }

  /** Logs the name of an error only, because its message may hold the URL of the store with a password. */
  #note(thrown: unknown, what: string): void {
    this.#failed += 1;
    this.#lastError = nameOf(thrown);
    this.#faults.failed(`${what} (${this.#lastError}); decisions go on`);
  }

  #change(state: ArtifactStoreStats['state'], thrown?: unknown): void {
    if (state === this.#state) {
      return;
    }
    this.#state = state;
    const type = 'artifactStoreChanged';
    if (state === 'ok') {
      this.#options.events.emit({ type, state });
    } else {
      const error = new TargetError('ERR_TARGET_ARTIFACT', `the artifact store failed (${nameOf(thrown)})`);
      this.#options.events.emit({ type, state, error });
    }
  }
}

/** Makes a call whose error, also one that is thrown at once, is a rejection. */
async function startCall(call: () => PromiseLike<unknown>): Promise<unknown> {
  return call();
}

function timeoutError(): Error {
  return Object.assign(new Error(`it took longer than ${MAX_CALL_MS} ms`), { name: 'TimeoutError' });
}

/** Tells whether an error says that the content of a store is of no use. */
function isAboutContent(thrown: unknown): boolean {
  let code: unknown;
  callSafely(
    () => {
      code = typeof thrown === 'object' && thrown !== null && 'code' in thrown ? thrown.code : undefined;
    },
    () => undefined,
  );
  return code === 'ERR_TARGET_ARTIFACT';
}
