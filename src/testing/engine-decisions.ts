import { TargetClient } from '../client.js';
import type { ClientSources } from '../client-parts.js';
import type { TargetClientConfig } from '../config/config-options.js';
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

/** Options of {@link Engine}. */
export interface EngineOptions {
  readonly client: string;
  readonly organizationId: string;
  readonly locationHint: string;
  /** The artifact as JSON. */
  readonly artifact: string;
  readonly places: PlacesByAddress;
  readonly tokens: Tokens;
  readonly sources: ClientSources;
}

/**
 * Decides the locations that the offers do not list, by the rules of an artifact. It uses an on-device client, so a
 * visitor gets the same answer from the edge as from a client with that artifact.
 */
export class Engine {
  readonly #options: EngineOptions;
  #client: TargetClient | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  /**
   * Adds the decisions about unlisted locations to those about listed ones.
   * @throws {TargetError} when there are unlisted locations and the artifact cannot be used.
   */
  async complete(scripted: Decisions, offers: ResolvedOffers, call: EdgeCall): Promise<Decisions> {
    const open = toUnlistedRequest(call, offers);
    if (!open) {
      return scripted;
    }
    this.#client ??= createClient(this.#options);
    const { response } = await this.#client.getOffers({ request: open, sessionId: call.sessionId });
    return merge(scripted, response, offers, this.#options.tokens);
  }

  /** Closes the client, if one was made. */
  async close(): Promise<void> {
    await this.#client?.close();
  }
}

function createClient(options: EngineOptions): TargetClient {
  const { client, organizationId, locationHint, artifact, places, sources } = options;
  const config: TargetClientConfig = {
    client,
    organizationId,
    // The hint is given, because the client would otherwise send a call to learn it.
    targetLocationHint: locationHint,
    decisioningMethod: 'on-device',
    artifactPayload: JSON.parse(artifact) as object,
    pollingInterval: 0,
    telemetryEnabled: false,
    fetchApi: withoutNetwork(places),
  };
  return TargetClient.createFrom(config, sources);
}

/**
 * Makes the engine's substitute for the network. It answers geo look-ups from the edge's places. It accepts display
 * notifications and drops them, because the edge itself counts nothing.
 */
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

/** Returns the part of a request that the offers do not list; `undefined` when they list all of it. */
function toUnlistedRequest(
  { request, tntId }: EdgeCall,
  offers: ResolvedOffers,
): DeliveryRequest | undefined {
  const execute = unlistedLocations(request.execute, offers);
  const views = request.prefetch?.views?.filter(({ name }) => name === undefined || !offers.views.has(name));
  const prefetch = {
    ...unlistedLocations(request.prefetch, offers),
    ...(views && views.length > 0 && { views }),
  };
  const asks = { execute: Object.keys(execute).length > 0, prefetch: Object.keys(prefetch).length > 0 };
  if (!asks.execute && !asks.prefetch) {
    return undefined;
  }
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

/**
 * Tells whether a visitor has an id that can be used for allocation. The others are allocated by the tntId that the
 * edge gives them.
 */
function isAllocatable(id: VisitorId | undefined): boolean {
  const isKnown = id?.marketingCloudVisitorId || id?.tntId || id?.thirdPartyId;
  return (
    Boolean(isKnown) ||
    (id?.customerIds ?? []).some((customer) => customer.authenticatedState === 'authenticated')
  );
}

/** Returns the mboxes and the page load that the offers do not list. */
function unlistedLocations(asked: ExecuteRequest | undefined, offers: ResolvedOffers): ExecuteRequest {
  const mboxes = asked?.mboxes?.filter(({ name }) => !offers.mboxes.has(name));
  return {
    ...(asked?.pageLoad && !offers.pageLoad && { pageLoad: asked.pageLoad }),
    ...(mboxes && mboxes.length > 0 && { mboxes }),
  };
}

/** Joins both kinds of decisions. A decision of the engine replaces the empty one of an unlisted location. */
function merge(
  { execute, prefetch }: Decisions,
  decided: DeliveryResponse,
  offers: ResolvedOffers,
  tokens: Tokens,
): Decisions {
  const answered = toPrefetched(decided.prefetch, tokens);
  // A request for all views also makes the engine decide listed views; the offers' decision about them is kept.
  const views = answered.views?.filter(({ name }) => name === undefined || !offers.views.has(name)) ?? [];
  return {
    ...(execute && { execute: mergeLocations(execute, decided.execute) }),
    ...(prefetch && {
      prefetch: inOrder({
        ...mergeLocations(prefetch, answered),
        ...(prefetch.views && { views: [...prefetch.views, ...views.map(asServerSide)] }),
      }),
    }),
  };
}

function mergeLocations(scripted: ExecuteResponse, decided: ExecuteResponse = {}): ExecuteResponse {
  const pageLoad = decided.pageLoad ? asServerSide(decided.pageLoad) : scripted.pageLoad;
  const mboxes = scripted.mboxes?.flatMap((mbox) => {
    // Indexes are unique in a request, but one mbox can have several answers.
    const answers = decided.mboxes?.filter(({ index }) => index === mbox.index) ?? [];
    return answers.length > 0 ? answers.map(asServerSide) : [mbox];
  });
  return inOrder({ ...(pageLoad && { pageLoad }), ...(mboxes && { mboxes }) });
}

/** Orders the locations as on-device answers do. Tests can then compare both as text. */
function inOrder({ mboxes, views, pageLoad }: PrefetchResponse): PrefetchResponse {
  return { ...(mboxes && { mboxes }), ...(views && { views }), ...(pageLoad && { pageLoad }) };
}

/** Sets the response token that names the decisioning method, because the caller asked the edge. */
function asServerSide<Answer extends LocationResponse>(answer: Answer): Answer {
  if (!answer.options) {
    return answer;
  }
  const options = answer.options.map((option) => ({
    ...option,
    responseTokens: { ...option.responseTokens, 'activity.decisioningMethod': 'server-side' },
  }));
  return { ...answer, options };
}

/** Adds a state to prefetched locations with options. Their notifications have to send it back. */
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
