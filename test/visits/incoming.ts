import type { IncomingRequest } from '../../src/adapters/http.js';

/** Makes a request of a browser out of its URL and its headers, whose names are in lower case. */
export function incomingOf(
  url: string,
  headers: Readonly<Record<string, string>> = {},
  more: Partial<IncomingRequest> = {},
): IncomingRequest {
  return { url, header: (name) => headers[name], ...more };
}

/** Requests of programs that keep to no type, and of which each field is a trap. */
export const HOSTILE: readonly unknown[] = [
  undefined,
  null,
  1,
  'text',
  [],
  {},
  { url: 1, header: 2, headers: 3, method: {}, socket: 4, ipAddress: [] },
  { url: '', header: () => ({}), headers: { get: () => 5 } },
  { header: fail, headers: { get: fail } },
  new Proxy({}, { get: fail, has: fail, ownKeys: fail, getOwnPropertyDescriptor: fail }),
];

function fail(): never {
  throw new Error('must not be seen');
}
