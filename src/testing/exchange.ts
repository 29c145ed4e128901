import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { OpenRequest } from './request-log.js';
import type { Answer } from './routes.js';

/**
 * The largest part of a refused body that is still read, in bytes. Most clients see the answer only after they have
 * sent their whole body. A longer body is cut off.
 */
const MAX_IGNORED_BYTES = 64 * 1024 * 1024;

/** Reads a whole body. It returns `undefined` for a body over the limit, and rejects when the client disconnects. */
export function readBody(message: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = [];
    let size = 0;
    message.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) {
        chunks.push(chunk);
      } else {
        chunks = [];
      }
      if (size > maxBytes + MAX_IGNORED_BYTES) {
        message.destroy();
      }
    });
    message.on('end', () => resolve(size > maxBytes ? undefined : Buffer.concat(chunks, size)));
    message.on('error', reject);
    message.on('close', () => reject(new Error('the client went away')));
  });
}

/** Converts a request to the form in which the log keeps it. The names of its headers are in lower case. */
export function toOpenRequest(
  { method = 'GET', url = '/', headers }: Pick<IncomingMessage, 'method' | 'url' | 'headers'>,
  rawBody: string,
  time = Date.now(),
): OpenRequest {
  const [path = '', ...query] = url.split('?');
  return {
    method,
    path,
    query: Object.fromEntries(new URLSearchParams(query.join('?'))),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
    rawBody,
    body: parseJson(rawBody),
    time,
    violations: [],
  };
}

/** Sends a whole answer at once. */
export function sendAnswer(response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, headersOf(answer));
  response.end(answer.body);
}

/** Returns the headers of an answer, with the length of its body. Answers with 204 and 304 have no body. */
export function headersOf({ status, headers, body = '' }: Answer): OutgoingHttpHeaders {
  const hasBody = status !== 204 && status !== 304;
  return { ...toNodeHeaders(headers), ...(hasBody && { 'Content-Length': Buffer.byteLength(body) }) };
}

/** Converts headers to the form that node:http takes. */
export function toNodeHeaders(headers: Answer['headers'] = {}): OutgoingHttpHeaders {
  const entries = Object.entries(headers).map(([name, value]) => [
    name,
    typeof value === 'object' ? [...value] : value,
  ]);
  return Object.fromEntries(entries);
}

function parseJson(text: string): unknown {
  if (text === '') {
    return undefined;
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
