import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { TargetClient, type TargetClientConfig } from '../src/index.js';
import { flagsArtifact, HERO } from './fixtures/flags.js';
import { configOf, REQUEST, recordingFetch } from './recording-fetch.js';
import { targetErrorOf } from './with-edge.js';

let isGone = true;
let loads = 0;

// As where a bundler has left the lazy part out, or its server does not answer.
jest.mock('../src/on-device/decider.js', () => {
  loads += 1;
  if (isGone) {
    throw new Error('gone');
  }
  return jest.requireActual('../src/on-device/decider.js');
});

beforeEach(() => {
  isGone = true;
  loads = 0;
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
  expect(await client.close()).toEqual({ delivered: 0, failed: 0, dropped: 0, handedOver: 0 });
});

describe('a load that failed is forgotten', () => {
  const clients: TargetClient[] = [];

  async function startUnloaded(config: Partial<TargetClientConfig> = {}) {
    const { fetchApi, calls } = recordingFetch();
    const artifactPayload = flagsArtifact();
    const client = TargetClient.create({
      ...{ ...configOf(fetchApi), decisioningMethod: 'on-device', artifactPayload, pollingInterval: 0 },
      ...config,
    });
    clients.push(client);
    await settled();
    return { client, calls };
  }

  const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
  });

  test.each<[string, (client: TargetClient) => Promise<unknown>]>([
    ['ready()', (client) => client.ready()],
    ['refresh()', (client) => client.refresh()],
    ['getOffers()', (client) => client.getOffers({ request: HERO })],
    ['getAttributes()', (client) => client.getAttributes(['hero'])],
  ])('%s tries it again, once', async (_, call) => {
    const { client } = await startUnloaded();
    expect(await targetErrorOf(() => call(client))).toMatchObject(UNLOADABLE);
    expect(loads).toBe(2);
  });

  test('calls at a time share a try, and each later one has its own', async () => {
    const { client } = await startUnloaded();
    expect(loads).toBe(1);
    const call = () => targetErrorOf(() => client.getOffers({ request: REQUEST }));
    expect(await Promise.all([call(), call(), targetErrorOf(() => client.ready())])).toMatchObject(
      Array(3).fill(UNLOADABLE),
    );
    expect(loads).toBe(2);
    await call();
    expect(loads).toBe(3);
  });

  test('calls that the edge decides, statistics and close() try nothing', async () => {
    const { client, calls } = await startUnloaded({ decisioningMethod: 'hybrid' });
    await client.getOffers({ request: HERO, decisioningMethod: 'server-side' });
    client.stats();
    await client.flush();
    await client.close();
    await settled();
    expect([loads, calls.length]).toEqual([1, 1]);
    expect(await targetErrorOf(() => client.getOffers({ request: HERO }))).toMatchObject({
      code: 'ERR_TARGET_CLOSED',
    });
    expect(loads).toBe(1);
  });

  // The last one: what is loaded stays loaded in this file.
  test('the next call tries it again, and the client is as if it had worked at once', async () => {
    const heard: string[] = [];
    const { client, calls } = await startUnloaded({
      events: { clientReady: ({ type }) => heard.push(type) },
    });
    expect(await targetErrorOf(() => client.getOffers({ request: HERO }))).toMatchObject(UNLOADABLE);
    expect([client.stats().status, heard, calls]).toEqual(['waiting', [], []]);
    isGone = false;
    const { decisioningMethod, response } = await client.getOffers({ request: HERO });
    expect(decisioningMethod).toBe('on-device');
    expect(response.execute?.mboxes?.[0]?.options).toHaveLength(1);
    expect(client.stats()).toMatchObject({ status: 'cached', decisions: 1, artifact: { source: 'payload' } });
    await settled();
    expect(heard).toEqual(['clientReady']);
    // The call that learns the client's location hint, and the display notification.
    expect(calls.map(({ request }) => request.notifications?.length ?? 0).sort()).toEqual([0, 1]);
  });
});
