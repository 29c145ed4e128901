import type { Context } from '../index.js';
import type { IncomingRequest } from './incoming-request.js';

export const ACCEPT_CH = 'Sec-CH-UA-Platform';

export function toContext(
  incoming: IncomingRequest,
  { ipAddress = true }: { readonly ipAddress?: boolean } = {},
): Context {
  const userAgent = incoming.header('user-agent');
  return {
    channel: 'web',
    address: { url: incoming.url },
    ...(userAgent && { userAgent }),
    ...(ipAddress && incoming.ipAddress && { geo: { ipAddress: incoming.ipAddress } }),
  };
}
