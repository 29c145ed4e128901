import { describe, expect, test } from '@jest/globals';
import { createVisit, type VisitOptions } from '../../src/adapters/http.js';
import type { TargetClientConfig } from '../../src/index.js';
import { html } from '../../src/testing/edge.js';
import { flagsArtifact } from '../fixtures/flags.js';
import { listeningLogger, targetErrorOf, withEdge } from '../with-edge.js';
import { Browser, type Browsing } from './browser.js';

const bench = withEdge({
  artifact: flagsArtifact({ fields: { geoTargetingEnabled: true, responseTokens: ['geo.city'] } }),
  offers: { mboxes: { hero: html('from the edge') } },
});
const HERO = { request: { execute: { mboxes: [{ name: 'hero' }] } } };
const ORGANIZATION = 'DEMO@AdobeOrg';

/** The request of a browser that Target knows, which tells whether its cookies were read. */
function knownBrowser(browsing: Browsing = {}) {
  const browser = new Browser();
  const soon = Math.floor(Date.now() / 1000) + 1000;
  browser.cookies.set('mbox', `session#known#${soon}|PC#visitor.35_0#${soon}`);
  browser.cookies.set('mboxEdgeCluster', '35');
  const request = browser.request(browsing);
  const read: string[] = [];
  const header = (name: string) => {
    read.push(name);
    return request.header(name);
  };
  return { read, browser, incoming: { ...request, header } };
}

function visitOf(options: VisitOptions, config: Partial<TargetClientConfig> = {}, browsing: Browsing = {}) {
  const client = bench.connect(config);
  const known = knownBrowser(browsing);
  return { ...known, client, visit: createVisit(client, known.incoming, options) };
}

async function askEverything({ visit, client }: Pick<ReturnType<typeof visitOf>, 'visit' | 'client'>) {
  const answer = await visit.getOffers(HERO);
  expect(answer.response.execute).toBeUndefined();
  expect(answer).toMatchObject({ isUncounted: true, visitorState: {}, status: { status: 204 } });
  expect(answer.failure).toBeUndefined();
  expect(await visit.offer('hero', 'default')).toBe('default');
  const flags = await visit.getAttributes(['flags']);
  expect(flags.getBoolean('flags', 'beta', false)).toBe(false);
  const notifications = [
    { id: '1', type: 'display', timestamp: 1, mbox: { name: 'hero' }, tokens: ['a'] },
  ] as const;
  await visit.sendNotifications({ request: { notifications } });
  visit.track('order', { order: { id: '1', total: 1 } });
  await visit.identify();
  await client.flush();
  expect(bench.edge.requestsTo('/rest/v1/delivery')).toEqual([]);
}

describe('without consent', () => {
  test.each<[string, VisitOptions['consent']]>([
    ['false', false],
    ['an object', { granted: false }],
    ['a function', () => false],
    ['a function that returns an object', () => ({ granted: false })],
    [
      'a function that throws',
      () => {
        throw new Error('no session');
      },
    ],
    ['a function that returns nothing', () => undefined as unknown as boolean],
    ['a function that returns a text', () => 'yes' as unknown as boolean],
    ['an asynchronous function', (async () => true) as unknown as () => boolean],
    [
      'an asynchronous function that fails',
      (async () => {
        throw new Error('x');
      }) as unknown as () => boolean,
    ],
  ])('nothing is sent, read or written: %s', async (_, consent) => {
    const { logger } = listeningLogger();
    const visited = visitOf({ consent, clientHints: true }, { logger });
    await askEverything(visited);
    expect(visited.read).not.toContain('cookie');
    expect(visited.visit.setCookies).toEqual([]);
    expect(visited.visit.headers()).toEqual([['Cache-Control', 'private, no-store']]);
  });

  test('each caller may change its answer', async () => {
    const { visit } = visitOf({ consent: false });
    const answer = await visit.getOffers(HERO);
    Object.assign(answer.targetCookie, { value: 'changed' });
    Object.assign(answer.status, { message: 'changed' });
    expect(JSON.stringify(await visit.getOffers(HERO))).not.toContain('changed');
  });

  test('a visit that asks nothing needs no header', () => {
    expect(visitOf({ consent: false }).visit.headers()).toEqual([]);
  });

  test('a mistake of the programmer is found all the same', async () => {
    const { visit } = visitOf({ consent: false });
    const error = await targetErrorOf(() => visit.getOffers({ request: { execute: { mboxes: [] } } }));
    expect(error.code).toBe('ERR_TARGET_INVALID_REQUEST');
    expect(() => visit.track('order', { order: { id: 'x'.repeat(300) } })).toThrow(/order\.id/);
    expect(await targetErrorOf(() => visit.sendNotifications(HERO))).toMatchObject({ path: 'notifications' });
  });

  test('a visitor who has opted out of Experience Cloud has not consented', async () => {
    const browsing = { headers: { cookie: `AMCV_${ORGANIZATION}=MCMID|12|MCOPTOUT-1600000000s|global` } };
    await askEverything(visitOf({}, {}, browsing));
  });

  test('a visitor who has opted out is not asked for client hints', () => {
    const browsing = { headers: { cookie: `AMCV_${ORGANIZATION}=MCMID|12|MCOPTOUT-1600000000s|global` } };
    expect(visitOf({ clientHints: true }, {}, browsing).visit.headers()).toEqual([]);
    expect(visitOf({ clientHints: true }).visit.headers()).toHaveLength(1);
  });

  test.each([
    ['AMCV_DEMO%40AdobeOrg=MCMID%7C12%7CMCOPTOUT-1600000000s%7Cglobal', true],
    ['a=b; AMCV_DEMO@AdobeOrg=MCOPTOUT|global|MCMID|12', true],
    ['AMCV_DEMO%40AdobeOrg=MCMID%7C12%7CMCOPTOUT-1600000000s%7CNONE', false],
    ['AMCV_DEMO@AdobeOrg=MCMID|12|MCOPTOUT-1600000000s|NONE|vVersion|5', false],
    ['AMCV_DEMO@AdobeOrg=MCMID|12|MCOPTOUT-1600000000s', false],
    ['AMCV_OTHER%40AdobeOrg=MCMID%7C12%7CMCOPTOUT-1600000000s%7Cglobal', false],
    ['other=MCOPTOUT|global', false],
  ])('the opt-out is read from the cookie of the organization: %s', async (cookie, isOut) => {
    const { visit } = visitOf({}, {}, { headers: { cookie } });
    expect(await visit.offer('hero', 'default')).toBe(isOut ? 'default' : 'from the edge');
  });

  test('consent that comes later does not count', async () => {
    let granted = false;
    const { visit } = visitOf({ consent: () => granted });
    granted = true;
    expect(await visit.offer('hero', 'default')).toBe('default');
    expect(bench.edge.requests).toEqual([]);
  });
});

describe('a withdrawal', () => {
  test('deletes the cookies, also when nothing was asked', () => {
    const { visit, browser } = visitOf({
      consent: { granted: false, forget: true },
      cookies: { domain: 'shop.example' },
    });
    const lines = visit.setCookies;
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^mbox=; .*Max-Age=0.*Domain=shop\.example|^mbox=; .*Domain=shop\.example/);
    expect(visit.headers()).toContainEqual(['Cache-Control', 'private, no-store']);
    browser.keep(visit);
    expect([...browser.cookies]).toEqual([]);
  });

  test('finds the attributes of the cookies also in a class', () => {
    class Attributes {
      get domain() {
        return 'shop.example';
      }
    }
    const { visit } = visitOf({ consent: { granted: false, forget: true }, cookies: new Attributes() });
    expect(visit.setCookies.filter((line) => line.includes('Domain=shop.example'))).toHaveLength(2);
  });

  test('deletes nothing when cookies are never written, or consent is given', () => {
    const never = visitOf({ consent: { granted: false, forget: true }, cookies: { write: 'never' } });
    expect(never.visit.headers()).toEqual([]);
    expect(visitOf({ consent: { granted: true, forget: true } }).visit.headers()).toEqual([]);
  });
});

describe('anonymous decisions', () => {
  const config = { decisioningMethod: 'hybrid', telemetryEnabled: true } as const;
  const browsing = { ipAddress: '8.8.8.8' };

  test('are made in this process, and nothing is sent, read or written', async () => {
    const { visit, client, read } = visitOf(
      { consent: false, withoutConsent: 'anonymous' },
      config,
      browsing,
    );
    await client.ready();
    const offers = await visit.getOffers({
      request: {
        id: { thirdPartyId: 'customer-7', marketingCloudVisitorId: '12' },
        context: { geo: { ipAddress: '1.2.3.4' } },
        execute: { pageLoad: {}, mboxes: [{ name: 'hero', order: { id: '1' } }, { name: 'far' }] },
        notifications: [{ id: '1', type: 'display', timestamp: 1, mbox: { name: 'hero' }, tokens: ['a'] }],
      },
    });
    expect(offers.response.execute?.mboxes?.[0]?.options?.[0]?.content).toBe('first');
    expect(offers).toMatchObject({ isUncounted: true, decisioningMethod: 'on-device', visitorState: {} });
    expect(offers.targetCookie.value).toBe('');
    expect(JSON.stringify(offers.request)).not.toMatch(/customer-7|1\.2\.3\.4|8\.8\.8\.8|known/);
    expect(await visit.offer('hero', 'default')).toBe('first');
    const first = (await visit.getAttributes(['flags'])).getBoolean('flags', 'beta');
    expect((await visit.getAttributes(['flags'])).getBoolean('flags', 'beta')).toBe(first);
    visit.track('order');
    expect(visit.setCookies).toEqual([]);
    expect(read).not.toContain('cookie');
    await client.close();
    const sent = bench.edge.requests.filter(({ path }) => !path.endsWith('rules.json'));
    expect(sent.filter(({ path, delivery }) => path.includes('geo') || delivery?.notifications)).toEqual([]);
    expect(JSON.stringify(sent.map(({ rawBody, query }) => [rawBody, query]))).not.toMatch(
      /shop\.example|known|visitor\.35|customer-7/,
    );
  });

  test('are default content while a hybrid client has no rules', async () => {
    bench.edge.fault({ kind: 'hang' }, { where: ({ path }) => path.endsWith('rules.json') });
    await askEverything(
      visitOf({ consent: false, withoutConsent: 'anonymous' }, { decisioningMethod: 'hybrid' }),
    );
  });

  test('are default content for a client that is server-side', async () => {
    await askEverything(visitOf({ consent: false, withoutConsent: 'anonymous' }));
  });
});
