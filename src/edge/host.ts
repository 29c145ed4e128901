import type { ResolvedConfig } from '../config.js';
import { deliveryHost, type OwnHint } from '../identity/location-hint.js';
import type { CircuitBreaker } from './circuit-breaker.js';

/** The client's own host depends on these. */
export interface OwnHostOptions {
  readonly config: ResolvedConfig;
  /** The hint that was configured or learned from answers. */
  readonly clientHint: OwnHint;
  /** The circuit breaker; undefined when it is off. */
  readonly breaker: CircuitBreaker | undefined;
}

/** Names the host of calls that go by a hint. */
export function hostOf({ client, serverDomain }: ResolvedConfig, locationHint: string | undefined): string {
  return serverDomain ?? deliveryHost(client, locationHint);
}

/**
 * Returns the hint of calls that have none of a visitor. A learned cluster that has stopped answering is no reason to fail,
 * because the client's own host finds another.
 */
export function ownHint({ config, clientHint, breaker }: OwnHostOptions): string | undefined {
  const { current } = clientHint;
  const { targetLocationHint } = config;
  if (current === targetLocationHint) return current;
  return breaker?.isRefusing(hostOf(config, current)) ? targetLocationHint : current;
}
