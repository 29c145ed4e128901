import dns from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import type { ClosableSocket, Opening, Trip } from './connection-use.js';
import { openThroughProxy } from './proxied-connection.js';
import type { ProxyRules } from './proxy-rules.js';

const MAX_SOCKETS_PER_HOST = 128;
/**
 * Longest age of a connection in ms. A new connection looks the host's name up again, and so follows a host that has
 * moved.
 */
const MAX_AGE_MS = 300_000;

type Socket = NonNullable<http.ClientRequest['socket']>;

/** A call that has just started. */
interface Started {
  readonly trip: Trip;
  /** The body, which is sent when a connection takes the request. Undefined once it is sent, or when there is none. */
  unsentBody: string | undefined;
}

/** The connections to one origin, in an agent. */
interface OriginPool {
  readonly origin: string;
  readonly agent: http.Agent;
  /** The agent keeps each connection under a name that begins with this text. */
  readonly namePrefix: string;
}

/** An agent, and its original function that opens connections. */
interface Opener {
  readonly agent: http.Agent;
  readonly protocol: 'http:' | 'https:';
  readonly open: http.Agent['createConnection'];
}

/** Two times of a connection, on the clock of `performance.now()`. */
interface ConnectionTimes {
  readonly openedAt: number;
  /** The end of the connection's last call. Before the first call, the time of its opening. */
  idleSince: number;
}

/** The method of an agent that every request goes through. Node's own types leave it out. */
interface AgentInternals {
  addRequest(request: http.ClientRequest, ...rest: unknown[]): void;
}

const timesBySocket = new WeakMap<object, ConnectionTimes>();

/** The client's own keep-alive connections. */
export class Connections {
  readonly #http: http.Agent;
  readonly #https: https.Agent;
  #started: Started | undefined;
  #lastPool: OriginPool | undefined;
  readonly #proxies: ProxyRules | undefined;

  /** Makes the agents. With proxy rules, connections go through the proxies that the rules name. */
  constructor(proxies?: ProxyRules) {
    this.#proxies = proxies;
    const options = { keepAlive: true, maxSockets: MAX_SOCKETS_PER_HOST, scheduling: 'lifo' } as const;
    this.#http = this.#watched(new http.Agent(options), 'http:');
    this.#https = this.#watched(new https.Agent(options), 'https:');
  }

  /** Returns the agent for a URL's protocol. */
  agentOf({ protocol }: { readonly protocol: string }): http.Agent {
    return protocol === 'http:' ? this.#http : this.#https;
  }

  /**
   * Starts a request. When a connection is open, the request starts without its body, and the connection sends head and
   * body together. Otherwise node-fetch would stream the body, which makes a call a fifth slower (benchmark
   * server-side/2kb-1). Measures the opening of a connection, unless the request waits in the agent's queue. A request
   * that never reached the agent is ended with `giveUp`, and sent again.
   */
  start<Answer>(
    trip: Trip,
    send: (body: string | undefined) => Promise<Answer>,
    giveUp: () => void,
  ): Promise<Answer> {
    const { url, body } = trip;
    const isLeft = this.#hasIdle(url) && body !== undefined;
    const started: Started = { trip, unsentBody: isLeft ? body : undefined };
    this.#started = started;
    try {
      const answer = send(isLeft ? undefined : body);
      if (started.unsentBody === undefined) {
        return answer;
      }
      // A mock of `node:http`, as in a test, does not use the agent. Its request got no body, so it is sent again with
      // one.
      answer.catch(() => undefined);
      giveUp();
      this.dropIdle(url);
      return send(body);
    } finally {
      this.#started = undefined;
    }
  }

  /**
   * Closes idle connections, by default all. With a URL, closes only those to its origin. With `before`, closes only
   * those that have been idle since before that time on the clock of `performance.now()`. A connection that has
   * answered since then works.
   */
  dropIdle(url?: string, before = Number.POSITIVE_INFINITY): void {
    const pool = url === undefined ? undefined : this.#poolOf(url);
    for (const agent of pool ? [pool.agent] : [this.#http, this.#https]) {
      dropFree(agent, pool?.namePrefix ?? '', before);
    }
  }

  /** Closes the connection that a call's answer came on, even if another call uses it by now. */
  discard({ request }: Trip): void {
    if (request?.socket) {
      drop(request.socket);
    }
  }

  /** Closes idle connections at once, and connections in use after their answers. */
  close(): void {
    this.#http.maxFreeSockets = 0;
    this.#https.maxFreeSockets = 0;
    this.dropIdle();
  }

  /**
   * Tells whether the next request to a URL gets an open connection. It also closes connections that are too old, so
   * the request gets none of them.
   */
  #hasIdle(url: string): boolean {
    const { agent, namePrefix } = this.#poolOf(url);
    for (const name in agent.freeSockets) {
      const sockets = name.startsWith(namePrefix) ? agent.freeSockets[name] : undefined;
      // The agent takes the last connection of the list.
      for (let at = (sockets?.length ?? 0) - 1; at >= 0; at -= 1) {
        const socket = sockets?.[at];
        if (socket && !socket.destroyed && !isOld(socket)) {
          return true;
        }
        if (socket) {
          drop(socket);
        }
      }
    }
    return false;
  }

  /** Finds the pool of a URL. The last pool is kept, because most calls go to the same origin as the call before. */
  #poolOf(url: string): OriginPool {
    const origin = url.slice(0, url.indexOf('/', url.indexOf('://') + 3));
    if (this.#lastPool?.origin !== origin) {
      const target = new URL(url);
      this.#lastPool = { origin, agent: this.agentOf(target), namePrefix: namePrefixOf(target) };
    }
    return this.#lastPool;
  }

  /** Sends the body of the request that has just got an open connection. */
  #sendBody(request: http.ClientRequest): void {
    const started = this.#started;
    if (started?.unsentBody === undefined) {
      return;
    }
    // The header is set here, because node-fetch was given no body to measure.
    request.setHeader('Content-Length', Buffer.byteLength(started.unsentBody));
    request.end(started.unsentBody);
    started.unsentBody = undefined;
  }

  /** Opens a connection. A direct one is returned at once; one through a proxy is passed to the callback later. */
  #open({ agent, protocol, open }: Opener, ...args: Parameters<Opener['open']>): ReturnType<Opener['open']> {
    const [options, done] = args;
    const trip = this.#started?.trip;
    const target = { protocol, hostname: options.host ?? '', port: Number(options.port) };
    const proxy = this.#proxies?.proxyOf(target);
    if (!proxy || !done) {
      const socket = open.apply(agent, args);
      if (socket && trip) {
        measure(socket, trip.opening);
      }
      return noteOpened(socket);
    }
    if (trip) {
      trip.opening.isNew = true;
    }
    const openOver = (tunnel: Socket) => {
      if (protocol === 'http:') {
        return noteOpened(tunnel);
      }
      const socket = open.call(agent, Object.assign({}, options, { socket: tunnel }));
      if (socket && trip) {
        measureTls(socket, trip.opening);
      }
      return noteOpened(socket);
    };
    openThroughProxy({ agent, proxy, target, options, cut: trip?.cut, openOver }, done);
    return undefined;
  }

  #watched<Agent extends http.Agent>(agent: Agent, protocol: 'http:' | 'https:'): Agent {
    const open = agent.createConnection;
    agent.createConnection = (...args) => this.#open({ agent, protocol, open }, ...args);
    const internals = agent as unknown as AgentInternals;
    const add = internals.addRequest;
    internals.addRequest = (request, ...rest) => {
      if (this.#started) {
        this.#started.trip.request = request;
      }
      add.call(agent, request, ...rest);
    };
    const keep = agent.keepSocketAlive;
    agent.keepSocketAlive = (socket) => {
      const isKept = keep.call(agent, socket);
      const times = timesBySocket.get(socket);
      if (times) {
        times.idleSince = performance.now();
      }
      // Bytes that come on an idle connection would be taken for the next call's answer.
      socket.on('data', onUnaskedData);
      // The agent closes a connection that is idle for this long. The timer keeps no process alive.
      (socket as Socket).setTimeout(MAX_AGE_MS);
      return isKept;
    };
    const reuse = agent.reuseSocket;
    agent.reuseSocket = (socket, request) => {
      socket.off('data', onUnaskedData);
      reuse.call(agent, socket, request);
      this.#sendBody(request);
    };
    // This listener runs first. Otherwise the agent would give an old connection to a call in its queue.
    agent.prependListener('free', (socket: Socket) => {
      if (isOld(socket)) {
        socket.destroy();
      }
    });
    return agent;
  }
}

/**
 * Closes the idle connections to a URL's origin in the caller's own agent. Does nothing if that is no agent of Node.
 */
export function dropIdleOf(agent: object, url: string): void {
  if ('freeSockets' in agent) {
    dropFree(agent as http.Agent, namePrefixOf(new URL(url)), Number.POSITIVE_INFINITY);
  }
}

/**
 * Returns the text with which the names of the connections to a URL's origin begin. An agent keeps its connections
 * under these names. With TLS, a name goes on after the text.
 */
function namePrefixOf({ protocol, hostname, port }: URL): string {
  // An agent writes an IPv6 address without its brackets.
  return `${hostname.replace(/^\[|\]$/g, '')}:${port || (protocol === 'http:' ? 80 : 443)}:`;
}

function dropFree({ freeSockets }: http.Agent, namePrefix: string, before: number): void {
  const names = Object.keys(freeSockets).filter((name) => name.startsWith(namePrefix));
  for (const socket of names.flatMap((name) => freeSockets[name] ?? [])) {
    if ((timesBySocket.get(socket)?.idleSince ?? 0) < before) {
      drop(socket);
    }
  }
}

function isOld(socket: Socket): boolean {
  return performance.now() - (timesBySocket.get(socket)?.openedAt ?? 0) >= MAX_AGE_MS;
}

/**
 * Closes a connection, and removes it from its agent at once. Otherwise a request that starts before the connection has
 * closed would get it.
 */
function drop(socket: ClosableSocket): void {
  socket.destroy();
  socket.emit('agentRemove');
}

function onUnaskedData(this: Socket): void {
  drop(this);
}

function measure(socket: NodeJS.EventEmitter, opening: Opening): void {
  const started = performance.now();
  opening.isNew = true;
  socket.once('lookup', (error: unknown) => {
    if (!error) {
      opening.dnsMs = performance.now() - started;
    }
  });
  socket.once('connect', () => measureTls(socket, opening));
}

function measureTls(socket: NodeJS.EventEmitter, opening: Opening): void {
  const connected = performance.now();
  socket.once('secureConnect', () => {
    opening.tlsMs = performance.now() - connected;
  });
}

function noteOpened<Opened extends object | null | undefined>(socket: Opened): Opened {
  const now = performance.now();
  if (socket) {
    timesBySocket.set(socket, { openedAt: now, idleSince: now });
  }
  return socket;
}

/** Tells whether a function is the method of this name of one of Node's own agents. */
export function isOfAgents(name: PropertyKey, method: unknown): boolean {
  return [https.Agent, http.Agent].some((own) => Reflect.get(own.prototype, name) === method);
}

/** Looks a host's name up in the same way as its connections do. Rejects when the name has no address. */
export function lookUp(hostname: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    dns.lookup(hostname, (error, address) => (error ? reject(error) : resolve(address)));
  });
}
