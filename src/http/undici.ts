/**
 * A faster transport for calls to the edge, on the optional package undici.
 *
 * @packageDocumentation
 */

import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Agent, buildConnector, Client, type Dispatcher, Pool } from 'undici';
import { ACCEPTED_CODINGS, decoded } from './content-codings.js';
import type { FetchApi, FetchInit, FetchResponse } from './fetch-api.js';
import type { ProxyRules } from './proxy-rules.js';
import { openTunnel } from './tunnel.js';
import { toFetchOptions } from './undici-options.js';

/** The part of an undici `Dispatcher` that is used. An `Agent`, a `ProxyAgent` and a `MockAgent` all have it. */
export interface UndiciDispatcher {
  request(options: object): Promise<unknown>;
}

/** Options of {@link createUndiciFetch}. */
export interface UndiciFetchOptions {
  /** The maximum number of connections to each host. Calls beyond them wait until one is free. @default 128 */
  readonly connections?: number | undefined;
  /**
   * An undici dispatcher that carries the calls, such as a `ProxyAgent`. `close()` of the fetch leaves it open.
   * @default a pool of connections that belongs to the fetch
   */
  readonly dispatcher?: UndiciDispatcher | undefined;
}

/** A `fetchApi` on undici. */
export interface UndiciFetch extends FetchApi {
  /** Closes the fetch's own connections as soon as their calls have ended. A process can end without it. */
  close(): Promise<void>;
}

interface FetchOptions {
  readonly dispatcher?: UndiciDispatcher;
  readonly connections: number;
  readonly proxies?: ProxyRules;
}

interface AgentParts {
  readonly connections: number;
  readonly open: Set<Connection>;
  readonly proxies: ProxyRules | undefined;
}

/**
 * Longest age of a connection in ms. A new connection looks the host's name up again, and so follows a host that has
 * moved.
 */
const MAX_AGE_MS = 300_000;
/**
 * Time in ms during which each call closes its connection. It is long enough for a busy server to use every connection.
 */
const RESET_MS = 10_000;

/**
 * Makes a `fetchApi` on undici's `request`. It does several times less work per call than node-fetch, with the same
 * results. The package `undici` has to be installed beside this one. Make one fetch, and share it between clients.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a wrong option.
 * @example
 * ```ts
 * import { TargetClient } from 'target-node-sdk';
 * import { createUndiciFetch } from 'target-node-sdk/undici';
 *
 * const client = TargetClient.create({
 *   client: 'acmeclient',
 *   organizationId: '1234567890@AdobeOrg',
 *   fetchApi: createUndiciFetch(),
 * });
 * ```
 */
export function createUndiciFetch(options: UndiciFetchOptions = {}): UndiciFetch {
  const { dispatcher, connections } = toFetchOptions(options);
  if (dispatcher) {
    return createFetch({ dispatcher, connections });
  }
  const direct = createFetch({ connections });
  const { close: closeDirect } = direct;
  // All clients that share the fetch share its proxied connections too.
  let proxied: UndiciFetch | undefined;
  const close = async () => {
    await Promise.all([closeDirect(), proxied?.close()]);
  };
  const through = (proxies: ProxyRules) => {
    proxied ??= createFetch({ connections, proxies });
    return proxied;
  };
  // The property is not enumerable. So a wrapper that copies the properties of this fetch does not get it. Proxied
  // calls would otherwise bypass the wrapper.
  return Object.defineProperty(Object.assign(direct, { close }), 'proxied', { value: through });
}

function createFetch({ dispatcher, connections, proxies }: FetchOptions): UndiciFetch {
  const open = new Set<Connection>();
  const own = dispatcher ? undefined : createAgent({ connections, open, proxies });
  const used = dispatcher ?? (own as UndiciDispatcher);
  // The caller's own dispatcher does not show its connections. To get rid of bad ones, every call closes its connection
  // for a while.
  let resetsUntil = 0;
  const resetForAWhile = () => {
    resetsUntil = performance.now() + RESET_MS;
  };
  const call = async (url: string, init: FetchInit) => {
    const trip: Trip = {};
    const options = toRequest(url, init, trip);
    if (resetsUntil > 0 && performance.now() < resetsUntil) {
      Object.assign(options, { reset: true });
    }
    const answer = (await used.request(options)) as Answer;
    return toResponse(answer, dispatcher ? resetForAWhile : () => trip.connection?.discard());
  };
  return Object.assign(call, {
    // The caller's own dispatcher may use any part of a signal, so it gets a real one.
    takesAnySignal: !dispatcher,
    connectsDirectly: !dispatcher && !proxies,
    ...(!dispatcher && { connections }),
    dropIdle: (url: string, before: number) => {
      if (dispatcher) {
        resetForAWhile();
      }
      const { origin } = new URL(url);
      for (const connection of [...open]) {
        connection.dropIdle(origin, before);
      }
    },
    close: async () => own?.close(),
  });
}

/** A call that undici carries. */
interface Trip {
  /** The connection that carries the call, set when the call starts. Absent with the caller's own dispatcher. */
  connection?: Connection;
}

/** Makes an agent whose connections are known one by one. Open ones are in the set `open`. */
function createAgent({ connections, open, proxies }: AgentParts): Agent {
  const factory = (origin: URL, options: object) => new Connection(origin, options, open);
  return new Agent({
    connections,
    // The client's own deadline is the only limit.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveMaxTimeout: MAX_AGE_MS,
    // Each connection carries one call at a time. So it is known which call it carries.
    allowH2: false,
    ...(proxies && { connect: connectThrough(proxies) }),
    factory: (origin, options) => new Pool(origin, { ...options, factory }),
  });
}

/** Makes the function that opens connections, through the proxies that the rules name. */
function connectThrough(proxies: ProxyRules): buildConnector.connector {
  const connect = buildConnector({ allowH2: false });
  return (target, done) => {
    const { protocol, hostname } = target;
    const port = Number(target.port) || (protocol === 'https:' ? 443 : 80);
    const end = { protocol, hostname, port };
    const proxy = proxies.proxyOf(end);
    if (!proxy) {
      return connect(target, done);
    }
    openTunnel(proxy, end, (error, tunnel) => {
      if (!tunnel) {
        return done(error ?? new Error('no tunnel'), null);
      }
      return protocol === 'https:' ? connect({ ...target, httpSocket: tunnel }, done) : done(null, tunnel);
    });
  };
}

/** A connection in undici's pool. It may close, and it opens again when a call needs it. */
class Connection extends Client {
  readonly #origin: string;
  readonly #open: Set<Connection>;
  #socket: Parameters<buildConnector.Callback>[1] | undefined;
  /** The opening of the connection, on the clock of `performance.now()`. */
  #openedAt = 0;
  /** The end of the last call, on the same clock. Undefined while a call is under way. */
  #idleSince: number | undefined;

  constructor(origin: URL, options: Client.Options, open: Set<Connection>) {
    // The pool always passes a function here, which opens connections.
    const connect = options.connect as buildConnector.connector;
    super(origin, {
      ...options,
      connect: (target, done) =>
        connect(target, (...[error, socket]: Parameters<buildConnector.Callback>) => {
          if (error) {
            return done(error, null);
          }
          this.#socket = socket;
          this.#openedAt = performance.now();
          open.add(this);
          return done(null, socket);
        }),
    });
    this.#origin = origin.origin;
    this.#open = open;
    this.on('drain', () => {
      this.#idleSince = performance.now();
      if (this.#isOld()) {
        this.discard();
      }
    });
    this.on('disconnect', () => this.#forget());
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    this.#idleSince = undefined;
    // The call waits until the old connection is closed, and then opens a new one.
    if (this.#isOld()) {
      this.discard();
    }
    const { opaque } = options as { readonly opaque?: Trip };
    if (opaque) {
      opaque.connection = this;
    }
    return super.dispatch(options, handler);
  }

  /** Closes the connection, even if another call uses it by now. */
  discard(): void {
    this.#socket?.destroy();
    this.#forget();
  }

  /** Closes the connection if it goes to `origin` and has been idle since before a time. */
  dropIdle(origin: string, before: number): void {
    if (this.#origin === origin && this.#idleSince !== undefined && this.#idleSince < before) {
      this.discard();
    }
  }

  #isOld(): boolean {
    return this.#socket !== undefined && performance.now() - this.#openedAt >= MAX_AGE_MS;
  }

  #forget(): void {
    this.#socket = undefined;
    this.#open.delete(this);
  }
}

/** The part of undici's answer that is used. */
interface Answer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readable;
}

/** Makes the options for undici's `request`. */
function toRequest(url: string, { method, headers, body, signal }: FetchInit, opaque: Trip): object {
  const plain = isPlain(url) ? url : withoutFragment(url);
  const pathFrom = plain.indexOf('/', plain.indexOf('://') + 3);
  return {
    origin: plain.slice(0, pathFrom),
    path: plain.slice(pathFrom),
    method,
    headers: { ...headers, 'Accept-Encoding': ACCEPTED_CODINGS },
    body,
    signal,
    opaque,
  };
}

/**
 * Tells whether a URL is only an origin and a path, perhaps with a query. The URLs of calls are, and need no slow
 * parser.
 */
function isPlain(url: string): boolean {
  const pathFrom = url.indexOf('/', url.indexOf('://') + 3);
  const queryFrom = url.indexOf('?');
  return pathFrom > 0 && !(queryFrom >= 0 && queryFrom < pathFrom) && !url.includes('#');
}

/** Removes the fragment of a URL, which is not sent (https://www.rfc-editor.org/rfc/rfc9110#section-7.1). */
function withoutFragment(url: string): string {
  const parsed = new URL(url);
  parsed.hash = '';
  return parsed.href;
}

function toResponse({ statusCode, headers, body }: Answer, discard: () => void): FetchResponse {
  // The bytes are passed on by undici as they came.
  const codings = textOf(headers['content-encoding']);
  const readable = codings === null ? body : decoded(statusCode, codings, body);
  return {
    status: statusCode,
    headers: { get: (name) => textOf(headers[name.toLowerCase()]) },
    body: readable,
    text: () => text(readable),
    discard,
  };
}

function textOf(value: string | string[] | undefined): string | null {
  return Array.isArray(value) ? value.join(', ') : (value ?? null);
}
