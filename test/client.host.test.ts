import { afterEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import manifest from '../package.json' with { type: 'json' };
import { TargetClient, type TargetClientConfig } from '../src/index.js';
import {
  answer,
  configOf,
  DELIVERY,
  hang,
  REQUEST,
  type RecordedCall,
  recordingFetch,
} from './recording-fetch.js';
import { fakeTimers, pass } from './scripted-cdn.js';
import { targetErrorOf } from './with-edge.js';

const request = REQUEST;
const FAR = Math.floor(Date.now() / 1000) + 100_000;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The mbox cookie of a visitor whose tntId is this. */
const cookieOf = (tntId: string) => `session#s1#${FAR}|PC#${tntId}#${FAR}`;

/** An answer that names an edge. */
const from = (edgeHost: unknown) => answer({ ...DELIVERY, edgeHost });

function start(config: Partial<TargetClientConfig> = {}, edgeHost?: unknown) {
  const { fetchApi, calls } = recordingFetch(edgeHost === undefined ? answer() : from(edgeHost));
  const client = TargetClient.create({ ...configOf(fetchApi), ...config });
  const hosts = () => calls.map(({ url }) => url.host);
  return { client, calls, hosts };
}

function first(calls: readonly RecordedCall[]): RecordedCall {
  if (!calls[0]) {
    throw new Error('there was no call');
  }
  return calls[0];
}

describe('the URL of a call', () => {
  test('holds organization and session, and nothing else', async () => {
    const { client, calls } = start();
    await client.getOffers({ request, sessionId: 's-1' });
    expect(first(calls).url.href).toBe(
      'https://demo.tt.omtrdc.net/rest/v1/delivery?imsOrgId=DEMO%40AdobeOrg&sessionId=s-1',
    );
  });

  test('encodes organization, session and version', async () => {
    const { client, calls } = start({ organizationId: 'a&b=c#d é@AdobeOrg', version: '2.1 & more' });
    await client.getOffers({ request, sessionId: 's&version=1#+%' });
    const { search, searchParams } = first(calls).url;
    expect(search).toBe(
      '?imsOrgId=a%26b%3Dc%23d%20%C3%A9%40AdobeOrg&sessionId=s%26version%3D1%23%2B%25&version=2.1%20%26%20more',
    );
    expect([...searchParams.keys()]).toEqual(['imsOrgId', 'sessionId', 'version']);
  });

  test('is http when secure is false', async () => {
    const { client, calls } = start({ secure: false });
    await client.getOffers({ request });
    expect(first(calls).url.protocol).toBe('http:');
  });
});

describe('the headers of a call', () => {
  test('name the SDK and the call', async () => {
    const { client, calls } = start();
    await client.getOffers({ request });
    expect(first(calls).init.headers).toEqual({
      'Content-Type': 'application/json',
      'X-EXC-SDK': 'AdobeTargetNode',
      'X-EXC-SDK-Version': manifest.version,
      'X-Request-Id': expect.stringMatching(UUID),
    });
  });

  test('have an X-Request-Id of their own', async () => {
    const { client, calls } = start();
    for (let call = 0; call < 3; call += 1) {
      await client.getOffers({ request });
    }
    expect(new Set(calls.map(({ init }) => init.headers['X-Request-Id'])).size).toBe(3);
  });

  test('do not hold what the visitor sent', async () => {
    const { client, calls } = start();
    const context = { channel: 'web', userAgent: 'Mozilla/5.0' } as const;
    await client.getOffers({ request: { ...request, context } });
    expect(Object.values(first(calls).init.headers)).not.toContain('Mozilla/5.0');
    expect(first(calls).request.context?.userAgent).toBe('Mozilla/5.0');
  });
});

describe('the host of a call', () => {
  const visitor = { targetCookie: cookieOf('abc.28_0'), targetLocationHint: '31' };

  test('is the serverDomain above all', async () => {
    const config = { serverDomain: 'target.example.com:8443', targetLocationHint: '34' };
    const { client, hosts } = start(config, 'mboxedge35.tt.omtrdc.net');
    await client.getOffers({ request });
    await client.getOffers({ request });
    await client.getOffers({ request, ...visitor });
    await client.getAttributes(['flags'], visitor);
    expect(new Set(hosts())).toEqual(new Set(['target.example.com:8443']));
  });

  test('is that of the visitor: the cookie, then the option', async () => {
    const { client, hosts } = start({ targetLocationHint: '34' });
    await client.getOffers({ request, ...visitor });
    await client.getOffers({ request, targetLocationHint: '31' });
    await client.getOffers({ request, targetLocationHintCookie: '32' });
    await client.getOffers({ request, targetLocationHint: '31', targetLocationHintCookie: '32' });
    expect(hosts()).toEqual(['28', '31', '32', '31'].map((hint) => `mboxedge${hint}.tt.omtrdc.net`));
  });

  test('is that of the client when the visitor has none', async () => {
    const { client, hosts } = start({ targetLocationHint: '34' });
    await client.getOffers({ request });
    await client.getOffers({ request, targetCookie: cookieOf('abc') });
    await client.getOffers({ request, targetLocationHint: 'evil' });
    expect(new Set(hosts())).toEqual(new Set(['mboxedge34.tt.omtrdc.net']));
  });

  test('is the name of the client when nobody has a hint', async () => {
    const { client, hosts } = start();
    await client.getOffers({ request });
    expect(hosts()).toEqual(['demo.tt.omtrdc.net']);
  });

  test('is the same for getOffers, getAttributes and sendNotifications', async () => {
    const { client, hosts } = start();
    const notification = { id: 'n1', type: 'click', timestamp: 1, mbox: { name: 'hero' } } as const;
    await client.getOffers({ request, ...visitor });
    await client.getAttributes(['flags'], visitor);
    await client.sendNotifications({ request: { notifications: [notification] }, ...visitor });
    expect(hosts()).toEqual(Array.from({ length: 3 }, () => 'mboxedge28.tt.omtrdc.net'));
  });
});

describe('a client', () => {
  test('learns its hint from the answer to a call without one', async () => {
    const { client, hosts } = start({}, 'mboxedge35.tt.omtrdc.net');
    const { targetLocationHintCookie } = await client.getOffers({ request });
    await client.getOffers({ request });
    expect(hosts()).toEqual(['demo.tt.omtrdc.net', 'mboxedge35.tt.omtrdc.net']);
    expect(targetLocationHintCookie).toEqual({ name: 'mboxEdgeCluster', value: '35', maxAge: 1860 });
  });

  test('learns nothing from the call of a visitor with a hint', async () => {
    const { client, hosts } = start({}, 'mboxedge28.tt.omtrdc.net');
    await client.getOffers({ request, targetCookie: cookieOf('abc.28_0') });
    await client.getOffers({ request, targetLocationHint: '28' });
    await client.getOffers({ request });
    expect(hosts()[2]).toBe('demo.tt.omtrdc.net');
  });

  test('learns anew, over what its config says', async () => {
    const { fetchApi, calls } = recordingFetch(from('mboxedge35.tt.omtrdc.net'), from(undefined));
    const client = TargetClient.create({ ...configOf(fetchApi), targetLocationHint: '34' });
    for (let call = 0; call < 3; call += 1) {
      await client.getOffers({ request });
    }
    expect(calls.map(({ url }) => url.host)).toEqual([
      'mboxedge34.tt.omtrdc.net',
      'mboxedge35.tt.omtrdc.net',
      'mboxedge35.tt.omtrdc.net',
    ]);
  });

  test('forgets what it learned when nobody is there', async () => {
    const { fetchApi, calls } = recordingFetch(
      from('mboxedge35.tt.omtrdc.net'),
      () => Promise.reject(new Error('ECONNREFUSED')),
      from('mboxedge36.tt.omtrdc.net'),
    );
    const client = TargetClient.create({ ...configOf(fetchApi), retry: { retries: 0 } });
    await client.getOffers({ request });
    await client.getOffers({ request }).catch(() => undefined);
    await client.getOffers({ request });
    await client.getOffers({ request });
    expect(calls.map(({ url }) => url.host)).toEqual([
      'demo.tt.omtrdc.net',
      'mboxedge35.tt.omtrdc.net',
      'demo.tt.omtrdc.net',
      'mboxedge36.tt.omtrdc.net',
    ]);
  });

  describe('whose learned cluster is silent', () => {
    afterEach(() => {
      jest.restoreAllMocks();
      jest.useRealTimers();
    });

    test.each([
      ['forgets it behind a call that had the client’s time', {}, 'demo.tt.omtrdc.net'],
      ['keeps it behind a call with a shorter time of its own', { timeout: 999 }, 'mboxedge35.tt.omtrdc.net'],
    ])('%s', async (_, more, next) => {
      fakeTimers();
      const { fetchApi, calls } = recordingFetch(from('mboxedge35.tt.omtrdc.net'), hang, answer());
      const client = TargetClient.create({ ...configOf(fetchApi), timeout: 1000 });
      await client.getOffers({ request });
      const failed = targetErrorOf(() => client.getOffers({ request, ...more }));
      await pass(1000);
      expect((await failed).code).toBe('ERR_TARGET_TIMEOUT');
      await client.getOffers({ request });
      expect(calls.map(({ url }) => url.host).slice(1)).toEqual(['mboxedge35.tt.omtrdc.net', next]);
    });

    test('keeps it behind a call that this process was too busy for', async () => {
      fakeTimers();
      const { fetchApi, calls } = recordingFetch(from('mboxedge35.tt.omtrdc.net'), hang, answer());
      const client = TargetClient.create({ ...configOf(fetchApi), timeout: 1000 });
      await client.getOffers({ request });
      const failed = targetErrorOf(() => client.getOffers({ request }));
      // As if the event loop had been blocked: the first look at the clock is behind the deadline.
      const now = performance.now();
      const clock = jest.spyOn(performance, 'now').mockReturnValue(now + 5000);
      await pass(250);
      expect((await failed).code).toBe('ERR_TARGET_TIMEOUT');
      clock.mockRestore();
      await client.getOffers({ request });
      expect(calls.at(-1)?.url.host).toBe('mboxedge35.tt.omtrdc.net');
    });
  });

  test.each([
    'mboxedge.tt.omtrdc.net',
    'mboxedge12345.tt.omtrdc.net',
    'mboxedge35.tt.omtrdc.net.evil.example',
    'evil.example/mboxedge35.tt.omtrdc.net',
    'mboxedge35.tt.omtrdc.net:8080',
    'mboxedge35.tt.omtrdc.net/',
    'mboxedge35.tt.omtrdc.net\n',
    'mboxedge35@evil.tt.omtrdc.net',
    'mboxedge35.evil.tt.omtrdc.net',
    'mboxedge35xtt.omtrdc.net',
    'xmboxedge35.tt.omtrdc.net',
    'mboxedge-35.tt.omtrdc.net',
    'mboxedge３５.tt.omtrdc.net',
    'mboxedge35',
    '35',
    '',
    null,
  ])('learns nothing from the edgeHost %j', async (edgeHost) => {
    const { client, hosts } = start({}, edgeHost);
    const { targetLocationHintCookie } = await client.getOffers({ request });
    await client.getOffers({ request });
    expect(hosts()).toEqual(['demo.tt.omtrdc.net', 'demo.tt.omtrdc.net']);
    expect(targetLocationHintCookie).toBeUndefined();
  });
});

describe('a hostile cookie', () => {
  const ALLOWED = /^(demo|mboxedge\d{1,4})\.tt\.omtrdc\.net$/;
  /** What could become a host, a port, a user, a path or a query. */
  const hostile = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.webUrl(),
    fc.domain(),
    fc.ipV6(),
    fc.stringMatching(/^[\d./@#?:%\\_\s-]{0,12}$/),
    fc.tuple(fc.constantFrom('28', '1', '00000', '-1', '1e3'), fc.webUrl()).map((parts) => parts.join('')),
    fc.constantFrom(
      '28/@evil.example',
      '28#',
      '28?',
      '28:80@evil.example',
      '%2F',
      '28%2f',
      '２８',
      '28\n',
      '28_0.28',
    ),
  );
  const cookies = fc.oneof(
    hostile,
    hostile.map((cluster) => cookieOf(`abc.${cluster}`)),
    hostile.map((cluster) => cookieOf(`abc.${cluster}_0`)),
    hostile.map((cluster) => cookieOf(encodeURIComponent(`abc.${cluster}_0`))),
    hostile.map((cluster) => encodeURIComponent(cookieOf(`abc.${cluster}_0`))),
    hostile.map((name) => `${name}#abc.28_0#${FAR}|PC#${name}`),
    fc.array(hostile, { maxLength: 60 }).map((parts) => parts.join('|PC#')),
  );

  test('never makes another host, and never throws', async () => {
    const { client, calls } = start({}, 'mboxedge35.tt.omtrdc.net');
    await fc.assert(
      fc.asyncProperty(cookies, hostile, async (targetCookie, targetLocationHint) => {
        await client.getOffers({ request, targetCookie, targetLocationHint, visitorCookie: targetCookie });
        const { url } = calls.at(-1) as RecordedCall;
        expect(url.hostname).toMatch(ALLOWED);
        expect([url.protocol, url.port, url.username, url.password]).toEqual(['https:', '', '', '']);
        expect([url.pathname, url.hash]).toEqual(['/rest/v1/delivery', '']);
        expect([...url.searchParams.keys()]).toEqual(['imsOrgId', 'sessionId']);
      }),
      { numRuns: 1000 },
    );
  });

  test('never changes where another visitor goes', async () => {
    await fc.assert(
      fc.asyncProperty(cookies, hostile, async (targetCookie, targetLocationHint) => {
        const { client, calls, hosts } = start({}, 'mboxedge35.tt.omtrdc.net');
        await client.getOffers({ request, targetCookie, targetLocationHint });
        // Only a call that went to the client's own host may have taught it something.
        const next = first(calls).url.host === 'demo.tt.omtrdc.net' ? 'mboxedge35' : 'demo';
        await client.getOffers({ request });
        expect(hosts()[1]).toBe(`${next}.tt.omtrdc.net`);
      }),
      { numRuns: 300 },
    );
  });

  test('never gets past a serverDomain', async () => {
    const { client, calls } = start({ serverDomain: 'target.example.com' });
    await fc.assert(
      fc.asyncProperty(cookies, hostile, async (targetCookie, targetLocationHint) => {
        await client.getOffers({ request, targetCookie, targetLocationHint });
        expect(calls.at(-1)?.url.host).toBe('target.example.com');
      }),
      { numRuns: 300 },
    );
  });

  test.each<[string, unknown]>([
    ['a boolean', true],
    ['an object', { toString: () => '28' }],
    ['a list', ['28']],
  ])('that is %s asks no host', async (_, value) => {
    const { client, hosts } = start();
    const cookie = value as string;
    for (const name of ['targetCookie', 'targetLocationHint', 'visitorCookie']) {
      const error = await targetErrorOf(() => client.getOffers({ request, [name]: cookie }));
      expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path: name });
    }
    expect(hosts()).toEqual([]);
  });

  test.each(['28.evil.example', '28/', '28@evil.example'])(
    'that is a cookie with %s changes no host',
    async (value) => {
      const { client, hosts } = start();
      const cookie = { name: 'mbox', value };
      await client.getOffers({
        request,
        targetCookie: cookie,
        targetLocationHint: cookie,
        visitorCookie: cookie,
      });
      expect(hosts()).toEqual(['demo.tt.omtrdc.net']);
    },
  );

  test('of a megabyte keeps nobody waiting', async () => {
    const { client, calls } = start();
    for (const piece of ['|', '#', '%', '.28_0', 'PC#a.28_0#9999999999|', '%25']) {
      const targetCookie = piece.repeat(1_000_000 / piece.length);
      const call = client.getOffers({ request, targetCookie, targetLocationHint: targetCookie });
      await call;
    }
    expect(calls).toHaveLength(6);
  });
});
