import { type Duplex, finished, PassThrough, pipeline, type Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import type { FetchResponse } from './fetch-api.js';

/** The codings that are decoded, as `Accept-Encoding` names them. */
export const ACCEPTED_CODINGS = 'gzip, deflate, br';

const DECODERS = new Map<string, (body: Readable) => Readable>([
  ['gzip', (body) => through(createGunzip(), body)],
  ['x-gzip', (body) => through(createGunzip(), body)],
  ['deflate', inflated],
  ['x-deflate', inflated],
  ['br', (body) => through(createBrotliDecompress(), body)],
]);
/** Codings that change nothing, and words that servers and stores write although they name no coding. */
const WITHOUT_CODING = new Set(['', 'identity', 'none', 'utf-8', 'utf8', 'binary', 'aws-chunked']);
/** The values of the header whose codings node-fetch has decoded itself. */
const DECODED_BY_NODE_FETCH = new Set(DECODERS.keys());
/** The maximum number of codings of one body. Each costs memory, and a header can name thousands. */
const MAX_CODINGS = 5;

/**
 * Decodes a body with all codings of its header, the last one first, in which order they were applied. A body whose
 * coding is unknown fails when it is read. The sizes are not limited here, because the reader of the body counts the
 * decoded bytes and stops.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-8.4
 */
export function decoded(status: number, header: string, body: Readable): Readable {
  if (status === 204 || status === 304) {
    return body;
  }
  const codings = header
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => !WITHOUT_CODING.has(coding));
  if (codings.length > MAX_CODINGS || codings.some((coding) => !DECODERS.has(coding))) {
    // Nobody reads the body of a redirect, so it need not be decoded.
    return status >= 300 && status < 400 ? body : broken(body);
  }
  return codings.reduceRight((coded, coding) => DECODERS.get(coding)?.(coded) ?? coded, body);
}

/** Decodes an answer of node-fetch, which decodes only a single coding, and only in lower case. */
export function withDecodedBody(response: FetchResponse): FetchResponse {
  const { status, headers, body } = response;
  const header = typeof headers?.get === 'function' ? headers.get('content-encoding') : null;
  if (typeof header !== 'string' || DECODED_BY_NODE_FETCH.has(header) || !isReadable(body)) {
    return response;
  }
  const readable = decoded(status, header, body);
  return { status, headers, body: readable, text: () => text(readable) };
}

/** A mock of node-fetch may have a body that is no stream. */
function isReadable(body: unknown): body is Readable {
  return typeof (body as Partial<Readable> | null | undefined)?.pipe === 'function';
}

/** Makes a body that fails at once, and closes the real one. */
function broken(body: Readable): Readable {
  body.on('error', () => undefined).destroy();
  const failing = new PassThrough();
  failing.on('error', () => undefined);
  const error = new Error('the content coding is unknown');
  return failing.destroy(Object.assign(error, { code: 'ERR_CONTENT_CODING' }));
}

/** Connects a body to its decoder. An error or an early end of one also ends the other. */
function through(decoder: Duplex, body: Readable): Readable {
  return pipeline(body, decoder, () => undefined);
}

/**
 * Decodes `deflate`. The standard asks for a header (https://www.rfc-editor.org/rfc/rfc9110#deflate.coding), but some
 * servers send none. The first byte shows it: its low four bits are 8 in a header, and never 8 without one.
 */
function inflated(body: Readable): Readable {
  const output = new PassThrough();
  const first = () => {
    const piece: Buffer | null = body.read();
    if (piece === null) {
      return;
    }
    body.off('readable', first);
    body.off('end', endEmpty);
    body.unshift(piece);
    const hasHeader = ((piece[0] ?? 0) & 0x0f) === 8;
    pipeline(body, hasHeader ? createInflate() : createInflateRaw(), output, () => undefined);
  };
  const endEmpty = () => output.end();
  body.on('readable', first);
  body.once('end', endEmpty);
  // There is no pipeline before the first byte, so an error or an early end is passed on here.
  finished(body, (error) => error && output.destroy(error));
  output.once('close', () => body.destroy());
  return output;
}
