import { describe, expect, test } from '@jest/globals';
import type { DeliveryRequest, TargetClientConfig } from '../src/index.js';
import { flagsArtifact, HERO } from './fixtures/flags.js';
import { artifactOf, rule } from './fixtures/rules.js';
import { answer, type RecordedCall, status } from './recording-fetch.js';
import { confirm, fakeTimers, held, pass, type Scripts, settle, withScripts } from './scripted-cdn.js';

const startWith = withScripts();

function start(config: Partial<TargetClientConfig> = {}, scripts: Scripts = {}) {
  return startWith({ artifactPayload: flagsArtifact(), pollingInterval: 0, ...config }, scripts);
}

const notificationsOf = (calls: readonly RecordedCall[]) =>
  calls.flatMap(({ request }) => request.notifications ?? []);

describe('the report of a display', () => {
  test('has each token of each mbox once, whichever mbox came first', async () => {
    const { client, deliveries } = start();
    const names = ['hero', 'flags', 'flags', 'hero', 'flags', 'target-global-mbox', 'flags'];
    await client.getOffers({
      request: { execute: { mboxes: names.map((name) => ({ name })), pageLoad: {} } },
    });
    await client.flush();
    expect(notificationsOf(deliveries).map(({ mbox }) => mbox?.name)).toEqual([
      'hero',
      'flags',
      'target-global-mbox',
    ]);
  });

  test('is of what was executed, not of what was prefetched beside it', async () => {
    const { client, deliveries } = start();
    const { response } = await client.getOffers({
      request: { ...HERO, prefetch: { mboxes: [{ name: 'hero' }, { name: 'flags' }], pageLoad: {} } },
    });
    const prefetched = response.prefetch?.mboxes?.map(({ options }) => options?.[0]?.eventToken);
    expect(prefetched).toEqual(['token-first', expect.stringMatching(/^token-flags/)]);
    await client.flush();
    expect(notificationsOf(deliveries).map(({ tokens }) => tokens)).toEqual([['token-first']]);
  });

  test('cannot be changed by who hears that it failed, for later visitors', async () => {
    const { client, deliveries } = start({}, { deliveries: [status(400)] });
    client.on('sendNotificationError', ({ notification }) => {
      (notification.tokens as string[]).splice(0, 9, 'spoilt');
      Object.assign(notification.mbox ?? {}, { name: 'spoilt' });
    });
    const request = { id: { tntId: 'a' }, execute: { mboxes: [{ name: 'hero' }, { name: 'flags' }] } };
    await client.getOffers({ request });
    await client.flush();
    await client.getOffers({ request });
    await client.flush();
    const [first, second] = deliveries.map(({ request: { notifications } }) =>
      notifications?.map(({ mbox, tokens }) => [mbox?.name, tokens]),
    );
    expect(second).toEqual(first);
    expect(JSON.stringify(second)).not.toContain('spoilt');
  });

  test.each<[string, DeliveryRequest]>([
    ['nothing else', {}],
    ['a property', { property: { token: 'p' } }],
    ['an environment', { environmentId: 0 }],
    ['both', { property: { token: 'p "1"' }, environmentId: 7 }],
    [
      'a tracking server',
      { experienceCloud: { analytics: { trackingServer: 'a.example', logging: 'server_side' } } },
    ],
    ['a secure tracking server', { experienceCloud: { analytics: { trackingServerSecure: 'a.example' } } }],
    ['Audience Manager', { experienceCloud: { audienceManager: { locationHint: 9, blob: 'b' } } }],
    [
      'a customer who is not logged in',
      {
        id: { customerIds: [{ id: 'c', integrationCode: 'crm', authenticatedState: 'unknown' }] },
      },
    ],
  ])('has the visitor and the place of its decision: %s', async (_, fields) => {
    const { client, deliveries } = start();
    const { request, response } = await client.getOffers({ request: { ...HERO, ...fields } });
    await client.flush();
    const { requestId, notifications, ...sent } = deliveries[0]?.request ?? {};
    const { id, context, experienceCloud, property, environmentId } = request;
    expect(sent).toEqual({ id, context, experienceCloud, property, environmentId });
    expect(sent.id).toEqual(response.id);
    expect(sent).toMatchObject(fields);
    expect(requestId).not.toBe(request.requestId);
    expect(notifications).toHaveLength(1);
  });

  test('is as it was decided, whatever the caller does to his objects, also where it carries telemetry', async () => {
    const { client, deliveries } = start({ telemetryEnabled: true });
    const { request } = await client.getOffers({ request: { ...HERO, id: { tntId: 'mine' } } });
    const { id, context } = structuredClone(request);
    Object.assign(request.id ?? {}, { tntId: 'changed' });
    Object.assign(request.context, { userAgent: 'changed' });
    await client.flush();
    expect(deliveries).toHaveLength(1);
    expect(deliveries[0]?.request).toMatchObject({
      id,
      context,
      notifications: [{ tokens: ['token-first'] }],
      telemetry: { entries: [{ requestId: request.requestId }] },
    });
    expect(deliveries[0]?.init.body).not.toContain('changed');
  });

  test('has the session of its decision, whatever characters are in it', async () => {
    const { client, deliveries } = start();
    const sessionId = '#1&imsOrgId=2%41';
    await client.getOffers({ request: HERO, sessionId });
    await client.flush();
    expect(deliveries.map(({ url }) => url.searchParams.getAll('sessionId'))).toEqual([[sessionId]]);
    expect(deliveries[0]?.url.searchParams.getAll('imsOrgId')).toEqual(['DEMO@AdobeOrg']);
  });

  test('has the timeout of the client, not of its call', async () => {
    fakeTimers();
    const slow = held(confirm);
    const { client, deliveries } = start({ timeout: 3000 }, { deliveries: [slow.script] });
    await client.getOffers({ request: HERO, timeout: 5 });
    await settle();
    await pass(2000);
    slow.release();
    await settle();
    expect(deliveries).toHaveLength(1);
    expect(client.stats().notifications).toMatchObject({ delivered: 1, queued: 0 });
  });

  test('is sent although its call is aborted after its answer', async () => {
    const { client } = start();
    const abort = new AbortController();
    await client.getOffers({ request: HERO, signal: abort.signal });
    abort.abort();
    await client.flush();
    expect(client.stats().notifications).toMatchObject({ delivered: 1, failed: 0, dropped: 0 });
  });
});

describe('after a look-up of the place', () => {
  const at = (city: string) => ({ when: { '==': [{ var: 'geo.city' }, city] }, shows: city });
  const artifactPayload = artifactOf(
    { hero: [rule('hero', at('BERN')), rule('hero', { shows: 'elsewhere' })] },
    {},
    { geoTargetingEnabled: true },
  );
  const request = { ...HERO, context: { geo: { ipAddress: '192.0.2.1' } } };

  test('the display has the time and the place of its decision', async () => {
    fakeTimers();
    const place = held(answer({ 'x-geo-city': 'BERN' }));
    const { client, deliveries } = start({ artifactPayload }, { places: [place.script] });
    const begunMs = Date.now();
    const offers = client.getOffers({ request });
    await pass(1000);
    place.release();
    const { response } = await offers;
    expect(response.execute?.mboxes?.[0]?.options?.[0]?.content).toBe('BERN');
    await settle();
    const [notification] = notificationsOf(deliveries);
    expect(notification?.timestamp).toBeGreaterThanOrEqual(begunMs + 1000);
  });

  test('nothing is displayed or reported when the call was aborted meanwhile', async () => {
    const place = held(answer({ 'x-geo-city': 'BERN' }));
    const { client, deliveries } = start({ artifactPayload }, { places: [place.script] });
    const abort = new AbortController();
    const offers = client.getOffers({ request, signal: abort.signal });
    await settle();
    abort.abort();
    place.release();
    await expect(offers).rejects.toMatchObject({ code: 'ERR_TARGET_ABORTED' });
    await client.flush();
    expect(deliveries).toHaveLength(0);
  });
});
