import type {
  Action,
  AnalyticsPayload,
  DeliveryRequest,
  JsonValue,
  MetricType,
  OptionType,
  RequestDetails,
} from '../delivery-api.js';
import { refuseUnknown } from './known-options.js';

/** Fields of an offer besides its content. */
export interface OfferDetails {
  /** Facts about the activity and experience of the offer, such as `{ 'activity.name': 'spring' }`. */
  readonly responseTokens?: Readonly<Record<string, JsonValue>>;
  /**
   * The event token of the prefetched option. The edge accepts it in notifications.
   * @default a token that the edge makes
   */
  readonly eventToken?: string;
}

/** One option of a location, as the edge sends it. */
export type Offer = OfferDetails &
  (
    | { readonly type: 'html' | 'redirect' | 'dynamic'; readonly content: string }
    | { readonly type: 'json'; readonly content: unknown }
    | { readonly type: 'actions'; readonly content: readonly Action[] }
  );

/** An event that a notification can report. The edge gives it a token. */
export interface OfferMetric {
  /** The kind of event. Executed locations send click metrics only. @default 'click' */
  readonly type?: MetricType;
  /** The CSS selector of the element to watch. */
  readonly selector?: string;
  /** The token that reports the event. @default a token that the edge makes */
  readonly eventToken?: string;
  /** The Analytics payload of the event. It is sent with `client_side` logging only. */
  readonly analytics?: AnalyticsPayload;
}

/** The offers of a location together with metrics and Analytics data. */
export interface LocationScript {
  /** The options to show, one or several. */
  readonly options: Offer | readonly Offer[];
  /** The events that can be reported for the location. */
  readonly metrics?: readonly OfferMetric[];
  /** The Analytics payload of the location. It is sent with `client_side` logging only. */
  readonly analytics?: AnalyticsPayload;
}

/** The content of a location: one offer, several offers, or offers with metrics and Analytics data. */
export type LocationOffers = Offer | readonly Offer[] | LocationScript;

/** The location that an {@link OfferFunction} decides, with the fields that the request has about it. */
export interface EdgeLocation extends RequestDetails {
  /** The kind of location. */
  readonly kind: 'mbox' | 'view' | 'pageLoad';
  /** The part of the request that asks: `execute` for content to show at once, `prefetch` for later. */
  readonly mode: 'execute' | 'prefetch';
  /** The name of the mbox or view. It is empty for the page load. */
  readonly name: string;
  /** The index of the mbox in the request. Views and page loads have none. */
  readonly index?: number | undefined;
}

/** The delivery call that a location belongs to. */
export interface EdgeCall {
  /** The whole body, which has passed the checks. */
  readonly request: DeliveryRequest;
  /** The `imsOrgId` of the query. */
  readonly organizationId: string;
  /** The `sessionId` of the query. */
  readonly sessionId: string;
  /** The tntId of the answer: the one of the request, or a new one. */
  readonly tntId: string;
  /**
   * An id that stays the same for one visitor: the ECID, else the request's tntId without its location hint, else the
   * `thirdPartyId`, else the new tntId.
   */
  readonly visitor: string;
}

/**
 * Decides a location for one call. `undefined` means that nothing matches the visitor. An error is answered with 500.
 *
 * @example
 * ```ts
 * const hero: OfferFunction = ({ parameters }) => (parameters?.tier === 'gold' ? html('<p>Gold</p>') : undefined);
 * ```
 */
export type OfferFunction = (location: EdgeLocation, call: EdgeCall) => LocationOffers | undefined;

/** Offers by the name of their mbox or view. A Map allows any name, `__proto__` included. */
export type OffersByName =
  | Readonly<Record<string, LocationOffers | OfferFunction>>
  | ReadonlyMap<string, LocationOffers | OfferFunction>;

/**
 * The offers of an edge. A location that is not listed is decided by the artifact. It has no options without one.
 *
 * @example
 * ```ts
 * const offers: EdgeOffers = {
 *   mboxes: { hero: html('<p>Hello</p>'), flags: json({ newCheckout: true }) },
 *   pageLoad: actions([{ type: 'setHtml', selector: '#title', content: 'Hello' }]),
 * };
 * ```
 */
export interface EdgeOffers {
  /** Offers by mbox name. */
  readonly mboxes?: OffersByName;
  /** Offers by view name. */
  readonly views?: OffersByName;
  /** Offers of the page load, which is the global mbox. */
  readonly pageLoad?: LocationOffers | OfferFunction;
}

/** Makes an offer of HTML for the page. */
export function html(content: string, details?: OfferDetails): Offer {
  return { ...details, type: 'html', content };
}

/** Makes an offer of data for the application, such as feature flags. */
export function json(content: unknown, details?: OfferDetails): Offer {
  return { ...details, type: 'json', content };
}

/** Makes an offer that sends the visitor to a URL. */
export function redirect(url: string, details?: OfferDetails): Offer {
  return { ...details, type: 'redirect', content: url };
}

/** Makes an offer whose content is fetched from a URL. */
export function dynamic(url: string, details?: OfferDetails): Offer {
  return { ...details, type: 'dynamic', content: url };
}

/** Makes an offer of page changes, in the form of the Visual Experience Composer. */
export function actions(content: readonly Action[], details?: OfferDetails): Offer {
  return { ...details, type: 'actions', content };
}

/** The offers of an edge as functions by name. Maps are used, where names such as `__proto__` are plain data. */
export interface ResolvedOffers {
  readonly mboxes: ReadonlyMap<string, OfferFunction>;
  readonly views: ReadonlyMap<string, OfferFunction>;
  readonly pageLoad: OfferFunction | undefined;
}

const OFFER_FIELDS = ['type', 'content', 'responseTokens', 'eventToken'] satisfies (keyof Offer)[];
const SCRIPT_FIELDS = ['options', 'metrics', 'analytics'] satisfies (keyof LocationScript)[];
const KINDS: ReadonlySet<string> = new Set(['mboxes', 'views', 'pageLoad'] satisfies (keyof EdgeOffers)[]);
/** The key with which a JSON file names its schema, for editors. */
const SCHEMA = '$schema';

/**
 * Checks offers and turns each of them into a function.
 * @throws {TypeError} naming the location whose offers are wrong.
 */
export function resolveOffers(offers: EdgeOffers = {}): ResolvedOffers {
  const unknown = Object.keys(offers).find((kind) => !KINDS.has(kind) && kind !== SCHEMA);
  if (unknown !== undefined) {
    throw new TypeError(`offers: ${unknown} must be mboxes, views or pageLoad, with the offers in it`);
  }
  return {
    mboxes: byName('mboxes', offers.mboxes),
    views: byName('views', offers.views),
    pageLoad: offers.pageLoad && toFunction('pageLoad', offers.pageLoad),
  };
}

/**
 * Converts a location's offers to the form that can hold all of them, a {@link LocationScript} with a list of options.
 */
export function toScript(offers: LocationOffers): LocationScript & { readonly options: readonly Offer[] } {
  if (isOfferList(offers)) {
    return { options: offers };
  }
  if ('type' in offers) {
    return { options: [offers] };
  }
  return { ...offers, options: isOfferList(offers.options) ? offers.options : [offers.options] };
}

function byName(kind: string, offers: OffersByName | undefined): ReadonlyMap<string, OfferFunction> {
  const entries = isMap(offers) ? [...offers] : Object.entries(offers ?? {});
  return new Map(
    entries.map(([name, value]) => [name, toFunction(`${kind}[${JSON.stringify(name)}]`, value)]),
  );
}

/** Recognises a map of another realm too. */
function isMap(
  offers: OffersByName | undefined,
): offers is ReadonlyMap<string, LocationOffers | OfferFunction> {
  return Object.prototype.toString.call(offers) === '[object Map]';
}

function toFunction(path: string, offers: LocationOffers | OfferFunction): OfferFunction {
  if (typeof offers === 'function') {
    return offers;
  }
  if (typeof offers !== 'object' || offers === null) {
    throw new TypeError(`${path}: offers must be an object`);
  }
  const script = toScript(offers);
  for (const option of script.options) {
    if (!OPTION_TYPES.has(option?.type)) {
      throw new TypeError(`${path}: an offer's type must be one of ${KNOWN_TYPES}`);
    }
    refuseUnknown(option, OFFER_FIELDS, path);
  }
  refuseUnknown(script, SCRIPT_FIELDS, path);
  return () => offers;
}

/** The types that an offer can have. */
export const OPTION_TYPES: ReadonlySet<OptionType> = new Set([
  'html',
  'json',
  'redirect',
  'dynamic',
  'actions',
]);
const KNOWN_TYPES = [...OPTION_TYPES].join(', ');

function isOfferList(value: LocationOffers | LocationScript['options']): value is readonly Offer[] {
  return Array.isArray(value);
}
