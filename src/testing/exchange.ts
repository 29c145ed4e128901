import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { OpenRequest } from './request-log.js';
import type { Answer } from './routes.js';

/** A refused body is read to its end so that the client gets to see the refusal; beyond this it is cut off. */
const MAX_IGNORED_BYTES = 64 * 1024 * 1024;

/** The whole body, or undefined when it is over the limit. Rejects when the client goes away. */
export function readBody(message: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = [];
    let size = 0;
    message.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else chunks = [];
      if (size > maxBytes + MAX_IGNORED_BYTES) message.destroy();
    });
    message.on('end', () => resolve(size > maxBytes ? undefined : Buffer.concat(chunks, size)));
    message.on('error', reject);
    message.on('close', () => reject(new Error('the client went away')));
  });
}

/** A request as the log keeps it. */
export function toOpenRequest(message: IncomingMessage, body: Buffer): OpenRequest {
  const { method = 'GET', url = '/', headers } = message;
  const [path = '', ...query] = url.split('?');
  const rawBody = body.toString();
  return {
    method,
    path,
    query: Object.fromEntries(new URLSearchParams(query.join('?'))),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
    rawBody,
    body: parseJson(rawBody),
    time: Date.now(),
    violations: [],
  };
}

/** Sends an answer whole. */
export function sendAnswer(response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, headersOf(answer));
  response.end(answer.body);
}

/** An answer's headers with the length of its body. */
export function headersOf({ status, headers, body = '' }: Answer): OutgoingHttpHeaders {
  const hasBody = status !== 204 && status !== 304;
  return { ...toNodeHeaders(headers), ...(hasBody && { 'Content-Length': Buffer.byteLength(body) }) };
}

/** Headers in the form that node:http takes. */
export function toNodeHeaders(headers: Answer['headers'] = {}): OutgoingHttpHeaders {
  const entries = Object.entries(headers).map(([name, value]) => [
    name,
    typeof value === 'object' ? [...value] : value,
  ]);
  return Object.fromEntries(entries);
}

function parseJson(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
