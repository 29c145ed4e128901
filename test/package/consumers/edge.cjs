const { TargetClient } = require('target-node-sdk');
const { html, startTargetEdge } = require('target-node-sdk/testing');

async function main() {
  const edge = await startTargetEdge({ offers: { mboxes: { greeting: html('hello') } } });
  const client = TargetClient.create(edge.config);
  const request = { execute: { mboxes: [{ name: 'greeting', index: 1 }] } };
  const { response } = await client.getOffers({ request });
  if (edge.lastRequest.violations.length > 0) {
    throw new Error(JSON.stringify(edge.lastRequest.violations));
  }
  console.log(response.execute.mboxes[0].options[0].content);
}

void main();
