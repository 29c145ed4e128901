import type { DeliveryRequest } from '../src/delivery-api.js';
import type { FetchApi, FetchInit } from '../src/http/fetch-api.js';
import type { TargetClientConfig } from '../src/index.js';

/** A call that a recording fetch was given. */
export interface RecordedCall {
  readonly url: URL;
  readonly init: FetchInit;
  readonly request: DeliveryRequest;
  /** On the clock of `Date.now()`, which may be a fake one. */
  readonly time: number;
}

/** What a recording fetch does with a call; the last script is played for every call that follows. */
export type Script = (call: RecordedCall) => unknown;

/** A fetch that plays scripts, one a call, and keeps what it was given. */
export function recordingFetch(...scripts: readonly Script[]): { fetchApi: FetchApi; calls: RecordedCall[] } {
  const calls: RecordedCall[] = [];
  const fetchApi = async (url: string, init: FetchInit) => {
    const call = { url: new URL(url), init, request: JSON.parse(init.body ?? '{}'), time: Date.now() };
    const script = scripts[Math.min(calls.length, scripts.length - 1)] ?? answer();
    calls.push(call);
    return script(call) as Response;
  };
  return { fetchApi: fetchApi as FetchApi, calls };
}

/** The answer of an edge that has nothing to show. */
export const DELIVERY = { status: 200, requestId: 'r', client: 'demo', id: { tntId: 'abc.35_0' } };

/** Answers with JSON, or with any text. */
export function answer(body: unknown = DELIVERY, init: ResponseInit = {}): Script {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const hasBody = ![204, 205, 304].includes(init.status ?? 200);
  return () => new Response(hasBody ? text : null, init);
}

/** Answers with a status, and headers such as Retry-After. */
export function status(code: number, headers: Record<string, string> = {}, body = ''): Script {
  return answer(body, { status: code, headers });
}

/** Fails as a fetch fails that found nobody. */
export function refuse(): never {
  throw Object.assign(new TypeError('fetch failed'), { code: 'ECONNREFUSED' });
}

/** Never settles, whatever the signal says. */
export function hang(): Promise<never> {
  return new Promise(() => undefined);
}

/** The config of a client whose calls go to a fetch; without telemetry, which would be sent when its test is over. */
export function configOf(fetchApi: FetchApi): TargetClientConfig {
  return { client: 'demo', organizationId: 'DEMO@AdobeOrg', fetchApi, telemetryEnabled: false };
}

/** A request that asks for something. */
export const REQUEST: DeliveryRequest = { execute: { mboxes: [{ name: 'hero' }] } };
