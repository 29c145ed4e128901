import { describe, expect, jest, test } from '@jest/globals';
import { createNextTarget, type NextTarget, type NextTargetOptions } from '../../src/adapters/next.js';
import type { TargetClientConfig } from '../../src/index.js';
import { targetErrorOf } from '../with-edge.js';
import { forwardedBy, inRequest, NextResponseStandIn } from './next-stand-in.js';
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

const CHROME = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36';
const ECID = 'AMCV_DEMO%40AdobeOrg=MCMID%7C12345678901234567890123456789012345678';
const SESSION_SECONDS = 1860;

const nowSeconds = () => Math.floor(Date.now() / 1000);

/** The cookie of a visitor whose session ends in a time in seconds. */
function cookieOf(endsIn: number, tntId?: string): string {
  const device = tntId && `|PC#${tntId}#${nowSeconds() + 1000}`;
  return `mbox=${encodeURIComponent(`session#s1#${nowSeconds() + endsIn}${device ?? ''}`)}`;
}

function targetOf(
  options: Partial<NextTargetOptions> = {},
  config: Partial<TargetClientConfig> = {},
): NextTarget {
  const client = connect(config);
  return createNextTarget({ client: () => client, ...options });
}

/** A request as a proxy gets it: the URL has the name of the machine, and the page's host is in the headers. */
function requestOf(headers: Record<string, string> = {}, path = '/', method = 'GET'): Request {
  const all = { host: 'shop.example', accept: 'text/html,*/*', 'user-agent': CHROME, ...headers };
  return new Request(`http://localhost:3000${path}`, { method, headers: all });
}

/** The ids in an mbox cookie, and the seconds for which they live from now. */
function idsIn(cookie: string | null | undefined) {
  const [, value = ''] = /(?:^|; )mbox=([^;]*)/.exec(cookie ?? '') ?? [];
  const [, session, sessionEnd] = /session#(\w+)#(\d+)/.exec(decodeURIComponent(value)) ?? [];
  const [, tntId, deviceEnd] = /PC#([\w.]+)#(\d+)/.exec(decodeURIComponent(value)) ?? [];
  return {
    session,
    tntId,
    sessionLives: sessionEnd === undefined ? undefined : Number(sessionEnd) - nowSeconds(),
    deviceLives: deviceEnd === undefined ? undefined : Number(deviceEnd) - nowSeconds(),
  };
}

/** Sends a request through a proxy. */
async function pass(target: NextTarget, request: Request) {
  const answer = await target.proxy(request);
  const setCookies = answer.headers.getSetCookie();
  return { answer, setCookies, forwarded: forwardedBy(answer), given: idsIn(setCookies[0]) };
}

/** A number of seconds that differs by less than 50, because a busy machine may need some of them. */
const nearly = (seconds: number) => expect.closeTo(seconds, -2);

describe('a new visitor', () => {
  test('is named before the page is rendered, and the page sees the name', async () => {
    const { answer, forwarded, given, setCookies } = await pass(
      targetOf(),
      requestOf({ cookie: 'theirs=1; a=b' }),
    );
    expect(given).toEqual({
      session: expect.stringMatching(/^[\da-f]{32}$/),
      tntId: expect.stringMatching(/^[\da-f]{32}$/),
      sessionLives: nearly(SESSION_SECONDS),
      deviceLives: nearly(63_244_800),
    });
    expect(forwarded.get('cookie')).toBe(`theirs=1; a=b; ${setCookies[0]?.split(';')[0]}`);
    expect(answer.headers.get('cache-control')).toBe('private, no-store');
    expect(edge().requests).toEqual([]);
  });

  test('is the same one in the proxy and in the page', async () => {
    const target = targetOf();
    const request = requestOf();
    const { headers, apply } = await target.begin(request);
    await target.visitOf(request).offer('hero', 'default');
    const { session, tntId } = idsIn(headers.get('cookie'));
    expect(edge().lastRequest?.delivery?.id?.tntId).toBe(tntId);
    const answer = apply(new Response('page'));
    // Target has added its cluster to the id.
    expect(idsIn(answer.headers.getSetCookie()[0])).toMatchObject({
      session,
      tntId: expect.stringMatching(new RegExp(`^${tntId}\\.\\d+_0$`)),
    });
    expect(answer.headers.getSetCookie()).toHaveLength(2);
    await inRequest(Object.fromEntries(headers), async () => (await target.visit()).offer('hero', ''));
    expect(edge().lastRequest?.delivery?.id?.tntId).toBe(tntId);
  });

  const none: [string, Request][] = [
    ['a request of a script', requestOf({ accept: '*/*', 'sec-fetch-dest': 'empty' })],
    ['the router', requestOf({ accept: '*/*', 'next-url': '/' })],
    ['an API without browser headers', requestOf({ accept: 'application/json' }, '/api/x')],
    ['an image', requestOf({ accept: 'image/png', 'sec-fetch-dest': 'image' })],
    ['a script file', requestOf({ 'sec-fetch-dest': 'script' }, '/_next/static/a.js')],
    ['a file of Next.js', requestOf({}, '/_next/static/a.js')],
    ['a speculative page', requestOf({ 'sec-fetch-dest': 'document', 'sec-purpose': 'prefetch;prerender' })],
    ['the headers of a page', requestOf({}, '/', 'HEAD')],
    ['a page without Target', requestOf({}, '/?mboxDisable=1')],
  ];

  test.each(none)('is not made by %s', async (_, request) => {
    const { answer, setCookies, forwarded } = await pass(targetOf(), request);
    expect(setCookies).toEqual([]);
    expect(answer.headers.get('cache-control')).toBeNull();
    expect(forwarded.get('cookie')).toBeNull();
  });

  test.each(['document', 'iframe'])('is made by a %s', async (wanted) => {
    const { given } = await pass(targetOf(), requestOf({ 'sec-fetch-dest': wanted, accept: '*/*' }));
    expect(given.tntId).toBeDefined();
  });

  test('has a session alone when Experience Cloud names it, or when the program wants it so', async () => {
    const named = await pass(targetOf(), requestOf({ cookie: ECID }));
    expect(named.given).toMatchObject({ session: expect.any(String), tntId: undefined });
    const wanted = await pass(targetOf({ newVisitors: 'session' }), requestOf());
    expect(wanted.given).toMatchObject({ session: expect.any(String), tntId: undefined });
    expect(wanted.setCookies[0]).toContain('Max-Age=1860');
  });

  test('is asked for at Target when the program wants it', async () => {
    const { forwarded, given, setCookies } = await pass(targetOf({ newVisitors: 'ask' }), requestOf());
    expect(edge().requests).toHaveLength(1);
    expect(edge().lastRequest?.delivery?.execute).toBeUndefined();
    expect(given.tntId).toMatch(/\.\d+_0$/);
    expect(setCookies).toHaveLength(2);
    expect(forwarded.get('cookie')).toMatch(/^mbox=[^;]+; mboxEdgeCluster=\d+$/);
  });

  test.each([
    ['Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'],
    ['Baiduspider'],
    [''],
  ])('is not asked for when %j wants the page', async (agent) => {
    const { given } = await pass(targetOf({ newVisitors: 'ask' }), requestOf({ 'user-agent': agent }));
    expect(given).toMatchObject({ session: expect.any(String), tntId: undefined });
    expect(edge().requests).toEqual([]);
  });

  test('has a session alone when Target does not answer in time', async () => {
    edge().fault({ kind: 'hang' });
    const { given } = await pass(targetOf({ newVisitors: 'ask' }), requestOf());
    expect(given).toMatchObject({ session: expect.any(String), tntId: undefined });
  });
});

describe('a visitor with a cookie', () => {
  test('keeps the ids, and the session is prolonged, because the page behind the proxy asks Target', async () => {
    const cookie = `a=b; ${cookieOf(600, 't1.35_0')}; mbox=other`;
    const { answer, forwarded, given } = await pass(targetOf(), requestOf({ cookie }));
    expect(given).toEqual({
      session: 's1',
      tntId: 't1.35_0',
      sessionLives: nearly(SESSION_SECONDS),
      deviceLives: nearly(63_244_800),
    });
    expect(forwarded.get('cookie')).toMatch(/^a=b; mbox=[^;]+$/);
    expect(answer.headers.get('cache-control')).toBe('private, no-store');
    expect(edge().requests).toEqual([]);
  });

  test('never gets a session longer than any, whatever the cookie says', async () => {
    const { given } = await pass(targetOf(), requestOf({ cookie: cookieOf(9_000_000, 't1.35_0') }));
    expect(given.sessionLives).toEqual(nearly(SESSION_SECONDS));
  });

  test('keeps a session that is all by which it is known', async () => {
    const { given } = await pass(targetOf(), requestOf({ cookie: cookieOf(600) }));
    expect(given).toMatchObject({ session: 's1', tntId: undefined, sessionLives: nearly(SESSION_SECONDS) });
  });

  const rendering: [string, Record<string, string>, string][] = [
    ['a page', {}, 'GET'],
    ['the router', { accept: '*/*', 'sec-fetch-dest': 'empty', 'next-url': '/' }, 'GET'],
    ['the router over http', { accept: '*/*', rsc: '1' }, 'GET'],
    ['the router that loads ahead', { accept: '*/*', rsc: '1', 'next-router-prefetch': '1' }, 'GET'],
    [
      'a server action',
      { accept: 'text/x-component', 'sec-fetch-dest': 'empty', 'next-action': '4' },
      'POST',
    ],
  ];

  test.each(rendering)('has one session with %s, and a new one when it has ended', async (_, how, method) => {
    const live = await pass(targetOf(), requestOf({ ...how, cookie: cookieOf(600, 't1.35_0') }, '/', method));
    expect(live.given).toMatchObject({ session: 's1', sessionLives: nearly(SESSION_SECONDS) });
    for (const cookie of [cookieOf(-1, 't1.35_0'), ECID]) {
      const { answer, forwarded, given } = await pass(targetOf(), requestOf({ ...how, cookie }, '/', method));
      const tntId = cookie === ECID ? undefined : 't1.35_0';
      expect(given).toMatchObject({ tntId, sessionLives: nearly(SESSION_SECONDS) });
      expect(given.session).toMatch(/^[\da-f]{32}$/);
      expect(idsIn(forwarded.get('cookie')).session).toBe(given.session);
      expect(answer.headers.get('cache-control')).toBe('private, no-store');
      const refused = await pass(targetOf({ consent: false }), requestOf({ ...how, cookie }, '/', method));
      expect(refused.setCookies).toEqual([]);
    }
  });

  test.each([
    ['a script', { 'sec-fetch-dest': 'empty' }, '/api/x'],
    ['an API', { accept: 'application/json' }, '/api/x'],
    ['a file', { 'sec-fetch-dest': 'script' }, '/a.js'],
    ['a speculative page', { 'sec-fetch-dest': 'document', 'sec-purpose': 'prefetch' }, '/'],
  ])('gets no new session with %s', async (_, how, path) => {
    const cookie = cookieOf(-1, 't1.35_0');
    const { forwarded, setCookies } = await pass(targetOf(), requestOf({ ...how, cookie }, path));
    expect(setCookies).toEqual([]);
    expect(forwarded.get('cookie')).toBe(cookie);
  });

  test('keeps a session by the requests of scripts, which may be those of the router, and not by files', async () => {
    const cookie = cookieOf(600, 't1.35_0');
    const script = await pass(targetOf(), requestOf({ cookie, accept: '*/*', 'sec-fetch-dest': 'empty' }));
    expect(script.given).toMatchObject({ session: 's1', sessionLives: nearly(SESSION_SECONDS) });
    const file = await pass(targetOf(), requestOf({ cookie }, '/_next/static/chunks/a.js'));
    expect([file.setCookies, file.answer.headers.get('cache-control')]).toEqual([[], null]);
  });

  test('with a cookie that is none, is a new one', async () => {
    for (const cookie of ['mbox=', 'mbox=%', 'mbox=session#x', `mbox=${'a'.repeat(5000)}`]) {
      const { given, forwarded, setCookies } = await pass(targetOf(), requestOf({ cookie }));
      expect(given.tntId).toMatch(/^[\da-f]{32}$/);
      expect(forwarded.get('cookie')).toBe(setCookies[0]?.split(';')[0]);
    }
  });
});

describe('the options of visits', () => {
  const cookie = cookieOf(600, 't1.35_0');

  test('write: changed renews nothing, and never writes nothing', async () => {
    expect(
      (await pass(targetOf({ cookies: { write: 'changed' } }), requestOf({ cookie }))).setCookies,
    ).toEqual([]);
    expect((await pass(targetOf({ cookies: { write: 'changed' } }), requestOf())).setCookies).toHaveLength(1);
    expect((await pass(targetOf({ cookies: { write: 'never' } }), requestOf())).setCookies).toEqual([]);
  });

  test('the attributes of cookies are those of the program', async () => {
    const options = { cookies: { domain: 'shop.example', sameSite: 'none' } } as const;
    const { setCookies } = await pass(targetOf(options), requestOf());
    expect(setCookies[0]).toContain('Domain=shop.example; Path=/; Secure; SameSite=None');
  });

  test('without consent nothing is written, and nothing that came is changed', async () => {
    const { setCookies, forwarded } = await pass(targetOf({ consent: false }), requestOf({ cookie }));
    expect(setCookies).toEqual([]);
    expect(forwarded.get('cookie')).toBe(cookie);
  });

  test('a withdrawal deletes the cookies in the browser, and hides them from the page', async () => {
    const target = targetOf({ consent: { granted: false, forget: true } });
    const { setCookies, forwarded } = await pass(
      target,
      requestOf({ cookie: `a=b; ${cookie}; mboxEdgeCluster=35` }),
    );
    expect(setCookies).toEqual([
      expect.stringMatching(/^mbox=; Max-Age=0/),
      expect.stringMatching(/^mboxEdgeCluster=; Max-Age=0/),
    ]);
    expect(forwarded.get('cookie')).toBe('a=b');
    // Pages of people who have refused stay in caches.
    expect((await pass(target, requestOf({ cookie: 'a=b' }))).setCookies).toEqual([]);
  });

  test('a function for consent is called once', async () => {
    const withdrawing = jest.fn(() => ({ granted: false, forget: true }));
    const { setCookies } = await pass(targetOf({ consent: withdrawing }), requestOf({ cookie }));
    expect([setCookies.length, withdrawing.mock.calls.length]).toEqual([2, 1]);
    const [consent, isBot] = [jest.fn(() => true), jest.fn(() => false)];
    const asked = await pass(targetOf({ consent, isBot, newVisitors: 'ask' }), requestOf());
    expect(asked.setCookies).toHaveLength(2);
    expect([consent.mock.calls.length, isBot.mock.calls.length]).toEqual([1, 1]);
  });

  test('a withdrawal has the attributes of the program', async () => {
    const options = { consent: { granted: false, forget: true }, cookies: { domain: 'shop.example' } };
    const { setCookies } = await pass(targetOf(options), requestOf({ cookie }));
    expect(setCookies[0]).toBe('mbox=; Max-Age=0; Domain=shop.example; Path=/; Secure; SameSite=Lax');
  });

  test('a bot gets nothing', async () => {
    expect((await pass(targetOf({ isBot: () => true }), requestOf())).setCookies).toEqual([]);
  });

  test('no cache keeps a cookie, also when the program sets Cache-Control itself', async () => {
    const target = targetOf({ cacheControl: false });
    const { apply } = await target.begin(requestOf());
    const answer = apply(new Response('', { headers: { 'Cache-Control': 's-maxage=31536000' } }));
    expect(answer.headers.get('cache-control')).toBe('private, no-store');
  });

  test('client hints are asked for', async () => {
    const { answer } = await pass(targetOf({ clientHints: true }), requestOf({ cookie }));
    expect(answer.headers.get('accept-ch')).toContain('Sec-CH-UA-Model');
  });
});

describe('the page', () => {
  const told = async (request: Request, options: Partial<NextTargetOptions> = {}) => {
    const { forwarded } = await pass(targetOf(options), request);
    return [forwarded.get('x-target-url'), forwarded.get('x-target-request')];
  };

  test('gets its URL, and nothing that a browser says about it', async () => {
    const forged = { 'x-target-url': 'https://evil.example/', 'x-target-request': 'GET router' };
    expect(await told(requestOf(forged, '/sale?q=1'))).toEqual(['http://shop.example/sale?q=1', 'GET']);
    expect(await told(requestOf({ ...forged, 'next-url': '/' }, '/sale'))).toEqual([
      'http://shop.example/sale',
      'GET router',
    ]);
    expect(await told(requestOf(forged, '/', 'POST'))).toEqual(['http://shop.example/', 'POST']);
  });

  test('gets the URL that the proxy in front names, when that is trusted', async () => {
    const headers = { 'x-forwarded-host': 'www.example', 'x-forwarded-proto': 'https' };
    expect((await told(requestOf(headers, '/a'), { trustProxy: true }))[0]).toBe('https://www.example/a');
    expect((await told(requestOf(headers, '/a')))[0]).toBe('http://shop.example/a');
  });

  test('gets a URL of at most 4096 characters', async () => {
    expect((await told(requestOf({}, `/?q=${'a'.repeat(9000)}`)))[0]).toHaveLength(4096);
  });
});

describe('apply', () => {
  test('keeps the headers and the cookies of the answer, and adds its own once', async () => {
    const { apply } = await targetOf().begin(requestOf());
    const answer = new Response('', { headers: { 'Set-Cookie': 'theirs=1', Location: '/x', 'x-a': '1' } });
    expect(apply(answer)).toBe(answer);
    apply(answer);
    expect(answer.headers.getSetCookie()).toEqual(['theirs=1', expect.stringMatching(/^mbox=/)]);
    expect(answer.headers.get('x-a')).toBe('1');
  });

  const namesOf = ({ headers }: Response) => headers.getSetCookie().map((line) => line.split('=', 1)[0]);

  test('keeps its cookies when the program sets more with the cookies of a NextResponse', async () => {
    const { apply } = await targetOf().begin(requestOf());
    const answer = new NextResponseStandIn(null, { headers: { 'Set-Cookie': 'first=1' } });
    answer.cookies.set('before', '1');
    answer.headers.append('Set-Cookie', 'header=1; Path=/x; HttpOnly');
    const applied = apply(answer);
    expect(namesOf(applied)).toEqual(['first', 'before', 'header', 'mbox']);
    const [, , header, mbox] = applied.headers.getSetCookie();
    expect(header).toBe('header=1; Path=/x; HttpOnly');
    expect(mbox).toMatch(
      /^mbox=session%23\w+%23\d+%7CPC%23\w+%23\d+; Max-Age=63244800; Path=\/; Secure; SameSite=Lax$/,
    );
    applied.cookies.set('after', '1');
    expect(namesOf(applied)).toEqual(['first', 'before', 'mbox', 'after']);
    expect(idsIn(applied.headers.getSetCookie()[2])).toMatchObject(idsIn(mbox?.split(';')[0]));
  });

  test('lets the program set cookies on the answer of the proxy', async () => {
    const answer = await targetOf().proxy(requestOf());
    (answer as NextResponseStandIn).cookies.set('theirs', '1');
    expect(namesOf(answer)).toEqual(['mbox', 'theirs']);
  });

  test('still deletes the cookies after a withdrawal when the program sets more', async () => {
    const target = targetOf({ consent: { granted: false, forget: true } });
    const { apply } = await target.begin(requestOf({ cookie: cookieOf(600, 't1') }));
    const answer = apply(new NextResponseStandIn());
    answer.cookies.set('theirs', '1');
    expect(answer.headers.getSetCookie()[0]).toBe('mbox=; Path=/; Max-Age=0');
    expect(namesOf(answer)).toEqual(['mbox', 'mboxEdgeCluster', 'theirs']);
  });

  test.each([[undefined], [null], ['a=b'], [{}], [{ set: 1 }]])(
    'takes an answer with cookies %j',
    async (cookies) => {
      const { apply } = await targetOf().begin(requestOf());
      expect(namesOf(apply(Object.assign(new Response(), { cookies })))).toEqual(['mbox']);
    },
  );

  test('writes the new session also when the visit of the proxy has another cookie due', async () => {
    const target = targetOf({ cookies: { write: 'changed' } });
    const request = requestOf({ cookie: cookieOf(-1, 't1.35_0') });
    const { apply } = await target.begin(request);
    await target.visitOf(request).offer('hero', 'default');
    const answer = apply(new Response());
    expect(namesOf(answer)).toEqual(['mbox', 'mboxEdgeCluster']);
    expect(answer.headers.get('cache-control')).toBe('private, no-store');
  });

  test('copies an answer whose headers cannot be changed', async () => {
    const { apply } = await targetOf().begin(requestOf());
    const redirect = apply(Response.redirect('http://shop.example/x', 307));
    expect([redirect.status, redirect.headers.get('location')]).toEqual([307, 'http://shop.example/x']);
    expect(redirect.headers.getSetCookie()).toHaveLength(1);
  });

  test.each([[undefined], [null], ['text'], [{}], [{ headers: {} }]])(
    'refuses %j, which other middleware may have answered',
    async (wrong) => {
      const { apply } = await targetOf().begin(requestOf());
      const { code, path, message } = await targetErrorOf(() => apply(wrong as unknown as Response));
      expect([code, path]).toEqual(['ERR_TARGET_INVALID_CONFIG', 'response']);
      expect(message).toContain('NextResponse.next(');
    },
  );

  test('leaves an answer as it is when there is nothing to add', async () => {
    const { apply } = await targetOf({ consent: false }).begin(requestOf());
    const redirect = Response.redirect('http://shop.example/x', 302);
    expect(apply(redirect)).toBe(redirect);
  });

  test('and no header is written that is private to Next.js', async () => {
    const { answer, forwarded } = await pass(targetOf(), requestOf());
    const names = [...answer.headers.keys(), ...forwarded.keys()];
    expect(names.filter((name) => name.startsWith('x-middleware'))).toEqual([]);
  });
});

test('a request is never changed', async () => {
  const request = requestOf({ cookie: cookieOf(600, 't1') });
  const before = [...request.headers];
  await targetOf().proxy(request);
  expect([...request.headers]).toEqual(before);
});

test('a request that is begun twice, also at the same time, has one visitor', async () => {
  const target = targetOf();
  const request = requestOf();
  const [one, two] = await Promise.all([target.begin(request), target.begin(request)]);
  const three = await target.proxy(request);
  const given = [one.apply(new Response()), two.apply(new Response()), three];
  const ids = [...given.map(({ headers }) => headers.getSetCookie()[0]), one.headers.get('cookie')].map(
    idsIn,
  );
  expect(new Set(ids.map(({ tntId }) => tntId)).size).toBe(1);
  expect(new Set(ids.map(({ session }) => session)).size).toBe(1);
});

test('parallel requests of two browsers never share a visitor', async () => {
  const target = targetOf();
  const passed = await Promise.all([1, 2, 3, 4].map(() => pass(target, requestOf())));
  expect(new Set(passed.map(({ given }) => given.tntId)).size).toBe(4);
  expect(new Set(passed.map(({ given }) => given.session)).size).toBe(4);
});
