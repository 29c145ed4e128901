import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { withoutInherited } from '../json.js';
import type { ArtifactOptions, ServedArtifact } from './artifact.js';
import { artifactPath, artifactRoute, eventTokensOf, toServedArtifact } from './artifact.js';
import { deliveryRoute } from './delivery.js';
import type { EdgeConfig, EdgeSetup, TargetEdgeOptions } from './edge-setup.js';
import { resolveSetup } from './edge-setup.js';
import { Engine } from './engine-decisions.js';
import { readBody, sendAnswer, toOpenRequest } from './exchange.js';
import { playFault, statusUnder } from './fault-answers.js';
import type { FaultScope, FaultSwitch } from './fault-switches.js';
import { FaultSwitches } from './fault-switches.js';
import type { Fault } from './faults.js';
import type { EdgeGeo, PlacesByAddress } from './geo.js';
import { geoRoute, toPlaces } from './geo.js';
import type { EdgeCall, EdgeOffers, ResolvedOffers } from './offers.js';
import { resolveOffers } from './offers.js';
import type { ReceivedRequest, RequestFilter, WaitOptions } from './request-log.js';
import { isMeant, RequestLog } from './request-log.js';
import type { Route } from './routes.js';
import { answerBy, refusal } from './routes.js';
import type { Decisions } from './scripted-decisions.js';
import { decideByScript } from './scripted-decisions.js';
import { Timers } from './timers.js';

const LOOPBACK = '127.0.0.1';
/** Longer than a pause between two calls of a test or benchmark, so that a kept connection is not lost under a client. */
const KEEP_ALIVE_MS = 60_000;

/**
 * Starts a local Target edge: a real HTTP server on the loopback interface. By default neither it nor its open
 * connections keep the process alive. Rejects when the port is taken, and for an option that cannot be.
 */
export async function startTargetEdge(given: TargetEdgeOptions = {}): Promise<TargetEdge> {
  const options = withoutInherited(given);
  const setup = resolveSetup(options);
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS });
  server.listen(options.port ?? 0, LOOPBACK);
  await once(server, 'listening');
  if (!options.keepProcessAlive) {
    server.unref();
    server.on('connection', (socket) => socket.unref());
  }
  return new TargetEdge(server, setup);
}

/** A running local edge: what it was asked, what it shows, and what is wrong with it. */
export class TargetEdge {
  /** Such as `http://127.0.0.1:49152`. */
  readonly url: string;
  /** Such as `127.0.0.1:49152`. */
  readonly host: string;
  readonly port: number;
  /** Where the artifact is, whenever there is one; for `artifactLocation`, which allows any polling interval. */
  readonly artifactUrl: string;
  /** To be spread into the config of a TargetClient. */
  readonly config: EdgeConfig;

  readonly #server: Server;
  readonly #setup: EdgeSetup;
  readonly #routes: readonly Route[];
  readonly #log: RequestLog;
  readonly #faults = new FaultSwitches();
  readonly #timers = new Timers();
  #offers: ResolvedOffers;
  #artifact: ServedArtifact | undefined;
  #places: PlacesByAddress;
  #engine: Engine | undefined;
  #closed: Promise<void> | undefined;

  /** @internal Use {@link startTargetEdge}. */
  constructor(server: Server, setup: EdgeSetup) {
    this.port = (server.address() as AddressInfo).port;
    this.host = `${LOOPBACK}:${this.port}`;
    this.url = `http://${this.host}`;
    const { client, organizationId } = setup;
    const { host } = this;
    this.config = { client, organizationId, serverDomain: host, cdnBasePath: host, secure: false };
    this.artifactUrl = this.url + artifactPath(client);
    this.#server = server;
    this.#setup = setup;
    this.#offers = setup.offers;
    this.#places = setup.places;
    if (setup.artifact) this.setArtifact(setup.artifact);
    this.#log = new RequestLog(setup.maxRequests);
    this.#routes = [
      deliveryRoute({ ...setup, decide: (call) => this.#decide(call) }),
      artifactRoute({ client, organizationId, current: () => this.#artifact }),
      geoRoute(LOOPBACK, () => this.#places),
    ];
    server.on('request', (message, response) => {
      this.#receive(message, response).catch(() => response.destroy());
    });
  }

  /** What arrived, oldest first: complete requests, whatever the answer was. */
  get requests(): readonly ReceivedRequest[] {
    return this.#log.requests;
  }

  /** The request that arrived last. */
  get lastRequest(): ReceivedRequest | undefined {
    return this.#log.requests.at(-1);
  }

  /** What arrived at a path, or fits a predicate. */
  requestsTo(where: RequestFilter): readonly ReceivedRequest[] {
    return this.#log.requests.filter((request) => isMeant(request, where));
  }

  /**
   * Resolves with the requests that are meant once that many are in the log, those from before included, whether
   * answered yet or not. Rejects when that takes too long or the edge is closed.
   */
  waitForRequests(count: number, options?: WaitOptions): Promise<readonly ReceivedRequest[]> {
    return this.#log.waitFor(count, options);
  }

  /** Empties the log. */
  clearRequests(): void {
    this.#log.clear();
  }

  /** Replaces everything that the edge shows. Throws a `TypeError` on offers that are none. */
  setOffers(offers: EdgeOffers): void {
    this.#offers = resolveOffers(offers);
  }

  /**
   * Replaces the artifact from the next request on; without one there is none. It need not be a good one: what
   * cannot be decided by is served all the same, and deliveries that need it are answered with 500.
   */
  setArtifact(artifact: object | undefined, options?: ArtifactOptions): void {
    this.#artifact = artifact && toServedArtifact(artifact, options);
    // Clients that hold an earlier version still report what they showed of it.
    for (const token of eventTokensOf(artifact)) this.#setup.tokens.remember(token);
    this.#dropEngine();
  }

  /** Replaces everything that is known of places. */
  setGeo(geo: EdgeGeo): void {
    this.#places = toPlaces(geo);
    this.#dropEngine();
  }

  /**
   * Switches a fault on. A request meets the first fault, in the order of switching on, that is meant for it and
   * not used up: `fault(a, { times: 1 })` and then `fault(b, { times: 1 })` play one after the other.
   * Throws a `TypeError` on a fault that there is not.
   */
  fault(fault: Fault, scope?: FaultScope): FaultSwitch {
    return this.#faults.add(fault, scope);
  }

  /** Switches all faults off for requests to come; those that hang already go on hanging. */
  clearFaults(): void {
    this.#faults.clear();
  }

  /** Stops listening, ends every open connection at once and stops all timers. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#timers.clear();
      this.#log.close();
      this.#dropEngine();
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
    return this.#closed;
  }

  /** The same as {@link TargetEdge.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The script decides what it lists, the artifact everything else. */
  async #decide(call: EdgeCall): Promise<Decisions> {
    const scripted = decideByScript(this.#offers, this.#setup.tokens, call);
    if (!this.#artifact) return scripted;
    this.#engine ??= new Engine({ ...this.#setup, artifact: this.#artifact.text, places: this.#places });
    return this.#engine.complete(scripted, this.#offers, call);
  }

  #dropEngine(): void {
    void this.#engine?.close();
    this.#engine = undefined;
  }

  async #receive(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const { maxBodyBytes } = this.#setup;
    const body = await readBody(message, maxBodyBytes);
    const request = toOpenRequest(message, body ?? Buffer.alloc(0));
    const answer = body
      ? await answerBy(this.#routes, request)
      : refusal(413, `the body is over ${maxBodyBytes} bytes`);

    const due = this.#faults.meet(request);
    if (due) request.fault = due.fault.kind;
    const status = due ? statusUnder(due.fault, answer) : answer.status;
    if (status !== undefined) request.status = status;
    this.#log.add(request);

    if (!due) return sendAnswer(response, answer);
    this.#timers.after(due.delayMs, () => playFault(due.fault, { response, answer, timers: this.#timers }));
  }
}
