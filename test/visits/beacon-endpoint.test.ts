import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import {
  createVisit,
  handleBeacon,
  type IncomingRequest,
  toBeacon,
  type VisitOptions,
} from '../../src/adapters/http.js';
import { type Notification, TargetClient, type TargetError } from '../../src/index.js';
import { html } from '../../src/testing/edge.js';
import { flagsArtifact } from '../fixtures/flags.js';
import { listeningLogger, targetErrorOf, withEdge } from '../with-edge.js';
import { Browser, type Browsing } from './browser.js';
import { HOSTILE } from './incoming.js';

const bench = withEdge({
  artifact: flagsArtifact(),
  offers: {
    mboxes: { hero: { options: html('hero'), metrics: [{}] }, menu: html('menu') },
    views: { cart: { options: html('cart'), metrics: [{ selector: '#buy' }] } },
  },
});

const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin', referer: 'https://shop.example/coffee?x=1' };
const UNSEEN = { headers: { 'sec-purpose': 'prefetch;prerender' } };
const ENDPOINT = 'https://shop.example/target/beacon';

/** A browser that has loaded a page in advance, the page's notifications, and the way to send them. */
async function pageInAdvance(client = bench.connect(), options: VisitOptions = { beacon: '/target/beacon' }) {
  const browser = new Browser();
  const visit = createVisit(client, browser.request(UNSEEN), options);
  const answer = await visit.getOffers({ request: { execute: { mboxes: [{ name: 'hero' }] } } });
  browser.keep(visit);
  const entries: Notification[] = JSON.parse(toBeacon(answer));
  bench.edge.clearRequests();
  return { browser, client, answer, entries, displays: entries.filter(({ type }) => type === 'display') };
}

function beaconOf(browser: Browser, headers: Browsing['headers'] = {}, more: Browsing = {}): IncomingRequest {
  return browser.request({ url: ENDPOINT, method: 'POST', headers: { ...SAME_ORIGIN, ...headers }, ...more });
}

const reported = () => bench.edge.requests.flatMap(({ delivery }) => delivery?.notifications ?? []);

describe('a beacon', () => {
  test('reports what was shown, as the visitor of the cookies, on the page that sent it', async () => {
    const { browser, client, answer, displays } = await pageInAdvance();
    const { status, headers } = await handleBeacon(client, beaconOf(browser), JSON.stringify(displays));
    expect(status).toBe(204);
    expect(bench.edge.requests).toEqual([]);
    await client.flush();
    expect(bench.received().violations).toEqual([]);
    const [mbox] = answer.response.execute?.mboxes ?? [];
    expect(bench.sent().notifications).toEqual([
      {
        id: displays[0]?.id,
        impressionId: displays[0]?.impressionId,
        type: 'display',
        timestamp: expect.any(Number),
        mbox: { name: 'hero', state: mbox?.state },
        tokens: [mbox?.options?.[0]?.eventToken],
      },
    ]);
    expect(bench.sent().id?.tntId).toBe(answer.response.id?.tntId);
    expect(bench.received().query.sessionId).toBe(answer.targetCookie.value.split('#')[1]);
    expect(bench.sent().context).toMatchObject({
      address: { url: 'https://shop.example/coffee?x=1' },
      userAgent: expect.stringContaining('Chrome'),
    });
    expect(bench.sent().experienceCloud?.analytics?.supplementalDataId).toBe(
      answer.request.experienceCloud?.analytics?.supplementalDataId,
    );
    expect(client.stats().notifications).toMatchObject({ accepted: 1, delivered: 1 });
    expect(headers.map(([name, value]) => [name, value.split('=')[0]])).toEqual([
      ['Set-Cookie', 'mbox'],
      ['Set-Cookie', 'mboxEdgeCluster'],
      ['Cache-Control', 'private, no-store'],
    ]);
  });

  test.each(['server-side', 'on-device', 'hybrid'] as const)(
    'reports an unseen page exactly once with a client that decides %s',
    async (decisioningMethod) => {
      const client = bench.connect({ decisioningMethod });
      await client.ready();
      const { browser, displays } = await pageInAdvance(client);
      await client.flush();
      expect([client.stats().notifications.accepted, displays.length]).toEqual([0, 1]);
      await handleBeacon(client, beaconOf(browser), JSON.stringify(displays));
      await client.flush();
      expect(client.stats().notifications).toMatchObject({ accepted: 1, delivered: 1 });
      expect(reported()).toMatchObject([{ type: 'display', mbox: { name: 'hero' } }]);
    },
  );

  test('reports a page that is seen only once: Target has counted it with the answer', async () => {
    const client = bench.connect();
    const visit = createVisit(client, new Browser().request(), { beacon: '/target/beacon' });
    const answer = await visit.getOffers({ request: { execute: { mboxes: [{ name: 'hero' }] } } });
    expect(JSON.parse(toBeacon(answer))).toMatchObject([{ type: 'click' }]);
  });

  test('renews the session of the visitor, with the attributes of the cookies', async () => {
    const { browser, client, displays } = await pageInAdvance();
    const cookies = { domain: 'shop.example' };
    const { headers } = await handleBeacon(client, beaconOf(browser), JSON.stringify(displays), { cookies });
    const before = browser.cookies.get('mbox');
    browser.keep({ headers: () => headers });
    const idsOf = (cookie = '') => cookie.split('|').map((part) => part.split('#').slice(0, 2));
    expect(idsOf(browser.cookies.get('mbox'))).toEqual(idsOf(before));
    expect(headers[0]?.[1]).toContain('Domain=shop.example');
    const body = JSON.stringify(displays);
    const never = { cookies: { write: 'never' } } as const;
    expect((await handleBeacon(client, beaconOf(browser), body, never)).headers).toEqual([]);
    const changed = { cookies: { write: 'changed' } } as const;
    expect((await handleBeacon(client, beaconOf(browser), body, changed)).headers).toEqual([]);
  });

  test('repeats ids when it is repeated, so that Target counts once', async () => {
    const { browser, client, displays } = await pageInAdvance();
    for (const body of [displays, displays]) {
      await handleBeacon(client, beaconOf(browser), JSON.stringify(body));
    }
    await client.flush();
    expect(new Set(reported().map(({ impressionId }) => impressionId)).size).toBe(1);
    expect(new Set(reported().map(({ id }) => id)).size).toBe(1);
  });

  test('is of the property and the environment for which its offers were decided', async () => {
    const client = bench.connect({ propertyToken: 'default' });
    const browser = new Browser();
    const visit = createVisit(client, browser.request(UNSEEN), { unseen: 'prefetch' });
    const ask = (name: string, token?: string) =>
      visit.getOffers({
        request: { execute: { mboxes: [{ name }] }, ...(token && { property: { token } }) },
      });
    const answers = [await ask('hero', 'mine'), await ask('menu')];
    browser.keep(visit);
    bench.edge.clearRequests();
    const displays = answers.flatMap((answer) => JSON.parse(toBeacon(answer)) as Notification[]);
    await handleBeacon(
      client,
      beaconOf(browser),
      JSON.stringify(displays.filter(({ type }) => type === 'display')),
    );
    await client.flush();
    const seen = bench.edge.requests.map(({ delivery }) => [
      delivery?.property?.token,
      delivery?.notifications?.map(({ mbox }) => mbox?.name).join(),
    ]);
    expect(seen.toSorted()).toEqual([
      ['default', 'menu'],
      ['mine', 'hero'],
    ]);
  });

  test('takes the notifications of displayed and clicked, as a list or under their name', async () => {
    const { browser, client, entries } = await pageInAdvance();
    const plain = entries.map(({ id, impressionId, type, timestamp, mbox, tokens }) => ({
      id,
      impressionId,
      type,
      timestamp,
      mbox,
      tokens,
    }));
    await handleBeacon(client, beaconOf(browser), JSON.stringify({ notifications: plain }));
    await client.flush();
    expect(reported().map(({ type }) => type)).toEqual(['display', 'click']);
  });

  test('works for a visitor of whom only the ECID is known', async () => {
    const { client, displays } = await pageInAdvance();
    const cookie = `AMCV_${encodeURIComponent(client.organizationId)}=MCMID|12345678901234567890`;
    await handleBeacon(client, beaconOf(new Browser(), { cookie }), JSON.stringify(displays));
    await client.flush();
    expect(bench.sent().id).toEqual({ marketingCloudVisitorId: '12345678901234567890' });
  });

  test('is handed to waitUntil: of the visit, else of the client', async () => {
    const given: string[] = [];
    const works: Promise<unknown>[] = [];
    const waitUntil = (who: string) => (work: Promise<unknown>) => {
      given.push(who);
      works.push(work);
    };
    const { browser, client, displays } = await pageInAdvance(
      bench.connect({ waitUntil: waitUntil('client') }),
    );
    const body = JSON.stringify(displays);
    await handleBeacon(client, beaconOf(browser), body, { waitUntil: waitUntil('visit') });
    await Promise.all(works);
    await handleBeacon(client, beaconOf(browser), body);
    await Promise.all(works);
    expect(given).toEqual(['visit', 'client']);
    expect(reported()).toHaveLength(2);
  });

  test('is sent once more, one by one, when the edge refuses it', async () => {
    const { browser, client, entries } = await pageInAdvance();
    bench.edge.fault({ kind: 'status', status: 400 }, { times: 1 });
    await handleBeacon(client, beaconOf(browser), JSON.stringify(entries));
    await client.flush();
    expect(bench.edge.requests.map(({ delivery }) => delivery?.notifications?.length)).toEqual([2, 1, 1]);
    expect(client.stats().notifications).toMatchObject({ accepted: 2, delivered: 2, failed: 0 });
  });

  test('takes at most a quarter of the queue', async () => {
    const client = bench.connect({ notifications: { maxQueued: 8 } });
    const { browser, displays } = await pageInAdvance(client);
    for (let count = 0; count < 4; count += 1) {
      await handleBeacon(client, beaconOf(browser), JSON.stringify(displays));
    }
    expect(client.stats().notifications).toMatchObject({ queued: 2, dropped: 2 });
    await client.flush();
    expect(client.stats().notifications).toMatchObject({ delivered: 2 });
  });
});

describe('a beacon that is dropped without a word', () => {
  const DAY_MS = 24 * 60 * 60 * 1000;

  test.each<[string, Browsing['headers'], VisitOptions]>([
    ['without cookies', { cookie: undefined }, {}],
    ['with a malformed cookie', { cookie: 'mbox=nonsense' }, {}],
    ['with an expired cookie', { cookie: 'mbox=session#abc#1|PC#abc.35_0#1' }, {}],
    ['without consent', {}, { consent: false }],
    ['without consent, with a function', {}, { consent: () => ({ granted: false }) }],
    ['with anonymous decisions', {}, { consent: false, withoutConsent: 'anonymous' }],
    ['with consent that cannot be told', {}, { consent: () => Promise.reject(new Error('no')) as never }],
    ['of a bot', {}, { isBot: () => true }],
    ['of a page with mboxDisable', { referer: 'https://shop.example/?mboxDisable=1' }, {}],
    ['of a page that is loaded in advance', { 'sec-purpose': 'prefetch;prerender' }, { beacon: '/b' }],
    ['of a QA page', { referer: 'https://shop.example/?at_preview_token=abc' }, {}],
  ])('%s', async (_, headers, options) => {
    const { browser, client, displays } = await pageInAdvance();
    const answer = await handleBeacon(client, beaconOf(browser, headers), JSON.stringify(displays), options);
    expect(answer).toEqual({ status: 204, headers: [] });
    await client.flush();
    expect(bench.edge.requests).toEqual([]);
  });

  test.each(['mboxDisable=1', 'at_qa_mode={"token":"abc"}'])('with the cookie %s', async (cookie) => {
    const { browser, client, displays } = await pageInAdvance();
    const all = `${cookie}; mbox=${browser.cookies.get('mbox')}`;
    await handleBeacon(client, beaconOf(browser, { cookie: all }), JSON.stringify(displays));
    await client.flush();
    expect(bench.edge.requests).toEqual([]);
  });

  test('for displays of a page from a store; its clicks count', async () => {
    const { browser, client, entries } = await pageInAdvance();
    const old = entries.map((entry) => ({ ...entry, timestamp: entry.timestamp - 31 * 60 * 1000 }));
    await handleBeacon(client, beaconOf(browser), JSON.stringify(old));
    await client.flush();
    expect(reported()).toMatchObject([{ type: 'click' }]);
    expect(Math.abs(Date.now() - (reported()[0]?.timestamp ?? 0))).toBeLessThan(DAY_MS);
    bench.edge.clearRequests();
    const future = entries.map((entry) => ({ ...entry, type: 'display', timestamp: Date.now() + DAY_MS }));
    expect(await handleBeacon(client, beaconOf(browser), JSON.stringify(future))).toEqual({
      status: 204,
      headers: [],
    });
    const recent = entries.map((entry) => ({ ...entry, timestamp: entry.timestamp - 29 * 60 * 1000 }));
    await handleBeacon(client, beaconOf(browser), JSON.stringify(recent));
    await client.flush();
    expect(reported()).toHaveLength(2);
  });

  test('deletes the cookies when consent is withdrawn', async () => {
    const { browser, client, displays } = await pageInAdvance();
    const consent = () => ({ granted: false, forget: true });
    const { status, headers } = await handleBeacon(client, beaconOf(browser), JSON.stringify(displays), {
      consent,
    });
    browser.keep({ headers: () => headers });
    expect([status, browser.cookies.size]).toEqual([204, 0]);
    await client.flush();
    expect(bench.edge.requests).toEqual([]);
  });
});

describe('a beacon that no page of the site has sent', () => {
  test.each<[number, Browsing['headers']]>([
    [403, { 'sec-fetch-site': 'cross-site' }],
    [403, { 'sec-fetch-site': 'none' }],
    [403, { 'sec-fetch-site': 'Same-Origin, cross-site' }],
    [403, { 'sec-fetch-site': 'cross-site', origin: 'https://shop.example' }],
    [204, { 'sec-fetch-site': 'same-site' }],
    [403, { 'sec-fetch-site': undefined }],
    [403, { 'sec-fetch-site': undefined, origin: 'null' }],
    [403, { 'sec-fetch-site': undefined, origin: 'https://evil.example' }],
    [403, { 'sec-fetch-site': undefined, origin: 'https://shop.example.evil.example' }],
    [403, { 'sec-fetch-site': undefined, origin: 'https://shop.example:8443' }],
    [204, { 'sec-fetch-site': undefined, origin: 'https://shop.example' }],
    [204, { 'sec-fetch-site': undefined, origin: 'http://shop.example' }],
  ])('is answered with %i for %o', async (status, headers) => {
    const { browser, client, displays } = await pageInAdvance();
    const consent = () => ({ granted: status === 204, forget: true });
    const answer = await handleBeacon(client, beaconOf(browser, headers), JSON.stringify(displays), {
      consent,
    });
    expect(answer.status).toBe(status);
    await client.flush();
    expect(reported()).toHaveLength(status === 204 ? 1 : 0);
    if (status === 403) {
      expect(answer.headers).toEqual([]);
    }
  });

  test('is refused when the host is not known', async () => {
    const { browser, client, displays } = await pageInAdvance();
    const headers = { 'sec-fetch-site': undefined, origin: 'https://shop.example' };
    const incoming = beaconOf(browser, headers, { url: '' });
    expect((await handleBeacon(client, { ...incoming, url: '' }, JSON.stringify(displays))).status).toBe(403);
  });
});

describe('the body of a beacon', () => {
  const NOTIFICATION = {
    id: 'a',
    type: 'click',
    timestamp: Date.now(),
    tokens: ['t'],
    mbox: { name: 'hero' },
  };
  const statusOf = async (body: unknown) => {
    const { browser, client } = await pageInAdvance();
    const { status } = await handleBeacon(client, beaconOf(browser), body as string);
    await client.flush();
    return status;
  };

  test.each<[string, unknown]>([
    ['no text', undefined],
    ['bytes', Buffer.from('[]')],
    ['an object', {}],
    ['nothing', ''],
    ['no JSON', '[{'],
    ['a number', '5'],
    ['null', 'null'],
    ['an object without notifications', '{}'],
    ['deep lists', '['.repeat(60_000)],
    ['null among the notifications', '[null]'],
    ['a list among the notifications', '[[]]'],
    ...(
      [
        { id: undefined },
        { id: '' },
        { id: 5 },
        { id: 'x'.repeat(201) },
        { impressionId: 'x'.repeat(129) },
        { impressionId: {} },
        { type: 'order' },
        { type: undefined },
        { timestamp: 'now' },
        { timestamp: null },
        { tokens: undefined },
        { tokens: [] },
        { tokens: [5] },
        { tokens: [''] },
        { tokens: {} },
        { mbox: 'hero' },
        { mbox: undefined },
        { mbox: null },
        { mbox: { name: 'x'.repeat(251) } },
        { mbox: { name: 5 } },
        { mbox: { name: 'hero', state: 5 } },
        { mbox: undefined, view: { name: 'x'.repeat(129) } },
        { mbox: undefined, view: { name: 'cart', key: 'x'.repeat(513) } },
        { view: { name: 'cart' } },
        { mbox: undefined, pageLoad: { state: 5 } },
        { property: {} },
        { property: 'token' },
        { property: { token: '' } },
        { property: { token: {} } },
        { analytics: [] },
      ] as const
    ).map((change): [string, unknown] => [
      JSON.stringify(change).slice(0, 60),
      JSON.stringify([{ ...NOTIFICATION, ...change }]),
    ]),
    ['more than 50 notifications', JSON.stringify(Array(51).fill(NOTIFICATION))],
  ])('is malformed: %s', async (_, body) => {
    expect(await statusOf(body)).toBe(400);
    expect(bench.edge.requests).toEqual([]);
  });

  describe('as what a server has of it', () => {
    const whole = (text: string) => [Buffer.from(text.slice(0, 9)), Buffer.from(text.slice(9))];
    const sources: [string, (text: string) => Parameters<typeof handleBeacon>[2]][] = [
      ['a request of Node', (text) => Readable.from(whole(text))],
      ['the body of a Request', (text) => new Request(ENDPOINT, { method: 'POST', body: text }).body],
      ['a stream without iteration', (text) => onlyReader(new Blob([text]).stream())],
    ];

    function onlyReader(stream: ReadableStream<Uint8Array>) {
      return { getReader: () => stream.getReader() };
    }

    test.each(sources)('%s', async (_, from) => {
      const { browser, client, displays } = await pageInAdvance();
      const { status } = await handleBeacon(client, beaconOf(browser), from(JSON.stringify(displays)));
      expect(status).toBe(204);
      await client.flush();
      expect(reported()).toHaveLength(1);
    });

    test.each(sources)('%s that is too long is not read to its end', async (_, from) => {
      const { browser, client } = await pageInAdvance();
      const { status } = await handleBeacon(client, beaconOf(browser), from('x'.repeat(200_000)));
      expect(status).toBe(413);
    });

    test('a connection that breaks off, an empty one, and one that was read', async () => {
      const { browser, client } = await pageInAdvance();
      const broken = Readable.from(
        (async function* () {
          yield Buffer.from('[');
          throw new Error('aborted');
        })(),
      );
      const request = new Request(ENDPOINT, { method: 'POST', body: '[]' });
      await request.text();
      for (const body of [broken, null, undefined, request.body]) {
        expect((await handleBeacon(client, beaconOf(browser), body)).status).toBe(400);
      }
    });
  });

  test('makes only a few calls', async () => {
    const { browser, client, displays } = await pageInAdvance();
    const [display] = displays;
    const withIds = (count: number) =>
      Array.from({ length: count }, (_, index) => ({
        ...display,
        id: `id-${index}`,
        analytics: { supplementalDataId: `${'0'.repeat(15)}${index}-${'0'.repeat(16)}` },
      }));
    const statusOf = async (count: number) =>
      (await handleBeacon(client, beaconOf(browser), JSON.stringify(withIds(count)))).status;
    expect([await statusOf(5), await statusOf(6)]).toEqual([204, 400]);
    await client.flush();
    expect(bench.edge.requests).toHaveLength(5);
  });

  test('has at most 64 kB, in bytes', async () => {
    const bodyOf = (length: number, character: string) => {
      const state = character.repeat(length);
      return JSON.stringify([{ ...NOTIFICATION, mbox: { name: 'hero', state } }]);
    };
    const overhead = bodyOf(0, '').length;
    expect(await statusOf(bodyOf(65_536 - overhead, 'x'))).toBe(204);
    expect(await statusOf(bodyOf(65_537 - overhead, 'x'))).toBe(413);
    expect(await statusOf(bodyOf(40_000, 'ü'))).toBe(413);
    expect(await statusOf('x'.repeat(70_000))).toBe(413);
  });

  test('may have 50 notifications, or none', async () => {
    expect(await statusOf(JSON.stringify(Array(50).fill(NOTIFICATION)))).toBe(204);
    expect(reported()).toHaveLength(50);
    expect(await statusOf('[]')).toBe(204);
  });

  test('loses what no notification of the script has, and names no visitor', async () => {
    const { browser, client, answer } = await pageInAdvance();
    const body = `[${JSON.stringify({
      ...NOTIFICATION,
      order: { id: 'o', total: 1000 },
      profileParameters: { vip: 'yes' },
      parameters: { a: 'b' },
      mbox: { name: 'hero', extra: 1 },
      visitor: { tntId: 'somebody.35_0' },
      constructor: { prototype: { polluted: true } },
    }).slice(0, -1)},"__proto__":{"polluted":true,"tokens":["x"]}}]`;
    const wrapped = `{"notifications":${body},"id":{"tntId":"somebody.35_0"},"context":{"geo":{"city":"x"}}}`;
    const { status } = await handleBeacon(client, beaconOf(browser), wrapped);
    await client.flush();
    expect(status).toBe(204);
    expect(reported()).toEqual([
      { id: 'a', type: 'click', timestamp: expect.any(Number), mbox: { name: 'hero' }, tokens: ['t'] },
    ]);
    expect(bench.sent().id).toEqual({ tntId: answer.response.id?.tntId });
    expect(JSON.stringify(bench.sent())).not.toMatch(/somebody|polluted|"city"/);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  test('does not choose the visitor by an address of the endpoint', async () => {
    const { browser, client, displays } = await pageInAdvance();
    const ts = Math.floor(Date.now() / 1000);
    const adobeMc = `TS=${ts}|MCMID=12345678901234567890|MCORGID=${client.organizationId}`;
    const url = `${ENDPOINT}?adobe_mc=${encodeURIComponent(adobeMc)}`;
    const referer = `https://shop.example/?adobe_mc=${encodeURIComponent(adobeMc)}`;
    await handleBeacon(client, beaconOf(browser, { referer }, { url }), JSON.stringify(displays));
    await client.flush();
    expect(bench.sent().id?.marketingCloudVisitorId).toBeUndefined();
  });
});

describe('handleBeacon', () => {
  test.each(
    HOSTILE.filter((incoming) => typeof incoming === 'object' && incoming !== null).map((one) => [one]),
  )('never rejects for a request such as %#', async (incoming) => {
    const answer = await handleBeacon(bench.connect(), incoming as IncomingRequest, '[]');
    expect(answer).toEqual({ status: 403, headers: [] });
  });

  test('never rejects when the client is closed, or an option fails', async () => {
    const { browser, client, displays } = await pageInAdvance();
    const { lines, logger } = listeningLogger();
    const loud = TargetClient.create({ ...bench.edge.config, logger });
    const body = JSON.stringify(displays);
    const customerIds = { crm: { id: { no: 'text' } } } as never;
    const errors: TargetError[] = [];
    const onError = (error: TargetError) => void errors.push(error);
    expect((await handleBeacon(loud, beaconOf(browser), body, { customerIds })).status).toBe(204);
    expect(lines.warn.join()).toContain('a beacon could not be reported: ');
    expect((await handleBeacon(loud, beaconOf(browser), body, { customerIds, onError })).status).toBe(204);
    expect(errors.map(({ code }) => code)).toEqual(['ERR_TARGET_INVALID_REQUEST']);
    await loud.close();
    await client.close();
    expect((await handleBeacon(client, beaconOf(browser), body)).status).toBe(204);
    expect(client.stats().notifications).toMatchObject({ accepted: 1, dropped: 1 });
  });

  test('rejects for a mistake of the programmer', async () => {
    const { browser, client } = await pageInAdvance();
    const incoming = beaconOf(browser);
    const pathOf = async (act: () => unknown) => {
      const { code, path } = await targetErrorOf(act);
      return code === 'ERR_TARGET_INVALID_CONFIG' ? path : code;
    };
    expect(await pathOf(() => handleBeacon(client, incoming, '[]', { consent: 'yes' as never }))).toBe(
      'consent',
    );
    expect(await pathOf(() => handleBeacon({} as never, incoming, '[]'))).toBe('client');
    expect(await pathOf(() => handleBeacon(client, 'text' as never, '[]'))).toBe('incoming');
  });
});
