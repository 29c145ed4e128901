import type { DeliveryRequest, DeliveryResponse } from '../../src/delivery-api.js';
import type { TargetEdge } from '../../src/testing/edge.js';

export const DELIVERY = '/rest/v1/delivery';
export const QUERY = '?imsOrgId=DEMO%40AdobeOrg&sessionId=session1';
export const CONTEXT = { channel: 'web' } as const;

export interface Delivered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly response: DeliveryResponse;
}

/** One delivery call of a plain HTTP client. A string is sent as it is. */
export async function deliver(
  edge: TargetEdge,
  body: DeliveryRequest | string,
  { query = QUERY, headers = {} }: { query?: string; headers?: Record<string, string> } = {},
): Promise<Delivered> {
  const answer = await fetch(`${edge.url}${DELIVERY}${query}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    redirect: 'manual',
    signal: AbortSignal.timeout(15_000),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    response: text === '' ? {} : JSON.parse(text),
  };
}
