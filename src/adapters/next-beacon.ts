import type { TargetClient } from '../index.js';
import { handleBeacon, type IncomingRequest, type VisitOptions } from './http.js';

/** Answers a report of what a page has shown. */
export async function answerBeacon(
  client: TargetClient,
  request: Request,
  incoming: IncomingRequest,
  options: VisitOptions,
): Promise<Response> {
  const { status, headers } = await handleBeacon(client, incoming, request.body, options);
  return new Response(null, { status, headers });
}
