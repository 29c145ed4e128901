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

/** The client's own keep-alive connections. */
export class Connections {
  readonly #http: http.Agent;
  readonly #https: https.Agent;
  #opening: Opening | undefined;

  constructor() {
    const options = { keepAlive: true, maxSockets: MAX_SOCKETS_PER_HOST, scheduling: 'lifo' } as const;
    this.#http = this.#measured(new http.Agent(options));
    this.#https = this.#measured(new https.Agent(options));
  }

  /** The agent of a URL. */
  agentOf({ protocol }: { readonly protocol: string }): http.Agent {
    return protocol === 'http:' ? this.#http : this.#https;
  }

  /** Starts a request. A connection that it opens at once, and not behind others, is measured. */
  measure<Started>(opening: Opening, start: () => Started): Started {
    this.#opening = opening;
    try {
      return start();
    } finally {
      this.#opening = undefined;
    }
  }

  /** Closes the connections that nobody uses, which a server may have forgotten long ago. */
  dropIdle(): void {
    for (const agent of [this.#http, this.#https]) {
      for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
    }
  }

  /** Closes idle connections now, and those in use behind their answer. */
  close(): void {
    this.#http.maxFreeSockets = 0;
    this.#https.maxFreeSockets = 0;
    this.dropIdle();
  }

  #measured<Agent extends http.Agent>(agent: Agent): Agent {
    const open = agent.createConnection;
    agent.createConnection = (...args) => {
      const opening = this.#opening;
      const socket = open.apply(agent, args);
      if (opening && socket) measure(socket, opening);
      return socket;
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
