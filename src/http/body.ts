import { toBytes, toText, utf8Length } from '#platform';
import { isObject } from '../json.js';
import { type BodyHolder, expectBytes, Pieces, textFrom, toSource } from './body-source.js';
import type { Span } from './deadline.js';

/** How much of a body is read, and for how long. */
export interface BodyLimits {
  /** Bytes after decoding. */
  readonly maxBytes: number;
  readonly maxMs?: number | undefined;
  /** Cut off when nobody wants the body any more. */
  readonly span: Span;
}

/** A body: its bytes, or the text that a stand-in for a fetch has instead of them. */
export type Body = Uint8Array | string;

/** The part of a body that was read. */
export interface ReadBody {
  readonly body: Body;
  /** Whether that is all of it. */
  readonly isWhole: boolean;
}

/** A body as text; bytes are UTF-8, and a byte order mark is none of it, as in a fetch's own `text()`. */
export function textOf(body: Body): string {
  const text = typeof body === 'string' ? body : toText(body);
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
}

const BYTE_ORDER_MARK = 0xfeff;

/** A body as bytes; a text becomes UTF-8. */
export function bytesOf(body: Body): Uint8Array {
  return typeof body === 'string' ? toBytes(body) : body;
}

/** The length of a body in bytes. */
export function lengthOf(body: Body): number {
  return typeof body === 'string' ? utf8Length(body) : body.length;
}

/** Reads a body up to its limits and lets go of the rest, and so of the connection. */
export function readBody(response: BodyHolder, limits: BodyLimits): Promise<ReadBody> {
  const isText = !isObject(response.body);
  return isText && limits.maxMs === undefined ? readText(response, limits) : readSource(response, limits);
}

/** There is nothing to let go of when it takes too long. */
async function readText(response: BodyHolder, { maxBytes }: BodyLimits): Promise<ReadBody> {
  // Straight from the stand-in: each promise in between costs.
  const text: unknown = await (response.text ? response.text() : textFrom(response));
  const body = typeof text === 'string' ? text : expectBytes(text);
  return { body, isWhole: lengthOf(body) <= maxBytes };
}

function readSource(response: BodyHolder, { maxBytes, maxMs, span }: BodyLimits): Promise<ReadBody> {
  return new Promise((resolve, reject) => {
    const source = toSource(response);
    const pieces = new Pieces(maxBytes);
    const end = (isWhole: boolean) => {
      release();
      if (!isWhole) source.stop();
      resolve({ body: pieces.joined(), isWhole });
    };
    const cut = () => end(false);
    const timer = maxMs === undefined ? undefined : setTimeout(cut, maxMs);
    const release = () => {
      if (timer) clearTimeout(timer);
      if (span.onCut === cut) span.onCut = undefined;
    };
    span.onCut = cut;
    if (span.aborted) return cut();
    source.read(pieces, end, (error) => {
      release();
      reject(error);
    });
  });
}
