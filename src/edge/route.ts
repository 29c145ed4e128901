import { toError } from '../errors.js';
import type { Delivery } from '../request/call.js';
import type { CircuitBreakerStats } from '../stats.js';
import { Clusters } from './clusters.js';
import { createPost, type Delivered, type PostOptions } from './deliver.js';
import { isAwaited, type Outgoing, toSentRequest } from './delivery-request.js';
import { hostOf, type OwnHostOptions, ownHint } from './host.js';
import { type LayerOptions, withLayers } from './layers.js';

/** The parts of a client that its way to the edge needs. */
export interface EdgeRouteOptions extends PostOptions, LayerOptions {}

/** The client's only way to the edge. */
export interface EdgeRoute {
  /** Sends one delivery call: `POST /rest/v1/delivery`. */
  deliver(delivery: Delivery): Promise<Delivered>;
  /** Returns the host to which a delivery with this location hint, or without one, would go now. */
  hostOf(locationHint: string | undefined): string;
  /** The circuit breaker's state, for `stats()`. */
  readonly circuitBreakerStats: CircuitBreakerStats;
}

/** Makes the client's way to the edge. It chooses the host of each delivery. */
export function createEdgeRoute(options: EdgeRouteOptions): EdgeRoute {
  const { config, transport, clientHint } = options;
  const clusters = new Clusters(transport.lookUp);
  const send = withLayers(createPost(options), options);
  const sendTo = (delivery: Delivery, locationHint: string | undefined, isMereClaim = false) =>
    send(toOutgoing(delivery, { locationHint, host: hostOf(config, locationHint), isMereClaim }));
  const sendOwn = (delivery: Delivery) =>
    sendTo(delivery, isAwaited(delivery) ? ownHint(options) : clientHint.current);
  /** Tells whether only a visitor names a hint. Its cluster may not exist. */
  const isMereClaim = (hint: string) =>
    config.serverDomain === undefined && hint !== clientHint.current && hint !== config.targetLocationHint;

  /**
   * Sends to a cluster that a visitor's cookie names. If it does not exist, the call goes to the client's own host in
   * the time that is left.
   */
  const sendToClaimed = async (delivery: Delivery, locationHint: string): Promise<Delivered> => {
    const deadline = performance.now() + delivery.timeoutMs;
    const isKnown = clusters.isKnown(locationHint);
    if (isKnown || (await clusters.admits(locationHint, delivery))) {
      try {
        const delivered = await sendTo(isKnown ? delivery : until(deadline, delivery), locationHint, true);
        clusters.reached(locationHint);
        return delivered;
      } catch (error) {
        if (!clusters.failed(locationHint, toError(error))) {
          throw error;
        }
      }
    }
    return sendOwn(until(deadline, delivery));
  };

  return {
    deliver: (delivery) => {
      const { locationHint } = delivery;
      if (locationHint === undefined) {
        return sendOwn(delivery);
      }
      return isMereClaim(locationHint)
        ? sendToClaimed(delivery, locationHint)
        : sendTo(delivery, locationHint);
    },
    hostOf: (hint) => {
      const isLeft = hint === undefined || (isMereClaim(hint) && !clusters.mayBeTried(hint));
      return hostOf(config, isLeft ? clientHint.current : hint);
    },
    get circuitBreakerStats() {
      return circuitBreakerStatsOf(options);
    },
  };
}

function circuitBreakerStatsOf(options: OwnHostOptions): CircuitBreakerStats {
  const { config, breaker } = options;
  if (!breaker) {
    return { state: 'off', refused: 0, hosts: [] };
  }
  const state = breaker.stateOf(hostOf(config, ownHint(options)));
  return { state, refused: breaker.refused, hosts: breaker.hosts };
}

function toOutgoing(
  delivery: Delivery,
  { locationHint, host, isMereClaim }: Pick<Outgoing, 'locationHint' | 'host' | 'isMereClaim'>,
): Outgoing {
  const request = toSentRequest(delivery.request);
  return {
    delivery,
    request,
    locationHint,
    host,
    isMereClaim,
    isAwaited: isAwaited(delivery),
    entries: [],
    isSent: false,
  };
}

/** Copies a delivery with the time that is left until a deadline. */
function until(deadline: number, delivery: Delivery): Delivery {
  const { timeoutMs: wholeTimeoutMs } = delivery;
  return { ...delivery, wholeTimeoutMs, timeoutMs: Math.max(1, Math.ceil(deadline - performance.now())) };
}
