import { describe, expect, test } from '@jest/globals';
import { createVisit, fromNodeRequest, type VisitOptions } from '../../src/adapters/http.js';
import { html } from '../../src/testing/edge.js';
import { ACCEPT_CH } from '../../src/visits/context.js';
import { listeningLogger, withEdge } from '../with-edge.js';
import { Browser } from './browser.js';

const bench = withEdge({ offers: { mboxes: { hero: html('hero') } } });

/** A browser that has visited the site before. */
async function returning(): Promise<Browser> {
  const browser = new Browser();
  const visit = createVisit(bench.connect(), browser.request());
  await visit.offer('hero', '');
  browser.keep(visit);
  return browser;
}

async function headersOf(options: VisitOptions, browser = new Browser()) {
  const visit = createVisit(bench.connect(), browser.request(), options);
  await visit.offer('hero', '');
  return visit.headers();
}

const names = (headers: readonly (readonly [string, string])[]) => headers.map(([name]) => name);

describe('the headers of an answer', () => {
  test('are the cookies, and no cache may keep them', async () => {
    const headers = await headersOf({});
    expect(names(headers)).toEqual(['Set-Cookie', 'Set-Cookie', 'Cache-Control']);
    expect(headers[0]?.[1]).toMatch(/^mbox=session%23[\da-f]{32}%23\d+%7CPC%23.*Max-Age=63244800/);
    expect(headers[1]?.[1]).toMatch(/^mboxEdgeCluster=35; .*Max-Age=1860/);
    expect(headers[2]?.[1]).toBe('private, no-store');
  });

  test('are none for a visit that asks nothing, and for one that is still asking', async () => {
    const visit = createVisit(bench.connect(), new Browser().request());
    expect(visit.headers()).toEqual([]);
    const offer = visit.offer('hero', '');
    expect(visit.headers()).toEqual([['Cache-Control', 'private, no-store']]);
    await offer;
  });

  test('ask for client hints', async () => {
    expect(await headersOf({ clientHints: true })).toContainEqual(['Accept-CH', ACCEPT_CH]);
    const visit = createVisit(bench.connect(), new Browser().request(), { clientHints: true });
    expect(visit.headers()).toEqual([['Accept-CH', ACCEPT_CH]]);
  });

  test('leave caches to the program with cacheControl: false', async () => {
    expect(names(await headersOf({ cacheControl: false }))).toEqual(['Set-Cookie', 'Set-Cookie']);
  });

  test('have the attributes of the option cookies', async () => {
    const [[, mbox] = ['', '']] = await headersOf({
      cookies: { domain: 'shop.example', sameSite: 'none', httpOnly: true, path: '/shop' },
    });
    for (const attribute of ['Domain=shop.example', 'Path=/shop', 'HttpOnly', 'Secure', 'SameSite=None']) {
      expect(mbox).toContain(attribute);
    }
  });

  test('are the cookies of reports and of identify too', async () => {
    const visit = createVisit(bench.connect(), new Browser().request());
    await visit.identify();
    expect(names(visit.headers())).toContain('Set-Cookie');
    const reported = createVisit(bench.connect(), (await returning()).request());
    const notifications = [
      { id: '1', type: 'display', timestamp: 1, mbox: { name: 'hero' }, tokens: ['a'] },
    ] as const;
    await reported.sendNotifications({ request: { notifications } });
    expect(names(reported.headers())).toEqual(['Set-Cookie', 'Set-Cookie', 'Cache-Control']);
  });
});

describe('cookies.secure', () => {
  const linesOf = async (cookies: VisitOptions['cookies'], url: string) => {
    const visit = createVisit(bench.connect(), new Browser().request({ url }), { cookies });
    await visit.offer('hero', '');
    return visit.setCookies;
  };

  test.each<[string, boolean]>([
    ['https://shop.example/', true],
    ['http://shop.example/', false],
    ['HTTP://shop.example/', false],
    ['http://[::1]:3000/', false],
    ['', true],
    ['/path', true],
    ['httpx://shop.example/', true],
  ])('auto follows the URL of the page: %s', async (url, isSecure) => {
    const lines = await linesOf({ secure: 'auto', httpOnly: true }, url);
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(/; Secure\b/.test(line)).toBe(isSecure);
      expect(line).toContain('; HttpOnly');
    }
  });

  test.each([true, undefined])('%s is secure for every URL', async (secure) => {
    expect((await linesOf({ secure }, 'http://shop.example/'))[0]).toContain('; Secure');
  });

  test('auto is secure with sameSite none', async () => {
    const [line] = await linesOf({ secure: 'auto', sameSite: 'none' }, 'http://shop.example/');
    expect(line).toContain('; Secure');
  });

  test('auto finds attributes that are getters of a class', async () => {
    class Cookies {
      readonly secure = 'auto';
      get domain() {
        return 'shop.example';
      }
    }
    const [line] = await linesOf(new Cookies(), 'http://shop.example/');
    expect(line).toContain('; Domain=shop.example');
    expect(line).not.toContain('; Secure');
  });

  test('auto believes a trusted proxy', async () => {
    const request = {
      url: '/',
      headers: { host: 'shop.example', 'x-forwarded-proto': 'https' },
      socket: {},
    };
    for (const trustProxy of [true, false]) {
      const visit = createVisit(bench.connect(), fromNodeRequest(request, { trustProxy }), {
        cookies: { secure: 'auto' },
      });
      await visit.identify();
      expect(/; Secure/.test(visit.setCookies[0] ?? '')).toBe(trustProxy);
    }
  });

  test('auto holds for cookies that are deleted', () => {
    const consent = { granted: false, forget: true };
    const cookies = { secure: 'auto' } as const;
    const request = new Browser().request({ url: 'http://shop.example/' });
    const { setCookies } = createVisit(bench.connect(), request, { consent, cookies });
    expect(setCookies).toHaveLength(2);
    expect(setCookies.join()).not.toContain('Secure');
  });
});

describe('cookies.write', () => {
  test('changed writes those of a new visitor, and none of a known one', async () => {
    const cookies = { write: 'changed' } as const;
    expect(names(await headersOf({ cookies }))).toContain('Set-Cookie');
    const browser = await returning();
    expect(names(await headersOf({ cookies }, browser))).toEqual(['Cache-Control']);
    browser.cookies.delete('mboxEdgeCluster');
    expect((await headersOf({ cookies }, browser)).map(([, value]) => value)).toEqual([
      expect.stringMatching(/^mboxEdgeCluster=/),
      'private, no-store',
    ]);
  });

  test('changed writes a new session', async () => {
    const browser = await returning();
    const mbox = browser.cookies.get('mbox') ?? '';
    browser.cookies.set('mbox', mbox.slice(mbox.indexOf('PC#')));
    const headers = await headersOf({ cookies: { write: 'changed' } }, browser);
    expect(headers[0]?.[1]).toMatch(/^mbox=/);
  });

  test('never writes none', async () => {
    expect(names(await headersOf({ cookies: { write: 'never' } }))).toEqual(['Cache-Control']);
  });

  test('always prolongs the session', async () => {
    expect(names(await headersOf({}, await returning()))).toEqual([
      'Set-Cookie',
      'Set-Cookie',
      'Cache-Control',
    ]);
  });
});

describe('after the headers are sent', () => {
  test('calls work, cookies are not written, and one warning in a process tells of a lost visitor', async () => {
    const { lines, logger } = listeningLogger();
    const client = bench.connect({ logger });
    for (let count = 0; count < 2; count += 1) {
      const visit = createVisit(client, new Browser().request());
      visit.headersSent();
      expect(await visit.offer('hero', '')).toBe('hero');
      expect(visit.setCookies).toEqual([]);
      expect(visit.headers()).toEqual([]);
      visit.headersSent();
    }
    expect(lines.warn).toEqual([expect.stringContaining('after the headers of the answer were sent')]);
  });

  test.each<[string, () => Promise<Browser>, VisitOptions]>([
    ['a known visitor', returning, {}],
    ['cookies that are never written', async () => new Browser(), { cookies: { write: 'never' } }],
  ])('nobody is warned of %s', async (_, toBrowser, options) => {
    const browser = await toBrowser();
    const { lines, logger } = listeningLogger();
    const visit = createVisit(bench.connect({ logger }), browser.request(), options);
    visit.headersSent();
    await visit.offer('hero', '');
    expect(lines.warn).toEqual([]);
  });

  test('a later call of a visitor whose cookies were written is no loss', async () => {
    const { lines, logger } = listeningLogger();
    const visit = createVisit(bench.connect({ logger }), new Browser().request());
    await visit.offer('hero', '');
    expect(visit.headers()).toHaveLength(3);
    visit.headersSent();
    await visit.offer('hero', '');
    expect(lines.warn).toEqual([]);
  });
});
