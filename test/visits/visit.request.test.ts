import { describe, expect, test } from '@jest/globals';
import { createVisit, type VisitOptions } from '../../src/adapters/http.js';
import type { TargetClientConfig } from '../../src/index.js';
import { html } from '../../src/testing/edge.js';
import { flagsArtifact } from '../fixtures/flags.js';
import { deepFreeze, listeningLogger, targetErrorOf, withEdge } from '../with-edge.js';
import { Browser, type Browsing } from './browser.js';

const bench = withEdge({ artifact: flagsArtifact(), offers: { mboxes: { hero: html('hero') } } });
const { sent } = bench;
const HERO = { request: { execute: { mboxes: [{ name: 'hero' }] } } };

function visitOf(options?: VisitOptions, browsing?: Browsing, config?: Partial<TargetClientConfig>) {
  return createVisit(bench.connect(config), new Browser().request(browsing), options);
}

function hostileContext() {
  return {
    get geo(): never {
      throw new Error('canary');
    },
  };
}

describe('the context of a visit', () => {
  const browsing = { url: 'https://shop.example/cart?a=1', ipAddress: '203.0.113.7' };

  test('comes from the request', async () => {
    await visitOf({}, browsing).getOffers(HERO);
    expect(sent().context).toMatchObject({
      channel: 'web',
      address: { url: 'https://shop.example/cart?a=1' },
      geo: { ipAddress: '203.0.113.7' },
      userAgent: expect.stringContaining('Chrome/126'),
    });
  });

  test('has no address of the visitor with ipAddress: false', async () => {
    await visitOf({ ipAddress: false }, browsing).getOffers(HERO);
    expect(sent().context?.geo).toBeUndefined();
  });

  test('is merged field by field: the option over the request, and the call over both', async () => {
    const context = {
      geo: { countryCode: 'DE' },
      browser: { host: 'www.shop.example' },
      channel: 'mobile',
    } as const;
    const options = deepFreeze({ context });
    await visitOf(options, browsing).getOffers({
      request: { ...HERO.request, context: { geo: { city: 'BERLIN' }, channel: 'web', userAgent: null } },
    });
    expect(sent().context).toMatchObject({
      channel: 'web',
      address: { url: 'https://shop.example/cart?a=1' },
      geo: { ipAddress: '203.0.113.7', countryCode: 'DE', city: 'BERLIN' },
      browser: { host: 'www.shop.example' },
      userAgent: expect.stringContaining('Chrome/126'),
    });
  });

  test('may come of a function of the request', async () => {
    const visit = visitOf(
      { context: (incoming) => ({ address: { referringUrl: `${incoming.url}#from` } }) },
      browsing,
    );
    await visit.getOffers(HERO);
    expect(sent().context?.address).toMatchObject({
      url: browsing.url,
      referringUrl: 'https://shop.example/cart?a=1#from',
    });
  });

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('canary');
      },
    ],
    [
      'returns a promise',
      async () => {
        throw new Error('canary');
      },
    ],
    ['returns nothing', () => undefined],
    ['returns a text', () => 'web'],
  ])('is that of the request when the function %s', async (_, context) => {
    const { lines, logger } = listeningLogger();
    await visitOf({ context: context as () => object }, browsing, { logger }).getOffers(HERO);
    expect(sent().context?.address).toMatchObject({ url: browsing.url });
    expect(lines.warn.join()).not.toContain('canary');
  });

  test('a wrong field of the option rejects the call and names the field', async () => {
    const visit = visitOf({ context: { geo: { latitude: 'north' as unknown as number } } });
    expect(await targetErrorOf(() => visit.getOffers(HERO))).toMatchObject({
      code: 'ERR_TARGET_INVALID_REQUEST',
      path: 'context.geo.latitude',
    });
  });

  test.each<[string, VisitOptions['context']]>([
    ['an object', hostileContext()],
    ['a function', hostileContext],
  ])('counts as absent when it cannot be read: %s', async (_, context) => {
    const { lines, logger } = listeningLogger();
    const visit = visitOf({ context, onError: () => undefined }, browsing, { logger });
    expect((await visit.getOffers(HERO)).failure).toBeUndefined();
    expect(sent().context?.geo).toEqual({ ipAddress: '203.0.113.7' });
    expect(lines.warn.join()).toMatch(/the option context of a visit failed/);
    expect(lines.warn.join()).not.toContain('canary');
  });

  test.each<[string, object]>([
    ['merged', {}],
    ['alone', { timeout: 5000 }],
  ])('of a call must be an object: %s', async (_, own) => {
    for (const context of [5, 'web', []]) {
      const request = { ...HERO.request, context } as typeof HERO.request;
      const error = await targetErrorOf(() => visitOf().getOffers({ ...own, request }));
      expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path: 'context' });
    }
  });

  test('nothing that the caller passes is changed', async () => {
    const own = deepFreeze({
      request: { context: { geo: { city: 'A' } }, execute: { mboxes: [{ name: 'hero' }] } },
    });
    await visitOf(deepFreeze({ cookies: {}, customerIds: { crm: 'c-7' } })).getOffers(own);
    expect(sent().id?.customerIds).toMatchObject([{ id: 'c-7', integrationCode: 'crm' }]);
  });
});

describe('the option experienceCloud', () => {
  const analytics = { trackingServer: 'acme.sc.omtrdc.net', trackingServerSecure: 'sacme.sc.omtrdc.net' };
  const cloudOf = () => sent().experienceCloud;

  test('is in each request of the visit, and each has the supplemental data id of the page', async () => {
    const experienceCloud = { analytics: { ...analytics, logging: 'client_side' as const } };
    const client = bench.connect();
    const visit = createVisit(client, new Browser().request(), deepFreeze({ experienceCloud }));
    await visit.identify();
    await Promise.all([visit.offer('hero', ''), visit.getAttributes(['hero'])]);
    await visit.getOffers({ request: { execute: { pageLoad: {} } } });
    visit.track('order', { order: { id: 'o-1' } });
    const notification = {
      id: '1',
      type: 'display',
      timestamp: 1,
      mbox: { name: 'hero' },
      tokens: ['a'],
    } as const;
    await visit.sendNotifications({ request: { notifications: [notification] } });
    await client.flush();
    const sdid = expect.stringMatching(/^[\dA-F]{16}-[\dA-F]{16}$/);
    const clouds = bench.edge.requests.map(({ delivery }) => delivery?.experienceCloud);
    expect(clouds).toHaveLength(5);
    for (const cloud of clouds) {
      expect(cloud).toEqual({
        analytics: { ...analytics, logging: 'client_side', supplementalDataId: sdid },
      });
    }
    expect(new Set(clouds.map((cloud) => cloud?.analytics?.supplementalDataId)).size).toBe(1);
    expect(bench.edge.requests.flatMap(({ violations }) => violations)).toEqual([]);
  });

  test('is in the reports of decisions in this process', async () => {
    const client = bench.connect({ decisioningMethod: 'on-device' });
    await client.ready();
    const visit = createVisit(client, new Browser().request(), { experienceCloud: { analytics } });
    expect(await visit.offer('hero', '')).toBe('first');
    await client.flush();
    expect(cloudOf()?.analytics).toMatchObject(analytics);
  });

  test('gives way to the call, field by field, and a field that says nothing replaces none', async () => {
    const visit = visitOf({
      experienceCloud: { analytics, audienceManager: { locationHint: 9, blob: 'blob' } },
    });
    await visit.getOffers({
      request: {
        ...HERO.request,
        experienceCloud: {
          analytics: {
            trackingServer: 'other.example',
            trackingServerSecure: undefined,
            logging: null,
          },
          audienceManager: null,
        },
      },
    });
    expect(cloudOf()).toEqual({
      analytics: {
        trackingServer: 'other.example',
        trackingServerSecure: analytics.trackingServerSecure,
        logging: 'server_side',
        supplementalDataId: expect.any(String),
      },
      audienceManager: { locationHint: 9, blob: 'blob' },
    });
  });

  test.each([null, undefined, {}, { analytics: null }])('may be empty: %p', async (experienceCloud) => {
    await visitOf({ experienceCloud }).getOffers(HERO);
    expect(cloudOf()).toEqual({
      analytics: { logging: 'server_side', supplementalDataId: expect.any(String) },
    });
  });

  test('with a wrong value rejects the call and names the field', async () => {
    const logging = 'nobody' as 'client_side';
    const visit = visitOf({ experienceCloud: { analytics: { logging } } });
    expect(await targetErrorOf(() => visit.getOffers(HERO))).toMatchObject({
      code: 'ERR_TARGET_INVALID_REQUEST',
      path: 'experienceCloud.analytics.logging',
    });
  });

  test.each<[string, object]>([
    ['merged', {}],
    ['alone', { timeout: 5000 }],
  ])('hides no mistake of a call: %s', async (_, own) => {
    for (const experienceCloud of [5, 'web', [], { analytics: 'web' }]) {
      const request = { ...HERO.request, experienceCloud } as typeof HERO.request;
      const visit = visitOf({ experienceCloud: { analytics } });
      const error = await targetErrorOf(() => visit.getOffers({ ...own, request }));
      expect(error.code).toBe('ERR_TARGET_INVALID_REQUEST');
      expect(error.path).toMatch(/^experienceCloud/);
    }
  });

  test('counts as absent when it cannot be read', async () => {
    const { lines, logger } = listeningLogger();
    let reads = 0;
    const experienceCloud = {
      get analytics() {
        reads += 1;
        if (reads > 1) {
          throw new Error('canary');
        }
        return analytics;
      },
    };
    await visitOf({ experienceCloud }, {}, { logger }).getOffers(HERO);
    expect(cloudOf()?.analytics?.trackingServer).toBeUndefined();
    expect(lines.warn.join()).toMatch(/the option experienceCloud of a visit failed/);
  });

  test('is not sent without consent', async () => {
    await visitOf({ experienceCloud: { analytics }, consent: false }).getOffers(HERO);
    expect(bench.edge.requests).toEqual([]);
  });
});

describe('a browser without a user agent', () => {
  test('is told of once in a process', async () => {
    const { lines, logger } = listeningLogger();
    const browsing = { headers: { 'user-agent': undefined } };
    await visitOf({}, browsing, { logger }).getOffers(HERO);
    await visitOf({}, browsing, { logger }).getOffers(HERO);
    expect(lines.warn.filter((line) => line.includes('User-Agent'))).toHaveLength(1);
  });
});

describe('a link to QA mode', () => {
  const browsing = { url: 'https://shop.example/?at_preview_token=abc_123' };

  test('is sent with each request, and decided by the edge', async () => {
    const client = bench.connect({ decisioningMethod: 'on-device' });
    await client.ready();
    const visit = createVisit(client, new Browser().request(browsing));
    expect(await visit.offer('hero', '')).toBe('hero');
    expect(sent().qaMode).toMatchObject({ token: 'abc_123' });
    await visit.getOffers({ ...HERO, decisioningMethod: 'on-device' });
    expect(bench.edge.requests.filter(({ delivery }) => delivery?.qaMode)).toHaveLength(2);
    expect(client.stats().notifications.accepted).toBe(0);
  });

  test('gives way to the QA mode of a call', async () => {
    await visitOf({}, browsing).getOffers({ request: { ...HERO.request, qaMode: { token: 'own' } } });
    expect(sent().qaMode).toEqual({ token: 'own' });
  });
});

describe('the options of a call', () => {
  test('win over those of the visit', async () => {
    const visit = visitOf({ customerIds: { crm: 'c-7' }, timeout: 1 });
    const answer = await visit.getOffers({
      ...HERO,
      customerIds: { crm: 'c-8' },
      timeout: 20_000,
      consumerId: 'top',
    });
    expect(answer.request.id?.customerIds).toMatchObject([{ id: 'c-8' }]);
    expect(JSON.stringify(answer.visitorState)).toContain('payload:top');
  });

  test('cannot name another visitor', async () => {
    const { lines, logger } = listeningLogger();
    const visit = visitOf({}, {}, { logger });
    const own = { targetCookie: 'PC#somebody.35_0#4102444800', sessionId: 'else', visitor: {} };
    await visit.getOffers({ ...HERO, ...own } as typeof HERO);
    expect(bench.received().query.sessionId).not.toBe('else');
    expect(sent().id).toBeUndefined();
    expect(lines.error).toEqual([]);
  });

  test('of a class count too', async () => {
    class Options {
      readonly request = HERO.request;
      get consumerId() {
        return 'of-a-class';
      }
    }
    const { visitorState } = await visitOf().getOffers(new Options());
    expect(JSON.stringify(visitorState)).toContain('of-a-class');
  });

  test('of getAttributes may be of a class too, and must be an object', async () => {
    class Options {
      get consumerId() {
        return 'of-a-class';
      }
    }
    const attributes = await visitOf().getAttributes(['hero'], new Options());
    expect(JSON.stringify(attributes.getResponse())).toContain('of-a-class');
    for (const options of [5, 'text'] as unknown as object[]) {
      const error = await targetErrorOf(() => visitOf().getAttributes(['hero'], options));
      expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path: 'options' });
    }
  });

  test.each<[string, object]>([
    [
      'request',
      {
        get request(): never {
          throw new Error('canary');
        },
      },
    ],
    [
      'request.execute',
      {
        request: {
          get execute(): never {
            throw new Error('canary');
          },
        },
      },
    ],
    [
      'request.context',
      {
        request: {
          ...HERO.request,
          get context(): never {
            throw new Error('canary');
          },
        },
      },
    ],
    [
      'timeout',
      {
        ...HERO,
        get timeout(): never {
          throw new Error('canary');
        },
      },
    ],
    [
      'signal',
      {
        ...HERO,
        get signal(): never {
          throw new Error('canary');
        },
      },
    ],
  ])('that cannot be read reject the call and are named: %s', async (path, options) => {
    for (const config of [
      {},
      { decisioningMethod: 'on-device', artifactPayload: flagsArtifact() } as const,
    ]) {
      const error = await targetErrorOf(() => visitOf({}, {}, config).getOffers(options as typeof HERO));
      expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST' });
      expect(path).toContain(
        error.path?.replace('execute', 'request.execute').replace('request.request', 'request'),
      );
      expect(error.message).not.toContain('canary');
    }
  });

  test('of JavaScript programs with callbacks answer by the promise', async () => {
    const options = { ...HERO, callback: () => undefined, errCallback: () => undefined };
    bench.edge.fault({ kind: 'status', status: 403 });
    expect((await targetErrorOf(() => visitOf().getOffers(options))).status).toBe(403);
  });
});

describe('attributes', () => {
  test('are those of this process with an on-device client', async () => {
    const client = bench.connect({ decisioningMethod: 'on-device' });
    await client.ready();
    const visit = createVisit(client, new Browser().request());
    const [one, other] = await Promise.all([visit.getAttributes(['flags']), visit.getAttributes(['flags'])]);
    expect(one.getValue('flags', 'release')).toBe('first');
    expect(one.getValue('flags', 'beta')).toBe(other.getValue('flags', 'beta'));
    expect(bench.edge.requestsTo('/rest/v1/delivery')).toEqual([]);
  });

  test('of the page load are found under the name of the global mbox', async () => {
    const client = bench.connect({ decisioningMethod: 'on-device' });
    await client.ready();
    const visit = createVisit(client, new Browser().request());
    const attributes = await visit.getAttributes(['flags'], { request: { execute: { pageLoad: {} } } });
    expect(attributes.getResponse().response.execute?.pageLoad?.options?.[0]?.content).toBe('page first');
  });
});

describe('a hostile request', () => {
  const hostile: [string, object][] = [
    [
      'nothing can be read',
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('canary');
          },
        },
      ),
    ],
    [
      'header throws',
      {
        url: 'https://a.example/',
        header: () => {
          throw new Error('canary');
        },
      },
    ],
    ['header is missing', { url: 'https://a.example/' }],
    ['everything is of a wrong type', { url: 5, method: {}, ipAddress: [], header: () => 7 }],
    ['texts are huge', { url: `https://a.example/?${'x'.repeat(1e6)}`, header: () => 'mbox='.repeat(1e5) }],
  ];
  test.each(hostile)('harms nothing: %s', async (_, incoming) => {
    const { lines, logger } = listeningLogger();
    const client = bench.connect({ logger });
    const visit = createVisit(client, incoming as ReturnType<Browser['request']>);
    expect(await visit.offer('hero', 'default')).toBe('hero');
    expect(visit.headers().length).toBeGreaterThan(0);
    expect([...lines.warn, ...lines.error].join()).not.toContain('canary');
  });
});
