import type { FetchApi } from '../../src/index.js';

/** An edge in the process itself, which confirms every notification and knows every place. */
export const confirming: FetchApi = async (url, { body }) => {
  const { pathname } = new URL(url);
  if (pathname === '/v1/geo') {
    return json({ 'x-geo-country-code': 'CH' });
  }
  const { notifications = [] } = JSON.parse(String(body)) as { notifications?: { id: string }[] };
  return json({ status: 200, client: 'demo', notifications: notifications.map(({ id }) => ({ id })) });
};

/** An answer of JSON. */
export function json(value: unknown, headers: Record<string, string> = {}) {
  const text = JSON.stringify(value);
  return { status: 200, headers: new Headers(headers), text: async () => text };
}
