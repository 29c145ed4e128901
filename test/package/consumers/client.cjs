const { TargetClient, TargetError } = require('target-node-sdk');

async function main() {
  const client = TargetClient.create({
    client: 'demo',
    organizationId: 'DEMO@AdobeOrg',
    serverDomain: process.argv[2] ?? process.env.EDGE,
    secure: false,
  });
  const request = { execute: { mboxes: [{ name: 'greeting', index: 1 }] } };
  await client.getOffers({ request });
  const refusal = await client.getOffers({ request: {} }).catch((error) => error);
  if (!(refusal instanceof TargetError)) {
    throw new Error('not a TargetError');
  }
  // On the connection that is open now.
  const { response } = await client.getOffers({ request });
  console.log(response.execute.mboxes[0].options[0].content);
}

void main();
