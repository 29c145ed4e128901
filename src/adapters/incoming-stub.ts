import type { IncomingRequest } from './http.js';

export interface FetchRequestLike {
  readonly url: string;
  readonly method: string;
  readonly headers: { get(name: string): string | null };
}

export function fromFetchRequest(
  request: FetchRequestLike,
  options: { readonly ipHeader?: string | undefined } = {},
): IncomingRequest {
  const header = (name: string) => request.headers.get(name) ?? undefined;
  return {
    url: request.url,
    method: request.method,
    header,
    ipAddress: options.ipHeader ? header(options.ipHeader) : undefined,
  };
}
