import type { TargetClient } from '../index.js';
import { handleBeacon, type IncomingRequest, type VisitOptions } from './http.js';

/** The maximum number of bytes of a report that are read. The endpoint refuses longer ones. */
const MAX_BYTES = 64 * 1024;

/** Answers a report of what a page has shown. */
export async function answerBeacon(
  client: TargetClient,
  request: Request,
  incoming: IncomingRequest,
  options: VisitOptions,
): Promise<Response> {
  const body = await readBody(request);
  const { status, headers } = await handleBeacon(client, incoming, body, options);
  return new Response(null, { status, headers });
}

/** Reads a body up to the first bytes that are too many. A body that breaks off is read as far as it came. */
async function readBody({ body }: Request): Promise<string> {
  const decoder = new TextDecoder();
  const reader = body?.getReader();
  let text = '';
  let length = 0;
  try {
    while (reader && length <= MAX_BYTES) {
      const { done, value } = await reader.read();
      if (done) {
        return text + decoder.decode();
      }
      length += value.byteLength;
      text += decoder.decode(value, { stream: true });
    }
    await reader?.cancel();
  } catch {
    // The connection is gone. The endpoint refuses half a report.
  }
  return text;
}
