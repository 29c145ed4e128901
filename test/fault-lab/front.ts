import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';

/** A certificate with its key. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

const REQUEST_LINE = /^(?:GET|POST) (\S+) HTTP\/1\.1\r\n/;
const LOOPBACK = '127.0.0.1';

/**
 * What stands before a local edge and passes bytes on: it sees each request, can answer it on the bare socket, stop
 * listening, or show another certificate.
 */
export class Front {
  readonly port: number;
  /** Paths of the requests that came, oldest first. */
  readonly paths: string[] = [];
  /** Answers a request on its socket, or says that it does not want to. */
  interrupt: ((path: string, socket: Socket) => boolean) | undefined;
  readonly #server: Server | TlsServer;
  readonly #edgePort: number;
  readonly #sockets = new Set<Socket>();

  constructor(port: number, edgePort: number, certificate?: Certificate) {
    this.port = port;
    this.#edgePort = edgePort;
    const take = (socket: Socket) => this.#take(socket);
    this.#server = certificate ? createTlsServer(certificate, take) : createServer(take);
    // Of a connection that the client left in the middle of its handshake.
    this.#server.on('tlsClientError', () => undefined);
    this.#server.on('connection', (socket: Socket) => this.#keep(socket));
  }

  /** Listens, also when it has been closed. */
  async open(): Promise<void> {
    this.#server.listen(this.port, LOOPBACK).unref();
    await once(this.#server, 'listening');
  }

  /** Stops listening and ends every connection. */
  async close(): Promise<void> {
    const closed = this.#server.listening && once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }

  /** Ends every connection. */
  cut(): void {
    for (const socket of this.#sockets) {
      socket.destroy();
    }
  }

  /** Shows another certificate from the next connection on. */
  show(certificate: Certificate): void {
    (this.#server as TlsServer).setSecureContext(certificate);
    this.cut();
  }

  #keep(socket: Socket): void {
    socket.unref();
    socket.on('error', () => undefined);
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  #take(socket: Socket): void {
    this.#keep(socket);
    const upstream = connect(this.#edgePort, LOOPBACK).unref();
    upstream.on('error', () => (socket as Partial<Socket>).resetAndDestroy?.());
    upstream.on('close', () => socket.end());
    upstream.on('data', (bytes) => {
      if (!socket.write(bytes)) {
        upstream.pause();
      }
    });
    socket.on('drain', () => upstream.resume());
    socket.on('close', () => upstream.destroy());
    socket.on('data', (bytes: Buffer) => {
      const path = REQUEST_LINE.exec(bytes.toString('latin1', 0, 2048))?.[1]?.split('?')[0];
      if (path !== undefined) {
        this.paths.push(path);
      }
      if (path !== undefined && this.interrupt?.(path, socket)) {
        upstream.removeAllListeners('close').destroy();
      } else {
        upstream.write(bytes);
      }
    });
  }
}
