import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { parseCookie } from 'cookie';
import { demoOffers } from '../../examples/express/demo-offers.js';
import type { DeliveryRequest } from '../../src/index.js';
import { html, json, startTargetEdge, type TargetEdge } from '../../src/testing/edge.js';
import { steadyPort } from '../steady-port.js';
import {
  accountOf,
  type ExampleServer,
  killExamples,
  startExample,
  startExpressExample,
} from './express-server.js';

const HEROES = ['Free delivery on every bag', 'The second bag is on us'];
const DEFAULT_HERO = 'Fresh coffee from the harbour';
const CLAIM = { method: 'POST', headers: { 'Content-Type': 'application/json' } };

afterAll(killExamples);

interface Page {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** For the next request. */
  readonly cookie: string;
}

async function open(server: ExampleServer, headers: Record<string, string> = {}, path = '/'): Promise<Page> {
  const answer = await fetch(server.url + path, { headers });
  const cookie = answer.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
  return { status: answer.status, headers: answer.headers, text: await answer.text(), cookie };
}

/** A row of the page's tables. */
function cell(page: Page, name: string): string | undefined {
  return new RegExp(`<th scope="row">${name}</th><td>([^<]*)</td>`).exec(page.text)?.[1];
}

function clickOf(page: Page): { mbox: string; token: string } {
  const text = /<script id="click" type="application\/json">(.*?)<\/script>/.exec(page.text)?.[1];
  return JSON.parse(text ?? '');
}

describe('without configuration', () => {
  let server: ExampleServer;
  beforeAll(async () => {
    server = await startExpressExample();
  });
  afterAll(() => server.stop());

  test('prints one line, with its URL', async () => {
    await open(server);
    expect(server.lines).toEqual([expect.stringMatching(/^http:\/\/localhost:\d+ /)]);
    expect(server.errors()).toBe('');
  });

  test('shows an experience of the hero, the JSON offer and the flags', async () => {
    const page = await open(server);
    expect(page.status).toBe(200);
    expect(HEROES.filter((hero) => page.text.includes(`<h1>${hero}</h1>`))).toHaveLength(1);
    expect(page.text).toContain('Order before noon and it leaves today. Free delivery from €30.');
    const showsStock = cell(page, 'showStock') === 'true';
    expect(cell(page, 'productsPerRow')).toBe(showsStock ? '3' : '2');
    expect(page.text.includes('12 left')).toBe(showsStock);
    expect(page.text).toContain(showsStock ? 'placeholder="Try “Kenya”"' : 'placeholder="What do you like?"');
    expect(cell(page, 'Decided')).toBe('server-side');
    expect(page.headers.get('cache-control')).toBe('private, no-store');
  });

  test('shows both experiences of the hero and of the flags, each to some visitors', async () => {
    const pages = await Promise.all(Array.from({ length: 24 }, () => open(server)));
    const seen = new Set(pages.map((page) => cell(page, 'Experience')));
    expect(seen).toEqual(new Set(['Free delivery', 'Second bag']));
    expect(new Set(pages.map((page) => cell(page, 'showStock')))).toEqual(new Set(['true', 'false']));
  });

  test('sets cookies that scripts cannot read, also over http', async () => {
    const { headers } = await open(server);
    expect(headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^mbox=session%23\w{32}%23\d{10}%7CPC%23\w+\.35_0%23\d{10}; Max-Age=63244800; Path=\/; HttpOnly; SameSite=Lax$/,
      ),
      'mboxEdgeCluster=35; Max-Age=1860; Path=/; HttpOnly; SameSite=Lax',
    ]);
  });

  test('keeps visitor, session and experiences over reloads with the cookies', async () => {
    const first = await open(server);
    const parsed = parseCookie(first.cookie);
    for (let reload = 0; reload < 3; reload += 1) {
      const page = await open(server, { Cookie: first.cookie });
      for (const name of ['tntId', 'Session', 'Experience', 'showStock', 'Edge cluster']) {
        expect(cell(page, name)).toBe(cell(first, name));
      }
    }
    expect(parsed.mbox).toContain(`PC#${cell(first, 'tntId')}#`);
    expect(parsed.mbox).toContain(`session#${cell(first, 'Session')}#`);
    expect(cell(await open(server), 'tntId')).not.toBe(cell(first, 'tntId'));
  });

  test('serves the style and the script of the page', async () => {
    expect((await open(server, {}, '/style.css')).headers.get('content-type')).toMatch('text/css');
    expect((await open(server, {}, '/claim.js')).headers.get('content-type')).toMatch('text/javascript');
  });
});

describe('with an account', () => {
  let edge: TargetEdge;
  let server: ExampleServer;
  /** The same, with little patience with an edge that hangs. */
  let hasty: ExampleServer;
  beforeAll(async () => {
    edge = await startTargetEdge({
      offers: demoOffers,
      client: 'harbour',
      organizationId: 'HARBOUR@AdobeOrg',
    });
    const account = { ...accountOf(edge), TARGET_PROPERTY_TOKEN: 'property-1' };
    server = await startExpressExample(account);
    hasty = await startExpressExample({ ...account, TARGET_TIMEOUT_MS: '500' });
  });
  beforeEach(() => {
    edge.setOffers(demoOffers);
    edge.clearRequests();
  });
  afterEach(() => edge.clearFaults());
  afterAll(async () => {
    await Promise.all([server.stop(), hasty.stop()]);
    await edge.close();
  });

  const delivered = (): readonly (DeliveryRequest | undefined)[] =>
    edge.requests.map(({ delivery }) => delivery);

  test('tells Target who asks, from where and with what browser', async () => {
    const ecid = '07327024324407615852294135870030620007';
    await open(
      server,
      {
        Cookie: `AMCV_HARBOUR%40AdobeOrg=MCMID%7C${ecid}%7CMCAAMLH-1%7C6; mboxEdgeCluster=35`,
        'User-Agent': 'Mozilla/5.0 (Macintosh)',
        Referer: 'https://search.example/',
        'X-Forwarded-For': '203.0.113.7',
        'Sec-CH-UA': '"Chromium";v="140"',
        'Sec-CH-UA-Mobile': '?0',
        'Sec-CH-UA-Platform': '"macOS"',
      },
      '/?q=kenya',
    );
    expect(edge.requests).toHaveLength(1);
    for (const request of delivered()) {
      expect(request).toMatchObject({
        id: { marketingCloudVisitorId: ecid },
        property: { token: 'property-1' },
        context: {
          channel: 'web',
          address: { url: `${server.url}/?q=kenya`, referringUrl: 'https://search.example/' },
          userAgent: 'Mozilla/5.0 (Macintosh)',
          clientHints: { browserUAWithMajorVersion: '"Chromium";v="140"', mobile: false, platform: 'macOS' },
          geo: { ipAddress: '203.0.113.7' },
        },
        experienceCloud: { audienceManager: { locationHint: 6 } },
      });
    }
    expect(edge.requests[0]?.query.imsOrgId).toBe('HARBOUR@AdobeOrg');
  });

  test('asks for offers and flags in one call, on the first visit too', async () => {
    const page = await open(server);
    expect(delivered()).toHaveLength(1);
    expect(delivered()[0]?.id).toBeUndefined();
    expect(delivered()[0]?.execute?.mboxes?.map((mbox) => mbox?.name)).toEqual([
      'hero',
      'delivery-note',
      'shop-flags',
    ]);
    expect(page.cookie).toContain(encodeURIComponent(`PC#${cell(page, 'tntId')}#`));
  });

  test('sets cookies that need https', async () => {
    for (const cookie of (await open(server)).headers.getSetCookie()) {
      expect(cookie).toMatch(/; HttpOnly; Secure; SameSite=Lax$/);
    }
  });

  const order = (product: string, cookie: string) =>
    fetch(`${server.url}/order`, {
      method: 'POST',
      headers: { Cookie: cookie },
      body: new URLSearchParams({ product }),
      redirect: 'manual',
    });

  test('counts an order of the same visitor, in the background', async () => {
    const page = await open(server);
    edge.clearRequests();
    edge.fault({ kind: 'delay', ms: 300 });
    const answer = await order('Colombia Huila', page.cookie);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/?ordered=yes']);
    const [request] = await edge.waitForRequests(1);
    expect(request?.query.sessionId).toBe(cell(page, 'Session'));
    expect(request?.delivery).toMatchObject({
      id: { tntId: cell(page, 'tntId') },
      execute: {
        mboxes: [
          {
            name: 'orderConfirmPage',
            order: { id: expect.any(String), total: 12, purchasedProductIds: ['Colombia Huila'] },
          },
        ],
      },
    });
    expect((await open(server, {}, '/?ordered=yes')).text).toContain('Thank you for your order.');
  });

  test('counts no order of what the shop does not sell', async () => {
    const answer = await order('Tea', '');
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/']);
    expect((await fetch(`${server.url}/order`, { method: 'POST', redirect: 'manual' })).status).toBe(303);
    await open(server);
    expect(delivered().map((delivery) => delivery?.execute?.mboxes?.length)).toEqual([3]);
  });

  test('takes the order when the edge is in trouble', async () => {
    edge.fault({ kind: 'reset' });
    expect((await order('Colombia Huila', '')).headers.get('location')).toBe('/?ordered=yes');
    await edge.waitForRequests(1);
  });

  test('reports a click of the same visitor', async () => {
    const page = await open(server);
    edge.clearRequests();
    const headers = { ...CLAIM.headers, Cookie: page.cookie, Referer: `${server.url}/` };
    const body = JSON.stringify(clickOf(page));
    const answer = await fetch(`${server.url}/claim`, { ...CLAIM, headers, body });
    expect(await answer.json()).toEqual({ isReported: true });
    expect(answer.headers.getSetCookie()).toHaveLength(2);
    // The order of an earlier test may be sent once more meanwhile.
    const clicks = edge.requests.filter(({ delivery }) => delivery?.notifications);
    expect(clicks.map(({ query }) => query.sessionId)).toEqual([cell(page, 'Session')]);
    expect(clicks.map(({ delivery }) => delivery)).toEqual([
      expect.objectContaining({
        id: { tntId: cell(page, 'tntId') },
        context: expect.objectContaining({
          address: { url: `${server.url}/`, referringUrl: `${server.url}/` },
        }),
        notifications: [
          {
            id: expect.any(String),
            type: 'click',
            timestamp: expect.any(Number),
            mbox: { name: 'hero' },
            tokens: [clickOf(page).token],
          },
        ],
      }),
    ]);
  });

  test('takes the fields of a form where no script sends the click, and leads back to the page', async () => {
    const page = await open(server);
    edge.clearRequests();
    const post = (fields: Record<string, string>) =>
      fetch(`${server.url}/claim`, {
        method: 'POST',
        headers: { Cookie: page.cookie },
        body: new URLSearchParams(fields),
        redirect: 'manual',
      });
    const answer = await post({ ...clickOf(page) });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/?claimed=counted']);
    expect(answer.headers.getSetCookie()).toHaveLength(2);
    // An order of a test before this one may arrive late.
    expect(delivered().filter((delivery) => delivery?.notifications)).toMatchObject([
      { notifications: [{ type: 'click', tokens: [clickOf(page).token] }] },
    ]);
    const refused = await post({});
    expect([refused.status, refused.headers.get('location')]).toEqual([303, '/?claimed=yes']);
    expect((await open(server, {}, '/?claimed=counted')).text).toContain('Target has counted your click.');
    expect((await open(server, {}, '/?claimed=<b>')).text).toContain('<p id="claimed" role="status"></p>');
  });

  test('says so when Target did not take a click', async () => {
    const claim = async (body: string) => (await fetch(`${server.url}/claim`, { ...CLAIM, body })).json();
    expect(await claim('{"mbox":"hero","token":"forged"}')).toEqual({ isReported: false });
    edge.clearRequests();
    for (const body of ['{}', 'null', '[]', '{"mbox":["hero"],"token":1}']) {
      const answer = await fetch(`${server.url}/claim`, { ...CLAIM, body });
      // Express itself refuses JSON that is neither object nor array.
      if (answer.status === 200) {
        expect(await answer.json()).toEqual({ isReported: false });
      } else {
        expect(answer.status).toBe(400);
      }
    }
    expect(edge.requests).toEqual([]);
    edge.fault({ kind: 'status', status: 400 });
    expect(await claim('{"mbox":"hero","token":"a"}')).toEqual({ isReported: false });
  });

  test('puts the hero in as it is, and escapes everything else', async () => {
    edge.setOffers({
      mboxes: {
        hero: {
          options: html('<h1 onclick="">A & B</h1>', { responseTokens: { 'experience.name': '<i>' } }),
          metrics: [{ type: 'click', eventToken: '</script><script>' }],
        },
        'delivery-note': json({ text: `<b>"&'`, freeFrom: 1 }),
        'shop-flags': json({ searchHint: '"><script>' }),
      },
    });
    const page = await open(server);
    expect(page.text).toContain('<div id="hero"><h1 onclick="">A & B</h1></div>');
    expect(page.text).toContain('&#60;b&#62;&#34;&#38;&#39;');
    expect(page.text).toContain('placeholder="&#34;&#62;&#60;script&#62;"');
    expect(cell(page, 'Experience')).toBe('&#60;i&#62;');
    expect(page.text.match(/<\/script>/g)).toHaveLength(2);
    expect(clickOf(page)).toEqual({ mbox: 'hero', token: '</script><script>' });
  });

  test('shows default content in the place of what Target has no offer for, or one of the wrong shape', async () => {
    edge.setOffers({
      mboxes: {
        'delivery-note': json({ text: 7 }),
        'shop-flags': json({ showStock: 'yes', productsPerRow: 5 }),
      },
    });
    const page = await open(server);
    expect(page.text).toContain(DEFAULT_HERO);
    expect(page.text).toContain('We deliver within three days. Free delivery from €50.');
    expect(cell(page, 'showStock')).toBe('false');
    expect(cell(page, 'productsPerRow')).toBe('5');
  });

  test.each([
    { kind: 'status', status: 403 },
    { kind: 'hang' },
    { kind: 'reset' },
    { kind: 'body', body: '<html>' },
  ] as const)('shows default content and sets no cookies when the edge is in trouble: %j', async (fault) => {
    edge.fault(fault);
    const page = await open(hasty, { Cookie: 'mbox=session%23a%239999999999' });
    expect(page.status).toBe(200);
    expect(page.text).toContain(DEFAULT_HERO);
    expect(page.headers.getSetCookie()).toEqual([]);
    expect(cell(page, 'Decided')).toBe('no: default content');
    expect(hasty.errors()).toContain('default content is shown: TargetError: the delivery call');
  });

  test('shows default content without an edge, and offers again when it is back', async () => {
    const port = await steadyPort();
    const gone = await startTargetEdge({ offers: demoOffers, port });
    const other = await startExpressExample(accountOf(gone));
    await gone.close();
    expect((await open(other)).text).toContain(DEFAULT_HERO);
    const back = await startTargetEdge({ offers: demoOffers, port });
    expect(cell(await open(other), 'Decided')).toBe('server-side');
    await other.stop();
    await back.close();
  });
});

describe('its process', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'ends by itself on %s, with a connection still open',
    async (signal) => {
      const server = await startExpressExample();
      await open(server);
      expect(await server.stop(signal)).toBe(0);
    },
  );

  test('answers what it was asked before it ends', async () => {
    const edge = await startTargetEdge({ offers: demoOffers });
    const server = await startExpressExample(accountOf(edge));
    edge.fault({ kind: 'delay', ms: 300 });
    const page = open(server);
    await edge.waitForRequests(1);
    expect(await server.stop()).toBe(0);
    expect(cell(await page, 'Decided')).toBe('server-side');
    await edge.close();
  });

  test('does not start with half an account', async () => {
    await expect(startExpressExample({ TARGET_CLIENT: 'harbour' })).rejects.toThrow(
      /ended with 1.*set both TARGET_CLIENT and TARGET_ORGANIZATION_ID/s,
    );
  });

  test.each(['express', 'feature-flags'])(
    'takes the next free port where one is taken, and says so in one line: %s',
    async (example) => {
      const edge = await startTargetEdge({ port: await steadyPort() });
      const server = await startExample(example, { PORT: String(edge.port) });
      const port = Number(new URL(server.url).port);
      expect(port).toBeGreaterThan(edge.port);
      expect(port).toBeLessThan(edge.port + 20);
      expect(server.errors()).toBe(`port ${edge.port} is taken, so this is ${port}\n`);
      expect((await open(server)).status).toBe(200);
      await server.stop();
      await edge.close();
    },
  );
});
