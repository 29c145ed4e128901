import { afterEach } from '@jest/globals';
import { type Client, OpenFeature } from '@openfeature/server-sdk';
import { TargetProvider, type TargetProviderOptions } from '../../src/adapters/openfeature.js';
import type { TargetClient } from '../../src/index.js';

let domains = 0;

/** Makes an OpenFeature client for a test file. The providers are closed behind each test, with their clients. */
export function withOpenFeature() {
  afterEach(async () => {
    await OpenFeature.clearProviders();
    OpenFeature.clearHandlers();
  });
  return {
    /** Registers a provider of a client, and waits until it is ready. */
    async serve(client: TargetClient, options?: TargetProviderOptions): Promise<Client> {
      domains += 1;
      const domain = `domain-${domains}`;
      await OpenFeature.setProviderAndWait(domain, new TargetProvider(client, options));
      return OpenFeature.getClient(domain);
    },
    /** Registers a provider without waiting for it. */
    register(provider: TargetProvider): Client {
      domains += 1;
      const domain = `domain-${domains}`;
      OpenFeature.setProvider(domain, provider);
      return OpenFeature.getClient(domain);
    },
  };
}
