import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { getAttributes } from '../../examples/python-parity/get-attributes.js';
import { getOffers, getOffersWithCallbacks } from '../../examples/python-parity/get-offers.js';
import { documentedOffers } from '../../examples/python-parity/offers.js';
import { sendNotifications } from '../../examples/python-parity/send-notifications.js';
import { TargetError } from '../../src/index.js';
import { startTargetEdge, type TargetEdge } from '../../src/testing/edge.js';

let edge: TargetEdge;
beforeAll(async () => {
  edge = await startTargetEdge({
    offers: documentedOffers,
    client: 'acmeclient',
    organizationId: '1234567890@AdobeOrg',
  });
});
beforeEach(() => edge.clearRequests());
afterEach(() => edge.clearFaults());
afterAll(() => edge.close());

describe('get_offers', () => {
  test('executes the documented mbox', async () => {
    const { response, meta } = await getOffers(edge.config);
    expect(response.client).toBe('acmeclient');
    expect(response.execute?.mboxes).toEqual([
      { index: 1, name: 'a1-serverside-ab', options: [{ type: 'html', content: 'Experience A' }] },
    ]);
    expect(meta.decisioningMethod).toBe('server-side');
    expect(edge.lastRequest?.query.imsOrgId).toBe('1234567890@AdobeOrg');
    expect(edge.lastRequest?.delivery).toMatchObject({
      context: { channel: 'web' },
      execute: { mboxes: [{ name: 'a1-serverside-ab', index: 1 }] },
    });
  });

  test('hands the answer to the callback, from the event of being ready', async () => {
    const answer = await new Promise<unknown>((callback, errCallback) => {
      getOffersWithCallbacks(edge.config, callback, errCallback);
    });
    expect(answer).toMatchObject({
      response: { execute: { mboxes: [{ name: 'a1-serverside-ab' }] } },
      targetCookie: { name: 'mbox', maxAge: 63_244_800 },
      targetLocationHintCookie: { name: 'mboxEdgeCluster', value: '35' },
    });
  });

  test('hands the error to the error callback', async () => {
    edge.fault({ kind: 'status', status: 400 });
    const error = await new Promise((errCallback, callback) => {
      getOffersWithCallbacks(edge.config, callback, errCallback);
    });
    expect(error).toBeInstanceOf(TargetError);
    expect(error).toMatchObject({ code: 'ERR_TARGET_RESPONSE', status: 400 });
  });
});

describe('get_attributes', () => {
  test('reads one flag and all flags of the documented mbox', async () => {
    const { searchProviderId, engineeringFlags, hasLegacyAccess, assetUrl } = await getAttributes(
      edge.config,
    );
    expect(searchProviderId).toBe(143);
    expect(engineeringFlags).toEqual({
      cdnHostname: 'cdn.cloud.corp.net',
      searchProviderId: 143,
      hasLegacyAccess: false,
    });
    expect(hasLegacyAccess).toBe(false);
    expect(assetUrl).toBe('https://cdn.cloud.corp.net/path/to/asset');
  });

  test('asks for the flags behind the mboxes of the request, in one call', async () => {
    const { answer } = await getAttributes(edge.config);
    expect(edge.requests).toHaveLength(1);
    expect(answer.request.execute?.mboxes).toEqual([
      { name: 'a1-serverside-ab', index: 1 },
      { name: 'demo-engineering-flags', index: 2 },
    ]);
  });
});

describe('send_notifications', () => {
  test('reports the display of the prefetched mbox, by the same visitor', async () => {
    const log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
    const { prefetched, notified } = await sendNotifications(edge.config);
    expect(log.mock.calls).toEqual([['TEST OFFER 1']]);
    log.mockRestore();

    const mboxes = prefetched.response.prefetch?.mboxes ?? [];
    expect(mboxes.map(({ index, name }) => [index, name])).toEqual([
      [0, 'home'],
      [1, 'product1'],
    ]);
    const [prefetch, notification] = edge.requests;
    expect(notification?.delivery?.notifications).toEqual([
      {
        id: '1',
        type: 'display',
        timestamp: expect.any(Number),
        mbox: { name: 'product1', state: mboxes[1]?.state },
        tokens: [mboxes[1]?.options?.[0]?.eventToken],
      },
    ]);
    expect(notification?.delivery?.id?.tntId).toBe(prefetched.response.id?.tntId);
    expect(notification?.query.sessionId).toBe(prefetch?.query.sessionId);
    expect(notified.response.notifications).toEqual([{ id: '1' }]);
  });
});
