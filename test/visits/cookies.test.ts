import { describe, expect, test } from '@jest/globals';
import { parseSetCookie } from 'cookie';
import fc from 'fast-check';
import { html } from '../../src/testing/edge.js';
import { readCookies, toSetCookieHeaders } from '../../src/visits/cookies.js';
import { withEdge } from '../with-edge.js';

const ORGANIZATION = 'DEMO@AdobeOrg';
const LATER = 2 ** 40;
const LIVE_COOKIE = `session#a#${LATER}|PC#b.35_0#${LATER}`;

describe('readCookies', () => {
  test.each([
    ['mbox=session%23a%231', { targetCookie: 'session#a#1' }],
    ['mbox=session#a#1|PC#b#2', { targetCookie: 'session#a#1|PC#b#2' }],
    ['mboxEdgeCluster=35; mbox=x', { targetCookie: 'x', targetLocationHint: '35' }],
    ['AMCV_DEMO@AdobeOrg=MCMID%7C1', { visitorCookie: 'MCMID|1' }],
    ['AMCV_DEMO%40AdobeOrg=MCMID%7C1', { visitorCookie: 'MCMID|1' }],
    ['mbox=first; mbox=second', { targetCookie: 'first' }],
    [`mbox=; mbox=${LIVE_COOKIE}`, { targetCookie: LIVE_COOKIE }],
    [`mbox=%E0%A4%A; mbox=${LIVE_COOKIE}`, { targetCookie: LIVE_COOKIE }],
    [
      `mbox=session#old#1; mbox=${encodeURIComponent(LIVE_COOKIE)}; mbox=third`,
      { targetCookie: LIVE_COOKIE },
    ],
    [`mbox=check#true#${LATER}; mbox=PC#b#${LATER}`, { targetCookie: `PC#b#${LATER}` }],
    [`mbox=PC#b#${LATER}; mbox=${LIVE_COOKIE}`, { targetCookie: `PC#b#${LATER}` }],
    ['mbox=; mbox=session#old#1', { targetCookie: '' }],
    [`mbox="${LIVE_COOKIE}"`, { targetCookie: LIVE_COOKIE }],
    [`mbox="${encodeURIComponent(LIVE_COOKIE)}"`, { targetCookie: LIVE_COOKIE }],
    [`mbox=${encodeURIComponent(`"${LIVE_COOKIE}"`)}`, { targetCookie: LIVE_COOKIE }],
    ['mbox="', { targetCookie: '"' }],
    [`mbox=session#a%7Cb#${LATER}`, { targetCookie: `session#a%7Cb#${LATER}` }],
    ['mboxEdgeCluster=; mboxEdgeCluster=evil; mboxEdgeCluster=35', { targetLocationHint: '35' }],
    ['mboxEdgeCluster="35"', { targetLocationHint: '35' }],
    ['mboxEdgeCluster=evil', { targetLocationHint: 'evil' }],
    [
      'AMCV_DEMO@AdobeOrg=; AMCV_DEMO%40AdobeOrg=MCAAMLH%7C9; AMCV_DEMO%40AdobeOrg="MCMID%7C1"',
      { visitorCookie: 'MCMID|1' },
    ],
    [' mbox = x ;mboxEdgeCluster\t=\t35', { targetCookie: 'x', targetLocationHint: '35' }],
    ['mboxes=x; xmbox=y; MBOX=z; mbox', {}],
    [`${'mbox=; '.repeat(60)}mbox=${LIVE_COOKIE}`, { targetCookie: '' }],
    ['mbox=%E0%A4%A; mboxEdgeCluster=35', { targetCookie: '%E0%A4%A', targetLocationHint: '35' }],
    ['__proto__=x; constructor=y; toString=z', {}],
    ['AMCV_OTHER@AdobeOrg=x', {}],
    ['', {}],
    [';;;===', {}],
    [`a=${'x'.repeat(70_000)}; mbox=behind`, {}],
    [undefined, {}],
    [null, {}],
    [['mbox=a'], {}],
  ])('of %j (%#)', (header, expected) => {
    expect(readCookies(header as string, ORGANIZATION)).toEqual(expected);
  });

  test('never throws, whatever it is given, and gives texts alone', () => {
    const odd = fc.oneof(
      fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true }),
      fc.constantFrom<unknown>(Symbol('s'), () => 1, '\ud800', new Proxy({}, { get: fail, ownKeys: fail }), {
        toString: fail,
      }),
    );
    const pieces = fc.constantFrom(
      'mbox',
      'mboxEdgeCluster',
      'AMCV_DEMO@AdobeOrg',
      '=',
      ';',
      '"',
      '#',
      '|',
      '%',
      '%22',
      '%7C',
    );
    const text = fc.array(fc.oneof(pieces, fc.string({ unit: 'binary' }))).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(text, odd), fc.oneof(fc.constant(ORGANIZATION), odd), (header, organizationId) => {
        const cookies = readCookies(header as string, organizationId as string);
        for (const value of Object.values(cookies)) {
          expect(['string', 'undefined']).toContain(typeof value);
        }
      }),
      { numRuns: 500 },
    );
  });
});

function fail(): never {
  throw new Error('must not be called');
}

describe('toSetCookieHeaders', () => {
  const cookies = {
    targetCookie: { name: 'mbox', value: 'session#a%20b#1|PC#c#2', maxAge: 10 },
    targetLocationHintCookie: { name: 'mboxEdgeCluster', value: '35', maxAge: 1860 },
  };

  test('are safe by default and readable by at.js', () => {
    expect(toSetCookieHeaders(cookies).map((header) => parseSetCookie(header))).toEqual([
      { name: 'mbox', value: 'session#a%20b#1|PC#c#2', maxAge: 10, path: '/', secure: true, sameSite: 'lax' },
      { name: 'mboxEdgeCluster', value: '35', maxAge: 1860, path: '/', secure: true, sameSite: 'lax' },
    ]);
  });

  test('take other attributes', () => {
    const [header = ''] = toSetCookieHeaders(cookies, {
      domain: 'example.com',
      path: '/shop',
      secure: false,
      sameSite: 'strict',
      httpOnly: true,
    });
    expect(parseSetCookie(header)).toEqual({
      name: 'mbox',
      value: 'session#a%20b#1|PC#c#2',
      maxAge: 10,
      domain: 'example.com',
      path: '/shop',
      sameSite: 'strict',
      httpOnly: true,
    });
  });

  test.each(['none', 'None', 'NONE'])('are secure with SameSite=%s, whatever was asked for', (sameSite) => {
    for (const header of toSetCookieHeaders(cookies, { sameSite: sameSite as 'none', secure: false })) {
      expect(parseSetCookie(header)).toMatchObject({ secure: true, sameSite: 'none' });
    }
  });

  test('take null for an attribute that is not given', () => {
    const nothing = { domain: null, path: null, secure: null, sameSite: null, httpOnly: null };
    expect(toSetCookieHeaders(cookies, nothing as object)).toEqual(toSetCookieHeaders(cookies));
  });

  test('leave out a hint that is null', () => {
    const { targetCookie } = cookies;
    const answer = { targetCookie, targetLocationHintCookie: null } as unknown as typeof cookies;
    expect(toSetCookieHeaders(answer)).toHaveLength(1);
  });

  test('leave out a hint that is not there', () => {
    expect(toSetCookieHeaders({ targetCookie: cookies.targetCookie })).toHaveLength(1);
  });
});

describe('over a browser and back', () => {
  const bench = withEdge({ offers: { mboxes: { hero: html('<h1>') } } });

  test('cookies keep session, tntId and hint', async () => {
    const client = bench.connect();
    const request = { execute: { mboxes: [{ name: 'hero' }] } };
    const first = await client.getOffers({ request });
    const header = toSetCookieHeaders(first)
      .map((line) => line.split(';')[0])
      .concat(`AMCV_${ORGANIZATION}=MCMID%7C123`)
      .join('; ');
    const options = readCookies(header, ORGANIZATION);
    expect(options).toEqual({
      targetCookie: first.targetCookie.value,
      targetLocationHint: '35',
      visitorCookie: 'MCMID|123',
    });
    await client.getOffers({ request, ...options });
    const [one, two] = bench.edge.requests;
    expect(two?.query.sessionId).toBe(one?.query.sessionId);
    expect(two?.delivery?.id).toEqual({ tntId: first.response.id?.tntId, marketingCloudVisitorId: '123' });
  });
});
