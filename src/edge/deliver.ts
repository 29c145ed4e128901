import type { ResolvedConfig } from '../config/config.js';
import type { DeliveryResponse } from '../delivery-api.js';
import type { Exchanged } from '../http/exchange.js';
import type { Transport } from '../http/transport.js';
import type { DeliveryCounts } from '../stats.js';
import { toDeliveryResponse } from './answer.js';
import { createUrls, type Outgoing, toExchangeRequest } from './delivery-request.js';

/** A delivery call that was answered: what it sent and what came back. */
export interface Delivered extends Pick<Outgoing, 'request' | 'locationHint'> {
  readonly response: DeliveryResponse;
  readonly exchanged: Exchanged;
  /** The call's `X-Request-Id`. */
  readonly requestId: string;
  /** The start of the call, on the clock of `performance.now()`. */
  readonly startedAt: number;
}

/** Sends a delivery to its host. */
export type Deliver = (outgoing: Outgoing) => Promise<Delivered>;

/** The parts of a client that posting needs. */
export interface PostOptions {
  readonly config: ResolvedConfig;
  readonly transport: Transport;
  /** The counters that go up with the calls. */
  readonly counts: DeliveryCounts;
  readonly newId: () => string;
}

/** Makes the function that sends a call to its host. It writes URL, headers and body, and checks the answer. */
export function createPost({ config, transport, counts, newId }: PostOptions): Deliver {
  const toUrl = createUrls(config);
  const answerer = { client: config.client, issued: transport.issued };
  return async (outgoing) => {
    const { host, request, locationHint, delivery } = outgoing;
    const url = toUrl(host, delivery.encodedSessionId);
    const startedAt = performance.now();
    const requestId = newId();
    const exchanged = await transport.exchange(toExchangeRequest(outgoing, { url, requestId }, config));
    const response = toDeliveryResponse(exchanged, { requestId, bodyId: request.requestId }, answerer);
    // Retries are counted here, because a layer that waits for the answer would cost every display report a promise.
    counts.retries += exchanged.attempts - 1;
    return { request, response, locationHint, exchanged, requestId, startedAt };
  };
}
