import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type { DeliveryRequest, Geo, TargetClient, TargetClientConfig } from '../src/index.js';
import type { Fault } from '../src/testing/edge.js';
import { artifactOf, rule } from './fixtures/rules.js';
import { answer, hang, refuse, type Script, status } from './recording-fetch.js';
import { fakeTimers, held, listening, next, pass, settle, withScripts } from './scripted-cdn.js';
import { listeningLogger, targetErrorOf, withEdge } from './with-edge.js';

/** Greets visitors by where they are. */
function greetings(geoTargetingEnabled = true) {
  const from = (field: string, value: string) => ({ '==': [{ var: `geo.${field}` }, value] });
  return artifactOf(
    {
      greeting: [
        rule('greeting', { activity: 1, when: from('city', 'PARIS'), shows: 'bonjour' }),
        rule('greeting', { activity: 2, when: from('country', 'JP'), shows: 'konnichiwa' }),
        rule('greeting', { activity: 3, shows: 'hello' }),
      ],
    },
    {},
    { geoTargetingEnabled, responseTokens: ['geo.city', 'geo.country', 'geo.state', 'geo.latitude'] },
  );
}

const PARIS = {
  city: 'PARIS',
  stateCode: 'IDF',
  countryCode: 'FR',
  latitude: 48.85,
  longitude: 2.35,
};
const TOKYO = { city: 'TOKYO', countryCode: 'JP' };
const bench = withEdge({
  artifact: greetings(),
  geo: { '1.2.3.4': PARIS, '2001:db8::1': TOKYO, '127.0.0.1': TOKYO },
});
const startWith = withScripts();
const GEO = '/v1/geo';

function start(config: Partial<TargetClientConfig>, ...places: Script[]) {
  return startWith({ artifactPayload: greetings(), pollingInterval: 0, ...config }, { places });
}

function connect(config: Partial<TargetClientConfig> = {}) {
  const { heard, events } = listening();
  const client = bench.connect({
    decisioningMethod: 'on-device',
    targetLocationHint: '35',
    artifactPayload: greetings(),
    pollingInterval: 0,
    events,
    ...config,
  });
  return { client, heard };
}

const from = (geo: Geo): DeliveryRequest => ({
  context: { channel: 'web', geo },
  prefetch: { mboxes: [{ name: 'greeting' }] },
});

async function greetingOf(client: TargetClient, geo: Geo): Promise<unknown> {
  const { response } = await client.getOffers({ request: from(geo) });
  return response.prefetch?.mboxes?.[0]?.options?.[0]?.content;
}

/** Lets a pause between look-ups end at once. */
function skipPause(): void {
  const { now } = performance;
  jest.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + 31_000);
}

afterEach(() => {
  jest.restoreAllMocks();
  bench.edge.setGeo({ '1.2.3.4': PARIS, '2001:db8::1': TOKYO, '127.0.0.1': TOKYO });
});

describe('a visitor of whom only the IP address is known', () => {
  test.each([
    ['1.2.3.4', 'bonjour'],
    ['2001:db8::1', 'konnichiwa'],
    ['5.6.7.8', 'hello'],
  ])('is looked up: %s', async (ipAddress, greeting) => {
    const { client } = connect();
    expect(await greetingOf(client, { ipAddress })).toBe(greeting);
    const [request] = bench.edge.requestsTo(GEO);
    expect(request).toMatchObject({ method: 'GET', headers: { 'x-forwarded-for': ipAddress } });
    expect(bench.edge.requests).toHaveLength(1);
  });

  test('is looked up without a word of the address when it is the one that asks', async () => {
    const { client } = connect();
    expect(await greetingOf(client, { ipAddress: 'unknownIpAddress' })).toBe('konnichiwa');
    expect(bench.edge.requestsTo(GEO)[0]?.headers).not.toHaveProperty('x-forwarded-for');
  });

  test('has the place in response tokens and in the event, but not in the request', async () => {
    const { client, heard } = connect();
    const { response, request } = await client.getOffers({ request: from({ ipAddress: '1.2.3.4' }) });
    expect(response.prefetch?.mboxes?.[0]?.options?.[0]?.responseTokens).toMatchObject({
      'geo.city': 'PARIS',
      'geo.country': 'FR',
      'geo.state': 'IDF',
      'geo.latitude': 48.85,
    });
    expect(heard.geoLocationUpdated).toEqual([
      { type: 'geoLocationUpdated', geoContext: { ...PARIS, ipAddress: '1.2.3.4' } },
    ]);
    expect(request.context?.geo).toEqual({ ipAddress: '1.2.3.4' });
  });

  test.each<[string, Partial<TargetClientConfig>, string]>([
    ['at the CDN', { cdnEnvironment: 'cdn.example.com:81' }, 'https://cdn.example.com:81/v1/geo'],
    [
      'over https, however delivery calls go and the rules come',
      {
        secure: false,
        cdnBasePath: 'cdn.example.com',
        artifactLocation: 'http://cdn.example.com/rules.json',
      },
      'https://cdn.example.com/v1/geo',
    ],
    [
      'over plain http inside this machine, if delivery calls go so',
      { secure: false, cdnBasePath: '[::1]:81' },
      'http://[::1]:81/v1/geo',
    ],
    [
      'over https inside this machine, if delivery calls go so',
      { cdnBasePath: 'localhost' },
      'https://localhost/v1/geo',
    ],
  ])('is asked for %s', async (_, config, url) => {
    const { client, places } = start(config, answer({}));
    await greetingOf(client, { ipAddress: '1.2.3.4' });
    expect(places.map((call) => call.url.href)).toEqual([url]);
  });
});

describe('nobody is looked up', () => {
  test.each<[string, Geo]>([
    ['with a city', { ipAddress: '1.2.3.4', city: 'PARIS' }],
    ['with a country', { ipAddress: '1.2.3.4', countryCode: 'FR' }],
    ['with a latitude', { ipAddress: '1.2.3.4', latitude: 0 }],
    ['without an address', { city: 'PARIS' }],
    ['with an address that is none', { ipAddress: '1.2.3.4.5' }],
    ['with an address that is more', { ipAddress: '1.2.3.4\r\nx-evil: 1' }],
  ])('%s', async (_, geo) => {
    const { client, places, heard } = start({}, answer({ 'x-geo-city': 'PARIS' }));
    expect(await greetingOf(client, geo)).toBe(geo.city ? 'bonjour' : 'hello');
    expect(places).toHaveLength(0);
    expect(heard.geoLocationUpdated).toHaveLength(0);
  });

  test('without a geo at all', async () => {
    const { client, places } = start({}, answer({}));
    await client.getOffers({ request: { prefetch: { mboxes: [{ name: 'greeting' }] } } });
    expect(places).toHaveLength(0);
  });

  test('when no rule of the artifact asks for it', async () => {
    const { client, places } = start({ artifactPayload: greetings(false) }, answer({}));
    expect(await greetingOf(client, { ipAddress: '1.2.3.4' })).toBe('hello');
    expect(places).toHaveLength(0);
  });
});

describe('the place is read', () => {
  const headers = { 'x-geo-city': 'PARIS', 'x-geo-country-code': 'FR', 'x-geo-latitude': '48.85' };
  test.each<[string, Script, Geo]>([
    ['of the body', answer(headers), { city: 'PARIS', countryCode: 'FR', latitude: 48.85 }],
    ['of the headers', answer('', { headers }), { city: 'PARIS', countryCode: 'FR', latitude: 48.85 }],
    [
      'of both, the body first',
      answer(
        { 'x-geo-city': 'PARIS', 'x-geo-region-code': null, 'x-geo-latitude': '' },
        { headers: { ...headers, 'x-geo-city': 'LYON', 'x-geo-region-code': 'IDF' } },
      ),
      { city: 'PARIS', stateCode: 'IDF', countryCode: 'FR', latitude: 48.85 },
    ],
    [
      'of what is not HTML',
      answer('<html>', { headers }),
      { city: 'PARIS', countryCode: 'FR', latitude: 48.85 },
    ],
    ['of texts and numbers alone', answer({ 'x-geo-city': { toString: 1 }, 'x-geo-latitude': 'north' }), {}],
    ['of own names alone', answer('{"x-geo-zip":"","__proto__":{"x-geo-city":"PARIS"}}'), {}],
    ['as knowing nothing', answer({}), {}],
    [
      'with the address that was seen',
      answer({ 'x-forwarded-for': '9.9.9.9', 'x-geo-city': 'PARIS' }),
      { city: 'PARIS', ipAddress: '9.9.9.9' },
    ],
    [
      'with no address that is none',
      answer({ 'x-forwarded-for': 'a, b', 'x-geo-city': 'PARIS' }),
      { city: 'PARIS' },
    ],
  ])('%s', async (_, script, place) => {
    const { client, heard } = start({}, script);
    await greetingOf(client, { ipAddress: '1.2.3.4' });
    expect(heard.geoLocationUpdated).toEqual([
      { type: 'geoLocationUpdated', geoContext: { ipAddress: '1.2.3.4', ...place } },
    ]);
  });
});

describe('a place that is known', () => {
  test('is not asked for again, for an hour', async () => {
    fakeTimers();
    const { client, places, heard } = start(
      {},
      answer({ 'x-geo-city': 'PARIS' }),
      answer({ 'x-geo-city': 'TOKYO' }),
    );
    await pass(1);
    for (let call = 0; call < 3; call += 1) {
      expect(await greetingOf(client, { ipAddress: '1.2.3.4' })).toBe('bonjour');
    }
    expect(places).toHaveLength(1);
    expect(heard.geoLocationUpdated).toHaveLength(1);
    await pass(59 * 60_000);
    expect(await greetingOf(client, { ipAddress: '1.2.3.4' })).toBe('bonjour');
    expect(places).toHaveLength(1);
    await pass(2 * 60_000);
    expect(await greetingOf(client, { ipAddress: '1.2.3.4' })).toBe('hello');
    expect(places).toHaveLength(2);
  });

  test('is known of its address alone', async () => {
    const { client, places } = start({}, answer({ 'x-geo-city': 'PARIS' }), answer({}));
    expect(await greetingOf(client, { ipAddress: '1.2.3.4' })).toBe('bonjour');
    expect(await greetingOf(client, { ipAddress: '1.2.3.5' })).toBe('hello');
    expect(places).toHaveLength(2);
  });

  test('is asked for once by calls at the same time', async () => {
    const { client, places, heard } = start({}, answer({ 'x-geo-city': 'PARIS' }));
    const calls = Array.from({ length: 20 }, () => greetingOf(client, { ipAddress: '1.2.3.4' }));
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['bonjour']));
    expect(places).toHaveLength(1);
    expect(heard.geoLocationUpdated).toHaveLength(1);
  });

  test('cannot be changed by a listener', async () => {
    const { client } = start(
      {
        events: {
          geoLocationUpdated: ({ geoContext }) => {
            Object.assign(geoContext, { city: 'LYON' });
          },
        },
      },
      answer({ 'x-geo-city': 'PARIS' }),
    );
    expect(await greetingOf(client, { ipAddress: '1.2.3.4' })).toBe('bonjour');
    expect(await greetingOf(client, { ipAddress: '1.2.3.4' })).toBe('bonjour');
  });
});

describe('a look-up that fails', () => {
  const FAULTS: [string, Fault, object, number][] = [
    ['500', { kind: 'status', status: 500 }, { code: 'ERR_TARGET_RESPONSE', status: 500 }, 3],
    ['503', { kind: 'status', status: 503 }, { code: 'ERR_TARGET_RESPONSE', status: 503 }, 3],
    ['404', { kind: 'status', status: 404 }, { code: 'ERR_TARGET_RESPONSE', status: 404 }, 1],
    ['429', { kind: 'status', status: 429 }, { code: 'ERR_TARGET_RESPONSE', status: 429 }, 3],
    ['304', { kind: 'status', status: 304 }, { code: 'ERR_TARGET_INVALID_RESPONSE', status: 304 }, 1],
    ['a reset', { kind: 'reset' }, { code: 'ERR_TARGET_NETWORK' }, 3],
    ['a reset in the body', { kind: 'resetMidBody' }, { code: 'ERR_TARGET_NETWORK' }, 3],
    ['64 MiB', { kind: 'huge' }, { code: 'ERR_TARGET_INVALID_RESPONSE' }, 1],
    ['no gzip', { kind: 'gzip', variant: 'invalid' }, { code: 'ERR_TARGET_INVALID_RESPONSE' }, 1],
    ['HTML', { kind: 'body', body: '<html>' }, { code: 'ERR_TARGET_INVALID_RESPONSE', status: 200 }, 1],
    [
      'another JSON',
      { kind: 'body', body: '{"hello":"world"}' },
      { code: 'ERR_TARGET_INVALID_RESPONSE', status: 200 },
      1,
    ],
    ['a list', { kind: 'body', body: '[]' }, { code: 'ERR_TARGET_INVALID_RESPONSE', status: 200 }, 1],
    ['nothing', { kind: 'body', body: '' }, { code: 'ERR_TARGET_INVALID_RESPONSE', status: 200 }, 1],
    ['null', { kind: 'body', body: 'null' }, { code: 'ERR_TARGET_INVALID_RESPONSE', status: 200 }, 1],
    [
      'a redirect in a loop',
      { kind: 'status', status: 302, headers: { Location: GEO } },
      { code: 'ERR_TARGET_RESPONSE', status: 302 },
      4,
    ],
  ];

  test.each(FAULTS)(
    'is told, and the decision is made without it: %s',
    async (_, fault, fields, requests) => {
      const { client, heard } = connect({ timeout: 10_000 });
      bench.edge.fault(fault, { where: GEO });
      expect(await greetingOf(client, { ipAddress: '1.2.3.4' })).toBe('hello');
      expect(heard.geoLocationUpdated).toEqual([
        {
          type: 'geoLocationUpdated',
          geoContext: { ipAddress: '1.2.3.4' },
          error: expect.objectContaining(fields),
        },
      ]);
      expect(bench.edge.requestsTo(GEO)).toHaveLength(requests);
      bench.edge.clearFaults();
      skipPause();
      expect(await greetingOf(client, { ipAddress: '1.2.3.4' })).toBe('bonjour');
    },
  );

  test.each<[string, Script]>([
    ['hangs', hang],
    ['is refused', refuse],
    [
      'throws',
      () => {
        throw new Error('mine');
      },
    ],
    ['answers with nothing', () => undefined],
  ])('fails no call when fetch %s', async (_, script) => {
    const { client, heard } = start({ timeout: 200 }, script);
    expect(await greetingOf(client, { ipAddress: '1.2.3.4' })).toBe('hello');
    expect(heard.geoLocationUpdated).toHaveLength(1);
    expect(heard.geoLocationUpdated[0]?.error).toMatchObject({ code: expect.stringMatching(/^ERR_TARGET_/) });
  });

  test('takes no longer than the call may', async () => {
    fakeTimers();
    const { client, heard } = start({ timeout: 3000 }, hang);
    const call = client.getOffers({ request: from({ ipAddress: '1.2.3.4' }), timeout: 250 });
    await pass(249);
    expect(heard.geoLocationUpdated).toHaveLength(0);
    await pass(1);
    expect((await call).response.status).toBe(200);
    expect(heard.geoLocationUpdated[0]?.error).toMatchObject({ code: 'ERR_TARGET_TIMEOUT' });
  });

  test('does not fail the calls that have more time, and is begun once for all of them', async () => {
    fakeTimers();
    const slow = held(answer({ 'x-geo-city': 'PARIS' }));
    const { client, places } = start({}, slow.script);
    const request = from({ ipAddress: '1.2.3.4' });
    const hasty = client.getOffers({ request, timeout: 100 });
    const patient = greetingOf(client, { ipAddress: '1.2.3.4' });
    await pass(100);
    await hasty;
    const late = greetingOf(client, { ipAddress: '1.2.3.4' });
    await settle();
    slow.release();
    expect(await Promise.all([patient, late])).toEqual(['bonjour', 'bonjour']);
    expect(places).toHaveLength(1);
  });

  test('is no failure when the call was aborted', async () => {
    const { client, heard } = start({ timeout: 200 }, hang);
    const controller = new AbortController();
    const call = targetErrorOf(() =>
      client.getOffers({ request: from({ ipAddress: '1.2.3.4' }), signal: controller.signal }),
    );
    await settle();
    controller.abort();
    expect(await call).toMatchObject({ code: 'ERR_TARGET_ABORTED' });
    expect(heard.geoLocationUpdated).toHaveLength(0);
  });

  test('does not keep an answer that went astray', async () => {
    const { client } = start({ retry: { retries: 0 } }, status(500), answer({ 'x-geo-city': 'PARIS' }));
    const failed = next(client, 'geoLocationUpdated');
    expect(await greetingOf(client, { ipAddress: '1.2.3.4' })).toBe('hello');
    expect((await failed).error).toMatchObject({ status: 500 });
    skipPause();
    expect(await greetingOf(client, { ipAddress: '1.2.3.4' })).toBe('bonjour');
  });
});

describe('after a look-up that failed', () => {
  const NOT_RETRIED = { retry: { retries: 0 } } as const;
  const of = (last: number) => ({ ipAddress: `1.2.3.${last}` });

  test.each<[string, Script]>([
    ['is refused', refuse],
    ['hangs', hang],
    ['has the status 503', status(503)],
    ['answers with no place', answer('<html>')],
    ['throws', () => Promise.reject(new Error('mine'))],
  ])('calls do not wait for others, when the first %s', async (_, script) => {
    fakeTimers();
    const { lines, logger } = listeningLogger();
    const { client, places, heard } = start({ timeout: 200, logger, ...NOT_RETRIED }, script, hang);
    const first = greetingOf(client, of(0));
    await pass(200);
    expect(await first).toBe('hello');
    for (let call = 1; call <= 20; call += 1) {
      expect(await greetingOf(client, of(call))).toBe('hello');
    }
    expect(places).toHaveLength(1);
    expect(heard.geoLocationUpdated).toHaveLength(1);
    expect(lines.warn).toEqual([
      expect.stringMatching(/geo look-up.*; decisions do without a place for \d+ ms/),
    ]);
  });

  test('one call tries again after a second, and later ones after at most half a minute', async () => {
    fakeTimers();
    const { client, places } = start(NOT_RETRIED, refuse);
    await pass(1);
    await greetingOf(client, of(0));
    const waits: number[] = [];
    for (let tries = 2; tries <= 8; tries += 1) {
      let waited = 0;
      while (places.length < tries) {
        await pass(250);
        waited += 250;
        await Promise.all([greetingOf(client, of(1)), greetingOf(client, of(2))]);
      }
      expect(places).toHaveLength(tries);
      waits.push(waited);
    }
    for (const [index, longest] of [1, 2, 4, 8, 16, 30, 30].entries()) {
      expect(waits[index]).toBeGreaterThanOrEqual(longest * 750);
      expect(waits[index]).toBeLessThanOrEqual(longest * 1000 + 250);
    }
  });

  test('calls do not wait for the try of another call', async () => {
    fakeTimers();
    const slow = held(answer({ 'x-geo-city': 'PARIS' }));
    const { client, places } = start(
      NOT_RETRIED,
      refuse,
      slow.script,
      answer({ 'x-geo-country-code': 'JP' }),
    );
    await greetingOf(client, of(0));
    await pass(1000);
    const trying = greetingOf(client, of(1));
    const alike = greetingOf(client, of(1));
    expect(await greetingOf(client, of(2))).toBe('hello');
    expect(places).toHaveLength(2);
    slow.release();
    expect(await Promise.all([trying, alike])).toEqual(['bonjour', 'bonjour']);
    expect(await greetingOf(client, of(2))).toBe('konnichiwa');
  });

  test('the places that are known count', async () => {
    const { client, places } = start(NOT_RETRIED, answer({ 'x-geo-city': 'PARIS' }), refuse);
    expect(await greetingOf(client, of(0))).toBe('bonjour');
    expect(await greetingOf(client, of(1))).toBe('hello');
    expect(await greetingOf(client, of(0))).toBe('bonjour');
    expect(places).toHaveLength(2);
  });

  test('the time that the host asks for is obeyed', async () => {
    fakeTimers();
    const busy = status(429, { 'retry-after': '20' });
    const { client, places } = start(NOT_RETRIED, busy, answer({ 'x-geo-city': 'PARIS' }));
    await greetingOf(client, of(0));
    await pass(19_999);
    expect(await greetingOf(client, of(0))).toBe('hello');
    await pass(2002);
    expect(await greetingOf(client, of(0))).toBe('bonjour');
    expect(places).toHaveLength(2);
  });

  test('others go on when the host refuses one address alone', async () => {
    const { client } = start(NOT_RETRIED, status(404), answer({ 'x-geo-city': 'PARIS' }));
    expect(await greetingOf(client, of(0))).toBe('hello');
    expect(await greetingOf(client, of(1))).toBe('bonjour');
  });
});

describe('only a call whose answer depends on the place waits for it', () => {
  const inParis = { '==': [{ var: 'geo.city' }, 'PARIS'] };
  const placed = (more: object = {}) => {
    const mboxes = {
      placed: [rule('placed', { when: { or: [false, inParis] }, shows: 'bonjour' })],
      plain: [rule('plain', { activity: 2, when: { '<': [{ var: 'allocation' }, 100] }, shows: 'hello' })],
      missing: [rule('missing', { activity: 3, when: { missing: ['geo.city'] }, shows: 'nowhere' })],
      dynamic: [
        rule('dynamic', { activity: 4, when: { var: { cat: ['geo.', 'city'] } }, shows: 'somewhere' }),
      ],
      'target-global-mbox': [rule('target-global-mbox', { activity: 5, shows: 'page' })],
    };
    const views = {
      home: [rule('home', { activity: 6, when: inParis, shows: 'view' })],
      cart: [rule('cart', { activity: 7, shows: 'cart' })],
    };
    return artifactOf(mboxes, views, { geoTargetingEnabled: true, responseTokens: [], ...more });
  };
  const asking = async (more: DeliveryRequest, artifact: object = placed()) => {
    const { client, places } = start({ artifactPayload: artifact }, answer({ 'x-geo-city': 'PARIS' }));
    await client.getOffers({
      request: { context: { channel: 'web', geo: { ipAddress: '1.2.3.4' } }, ...more },
    });
    return places.length;
  };
  const mboxes = (...names: string[]) => ({ mboxes: names.map((name, index) => ({ name, index })) });

  test.each<[string, number, DeliveryRequest]>([
    ['a mbox without such a rule', 0, { execute: mboxes('plain') }],
    ['a mbox that nobody knows', 0, { execute: mboxes('nobody') }],
    ['a mbox with such a rule', 1, { execute: mboxes('plain', 'placed') }],
    ['a rule that asks whether the place is missing', 1, { prefetch: mboxes('missing') }],
    ['a rule that finds out what it reads', 1, { prefetch: mboxes('dynamic') }],
    ['a page load without such a rule', 0, { execute: { pageLoad: {} } }],
    ['a view with such a rule', 1, { prefetch: { views: [{ name: 'home' }] } }],
    ['a view without such a rule', 0, { prefetch: { views: [{ name: 'cart' }] } }],
    ['all views', 1, { prefetch: { views: [{}] } }],
    ['a prefetch beside an execute', 1, { execute: mboxes('plain'), prefetch: mboxes('placed') }],
  ])('%s: %d', async (_, lookups, request) => {
    expect(await asking(request)).toBe(lookups);
  });

  test('offers whose response tokens name the place need it as well', async () => {
    const artifact = placed({ responseTokens: ['geo.city'] });
    expect(await asking({ execute: mboxes('plain') }, artifact)).toBe(1);
    expect(await asking({ execute: mboxes('nobody') }, artifact)).toBe(0);
  });

  test('a page load with such a rule needs it', async () => {
    expect(await asking({ execute: { pageLoad: {} } }, placed({ globalMbox: 'placed' }))).toBe(1);
  });
});

describe('a redirect of a look-up', () => {
  /** Only inside this machine is there a look-up over plain http. */
  const home = 'http://cdn.localhost';
  const at = (url: string, ...places: Script[]) =>
    start(
      { cdnEnvironment: 'cdn.localhost', secure: url.startsWith('https:'), retry: { retries: 0 } },
      ...places,
    );
  const movedTo = (location: string) => status(307, { location });

  test.each([
    ['another host', home, 'http://elsewhere.example.com/v1/geo'],
    ['another host with TLS', home, 'https://elsewhere.example.com/v1/geo'],
    ['another host, written without a scheme', home, '//elsewhere.example.com/v1/geo'],
    ['another port', home, 'http://cdn.localhost:8080/v1/geo'],
    ['the host with more in front', home, 'http://a.cdn.localhost/v1/geo'],
    ['the host as a user', home, 'http://cdn.localhost@elsewhere.example.com/v1/geo'],
  ])('to %s does not take the address there, and is told', async (_, from, location) => {
    const { client, places, heard } = at(from, movedTo(location), answer({ 'x-geo-city': 'PARIS' }));
    expect(await greetingOf(client, { ipAddress: '1.2.3.4' })).toBe('hello');
    expect(places).toHaveLength(1);
    expect(heard.geoLocationUpdated).toEqual([
      {
        type: 'geoLocationUpdated',
        geoContext: { ipAddress: '1.2.3.4' },
        error: expect.objectContaining({
          code: 'ERR_TARGET_RESPONSE',
          status: 307,
          message: 'the geo look-up was redirected to another host',
        }),
      },
    ]);
  });

  test('is not followed there by way of the same host either', async () => {
    const { client, places } = at(
      home,
      movedTo('/v1/geo?moved'),
      movedTo('http://elsewhere.example.com/v1/geo'),
      answer({ 'x-geo-city': 'PARIS' }),
    );
    expect(await greetingOf(client, { ipAddress: '1.2.3.4' })).toBe('hello');
    expect(places.map(({ url }) => url.host)).toEqual(['cdn.localhost', 'cdn.localhost']);
  });

  test.each([
    ['to another path', home, '/v1/geo?moved'],
    ['to the same host by name', 'https://cdn.localhost', 'https://cdn.localhost/v1/geo?moved'],
    ['from http to https', home, 'https://cdn.localhost/v1/geo?moved'],
  ])('%s is followed', async (_, from, location) => {
    const { client, places } = at(from, movedTo(location), answer({ 'x-geo-city': 'PARIS' }));
    expect(await greetingOf(client, { ipAddress: '1.2.3.4' })).toBe('bonjour');
    expect(places.map(({ url }) => url.search)).toEqual(['', '?moved']);
  });

  test('to another host is followed when there is no address to take there', async () => {
    const { client, places } = at(
      home,
      movedTo('http://elsewhere.example.com/v1/geo'),
      answer({ 'x-geo-city': 'PARIS' }),
    );
    expect(await greetingOf(client, { ipAddress: 'unknownIpAddress' })).toBe('bonjour');
    expect(places.at(-1)?.url.host).toBe('elsewhere.example.com');
  });
});

test('the edge decides by the same place, and hybrid clients look it up as well', async () => {
  const { client } = connect({ decisioningMethod: 'hybrid' });
  expect(await greetingOf(client, { ipAddress: '1.2.3.4' })).toBe('bonjour');
  expect(bench.edge.requestsTo('/rest/v1/delivery')).toHaveLength(0);
  const { response } = await client.getOffers({
    request: from({ ipAddress: '1.2.3.4' }),
    decisioningMethod: 'server-side',
  });
  expect(response.prefetch?.mboxes?.[0]?.options?.[0]?.content).toBe('bonjour');
});
