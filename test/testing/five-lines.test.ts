import { expect, test } from '@jest/globals';
import type { TargetClient } from 'target-node-sdk';
import { createTestClient, json } from 'target-node-sdk/testing';

async function checkoutSettings(client: TargetClient) {
  const flags = await client.getAttributes(['checkout']);
  return {
    isNew: flags.getBoolean('checkout', 'isNew', false),
    limit: flags.getNumber('checkout', 'limit', 10),
    theme: flags.getString('checkout', 'theme', 'light'),
  };
}

test('the settings are those of Target, and the default where there is none', async () => {
  const { client } = createTestClient({ offers: { mboxes: { checkout: json({ isNew: true, limit: 3 }) } } });
  const settings = await checkoutSettings(client);
  expect(settings).toEqual({ isNew: true, limit: 3, theme: 'light' });
});
