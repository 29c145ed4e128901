import { TargetClient } from 'target-node-sdk';

const controller = new AbortController();
const client = TargetClient.create({ client: 'demo', organizationId: 'DEMO@AdobeOrg', fetchApi: fetch });
export const answer = client.getOffers({
  request: { execute: { pageLoad: {} } },
  signal: controller.signal,
});
