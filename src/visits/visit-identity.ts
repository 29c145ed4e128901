import { isLocationHint, LOCATION_HINT_COOKIE_NAME } from '../identity/location-hint.js';
import {
  formatMboxCookie,
  MBOX_COOKIE_NAME,
  parseMboxCookie,
  SESSION_SECONDS,
} from '../identity/mbox-cookie.js';
import type { TargetCookie, TargetDeliveryResponse, Visitor } from '../index.js';
import { ownOf } from '../inherited-names.js';
import type { VisitSupport } from '../visit-support.js';
import { type CookieOptions, toSetCookieHeaders } from './cookies.js';
import type { VisitCookieOptions } from './visit-options.js';
import { warnOnce } from './warn-once.js';

/** The options by which a call of a visit names the visitor. */
interface VisitorOptions {
  readonly targetCookie: string | undefined;
  readonly targetLocationHint: string | undefined;
  readonly sessionId: string;
  readonly visitor: Visitor;
}

/** The cookies that the answers so far set. */
interface DueCookies {
  readonly targetCookie: TargetCookie;
  readonly targetLocationHintCookie: TargetCookie | undefined;
}

const TOO_LATE =
  'a new visitor was named after the headers of the answer were sent, so its cookies are lost: ask Target before the answer begins';

/**
 * The visitor of a visit: the ids that the browser sent, and those that Target has given since. All calls of the visit
 * have one session.
 */
export class VisitIdentity {
  /** The Experience Cloud visitor, whose supplemental data id all calls of the page share. */
  readonly visitor: Visitor;
  readonly #support: VisitSupport;
  readonly #cookies: VisitCookieOptions | undefined;
  readonly #came: { readonly tntId: string | undefined; readonly hint: string | undefined };
  readonly #hasSession: boolean;
  readonly #sessionId: string;
  #targetCookie: string | undefined;
  #tntId: string | undefined;
  #hint: string | undefined;
  #due: DueCookies | undefined;
  #areHeadersSent = false;
  #sentTntId: string | undefined;

  constructor(
    { targetCookie, targetLocationHint, visitorCookie }: CookieOptions,
    support: VisitSupport,
    cookies: VisitCookieOptions | undefined,
  ) {
    const { sessionId, tntId, locationHint } = parseMboxCookie(targetCookie, Date.now());
    const hint = isLocationHint(targetLocationHint) ? targetLocationHint : undefined;
    this.visitor = support.newVisitor(visitorCookie);
    this.#support = support;
    this.#cookies = ownOf(cookies);
    this.#came = { tntId, hint };
    this.#hasSession = sessionId !== undefined;
    this.#sessionId = sessionId ?? support.newId();
    this.#targetCookie = targetCookie;
    this.#tntId = tntId;
    this.#hint = locationHint ?? hint;
  }

  /** The tntId that is known now. */
  get tntId(): string | undefined {
    return this.#tntId;
  }

  /** An id that names the visitor in this visit alone, when no other may be used. */
  get anonymousId(): string {
    return this.#sessionId;
  }

  /**
   * Tells whether calls may go in parallel, because each of them would find the same visitor. The edge needs a location
   * hint beside a tntId that the browser sent, or an ECID. A decision of this process needs one of the ids. An answer
   * without a tntId names nobody, such as that to a call which has a `thirdPartyId` of its own.
   */
  isKnown(isLocal: boolean): boolean {
    return (
      (this.#tntId !== undefined && (isLocal || this.#hint !== undefined || this.#due !== undefined)) ||
      this.visitor.getVisitorValues().MCMID !== undefined
    );
  }

  /** Returns the options by which the next call names the visitor. */
  toOptions(): VisitorOptions {
    return {
      targetCookie: this.#targetCookie,
      targetLocationHint: this.#hint,
      sessionId: this.#sessionId,
      visitor: this.visitor,
    };
  }

  /**
   * Takes the ids of an answer. `sentTntId` is the tntId that was known when its call was sent. When another answer has
   * named the visitor since then, this one comes too late: one page must not become two visitors.
   */
  note(answer: TargetDeliveryResponse, sentTntId: string | undefined): void {
    if (sentTntId !== this.#tntId) {
      return;
    }
    const { targetCookie, targetLocationHintCookie, response, request } = answer;
    // The caller may change its answer, so the cookies are copied.
    const hintCookie = targetLocationHintCookie
      ? copyOf(targetLocationHintCookie)
      : this.#due?.targetLocationHintCookie;
    this.#due = { targetCookie: copyOf(targetCookie), targetLocationHintCookie: hintCookie };
    this.#targetCookie = targetCookie.value;
    this.#tntId = response.id?.tntId || request.id?.tntId;
    this.#hint = hintCookie?.value ?? this.#hint;
    if (this.#areHeadersSent && this.#cookies?.write !== 'never' && this.#isLost) {
      warnOnce(this.#support.logger, TOO_LATE);
    }
  }

  /** Notes that no cookie can be written any longer. */
  headersSent(): void {
    this.#areHeadersSent = true;
    this.#sentTntId = this.#due && this.#tntId;
  }

  /** Returns an mbox cookie of the visitor as it is known now. */
  toCookie(): TargetCookie {
    return formatMboxCookie(encodeURIComponent(this.#sessionId), this.#tntId, Date.now());
  }

  /** Prolongs the cookies of the browser without an answer of Target, which comes later. */
  renew(): void {
    const targetLocationHintCookie =
      this.#hint === undefined
        ? undefined
        : { name: LOCATION_HINT_COOKIE_NAME, value: this.#hint, maxAge: SESSION_SECONDS };
    this.#due = { targetCookie: this.toCookie(), targetLocationHintCookie };
  }

  /** Returns the `Set-Cookie` lines that the answers so far need. */
  setCookies(): string[] {
    const due = this.#due;
    const write = this.#cookies?.write;
    if (!due || write === 'never') {
      return [];
    }
    const lines = setCookieLines(due, this.#cookies);
    if (write !== 'changed') {
      return lines;
    }
    const isSame = this.#hasSession && this.#tntId === this.#came.tntId;
    const isNear = due.targetLocationHintCookie?.value === this.#came.hint;
    return lines.filter((_, at) => (at === 0 ? !isSame : !isNear));
  }

  /** True when the browser has no cookie that names the visitor, and will get none. */
  get #isLost(): boolean {
    return this.#came.tntId === undefined && this.#sentTntId === undefined;
  }
}

/** Copies a cookie. The fields are written out, because a spread takes several times as long. */
function copyOf({ name, value, maxAge }: TargetCookie): TargetCookie {
  return { name, value, maxAge };
}

function setCookieLines(
  { targetCookie, targetLocationHintCookie }: DueCookies,
  attributes: VisitCookieOptions | undefined,
): string[] {
  const cookies = targetLocationHintCookie ? { targetCookie, targetLocationHintCookie } : { targetCookie };
  return toSetCookieHeaders(cookies, attributes);
}

/** Cookies that delete those of the browser. */
const FORGOTTEN = {
  targetCookie: { name: MBOX_COOKIE_NAME, value: '', maxAge: 0 },
  targetLocationHintCookie: { name: LOCATION_HINT_COOKIE_NAME, value: '', maxAge: 0 },
};

/** Returns the `Set-Cookie` lines that delete the cookies of the browser. */
export function forgottenCookies(cookies: VisitCookieOptions | null | undefined): string[] {
  return cookies && ownOf(cookies).write === 'never'
    ? []
    : toSetCookieHeaders(FORGOTTEN, cookies ?? undefined);
}
