import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ACCEPT_CH, fromNodeRequest, toContext } from '../../src/adapters/http.js';
import { withEdge } from '../with-edge.js';
import { HOSTILE, incomingOf } from './incoming.js';

const PAGE = 'https://shop.example:8443/coffee?size=l';
const HINTS = {
  'sec-ch-ua': '"Chromium";v="140", "Not=A?Brand";v="24"',
  'sec-ch-ua-mobile': '?1',
  'sec-ch-ua-platform': '"Android"',
  'sec-ch-ua-full-version-list': '"Chromium";v="140.0.7339.80"',
  'sec-ch-ua-platform-version': '"15.0.0"',
  'sec-ch-ua-model': '"Pixel 9"',
  'sec-ch-ua-arch': '"arm"',
  'sec-ch-ua-bitness': '"64"',
};
const HEADERS = {
  'user-agent': 'Mozilla/5.0 (Tests)',
  referer: 'https://search.example/?q=coffee',
  'accept-language': 'de-CH, de;q=0.9',
  ...HINTS,
};

describe('toContext', () => {
  test('has all that a browser tells', () => {
    expect(toContext(incomingOf(PAGE, HEADERS, { ipAddress: '203.0.113.5' }))).toEqual({
      channel: 'web',
      address: { url: PAGE, referringUrl: 'https://search.example/?q=coffee' },
      browser: { host: 'shop.example', language: 'de-CH, de;q=0.9' },
      userAgent: 'Mozilla/5.0 (Tests)',
      clientHints: {
        browserUAWithMajorVersion: '"Chromium";v="140", "Not=A?Brand";v="24"',
        browserUAWithFullVersion: '"Chromium";v="140.0.7339.80"',
        mobile: true,
        platform: 'Android',
        platformVersion: '15.0.0',
        model: 'Pixel 9',
        architecture: 'arm',
        bitness: '64',
      },
      geo: { ipAddress: '203.0.113.5' },
    });
  });

  test('has no field for what is not known', () => {
    expect(Object.keys(toContext(incomingOf('')))).toEqual(['channel']);
    expect(toContext(incomingOf('', {}, { ipAddress: '' }))).toStrictEqual({ channel: 'web' });
  });

  test('has the IP address only when it is known and wanted', () => {
    const incoming = incomingOf('', {}, { ipAddress: '203.0.113.5' });
    expect(toContext(incoming)).toEqual({ channel: 'web', geo: { ipAddress: '203.0.113.5' } });
    expect(toContext(incoming, { ipAddress: true }).geo).toEqual({ ipAddress: '203.0.113.5' });
    expect(toContext(incoming, { ipAddress: false })).toStrictEqual({ channel: 'web' });
  });

  test.each(['', '/coffee', 'shop.example/coffee', 'https://', 'https://a b/', 'https://1.2.3.999/'])(
    'leaves out the URL %j, which does not parse',
    (url) => {
      const context = toContext(incomingOf(url, { referer: url }));
      expect(context).toStrictEqual({ channel: 'web' });
    },
  );

  test('has the referrer of an app', () => {
    const referer = 'android-app://com.example.search/';
    expect(toContext(incomingOf('', { referer })).address).toStrictEqual({ referringUrl: referer });
  });

  test.each([
    ['?1', true],
    ['?0', false],
    ['1', undefined],
    ['true', undefined],
    ['"?1"', undefined],
  ])('reads the hint %j as %s', (mobile, expected) => {
    expect(toContext(incomingOf('', { 'sec-ch-ua-mobile': mobile })).clientHints?.mobile).toBe(expected);
  });

  test.each(['', '""', '"'])('leaves out the empty hint %j', (hint) => {
    expect(toContext(incomingOf('', { 'sec-ch-ua-model': hint })).clientHints).toBeUndefined();
  });

  test('cuts what is too long', () => {
    const long = 'x'.repeat(5000);
    const headers = Object.fromEntries(
      [...Object.keys(HEADERS), 'referer'].map((name) => [name, name === 'referer' ? PAGE + long : long]),
    );
    const context = toContext(incomingOf(`${PAGE}${long}`, headers));
    expect(context.address?.url).toHaveLength(4096);
    expect(context.address?.referringUrl).toHaveLength(4096);
    expect(context.userAgent).toHaveLength(4096);
    expect(context.browser?.language).toHaveLength(1024);
    const { mobile, ...hints } = context.clientHints ?? {};
    expect(mobile).toBeUndefined();
    expect(Object.values(hints).map((hint) => String(hint).length)).toEqual(Array(7).fill(1024));
  });

  test('cuts no character into halves', () => {
    const url = `https://a.example/${'x'.repeat(4096 - 'https://a.example/'.length - 1)}\u{1f600}`;
    expect(toContext(incomingOf(url)).address?.url).toHaveLength(4095);
  });

  test.each(HOSTILE.map((hostile) => [hostile]))('never throws, whatever it gets (%#)', (hostile) => {
    expect(toContext(hostile as never)).toMatchObject({ channel: 'web' });
    expect(toContext(incomingOf(PAGE), null as never).address).toEqual({ url: PAGE });
  });

  test('changes nothing that it is given, and never throws on any text', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(text, fc.dictionary(fc.constantFrom(...Object.keys(HEADERS)), text), (url, headers) => {
        const frozen = Object.freeze(incomingOf(url, Object.freeze(headers)));
        expect(() => JSON.stringify(toContext(frozen))).not.toThrow();
      }),
    );
  });
});

test('Accept-CH asks for every hint that is read', () => {
  const asked = ACCEPT_CH.toLowerCase().split(', ');
  expect(asked.toSorted()).toEqual(Object.keys(HINTS).toSorted());
});

describe('over the edge', () => {
  const bench = withEdge({ offers: {} });

  test('a context is sent as it is', async () => {
    const request = {
      url: '/coffee',
      headers: { ...HEADERS, host: 'shop.example' },
      socket: { remoteAddress: '203.0.113.5' },
    };
    const context = toContext(fromNodeRequest(request));
    await bench.connect().getOffers({ request: { context, execute: { mboxes: [{ name: 'hero' }] } } });
    expect(bench.edge.lastRequest?.delivery?.context).toEqual(context);
  });
});
