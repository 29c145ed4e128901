import dns from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import type { ClosableSocket, Opening, Trip } from './connection-use.js';
import { openThroughProxy } from './proxied-connection.js';
import type { ProxyRules } from './proxy-rules.js';

const MAX_SOCKETS_PER_HOST = 128;
/** How old a connection gets: a host that has moved is followed when its name is looked up again. */
const MAX_AGE_MS = 300_000;

type Socket = NonNullable<http.ClientRequest['socket']>;

/** A call that starts. */
interface Started {
  readonly trip: Trip;
  /** What is left to the connection that takes the request; undefined once it is posted. */
  unsentBody: string | undefined;
}

/** Where the connections to an origin are kept. */
interface OriginPool {
  readonly origin: string;
  readonly agent: http.Agent;
  /** What their names begin with; on TLS there is more of it. */
  readonly namePrefix: string;
}

/** What opens the connections of an agent. */
interface Opener {
  readonly agent: http.Agent;
  readonly protocol: 'http:' | 'https:';
  readonly open: http.Agent['createConnection'];
}

/** Two times of a connection, on the clock of `performance.now()`. */
interface ConnectionTimes {
  readonly openedAt: number;
  /** The end of its last call. */
  idleSince: number;
}

/** The part of an agent that every request comes through, which Node's own types leave out. */
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

  /** With rules, connections go through the proxies that these name. */
  constructor(proxies?: ProxyRules) {
    this.#proxies = proxies;
    const options = { keepAlive: true, maxSockets: MAX_SOCKETS_PER_HOST, scheduling: 'lifo' } as const;
    this.#http = this.#watched(new http.Agent(options), 'http:');
    this.#https = this.#watched(new https.Agent(options), 'https:');
  }

  /** The agent of a URL. */
  agentOf({ protocol }: { readonly protocol: string }): http.Agent {
    return protocol === 'http:' ? this.#http : this.#https;
  }

  /**
   * Starts a request with its body, or without one that an open connection takes along with the head: what node-fetch
   * streams costs a fifth of a call more (`server-side/2kb-1`). A connection that is opened at once, and not behind
   * others, is measured. `giveUp` ends a request that has begun, before any of it is sent.
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
      if (started.unsentBody === undefined) return answer;
      // Somebody who stands in for node:http, as in a test, did not ask the agent: the request has no body.
      answer.catch(() => undefined);
      giveUp();
      this.dropIdle(url);
      return send(body);
    } finally {
      this.#started = undefined;
    }
  }

  /**
   * Closes idle connections: those to the origin of a URL, and of them those that have been idle since before a time, on
   * the clock of `performance.now()`, for what has answered since then is well.
   */
  dropIdle(url?: string, before = Number.POSITIVE_INFINITY): void {
    const pool = url === undefined ? undefined : this.#poolOf(url);
    for (const agent of pool ? [pool.agent] : [this.#http, this.#https])
      dropFree(agent, pool?.namePrefix ?? '', before);
  }

  /** Closes the connection that a call's answer came on, though another call may have it by now. */
  discard({ request }: Trip): void {
    if (request?.socket) drop(request.socket);
  }

  /** Closes idle connections now, and those in use after their answers. */
  close(): void {
    this.#http.maxFreeSockets = 0;
    this.#https.maxFreeSockets = 0;
    this.dropIdle();
  }

  /** Whether the next request to a URL gets a connection that is open already. Those that it should not get are closed. */
  #hasIdle(url: string): boolean {
    const { agent, namePrefix } = this.#poolOf(url);
    for (const name in agent.freeSockets) {
      const sockets = name.startsWith(namePrefix) ? agent.freeSockets[name] : undefined;
      // The agent takes the last one.
      for (let at = (sockets?.length ?? 0) - 1; at >= 0; at -= 1) {
        const socket = sockets?.[at];
        if (socket && !socket.destroyed && !isOld(socket)) return true;
        if (socket) drop(socket);
      }
    }
    return false;
  }

  /** Most calls go where the call before went, with another query. */
  #poolOf(url: string): OriginPool {
    const origin = url.slice(0, url.indexOf('/', url.indexOf('://') + 3));
    if (this.#lastPool?.origin !== origin) {
      const target = new URL(url);
      this.#lastPool = { origin, agent: this.agentOf(target), namePrefix: namePrefixOf(target) };
    }
    return this.#lastPool;
  }

  /** Gives a request the body that was left to its connection. */
  #sendBody(request: http.ClientRequest): void {
    const started = this.#started;
    if (started?.unsentBody === undefined) return;
    // node-fetch knows of no body.
    request.setHeader('Content-Length', Buffer.byteLength(started.unsentBody));
    request.end(started.unsentBody);
    started.unsentBody = undefined;
  }

  /** Opens a connection: at once, or through a proxy, which takes a while. */
  #open({ agent, protocol, open }: Opener, ...args: Parameters<Opener['open']>): ReturnType<Opener['open']> {
    const [options, done] = args;
    const trip = this.#started?.trip;
    const target = { protocol, hostname: options.host ?? '', port: Number(options.port) };
    const proxy = this.#proxies?.proxyOf(target);
    if (!proxy || !done) {
      const socket = open.apply(agent, args);
      if (socket && trip) measure(socket, trip.opening);
      return noteOpened(socket);
    }
    if (trip) trip.opening.isNew = true;
    const openOver = (tunnel: Socket) => {
      if (protocol === 'http:') return noteOpened(tunnel);
      const socket = open.call(agent, Object.assign({}, options, { socket: tunnel }));
      if (socket && trip) measureTls(socket, trip.opening);
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
      if (this.#started) this.#started.trip.request = request;
      add.call(agent, request, ...rest);
    };
    const keep = agent.keepSocketAlive;
    agent.keepSocketAlive = (socket) => {
      const isKept = keep.call(agent, socket);
      const times = timesBySocket.get(socket);
      if (times) times.idleSince = performance.now();
      // Bytes that nobody asked for would be the next call's answer.
      socket.on('data', onUnaskedData);
      // The agent closes it then. The timer keeps no process alive.
      (socket as Socket).setTimeout(MAX_AGE_MS);
      return isKept;
    };
    const reuse = agent.reuseSocket;
    agent.reuseSocket = (socket, request) => {
      socket.off('data', onUnaskedData);
      reuse.call(agent, socket, request);
      this.#sendBody(request);
    };
    // Before the agent gives it to a call that waits.
    agent.prependListener('free', (socket: Socket) => {
      if (isOld(socket)) socket.destroy();
    });
    return agent;
  }
}

/** Closes the idle connections of somebody else's agent to the origin of a URL; nothing of what is no agent of Node's. */
export function dropIdleOf(agent: object, url: string): void {
  if ('freeSockets' in agent)
    dropFree(agent as http.Agent, namePrefixOf(new URL(url)), Number.POSITIVE_INFINITY);
}

/** The start of the names of connections to a URL's origin; on TLS there is more of it. */
function namePrefixOf({ protocol, hostname, port }: URL): string {
  // An agent names an IPv6 address without its brackets.
  return `${hostname.replace(/^\[|\]$/g, '')}:${port || (protocol === 'http:' ? 80 : 443)}:`;
}

function dropFree({ freeSockets }: http.Agent, namePrefix: string, before: number): void {
  const names = Object.keys(freeSockets).filter((name) => name.startsWith(namePrefix));
  for (const socket of names.flatMap((name) => freeSockets[name] ?? [])) {
    if ((timesBySocket.get(socket)?.idleSince ?? 0) < before) drop(socket);
  }
}

function isOld(socket: Socket): boolean {
  return performance.now() - (timesBySocket.get(socket)?.openedAt ?? 0) >= MAX_AGE_MS;
}

/** Closes a connection, and takes it from its agent at once: a request that starts before it has closed would get it. */
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
    if (!error) opening.dnsMs = performance.now() - started;
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
  if (socket) timesBySocket.set(socket, { openedAt: now, idleSince: now });
  return socket;
}

/** Looks a host's name up as its connections do; rejects when it has no address. */
export function lookUp(hostname: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    dns.lookup(hostname, (error, address) => (error ? reject(error) : resolve(address)));
  });
}
