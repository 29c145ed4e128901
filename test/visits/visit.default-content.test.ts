import { describe, expect, test } from '@jest/globals';
import { createVisit, type VisitOptions } from '../../src/adapters/http.js';
import type { TargetClientConfig, TargetError } from '../../src/index.js';
import { html, json, redirect } from '../../src/testing/edge.js';
import { listeningLogger, targetErrorOf, withEdge } from '../with-edge.js';
import { Browser, type Browsing } from './browser.js';

const bench = withEdge({
  offers: {
    mboxes: {
      hero: html('hero'),
      away: redirect('https://a.example/'),
      text: html('some text'),
      object: json({ some: 'thing' }),
      list: json([1, 2]),
    },
  },
});
const HERO = { request: { execute: { mboxes: [{ name: 'hero' }] } } };

function visitOf(options: VisitOptions, config?: Partial<TargetClientConfig>, browsing?: Browsing) {
  return createVisit(bench.connect(config), new Browser().request(browsing), options);
}

describe('offer', () => {
  test('returns the content, or the default when there is none', async () => {
    const visit = visitOf({});
    expect(await visit.offer('hero', 'default')).toBe('hero');
    expect(await visit.offer({ name: 'hero', parameters: { a: 1 } }, 'default')).toBe('hero');
    expect(await visit.offer('unknown', { a: 1 })).toEqual({ a: 1 });
    expect(await visit.offer('away', 'default')).toBe('default');
  });

  test.each<[string, unknown, unknown]>([
    ['a text for an object', { a: 1 }, 'text'],
    ['a text for a list', [1], 'text'],
    ['an object for a text', 'default', 'object'],
    ['an object for a list', [1], 'object'],
    ['an object for a number', 1, 'object'],
    ['a list for an object', { a: 1 }, 'list'],
  ])('gives the default for an offer of another kind: %s', async (_, wanted, mbox) => {
    const { lines, logger } = listeningLogger();
    const visit = visitOf({}, { logger });
    expect(await visit.offer(mbox as string, wanted)).toEqual(wanted);
    expect(lines.warn.length).toBeLessThanOrEqual(1);
    expect(lines.warn.every((line) => line.includes(`mbox '${mbox}'`))).toBe(true);
  });

  test.each([null, ''])('gives what comes where the default is %j', async (nothing) => {
    const visit = visitOf({});
    expect(await visit.offer('object', nothing as null)).toEqual({ some: 'thing' });
    expect(await visit.offer('text', nothing as null)).toBe('some text');
  });

  test('reports the error of a merged call once', async () => {
    bench.edge.fault({ kind: 'status', status: 403 });
    const errors: TargetError[] = [];
    const visit = visitOf({ onError: (error) => errors.push(error) });
    await Promise.all(['hero', 'menu', 'footer'].map((name) => visit.offer(name, 'default')));
    await visit.offer('later', 'default');
    expect(errors).toHaveLength(2);
    expect(new Set(errors).size).toBe(2);
  });

  test.each<[string, unknown]>([
    ['no mbox', undefined],
    ['null', null],
    ['an empty name', ''],
    ['a wrong field', { name: 'hero', order: { id: 'x'.repeat(300) } }],
  ])('never rejects: %s', async (_, mbox) => {
    const { lines, logger } = listeningLogger();
    const visit = visitOf({}, { logger });
    expect(await visit.offer(mbox as string, 'default')).toBe('default');
    expect(lines.warn.join()).toContain('default content');
  });

  test('gives the default for an edge that does not answer, within the timeout', async () => {
    bench.edge.fault({ kind: 'hang' });
    const { lines, logger } = listeningLogger();
    const visit = visitOf({ timeout: 50 }, { logger });
    const offers = ['hero', 'menu', 'footer'].map((name) => visit.offer(name, `default ${name}`));
    expect(await Promise.all(offers)).toEqual(['default hero', 'default menu', 'default footer']);
    expect(lines.warn.join()).toMatch(
      /an offer has its default content: the delivery call did not end within 50 ms/,
    );
  });

  test('reports its errors to onError', async () => {
    bench.edge.fault({ kind: 'status', status: 403 });
    const errors: TargetError[] = [];
    const visit = visitOf({ onError: (error) => errors.push(error) });
    expect(await visit.offer('hero', 'default')).toBe('default');
    expect(errors.map(({ code }) => code)).toEqual(['ERR_TARGET_RESPONSE']);
  });
});

describe('without onError', () => {
  test('calls reject as those of the client do', async () => {
    bench.edge.fault({ kind: 'status', status: 403 });
    const visit = visitOf({});
    for (const call of [
      () => visit.getOffers(HERO),
      () => visit.getAttributes(['flags']),
      () => visit.identify(),
      () => visit.sendNotifications({ request: NOTIFICATIONS }),
    ]) {
      expect(await targetErrorOf(call)).toMatchObject({ code: 'ERR_TARGET_RESPONSE', status: 403 });
    }
    expect(visit.setCookies).toEqual([]);
  });
});

const NOTIFICATIONS = {
  notifications: [{ id: '1', type: 'display', timestamp: 1, mbox: { name: 'hero' }, tokens: ['a'] }],
} as const;

describe('with onError', () => {
  test('calls resolve to default content, without cookies', async () => {
    bench.edge.fault({ kind: 'status', status: 403 });
    const errors: TargetError[] = [];
    const visit = visitOf({ onError: (error) => errors.push(error) });
    const answer = await visit.getOffers({ ...HERO, timeout: 5000 });
    expect(answer).toMatchObject({
      isUncounted: true,
      failure: { code: 'ERR_TARGET_RESPONSE', status: 403 },
      request: { execute: { mboxes: [{ name: 'hero', index: 0 }] } },
      status: { status: 204 },
    });
    expect(answer.response.execute).toBeUndefined();
    expect(answer.targetCookie.value).toMatch(/^session#[\da-f]{32}#\d+$/);
    const flags = await visit.getAttributes(['flags']);
    expect(flags.getBoolean('flags', 'beta', true)).toBe(true);
    expect(flags.getResponse()).toMatchObject({ failure: { status: 403 } });
    await visit.identify();
    await visit.sendNotifications({ request: NOTIFICATIONS });
    expect(errors.map(({ status }) => status)).toEqual([403, 403, 403, 403]);
    expect(visit.headers()).toEqual([['Cache-Control', 'private, no-store']]);
  });

  test('mistakes of the programmer still reject', async () => {
    const errors: TargetError[] = [];
    const client = bench.connect();
    const visit = createVisit(client, new Browser().request(), { onError: (error) => errors.push(error) });
    const wrong: [string, () => unknown][] = [
      ['request', () => visit.getOffers({} as never)],
      ['options', () => visit.getOffers(undefined as never)],
      ['timeout', () => visit.getOffers({ ...HERO, timeout: -1 })],
      ['mboxNames', () => visit.getAttributes([])],
      ['notifications', () => visit.sendNotifications({ request: HERO.request })],
    ];
    for (const [path, call] of wrong) {
      expect(await targetErrorOf(call)).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path });
    }
    await client.close();
    for (const call of [
      () => visit.getOffers(HERO),
      () => visit.getAttributes(['a']),
      () => visit.identify(),
    ]) {
      expect(await targetErrorOf(call)).toMatchObject({ code: 'ERR_TARGET_CLOSED' });
    }
    expect(errors).toEqual([]);
  });

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('canary');
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('canary');
      },
    ],
  ])('a function that %s harms nothing', async (_, onError) => {
    bench.edge.fault({ kind: 'status', status: 403 });
    const { lines, logger } = listeningLogger();
    const visit = visitOf({ onError }, { logger });
    expect((await visit.getOffers(HERO)).failure?.status).toBe(403);
    expect(await visit.offer('hero', 'default')).toBe('default');
    expect(lines.warn.join()).toContain('onError');
    expect(lines.warn.join()).not.toContain('canary');
  });

  test('the next call works', async () => {
    bench.edge.fault({ kind: 'status', status: 403 }, { times: 1 });
    const visit = visitOf({ onError: () => undefined });
    expect((await visit.getOffers(HERO)).failure).toBeDefined();
    const answer = await visit.getOffers(HERO);
    expect(answer.failure).toBeUndefined();
    expect(answer.response.execute?.mboxes).toHaveLength(1);
  });
});

describe('nothing is sent', () => {
  test('for a bot', async () => {
    const visit = visitOf(
      { isBot: (incoming) => incoming.header('user-agent') === 'bot' },
      {},
      {
        headers: { 'user-agent': 'bot' },
      },
    );
    expect(await visit.offer('hero', 'default')).toBe('default');
    visit.track('order');
    expect(bench.edge.requests).toEqual([]);
    expect(await visitOf({ isBot: () => false }).offer('hero', '')).toBe('hero');
  });

  test('for a visitor who has switched Target off', async () => {
    const visit = visitOf({}, {}, { url: 'https://shop.example/?mboxDisable=1' });
    expect(await visit.offer('hero', 'default')).toBe('default');
    expect(bench.edge.requests).toEqual([]);
  });

  test.each<[string, () => boolean]>([
    [
      'throws',
      () => {
        throw new Error('x');
      },
    ],
    ['returns a promise', (async () => true) as unknown as () => boolean],
    ['returns a text', () => 'yes' as unknown as boolean],
  ])('only for sure: a function that %s finds no bot', async (_, isBot) => {
    expect(await visitOf({ isBot }, listeningLogger()).offer('hero', 'default')).toBe('hero');
  });
});
