import { callSafely } from '../call-safely.js';
import { invalidField, messageOf, type TargetError } from '../errors.js';
import { type Impression, shareImpression } from '../impressions/impressions.js';
import type {
  AnyAttributes,
  AttributesProvider,
  AttributesSchema,
  JsonValue,
  TargetClient,
  Visitor,
} from '../index.js';
import { ownFieldOf, ownOf } from '../inherited-names.js';
import { isObject, isRecord } from '../json.js';
import type { CopiedRequest } from '../request/copy-request.js';
import type { VisitSupport } from '../visit-support.js';
import { ACCEPT_CH } from './context.js';
import { toConversion } from './conversion.js';
import type { HandOver, HandOverOptions } from './hand-over.js';
import type { IncomingRequest } from './incoming-request.js';
import type {
  TrackOptions,
  VisitAnswer,
  VisitAttributesCall,
  VisitMbox,
  VisitRequest,
} from './visit-call.js';
import { VisitCalls } from './visit-calls.js';
import { VisitFacts } from './visit-facts.js';
import { forgottenCookies } from './visit-identity.js';
import type { FailedConversion, VisitOptions } from './visit-options.js';
import { toVisitSupport } from './visit-support-of.js';
import { warnOnce } from './warn-once.js';

/**
 * Makes the visit of one request of a browser. Make one for each request, and share it between all parts of the page.
 *
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a wrong option. `path` of the error names it.
 *
 * @example
 * ```ts
 * const visit = createVisit(client, fromNodeRequest(request));
 * const hero = await visit.offer('hero', '<h1>Welcome</h1>');
 * for (const [name, value] of visit.headers()) response.appendHeader(name, value);
 * response.end(hero);
 * ```
 */
export function createVisit(
  client: TargetClient,
  incoming: IncomingRequest,
  options: VisitOptions | null = {},
): Visit {
  const own = ownOf(options ?? {});
  const support = toVisitSupport(client, incoming, own);
  return new Visit(client, support, incoming, own);
}

/**
 * One visitor's one request. It knows the browser's cookies and the context, so its calls need neither. It gives a new
 * visitor one identity, also when several parts of a page ask at the same time, and it merges their questions. Its
 * {@link headers} go into the answer.
 *
 * Errors are those of the client's calls, unless the option `onError` is given.
 */
export class Visit {
  readonly #support: VisitSupport;
  readonly #options: VisitOptions;
  readonly #facts: VisitFacts;
  readonly #calls: VisitCalls;
  /** The errors that were reported. One error may be that of several calls, which went as one request. */
  #reported: Set<TargetError> | undefined;
  #impression: Impression | undefined;
  #hasAsked = false;
  #areHeadersSent = false;

  /** Users call {@link createVisit}. @internal */
  constructor(client: TargetClient, support: VisitSupport, incoming: IncomingRequest, options: VisitOptions) {
    this.#support = support;
    this.#options = options;
    this.#facts = new VisitFacts(client, support, incoming, options);
    this.#calls = new VisitCalls(client, support, options, this.#facts);
  }

  /**
   * True when nobody may see the answer: a browser loads the page in advance, or the method is HEAD or OPTIONS. Such a
   * visit counts nothing, unless the option `unseen` is `execute`.
   */
  get isUnseen(): boolean {
    return this.#facts.isUnseen;
  }

  /** The parts of the client that entries need which take a visit or a client. @internal */
  get forVisits(): VisitSupport {
    return this.#support;
  }

  /**
   * The Experience Cloud visitor of the page. All calls share its supplemental data id, by which Analytics joins them
   * with the hits of the page.
   */
  get visitor(): Visitor {
    return this.#facts.identity.visitor;
  }

  /**
   * Decides offers, as `client.getOffers` does. Calls of one turn of the event loop that ask for mboxes alone are merged
   * to one request.
   */
  async getOffers(options: VisitRequest): Promise<VisitAnswer> {
    this.#hasAsked = true;
    const answer = await this.#settle(options, () => this.#calls.ask(options));
    // All displays and clicks of a page belong to one impression. Nothing is reported of a visitor who has not consented.
    this.#impression ??= { isSilent: this.#facts.mode !== 'normal', id: undefined };
    shareImpression(answer, this.#impression);
    return answer;
  }

  /**
   * Decides feature flags and other attributes, as `client.getAttributes` does. Without a decision, the getters return
   * the defaults that they are given.
   */
  async getAttributes<Schema extends AttributesSchema<Schema> = AnyAttributes>(
    mboxNames: readonly NoInfer<keyof Schema & string>[],
    options: VisitAttributesCall | null = {},
  ): Promise<AttributesProvider<Schema>> {
    this.#hasAsked = true;
    const own = options ?? {};
    const answer = await this.#settle(own, () => this.#calls.askForAttributes(own, mboxNames));
    return this.#support.toAttributes<Schema>(answer);
  }

  /**
   * Returns the content of an mbox's first offer, or the default. It never rejects. An error goes to `onError`, or else
   * to the logger of the client as a warning. A redirect is no content, so the default comes instead.
   *
   * The default also comes for an offer of another kind: where the default is a text, an object, a list, a number or a
   * boolean, so is the content. The fields of an object are not checked. With the default `null` or `''`, anything can come.
   *
   * @example
   * ```ts
   * const hero = await visit.offer('hero', '<h1>Welcome</h1>');
   * const { color } = await visit.offer('button', { color: 'blue' });
   * ```
   */
  offer<Content = JsonValue | string>(
    mbox: string | VisitMbox,
    defaultContent: null,
  ): Promise<Content | null>;
  offer<Content = JsonValue | string>(mbox: string | VisitMbox, defaultContent: Content): Promise<Content>;
  async offer<Content>(mbox: string | VisitMbox, defaultContent: Content): Promise<Content> {
    this.#hasAsked = true;
    const mboxes = [typeof mbox === 'string' ? { name: mbox } : mbox];
    const options = { request: { execute: { mboxes } } };
    try {
      const { request, response } = await this.#calls.ask(options);
      const [asked] = ownOf(ownOf(request).execute)?.mboxes ?? [];
      const name = ownOf(asked)?.name;
      const answers = ownOf(ownOf(response).execute)?.mboxes ?? [];
      const answer = answers.find((answered) => ownOf(answered).name === name);
      const option = ownOf(ownOf(answer)?.options?.[0]);
      if (option?.content === undefined || option.type === 'redirect') {
        return defaultContent;
      }
      if (!isLike(defaultContent, option.content)) {
        const came = Array.isArray(option.content) ? 'a list' : `of type ${typeof option.content}`;
        const line = `mbox '${name}': the offer is ${came}, unlike the default content, which is shown instead`;
        warnOnce(this.#support.logger, line);
        return defaultContent;
      }
      // The account decides which fields an offer has. The caller knows its own mbox.
      return option.content as Content;
    } catch (thrown) {
      this.#report(this.#support.toError(thrown, options), 'an offer has its default content');
      return defaultContent;
    }
  }

  /**
   * Reports displays and clicks, as `client.sendNotifications` does. Nothing is reported of a page that nobody may see.
   */
  sendNotifications(options: VisitRequest): Promise<VisitAnswer> {
    return this.#settle(options, () => this.#calls.report(options));
  }

  /**
   * Counts a conversion in the background: the mbox is executed on the edge, with the order. The answer does not wait for
   * it, but `client.flush()` and `client.close()` do, and they count it with the notifications. An error goes to `onError`
   * with the conversion, or else to the logger as a warning. Nothing is counted of a page that nobody may see.
   *
   * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` at once for a wrong name, order or parameter. Nothing is sent then.
   * @example
   * ```ts
   * visit.track('orderConfirmPage', { order: { id: 'o-123', total: 49.9, purchasedProductIds: ['sku-7'] } });
   * ```
   */
  track(mbox: string, options: TrackOptions | null = {}): void {
    if (typeof mbox !== 'string' || mbox === '') {
      throw invalidField('mbox', 'the name of an mbox', mbox);
    }
    const request = toConversion(mbox, options ?? {}, this.#support);
    if (!this.#facts.counts) {
      return;
    }
    const failed = { ...(isRecord(options) && ownOf(options)), mbox };
    const work = this.#calls.count(request).catch((thrown: unknown) => {
      const error = this.#support.toError(thrown, undefined);
      this.#report(error, `the conversion of mbox '${mbox}' was not counted`, failed);
      throw error;
    });
    this.#support.held.addConversion(work);
    this.#support.handOver(work, this.#options.waitUntil ?? undefined);
  }

  /**
   * Asks who the visitor is, without asking for offers, unless the visitor is known, or a question of the same turn tells
   * it. After it, {@link headers} has the cookies, so a proxy can name a visitor before the page is rendered.
   */
  async identify(): Promise<void> {
    await this.#settle<unknown>(undefined, () => this.#calls.identify());
  }

  /**
   * Hands the decision for the page over to the at.js in it. Call it when the answers for the page are there. The offers
   * are those of the last answer with a page load, else of the last one with views. at.js takes no mboxes. If there is no
   * such answer, or nothing was counted or decided by Target, at.js gets no offers, and asks for its own.
   *
   * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a wrong option. `path` of the error names it.
   * @example
   * ```ts
   * await visit.getOffers({ request: { execute: { pageLoad: {} }, prefetch: { views: [{}] } } });
   * const head = `${visit.handOver().script(nonce)}<script nonce="${nonce}" src="/at.js"></script>`;
   * ```
   */
  handOver(options: HandOverOptions | null = {}): HandOver {
    // The page has the ids of one visitor, so no cache may keep it.
    this.#hasAsked = true;
    return this.#calls.handOver(options ?? {});
  }

  /** The `Set-Cookie` lines that the answers so far need. With the option `cookies.write` there may be none. */
  get setCookies(): readonly string[] {
    if (this.#areHeadersSent) {
      return [];
    }
    if (this.#facts.consent.forget) {
      return forgottenCookies(this.#facts.cookies);
    }
    return this.#facts.knownIdentity?.setCookies() ?? [];
  }

  /**
   * Returns the headers that the answer needs, as they are due now: `Set-Cookie`, `Accept-CH` and `Cache-Control`. Add
   * them to those that the answer has. The list is empty after {@link headersSent}.
   */
  headers(): [name: string, value: string][] {
    const { clientHints, cacheControl } = this.#options;
    const headers = this.setCookies.map((line): [string, string] => ['Set-Cookie', line]);
    if (this.#areHeadersSent) {
      return headers;
    }
    const isPrivate = headers.length > 0 || this.#hasAsked;
    if (clientHints && this.#facts.isConsenting) {
      headers.push(['Accept-CH', ACCEPT_CH]);
    }
    if (isPrivate && cacheControl !== false) {
      headers.push(['Cache-Control', 'private, no-store']);
    }
    return headers;
  }

  /**
   * Tells the visit that the headers of the answer are sent. Later calls work, but their cookies cannot be written any
   * longer. Adapters call it.
   */
  headersSent(): void {
    this.#areHeadersSent = true;
    this.#facts.headersSent();
  }

  async #settle<Answer>(
    options: VisitRequest | VisitAttributesCall | undefined,
    act: () => Answer | PromiseLike<Answer>,
  ): Promise<Answer | VisitAnswer> {
    try {
      return await act();
    } catch (thrown) {
      const error = this.#support.toError(thrown, options);
      if (!this.#options.onError || isMistake(error)) {
        throw error;
      }
      this.#report(error, '');
      return this.#calls.toDefault(this.#copyOf(options), error);
    }
  }

  /** Copies the request of a call that failed, for the answer. The caller may have changed it since. */
  #copyOf(options: VisitRequest | VisitAttributesCall | undefined): CopiedRequest {
    try {
      const request = options && ownFieldOf(options, 'request');
      return isObject(request) ? this.#support.checkRequest(request) : {};
    } catch {
      return {};
    }
  }

  #report(error: TargetError, what: string, conversion?: FailedConversion): void {
    const { onError } = this.#options;
    const { logger } = this.#support;
    this.#reported ??= new Set();
    if (this.#reported.has(error)) {
      return;
    }
    this.#reported.add(error);
    if (!onError) {
      logger.warn(`${what}: ${error.message}`);
      return;
    }
    callSafely(
      () => onError(error, conversion),
      (thrown) => logger.warn(`the option onError of a visit failed: ${messageOf(thrown)}`),
    );
  }
}

/** Tells whether the content of an offer is of the same kind as the default. Null and '' say nothing about the kind. */
function isLike(defaultContent: unknown, content: unknown): boolean {
  return (
    defaultContent === undefined ||
    defaultContent === null ||
    defaultContent === '' ||
    (typeof defaultContent === typeof content &&
      content !== null &&
      Array.isArray(defaultContent) === Array.isArray(content))
  );
}

/** Tells whether an error is a mistake of the programmer, which default content must not hide. */
function isMistake({ code }: TargetError): boolean {
  return code === 'ERR_TARGET_INVALID_REQUEST' || code === 'ERR_TARGET_CLOSED';
}
