import { answerCall } from './answer-call.js';
import { AttributesProvider, type AttributesSchema } from './attributes.js';
import type { ClientParts } from './client-parts.js';
import type { WaitUntil } from './config/config-options.js';
import { TargetError } from './errors.js';
import { within, withinMs } from './http/deadline.js';
import type { AbortSignalLike } from './http/fetch-api.js';
import { isAborted, reasonOfAbort, unwatch, watch } from './http/watched-signal.js';
import { newHexId, newSupplementalDataId } from './identity/ids.js';
import { Visitor } from './identity/visitor.js';
import type { Logger } from './logger.js';
import { toCallError } from './request/callbacks.js';
import { type CopiedRequest, copyRequest } from './request/copy-request.js';
import type { DeliveryRequest } from './request/loose-request.js';
import {
  ownOptions,
  type RequestOptions,
  toSignal,
  toTimeoutMs,
  warnOfUnknownOptions,
} from './request/options.js';
import { withMboxes } from './request/with-mboxes.js';
import { collectDetails, type TargetDeliveryResponse } from './response.js';

/**
 * The parts of a client that visits need beside its public methods. Visits get them from the client and import nothing
 * of it. So middleware that needs only the functions of `target-node-sdk/http` does not load the client.
 */
export interface VisitSupport {
  readonly logger: Logger;
  /** Makes a random id of a session or of a visitor. */
  newId(): string;
  /** Makes an Experience Cloud visitor of the value of an AMCV cookie. */
  newVisitor(visitorCookie: string | undefined): Visitor;
  /**
   * Returns the options of a call without those that somebody has added to `Object.prototype`. Warns of those that calls
   * do not have.
   */
  ownOptions<Options extends object>(options: Options): Options;
  /**
   * Checks and copies a request, as each call does.
   * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST`, or `ERR_TARGET_CLOSED` when the client is closed.
   */
  checkRequest(request: DeliveryRequest): CopiedRequest;
  /** Returns the request of a `getAttributes` call: the mboxes are added to `execute`. */
  addMboxes(request: DeliveryRequest, mboxNames: readonly string[]): DeliveryRequest;
  /** Returns the budget of a call in ms. */
  toTimeoutMs(timeout: unknown): number;
  /** Collects the tokens, payloads and traces of an answer anew. */
  collectDetails(answer: TargetDeliveryResponse): void;
  toAttributes<Schema extends AttributesSchema<Schema>>(
    answer: TargetDeliveryResponse,
  ): AttributesProvider<Schema>;
  /** Makes the error of a call from a thrown value. `options` are those of the call. */
  toError(thrown: unknown, options: unknown): TargetError;
  /**
   * Calls a function with the error of the call when a signal is aborted, now or later. Returns a function that ends
   * this.
   * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` for a value that is no signal.
   */
  onAbort(signal: AbortSignalLike, act: (error: TargetError) => void): () => void;
  /**
   * Waits for the end of a call, within the limits of another call that it holds up.
   * @throws {TargetError} `ERR_TARGET_TIMEOUT` or `ERR_TARGET_ABORTED` as a rejection.
   */
  waitFor(
    first: Promise<void>,
    limits: { readonly timeoutMs: number; readonly signal: unknown },
  ): Promise<void>;
  /** Decides a call in this process, and keeps nothing of its visitor for calls in the background. */
  decideAnonymously(options: RequestOptions): Promise<TargetDeliveryResponse>;
  /** Makes a call for offers that began before. So it goes also while the client closes. */
  answer(options: RequestOptions): Promise<TargetDeliveryResponse>;
  /** Lets `flush` and `close` of the client wait for work that has begun. */
  hold(work: Promise<unknown>): void;
  /** Gives work to the platform, by `waitUntil` of the visit or of the client. */
  handOver(work: Promise<unknown>, waitUntil: WaitUntil | undefined): void;
  /** Resolves when all work that is held now has ended, or after a time in ms. */
  whenEnded(limitMs: number): Promise<void>;
}

/** Makes the support of a client's visits. `refuseWhenClosed` throws when the client is closed. */
export function createVisitSupport(parts: ClientParts, refuseWhenClosed: () => void): VisitSupport {
  const { environment, onDevice } = parts;
  const { config, logger } = environment;
  const held = new Set<Promise<unknown>>();
  const unnoted = { ...parts, background: { noteCall: () => undefined } };
  return {
    logger,
    newId: newHexId,
    newVisitor: (cookie) => new Visitor(config.organizationId, cookie, newSupplementalDataId),
    ownOptions: (options) => {
      const own = ownOptions(options);
      warnOfUnknownOptions(own, logger);
      return own;
    },
    checkRequest: (request) => {
      refuseWhenClosed();
      return copyRequest(request, logger);
    },
    addMboxes: withMboxes,
    toTimeoutMs: (timeout) => toTimeoutMs(timeout) ?? config.timeoutMs,
    collectDetails,
    toAttributes: (answer) => new AttributesProvider(answer, onDevice?.loaded?.globalMbox),
    toError: toCallError,
    onAbort,
    waitFor,
    decideAnonymously: async (options) =>
      answerCall(ownOptions(options), options.request, unnoted, 'on-device'),
    answer: async (options) => answerCall(ownOptions(options), options.request, parts),
    hold: (work) => {
      const end = () => void held.delete(work);
      held.add(work);
      work.then(end, end);
    },
    handOver: (work, waitUntil) => parts.work.handOver(work, waitUntil),
    whenEnded: async (limitMs) => {
      if (held.size > 0) {
        await withinMs(limitMs, () => Promise.allSettled(held));
      }
    },
  };
}

function waitFor(
  first: Promise<void>,
  { timeoutMs, signal: given }: { readonly timeoutMs: number; readonly signal: unknown },
): Promise<void> {
  const signal = toSignal(given);
  return within(
    { timeoutMs, signal },
    () => first,
    (limit) =>
      limit === 'signal'
        ? abortedError(signal)
        : new TargetError(
            'ERR_TARGET_TIMEOUT',
            `the delivery call did not end in time: it was not sent, because the call that names the visitor had no answer within ${Math.round(timeoutMs)} ms`,
          ),
  );
}

function abortedError(signal: object | undefined): TargetError {
  const cause = reasonOfAbort(signal);
  return new TargetError('ERR_TARGET_ABORTED', 'the delivery call was aborted by its signal', { cause });
}

function onAbort(given: AbortSignalLike, act: (error: TargetError) => void): () => void {
  const signal = toSignal(given);
  if (!signal) {
    return () => undefined;
  }
  const abort = () => act(abortedError(signal));
  if (isAborted(signal)) {
    abort();
    return () => undefined;
  }
  const watcher = { watchIndex: 0, onAbort: abort };
  const watched = watch(signal, watcher);
  return () => unwatch(watched, watcher);
}
