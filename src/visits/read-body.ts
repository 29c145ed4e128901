/** The body of a request: its text, or what it comes from. */
export type BeaconBody = string | AsyncIterable<Uint8Array | string> | BodyStream | null | undefined;

/** The part of a `ReadableStream` that is used. It is an iterable on few runtimes. */
export interface BodyStream {
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
    cancel(): Promise<unknown>;
  };
}

/**
 * Reads a body as text, up to the first piece that makes it too long. A body that breaks off is read as far as it came.
 * The promise never rejects.
 */
export async function readBody(body: BeaconBody, maxBytes: number): Promise<string> {
  if (typeof body === 'string') {
    return body;
  }
  const decoder = new TextDecoder();
  let text = '';
  let length = 0;
  try {
    for await (const piece of piecesOf(body)) {
      length += piece.length;
      text += typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true });
      if (length > maxBytes) {
        break;
      }
    }
    return text + decoder.decode();
  } catch {
    // The connection is gone, or the body was read before. Half a report is malformed.
    return text;
  }
}

async function* piecesOf(body: Exclude<BeaconBody, string>): AsyncIterable<Uint8Array | string> {
  if (!body) {
    return;
  }
  if (!('getReader' in body)) {
    yield* body;
    return;
  }
  const reader = body.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      if (next.value) {
        yield next.value;
      }
    }
  } finally {
    await reader.cancel();
  }
}
