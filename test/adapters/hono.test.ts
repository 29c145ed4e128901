import { describe, expect, test } from '@jest/globals';
import { type Context, Hono } from 'hono';
import { stream } from 'hono/streaming';
import {
  currentVisit,
  type TargetEnv,
  type TargetOptions,
  target,
  visitOf,
} from '../../src/adapters/hono.js';
import type { Visit } from '../../src/adapters/http.js';
import type { TargetClient } from '../../src/index.js';
import { targetErrorOf } from '../with-edge.js';
import { VISIT_COOKIES, withServing } from './serving.js';

const { connect, edge } = withServing();

type Page = (c: Context<TargetEnv>, visit: Visit) => Response | Promise<Response>;

/** An app with visits, whose page does what the test says. */
function appOf(page: Page, options?: TargetOptions): Hono<TargetEnv> {
  const app = new Hono<TargetEnv>();
  app.use(target(connect(), options));
  app.get('/', (c) => page(c, c.get('target')));
  return app;
}

const hero: Page = async (c, visit) => c.html(await visit.offer('hero', 'default'));

describe('a page', () => {
  test('has the offers of its visit, and cookies that no cache keeps', async () => {
    const page = await appOf(hero).request('http://shop.example/');
    expect(await page.text()).toBe('<h1>Hero</h1>');
    expect(page.headers.getSetCookie()).toEqual(VISIT_COOKIES);
    expect(page.headers.get('cache-control')).toBe('private, no-store');
  });

  test('has no header of a visit that asked for nothing', async () => {
    const page = await appOf((c) => c.text('plain')).request('http://shop.example/');
    expect(await page.text()).toBe('plain');
    expect(page.headers.getSetCookie()).toEqual([]);
    expect(page.headers.get('cache-control')).toBeNull();
    expect(edge().requests).toEqual([]);
  });

  const writers: Record<string, (c: Context<TargetEnv>, body: string) => Response | Promise<Response>> = {
    'headers of the context': (c, body) => {
      c.header('Set-Cookie', 'theirs=1');
      c.header('Cache-Control', 'public, max-age=60');
      return c.html(body);
    },
    'a Response of its own': (_, body) =>
      new Response(body, { headers: { 'Set-Cookie': 'theirs=1', 'Cache-Control': 'public' } }),
    'a stream': (c, body) => {
      c.header('Set-Cookie', 'theirs=1');
      return stream(c, async (out) => {
        await out.write(body);
      });
    },
    'an error handler': (c, body) => {
      c.header('Set-Cookie', 'theirs=1');
      throw new Error(body);
    },
  };

  test.each(Object.keys(writers))('keeps the cookies of others when it is sent by %s', async (name) => {
    const app = appOf(async (c, visit) => {
      const body = await visit.offer('hero', 'default');
      return writers[name]?.(c, body) ?? c.notFound();
    });
    app.onError((error, c) => c.html(error.message, 500));
    const page = await app.request('http://shop.example/');
    expect(await page.text()).toBe('<h1>Hero</h1>');
    expect(page.headers.getSetCookie()).toEqual(['theirs=1', ...VISIT_COOKIES]);
    expect(page.headers.get('cache-control')).toBe('private, no-store');
  });

  test('can be an answer of fetch, whose headers cannot be changed', async () => {
    const app = appOf(async (_, visit) => {
      await visit.offer('hero', 'default');
      return fetch(`${edge().url}/nowhere`);
    });
    const page = await app.request('http://shop.example/');
    expect(page.status).toBe(404);
    expect(page.headers.getSetCookie()).toEqual(VISIT_COOKIES);
  });

  test('can be missing', async () => {
    const app = new Hono<TargetEnv>();
    app.use(target(connect()));
    app.use(async (c, next) => {
      await c.get('target').offer('hero', 'default');
      await next();
    });
    const page = await app.request('http://shop.example/nowhere');
    expect(page.status).toBe(404);
    expect(page.headers.getSetCookie()).toEqual(VISIT_COOKIES);
  });
});

test('after the headers are sent, a visit still answers, and nothing throws', async () => {
  const app = appOf((c, visit) =>
    stream(c, async (out) => {
      await out.write('early ');
      await new Promise((resolve) => setImmediate(resolve));
      await out.write(await visit.offer('hero', 'default'));
    }),
  );
  const page = await app.request('http://shop.example/');
  expect(await page.text()).toBe('early <h1>Hero</h1>');
  expect(page.headers.getSetCookie()).toEqual([]);
});

test('the address of the page is the one of the request, and the IP address that of the named header', async () => {
  const app = new Hono<TargetEnv>();
  app.use(target(connect(), { ipHeader: 'cf-connecting-ip' }));
  app.get('/shop/*', async (c) => c.text(await c.get('target').offer('url', 'none')));
  const headers = { 'CF-Connecting-IP': '203.0.113.7' };
  const page = await app.request('https://shop.example/shop/a?q=1', { headers });
  expect(await page.text()).toBe('https://shop.example/shop/a?q=1');
  expect(edge().lastRequest?.delivery?.context?.geo?.ipAddress).toBe('203.0.113.7');
});

describe('the middleware', () => {
  test('makes one visit with the first options when it runs twice', async () => {
    const app = new Hono<TargetEnv>();
    app.use(target(connect(), { cookies: { path: '/first' } }));
    app.use(target(connect(), { cookies: { path: '/second' } }));
    app.get('/', async (c) => c.text(await visitOf(c).offer('hero', 'default')));
    const page = await app.request('http://shop.example/');
    expect(page.headers.getSetCookie()).toHaveLength(2);
    expect(page.headers.getSetCookie()[0]).toContain('Path=/first');
  });

  test('is named by the error of visitOf when it is missing', async () => {
    const app = new Hono();
    const errors: unknown[] = [];
    app.get('/', (c) => {
      visitOf(c);
      return c.text('never');
    });
    app.onError((error, c) => {
      errors.push(error);
      return c.text('failed', 500);
    });
    await app.request('http://shop.example/');
    expect(errors).toEqual([
      expect.objectContaining({
        code: 'ERR_TARGET_INVALID_CONFIG',
        message: expect.stringContaining('app.use(target(client))'),
      }),
    ]);
  });

  test('refuses wrong options when the program starts', async () => {
    const client = connect();
    const wrong: [unknown, unknown, string][] = [
      [undefined, {}, 'client'],
      [client, { asyncContext: 1 }, 'asyncContext'],
      [client, { ipHeader: 1 }, 'ipHeader'],
      [client, { trustProxy: 'yes' }, 'trustProxy'],
      [client, { trustProxy: -1 }, 'trustProxy'],
      [client, { consent: 'yes' }, 'consent'],
    ];
    for (const [givenClient, options, path] of wrong) {
      const error = await targetErrorOf(() => target(givenClient as TargetClient, options as TargetOptions));
      expect([error.code, error.path]).toEqual(['ERR_TARGET_INVALID_CONFIG', path]);
    }
  });

  test('gives its own errors to the handler of the app', async () => {
    const app = new Hono<TargetEnv>();
    app.use(target({ getOffers: () => undefined } as unknown as TargetClient));
    app.get('/', (c) => hero(c, c.get('target')));
    app.onError((error, c) => c.text(error.name, 500));
    const page = await app.request('http://shop.example/');
    expect([page.status, await page.text()]).toEqual([500, 'TargetError']);
  });

  test('gives the work after the answer to the platform, or to the option', async () => {
    const works: string[] = [];
    const platform = {
      waitUntil: () => void works.push('platform'),
      passThroughOnException: () => undefined,
      props: {},
    };
    const track: Page = (c, visit) => {
      visit.track('order-confirm');
      return c.text('thanks');
    };
    await appOf(track).request('http://shop.example/', {}, {}, platform);
    await appOf(track, { waitUntil: () => void works.push('option') }).request(
      'http://shop.example/',
      {},
      {},
      platform,
    );
    await appOf(track).request('http://shop.example/');
    expect(works).toEqual(['platform', 'option']);
    await edge().waitForRequests(3);
  });
});

test('the current visit is the one of the request', async () => {
  const app = appOf(
    async (c, visit) => {
      const before = currentVisit() === visit;
      await new Promise((resolve) => setImmediate(resolve));
      return c.json({ before, after: currentVisit() === visit });
    },
    { asyncContext: true },
  );
  const pages = await Promise.all([1, 2, 3].map(() => app.request('http://shop.example/')));
  for (const page of pages) {
    expect(await page.json()).toEqual({ before: true, after: true });
  }
  expect(currentVisit()).toBeUndefined();
});
