import type { Decision } from './decide.js';
import type {
  AnalyticsResponse,
  DecisioningMethod,
  DeliveryResponse,
  LocationResponse,
  ResolvedDeliveryRequest,
  ResponseTokens,
  TraceResponse,
} from './delivery-api.js';
import { hintOfEdgeHost } from './identity/location-hint.js';
import { formatMboxCookie, SESSION_SECONDS, type TargetCookie } from './identity/mbox-cookie.js';
import { hasNoPrototype } from './json.js';
import type { Call } from './request/call.js';

/** The name of the cookie that holds the location hint. */
export const LOCATION_HINT_COOKIE_NAME = 'mboxEdgeCluster';

/** How the call was decided, in one line and with what was left to the edge. */
export interface DecisionStatus {
  /** 200; 204 without a body; 206 when mboxes or views were left to the edge. */
  status: number;
  message: string;
  remoteMboxes: string[];
  remoteViews: string[];
}

/** What `getOffers` and `sendNotifications` return. */
export interface TargetDeliveryResponse {
  /** The request as it was sent or decided, without the telemetry that the client adds: that is of other calls. */
  request: ResolvedDeliveryRequest;
  /** The offers, in the Delivery API's form. */
  response: DeliveryResponse;
  /** To be set in the browser, for the next call of this visitor. */
  targetCookie: TargetCookie;
  /** To be set in the browser, for the next call of this visitor. */
  targetLocationHintCookie?: TargetCookie;
  /** For the browser's `Visitor.getInstance(org, {serverState})`. Serialise it safely before it goes into a page. */
  visitorState: Record<string, unknown>;
  /** Analytics payloads of all locations, with `client_side` logging. */
  analyticsDetails?: AnalyticsResponse[];
  /** Response tokens of all options. */
  responseTokens?: ResponseTokens[];
  /** Traces of all locations. */
  trace?: TraceResponse[];
  meta: { decisioningMethod: DecisioningMethod; remoteMboxes: string[]; remoteViews: string[] };
  status: DecisionStatus;
  /** Who decided: `hybrid` is never the answer. */
  decisioningMethod: DecisioningMethod;
}

const MESSAGES: Readonly<Record<number, string>> = {
  200: 'OK',
  204: 'No content',
  206: 'Some mboxes or views can only be decided on the edge',
};

/** Decision → what the caller gets: cookies to set, tokens, analytics, traces, and how it was decided. */
export function toTargetDeliveryResponse(
  call: Call,
  decision: Decision,
  nowMs: number,
): TargetDeliveryResponse {
  const { request, response, decidedBy, remoteMboxes, remoteViews } = decision;
  const status = response.status ?? 200;
  const locationHint = decision.locationHint ?? hintOfEdgeHost(response.edgeHost);
  const result: TargetDeliveryResponse = {
    visitorState: call.visitor.getState() as Record<string, unknown>,
    request,
    response,
    targetCookie: formatMboxCookie(call.encodedSessionId, response.id?.tntId || request.id?.tntId, nowMs),
    meta: { decisioningMethod: decidedBy, remoteMboxes: [...remoteMboxes], remoteViews: [...remoteViews] },
    status: {
      status,
      message: MESSAGES[status] ?? `Status ${status}`,
      remoteMboxes: [...remoteMboxes],
      remoteViews: [...remoteViews],
    },
    decisioningMethod: decidedBy,
  };
  if (hasNoPrototype(call.request)) Object.setPrototypeOf(result, null);
  if (locationHint !== undefined) {
    result.targetLocationHintCookie = {
      name: LOCATION_HINT_COOKIE_NAME,
      value: locationHint,
      maxAge: SESSION_SECONDS,
    };
  }
  addDetails(result, response);
  return result;
}

/** Adds the flat lists over every location of the answer; a list without entries is absent. */
function addDetails(result: TargetDeliveryResponse, { execute, prefetch }: DeliveryResponse): void {
  if (execute) {
    addLocation(result, execute.pageLoad);
    addLocations(result, execute.mboxes);
  }
  if (prefetch) {
    addLocation(result, prefetch.pageLoad);
    addLocations(result, prefetch.views);
    addLocations(result, prefetch.mboxes);
  }
}

function addLocations(
  result: TargetDeliveryResponse,
  locations: readonly LocationResponse[] | undefined,
): void {
  if (locations) for (const location of locations) addLocation(result, location);
}

function addLocation(result: TargetDeliveryResponse, location: LocationResponse | undefined): void {
  if (!location) return;
  const { analytics, trace, options } = location;
  if (analytics) result.analyticsDetails = withItem(result.analyticsDetails, analytics);
  if (trace) result.trace = withItem(result.trace, trace);
  if (!options) return;
  for (const { responseTokens } of options) {
    if (responseTokens) result.responseTokens = withItem(result.responseTokens, responseTokens);
  }
}

function withItem<Item>(list: Item[] | undefined, item: Item): Item[] {
  if (!list) return [item];
  list.push(item);
  return list;
}
