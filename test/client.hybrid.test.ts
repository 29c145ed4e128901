import { afterEach, describe, expect, test } from '@jest/globals';
import type { DeliveryRequest, TargetClientConfig } from '../src/index.js';
import { html } from '../src/testing/edge.js';
import { flagsArtifact, HERO } from './fixtures/flags.js';
import { answer, hang, status } from './recording-fetch.js';
import { next, releaseOf, served, withScripts } from './scripted-cdn.js';
import { targetErrorOf, withEdge } from './with-edge.js';

const DELIVERIES = '/rest/v1/delivery';
const bench = withEdge({ artifact: flagsArtifact(), offers: { mboxes: { far: html('from far') } } });
const startWith = withScripts();

async function connect(config: Partial<TargetClientConfig> = {}) {
  const client = bench.connect({ decisioningMethod: 'hybrid', targetLocationHint: '35', ...config });
  await client.ready();
  return client;
}

afterEach(() => {
  bench.edge.setArtifact(flagsArtifact());
});

describe('a hybrid client', () => {
  test.each<[string, DeliveryRequest]>([
    ['an mbox', { execute: { mboxes: [{ name: 'hero' }] } }],
    ['mboxes', { prefetch: { mboxes: [{ name: 'hero' }, { name: 'flags' }, { name: 'other' }] } }],
    ['a view', { prefetch: { views: [{ name: 'home' }] } }],
    ['a page load', { execute: { pageLoad: {} } }],
  ])('decides here what it can: %s', async (_, request) => {
    const client = await connect();
    const { response, meta, decisioningMethod, status: told } = await client.getOffers({ request });
    await client.flush();
    expect(response.status).toBe(200);
    expect(decisioningMethod).toBe('on-device');
    expect(meta).toMatchObject({ decisioningMethod: 'on-device', remoteMboxes: [], remoteViews: [] });
    expect(told).toMatchObject({ status: 200 });
    const asked = bench.edge.requestsTo(DELIVERIES).filter(({ delivery }) => !delivery?.notifications);
    expect(asked).toHaveLength(0);
  });

  test.each<[string, DeliveryRequest, object]>([
    [
      'an mbox of many',
      { execute: { mboxes: [{ name: 'hero' }, { name: 'far' }] } },
      { remoteMboxes: ['far'], remoteViews: [] },
    ],
    ['an mbox that is unheard of', { execute: { mboxes: [{ name: 'new' }] } }, { remoteMboxes: ['new'] }],
    [
      'a prefetched one beside an executed one',
      { execute: { mboxes: [{ name: 'hero' }] }, prefetch: { mboxes: [{ name: 'far' }] } },
      { remoteMboxes: ['far'] },
    ],
    ['a view', { prefetch: { views: [{ name: 'far' }] } }, { remoteViews: ['far'] }],
    ['all views', { prefetch: { views: [{}] } }, { remoteViews: ['far'] }],
    [
      'a notification, which the edge alone processes',
      {
        prefetch: { mboxes: [{ name: 'hero' }] },
        notifications: [{ id: 'n', type: 'click', timestamp: 1, mbox: { name: 'hero' }, tokens: ['t'] }],
      },
      { remoteMboxes: [], remoteViews: [] },
    ],
  ])('leaves the whole to the edge when a part is remote: %s', async (_, request, names) => {
    const client = await connect();
    const { response, meta } = await client.getOffers({ request });
    await client.flush();
    expect(response.status).toBe(200);
    expect(meta).toMatchObject({ decisioningMethod: 'server-side', ...names });
    const [received, ...others] = bench.edge.requestsTo(DELIVERIES);
    expect(others).toHaveLength(0);
    expect(received?.delivery).toMatchObject(request);
  });

  test('gets from the edge what only the edge has, and from there alone', async () => {
    const client = await connect();
    const { response } = await client.getOffers({
      request: { execute: { mboxes: [{ name: 'hero' }, { name: 'far' }] } },
    });
    const contents = response.execute?.mboxes?.map(({ options }) => options?.[0]?.content);
    expect(contents).toEqual(['first', 'from far']);
    await client.flush();
    // The edge counts what it decides: nothing is reported of it.
    expect(bench.edge.requestsTo(DELIVERIES)).toHaveLength(1);
  });

  test('leaves a page load to the edge when the global mbox is remote', async () => {
    bench.edge.setArtifact(flagsArtifact({ fields: { remoteMboxes: ['target-global-mbox'] } }));
    const client = await connect();
    const { meta } = await client.getOffers({ request: { execute: { pageLoad: {} } } });
    expect(meta.remoteMboxes).toEqual(['target-global-mbox']);
    expect(bench.edge.requestsTo(DELIVERIES)).toHaveLength(1);
  });

  test('decides on the edge as long as there is no artifact, and here when it comes', async () => {
    bench.edge.setArtifact(undefined);
    const client = bench.connect({ decisioningMethod: 'hybrid', targetLocationHint: '35' });
    await next(client, 'artifactDownloadFailed');
    await client.getOffers({ request: HERO });
    expect(bench.edge.requestsTo(DELIVERIES)).toHaveLength(1);
    bench.edge.setArtifact(flagsArtifact());
    await client.refresh();
    expect(await releaseOf(client)).toBe('first');
    await client.flush();
    const asked = bench.edge.requestsTo(DELIVERIES).filter(({ delivery }) => delivery?.execute);
    expect(asked).toHaveLength(1);
  });

  test('does not wait for the artifact', async () => {
    const { client, deliveries } = startWith({ decisioningMethod: 'hybrid' }, { downloads: [hang] });
    await client.getOffers({ request: HERO });
    expect(deliveries).toHaveLength(1);
  });

  test('fails when the edge does, and needs it', async () => {
    const { client } = startWith(
      { decisioningMethod: 'hybrid', retry: { retries: 0 } },
      { downloads: [served()], deliveries: [status(500)] },
    );
    await client.ready();
    const error = await targetErrorOf(() =>
      client.getOffers({ request: { execute: { mboxes: [{ name: 'far' }] } } }),
    );
    expect(error).toMatchObject({ code: 'ERR_TARGET_RESPONSE', status: 500 });
    expect(await releaseOf(client)).toBe('first');
  });
});

describe('the decisioning method of a call', () => {
  test('wins over the one of the client', async () => {
    const { client, deliveries } = startWith({ decisioningMethod: 'hybrid' });
    await client.ready();
    const far = { execute: { mboxes: [{ name: 'far' }] } };
    const onDevice = await client.getOffers({ request: far, decisioningMethod: 'on-device' });
    expect(onDevice.response.status).toBe(206);
    expect(deliveries).toHaveLength(0);
    const edge = await client.getOffers({ request: HERO, decisioningMethod: 'server-side' });
    expect(edge.response.execute).toBeUndefined();
    expect(deliveries).toHaveLength(1);
  });

  test('hybrid is the edge for a client that has no artifact, and on-device is refused', async () => {
    const { client, deliveries, downloads } = startWith(
      { decisioningMethod: 'server-side' },
      { deliveries: [answer()] },
    );
    await client.getOffers({ request: HERO, decisioningMethod: 'hybrid' });
    expect(deliveries).toHaveLength(1);
    const error = await targetErrorOf(() =>
      client.getOffers({ request: HERO, decisioningMethod: 'on-device' }),
    );
    expect(error.code).toBe('ERR_TARGET_NOT_READY');
    expect(downloads).toHaveLength(0);
  });
});

test('a hybrid client checks for the edge what only the edge limits', async () => {
  const client = await connect();
  const context = { geo: { countryCode: 'UNITED STATES' } };
  const { decisioningMethod } = await client.getOffers({
    request: { context, prefetch: { mboxes: [{ name: 'hero' }] } },
  });
  expect(decisioningMethod).toBe('on-device');
  const error = await targetErrorOf(() =>
    client.getOffers({ request: { context, execute: { mboxes: [{ name: 'far' }] } } }),
  );
  expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path: 'context.geo.countryCode' });
});
