import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { withoutInherited } from '../inherited-names.js';
import { type ArtifactOptions, artifactPath } from './artifact.js';
import { EdgeAnswers } from './edge-answers.js';
import type { EdgeConfig, EdgeSetup, TargetEdgeOptions } from './edge-setup.js';
import { EDGE_OPTIONS, resolveSetup } from './edge-setup.js';
import { readBody, sendAnswer, toOpenRequest } from './exchange.js';
import { playFault, statusUnder } from './fault-answers.js';
import type { FaultScope, FaultSwitch } from './fault-switches.js';
import { FaultSwitches } from './fault-switches.js';
import type { Fault } from './faults.js';
import type { EdgeGeo } from './geo.js';
import { refuseUnknown } from './known-options.js';
import type { EdgeOffers } from './offers.js';
import type { ReceivedRequest, RequestFilter, WaitOptions } from './request-log.js';
import { checkFilter, isMeant, RequestLog } from './request-log.js';
import { refusal } from './routes.js';
import { Timers } from './timers.js';
import { BASE } from './workbench/layout.js';
import { Workbench } from './workbench/workbench.js';

const LOOPBACK = '127.0.0.1';
/**
 * The time in ms for which an idle connection is kept. It is longer than the pauses between the calls of a test or
 * benchmark, so these pauses close no connection.
 */
const KEEP_ALIVE_MS = 60_000;

/**
 * Starts a local Target edge: a real HTTP server on the loopback interface. The server and its open connections do not
 * keep the process alive, unless `keepProcessAlive` is set. The promise rejects when the port is in use.
 *
 * @throws {TypeError} as a rejection, for a wrong option.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` as a rejection, for an unknown option.
 *
 * @example
 * ```ts
 * const edge = await startTargetEdge({ offers: { mboxes: { hero: html('<p>Hello</p>') } } });
 * const client = TargetClient.create(edge.config);
 * const { response } = await client.getOffers({ request: { execute: { mboxes: [{ name: 'hero' }] } } });
 * await client.close();
 * await edge.close();
 * ```
 */
export async function startTargetEdge(given: TargetEdgeOptions = {}): Promise<TargetEdge> {
  refuseUnknown(given, EDGE_OPTIONS, 'startTargetEdge');
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

/** A running local edge. It shows offers, records the requests that arrive, and plays faults. */
export class TargetEdge {
  /** The base URL, such as `http://127.0.0.1:49152`. */
  readonly url: string;
  /** The host with the port, such as `127.0.0.1:49152`. */
  readonly host: string;
  /** The TCP port. */
  readonly port: number;
  /**
   * The URL of the artifact, for the client's option `artifactLocation`. A client with that option may use any polling
   * interval. The URL answers 404 while the edge has no artifact.
   */
  readonly artifactUrl: string;
  /** The URL of the workbench; `undefined` when the edge was started without it. */
  readonly workbenchUrl: string | undefined;
  /** The options that a `TargetClient` needs to talk to this edge. Spread them into the client's config. */
  readonly config: EdgeConfig;

  readonly #server: Server;
  readonly #setup: EdgeSetup;
  readonly #answers: EdgeAnswers;
  readonly #log: RequestLog;
  readonly #faults = new FaultSwitches();
  readonly #timers = new Timers();
  readonly #workbench: Workbench | undefined;
  #closed: Promise<void> | undefined;

  /** Makes an edge of a listening server. Users call {@link startTargetEdge} instead. @internal */
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
    this.#answers = new EdgeAnswers(setup);
    this.#log = new RequestLog(setup.maxRequests);
    this.#workbench = setup.workbench ? this.#openWorkbench() : undefined;
    this.workbenchUrl = this.#workbench && this.url + BASE;
    server.on('request', (message, response) => {
      this.#receive(message, response).catch(() => response.destroy());
    });
  }

  /**
   * The requests that arrived, the oldest first. All complete requests are listed, also those with an error as their
   * answer.
   */
  get requests(): readonly ReceivedRequest[] {
    return this.#log.requests;
  }

  /** The request that arrived last. */
  get lastRequest(): ReceivedRequest | undefined {
    return this.#log.requests.at(-1);
  }

  /**
   * Returns the requests to a path, or those that match a pattern or predicate.
   * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a text that is no path, such as a whole URL.
   */
  requestsTo(where: RequestFilter): readonly ReceivedRequest[] {
    checkFilter('where', where);
    return this.#log.requests.filter((request) => isMeant(request, where));
  }

  /**
   * Resolves with the selected requests once `count` of them have arrived. Earlier requests count too, and so do
   * requests that are not answered yet.
   *
   * @throws {Error} as a rejection, when `timeoutMs` is over or the edge is closed.
   *
   * @example
   * ```ts
   * const [report] = await edge.waitForRequests(1, { where: ({ delivery }) => delivery?.notifications !== undefined });
   * ```
   */
  waitForRequests(count: number, options?: WaitOptions): Promise<readonly ReceivedRequest[]> {
    return this.#log.waitFor(count, options);
  }

  /** Removes all requests from the list of arrived ones. */
  clearRequests(): void {
    this.#log.clear();
  }

  /**
   * Replaces all offers of the edge.
   * @throws {TypeError} naming the location whose offers are wrong.
   */
  setOffers(offers: EdgeOffers): void {
    this.#answers.setOffers(offers);
  }

  /**
   * Replaces the artifact for later requests; `undefined` removes it. The artifact may be invalid, because tests may
   * need that. It is served as it is, and delivery calls that need it are answered with 500.
   */
  setArtifact(artifact: object | undefined, options?: ArtifactOptions): void {
    this.#answers.setArtifact(artifact, options);
  }

  /** Replaces all places of IP addresses. */
  setGeo(geo: EdgeGeo): void {
    this.#answers.setGeo(geo);
  }

  /**
   * Switches a fault on. A request gets the fault that was switched on first, of those that apply to it and are not
   * used up.
   *
   * @throws {TypeError} for an unknown kind or a status outside 200 to 999.
   * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for an unknown field of the fault or of its scope, and for a `where`
   * that can select no request, such as a whole URL.
   *
   * @example
   * ```ts
   * // The next request is answered with 503, the one after it is reset.
   * edge.fault({ kind: 'status', status: 503 }, { times: 1 });
   * edge.fault({ kind: 'reset' }, { times: 1 });
   * ```
   */
  fault(fault: Fault, scope?: FaultScope): FaultSwitch {
    return this.#faults.add(fault, scope);
  }

  /** Switches all faults off for later requests. Requests that already got one stay as they are. */
  clearFaults(): void {
    this.#faults.clear();
  }

  /** Stops the edge: it ends all connections at once and stops all timers. A second call returns the same promise. */
  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#timers.clear();
      this.#workbench?.close();
      this.#log.close();
      this.#answers.close();
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
    return this.#closed;
  }

  /** Closes the edge at the end of a block with `await using`, like {@link TargetEdge.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #openWorkbench(): Workbench {
    const [log, faults, answers] = [this.#log, this.#faults, this.#answers];
    return new Workbench(
      {
        client: this.config.client,
        get requests() {
          return log.requests;
        },
        get faults() {
          return faults.list;
        },
        listen: (listener) => log.listen(listener),
        artifacts: () => answers.artifacts,
        addFault: (fault, scope) => void faults.add(fault, scope),
      },
      this.port,
    );
  }

  async #receive(message: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#workbench && Workbench.takes(message)) {
      return this.#workbench.answer(message, response);
    }
    const { maxBodyBytes } = this.#setup;
    const body = await readBody(message, maxBodyBytes);
    const request = toOpenRequest(message, body?.toString() ?? '');
    const answer = body
      ? await this.#answers.answer(request)
      : refusal(413, `the body is over ${maxBodyBytes} bytes`);

    const due = this.#faults.faultFor(request);
    if (due) {
      request.fault = due.fault.kind;
    }
    const status = due ? statusUnder(due.fault, answer) : answer.status;
    if (status !== undefined) {
      request.status = status;
    }
    this.#log.add(request);

    if (!due) {
      return sendAnswer(response, answer);
    }
    this.#timers.after(due.delayMs, () => playFault(due.fault, { response, answer, timers: this.#timers }));
  }
}
