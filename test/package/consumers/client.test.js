const { TargetClient } = require('target-node-sdk');
const { html, startTargetEdge } = require('target-node-sdk/testing');

test('offers arrive', async () => {
  const edge = await startTargetEdge({ offers: { mboxes: { greeting: html('hello') } } });
  const client = TargetClient.create(edge.config);
  const request = { execute: { mboxes: [{ name: 'greeting', index: 1 }] } };
  const { response } = await client.getOffers({ request });
  expect(response.execute.mboxes[0].options[0].content).toBe('hello');
});
