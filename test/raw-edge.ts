import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

/** A delivery call as a raw edge read it. */
export interface Asked {
  readonly requestId: string;
  readonly tntId: string;
  /** Its answer as bytes of HTTP, which names the call and its visitor. */
  readonly answer: Buffer;
  /** Its place among the calls of the connection, from 0. */
  readonly at: number;
}

/** A connection to a raw edge, with the calls that came on it. */
export interface RawConnection {
  readonly socket: Socket;
  readonly asked: Asked[];
}

/** Answers a call, or does not. */
export type Play = (asked: Asked, connection: RawConnection) => void;

/** Makes an edge that writes bytes as it is told: an edge in disorder, which node:http cannot play. */
export function rawEdge(play: Play, tls?: { readonly key: string; readonly cert: string }): Server {
  const serve = (socket: Socket) => {
    const connection: RawConnection = { socket, asked: [] };
    let unread = '';
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      unread += bytes.toString('latin1');
      for (let end = endOfRequest(unread); end > 0; end = endOfRequest(unread)) {
        const body = unread.slice(unread.indexOf('\r\n\r\n') + 4, end);
        unread = unread.slice(end);
        const asked = toAsked(Buffer.from(body, 'latin1').toString(), connection.asked.length);
        connection.asked.push(asked);
        play(asked, connection);
      }
    });
  };
  return tls ? createTlsServer(tls, serve) : createServer(serve);
}

/** Where the first request of a text ends; 0 while it has not come as a whole. */
function endOfRequest(text: string): number {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) {
    return 0;
  }
  const length = Number(/content-length: (\d+)/i.exec(text.slice(0, headEnd))?.[1] ?? 0);
  const end = headEnd + 4 + length;
  return text.length < end ? 0 : end;
}

function toAsked(body: string, at: number): Asked {
  const { requestId, id } = JSON.parse(body) as { requestId: string; id: { tntId: string } };
  const { tntId } = id;
  return { requestId, tntId, answer: httpOf(answerOf(requestId, tntId)), at };
}

/** What an edge answers to a visitor, whose own offer it shows. */
export function answerOf(requestId: string, tntId: string): string {
  const options = [{ type: 'html', content: `<p>${tntId}</p>` }];
  const execute = { mboxes: [{ index: 0, name: 'hero', options }] };
  return JSON.stringify({ status: 200, requestId, client: 'demo', id: { tntId }, execute });
}

/** An answer of HTTP. */
export function httpOf(body: string, status = '200 OK'): Buffer {
  return Buffer.from(`HTTP/1.1 ${status}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

/** The same in chunks. */
export function chunked(body: string): Buffer {
  const half = Math.floor(body.length / 2);
  const chunks = [body.slice(0, half), body.slice(half)].map(
    (text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`,
  );
  return Buffer.from(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks.join('')}0\r\n\r\n`);
}
