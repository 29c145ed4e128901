import type {
  Action,
  AnalyticsPayload,
  DeliveryRequest,
  JsonValue,
  MetricType,
  OptionType,
  RequestDetails,
} from '../delivery-api.js';

/** What an offer may carry besides its content. */
export interface OfferDetails {
  readonly responseTokens?: Readonly<Record<string, JsonValue>>;
  /** Of the prefetched option; the edge takes it back in notifications. @default one that the edge makes */
  readonly eventToken?: string;
}

/** One option of a location, as the edge will send it. */
export type Offer = OfferDetails &
  (
    | { readonly type: 'html' | 'redirect' | 'dynamic'; readonly content: string }
    | { readonly type: 'json'; readonly content: unknown }
    | { readonly type: 'actions'; readonly content: readonly Action[] }
  );

/** An event that a notification can report with the token that the edge gives it. */
export interface OfferMetric {
  /** Executed locations send click metrics only. @default 'click' */
  readonly type?: MetricType;
  readonly selector?: string;
  /** @default one that the edge makes */
  readonly eventToken?: string;
  /** Sent with `client_side` logging only. */
  readonly analytics?: AnalyticsPayload;
}

/** A location with more to it than options. */
export interface LocationScript {
  readonly options: Offer | readonly Offer[];
  readonly metrics?: readonly OfferMetric[];
  /** Sent with `client_side` logging only. */
  readonly analytics?: AnalyticsPayload;
}

/** What a location shows: one offer, several, or several with metrics and analytics. */
export type LocationOffers = Offer | readonly Offer[] | LocationScript;

/** The location that an {@link OfferFunction} decides: the request's words about it, and what it is. */
export interface EdgeLocation extends RequestDetails {
  readonly kind: 'mbox' | 'view' | 'pageLoad';
  readonly mode: 'execute' | 'prefetch';
  /** The mbox's or view's name; '' for the page load. */
  readonly name: string;
  /** Of an mbox. */
  readonly index?: number | undefined;
}

/** The delivery call that a location belongs to. */
export interface EdgeCall {
  /** The whole body, which has passed the checks. */
  readonly request: DeliveryRequest;
  readonly organizationId: string;
  readonly sessionId: string;
  /** As the answer will give it: the request's, or a new one. */
  readonly tntId: string;
  /** What stays the same for one visitor: the ECID, else the request's tntId without hint, else thirdPartyId, else the new tntId. */
  readonly visitor: string;
}

/** Decides a location when it is asked for; `undefined` means that nothing matched. What it throws is answered with 500. */
export type OfferFunction = (location: EdgeLocation, call: EdgeCall) => LocationOffers | undefined;

/** Offers by the name of their location. A Map can hold any name, `__proto__` included. */
export type OffersByName =
  | Readonly<Record<string, LocationOffers | OfferFunction>>
  | ReadonlyMap<string, LocationOffers | OfferFunction>;

/** Everything that an edge shows. A location that is not listed is the artifact's; without one, it has no options. */
export interface EdgeOffers {
  readonly mboxes?: OffersByName;
  readonly views?: OffersByName;
  readonly pageLoad?: LocationOffers | OfferFunction;
}

/** HTML to put into the page. */
export function html(content: string, details?: OfferDetails): Offer {
  return { ...details, type: 'html', content };
}

/** Data for the application, such as feature flags. */
export function json(content: unknown, details?: OfferDetails): Offer {
  return { ...details, type: 'json', content };
}

/** A URL to send the visitor to. */
export function redirect(url: string, details?: OfferDetails): Offer {
  return { ...details, type: 'redirect', content: url };
}

/** A URL whose content is the offer. */
export function dynamic(url: string, details?: OfferDetails): Offer {
  return { ...details, type: 'dynamic', content: url };
}

/** Changes to the page as the Visual Experience Composer makes them. */
export function actions(content: readonly Action[], details?: OfferDetails): Offer {
  return { ...details, type: 'actions', content };
}

/** Offers with every default filled in and look-ups that no name can fool. */
export interface ResolvedOffers {
  readonly mboxes: ReadonlyMap<string, OfferFunction>;
  readonly views: ReadonlyMap<string, OfferFunction>;
  readonly pageLoad: OfferFunction | undefined;
}

/** Checks offers and makes every one of them a function. Throws a TypeError that names the location. */
export function resolveOffers(offers: EdgeOffers = {}): ResolvedOffers {
  return {
    mboxes: byName('mboxes', offers.mboxes),
    views: byName('views', offers.views),
    pageLoad: offers.pageLoad && toFunction('pageLoad', offers.pageLoad),
  };
}

/** The parts of a location's offers, whichever way they were written. */
export function toScript(offers: LocationOffers): LocationScript & { readonly options: readonly Offer[] } {
  if (isOfferList(offers)) return { options: offers };
  if ('type' in offers) return { options: [offers] };
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
  if (typeof offers === 'function') return offers;
  if (typeof offers !== 'object' || offers === null) throw new TypeError(`${path}: offers must be an object`);
  for (const option of toScript(offers).options) {
    if (!OPTION_TYPES.has(option?.type))
      throw new TypeError(`${path}: an offer's type must be one of ${KNOWN_TYPES}`);
  }
  return () => offers;
}

const OPTION_TYPES: ReadonlySet<OptionType> = new Set(['html', 'json', 'redirect', 'dynamic', 'actions']);
const KNOWN_TYPES = [...OPTION_TYPES].join(', ');

function isOfferList(value: LocationOffers | LocationScript['options']): value is readonly Offer[] {
  return Array.isArray(value);
}
