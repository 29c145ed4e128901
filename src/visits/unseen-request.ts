import type { IncomingRequest } from './incoming-request.js';

export function isPrefetch(incoming: IncomingRequest): boolean {
  return incoming.header('sec-purpose')?.includes('prefetch') ?? false;
}
