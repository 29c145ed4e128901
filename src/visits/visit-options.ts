import type { Context, ExperienceCloud, Loose, TargetError } from '../index.js';
import { isObject, isRecord, type JsonRecord } from '../json.js';
import type { CallOptions } from '../request/options.js';
import { NO_ATTRIBUTES, toSetCookie } from './cookie-header.js';
import type { SetCookieOptions } from './cookies.js';
import {
  BOOLEAN,
  type Check,
  type Checks,
  checkFields,
  FUNCTION,
  isFunction,
  oneOf,
  RECORD,
  readField,
} from './field-checks.js';
import type { IncomingRequest } from './incoming-request.js';
import { isPath } from './page-url.js';
import type { TrackOptions } from './visit-call.js';

/**
 * A visitor's consent to Target: `true` or `false`, or an object that can also withdraw it. With `forget`, the answer
 * deletes Target's cookies in the browser. It has no effect while consent is granted.
 */
export type Consent = boolean | { readonly granted: boolean; readonly forget?: boolean | undefined };

/** A conversion that was not counted, as it was given to `visit.track`. */
export interface FailedConversion extends TrackOptions {
  /** The name of the mbox. */
  readonly mbox: string;
}

/** The context of a request, as a caller may write it. */
export type VisitContext = Loose<Context>;

/** The cookies of a visit: their attributes, and when they are written. */
export interface VisitCookieOptions extends Omit<SetCookieOptions, 'secure'> {
  /**
   * True when browsers send the cookies over https only. With `auto`, the URL of the request decides: cookies of a page
   * over http are not secure, and all others are. Behind a proxy that ends https, the URL is right only if the proxy is
   * trusted. It is always true with `sameSite: 'none'`.
   * @default true
   */
  readonly secure?: boolean | 'auto' | undefined;
  /**
   * Tells when an answer writes the cookies: with each answer of Target (`always`), only when an id has changed
   * (`changed`), or not at all (`never`). Only `always` prolongs the visitor's session, which ends 31 minutes after the
   * cookie was written.
   * @default 'always'
   */
  readonly write?: 'always' | 'changed' | 'never' | undefined;
}

/** The cookies of a visit when it is known if they are secure. */
export type WrittenCookieOptions = SetCookieOptions & Pick<VisitCookieOptions, 'write'>;

/**
 * The options of a visit. `null` counts as absent. A wrong value makes `createVisit` throw a `TargetError` with the code
 * `ERR_TARGET_INVALID_CONFIG`, and `path` of the error names the option.
 *
 * @example
 * ```ts
 * const options: VisitOptions = {
 *   consent: (incoming) => /(?:^|;\s*)consent=yes(?:;|$)/.test(incoming.header('cookie') ?? ''),
 *   cookies: { domain: 'example.com' },
 *   timeout: 500,
 *   onError: (error) => console.warn(error.message),
 * };
 * ```
 */
export interface VisitOptions extends Pick<CallOptions, 'timeout'> {
  /**
   * The customer ids of the visitor, or a function that returns them. It is called when the visit first asks Target. Ids
   * that become known later, such as at a login, are set with `visit.visitor.setCustomerIDs`.
   * @default none
   */
  readonly customerIds?:
    | CallOptions['customerIds']
    | ((incoming: IncomingRequest) => CallOptions['customerIds'] | null)
    | null
    | undefined;
  /** The attributes of the cookies, and when they are written. */
  readonly cookies?: VisitCookieOptions | null | undefined;
  /**
   * Fields of the context that the request does not tell, or a function that returns them. They are merged over those of
   * `toContext`, field by field. The `context` of a call is merged over both.
   * @default none
   */
  readonly context?:
    | VisitContext
    | ((incoming: IncomingRequest) => VisitContext | null | undefined)
    | null
    | undefined;
  /**
   * Data for other products that each request has, such as `{ analytics: { trackingServerSecure: 'acme.sc.omtrdc.net' } }`.
   * The `experienceCloud` of a call is merged over it, field by field. A `supplementalDataId` is of one page, so do not
   * write one into options that all visits share.
   * @default none
   */
  readonly experienceCloud?: Loose<ExperienceCloud> | null | undefined;
  /**
   * True when the visitor's IP address is sent, where it is known and can be trusted. Without an address, Target takes
   * the place of the server for that of the visitor, for the whole session.
   * @default true
   */
  readonly ipAddress?: boolean | null | undefined;
  /**
   * The visitor's consent, or a function that reads it from the request. The function is called once, when the visit is
   * made. Consent that comes later in the request does not count. Anything but `true` counts as no consent, and so does
   * an error of the function. Without consent nothing is sent, read or written.
   * @default true
   */
  readonly consent?: Consent | ((incoming: IncomingRequest) => Consent) | null | undefined;
  /**
   * Tells what a visitor without consent gets: the default content (`default`), or decisions of this process for a
   * visitor that nobody remembers (`anonymous`). Those need a client that decides `on-device` or `hybrid`. No cookie, no
   * notification and no geo look-up come of them, so feature flags go on working.
   * @default 'default'
   */
  readonly withoutConsent?: 'default' | 'anonymous' | null | undefined;
  /**
   * Tells what a request does that nobody may see, such as a page that a browser loads in advance. With `prefetch`,
   * Target decides the offers and counts no impression. With `execute`, it counts one. With `skip`, nothing is sent,
   * and the answers have no offers. HEAD and OPTIONS requests never count an impression: `execute` is `prefetch` for
   * them.
   * @default 'prefetch' with a `beacon`, else 'execute'
   */
  readonly unseen?: 'prefetch' | 'execute' | 'skip' | null | undefined;
  /**
   * The path of the endpoint that takes reports of what a page has shown, such as `/target/beacon`. It counts the
   * impressions of pages that a browser has loaded in advance.
   * @default none
   */
  readonly beacon?: string | null | undefined;
  /** Tells bots from people. A bot gets the default content, and nothing is sent. @default nobody is a bot */
  readonly isBot?: ((incoming: IncomingRequest) => boolean) | null | undefined;
  /**
   * Gets the errors of calls. With it, `getOffers`, `getAttributes` and the other calls do not reject: they resolve to
   * an answer without offers, whose `failure` is the error. Errors of the programmer (`ERR_TARGET_INVALID_REQUEST` and
   * `ERR_TARGET_CLOSED`) still reject. It is called once for each request that fails, also when the request was that of
   * several calls. For a conversion that was not counted, it is told which one.
   * @default none, so calls reject
   */
  readonly onError?: ((error: TargetError, conversion?: FailedConversion) => void) | null | undefined;
  /**
   * True when the calls of one turn of the event loop that ask for mboxes alone go to Target as one request. Only calls
   * that the edge decides are merged.
   * @default true
   */
  readonly merge?: boolean | null | undefined;
  /** True when the answer asks the browser for client hints, with the header `Accept-CH`. @default false */
  readonly clientHints?: boolean | null | undefined;
  /**
   * True when an answer that sets a cookie or that holds a decision is sent with `Cache-Control: private, no-store`. No
   * cache may keep it for other visitors.
   * @default true
   */
  readonly cacheControl?: boolean | null | undefined;
  /**
   * Gets the work that goes on after the answer, such as reports of displays, so that a serverless platform waits for it.
   * It wins over the option of the client.
   * @default the client's `waitUntil`
   */
  readonly waitUntil?: ((work: Promise<unknown>) => void) | null | undefined;
}

const MAX_TIMEOUT_MS = 2 ** 31;

/** Tells whether a cookie can have an attribute. With a wrong one, no answer could be sent. */
function canWrite(attributes: { readonly domain: string } | { readonly path: string }): boolean {
  try {
    return toSetCookie('mbox', '', { ...NO_ATTRIBUTES, ...attributes }) !== '';
  } catch {
    return false;
  }
}

const COOKIE_CHECKS = {
  write: oneOf('always', 'changed', 'never'),
  domain: {
    wanted: 'the name of a domain',
    accepts: (value) => typeof value === 'string' && canWrite({ domain: value }),
  },
  path: {
    wanted: "a path such as '/'",
    accepts: (value) => typeof value === 'string' && value.startsWith('/') && canWrite({ path: value }),
  },
  secure: oneOf(true, false, 'auto'),
  sameSite: oneOf('strict', 'lax', 'none'),
  httpOnly: BOOLEAN,
} satisfies Record<keyof VisitCookieOptions, Check>;

function grantedIn(consent: JsonRecord): unknown {
  return readField(consent, 'granted', 'consent.granted');
}

const CHECKS: Checks = {
  cookies: COOKIE_CHECKS,
  context: { wanted: 'an object or a function', accepts: (value) => isRecord(value) || isFunction(value) },
  // Each call checks the values, as those of its own request.
  experienceCloud: { analytics: RECORD, audienceManager: RECORD },
  ipAddress: BOOLEAN,
  consent: {
    wanted: 'true, false, { granted: boolean } or a function',
    accepts: (value) =>
      typeof (isRecord(value) ? grantedIn(value) : value) === 'boolean' || isFunction(value),
  },
  withoutConsent: oneOf('default', 'anonymous'),
  unseen: oneOf('prefetch', 'execute', 'skip'),
  beacon: {
    wanted: "a path such as '/target/beacon'",
    accepts: isPath,
  },
  isBot: FUNCTION,
  onError: FUNCTION,
  merge: BOOLEAN,
  clientHints: BOOLEAN,
  cacheControl: BOOLEAN,
  waitUntil: FUNCTION,
  // The ids are of one visitor, so each call checks them.
  customerIds: {
    wanted: 'an object or a function',
    accepts: (value) => isObject(value) || isFunction(value),
  },
  timeout: {
    wanted: 'a number of ms, above 0 and below 2^31',
    accepts: (value) =>
      (typeof value === 'number' || (typeof value === 'string' && /^\d+$/.test(value))) &&
      Number(value) > 0 &&
      Number(value) < MAX_TIMEOUT_MS,
  },
} satisfies Record<keyof VisitOptions, Check | Checks>;

/** The names of all options of visits. */
export const VISIT_OPTIONS: ReadonlySet<string> = new Set(Object.keys(CHECKS));

/**
 * Checks the options of visits. Adapters call it when the program starts, so that a mistake is found before the first
 * visitor comes.
 *
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a wrong value. `path` of the error names the option.
 */
export function checkVisitOptions(options: VisitOptions): void {
  checkFields(options, CHECKS, '');
}
