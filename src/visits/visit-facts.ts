import type { QAMode, TargetClient } from '../index.js';
import type { CallOptions } from '../request/options.js';
import type { VisitSupport } from '../visit-support.js';
import { askOption } from './ask-option.js';
import { isOptedOut, toConsent, type VisitConsent } from './consent.js';
import { toContext } from './context.js';
import { NO_COOKIES } from './cookies.js';
import { readIdentity } from './ecid.js';
import type { IncomingRequest } from './incoming-request.js';
import { isDisabled, toQaMode } from './qa-mode.js';
import { toWrittenCookies } from './secure-cookies.js';
import { hasNoPage, isUnseen } from './unseen-request.js';
import { mergeContexts } from './visit-context.js';
import { VisitIdentity } from './visit-identity.js';
import type { VisitOptions, WrittenCookieOptions } from './visit-options.js';
import { warnOnce } from './warn-once.js';

/**
 * The treatment of a visit: decided by Target (`normal`), by this process for nobody (`anonymous`), or not at all
 * (`silent`), which means that nothing is sent and pages show their default content.
 */
export type VisitMode = 'normal' | 'anonymous' | 'silent';

type CustomerIds = CallOptions['customerIds'];

const NO_USER_AGENT =
  'a browser sent no User-Agent header: Target may filter its visit as one of a bot, and rules about browsers do not match';
const COUNTS_UNSEEN =
  'a page that a browser loads in advance counts impressions, also when nobody sees it: set the option `unseen` of visits';

/**
 * The facts about a visit that its request and its options tell. Each is read when it is first needed, because most
 * requests of a site ask Target nothing. Only consent is read at once: consent that comes later does not count.
 */
export class VisitFacts {
  readonly consent: VisitConsent;
  readonly #client: TargetClient;
  readonly #support: VisitSupport;
  readonly #incoming: IncomingRequest;
  readonly #options: VisitOptions;
  #mode: VisitMode | undefined;
  #isUnseen: boolean | undefined;
  #identity: VisitIdentity | undefined;
  #context: object | undefined;
  #customerIds: { readonly found: CustomerIds } | undefined;
  #experienceCloud: object | null | undefined;
  #areHeadersSent = false;
  #qaMode: QAMode | null | undefined;

  constructor(client: TargetClient, support: VisitSupport, incoming: IncomingRequest, options: VisitOptions) {
    this.#client = client;
    this.#support = support;
    this.#incoming = incoming;
    this.#options = options;
    this.consent = toConsent(options.consent, incoming, support.logger);
  }

  /** True when the visitor has consented, and has not opted out of Experience Cloud. */
  get isConsenting(): boolean {
    return this.consent.granted && !isOptedOut(this.#incoming, this.#client.organizationId);
  }

  /** The treatment of the visit. */
  get mode(): VisitMode {
    this.#mode ??= this.#findMode();
    return this.#mode;
  }

  /** True when the request may make a page that nobody sees. */
  get isUnseen(): boolean {
    this.#isUnseen ??= isUnseen(this.#incoming);
    return this.#isUnseen;
  }

  /** True when the calls of the visit count impressions and conversions. */
  get counts(): boolean {
    return this.mode === 'normal' && (!this.isUnseen || this.#unseen === 'execute');
  }

  /** The attributes of the cookies. */
  get cookies(): WrittenCookieOptions | undefined {
    return toWrittenCookies(this.#options.cookies, this.#incoming);
  }

  /** The visitor. It is known to nobody when nothing may be read. */
  get identity(): VisitIdentity {
    this.#identity ??= new VisitIdentity(
      this.mode === 'normal' ? readIdentity(this.#incoming, this.#client.organizationId) : NO_COOKIES,
      this.#support,
      this.cookies,
    );
    if (this.#areHeadersSent) {
      this.#identity.headersSent();
    }
    return this.#identity;
  }

  /** The visitor, if a call has needed one. */
  get knownIdentity(): VisitIdentity | undefined {
    return this.#identity;
  }

  /** Notes that no cookie can be written any longer. */
  headersSent(): void {
    this.#areHeadersSent = true;
    this.#identity?.headersSent();
  }

  /** The context of each request of the visit. */
  get context(): object {
    this.#context ??= this.#readContext();
    return this.#context;
  }

  /** The data for other products that each request of the visit has. */
  get experienceCloud(): object | undefined {
    if (this.#experienceCloud === undefined) {
      const { experienceCloud } = this.#options;
      const copy = () => (experienceCloud ? mergeContexts({}, experienceCloud) : undefined);
      this.#experienceCloud = askOption('experienceCloud', copy, this.#support.logger) ?? null;
    }
    return this.#experienceCloud ?? undefined;
  }

  /** The QA mode that a link of Target has asked for. Only the edge decides in it. */
  get qaMode(): QAMode | undefined {
    if (this.#qaMode === undefined) {
      this.#qaMode = (this.mode === 'normal' && toQaMode(this.#incoming)) || null;
    }
    return this.#qaMode ?? undefined;
  }

  /** The customer ids of the visitor, when an option tells them. */
  get customerIds(): CustomerIds {
    this.#customerIds ??= { found: this.#readCustomerIds() };
    return this.#customerIds.found;
  }

  /** The treatment of a page that nobody may see. Nobody can see the answer to a request for the headers alone. */
  get #unseen(): 'prefetch' | 'execute' | 'skip' {
    const { unseen, beacon } = this.#options;
    const wanted = unseen ?? (beacon ? 'prefetch' : 'execute');
    return wanted === 'execute' && hasNoPage(this.#incoming) ? 'prefetch' : wanted;
  }

  #findMode(): VisitMode {
    const { isBot, withoutConsent, unseen, beacon } = this.#options;
    const { logger } = this.#support;
    if (isBot && askOption('isBot', () => isBot(this.#incoming), logger) === true) {
      return 'silent';
    }
    if (this.isUnseen && this.#unseen === 'skip') {
      return 'silent';
    }
    if (!this.isConsenting) {
      const canDecide = this.#client.decisioningMethod !== 'server-side';
      return withoutConsent === 'anonymous' && canDecide ? 'anonymous' : 'silent';
    }
    if (isDisabled(this.#incoming)) {
      return 'silent';
    }
    if (this.isUnseen && this.#unseen === 'execute' && !unseen && !beacon) {
      warnOnce(logger, COUNTS_UNSEEN);
    }
    return 'normal';
  }

  #readCustomerIds(): CustomerIds {
    const { customerIds } = this.#options;
    if (typeof customerIds !== 'function') {
      return customerIds ?? undefined;
    }
    return askOption('customerIds', () => customerIds(this.#incoming), this.#support.logger) ?? undefined;
  }

  #readContext(): object {
    const { context, ipAddress } = this.#options;
    const { logger } = this.#support;
    const isNormal = this.mode === 'normal';
    const read = toContext(this.#incoming, { ipAddress: isNormal && ipAddress !== false });
    const own =
      typeof context === 'function' ? askOption('context', () => context(this.#incoming), logger) : context;
    // A field of the user's object may be a getter that throws.
    const merged = askOption('context', () => mergeContexts(read, own), logger) ?? read;
    if (isNormal && !('userAgent' in merged)) {
      warnOnce(logger, NO_USER_AGENT);
    }
    return merged;
  }
}
