import { expect, test } from '@jest/globals';
import type { TargetClient } from 'target-node-sdk';
import { createTestClient, json } from 'target-node-sdk/testing';

const DEFAULTS = { isNew: false, limit: 10, theme: 'light' };

async function checkoutSettings(client: TargetClient) {
  try {
    const flags = await client.getAttributes(['checkout']);
    return {
      isNew: flags.getBoolean('checkout', 'isNew', DEFAULTS.isNew),
      limit: flags.getNumber('checkout', 'limit', DEFAULTS.limit),
      theme: flags.getString('checkout', 'theme', DEFAULTS.theme),
    };
  } catch {
    return DEFAULTS; // Target did not answer in time.
  }
}

test('the settings are those of Target, and the default where there is none', async () => {
  const { client } = createTestClient({ offers: { mboxes: { checkout: json({ isNew: true, limit: 3 }) } } });
  const settings = await checkoutSettings(client);
  expect(settings).toEqual({ isNew: true, limit: 3, theme: 'light' });
});
