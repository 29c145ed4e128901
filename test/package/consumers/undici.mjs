import { TargetClient } from 'target-node-sdk';
import { createUndiciFetch } from 'target-node-sdk/undici';

const [serverDomain, slow] = process.argv.slice(2);
const fetchApi = createUndiciFetch();
const clientOf = (host) =>
  TargetClient.create({
    client: 'demo',
    organizationId: 'DEMO@AdobeOrg',
    serverDomain: host,
    secure: false,
    fetchApi,
  });
const client = clientOf(serverDomain);
const request = { execute: { mboxes: [{ name: 'greeting', index: 1 }] } };
await client.getOffers({ request });
// On the connection that is open now.
const { response } = await client.getOffers({ request });
const refusal = await clientOf(slow)
  .getOffers({ request, timeout: 100 })
  .catch((error) => error);
if (refusal.code !== 'ERR_TARGET_TIMEOUT') {
  throw refusal;
}
console.log(response.execute.mboxes[0].options[0].content);
