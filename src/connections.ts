import dns from 'node:dns';
import http from 'node:http';
import https from 'node:https';

/** What a call's connection cost to open, filled in while it opens. */
export interface Opening {
  /** Whether the call opened a connection; else it got one that was open, or had to wait for its turn. */
  isNew?: boolean;
  /** From the start to the host's address; absent for an address. */
  dnsMs?: number;
  /** From the connection to the end of the TLS handshake; absent for plain http. */
  tlsMs?: number;
}

const MAX_SOCKETS_PER_HOST = 128;

/** A request, as far as it is looked at before it starts. */
interface Starting {
  readonly url: string;
  /** Of the connection that it opens. */
  readonly opening: Opening;
  readonly body?: string | undefined;
}

/** A request that starts. */
interface Started {
  readonly opening: Opening;
  /** What is left to the connection that takes the request; undefined once it is posted. */
  body: string | undefined;
}

/** Where the connections to an origin are kept. */
interface Place {
  readonly origin: string;
  readonly agent: http.Agent;
  /** What their names begin with; on TLS there is more of it. */
  readonly start: string;
}

/** The client's own keep-alive connections. */
export class Connections {
  readonly #http: http.Agent;
  readonly #https: https.Agent;
  #started: Started | undefined;
  #last: Place | undefined;

  constructor() {
    const options = { keepAlive: true, maxSockets: MAX_SOCKETS_PER_HOST, scheduling: 'lifo' } as const;
    this.#http = this.#watched(new http.Agent(options));
    this.#https = this.#watched(new https.Agent(options));
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
    { url, opening, body }: Starting,
    send: (body: string | undefined) => Promise<Answer>,
    giveUp: () => void,
  ): Promise<Answer> {
    const isLeft = body !== undefined && this.#hasIdle(url);
    const started: Started = { opening, body: isLeft ? body : undefined };
    this.#started = started;
    try {
      const answer = send(isLeft ? undefined : body);
      if (started.body === undefined) return answer;
      // Somebody who stands in for node:http, as in a test, did not ask the agent: the request has no body.
      answer.catch(() => undefined);
      giveUp();
      this.dropIdle();
      return send(body);
    } finally {
      this.#started = undefined;
    }
  }

  /** Closes the connections that nobody uses, which a server may have forgotten long ago. */
  dropIdle(): void {
    for (const agent of [this.#http, this.#https]) {
      for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
    }
  }

  /** Closes idle connections now, and those in use after their answers. */
  close(): void {
    this.#http.maxFreeSockets = 0;
    this.#https.maxFreeSockets = 0;
    this.dropIdle();
  }

  /** Whether the next request to a URL gets a connection that is open already. */
  #hasIdle(url: string): boolean {
    const { agent, start } = this.#placeOf(url);
    for (const name in agent.freeSockets) {
      if (name.startsWith(start) && agent.freeSockets[name]?.some(({ destroyed }) => !destroyed)) return true;
    }
    return false;
  }

  /** Most calls go where the call before went, with another query. */
  #placeOf(url: string): Place {
    const origin = url.slice(0, url.indexOf('/', url.indexOf('://') + 3));
    if (this.#last?.origin !== origin) {
      const { protocol, hostname, port } = new URL(url);
      const start = `${hostname}:${port || (protocol === 'http:' ? 80 : 443)}:`;
      this.#last = { origin, agent: this.agentOf({ protocol }), start };
    }
    return this.#last;
  }

  /** Gives a request the body that was left to its connection. */
  #post(request: http.ClientRequest): void {
    const started = this.#started;
    if (started?.body === undefined) return;
    // node-fetch knows of no body.
    request.setHeader('Content-Length', Buffer.byteLength(started.body));
    request.end(started.body);
    started.body = undefined;
  }

  #watched<Agent extends http.Agent>(agent: Agent): Agent {
    const open = agent.createConnection;
    agent.createConnection = (...args) => {
      const opening = this.#started?.opening;
      const socket = open.apply(agent, args);
      if (opening && socket) measure(socket, opening);
      return socket;
    };
    const reuse = agent.reuseSocket;
    agent.reuseSocket = (socket, request) => {
      reuse.call(agent, socket, request);
      this.#post(request);
    };
    return agent;
  }
}

function measure(socket: NodeJS.EventEmitter, opening: Opening): void {
  const started = performance.now();
  opening.isNew = true;
  socket.once('lookup', (error: unknown) => {
    if (!error) opening.dnsMs = performance.now() - started;
  });
  socket.once('connect', () => {
    const connected = performance.now();
    socket.once('secureConnect', () => {
      opening.tlsMs = performance.now() - connected;
    });
  });
}

/** Looks a host's name up as its connections do; rejects when it has no address. */
export function lookUp(hostname: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    dns.lookup(hostname, (error, address) => (error ? reject(error) : resolve(address)));
  });
}
