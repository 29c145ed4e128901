import type { ClientSources } from '../client-parts.js';
import type {
  DeliveryRequest,
  DeliveryResponse,
  Notification,
  NotificationResponse,
  VisitorIdResponse,
} from '../delivery-api.js';
import { DELIVERY_PATH } from '../delivery-api.js';
import type { DeliveryCheck } from './delivery-check.js';
import { toMessage } from './delivery-check.js';
import type { EdgeCall } from './offers.js';
import type { OpenRequest } from './request-log.js';
import type { Answer, Route } from './routes.js';
import { jsonAnswer, refusal } from './routes.js';
import type { Decisions } from './scripted-decisions.js';
import type { Tokens } from './tokens.js';

/** The parts of an edge that the delivery route needs. */
export interface DeliveryParts {
  /** The client code in the answers. */
  readonly client: string;
  /** The cluster in the tntIds of new visitors. */
  readonly locationHint: string;
  /** Returns the `edgeHost` of an answer; `undefined` leaves the field out. */
  readonly edgeHost: (call: EdgeCall) => string | undefined;
  /** Checks a call before it is decided. */
  readonly check: DeliveryCheck;
  /** Decides a call that has passed the check. */
  readonly decide: (call: EdgeCall) => Decisions | Promise<Decisions>;
  /** Tells which event tokens and states a notification may hold. */
  readonly tokens: Tokens;
  /** The source of the ids of new visitors. */
  readonly sources: Pick<ClientSources, 'ids'>;
}

/** Makes the route `POST /rest/v1/delivery`. */
export function deliveryRoute(parts: DeliveryParts): Route {
  return {
    method: 'POST',
    matches: (path) => path === DELIVERY_PATH,
    answer: (received) => answerDelivery(received, parts),
  };
}

async function answerDelivery(received: OpenRequest, parts: DeliveryParts): Promise<Answer> {
  if (!/^application\/json\s*(?:;|$)/i.test(received.headers['content-type'] ?? '')) {
    return refusal(415, 'Content-Type must be application/json');
  }
  if (received.headers['content-encoding'] !== undefined) {
    return refusal(415, 'Content-Encoding is not supported');
  }
  if (received.body === undefined) {
    return refusal(400, 'Invalid request: the body is not JSON');
  }
  if (typeof received.body === 'object' && received.body !== null && !Array.isArray(received.body)) {
    received.delivery = received.body;
  }
  received.violations = parts.check(received);
  if (received.violations.length > 0) {
    return refusal(400, toMessage(received.violations));
  }

  // This cast is safe, because the check has verified the shape of the body and the query.
  const call = toCall(received.body as DeliveryRequest, received.query, parts);
  const decisions = await parts.decide(call);
  if (call.request.context?.beacon) {
    return { status: 204 };
  }
  return jsonAnswer(200, toResponse(call, decisions, parts));
}

function toCall(
  request: DeliveryRequest,
  query: OpenRequest['query'],
  { locationHint, sources }: DeliveryParts,
): EdgeCall {
  const { tntId: given, thirdPartyId, marketingCloudVisitorId } = request.id ?? {};
  const tntId = given || sources.ids.newHexId();
  return {
    request,
    organizationId: query.imsOrgId ?? '',
    sessionId: query.sessionId ?? '',
    tntId: tntId.includes('.') ? tntId : `${tntId}.${locationHint}_0`,
    visitor: marketingCloudVisitorId || given?.split('.')[0] || thirdPartyId || tntId,
  };
}

function toResponse(call: EdgeCall, decisions: Decisions, parts: DeliveryParts): DeliveryResponse {
  const { request } = call;
  const requestId = request.requestId ?? parts.sources.ids.newUuid();
  const edgeHost = parts.edgeHost(call);
  return {
    status: 200,
    requestId,
    client: parts.client,
    id: toVisitorId(call),
    ...(edgeHost !== undefined && { edgeHost }),
    ...decisions,
    ...(request.notifications && { notifications: toProcessed(request.notifications, call, parts.tokens) }),
    telemetryServerToken: Buffer.from(`telemetry ${requestId}`).toString('base64'),
  };
}

function toVisitorId({ request, tntId }: EdgeCall): VisitorIdResponse {
  const { thirdPartyId, marketingCloudVisitorId, customerIds } = request.id ?? {};
  return {
    tntId,
    ...(thirdPartyId !== undefined && { thirdPartyId }),
    ...(marketingCloudVisitorId !== undefined && { marketingCloudVisitorId }),
    ...(customerIds && { customerIds: [...customerIds] }),
  };
}

/** Returns the ids of the notifications whose tokens and states are known to the edge. */
function toProcessed(
  notifications: readonly Notification[],
  { request, sessionId }: EdgeCall,
  tokens: Tokens,
): NotificationResponse[] {
  return notifications
    .filter((notification) => isKnown(notification, tokens))
    .map(({ id }) => (request.trace ? { id, trace: { request: { sessionId } } } : { id }));
}

function isKnown({ tokens: eventTokens = [], mbox, view, pageLoad }: Notification, tokens: Tokens): boolean {
  return (
    eventTokens.every((token) => token !== undefined && tokens.isEventToken(token)) &&
    (mbox?.state === undefined || tokens.isState(mbox.state, 'mbox', mbox.name)) &&
    (view?.state === undefined || tokens.isState(view.state, 'view', view.name)) &&
    (pageLoad?.state === undefined || tokens.isState(pageLoad.state, 'pageLoad', undefined))
  );
}
