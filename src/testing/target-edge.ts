import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deliveryRoute } from './delivery.js';
import { type DeliveryCheck, deliveryCheck } from './delivery-check.js';
import { readBody, sendAnswer, toOpenRequest } from './exchange.js';
import { playFault, statusUnder } from './fault-answers.js';
import type { FaultScope, FaultSwitch } from './fault-switches.js';
import { FaultSwitches } from './fault-switches.js';
import type { Fault } from './faults.js';
import type { EdgeCall, EdgeOffers, ResolvedOffers } from './offers.js';
import { resolveOffers } from './offers.js';
import type { ReceivedRequest, RequestFilter, WaitOptions } from './request-log.js';
import { isMeant, RequestLog } from './request-log.js';
import type { Route } from './routes.js';
import { answerBy, refusal } from './routes.js';
import { decideByScript } from './scripted-decisions.js';
import { Timers } from './timers.js';
import { Tokens } from './tokens.js';

const LOOPBACK = '127.0.0.1';
/** Longer than a pause between two calls of a test or benchmark, so that a kept connection is not lost under a client. */
const KEEP_ALIVE_MS = 60_000;

/** How a local edge is set up. All of it may be left out. */
export interface TargetEdgeOptions {
  /** @default a free one */
  readonly port?: number;
  /** Client code that the answers name. @default 'demo' */
  readonly client?: string;
  /** For `config`; a call with another `imsOrgId` is answered all the same. @default 'DEMO@AdobeOrg' */
  readonly organizationId?: string;
  /** Cluster that new tntIds and `edgeHost` name: 1 to 4 digits. @default '35' */
  readonly locationHint?: string;
  /** What the locations show. @default nothing */
  readonly offers?: EdgeOffers;
  /**
   * `edgeHost` of the answers: any text, false to leave it out, or a function of the call.
   * @default 'mboxedge{locationHint}.tt.omtrdc.net'
   */
  readonly edgeHost?: string | false | ((call: EdgeCall) => string | undefined);
  /** Whether fields and query parameters that the OpenAPI files do not name are violations. @default true */
  readonly strict?: boolean;
  /**
   * Which event tokens and states to take in notifications besides those that this edge gave out. A notification
   * with another one is not processed: its id is absent from the answer. @default none
   */
  readonly acceptToken?: (token: string) => boolean;
  /** How many requests `requests` holds; the oldest are forgotten. @default 1000 */
  readonly maxRequests?: number;
  /** A longer body is refused with 413. @default 4194304 (4 MiB) */
  readonly maxBodyBytes?: number;
  /** Whether a process with nothing else to do stays up for the edge's sake. @default false */
  readonly keepProcessAlive?: boolean;
}

/** What `TargetClient.create` needs to talk to a local edge; to be spread into its config. */
export interface EdgeConfig {
  readonly client: string;
  readonly organizationId: string;
  readonly serverDomain: string;
  readonly secure: false;
}

/**
 * Starts a local Target edge: a real HTTP server on the loopback interface. By default neither it nor its open
 * connections keep the process alive. Rejects when the port is taken, and for an option that cannot be.
 */
export async function startTargetEdge(options: TargetEdgeOptions = {}): Promise<TargetEdge> {
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
  /** To be spread into the config of a TargetClient. */
  readonly config: EdgeConfig;

  readonly #server: Server;
  readonly #setup: EdgeSetup;
  readonly #routes: readonly Route[];
  readonly #log: RequestLog;
  readonly #faults = new FaultSwitches();
  readonly #timers = new Timers();
  #offers: ResolvedOffers;
  #closed: Promise<void> | undefined;

  /** @internal Use {@link startTargetEdge}. */
  constructor(server: Server, setup: EdgeSetup) {
    this.port = (server.address() as AddressInfo).port;
    this.host = `${LOOPBACK}:${this.port}`;
    this.url = `http://${this.host}`;
    const { client, organizationId } = setup;
    this.config = { client, organizationId, serverDomain: this.host, secure: false };
    this.#server = server;
    this.#setup = setup;
    this.#offers = setup.offers;
    this.#log = new RequestLog(setup.maxRequests);
    this.#routes = [
      deliveryRoute({ ...setup, decide: (call) => decideByScript(this.#offers, setup.tokens, call) }),
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

  /** Replaces everything that the edge shows. */
  setOffers(offers: EdgeOffers): void {
    this.#offers = resolveOffers(offers);
  }

  /**
   * Switches a fault on. A request meets the first fault, in the order of switching on, that is meant for it and
   * not used up: `fault(a, { times: 1 })` and then `fault(b, { times: 1 })` play one after the other.
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
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
    return this.#closed;
  }

  /** The same as {@link TargetEdge.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
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

/** The options with their defaults, checked. */
interface EdgeSetup {
  readonly client: string;
  readonly organizationId: string;
  readonly locationHint: string;
  readonly edgeHost: (call: EdgeCall) => string | undefined;
  readonly offers: ResolvedOffers;
  readonly check: DeliveryCheck;
  readonly tokens: Tokens;
  readonly maxRequests: number;
  readonly maxBodyBytes: number;
}

function resolveSetup(options: TargetEdgeOptions): EdgeSetup {
  const { locationHint = '35', edgeHost = `mboxedge${locationHint}.tt.omtrdc.net` } = options;
  if (!/^\d{1,4}$/.test(locationHint)) throw new TypeError('locationHint must be 1 to 4 digits');
  return {
    client: options.client ?? 'demo',
    organizationId: options.organizationId ?? 'DEMO@AdobeOrg',
    locationHint,
    edgeHost: typeof edgeHost === 'function' ? edgeHost : () => edgeHost || undefined,
    offers: resolveOffers(options.offers),
    check: deliveryCheck(options.strict ?? true),
    tokens: new Tokens(options.acceptToken ?? (() => false)),
    maxRequests: options.maxRequests ?? 1000,
    maxBodyBytes: options.maxBodyBytes ?? 4 * 1024 * 1024,
  };
}
