import { expect, jest, test } from '@jest/globals';
import { TargetClient } from '../src/index.js';
import { configOf, REQUEST, recordingFetch } from './recording-fetch.js';
import { targetErrorOf } from './with-edge.js';

// As where a bundler has left the lazy part out.
jest.mock('../src/on-device/decider.js', () => {
  throw new Error('gone');
});

const UNLOADABLE = {
  code: 'ERR_TARGET_NOT_READY',
  message: 'on-device decisioning could not be loaded',
  cause: expect.objectContaining({ message: 'gone' }),
};

test('an on-device part that cannot be loaded is told by every call, and closes like any other', async () => {
  const { fetchApi } = recordingFetch();
  const client = TargetClient.create({ ...configOf(fetchApi), decisioningMethod: 'on-device' });
  expect(await targetErrorOf(() => client.getOffers({ request: REQUEST }))).toMatchObject(UNLOADABLE);
  expect(await targetErrorOf(() => client.ready())).toMatchObject(UNLOADABLE);
  expect(await targetErrorOf(() => client.refresh())).toMatchObject(UNLOADABLE);
  await client.sendNotifications({
    request: {
      notifications: [{ id: 'n', type: 'click', timestamp: 1, tokens: ['t'], mbox: { name: 'hero' } }],
    },
  });
  expect(client.stats()).toMatchObject({ status: 'waiting', deliveries: 1 });
  expect(await client.close()).toEqual({ delivered: 0, failed: 0, dropped: 0 });
});
