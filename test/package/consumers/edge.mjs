import { TargetClient } from 'target-node-sdk';
import { html, startTargetEdge } from 'target-node-sdk/testing';

const edge = await startTargetEdge({ offers: { mboxes: { greeting: html('hello') } } });
const client = TargetClient.create(edge.config);
const request = { execute: { mboxes: [{ name: 'greeting', index: 1 }] } };
const { response } = await client.getOffers({ request });
if (edge.lastRequest.violations.length > 0) {
  throw new Error(JSON.stringify(edge.lastRequest.violations));
}
console.log(response.execute.mboxes[0].options[0].content);
