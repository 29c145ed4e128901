import { type Timer, unref } from '#platform';
import { callSafely } from '../../call-safely.js';
import { TargetError } from '../../errors.js';
import type { Events } from '../../events.js';
import { FaultLog } from '../../log-limit.js';
import type { Logger } from '../../logger.js';
import type { ArtifactStoreStats } from '../../stats.js';
import { faultNameOf } from './fault-names.js';
import { type StoreCall, StoreHealth } from './store-health.js';

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
/** Most calls of all kinds that have not settled. A library keeps each until its server is back. */
const MAX_UNSETTLED = 4;
/** A call that has not settled after this time is believed to be lost, and no longer counted. */
const LOST_MS = 10 * 60_000;

/** A call that has not settled. */
interface UnderWay {
  readonly kind: StoreCall;
  /** Its start, on the clock of `performance.now()`. */
  readonly startedMs: number;
}

/** Calls a store that may be slow, dead, or filled by somebody else. No method rejects. */
export class StoreCalls {
  readonly #options: StoreCallsOptions;
  readonly #faults: FaultLog;
  readonly #contents: FaultLog;
  readonly #health = new StoreHealth();
  readonly #underWay = new Set<UnderWay>();
  #state: ArtifactStoreStats['state'] = 'ok';
  #failed = 0;
  #lastError: string | undefined;
  #offers = { taken: 0, same: 0, older: 0 };

  constructor(options: StoreCallsOptions) {
    this.#options = options;
    this.#faults = new FaultLog(options.logger.write, 'the artifact store works');
    this.#contents = new FaultLog(options.logger.write, 'the content of the artifact store is of use');
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

  /** Time in ms until the store is looked at again after a failure; 0 while it works. */
  get pauseMs(): number {
    return this.#health.pauseMs('peek');
  }

  /** True when it is time to find out whether a store that could not be written can be written again. */
  get isTicketToTry(): boolean {
    return this.#health.isTicketOfUse && this.#health.pauseMs('claim') === 0;
  }

  /** True unless an earlier offer has not settled yet. */
  get canOffer(): boolean {
    return !this.#isBusy('offer');
  }

  /** Counts an offer by the store's answer. */
  countOffer(verdict: keyof ArtifactStoreStats['offers']): void {
    this.#offers[verdict] += 1;
  }

  /** Notes that the store holds what this process has. */
  noteHeld(): void {
    this.#health.hasNothingToDo();
    this.#changeState();
  }

  /** Notes content that is of use, after it was checked as a whole. */
  noteGood(): void {
    this.#contents.worked();
  }

  /**
   * Makes a call, within its time limit. `check` throws when the answer is of no use.
   */
  async run<Value>(
    kind: StoreCall,
    call: (signal: AbortSignal) => PromiseLike<unknown>,
    check: (answer: unknown) => Value,
  ): Promise<StoreAnswer<Value>> {
    if (this.#isBusy(kind) || this.#health.pauseMs(kind) > 0 || this.#options.signal.aborted) {
      return 'failed';
    }
    const late = timeoutError();
    try {
      const value = check(await this.#withinLimit(kind, call, late));
      this.#worked(kind);
      return { value };
    } catch (thrown) {
      if (this.#options.signal.aborted) {
        return 'failed';
      }
      if (isAboutContent(thrown)) {
        this.noteBad(thrown);
        return 'bad';
      }
      this.#fail(kind, thrown);
      return thrown === late ? 'late' : 'failed';
    }
  }

  /** Notes content that cannot be used, found after the call. */
  noteBad(thrown: unknown): void {
    const name = this.#count(thrown);
    this.#contents.failed(`the artifact store holds nothing of use (${name}); decisions go on`);
  }

  #isBusy(kind: StoreCall): boolean {
    const nowMs = performance.now();
    let unsettled = 0;
    for (const call of this.#underWay) {
      const agoMs = nowMs - call.startedMs;
      if (call.kind === kind && agoMs < FORGOTTEN_MS) {
        return true;
      }
      if (agoMs < LOST_MS) {
        unsettled += 1;
      } else {
        this.#underWay.delete(call);
      }
    }
    return unsettled >= MAX_UNSETTLED;
  }

  /** Rejects with `late` when the call takes too long. */
  #withinLimit(
    kind: StoreCall,
    call: (signal: AbortSignal) => PromiseLike<unknown>,
    late: Error,
  ): Promise<unknown> {
    const abort = new AbortController();
    const started = { kind, startedMs: performance.now() };
    this.#underWay.add(started);
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
        this.#underWay.delete(started);
      };
      timer = unref(setTimeout(() => giveUp(late), MAX_CALL_MS));
      this.#options.signal.addEventListener('abort', onClose, { once: true });
      startCall(() => call(abort.signal))
        .then(resolve, reject)
        .then(settle, settle);
    });
  }

  #worked(kind: StoreCall): void {
    this.#health.worked(kind);
    this.#changeState();
  }

  /** The log has the name and the known code of an error only, because its message may hold the URL of the store with a password. */
  #fail(kind: StoreCall, thrown: unknown): void {
    this.#health.failed(kind);
    const name = this.#count(thrown);
    this.#faults.failed(`the artifact store failed (${name}); decisions go on`);
    this.#changeState(name);
  }

  #count(thrown: unknown): string {
    const name = faultNameOf(thrown);
    this.#failed += 1;
    this.#lastError = name;
    return name;
  }

  #changeState(name?: string): void {
    const state = this.#health.isFailing ? 'failing' : 'ok';
    if (state === this.#state) {
      return;
    }
    this.#state = state;
    const type = 'artifactStoreChanged';
    if (state === 'ok') {
      this.#faults.worked();
      this.#options.events.emit({ type, state });
    } else {
      const error = new TargetError('ERR_TARGET_ARTIFACT', `the artifact store failed (${name})`);
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
