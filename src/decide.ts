import type { DeliveryResponse, ResolvedDeliveryRequest } from './delivery-api.js';
import { TargetError } from './errors.js';
import { isAborted, reasonOfAbort } from './http/watched-signal.js';
import { type IdSource, newTntId } from './identity/ids.js';
import { allocatedBy, toAnsweredIds } from './identity/visitor-ids.js';
import { copyWith, emptyLike } from './inherited-names.js';
import { isThenable } from './json.js';
import type { Call } from './request/call.js';

/** The mboxes and views of one request that only the edge can decide. */
export interface RemoteNames {
  /** Names of mboxes that this process cannot decide. */
  readonly remoteMboxes: readonly string[];
  /** Names of views that this process cannot decide. */
  readonly remoteViews: readonly string[];
}

/** Tells whether any mbox or view of a request is left to the edge. */
export function needsEdge({ remoteMboxes, remoteViews }: RemoteNames): boolean {
  return remoteMboxes.length > 0 || remoteViews.length > 0;
}

/** The part of a request that a hybrid client leaves to the edge. */
export interface EdgeShare extends RemoteNames {
  /**
   * True when the edge has to decide the request. The lists of names can be empty even then: some requests need the
   * edge for another reason, such as an order.
   */
  readonly isNeeded: boolean;
}

/** The decision of one call, made on the edge or in this process. */
export interface Decision extends RemoteNames {
  /** The request in the form in which it was decided. */
  readonly request: ResolvedDeliveryRequest;
  /** The answer, in the format of the Delivery API. */
  readonly response: DeliveryResponse;
  /** The side that decided the call. It is never `hybrid`, because each call is decided on one side. */
  readonly decidedBy: 'server-side' | 'on-device';
  /** The location hint that was used to choose the edge cluster: the visitor's, else the client's. */
  readonly locationHint: string | undefined;
  /** The number of HTTP requests that the decision took. It is absent when this process decided. */
  readonly attempts?: number;
}

/** Decides a call on the edge, with one delivery call. */
export type EdgeDecider = (call: Call) => Promise<Decision>;

/** A decider that works inside this process, by rules that were downloaded before. */
export interface LocalDecider {
  /**
   * Decides a call. It returns a plain value, or a promise when it first has to look up the visitor's place over the
   * network. Errors are thrown or come as a rejection, so callers handle both.
   */
  decide(call: Call): Decision | PromiseLike<Decision>;
  /**
   * Returns the part of a request that a hybrid client leaves to the edge. It returns `undefined` while there are no
   * rules to decide by.
   */
  edgeShare(call: Call): EdgeShare | undefined;
}

/** The deciders that a client has. */
export interface Deciders {
  /** The decider on the edge, which every client has. */
  readonly edge: EdgeDecider;
  /**
   * The decider of this process. It is `undefined` for a client that was made for server-side calls alone. It is a
   * promise until its code is loaded, and reading this property can start the loading.
   */
  readonly local: LocalDecider | PromiseLike<LocalDecider> | undefined;
}

/**
 * Decides a call by its decisioning method. `server-side` goes to the edge and `on-device` to this process. `hybrid`
 * uses this process when it can decide the whole request, and the edge otherwise.
 *
 * A decision that is ready at once is returned as a plain value, because one promise costs as much as a small decision
 * (benchmark on-device/prefetch-url).
 *
 * @throws {TargetError} `ERR_TARGET_NOT_READY` when the method is `on-device` and there are no rules.
 */
export function decide(call: Call, deciders: Deciders): Decision | PromiseLike<Decision> {
  const { edge } = deciders;
  if (call.decisioningMethod === 'server-side') {
    return edge(call);
  }
  const { local } = deciders;
  if (isThenable(local)) {
    return local.then((loaded) => decide(call, { edge, local: loaded }));
  }
  if (call.decisioningMethod === 'hybrid') {
    return decideHybrid(call, edge, local);
  }
  if (!local) {
    throw notReadyError();
  }
  return local.decide(call);
}

/**
 * Answers in this process who a visitor is. It needs no rules and sends nothing. A visitor without an id for the
 * allocation of offers gets a new tntId, as from an on-device decision.
 * @throws {TargetError} `ERR_TARGET_ABORTED` when the signal of the call is aborted.
 */
export function identifyHere(
  call: Call,
  client: string,
  clientHint: string | undefined,
  ids: IdSource,
): Decision {
  throwIfAborted(call);
  const locationHint = call.locationHint ?? clientHint;
  const isKnown = allocatedBy(call.request.id) !== undefined;
  const request = withTntId(call.request, isKnown ? undefined : newTntId(locationHint, ids));
  const { requestId, id = {} } = request;
  const response: DeliveryResponse = { status: 200, requestId, id: toAnsweredIds(id), client };
  return { request, response, decidedBy: 'on-device', locationHint, remoteMboxes: [], remoteViews: [] };
}

/** Throws when a call's signal is aborted. */
export function throwIfAborted({ signal }: Call): void {
  if (!signal || !isAborted(signal)) {
    return;
  }
  const cause = reasonOfAbort(signal);
  throw new TargetError('ERR_TARGET_ABORTED', 'the decision was aborted by its signal', { cause });
}

/** Returns the request with the visitor's new tntId. Reports have to name the visitor for whom the call was decided. */
export function withTntId(
  request: ResolvedDeliveryRequest,
  tntId: string | undefined,
): ResolvedDeliveryRequest {
  if (tntId === undefined) {
    return request;
  }
  return copyWith(request, { id: copyWith(request.id ?? emptyLike(request), { tntId }) });
}

/** Makes the error for a decision that needs rules while there are none. The cause tells why there are none. */
export function notReadyError(cause?: TargetError): TargetError {
  const message = 'Unable to fulfill request; decisioning engine not ready.';
  return new TargetError('ERR_TARGET_NOT_READY', message, { cause });
}

function decideHybrid(
  call: Call,
  edge: EdgeDecider,
  local: LocalDecider | undefined,
): Decision | PromiseLike<Decision> {
  const share = local?.edgeShare(call);
  if (!local || !share) {
    return edge(call);
  }
  const { isNeeded, remoteMboxes, remoteViews } = share;
  if (!isNeeded) {
    return local.decide(call);
  }
  return edge(call).then((decision) => ({ ...decision, remoteMboxes, remoteViews }));
}
