import { callSafely } from '../call-safely.js';
import { invalidField, messageOf, TargetError } from '../errors.js';
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
import type { VisitOptions } from './visit-options.js';
import { toVisitSupport } from './visit-support-of.js';

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
   * @example
   * ```ts
   * const hero = await visit.offer('hero', '<h1>Welcome</h1>');
   * const { color } = await visit.offer('button', { color: 'blue' });
   * ```
   */
  async offer<Content = JsonValue | string>(
    mbox: string | VisitMbox,
    defaultContent: Content,
  ): Promise<Content> {
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
      const isContent = option?.content !== undefined && option.type !== 'redirect';
      // The account decides what an offer holds. The caller knows its own mbox.
      return isContent ? (option.content as Content) : defaultContent;
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
   * it, but `client.flush()` and `client.close()` do. An error goes to `onError`, or else to the logger as a warning.
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
    const request = this.#checkConversion(mbox, options ?? {});
    const work = this.#calls.count(request).catch((thrown: unknown) => {
      this.#report(
        this.#support.toError(thrown, undefined),
        `the conversion of mbox '${mbox}' was not counted`,
      );
    });
    this.#support.hold(work);
    this.#support.handOver(work, this.#options.waitUntil ?? undefined);
  }

  /**
   * Asks who the visitor is, without asking for offers, unless the visitor is known. After it, {@link headers} has the
   * cookies, so a proxy can name a visitor before the page is rendered.
   */
  async identify(): Promise<void> {
    await this.#settle<unknown>(undefined, () => this.#calls.identify());
  }

  /** The `Set-Cookie` lines that the answers so far need. With the option `cookies.write` there may be none. */
  get setCookies(): readonly string[] {
    const { cookies } = this.#options;
    if (this.#areHeadersSent) {
      return [];
    }
    if (this.#facts.consent.forget) {
      return forgottenCookies(cookies);
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

  /** Checks a conversion. The error names the field as the caller wrote it. */
  #checkConversion(name: string, options: TrackOptions): CopiedRequest {
    const inner = 'execute.mboxes[0].';
    try {
      if (!isRecord(options)) {
        throw invalidField('options', 'an object', options);
      }
      // The options of a class may be getters, which a spread does not find.
      const { order, parameters, profileParameters } = ownOf(options);
      const mbox = { ...options, order, parameters, profileParameters, name };
      return this.#support.checkRequest({ execute: { mboxes: [mbox] } });
    } catch (thrown) {
      const error = this.#support.toError(thrown, { request: { options } });
      const { code, message, path, cause } = error;
      throw path?.startsWith(inner)
        ? new TargetError(code, message.replace(inner, ''), { path: path.slice(inner.length), cause })
        : error;
    }
  }

  #report(error: TargetError, what: string): void {
    const { onError } = this.#options;
    const { logger } = this.#support;
    if (!onError) {
      logger.warn(`${what}: ${error.message}`);
      return;
    }
    callSafely(
      () => onError(error),
      (thrown) => logger.warn(`the option onError of a visit failed: ${messageOf(thrown)}`),
    );
  }
}

/** Tells whether an error is a mistake of the programmer, which default content must not hide. */
function isMistake({ code }: TargetError): boolean {
  return code === 'ERR_TARGET_INVALID_REQUEST' || code === 'ERR_TARGET_CLOSED';
}
