import http from 'node:http';
import https from 'node:https';
import { connect, type Server, type Socket } from 'node:net';

/**
 * What a proxy does when it is asked for a tunnel: opens it to a port of the loopback interface, whatever was asked for;
 * answers with a status; is silent; or closes the connection.
 */
export type ProxyPlay = { readonly port: number } | { readonly status: number } | 'hang' | 'close';

/** What a proxy was asked for. */
export interface Asked {
  /** The host and port, as they were written. */
  readonly authority: string;
  readonly headers: http.IncomingHttpHeaders;
}

/** A proxy that opens tunnels, and what became of it. */
export interface ConnectProxy {
  readonly server: Server;
  /** The tunnels that it was asked for. */
  readonly asked: Asked[];
  /** The connections of its clients that are tunnels. */
  readonly tunnels: Socket[];
  /** The most connections of clients that were open at a time. */
  readonly mostOpen: number;
}

/** Makes a proxy for `CONNECT`, with a certificate one that is spoken to over TLS. */
export function connectProxy(
  play: (asked: Asked) => ProxyPlay,
  tls?: { readonly key: string; readonly cert: string },
): ConnectProxy {
  const server = tls ? https.createServer(tls) : http.createServer();
  const asked: Asked[] = [];
  const tunnels: Socket[] = [];
  let open = 0;
  let mostOpen = 0;
  server.on('connection', (socket: Socket) => {
    open += 1;
    mostOpen = Math.max(mostOpen, open);
    socket.once('close', () => {
      open -= 1;
    });
  });
  server.on('connect', ({ url: authority = '', headers }: http.IncomingMessage, client: Socket, head) => {
    client.on('error', () => undefined);
    const one = { authority, headers };
    asked.push(one);
    const does = play(one);
    if (does === 'hang') {
      client.resume().on('end', () => client.end());
      return;
    }
    if (does === 'close') {
      client.destroy();
      return;
    }
    if ('status' in does) {
      client.end(
        `HTTP/1.1 ${does.status} ${http.STATUS_CODES[does.status]}\r\nContent-Length: 6\r\n\r\nsecret`,
      );
      return;
    }
    const end = connect(does.port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      end.write(head);
      end.pipe(client).pipe(end);
      tunnels.push(client);
    });
    end.on('error', () => client.destroy());
    end.on('close', () => client.destroy());
    client.on('close', () => end.destroy());
  });
  return {
    server,
    asked,
    tunnels,
    get mostOpen() {
      return mostOpen;
    },
  };
}

/** The names of variables that are about proxies, in all their spellings. */
const VARIABLES = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'].flatMap((name) => [name, name.toLowerCase()]);

/** Gives the process an environment that has these proxies and no others; the returned function puts its own back. */
export function setProxies(variables: Readonly<Record<string, string>>): () => void {
  const own = VARIABLES.map((name) => [name, process.env[name]] as const);
  for (const name of VARIABLES) {
    delete process.env[name];
  }
  Object.assign(process.env, variables);
  return () => {
    for (const [name, value] of own) {
      if (value === undefined) {
        delete process.env[name];
      } else {
        process.env[name] = value;
      }
    }
  };
}
