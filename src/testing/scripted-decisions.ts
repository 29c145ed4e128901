import type {
  AnalyticsPayload,
  DeliveryRequest,
  ExecuteResponse,
  JsonValue,
  LocationResponse,
  MboxRequest,
  MboxResponse,
  Metric,
  Option,
  PageLoadResponse,
  PrefetchResponse,
  RequestDetails,
  ViewRequest,
  ViewResponse,
} from '../delivery-api.js';
import type { EdgeCall, EdgeLocation, Offer, OfferFunction, OfferMetric, ResolvedOffers } from './offers.js';
import { toScript } from './offers.js';
import type { Tokens } from './tokens.js';

/** The decisions of a delivery call: the part of its answer without ids. */
export interface Decisions {
  readonly execute?: ExecuteResponse;
  readonly prefetch?: PrefetchResponse;
}

type Mode = EdgeLocation['mode'];

/** The data for deciding the locations of one call. */
interface Script {
  readonly offers: ResolvedOffers;
  readonly tokens: Tokens;
  readonly call: EdgeCall;
  /** True when the page sends the Analytics data. The answer then has to hold it. */
  readonly clientSideLogging: boolean;
  /** True when the request asks for traces. */
  readonly traced: boolean;
}

/** Decides a call by the edge's offers, for each location that the call asks for. */
export function decideByScript(offers: ResolvedOffers, tokens: Tokens, call: EdgeCall): Decisions {
  const { execute, prefetch, experienceCloud, trace } = call.request;
  const script: Script = {
    offers,
    tokens,
    call,
    clientSideLogging: experienceCloud?.analytics?.logging === 'client_side',
    traced: trace !== undefined,
  };
  return {
    ...(execute && { execute: decideLocations(execute, 'execute', script) }),
    ...(prefetch && {
      prefetch: {
        ...decideLocations(prefetch, 'prefetch', script),
        ...(prefetch.views && { views: decideViews(prefetch.views, script) }),
      },
    }),
  };
}

/** Decides the page load and the mboxes of one part of a request. */
function decideLocations(
  { pageLoad, mboxes }: NonNullable<DeliveryRequest['execute']>,
  mode: Mode,
  script: Script,
): { pageLoad?: PageLoadResponse; mboxes?: MboxResponse[] } {
  return {
    ...(pageLoad && { pageLoad: decidePageLoad(pageLoad, mode, script) }),
    ...(mboxes && { mboxes: mboxes.map((mbox) => decideMbox(mbox, mode, script)) }),
  };
}

function decidePageLoad(request: RequestDetails, mode: Mode, script: Script): PageLoadResponse {
  const location: EdgeLocation = { ...request, kind: 'pageLoad', mode, name: '' };
  return decideLocation(location, script.offers.pageLoad, script) ?? {};
}

function decideMbox(request: MboxRequest, mode: Mode, script: Script): MboxResponse {
  const location: EdgeLocation = { ...request, kind: 'mbox', mode };
  const { index, name } = request;
  return {
    ...(index !== undefined && { index }),
    name,
    ...decideLocation(location, script.offers.mboxes.get(name), script),
  };
}

/** Decides views. A view without a name asks for all views. Views without offers are left out of the answer. */
function decideViews(requests: readonly ViewRequest[], script: Script): ViewResponse[] {
  const decided = new Map<string, ViewResponse>();
  for (const request of requests) {
    const names = request.name === undefined ? script.offers.views.keys() : [request.name];
    for (const name of names) {
      if (decided.has(name)) {
        continue;
      }
      const location: EdgeLocation = { ...request, kind: 'view', mode: 'prefetch', name };
      const view = decideLocation(location, script.offers.views.get(name), script);
      if (view?.options) {
        decided.set(name, { name, ...view });
      }
    }
  }
  return [...decided.values()];
}

/** Decides one location; `undefined` when nothing matches and no trace is asked for. */
function decideLocation(
  location: EdgeLocation,
  offers: OfferFunction | undefined,
  script: Script,
): LocationResponse | undefined {
  const trace = script.traced && { trace: traceOf(location, script.call) };
  const matched = offers?.(location, script.call);
  if (!matched) {
    return trace || undefined;
  }

  const { options, metrics = [], analytics } = toScript(matched);
  const { kind, mode, name } = location;
  const shown = metrics.filter(({ type = 'click' }) => mode === 'prefetch' || type === 'click');
  return {
    options: options.map((offer, position) => toOption(offer, position, location, script)),
    ...(shown.length > 0 && {
      metrics: shown.map((metric) => toMetric(metric, metrics.indexOf(metric), location, script)),
    }),
    ...(script.clientSideLogging && analytics && { analytics: { payload: { ...analytics } } }),
    ...(mode === 'prefetch' && { state: script.tokens.make('state', kind, name) }),
    ...trace,
  };
}

function toOption(
  offer: Offer,
  position: number,
  { kind, mode, name }: EdgeLocation,
  { tokens }: Script,
): Option {
  const { type, content, responseTokens, eventToken } = offer;
  return {
    type,
    // This cast is safe, because the content becomes a JSON value when the answer is written as JSON.
    content: content as JsonValue,
    ...(mode === 'prefetch' && {
      eventToken:
        eventToken === undefined ? tokens.make('option', kind, name, position) : tokens.remember(eventToken),
    }),
    ...(responseTokens && { responseTokens: { ...responseTokens } }),
  };
}

function toMetric(
  metric: OfferMetric,
  position: number,
  { kind, name }: EdgeLocation,
  script: Script,
): Metric {
  const { type = 'click', selector, eventToken, analytics } = metric;
  return {
    type,
    ...(selector !== undefined && { selector }),
    eventToken:
      eventToken === undefined
        ? script.tokens.make('metric', kind, name, position)
        : script.tokens.remember(eventToken),
    ...analyticsOf(analytics, script),
  };
}

function analyticsOf(payload: AnalyticsPayload | undefined, { clientSideLogging }: Script) {
  return clientSideLogging && payload ? { analytics: { payload: { ...payload } } } : undefined;
}

function traceOf(
  { kind, mode, name }: EdgeLocation,
  { sessionId, tntId }: EdgeCall,
): Record<string, JsonValue> {
  return { request: { sessionId, [kind]: { name, type: mode } }, profile: { visitorId: { tntId } } };
}
