import type { ResolvedConfig } from '../config/config.js';
import { deliveryHost, type OwnHint } from '../identity/location-hint.js';
import type { CircuitBreaker } from './circuit-breaker.js';

/** The parts of a client that decide its own host. */
export interface OwnHostOptions {
  readonly config: ResolvedConfig;
  /** The hint that was configured or learned from answers. */
  readonly clientHint: OwnHint;
  /** The circuit breaker. Undefined when it is off. */
  readonly breaker: CircuitBreaker | undefined;
}

/** Returns the host for a location hint, or the client's own without one. */
export function hostOf({ client, serverDomain }: ResolvedConfig, locationHint: string | undefined): string {
  return serverDomain ?? deliveryHost(client, locationHint);
}

/**
 * Returns the location hint for calls without a visitor's hint. Leaves out a learned hint whose host has stopped
 * answering, because the client's own host finds another cluster.
 */
export function ownHint({ config, clientHint, breaker }: OwnHostOptions): string | undefined {
  const { current } = clientHint;
  const { targetLocationHint } = config;
  if (current === targetLocationHint) {
    return current;
  }
  return breaker?.isRefusing(hostOf(config, current)) ? targetLocationHint : current;
}
