import type { Background } from './background.js';
import { type Deciders, type Decision, decide, identifyHere } from './decide.js';
import type { DecisioningMethod } from './delivery-api.js';
import { asksForOffers } from './edge/delivery-request.js';
import { invalidField } from './errors.js';
import type { OwnHint } from './identity/location-hint.js';
import { setField } from './inherited-names.js';
import { isObject, isThenable } from './json.js';
import { type CallWatch, noteAttempts, type ObservedCall, type ObservedOperation } from './observer.js';
import { type Call, type CallEnvironment, toCall } from './request/call.js';
import { toCallError } from './request/callbacks.js';
import type { DeliveryRequest } from './request/loose-request.js';
import { mboxNamesOf, namedMethodOf } from './request/observed-call.js';
import { type CallOptions, warnOfUnknownOptions } from './request/options.js';
import { type TargetDeliveryResponse, toTargetDeliveryResponse } from './response.js';

/** The part of on-device decisioning that knows the artifact in use. */
interface ArtifactHolder {
  readonly loaded: { readonly etag: string | undefined } | undefined;
}

/** The parts of a client that answer its calls. */
export interface AnsweringParts {
  readonly environment: CallEnvironment;
  readonly deciders: Deciders;
  readonly background: Pick<Background, 'noteCall'>;
  readonly observers: CallWatch;
  /** The on-device side of the client. It is `undefined` for a server-side client. */
  readonly onDevice: ArtifactHolder | undefined;
  /** The client's own location hint, for the tntIds of visitors who have none. */
  readonly clientHint: OwnHint;
  /** Counts the answers to calls for offers. */
  readonly answered: { decisions: number };
}

/** A question that a method of the client asks. All fields are set, so that none is read from `Object.prototype`. */
export interface Question {
  readonly operation: ObservedOperation;
  /** The method by which it is always decided. It is absent when the call or the client says. */
  readonly method: DecisioningMethod | undefined;
  /** The budget in ms that the program gives to all calls of this kind, when it is not the client's. */
  readonly usualTimeoutMs: number | undefined;
  /** True when the call leaves nothing of its visitor to later calls of the client, such as those with telemetry. */
  readonly isForgotten: boolean;
  /** The call as observers see it, when there are any. */
  readonly observed: ObservedCall | undefined;
}

/** Makes the question of a method of the client. */
export function toQuestion(operation: ObservedOperation, method?: DecisioningMethod): Question {
  return { operation, method, usualTimeoutMs: undefined, isForgotten: false, observed: undefined };
}

type Answer = TargetDeliveryResponse | PromiseLike<TargetDeliveryResponse>;

/** Answers one call, among the observers of the client. A synchronous answer comes without a promise. */
export function answerCall(
  options: CallOptions,
  request: DeliveryRequest | undefined,
  parts: AnsweringParts,
  question: Question,
): Answer {
  if (!parts.observers.areWatching) {
    return answerNow(options, request, parts, question);
  }
  const { config } = parts.environment;
  const call: ObservedCall = {
    operation: question.operation,
    decisioningMethod: question.method ?? namedMethodOf(options) ?? config.decisioningMethod,
    mboxes: mboxNamesOf(request),
  };
  return parts.observers.watch(call, async () => {
    try {
      const answer = await answerNow(options, request, parts, { ...question, observed: call });
      setField(call, 'result', answer);
      return answer;
    } catch (thrown) {
      throw toCallError(thrown, options);
    }
  });
}

/** Answers one call: reads its request, decides, responds. */
function answerNow(
  options: CallOptions,
  request: DeliveryRequest | undefined,
  parts: AnsweringParts,
  question: Question,
): Answer {
  if (question.operation === 'identify') {
    return answerIdentity(options, request, parts, question);
  }
  const call = read(options, request, parts, question);
  const decision = decide(call, parts.deciders);
  return isThenable(decision)
    ? decision.then((decided) =>
        respond(call, noted(decided, question, parts), parts, parts.environment.now()),
      )
    : respond(call, noted(decision, question, parts), parts, call.nowMs);
}

/** Notes for observers, if there are any, what a decision took. Returns the decision. */
function noted(decision: Decision, { observed }: Question, parts: AnsweringParts): Decision {
  if (observed) {
    const isLocal = decision.decidedBy === 'on-device';
    const etag = isLocal ? parts.onDevice?.loaded?.etag : undefined;
    if (etag !== undefined) {
      setField(observed, 'artifactEtag', etag);
    }
    noteAttempts(observed, isLocal ? undefined : decision.attempts);
  }
  return decision;
}

/** Answers who the visitor of a call is: on the edge, or here when the calls of this client are decided here. */
function answerIdentity(
  options: CallOptions,
  request: DeliveryRequest | undefined,
  parts: AnsweringParts,
  question: Question,
): Answer {
  const call = read(options, request, parts, question);
  if (call.decisioningMethod === 'server-side') {
    const asked = parts.deciders.edge({ ...call, asksForIds: true });
    return asked.then((decided) =>
      respond(call, noted(decided, question, parts), parts, parts.environment.now()),
    );
  }
  const { config, ids } = parts.environment;
  return respond(call, identifyHere(call, config.client, parts.clientHint.current, ids), parts, call.nowMs);
}

function read(
  options: CallOptions,
  request: DeliveryRequest | undefined,
  { environment }: AnsweringParts,
  question: Question,
): Call {
  if (!isObject(options)) {
    throw invalidField('options', 'an object', options);
  }
  warnOfUnknownOptions(options, environment.logger);
  return toCall(options, environment, request, question);
}

function respond(
  call: Call,
  decision: Decision,
  { answered, background }: AnsweringParts,
  nowMs: number,
): TargetDeliveryResponse {
  if (asksForOffers(call.request)) {
    answered.decisions += 1;
  }
  if (!call.isForgotten) {
    background.noteCall(call, decision.request);
  }
  return toTargetDeliveryResponse(call, decision, nowMs);
}
