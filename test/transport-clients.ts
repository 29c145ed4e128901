import { createUndiciFetch, type UndiciFetchOptions } from '../src/http/undici.js';
import { TargetClient, type TargetClientConfig } from '../src/index.js';

/** The two transports of the package. */
export type Transport = 'node-fetch' | 'undici';

/** A client of a transport, without telemetry and without a circuit breaker, so that each call is the caller's own. */
export type ClientOf = (
  transport: Transport,
  serverDomain: string,
  config?: Partial<TargetClientConfig> & UndiciFetchOptions,
) => TargetClient;

/** Makes clients of both transports; `atEnd` is given what closes them. */
export function clientsOf(atEnd: (close: () => unknown) => void): ClientOf {
  return (transport, serverDomain, { connections, ...config } = {}) => {
    const fetchApi = transport === 'undici' ? createUndiciFetch({ connections }) : undefined;
    const client = TargetClient.create({
      client: 'demo',
      organizationId: 'DEMO@AdobeOrg',
      // Longer than any call here takes: time is not what is tested.
      timeout: 15_000,
      telemetryEnabled: false,
      circuitBreaker: false,
      secure: false,
      serverDomain,
      fetchApi,
      ...config,
    });
    atEnd(() => client.close());
    if (fetchApi) {
      atEnd(() => fetchApi.close());
    }
    return client;
  };
}
