import { invalidField } from '../errors.js';
import type {
  Context,
  DecisioningMethod,
  DeliveryRequest,
  TargetClient,
  TargetCookie,
  TargetDeliveryResponse,
} from '../index.js';
import { ownOf, setField } from '../inherited-names.js';
import { isObject, isRecord } from '../json.js';
import type { CopiedRequest } from '../request/copy-request.js';
import type { VisitSupport } from '../visit-support.js';
import { toDefaultAnswer } from './default-answer.js';
import { IdentityFirst } from './identity-first.js';
import { isMergeable, MergedCalls, type OnAbort } from './merged-calls.js';
import { toUncounted } from './uncounted.js';
import type { VisitAnswer, VisitAttributesCall, VisitCall, VisitRequest } from './visit-call.js';
import { mergeContexts } from './visit-context.js';
import type { VisitFacts } from './visit-facts.js';
import type { VisitOptions } from './visit-options.js';

/** A call that goes to the client. */
interface Outgoing {
  readonly verb: 'getOffers' | 'sendNotifications' | 'identify';
  /** The options that the caller gave. */
  readonly own: VisitCall;
  readonly request: DeliveryRequest;
  readonly method: DecisioningMethod;
  /** True for a call that has waited since it was made. It goes also while the client closes. */
  readonly hasWaited: boolean;
}

/** The options of a call that has none. All are set, so that none is read from `Object.prototype`. */
const NO_OPTIONS: VisitCall = Object.freeze({
  consumerId: undefined,
  customerIds: undefined,
  decisioningMethod: undefined,
  signal: undefined,
  timeout: undefined,
  waitUntil: undefined,
});

/** The cookie of an answer that knows nobody. It deletes the browser's, if a program sets it. */
const NO_COOKIE: TargetCookie = Object.freeze({ name: 'mbox', value: '', maxAge: 0 });

/**
 * The calls of a visit. It decides which of them go to the client, and when, and adds the visitor and the context to
 * each.
 */
export class VisitCalls {
  readonly #client: TargetClient;
  readonly #support: VisitSupport;
  readonly #options: VisitOptions;
  readonly #facts: VisitFacts;
  readonly #identityFirst: IdentityFirst;
  #merged: MergedCalls | undefined;
  #sent = 0;

  constructor(client: TargetClient, support: VisitSupport, options: VisitOptions, facts: VisitFacts) {
    this.#client = client;
    this.#support = support;
    this.#options = options;
    this.#facts = facts;
    this.#identityFirst = new IdentityFirst(support);
  }

  /** Answers a call for offers. Errors are thrown or come as a rejection. */
  ask(written: VisitRequest): VisitAnswer | PromiseLike<VisitAnswer> {
    const own = this.#ownOptions(written);
    const { request } = own;
    const { mode } = this.#facts;
    if (mode !== 'normal') {
      const copy = this.#support.checkRequest(request);
      return mode === 'silent' ? this.toDefault(copy) : this.#askAnonymously(own, copy);
    }
    const method = this.#methodOf(own);
    if (method !== 'server-side' || this.#options.merge === false || !hasNoOptions(own)) {
      return this.#send({ verb: 'getOffers', own, request, method, hasWaited: false });
    }
    const copy = this.#support.checkRequest(request);
    if (!isMergeable(copy)) {
      return this.#send({ verb: 'getOffers', own, request: copy, method, hasWaited: false });
    }
    const merged = this.#mergedCalls.add(copy, this.#onAbortOf(own));
    this.#support.hold(merged);
    return merged;
  }

  /** Answers a call for the attributes of mboxes, which are added to the request of the call. */
  askFor(mboxNames: readonly string[], written: VisitAttributesCall): VisitAnswer | PromiseLike<VisitAnswer> {
    const own = this.#ownOptions(written);
    const { consumerId, customerIds, decisioningMethod, signal, timeout, waitUntil } = own;
    const request = this.#support.addMboxes(own.request ?? {}, mboxNames);
    return this.ask({
      request,
      consumerId,
      customerIds,
      decisioningMethod,
      signal,
      timeout,
      waitUntil,
    });
  }

  /** Reports displays and clicks. Nothing is reported of a page that nobody may see. */
  report(written: VisitRequest): VisitAnswer | PromiseLike<VisitAnswer> {
    const own = this.#ownOptions(written);
    const { request } = own;
    return this.#facts.counts
      ? this.#send({ verb: 'sendNotifications', own, request, method: 'server-side', hasWaited: false })
      : this.toDefault(this.#support.checkRequest(request));
  }

  /** Asks who the visitor is, unless that is known or nothing may be asked. */
  async identify(): Promise<void> {
    if (this.#facts.mode !== 'normal') {
      return;
    }
    const method = this.#methodOf(NO_OPTIONS);
    const outgoing = { verb: 'identify', own: NO_OPTIONS, request: {}, method, hasWaited: false } as const;
    const isKnown = () => this.#facts.identity.isKnown(outgoing.method === 'on-device');
    await this.#identityFirst.run<unknown>({
      timeoutMs: this.#support.toTimeoutMs(this.#options.timeout),
      signal: undefined,
      isKnown,
      send: async (timeoutMs) => isKnown() || this.#deliver(outgoing, timeoutMs),
    });
  }

  /** Counts a conversion, which only the edge can do. Nothing is counted of a page that nobody may see. */
  async count(request: CopiedRequest): Promise<void> {
    if (this.#facts.counts) {
      const method = 'server-side';
      await this.#send({ verb: 'getOffers', own: NO_OPTIONS, request, method, hasWaited: true });
    }
  }

  /** Makes an answer without offers, for a request that was not sent or that failed. */
  toDefault(request: CopiedRequest, failure?: VisitAnswer['failure']): VisitAnswer {
    const { mode, identity, context } = this.#facts;
    const isNormal = mode === 'normal';
    const isLocal = this.#client.decisioningMethod === 'on-device' || mode === 'anonymous';
    return toDefaultAnswer({
      request,
      requestId: ownOf(request).requestId ?? this.#support.newId(),
      context: mergeContexts(isNormal ? context : {}, ownOf(request).context) as Context,
      decisioningMethod: isLocal ? 'on-device' : 'server-side',
      targetCookie: isNormal ? identity.toCookie() : NO_COOKIE,
      visitorState: isNormal ? identity.visitor.getState() : {},
      failure,
    });
  }

  get #mergedCalls(): MergedCalls {
    this.#merged ??= new MergedCalls({
      collectDetails: this.#support.collectDetails,
      send: (request, signal) => {
        const own = signal ? { ...NO_OPTIONS, signal } : NO_OPTIONS;
        return this.#send({ verb: 'getOffers', own, request, method: 'server-side', hasWaited: true });
      },
    });
    return this.#merged;
  }

  #ownOptions<Options extends VisitCall>(written: Options): Options {
    if (!isObject(written)) {
      throw invalidField('options', 'an object', written);
    }
    return this.#support.ownOptions(written);
  }

  /** The method by which a call is decided. Only the edge knows QA mode. */
  #methodOf({ decisioningMethod }: VisitCall): DecisioningMethod {
    return this.#facts.qaMode ? 'server-side' : (decisioningMethod ?? this.#client.decisioningMethod);
  }

  #onAbortOf({ signal }: VisitCall): OnAbort | undefined {
    return signal ? (act) => this.#support.onAbort(signal, act) : undefined;
  }

  /** Sends a call at once when the visitor is known, and otherwise when it can make no second visitor. */
  #send(outgoing: Outgoing): PromiseLike<VisitAnswer> {
    const { identity } = this.#facts;
    const isLocal = outgoing.method === 'on-device';
    if (identity.isKnown(isLocal)) {
      return this.#deliver(outgoing);
    }
    const { own, request } = outgoing;
    const isNamed = namesVisitor(request);
    return this.#identityFirst.run({
      timeoutMs: this.#support.toTimeoutMs(own.timeout ?? this.#options.timeout),
      isKnown: () => isNamed || identity.isKnown(isLocal),
      send: (timeoutMs) => this.#deliver(outgoing, timeoutMs),
      signal: own.signal,
    });
  }

  #deliver(outgoing: Outgoing, timeoutMs?: number): PromiseLike<VisitAnswer> {
    const { verb, own, request, method } = outgoing;
    const hasWaited = outgoing.hasWaited || timeoutMs !== undefined;
    const { identity, counts } = this.#facts;
    const { timeout, customerIds, waitUntil } = this.#options;
    const { tntId } = identity;
    this.#sent += 1;
    const uncounted = counts ? undefined : toUncounted(this.#support.checkRequest(request));
    // The fields are written out, because a spread takes several times as long (benchmark visit/on-device).
    const { targetCookie, targetLocationHint, sessionId, visitor } = identity.toOptions();
    const options = {
      targetCookie,
      targetLocationHint,
      sessionId,
      visitor,
      request: this.#complete(uncounted?.request ?? request),
      decisioningMethod: method,
      consumerId: own.consumerId ?? `visit-${this.#sent}`,
      customerIds: own.customerIds ?? customerIds,
      timeout: timeoutMs ?? own.timeout ?? timeout,
      signal: own.signal,
      waitUntil: own.waitUntil ?? waitUntil ?? undefined,
    };
    const answered: Promise<TargetDeliveryResponse> =
      hasWaited && verb === 'getOffers' ? this.#support.answer(options) : this.#client[verb](options);
    return answered.then((plain) => {
      identity.note(plain, tntId);
      uncounted?.restore(plain);
      const answer = plain as VisitAnswer;
      setField(answer, 'isUncounted', uncounted !== undefined);
      return answer;
    });
  }

  /** Adds the context of the visit, and its QA mode, to a request that has no own. */
  #complete(request: DeliveryRequest): DeliveryRequest {
    if (!isRecord(request)) {
      return request;
    }
    const { context, qaMode } = this.#facts;
    const plain: DeliveryRequest = isPlain(request) ? request : this.#support.checkRequest(request);
    const completed = { ...plain, context: mergeContexts(context, ownOf(plain).context) as Context };
    return qaMode ? { ...completed, qaMode: ownOf(plain).qaMode ?? qaMode } : completed;
  }

  /**
   * Decides a call in this process for a visitor whom nobody knows. The request loses all that names somebody, or that
   * would be sent.
   */
  async #askAnonymously(own: VisitCall, asked: CopiedRequest): Promise<VisitAnswer> {
    const { identity, context } = this.#facts;
    const { request, restore } = toUncounted(asked);
    const { experienceCloud: _cloud, notifications: _reports, ...local } = ownOf(request);
    if (!ownOf(local).execute && !ownOf(local).prefetch) {
      return this.toDefault(asked);
    }
    const { geo, ...rest } = ownOf(mergeContexts(context, ownOf(asked).context) as Context);
    const { ipAddress: _ip, ...known } = ownOf(geo ?? {});
    this.#sent += 1;
    const answer = (await this.#support.decideAnonymously({
      request: { ...local, id: { tntId: identity.anonymousId }, context: { ...rest, geo: known } },
      sessionId: identity.anonymousId,
      signal: own.signal,
    })) as VisitAnswer;
    restore(answer);
    answer.targetCookie = NO_COOKIE;
    answer.visitorState = {};
    setField(answer, 'isUncounted', true);
    return answer;
  }
}

/** Tells whether a call can go with others: it has a request and perhaps a signal, and no other option. */
function hasNoOptions(own: VisitRequest): boolean {
  for (const name in own) {
    if (name === 'request' || name === 'signal' || !Object.hasOwn(own, name)) {
      continue;
    }
    if (Reflect.get(own, name) !== undefined) {
      return false;
    }
  }
  // The options of a class may be getters, which the loop leaves out.
  const { timeout, consumerId, customerIds, decisioningMethod, waitUntil } = own;
  return (timeout ?? consumerId ?? customerIds ?? decisioningMethod ?? waitUntil) === undefined;
}

/** Tells whether a request has an id of its own that names the visitor. Customer ids do not. */
function namesVisitor(request: DeliveryRequest): boolean {
  const id = isRecord(request) ? ownOf(request).id : undefined;
  if (!isRecord(id)) {
    return false;
  }
  const { tntId, thirdPartyId, marketingCloudVisitorId } = ownOf(id);
  return Boolean(tntId ?? thirdPartyId ?? marketingCloudVisitorId);
}

/** Tells whether the fields of an object can be copied one by one. */
function isPlain(request: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(request);
  return (prototype === Object.prototype || prototype === null) && !('toJSON' in request);
}
