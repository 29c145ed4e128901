import { invalidField } from '../errors.js';
import type { Context, DecisioningMethod, DeliveryRequest, TargetClient, TargetCookie } from '../index.js';
import { ownOf, setField } from '../inherited-names.js';
import { isAbsent, isObject } from '../json.js';
import type { CopiedRequest } from '../request/copy-request.js';
import type { VisitSupport } from '../visit-support.js';
import { completeRequest, namesVisitor } from './complete-request.js';
import { toDefaultAnswer } from './default-answer.js';
import { type HandOver, type HandOverOptions, makeHandOver } from './hand-over.js';
import { IdentityFirst } from './identity-first.js';
import { afterThisTurn, isMergeable, MergedCalls, type OnAbort } from './merged-calls.js';
import { toUncounted } from './uncounted.js';
import type { VisitAnswer, VisitAttributesCall, VisitCall, VisitRequest } from './visit-call.js';
import { mergeContexts } from './visit-context.js';
import type { VisitFacts } from './visit-facts.js';
import { CONSUMER_ID } from './visit-identity.js';
import type { VisitOptions } from './visit-options.js';
import { warnOnce } from './warn-once.js';

type Verb = 'getOffers' | 'getAttributes' | 'sendNotifications' | 'identify';

/** A call that goes to the client. */
interface Outgoing {
  readonly verb: Verb;
  /** The options that the caller gave. */
  readonly own: VisitCall;
  readonly request: DeliveryRequest;
  readonly method: DecisioningMethod;
  /** True for a call that has waited since it was made. It goes also while the client closes. */
  readonly hasWaited: boolean;
  /** True for a call in the background. The calls of the page go before it, and it has its own time after them. */
  readonly isInBackground: boolean;
}

/** A call that goes when it is made, and for which the page waits. */
const AT_ONCE = { hasWaited: false, isInBackground: false };

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
  #forPage: VisitAnswer | undefined;
  #hasPageLoad = false;

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
    return this.#ask(own, own.request, 'getOffers');
  }

  /** Answers a call for attributes: the mboxes are added to those of its request. */
  askForAttributes(
    written: VisitAttributesCall,
    mboxNames: readonly string[],
  ): VisitAnswer | PromiseLike<VisitAnswer> {
    const own = this.#ownOptions(written);
    return this.#ask(own, this.#support.addMboxes(own.request ?? {}, mboxNames), 'getAttributes');
  }

  #ask(own: VisitCall, request: DeliveryRequest, verb: Verb): VisitAnswer | PromiseLike<VisitAnswer> {
    const { mode } = this.#facts;
    if (mode !== 'normal') {
      const copy = this.#support.checkRequest(request);
      return mode === 'silent' ? this.toDefault(copy) : this.#askAnonymously(own, copy);
    }
    const method = this.#methodOf(own);
    if (method !== 'server-side' || this.#options.merge === false || !hasNoOptions(own)) {
      return this.#send({ verb, own, request, method, ...AT_ONCE });
    }
    const copy = this.#support.checkRequest(request);
    if (!isMergeable(copy)) {
      return this.#send({ verb, own, request: copy, method, ...AT_ONCE });
    }
    const merged = this.#mergedCalls.add(copy, this.#onAbortOf(own));
    this.#support.held.add(merged);
    return merged;
  }

  /** Reports displays and clicks. Nothing is reported of a page that nobody may see. */
  report(written: VisitRequest): VisitAnswer | PromiseLike<VisitAnswer> {
    const own = this.#ownOptions(written);
    const { request } = own;
    const copy = this.#support.checkReport(request);
    return this.#facts.counts
      ? this.#send({ verb: 'sendNotifications', own, request: copy, method: 'server-side', ...AT_ONCE })
      : this.toDefault(copy);
  }

  /** Asks who the visitor is, unless that is known or nothing may be asked. */
  identify(): Promise<void> {
    const work = this.#identify();
    this.#support.held.add(work);
    return work;
  }

  async #identify(): Promise<void> {
    if (this.#facts.mode !== 'normal') {
      return;
    }
    const method = this.#methodOf(NO_OPTIONS);
    const { identity } = this.#facts;
    const isKnown = () => identity.isKnown(method === 'on-device');
    const isRemote = method === 'server-side' && !isKnown();
    if (isRemote) {
      // A question of this turn names the visitor too, so it saves a call.
      this.#support.refuseWhenClosed();
      await afterThisTurn();
    }
    await this.#identityFirst.run<unknown>({
      timeoutMs: this.#support.toTimeoutMs(this.#options.timeout),
      signal: undefined,
      isKnown,
      send: async (timeoutMs) =>
        isKnown() ||
        this.#deliver(
          { ...AT_ONCE, verb: 'identify', own: NO_OPTIONS, request: {}, method, hasWaited: isRemote },
          timeoutMs,
        ),
    });
  }

  /** Counts a conversion, which only the edge can do. */
  async count(request: CopiedRequest): Promise<void> {
    const method = 'server-side';
    if (!this.#facts.identity.isKnown(false)) {
      // The page must not wait for the conversion to name the visitor.
      await afterThisTurn();
    }
    await this.#send({
      verb: 'getOffers',
      own: NO_OPTIONS,
      request,
      method,
      hasWaited: true,
      isInBackground: true,
    });
  }

  /** Hands the decision for the page over to at.js. A visit that asks Target nothing hands over no decision. */
  handOver(options: HandOverOptions): HandOver {
    const { mode, identity } = this.#facts;
    const { logger, serverDomain } = this.#support;
    if (this.#facts.cookies?.httpOnly) {
      warnOnce(
        logger,
        'at.js cannot read the cookies of the visit, so set its option cookies.httpOnly to false',
      );
    }
    const visitorState = mode === 'normal' ? identity.visitor.getState() : {};
    const debug = (line: string) => logger.debug(line);
    return makeHandOver({ answer: this.#forPage, visitorState, serverDomain, debug }, options);
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
      targetCookie: isNormal ? identity.toCookie() : { ...NO_COOKIE },
      visitorState: isNormal ? identity.visitor.getState() : {},
      failure,
    });
  }

  get #mergedCalls(): MergedCalls {
    this.#merged ??= new MergedCalls({
      collectDetails: this.#support.collectDetails,
      send: (request, signal) => {
        const own = signal ? { ...NO_OPTIONS, signal } : NO_OPTIONS;
        return this.#send({
          verb: 'getOffers',
          own,
          request,
          method: 'server-side',
          ...AT_ONCE,
          hasWaited: true,
        });
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
      timeoutMs: outgoing.isInBackground
        ? undefined
        : this.#support.toTimeoutMs(own.timeout ?? this.#options.timeout),
      isKnown: () => isNamed || identity.isKnown(isLocal),
      send: (timeoutMs) => this.#deliver(outgoing, timeoutMs),
      signal: own.signal,
    });
  }

  #deliver(outgoing: Outgoing, timeoutMs?: number): PromiseLike<VisitAnswer> {
    const { verb, own, request, method } = outgoing;
    const { identity, counts } = this.#facts;
    const { timeout, waitUntil } = this.#options;
    const { tntId } = identity;
    // A question for the visitor alone counts nothing anyway.
    const isCounted = counts || verb === 'identify';
    const uncounted = isCounted ? undefined : toUncounted(this.#support.checkRequest(request));
    // The fields are written out, because a spread takes several times as long (benchmark visits/one-question).
    const { targetCookie, targetLocationHint, sessionId, visitor } = identity.toOptions();
    const options = {
      targetCookie,
      targetLocationHint,
      sessionId,
      visitor,
      request: completeRequest(uncounted?.request ?? request, this.#facts, this.#support),
      decisioningMethod: method,
      consumerId: own.consumerId ?? CONSUMER_ID,
      customerIds: own.customerIds ?? this.#facts.customerIds,
      timeout: timeoutMs ?? own.timeout ?? timeout,
      signal: own.signal,
      waitUntil: own.waitUntil ?? waitUntil ?? undefined,
    };
    const question = {
      operation: verb,
      method: verb === 'sendNotifications' ? method : undefined,
      usualTimeoutMs: timeout ?? undefined,
      // A visitor who can withdraw the consent must not be named by a call in the background that comes later.
      isForgotten: !isAbsent(this.#options.consent),
      observed: undefined,
      hasBegun: outgoing.hasWaited || timeoutMs !== undefined,
    };
    return this.#support.answer(options, question).then((plain) => {
      identity.note(plain, tntId);
      uncounted?.restore(plain);
      const answer = plain as VisitAnswer;
      setField(answer, 'isUncounted', uncounted !== undefined);
      this.#noteForPage(answer);
      return answer;
    });
  }

  /**
   * Keeps the answer that at.js takes over: the last one with a page load, else the last one with views. Without a page
   * load, at.js makes a call of its own.
   */
  #noteForPage(answer: VisitAnswer): void {
    const { execute, prefetch } = answer.request;
    const hasPageLoad = execute?.pageLoad !== undefined;
    if (!answer.isUncounted && (hasPageLoad || (prefetch?.views && !this.#hasPageLoad))) {
      this.#forPage = answer;
      this.#hasPageLoad = hasPageLoad;
    }
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
    const decided = await this.#support.decideAnonymously({
      request: { ...local, id: { tntId: identity.anonymousId }, context: { ...rest, geo: known } },
      sessionId: identity.anonymousId,
      signal: own.signal,
    });
    if (!decided) {
      return this.toDefault(asked);
    }
    const answer = decided as VisitAnswer;
    restore(answer);
    answer.targetCookie = { ...NO_COOKIE };
    answer.visitorState = {};
    setField(answer, 'isUncounted', true);
    return answer;
  }
}

/** Tells whether a call can go with others: it has a request and perhaps a signal, and no other option. */
function hasNoOptions(own: VisitCall): boolean {
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
