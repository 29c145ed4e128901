import { TargetClient } from '../client.js';
import type {
  DeliveryRequest,
  DeliveryResponse,
  ExecuteRequest,
  ExecuteResponse,
  LocationResponse,
  PrefetchResponse,
  VisitorId,
} from '../delivery-api.js';
import type { FetchApi } from '../http/fetch-api.js';
import { GEO_PATH, geoAnswer, type PlacesByAddress } from './geo.js';
import type { EdgeCall, ResolvedOffers } from './offers.js';
import type { Decisions } from './scripted-decisions.js';
import type { Tokens } from './tokens.js';

/** What an engine is made of. */
export interface EngineOptions {
  readonly client: string;
  readonly organizationId: string;
  readonly locationHint: string;
  /** The artifact, as JSON. */
  readonly artifact: string;
  readonly places: PlacesByAddress;
  readonly tokens: Tokens;
}

/**
 * Decides what the script leaves open by an artifact, with a client that decides on-device: so a visitor gets from
 * the edge what a client with the same artifact gives.
 */
export class Engine {
  readonly #options: EngineOptions;
  #client: TargetClient | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  /**
   * Adds to the script's decisions those about locations that it does not list.
   * @throws TargetError when there are some and the artifact cannot be decided by
   */
  async complete(scripted: Decisions, offers: ResolvedOffers, call: EdgeCall): Promise<Decisions> {
    const open = toUnlistedRequest(call, offers);
    if (!open) return scripted;
    this.#client ??= createClient(this.#options);
    const { response } = await this.#client.getOffers({ request: open, sessionId: call.sessionId });
    return merge(scripted, response, offers, this.#options.tokens);
  }

  /** Lets go of everything. */
  async close(): Promise<void> {
    await this.#client?.close();
  }
}

function createClient(options: EngineOptions): TargetClient {
  const { client, organizationId, locationHint, artifact, places } = options;
  return TargetClient.create({
    client,
    organizationId,
    // Known, so that the client has no need to ask for it.
    targetLocationHint: locationHint,
    decisioningMethod: 'on-device',
    artifactPayload: JSON.parse(artifact) as object,
    pollingInterval: 0,
    telemetryEnabled: false,
    fetchApi: withoutNetwork(places),
  });
}

/** Answers look-ups of places, and the notifications of displays, which the edge has no use for. */
function withoutNetwork(places: PlacesByAddress): FetchApi {
  return async (url, { headers }) => {
    const isGeo = new URL(url).pathname === GEO_PATH;
    const answer = isGeo
      ? geoAnswer(places, headers['x-forwarded-for'] ?? '')
      : { status: 200, body: '{"status":200}' };
    return {
      status: answer.status,
      headers: { get: () => null },
      text: async () => String(answer.body),
    };
  };
}

/** The part of a request that the script does not list; undefined when it lists everything. */
function toUnlistedRequest(
  { request, tntId }: EdgeCall,
  offers: ResolvedOffers,
): DeliveryRequest | undefined {
  const execute = openPlaces(request.execute, offers);
  const views = request.prefetch?.views?.filter(({ name }) => name === undefined || !offers.views.has(name));
  const prefetch = {
    ...openPlaces(request.prefetch, offers),
    ...(views && views.length > 0 && { views }),
  };
  const asks = { execute: Object.keys(execute).length > 0, prefetch: Object.keys(prefetch).length > 0 };
  if (!asks.execute && !asks.prefetch) return undefined;
  const { id, context, property, environmentId, trace } = request;
  return {
    id: isAllocatable(id) ? id : { ...id, tntId },
    context,
    property,
    environmentId,
    trace,
    ...(asks.execute && { execute }),
    ...(asks.prefetch && { prefetch }),
  };
}

/** Whether a visitor has an id to be allocated by; others are allocated by the tntId that the edge gives them. */
function isAllocatable(id: VisitorId | undefined): boolean {
  const isKnown = id?.marketingCloudVisitorId || id?.tntId || id?.thirdPartyId;
  return (
    Boolean(isKnown) ||
    (id?.customerIds ?? []).some((customer) => customer.authenticatedState === 'authenticated')
  );
}

function openPlaces(places: ExecuteRequest | undefined, offers: ResolvedOffers): ExecuteRequest {
  const mboxes = places?.mboxes?.filter(({ name }) => !offers.mboxes.has(name));
  return {
    ...(places?.pageLoad && !offers.pageLoad && { pageLoad: places.pageLoad }),
    ...(mboxes && mboxes.length > 0 && { mboxes }),
  };
}

/** Decisions of the script, with the engine's in the place of those that the script left open. */
function merge(
  { execute, prefetch }: Decisions,
  decided: DeliveryResponse,
  offers: ResolvedOffers,
  tokens: Tokens,
): Decisions {
  const answered = toPrefetched(decided.prefetch, tokens);
  // A view that the script lists stays the script's when all views were asked for.
  const views = answered.views?.filter(({ name }) => name === undefined || !offers.views.has(name)) ?? [];
  return {
    ...(execute && { execute: mergePlaces(execute, decided.execute) }),
    ...(prefetch && {
      prefetch: inOrder({
        ...mergePlaces(prefetch, answered),
        ...(prefetch.views && { views: [...prefetch.views, ...views.map(asServerSide)] }),
      }),
    }),
  };
}

function mergePlaces(scripted: ExecuteResponse, decided: ExecuteResponse = {}): ExecuteResponse {
  const pageLoad = decided.pageLoad ? asServerSide(decided.pageLoad) : scripted.pageLoad;
  const mboxes = scripted.mboxes?.flatMap((mbox) => {
    // No two mboxes have the same index, but one can have several answers.
    const answers = decided.mboxes?.filter(({ index }) => index === mbox.index) ?? [];
    return answers.length > 0 ? answers.map(asServerSide) : [mbox];
  });
  return inOrder({ ...(pageLoad && { pageLoad }), ...(mboxes && { mboxes }) });
}

/** Locations in the order of on-device answers, so that both can be compared as text. */
function inOrder({ mboxes, views, pageLoad }: PrefetchResponse): PrefetchResponse {
  return { ...(mboxes && { mboxes }), ...(views && { views }), ...(pageLoad && { pageLoad }) };
}

/** The response token that names the decider names the edge. */
function asServerSide<Answer extends LocationResponse>(answer: Answer): Answer {
  if (!answer.options) return answer;
  const options = answer.options.map((option) => ({
    ...option,
    responseTokens: { ...option.responseTokens, 'activity.decisioningMethod': 'server-side' },
  }));
  return { ...answer, options };
}

/** Prefetched locations carry the state that their notifications are to send back. */
function toPrefetched(decided: PrefetchResponse | undefined, tokens: Tokens): PrefetchResponse {
  const { pageLoad, mboxes, views } = decided ?? {};
  const withState = <Answer extends LocationResponse>(answer: Answer, kind: string, name = ''): Answer =>
    answer.options?.length ? { ...answer, state: tokens.make('state', kind, name) } : answer;
  return {
    ...(pageLoad && { pageLoad: withState(pageLoad, 'pageLoad') }),
    ...(mboxes && { mboxes: mboxes.map((mbox) => withState(mbox, 'mbox', mbox.name)) }),
    ...(views && { views: views.map((view) => withState(view, 'view', view.name)) }),
  };
}
