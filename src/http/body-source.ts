import { concat, isNodeStream, type NodeStream, toBytes } from '#platform';
import { quietly } from '../call-safely.js';
import { ownFieldOf } from '../inherited-names.js';
import { isObject } from '../json.js';

/**
 * The part of a fetch's answer that holds its body. The body is a web or Node stream. A mock of a fetch may have only
 * `text()` or `json()`.
 */
export interface BodyHolder {
  readonly body?: unknown;
  text?(): Promise<string>;
  json?(): Promise<unknown>;
}

/** Collects the pieces of a body as they arrive. */
export class Pieces {
  readonly #maxBytes: number;
  readonly #pieces: Uint8Array[] = [];
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Adds a piece, and tells whether the body may have more pieces. */
  add(piece: unknown): boolean {
    const bytes = expectBytes(piece);
    this.#length += bytes.length;
    this.#pieces.push(bytes);
    return this.#length <= this.#maxBytes;
  }

  joined(): Uint8Array {
    const [first] = this.#pieces;
    // Most answers come in one piece, which needs no copy.
    const all = first && this.#pieces.length === 1 ? first : concat(this.#pieces);
    return this.#length > this.#maxBytes ? all.subarray(0, this.#maxBytes) : all;
  }
}

/** Returns a piece of a body as bytes. Throws a TypeError for anything else, which is the fault of the fetch. */
export function expectBytes(value: unknown): Uint8Array {
  if (typeof value === 'string') {
    return toBytes(value);
  }
  if (ArrayBuffer.isView(value)) {
    return isBytes(value) ? value : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  throw new TypeError('a body must be made of bytes');
}

/**
 * Recognises byte arrays of another realm too. A test runner may load the SDK in a realm of its own, and then Node's
 * byte arrays come from another one.
 */
function isBytes(view: ArrayBufferView): view is Uint8Array {
  return (view as Uint8Array)[Symbol.toStringTag] === 'Uint8Array';
}

/** A way to read one body. */
export interface Source {
  /**
   * Reads until the end of the body, or until `pieces` takes no more. Then calls `end` or `fail`. A stream may call
   * them again, and only the first call counts.
   */
  read(pieces: Pieces, end: (isWhole: boolean) => void, fail: (error: unknown) => void): void;
  /** Stops reading, and closes the rest of the body. Never throws. */
  stop(): void;
}

type Methods = Readonly<Record<PropertyKey, ((...values: unknown[]) => unknown) | undefined>>;

/** Chooses the way to read a body, by the methods that it has. */
export function toSource(response: BodyHolder): Source {
  const body = ownFieldOf(response, 'body');
  if (isNodeStream(body)) {
    return fromStream(body);
  }
  const methods = (isObject(body) ? body : {}) as Methods;
  // A reader is tried first, because it can be cancelled while it waits for a piece. The iterator of a web stream
  // cannot.
  if (typeof methods.getReader === 'function') {
    const reader = methods.getReader() as ReadableStreamDefaultReader;
    return fromSteps(
      () => reader.read(),
      () => reader.cancel(),
    );
  }
  if (typeof methods[Symbol.asyncIterator] === 'function') {
    const steps = (methods as unknown as AsyncIterable<unknown>)[Symbol.asyncIterator]();
    return fromSteps(
      () => steps.next(),
      () => (typeof methods.destroy === 'function' ? methods.destroy() : steps.return?.()),
    );
  }
  return {
    read: (pieces, end, fail) => {
      textFrom(response)
        .then((text) => end(pieces.add(text)))
        .catch(fail);
    },
    stop: () => undefined,
  };
}

/**
 * Reads a Node stream, such as the body of an answer of node-fetch. Its events take a third of the time that its
 * iterator takes (benchmark server-side/2kb-1).
 */
function fromStream(stream: NodeStream): Source {
  return {
    read: (pieces, end, fail) => {
      // A stream does not repeat the events that happened before anybody listened.
      if (stream.errored) {
        return fail(stream.errored);
      }
      if (stream.readableEnded) {
        return end(true);
      }
      if (stream.destroyed) {
        return fail(prematureClose());
      }
      stream.on('error', fail);
      stream.on('close', () => {
        if (!stream.readableEnded) {
          fail(prematureClose());
        }
      });
      stream.on('end', () => end(true));
      stream.on('data', (piece) => {
        try {
          if (!pieces.add(piece)) {
            end(false);
          }
        } catch (error) {
          stream.destroy();
          fail(error);
        }
      });
    },
    stop: () => stream.destroy(),
  };
}

function prematureClose(): Error {
  return Object.assign(new Error('the body closed before its end'), { code: 'ERR_STREAM_PREMATURE_CLOSE' });
}

function fromSteps(
  next: () => Promise<{ readonly done?: boolean | undefined; readonly value?: unknown }>,
  stop: () => unknown,
): Source {
  const readOn = async (pieces: Pieces) => {
    for (;;) {
      const { done, value } = await next();
      if (done) {
        return true;
      }
      if (!pieces.add(value)) {
        return false;
      }
    }
  };
  return {
    read: (pieces, end, fail) => void readOn(pieces).then(end, fail),
    stop: () => quietly(stop),
  };
}

/** Reads a body that is no stream, such as that of a mock. */
export async function textFrom(response: BodyHolder): Promise<string> {
  if (typeof response.text === 'function') {
    return response.text();
  }
  return typeof response.json === 'function' ? (JSON.stringify(await response.json()) ?? '') : '';
}
