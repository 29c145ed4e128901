import { afterEach, describe, expect, test } from '@jest/globals';
import type { DeliveryRequest, TargetClientConfig } from '../src/index.js';
import { html } from '../src/testing/edge.js';
import { flagsArtifact, HERO } from './fixtures/flags.js';
import { answer, hang, status } from './recording-fetch.js';
import { next, releaseOf, served, withScripts } from './scripted-cdn.js';
import { listeningLogger, targetErrorOf, withEdge } from './with-edge.js';

const DELIVERIES = '/rest/v1/delivery';
const bench = withEdge({ artifact: flagsArtifact(), offers: { mboxes: { far: html('from far') } } });
const { received, sent } = bench;
const startWith = withScripts();

async function connect(config: Partial<TargetClientConfig> = {}) {
  const client = bench.connect({ decisioningMethod: 'hybrid', targetLocationHint: '35', ...config });
  await client.ready();
  return client;
}

afterEach(() => {
  bench.edge.setArtifact(flagsArtifact());
});

const NONE = { remoteMboxes: [], remoteViews: [] };

describe('a hybrid client', () => {
  test.each<[string, DeliveryRequest]>([
    ['an mbox', { execute: { mboxes: [{ name: 'hero' }] } }],
    ['mboxes', { prefetch: { mboxes: [{ name: 'hero' }, { name: 'flags' }, { name: 'other' }] } }],
    ['a view', { prefetch: { views: [{ name: 'home' }] } }],
    ['a page load', { execute: { pageLoad: {} } }],
    [
      'parameters',
      { execute: { mboxes: [{ name: 'hero', parameters: { a: '1' }, profileParameters: { b: '2' } }] } },
    ],
    [
      'fields for testers that are empty',
      { qaMode: {}, preview: {}, execute: { mboxes: [{ name: 'hero' }] } },
    ],
    [
      'empty orders and products',
      {
        execute: { mboxes: [{ name: 'hero', order: {}, product: { id: '' } }] },
        prefetch: { views: [{ order: {}, name: 'home' }] },
      },
    ],
    [
      'what Analytics takes from the edge',
      {
        experienceCloud: { analytics: { logging: 'server_side', trackingServer: 'a.example' } },
        execute: { mboxes: [{ name: 'hero' }] },
      },
    ],
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
    ['the mode of a tester', { qaMode: { token: 't' }, execute: { mboxes: [{ name: 'hero' }] } }, NONE],
    [
      'forced audiences without a token',
      { qaMode: { evaluateAsTrueAudienceIds: [7] }, prefetch: { mboxes: [{ name: 'hero' }] } },
      NONE,
    ],
    ['a preview', { preview: { token: 't' }, prefetch: { views: [{ name: 'home' }] } }, NONE],
    [
      'an Analytics payload for the page',
      { experienceCloud: { analytics: { logging: 'client_side' } }, execute: { pageLoad: {} } },
      NONE,
    ],
    [
      'an order of an executed mbox',
      { execute: { mboxes: [{ name: 'flags' }, { name: 'hero', order: { id: 'o' } }] } },
      { remoteMboxes: ['hero'], remoteViews: [] },
    ],
    [
      'an order without an id',
      { execute: { mboxes: [{ name: 'hero', order: { total: 0 } }] } },
      { remoteMboxes: ['hero'], remoteViews: [] },
    ],
    [
      'a product of a page load',
      { execute: { pageLoad: { product: { id: 'p' } } } },
      { remoteMboxes: ['target-global-mbox'], remoteViews: [] },
    ],
    [
      'an order of a prefetched mbox, beside one that is remote by itself',
      { prefetch: { mboxes: [{ name: 'hero', order: { total: 1 } }, { name: 'far' }] } },
      { remoteMboxes: ['far', 'hero'], remoteViews: [] },
    ],
    [
      'a product of a prefetched page load',
      { prefetch: { pageLoad: { product: { categoryId: 'c' } } } },
      { remoteMboxes: ['target-global-mbox'], remoteViews: [] },
    ],
    [
      'an order of a view',
      { prefetch: { views: [{ name: 'home', order: { id: 'o' } }] } },
      { remoteMboxes: [], remoteViews: ['home'] },
    ],
    [
      'a product of all views',
      { prefetch: { views: [{ product: { id: 'p' } }] } },
      { remoteMboxes: [], remoteViews: ['far'] },
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

  test('leaves an order of all views to the edge when no view is remote', async () => {
    bench.edge.setArtifact(flagsArtifact({ fields: { remoteViews: [] } }));
    const client = await connect();
    const { meta } = await client.getOffers({ request: { prefetch: { views: [{ order: { id: 'o' } }] } } });
    expect(meta).toEqual({ decisioningMethod: 'server-side', ...NONE });
    const plain = await client.getOffers({ request: { prefetch: { views: [{}] } } });
    expect(plain.meta).toEqual({ decisioningMethod: 'on-device', ...NONE });
  });

  test('gets the payload of Analytics from the edge, and warns of nothing', async () => {
    const { lines, logger } = listeningLogger();
    const client = await connect({ logger });
    await client.getOffers({
      request: {
        ...HERO,
        qaMode: { token: 't' },
        experienceCloud: { analytics: { logging: 'client_side' } },
      },
    });
    await client.getAttributes(['flags'], {
      request: { execute: { mboxes: [{ name: 'hero', order: { id: 'o' } }] } },
    });
    expect(bench.edge.requestsTo(DELIVERIES)).toHaveLength(2);
    expect(lines.warn).toEqual([]);
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

test('a hybrid client sends no names of places that only artifacts know', async () => {
  const client = await connect();
  const geo = {
    countryCode: 'UNITED STATES',
    stateCode: 'CALIFORNIA',
    city: 'x'.repeat(51),
    zip: '9'.repeat(13),
  };
  const context = { geo: { ...geo, latitude: 1 } };
  const here = await client.getOffers({ request: { context, prefetch: { mboxes: [{ name: 'hero' }] } } });
  expect(here).toMatchObject({ decisioningMethod: 'on-device', request: { context } });
  const there = await client.getOffers({ request: { context, execute: { mboxes: [{ name: 'far' }] } } });
  expect(there.decisioningMethod).toBe('server-side');
  expect(sent().context?.geo).toEqual({ latitude: 1 });
  expect(received().violations).toEqual([]);
});

test('a hybrid client checks for the edge how many mboxes the edge takes', async () => {
  const client = await connect();
  const mboxes = (name: string) => Array.from({ length: 51 }, () => ({ name }));
  const { decisioningMethod } = await client.getOffers({ request: { prefetch: { mboxes: mboxes('hero') } } });
  expect(decisioningMethod).toBe('on-device');
  const error = await targetErrorOf(() =>
    client.getOffers({ request: { execute: { mboxes: mboxes('far') } } }),
  );
  expect(error).toMatchObject({
    code: 'ERR_TARGET_INVALID_REQUEST',
    path: 'execute.mboxes',
    message: 'execute.mboxes must be an array of at most 50, not an array of 51',
  });
});
