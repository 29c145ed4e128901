import { callSafely } from './call-safely.js';
import type { DecisioningMethod, DeliveryResponse } from './delivery-api.js';
import { nameOf, type TargetError, toTargetError } from './errors.js';
import { setField } from './inherited-names.js';
import { LineLimit } from './log-limit.js';
import type { Logger } from './logger.js';

/**
 * The kind of an observed call: a method of the client, or its work in the background. `notify` delivers notifications
 * of the queue, and `artifact` asks for the artifact.
 */
export type ObservedOperation =
  | 'getOffers'
  | 'getAttributes'
  | 'sendNotifications'
  | 'identify'
  | 'notify'
  | 'artifact';

/** The part of an answer that observers may read. The caller gets the same object, so it must not be changed. */
export interface ObservedResult {
  /** The answer, in the format of the Delivery API. */
  readonly response: DeliveryResponse;
  /** The method by which the call was decided, `server-side` or `on-device`. */
  readonly decisioningMethod: DecisioningMethod;
  /** The mboxes that only the edge can decide. An `on-device` answer leaves them undecided. */
  readonly status: { readonly remoteMboxes: readonly string[] };
}

/**
 * A call that is observed. It has no id of a visitor, and the names of mboxes come from the program. The content of
 * `result` is the visitor's own, so it belongs into no trace and no log.
 */
export interface ObservedCall {
  readonly operation: ObservedOperation;
  /** The method by which the call is to be decided: the call's own, or the client's. */
  readonly decisioningMethod: DecisioningMethod;
  /** The names of the mboxes that the call asks for or reports. Work in the background has none. */
  readonly mboxes: readonly string[];
  /** The answer, when the call has one. `notify` and `artifact` have none. */
  result?: ObservedResult;
  /** The reason for a call that failed. */
  error?: TargetError;
  /**
   * The number of HTTP requests that were sent for the call, retries included. Decisions in this process have none, and
   * neither has an artifact from a file.
   */
  attempts?: number;
  /**
   * The `ETag` of the artifact by which the call was decided in this process. For an artifact from a file it is a hash
   * of the bytes. Artifacts of a store or of the option `artifactPayload` have none.
   */
  artifactEtag?: string;
}

/**
 * Watches the calls of a client, for traces, metrics and logs.
 *
 * @example
 * ```ts
 * const observer: CallObserver = {
 *   async around(call, run) {
 *     const started = performance.now();
 *     await run();
 *     console.log(call.operation, call.error?.code ?? 'ok', performance.now() - started);
 *   },
 * };
 * ```
 */
export interface CallObserver {
  /**
   * Called with each call. It calls `run` at once, which starts the call in the asynchronous context of the observer.
   * The promise of `run` resolves when the call has ended, also after a failure, which is in `call.error` then.
   *
   * The call runs exactly once, whatever the observer does. When `around` returns and has not called `run`, the call
   * starts without it. The caller does not wait for what the observer does after the call. An error of the observer is
   * logged as a warning and harms nothing.
   */
  around(call: ObservedCall, run: () => Promise<void>): unknown;
}

/** The part of a tracing channel of `node:diagnostics_channel` that is used. */
interface CallChannel {
  readonly hasSubscribers?: boolean;
  tracePromise<Result>(work: () => Promise<Result>, message: ObservedCall): Promise<Result>;
}

/** The part of a channel of `node:diagnostics_channel` that is used. */
interface EventChannel {
  readonly hasSubscribers: boolean;
  publish(message: unknown): void;
}

/** The part of `node:diagnostics_channel` that is used. Some runtimes have it without tracing channels. */
interface Diagnostics {
  tracingChannel?(name: string): CallChannel;
  channel(name: string): EventChannel;
}

/** The channels of the runtime. They are not imported, because not every runtime has them. */
const diagnostics = findDiagnostics();
const callChannel = diagnostics?.tracingChannel?.('target-node-sdk:call');

function findDiagnostics(): Diagnostics | undefined {
  const process = globalThis.process as
    | { getBuiltinModule?(name: string): Diagnostics | undefined }
    | undefined;
  try {
    return process?.getBuiltinModule?.('diagnostics_channel');
  } catch {
    // The Edge runtime of Next.js 15 has this function, and throws when it is called.
    return undefined;
  }
}

/** Returns the diagnostics channel of an event. It is undefined in a runtime without such channels. */
export function eventChannelOf(type: string): EventChannel | undefined {
  return diagnostics?.channel(`target-node-sdk:${type}`);
}

/** Watches the calls of a client. */
export interface CallWatch {
  /** True when somebody watches. Calls that nobody watches must cost nothing. */
  readonly areWatching: boolean;
  /** Shows a call that failed before it could be watched, such as one of a closed client. `toCall` makes it. */
  noteRefused(error: TargetError, toCall: () => ObservedCall): void;
  /** Does the work of a call among its observers. Its errors are `TargetError`s. */
  watch<Result>(call: ObservedCall, work: () => Promise<Result>): Promise<Result>;
}

/** The observers of one client, and the subscribers of the diagnostics channel `target-node-sdk:call`. */
export class Observers implements CallWatch {
  readonly #observers: readonly CallObserver[];
  readonly #failures: LineLimit;
  readonly #seen = new WeakSet<TargetError>();

  constructor(observers: readonly CallObserver[], logger: Logger) {
    this.#observers = observers;
    this.#failures = new LineLimit((line) => logger.warn(line));
  }

  /** True when somebody watches. Calls that nobody watches must cost nothing. */
  get areWatching(): boolean {
    return this.#observers.length > 0 || callChannel?.hasSubscribers === true;
  }

  noteRefused(error: TargetError, toCall: () => ObservedCall): void {
    if (this.areWatching && !this.#seen.has(error)) {
      this.watch(toCall(), () => Promise.reject(error)).catch(ignore);
    }
  }

  /** Does the work of a call among its observers, the first of them outermost. Its errors are `TargetError`s. */
  watch<Result>(call: ObservedCall, work: () => Promise<Result>): Promise<Result> {
    let outcome: Promise<Result> | undefined;
    const begin = () => {
      outcome ??= callChannel?.hasSubscribers ? callChannel.tracePromise(work, call) : work();
      return outcome;
    };
    let run = () =>
      begin().then(ignore, (thrown: unknown) => {
        const error = toTargetError(thrown);
        this.#seen.add(error);
        setField(call, 'error', error);
        noteAttempts(call, error.attempts);
      });
    for (const observer of this.#observers.toReversed()) {
      run = this.#within(observer, call, run);
    }
    void run();
    return begin();
  }

  /** Puts an observer around a call. The returned function starts the call once, with or without the observer. */
  #within(observer: CallObserver, call: ObservedCall, inner: () => Promise<void>): () => Promise<void> {
    let ended: Promise<void> | undefined;
    const once = () => {
      ended ??= inner();
      return ended;
    };
    return () => {
      callSafely(
        () => observer.around(call, once),
        (thrown) => this.#failures.say(`an observer of calls failed: ${nameOf(thrown)}`),
      );
      return once();
    };
  }
}

/** Notes how many HTTP requests a call has sent, if it has sent any. */
export function noteAttempts(call: ObservedCall, attempts: number | undefined): void {
  if (attempts) {
    setField(call, 'attempts', attempts);
  }
}

function ignore(): void {}
