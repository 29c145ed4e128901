import { answerCall, type Question, toQuestion } from './answer-call.js';
import { AttributesProvider, type AttributesSchema } from './attributes.js';
import { quietly } from './call-safely.js';
import type { ClientParts } from './client-parts.js';
import type { WaitUntil } from './config/config-options.js';
import { nearestOf, toUnknownLine } from './config/option-checks.js';
import { TargetError } from './errors.js';
import type { TargetEvents } from './events.js';
import { within } from './http/deadline.js';
import type { AbortSignalLike } from './http/fetch-api.js';
import { isAborted, reasonOfAbort, unwatch, watch } from './http/watched-signal.js';
import { Visitor } from './identity/visitor.js';
import { copyWith } from './inherited-names.js';
import type { Logger } from './logger.js';
import { HeldWork } from './reports/held-work.js';
import { WrittenReport } from './reports/written-report.js';
import { toCall } from './request/call.js';
import { toCallError } from './request/callbacks.js';
import { requireNotifications } from './request/copy-notification.js';
import { type CopiedRequest, copyRequest } from './request/copy-request.js';
import { toSentContext } from './request/edge-limits.js';
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
  /** The host of delivery calls, when it is not Adobe's host for the client. */
  readonly serverDomain: string | undefined;
  /** The time in ms after which `ready()` rejects, when the client's configuration sets one. */
  readonly maximumWaitReadyMs: number | undefined;
  /** Tells whether the rules in use have rules of an mbox. A client without rules has none. */
  hasRules(mbox: string): boolean;
  /**
   * Returns the rules of each mbox as they came, for a comparison with later ones. Returns undefined without rules, and when
   * a call has asked for an mbox already.
   */
  writtenMboxes(): ReadonlyMap<string, readonly unknown[]> | undefined;
  /** Makes a random id of a session or of a visitor. */
  newId(): string;
  /**
   * Makes the Experience Cloud visitor of a visit from the value of an AMCV cookie. All calls of the given consumer share
   * one supplemental data id.
   */
  newVisitor(visitorCookie: string | undefined, consumerId: string): Visitor;
  /**
   * Returns the options of a call without those that somebody has added to `Object.prototype`. Warns of those that calls
   * do not have.
   */
  ownOptions<Options extends object>(options: Options): Options;
  /**
   * Warns of options whose names are almost those of others, such as `concent`, once for each name. Options with quite
   * different names may be those of an adapter.
   */
  warnOfMisspelt(options: object, known: ReadonlySet<string>): void;
  /** @throws {TargetError} `ERR_TARGET_CLOSED` when the client is closed. */
  refuseWhenClosed(): void;
  /**
   * Checks and copies a request, as each call does.
   * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST`, or `ERR_TARGET_CLOSED` when the client is closed.
   */
  checkRequest(request: DeliveryRequest): CopiedRequest;
  /**
   * Checks and copies a request of `sendNotifications`. Errors are those of `checkRequest`, and one for a request without
   * notifications.
   */
  checkReport(request: DeliveryRequest): CopiedRequest;
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
  waitFor(first: Promise<void>, limits: WaitLimits): Promise<void>;
  /** Makes the error of a call whose budget is over before it was sent. */
  toLateError(timeoutMs: number): TargetError;
  /**
   * Decides a call in this process, and keeps nothing of its visitor for calls in the background. It resolves to undefined
   * when a hybrid client has no rules yet: with consent, the edge would decide the call.
   */
  decideAnonymously(options: RequestOptions): Promise<TargetDeliveryResponse | undefined>;
  /** Makes a call, as the methods of the client do. */
  answer(options: RequestOptions, question: VisitQuestion): Promise<TargetDeliveryResponse>;
  /** Work that has begun. `flush` and `close` of the client wait for it. */
  readonly held: HeldWork;
  /**
   * Adds a report of what a browser has shown to the notification queue. Such reports take at most a part of it.
   * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` for a wrong option.
   */
  queueReport(options: RequestOptions): void;
  /** Gives work to the platform, by `waitUntil` of the visit or of the client. */
  handOver(work: Promise<unknown>, waitUntil: WaitUntil | undefined): void;
  /** Raises the event of offers that do not fit their schema. */
  emit(event: TargetEvents['invalidContent']): void;
}

/** The question of a visitor whom nobody may know. It never leaves the process. */
const HERE: Question = { ...toQuestion('getOffers', 'on-device'), isForgotten: true };

/** A question that a visit asks. */
export interface VisitQuestion extends Question {
  /** True for a call that has waited since it was made. It goes also while the client closes. */
  readonly hasBegun: boolean;
}

/** The limits of a call that waits for the end of another. */
export interface WaitLimits {
  /** The rest of the call's budget in ms. */
  readonly leftMs: number;
  /** The whole budget of the call in ms. */
  readonly timeoutMs: number;
  readonly signal: unknown;
}

/** Makes the support of a client's visits. `refuseWhenClosed` throws when the client is closed. */
export function createVisitSupport(parts: ClientParts, refuseWhenClosed: () => void): VisitSupport {
  const { environment, onDevice } = parts;
  const { config, logger, ids } = environment;
  return {
    logger,
    serverDomain: config.serverDomain,
    maximumWaitReadyMs: config.maximumWaitReadyMs,
    hasRules: (mbox) => onDevice?.loaded?.hasMbox(mbox) === true,
    writtenMboxes: () => onDevice?.loaded?.writtenMboxes(),
    newId: ids.newHexId,
    newVisitor: (cookie, consumerId) =>
      Visitor.ofPage(config.organizationId, cookie, consumerId, ids.newSupplementalDataId),
    ownOptions: (options) => {
      const own = ownOptions(options);
      warnOfUnknownOptions(own, logger);
      return own;
    },
    warnOfMisspelt: createMisspellings(logger),
    refuseWhenClosed,
    checkRequest: (request) => {
      refuseWhenClosed();
      return copyRequest(request, logger);
    },
    checkReport: (request) => {
      refuseWhenClosed();
      const copy = copyRequest(request, logger);
      requireNotifications(copy);
      return copy;
    },
    addMboxes: withMboxes,
    toTimeoutMs: (timeout) => toTimeoutMs(timeout) ?? config.timeoutMs,
    collectDetails,
    toAttributes: (answer) => new AttributesProvider(answer, onDevice?.loaded?.globalMbox),
    toError: toCallError,
    onAbort,
    waitFor,
    toLateError,
    decideAnonymously: async (options) => {
      try {
        return await answerCall(ownOptions(options), options.request, parts, HERE);
      } catch (thrown) {
        const error = toCallError(thrown, options);
        if (config.decisioningMethod === 'hybrid' && error.code === 'ERR_TARGET_NOT_READY') {
          return undefined;
        }
        throw error;
      }
    },
    answer: async (options, question) => {
      if (!question.hasBegun) {
        refuseWhenClosed();
      }
      return answerCall(ownOptions(options), options.request, parts, question);
    },
    queueReport: (options) => queueReport(options, parts),
    held: new HeldWork(),
    handOver: (work, waitUntil) => parts.work.handOver(work, waitUntil),
    emit: (event) => parts.events.emit(event),
  };
}

function queueReport(options: RequestOptions, { environment, background }: ClientParts): void {
  const call = toCall(
    ownOptions(options),
    environment,
    options.request,
    toQuestion('sendNotifications', 'server-side'),
  );
  const { request, encodedSessionId, locationHint, decisioningMethod, timeoutMs, waitUntil } = call;
  const sent = copyWith(request, { context: toSentContext(request.context) });
  const report = new WrittenReport(sent, request.notifications ?? []);
  const delivery = { request: report, encodedSessionId, locationHint, decisioningMethod, timeoutMs };
  background.notifications.add({ ...delivery, signal: undefined }, waitUntil, true);
}

/** The maximum number of unknown options that are looked at. Programs write their options, so they have few. */
const MAX_UNKNOWN = 100;
/** The number of letters in which a misspelt name differs at most. */
const MAX_DISTANCE = 2;

function createMisspellings(logger: Logger): VisitSupport['warnOfMisspelt'] {
  const seen = new Set<string>();
  return (options, known) => {
    // A proxy may refuse to tell its names.
    quietly(() => {
      for (const name in options) {
        if (known.has(name) || seen.has(name) || seen.size >= MAX_UNKNOWN) {
          continue;
        }
        seen.add(name);
        if (nearestOf(name, [...known], MAX_DISTANCE) !== undefined) {
          logger.warn(`visits: ${toUnknownLine(name, [...known])}`);
        }
      }
    });
  };
}

function waitFor(first: Promise<void>, { leftMs, timeoutMs, signal: given }: WaitLimits): Promise<void> {
  const signal = toSignal(given);
  return within(
    { timeoutMs: leftMs, signal },
    () => first,
    (limit) => (limit === 'signal' ? abortedError(signal) : toLateError(timeoutMs)),
  );
}

function toLateError(timeoutMs: number): TargetError {
  return new TargetError(
    'ERR_TARGET_TIMEOUT',
    `the delivery call did not end in time: it was not sent, because the call that names the visitor had no answer within ${timeoutMs} ms`,
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
