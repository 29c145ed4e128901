import { toBytes, toText, utf8Length } from '#platform';
import { ownFieldOf } from '../inherited-names.js';
import { isObject } from '../json.js';
import { type BodyHolder, expectBytes, Pieces, textFrom, toSource } from './body-source.js';
import type { Span } from './deadline.js';

/** The limits within which a body is read. */
export interface BodyLimits {
  /** The maximum number of bytes to read, after decoding. */
  readonly maxBytes: number;
  /** The maximum time to read, in ms. Undefined when only the limit of the span holds. */
  readonly maxMs: number | undefined;
  /** The span of the call. Reading stops when it is cut off, because nobody wants the body any more. */
  readonly span: Span;
}

/** A body as bytes, or as the text that a mock of a fetch has instead of bytes. */
export type Body = Uint8Array | string;

/** The part of a body that was read. */
export interface ReadBody {
  readonly body: Body;
  /** True when `body` is the whole body. */
  readonly isWhole: boolean;
}

/** Returns a body as text. Bytes are read as UTF-8, and a byte order mark is left out, as `text()` of a fetch does. */
export function textOf(body: Body): string {
  const text = typeof body === 'string' ? body : toText(body);
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
}

const BYTE_ORDER_MARK = 0xfeff;

/** Returns a body as bytes. A text is written as UTF-8. */
export function bytesOf(body: Body): Uint8Array {
  return typeof body === 'string' ? toBytes(body) : body;
}

/** Counts the bytes of a body. */
export function lengthOf(body: Body): number {
  return typeof body === 'string' ? utf8Length(body) : body.length;
}

/** Reads a body up to its limits. Then it closes the rest, which frees the connection. */
export function readBody(response: BodyHolder, limits: BodyLimits): Promise<ReadBody> {
  const isText = !isObject(ownFieldOf(response, 'body'));
  return isText && limits.maxMs === undefined ? readText(response, limits) : readSource(response, limits);
}

/** Reads the text of a body that is no stream. Such a body cannot be stopped, and holds no connection. */
async function readText(response: BodyHolder, { maxBytes }: BodyLimits): Promise<ReadBody> {
  // The text is read without a function in between, because each further promise costs time.
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
      if (!isWhole) {
        source.stop();
      }
      resolve({ body: pieces.joined(), isWhole });
    };
    const cut = () => end(false);
    const timer = maxMs === undefined ? undefined : setTimeout(cut, maxMs);
    const release = () => {
      if (timer) {
        clearTimeout(timer);
      }
      if (span.onCut === cut) {
        span.onCut = undefined;
      }
    };
    span.onCut = cut;
    if (span.aborted) {
      return cut();
    }
    source.read(pieces, end, (error) => {
      release();
      reject(error);
    });
  });
}
