/** How much of a body is read, and for how long. */
export interface BodyLimits {
  /** Bytes after decoding. */
  readonly maxBytes: number;
  readonly maxMs?: number | undefined;
  /** Aborted when nobody wants the body any more. */
  readonly signal: AbortSignal;
}

/** What was read of a body. */
export interface ReadBody {
  readonly bytes: Buffer;
  /** Whether that is all of it. */
  readonly isWhole: boolean;
}

/** The part of a fetch's answer that holds its body: a web or Node stream, or what a stand-in offers instead. */
export interface BodyHolder {
  readonly body?: unknown;
  text?(): Promise<string>;
  json?(): Promise<unknown>;
}

/** Reads a body up to its limits and lets go of the rest, and so of the connection. */
export async function readBody(
  response: BodyHolder,
  { maxBytes, maxMs, signal }: BodyLimits,
): Promise<ReadBody> {
  const chunks = toChunks(response);
  const read: Buffer[] = [];
  return new Promise((resolve, reject) => {
    const end = (isWhole: boolean) => {
      release();
      if (!isWhole) chunks.stop();
      resolve({ bytes: Buffer.concat(read).subarray(0, maxBytes), isWhole });
    };
    const onAbort = () => end(false);
    const timer = maxMs === undefined ? undefined : setTimeout(end, maxMs, false);
    const release = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    collect(chunks, read, maxBytes).finally(release).then(end, reject);
  });
}

/** A body, in pieces. */
interface Chunks {
  next(): Promise<{ readonly done?: boolean | undefined; readonly value?: unknown }>;
  /** Never throws. */
  stop(): void;
}

/** Whether the body came to its end within so many bytes. */
async function collect(chunks: Chunks, read: Buffer[], maxBytes: number): Promise<boolean> {
  let length = 0;
  while (length <= maxBytes) {
    const { done, value } = await chunks.next();
    if (done) return true;
    const bytes = toBuffer(value);
    length += bytes.length;
    read.push(bytes);
  }
  return false;
}

function toBuffer(value: unknown): Buffer {
  if (typeof value === 'string') return Buffer.from(value);
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  throw new TypeError('a body must be made of bytes');
}

type Methods = Readonly<Record<PropertyKey, ((...values: unknown[]) => unknown) | undefined>>;

function toChunks(response: BodyHolder): Chunks {
  const body = (typeof response.body === 'object' && response.body !== null ? response.body : {}) as Methods;
  // A reader, because the iterator of a web stream cannot be stopped while it waits for a piece.
  if (typeof body.getReader === 'function') {
    const reader = body.getReader() as ReadableStreamDefaultReader;
    return { next: () => reader.read(), stop: () => quietly(() => reader.cancel()) };
  }
  if (typeof body[Symbol.asyncIterator] === 'function') {
    const pieces = (body as unknown as AsyncIterable<unknown>)[Symbol.asyncIterator]();
    const stop = () => (typeof body.destroy === 'function' ? body.destroy() : pieces.return?.());
    return { next: () => pieces.next(), stop: () => quietly(stop) };
  }
  let isRead = false;
  return {
    next: async () => {
      if (isRead) return { done: true };
      isRead = true;
      return { value: await toText(response) };
    },
    stop: () => undefined,
  };
}

async function toText(response: BodyHolder): Promise<string> {
  if (typeof response.text === 'function') return response.text();
  return typeof response.json === 'function' ? (JSON.stringify(await response.json()) ?? '') : '';
}

/** Does something whose failure no longer matters. */
function quietly(act: () => unknown): void {
  try {
    Promise.resolve(act()).catch(() => undefined);
  } catch {
    // There is nobody left to tell.
  }
}
