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
import { hintOfEdgeHost, LOCATION_HINT_COOKIE_NAME } from './identity/location-hint.js';
import { formatMboxCookie, SESSION_SECONDS, type TargetCookie } from './identity/mbox-cookie.js';
import { hasNoPrototype, withoutPrototypes } from './inherited-names.js';
import type { Call } from './request/call.js';

/** Tells how one call was decided, and which part of it only the edge can decide. */
export interface DecisionStatus {
  /**
   * An HTTP-like code: 200 for a complete answer, 204 for an answer without a body, 206 when some mboxes or views can
   * only be decided on the edge.
   */
  status: number;
  /** The status in words, such as `OK`. */
  message: string;
  /** Names of mboxes that only the edge can decide. */
  remoteMboxes: string[];
  /** Names of views that only the edge can decide. */
  remoteViews: string[];
}

/**
 * The result of `getOffers`, `sendNotifications` and `identify`.
 *
 * @example
 * ```ts
 * const { response, targetCookie } = await client.getOffers({ request: { execute: { mboxes: [{ name: 'hero' }] } } });
 * // Express takes milliseconds, and `maxAge` is in seconds.
 * res.cookie(targetCookie.name, targetCookie.value, { maxAge: targetCookie.maxAge * 1000 });
 * const content = response.execute?.mboxes?.[0]?.options?.[0]?.content;
 * ```
 */
export interface TargetDeliveryResponse {
  /**
   * The request as it was sent or decided, with all defaults filled in. Telemetry that the client added is left out,
   * because it measures other visitors' calls.
   */
  request: ResolvedDeliveryRequest;
  /** The offers, in the format of the Delivery API. @see https://developers.adobetarget.com/api/delivery-api/ */
  response: DeliveryResponse;
  /** The `mbox` cookie. Set it in the browser. The next call of this visitor then has the same session and tntId. */
  targetCookie: TargetCookie;
  /**
   * The `mboxEdgeCluster` cookie. Set it in the browser. The visitor's next call then goes to the same edge cluster. It
   * is absent when no cluster is known.
   */
  targetLocationHintCookie?: TargetCookie;
  /**
   * The state for the browser's `Visitor.getInstance(organizationId, { serverState })` of Adobe's Visitor API. Escape
   * it before you write it into a page, because it holds values that come from the visitor.
   */
  visitorState: Record<string, unknown>;
  /**
   * Analytics payloads of all locations, for a page that sends them itself (`client_side` logging). Absent when empty.
   */
  analyticsDetails?: AnalyticsResponse[];
  /** Response tokens of all options of all locations. Absent when empty. */
  responseTokens?: ResponseTokens[];
  /** Traces of all locations, when the request asked for them. Absent when empty. */
  trace?: TraceResponse[];
  /** The same facts as `decisioningMethod` and `status`, under the name that the official SDK gives them. */
  meta: { decisioningMethod: DecisioningMethod; remoteMboxes: string[]; remoteViews: string[] };
  /** A summary of the decision: its status and the names that only the edge can decide. */
  status: DecisionStatus;
  /** The method by which the call was decided, `server-side` or `on-device`. A hybrid client gives one of these two. */
  decisioningMethod: DecisioningMethod;
}

const MESSAGES: Readonly<Record<number, string>> = {
  200: 'OK',
  204: 'No content',
  206: 'Some mboxes or views can only be decided on the edge',
};

/**
 * Makes the result of a call from its decision: adds the cookies to set, the flat lists of tokens, analytics and
 * traces, and the status.
 */
export function toTargetDeliveryResponse(
  call: Call,
  decision: Decision,
  nowMs: number,
): TargetDeliveryResponse {
  const { request, response, decidedBy, remoteMboxes, remoteViews } = decision;
  const isBare = hasNoPrototype(call.request);
  // The prototypes are removed before the answer is read, so that no inherited field counts as a part of it.
  if (isBare) {
    withoutPrototypes(response);
  }
  const status = response.status ?? 200;
  const locationHint = decision.locationHint ?? hintOfEdgeHost(response.edgeHost);
  const result: TargetDeliveryResponse = {
    visitorState: call.visitor.getState() as Record<string, unknown>,
    request,
    response,
    targetCookie: formatMboxCookie(call.encodedSessionId, response.id?.tntId || request.id?.tntId, nowMs),
    meta: {
      decisioningMethod: decidedBy,
      remoteMboxes: remoteMboxes.slice(),
      remoteViews: remoteViews.slice(),
    },
    status: {
      status,
      message: MESSAGES[status] ?? `Status ${status}`,
      remoteMboxes: remoteMboxes.slice(),
      remoteViews: remoteViews.slice(),
    },
    decisioningMethod: decidedBy,
  };
  if (isBare) {
    Object.setPrototypeOf(result, null);
  }
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

/**
 * Adds the flat lists over all locations of an answer, and replaces those that it has. A list without entries stays
 * absent.
 */
export function collectDetails(result: TargetDeliveryResponse): void {
  delete result.analyticsDetails;
  delete result.trace;
  delete result.responseTokens;
  addDetails(result, result.response);
}

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
  if (locations) {
    for (const location of locations) {
      addLocation(result, location);
    }
  }
}

function addLocation(result: TargetDeliveryResponse, location: LocationResponse | undefined): void {
  if (!location) {
    return;
  }
  const { analytics, trace, options } = location;
  if (analytics) {
    result.analyticsDetails = withItem(result.analyticsDetails, analytics);
  }
  if (trace) {
    result.trace = withItem(result.trace, trace);
  }
  if (!options) {
    return;
  }
  for (const { responseTokens } of options) {
    if (responseTokens) {
      result.responseTokens = withItem(result.responseTokens, responseTokens);
    }
  }
}

function withItem<Item>(list: Item[] | undefined, item: Item): Item[] {
  if (!list) {
    return [item];
  }
  list.push(item);
  return list;
}
