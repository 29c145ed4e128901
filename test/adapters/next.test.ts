import { describe, expect, jest, test } from '@jest/globals';
import { createNextTarget, type NextTarget, type NextTargetOptions } from '../../src/adapters/next.js';
import type { TargetClientConfig } from '../../src/index.js';
import { listeningLogger, targetErrorOf } from '../with-edge.js';
import { inRequest } from './next-stand-in.js';
import { withServing } from './serving.js';

jest.mock(
  'next/headers.js',
  () => jest.requireActual<typeof import('./next-stand-in.js')>('./next-stand-in').headersModule,
  { virtual: true },
);
jest.mock(
  'next/server.js',
  () => jest.requireActual<typeof import('./next-stand-in.js')>('./next-stand-in').serverModule,
  { virtual: true },
);

const { connect, edge } = withServing();

/** A target whose client ends behind the test. */
function targetOf(
  options: Partial<NextTargetOptions> = {},
  config: Partial<TargetClientConfig> = {},
): NextTarget {
  const client = connect(config);
  return createNextTarget({ client: () => client, ...options });
}

const PAGE = { host: 'shop.example', accept: '*/*', 'user-agent': 'Mozilla/5.0 Chrome/126.0.0.0' };

describe('visit', () => {
  test('gives all components of a request one visit, which merges their questions', async () => {
    const target = targetOf();
    const first = await inRequest(PAGE, async () => {
      const component = async (mbox: string) => {
        const visit = await target.visit();
        return [visit, await visit.offer(mbox, 'default')] as const;
      };
      const [[one, hero], [other, url]] = await Promise.all([component('hero'), component('url')]);
      expect([hero, url]).toEqual(['<h1>Hero</h1>', 'http://shop.example/']);
      expect(other).toBe(one);
      return one;
    });
    expect(edge().requests).toHaveLength(1);
    await inRequest(PAGE, async () => expect(await target.visit()).not.toBe(first));
  });

  test('is another one for another client', async () => {
    const [one, other] = [targetOf(), targetOf()];
    await inRequest(PAGE, async () => expect(await one.visit()).not.toBe(await other.visit()));
  });

  test('without a request, fails with an error that says where it works', async () => {
    const error = await targetErrorOf(() => targetOf().visit());
    expect(error.code).toBe('ERR_TARGET_INVALID_CONFIG');
    expect(error.message).toMatch(
      /server component, a route handler or a server action.*outside a request scope/,
    );
    expect(error.cause).toMatchObject({ message: expect.stringContaining('outside a request scope') });
  });

  test('fails so too in a cached function', async () => {
    const error = new Error('Route "/": `headers()` can\'t be read inside `"use cache"`.');
    const failed = await targetErrorOf(() => inRequest(PAGE, () => targetOf().visit(), { error }));
    expect(failed.message).toContain("outside of, 'use cache'");
    expect(failed.cause).toBe(error);
  });

  const ofNext: [string, unknown][] = [
    [
      'a page that is dynamic',
      Object.assign(new Error('Dynamic server usage'), { digest: 'DYNAMIC_SERVER_USAGE' }),
    ],
    ['a prerender that ends', Object.assign(new Error('hanging'), { digest: 'HANGING_PROMISE_REJECTION' })],
    ['dynamic = error', Object.assign(new Error('static'), { code: 'NEXT_STATIC_GEN_BAILOUT' })],
    ['a postponed page', { $$typeof: Symbol.for('react.postpone') }],
    ['a fault of Next.js', Object.assign(new Error('invariant'), { name: 'InvariantError' })],
    ['a text', 'thrown'],
  ];

  test.each(ofNext)('lets the error pass by which Next.js learns of %s', async (_, error) => {
    const thrown = await inRequest(PAGE, () => targetOf().visit(), { error }).catch(
      (caught: unknown) => caught,
    );
    expect(thrown).toBe(error);
  });

  test('never comes while Next.js renders a page in advance, so nothing is asked', async () => {
    const target = targetOf();
    const waiting = inRequest(PAGE, () => target.visit(), { isInAdvance: true });
    for (let turn = 0; turn < 20; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const outcome = await Promise.race([waiting, Promise.resolve('waits')]);
    expect(outcome).toBe('waits');
  });

  test('warns once of pages that the proxy does not see', async () => {
    const { lines, logger } = listeningLogger();
    const target = targetOf({}, { logger });
    const open = (headers: Readonly<Record<string, string>>) =>
      inRequest({ ...PAGE, ...headers }, async () => void (await target.visit()));
    await open({ accept: 'text/html', 'x-target-url': 'http://shop.example/' });
    await open({ 'sec-fetch-dest': 'empty' });
    expect(lines.warn).toEqual([]);
    await open({ 'sec-fetch-dest': 'document' });
    await open({ accept: 'text/html' });
    expect(lines.warn).toEqual([expect.stringContaining('Export target.proxy from proxy.ts')]);
  });

  test('refuses a page that is always static, whose request has no headers', async () => {
    const error = await targetErrorOf(() => inRequest({}, () => targetOf().visit()));
    expect(error.message).toContain('force-static');
    expect(edge().requests).toEqual([]);
  });
});

describe('the address of a page', () => {
  const addressOf = (headers: Readonly<Record<string, string>>, options: Partial<NextTargetOptions> = {}) =>
    inRequest(headers, async () => (await targetOf(options).visit()).offer('url', 'none'));

  test('is the one that the proxy names', async () => {
    const named = { ...PAGE, 'x-target-url': 'https://shop.example/sale?q=1' };
    expect(await addressOf(named)).toBe('https://shop.example/sale?q=1');
  });

  test.each([
    'https://evil.example/sale',
    'https://shop.example:8443/',
    'javascript:alert(1)',
    'ftp://shop.example/sale',
    '/sale',
    '',
    'https://shop.example@evil.example/',
  ])('is the home page when the header has %j', async (named) => {
    expect(await addressOf({ ...PAGE, 'x-target-url': named })).toBe('http://shop.example/');
  });

  test('has the scheme that Next.js knows', async () => {
    expect(await addressOf({ ...PAGE, 'x-forwarded-proto': 'https' })).toBe('https://shop.example/');
  });

  test('has the host of the proxy in front, and its visitor, when that is trusted', async () => {
    const headers = {
      ...PAGE,
      'x-forwarded-host': 'www.example',
      'x-forwarded-proto': 'https',
      'x-forwarded-for': '198.51.100.1, 203.0.113.7',
    };
    expect(await addressOf(headers)).toBe('https://shop.example/');
    expect(edge().lastRequest?.delivery?.context?.geo?.ipAddress).toBeUndefined();
    expect(await addressOf(headers, { trustProxy: true })).toBe('https://www.example/');
    expect(edge().lastRequest?.delivery?.context?.geo?.ipAddress).toBe('203.0.113.7');
    const named = { ...headers, 'x-target-url': 'https://www.example/sale' };
    expect(await addressOf(named, { trustProxy: true })).toBe('https://www.example/sale');
    expect(await addressOf(named)).toBe('https://shop.example/');
  });
});

describe('a page that the router asks for', () => {
  const ofRouter = { ...PAGE, 'x-target-url': 'http://shop.example/a', 'x-target-request': 'GET router' };
  const askedBy = async (headers: Readonly<Record<string, string>>, options: Partial<NextTargetOptions>) => {
    await inRequest(headers, async () => (await targetOf(options).visit()).offer('hero', 'none'));
    const { execute, prefetch } = edge().lastRequest?.delivery ?? {};
    return [execute && 'execute', prefetch && 'prefetch'].filter(Boolean).join();
  };

  test('counts nothing by itself when a beacon reports what is shown', async () => {
    expect(await askedBy(ofRouter, { beacon: '/target/beacon' })).toBe('prefetch');
    // A visitor who follows a link must not get default content because the page might be a speculative one.
    expect(await askedBy(ofRouter, { beacon: '/target/beacon', unseen: 'skip' })).toBe('prefetch');
  });

  test('is counted at once without a beacon, when the program wants it, and when the browser asked', async () => {
    expect(await askedBy(ofRouter, {})).toBe('execute');
    expect(await askedBy(ofRouter, { beacon: '/target/beacon', unseen: 'execute' })).toBe('execute');
    const ofBrowser = { ...ofRouter, 'x-target-request': 'GET' };
    expect(await askedBy(ofBrowser, { beacon: '/target/beacon' })).toBe('execute');
  });

  test('and one of which only the headers are wanted counts nothing', async () => {
    expect(await askedBy({ ...ofRouter, 'x-target-request': 'HEAD' }, {})).toBe('prefetch');
  });
});

describe('commit', () => {
  const attributes = { path: '/', sameSite: 'lax', secure: true, httpOnly: false };
  const mbox = [
    'mbox',
    expect.stringMatching(/^session#\w+#\d+\|PC#[\w.]+#\d+$/),
    { ...attributes, maxAge: expect.any(Number) },
  ];
  const cluster = ['mboxEdgeCluster', expect.stringMatching(/^\d+$/), { ...attributes, maxAge: 1860 }];

  test('writes the cookies of a new visitor in a server action', async () => {
    const target = targetOf();
    await inRequest(
      PAGE,
      async ({ cookies }) => {
        await (await target.visit()).offer('hero', 'default');
        await target.commit();
        expect(cookies).toEqual([mbox, cluster]);
      },
      { canSetCookies: true },
    );
  });

  test('writes nothing when no id has changed, or when nothing was asked', async () => {
    const target = targetOf({ cookies: { domain: 'shop.example' } });
    const given = await inRequest(
      PAGE,
      async ({ cookies }) => {
        await target.commit();
        expect(cookies).toEqual([]);
        await (await target.visit()).offer('hero', 'default');
        await target.commit();
        expect(cookies[0]?.[2]).toMatchObject({ domain: 'shop.example' });
        return cookies;
      },
      { canSetCookies: true },
    );
    const cookie = given.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('; ');
    await inRequest(
      { ...PAGE, cookie },
      async ({ cookies }) => {
        await (await target.visit()).offer('hero', 'default');
        await target.commit();
        expect(cookies).toEqual([]);
      },
      { canSetCookies: true },
    );
  });

  test('writes the id to which Target has added its cluster, in the same session', async () => {
    const target = targetOf();
    const end = Math.floor(Date.now() / 1000) + 1000;
    const cookie = `mbox=${encodeURIComponent(`session#s1#${end}|PC#minted#${end}`)}; mboxEdgeCluster=35`;
    await inRequest(
      { ...PAGE, cookie },
      async ({ cookies }) => {
        await (await target.visit()).offer('hero', 'default');
        await target.commit();
        expect(cookies).toEqual([
          ['mbox', expect.stringMatching(/^session#s1#\d+\|PC#minted\.35_0#/), expect.anything()],
        ]);
      },
      { canSetCookies: true },
    );
  });

  test('says in a debug line that a component writes no cookies, and throws nothing', async () => {
    const { lines, logger } = listeningLogger();
    const target = targetOf({}, { logger });
    await inRequest(PAGE, async ({ cookies }) => {
      await (await target.visit()).offer('hero', 'default');
      await target.commit();
      expect(cookies).toEqual([]);
    });
    expect(lines.debug.join('\n')).toContain('commit() wrote no cookies');
    expect(lines.warn).toEqual([]);
  });
});

describe('wrong options', () => {
  test.each([
    [undefined, 'options'],
    [{}, 'client'],
    [{ client: 'demo' }, 'client'],
    [{ client: {}, key: 1 }, 'key'],
    [{ client: {}, newVisitors: 'all' }, 'newVisitors'],
    [{ client: {}, flush: true }, 'flush'],
    [{ client: {}, trustProxy: -1 }, 'trustProxy'],
    [{ client: {}, trustProxy: 'yes' }, 'trustProxy'],
    [{ client: {}, consent: 'yes' }, 'consent'],
  ])('%j: the error names the option', async (options, path) => {
    const error = await targetErrorOf(() => createNextTarget(options as NextTargetOptions));
    expect([error.code, error.path]).toEqual(['ERR_TARGET_INVALID_CONFIG', path]);
  });

  test.each(['client', 'key', 'newVisitors', 'flush', 'trustProxy', 'consent'])(
    'a getter for %s that throws is an error that names it',
    async (name) => {
      const options = { client: {} };
      Object.defineProperty(options, name, { get: fail, enumerable: true });
      const error = await targetErrorOf(() => createNextTarget(options as NextTargetOptions));
      expect([error.code, error.path]).toEqual(['ERR_TARGET_INVALID_CONFIG', name]);
    },
  );

  test.each([
    ['a getter that throws', Object.defineProperty({ organizationId: 'b' }, 'client', { get: fail })],
    ['a symbol', { client: Symbol('name'), organizationId: 'b' }],
    ['an object', { client: Object.create(null), organizationId: 'b' }],
  ])('a client code that is %s is found when the client is made', async (_, config) => {
    const target = createNextTarget({ client: config as never });
    expect((await targetErrorOf(() => target.client())).path).toBe('client');
  });

  test('null counts as absent', () => {
    const options = { key: null, newVisitors: null, flush: null, trustProxy: null, consent: null };
    expect(targetOf(options).client()).toBeDefined();
  });
});

function fail(): never {
  throw new Error('must not be seen');
}
