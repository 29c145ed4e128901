import type { ServedArtifact } from './artifact.js';
import { type ArtifactOptions, artifactRoute, eventTokensOf, toServedArtifact } from './artifact.js';
import { deliveryRoute } from './delivery.js';
import type { EdgeSetup } from './edge-setup.js';
import { Engine } from './engine-decisions.js';
import { type EdgeGeo, geoRoute, type PlacesByAddress, toPlaces } from './geo.js';
import { type EdgeCall, type EdgeOffers, type ResolvedOffers, resolveOffers } from './offers.js';
import type { OpenRequest } from './request-log.js';
import { type Answer, answerBy, type Route } from './routes.js';
import { type Decisions, decideByScript } from './scripted-decisions.js';

/** The address of a caller whose request does not say where it comes from. */
const LOOPBACK = '127.0.0.1';

/**
 * Answers the requests to an edge, by its offers, artifact and places. It has no network and no timers. The local edge
 * gives it what arrives over HTTP, and a test client gives it what its client sends.
 */
export class EdgeAnswers {
  readonly #setup: EdgeSetup;
  readonly #routes: readonly Route[];
  #offers: ResolvedOffers;
  #artifact: ServedArtifact | undefined;
  #artifactBefore: ServedArtifact | undefined;
  #places: PlacesByAddress;
  #engine: Engine | undefined;

  constructor(setup: EdgeSetup) {
    const { client, organizationId } = setup;
    this.#setup = setup;
    this.#offers = setup.offers;
    this.#places = setup.places;
    if (setup.artifact) {
      this.setArtifact(setup.artifact);
    }
    this.#routes = [
      deliveryRoute({ ...setup, decide: (call) => this.#decide(call) }),
      artifactRoute({ client, organizationId, current: () => this.#artifact }),
      geoRoute(LOOPBACK, () => this.#places),
    ];
  }

  /** Answers a request. It stores the broken rules of a delivery call in the request. */
  answer(request: OpenRequest): Promise<Answer> {
    return answerBy(this.#routes, request);
  }

  /** @throws {TypeError} naming the location whose offers are wrong. */
  setOffers(offers: EdgeOffers): void {
    this.#offers = resolveOffers(offers);
  }

  setArtifact(artifact: object | undefined, options?: ArtifactOptions): void {
    const served = artifact && toServedArtifact(artifact, options);
    this.#artifactBefore = this.#artifact ?? this.#artifactBefore;
    this.#artifact = served;
    // Tokens of the earlier artifacts stay valid, because clients may still report the displays of those rules.
    for (const token of eventTokensOf(artifact)) {
      this.#setup.tokens.remember(token);
    }
    this.close();
  }

  /** The present artifact as JSON, and the one before it. */
  get artifacts(): { readonly now: string | undefined; readonly before: string | undefined } {
    return { now: this.#artifact?.text, before: this.#artifactBefore?.text };
  }

  setGeo(geo: EdgeGeo): void {
    this.#places = toPlaces(geo);
    this.close();
  }

  /** Closes the client that decides by the artifact. A later call makes another one. */
  close(): void {
    void this.#engine?.close();
    this.#engine = undefined;
  }

  /** Decides a call: the offers decide the locations that they list, and the artifact decides all others. */
  async #decide(call: EdgeCall): Promise<Decisions> {
    const scripted = decideByScript(this.#offers, this.#setup.tokens, call);
    if (!this.#artifact) {
      return scripted;
    }
    this.#engine ??= new Engine({ ...this.#setup, artifact: this.#artifact.text, places: this.#places });
    return this.#engine.complete(scripted, this.#offers, call);
  }
}
