import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readCookies, readIdentity } from '../../src/adapters/http.js';
import { withEdge } from '../with-edge.js';
import { HOSTILE, incomingOf } from './incoming.js';

const ORGANIZATION = 'DEMO@AdobeOrg';
const PAGE = 'https://shop.example/coffee';
const NOW_MS = 1_700_000_000_000;
const NOW = NOW_MS / 1000;
const ECID = '01234567890123456789012345678901234567';
const OTHER_ECID = '76543210987654321098765432109876543210';

/** The fields of a message of Protocol Buffers, each with its tag. */
const field = {
  ecid: (text: string) => [0x0a, text.length, ...Buffer.from(text)],
  varint: [0x18, 0x96, 0x01],
  fourBytes: [0x25, 1, 2, 3, 4],
  eightBytes: [0x29, 1, 2, 3, 4, 5, 6, 7, 8],
  message: [0x52, 0x03, 0x08, 0x96, 0x01],
  laterField: [0xa2, 0x06, 0x01, 0x20],
};

function identity(bytes: readonly number[], encoding: BufferEncoding = 'base64url'): string {
  return `kndctr_DEMO_AdobeOrg_identity=${Buffer.from(bytes).toString(encoding)}`;
}

const ecidOf = (header: string) => readCookies(header, ORGANIZATION).visitorCookie;

describe('the identity cookie of the Web SDK', () => {
  test.each<[string, string]>([
    ['the ECID alone', identity(field.ecid(ECID))],
    ['fields behind it', identity([...field.ecid(ECID), ...field.message, ...field.varint])],
    [
      'fields before it',
      identity([
        ...[...field.varint, ...field.fourBytes, ...field.eightBytes, ...field.message, ...field.laterField],
        ...field.ecid(ECID),
      ]),
    ],
    ['the standard alphabet with padding', identity([...field.ecid(ECID), 0x52, 2, 0xfb, 0xff], 'base64')],
    ['the alphabet for URLs', identity([...field.ecid(ECID), 0x52, 2, 0xfb, 0xff])],
    ['percent-encoded padding', `${identity([...field.ecid(ECID), 0x18, 1])}%3D%3D`],
    ['padding encoded twice', `${identity([...field.ecid(ECID), 0x18, 1])}%253D%253D`],
    ['quotes', identity(field.ecid(ECID)).replace(/=(.*)/, '="$1"')],
    [
      'a cookie of the same name before it that is broken',
      `${identity([1, 2])}; ${identity(field.ecid(ECID))}`,
    ],
  ])('gives the ECID: %s', (_, cookie) => {
    expect(ecidOf(`a=b; ${cookie}; c=d`)).toBe(`MCMID|${ECID}`);
  });

  test.each<[string, string]>([
    ['nothing', 'kndctr_DEMO_AdobeOrg_identity='],
    ['no base64', 'kndctr_DEMO_AdobeOrg_identity=*%%%'],
    ['another organization', identity(field.ecid(ECID)).replace('DEMO', 'OTHER')],
    ['no number', identity(field.ecid('abc'))],
    ['an empty text', identity(field.ecid(''))],
    ['a separator', identity(field.ecid('1|MCAAMLH|9'))],
    ['a text that is cut off', identity(field.ecid(ECID).slice(0, 20))],
    ['a length of two bytes', identity([0x0a, 0x80, 0x01, ...Buffer.from(ECID)])],
    ['another kind of field', identity([0x0b, ...field.ecid(ECID)])],
    ['a number without end', identity(Array(200).fill(0xff))],
    ['a field 1 that is no text', identity([0x08, 0x01])],
    ['a message of zeros', identity(Array(200).fill(0))],
    ['a text that is too long', identity([...Array(4000).fill(0x18), ...field.ecid(ECID)])],
  ])('gives none: %s', (_, cookie) => {
    expect(ecidOf(cookie)).toBeUndefined();
  });

  test('never throws and takes no time, whatever bytes it has', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(ecidOf(identity([...bytes])) ?? 'MCMID|1').toMatch(/^MCMID\|\d+$/);
      }),
    );
  });
});

describe('the cookies with an ECID', () => {
  const amcv = `AMCV_DEMO@AdobeOrg=MCMID|1|MCAAMLH-9|9`;
  const webSdk = identity(field.ecid('2'));
  const server = 's_ecid=MCMID%7C3';

  test.each([
    [[amcv, webSdk, server], 'MCMID|1|MCAAMLH-9|9'],
    [[server, webSdk, amcv], 'MCMID|1|MCAAMLH-9|9'],
    [[webSdk, server], 'MCMID|2'],
    [[server], 'MCMID|3'],
    [['s_ecid=MCMID|4'], 'MCMID|4'],
    [['AMCV_DEMO@AdobeOrg=MCAAMLH|9', webSdk], 'MCMID|2'],
    [['AMCV_DEMO@AdobeOrg=MCMID|NONE', server], 'MCMID|3'],
    [['AMCV_DEMO@AdobeOrg=MCAAMLH|9'], 'MCAAMLH|9'],
    [['AMCV_OTHER@AdobeOrg=MCMID|9', server], 'MCMID|3'],
    [['s_ecid=3', 's_ecid=MCMID|x', 's_ecid=MCMID|5'], 'MCMID|5'],
    [['s_ecid='], undefined],
  ])('%j give %j', (cookies, expected) => {
    expect(ecidOf(cookies.join('; '))).toBe(expected);
  });
});

describe('readIdentity', () => {
  const read = (url: string, cookie = '') => readIdentity(incomingOf(url, { cookie }), ORGANIZATION, NOW_MS);
  const link = (fields: string) => `${PAGE}?a=b&adobe_mc=${encodeURIComponent(fields)}#c`;
  const organization = encodeURIComponent(ORGANIZATION);

  test('reads what readCookies reads', () => {
    const later = NOW + 100;
    const cookie = `mbox=session#a#${later}; mboxEdgeCluster=35; AMCV_DEMO%40AdobeOrg=MCMID%7C1`;
    expect(read(PAGE, cookie)).toEqual({
      targetCookie: `session#a#${later}`,
      targetLocationHint: '35',
      visitorCookie: 'MCMID|1',
    });
  });

  test('goes by the time that it is given', () => {
    const cookie = `mbox=session#old#${NOW - 1}; mbox=session#new#${NOW + 1}`;
    expect(read(PAGE, cookie).targetCookie).toBe(`session#new#${NOW + 1}`);
  });

  test.each([
    `MCMID=${ECID}|MCORGID=${ORGANIZATION}|TS=${NOW}`,
    `TS=${NOW}|MCMID=${ECID}|MCORGID=${organization}`,
    `MCMID=${ECID}|MCAID=|MCORGID=${organization}|TS=${NOW - 300}`,
    `MCMID=${ECID}|MCORGID=${ORGANIZATION}|TS=${NOW + 300}`,
  ])('takes the ECID of the link %s', (fields) => {
    expect(read(link(fields)).visitorCookie).toBe(`MCMID|${ECID}`);
    const cookies = `AMCV_DEMO@AdobeOrg=MCMID|${OTHER_ECID}|MCAAMLH|9; ${identity(field.ecid(OTHER_ECID))}`;
    expect(read(link(fields), cookies).visitorCookie).toBe(`MCMID|${ECID}`);
  });

  test.each([
    '',
    `MCMID=${ECID}`,
    `MCMID=${ECID}|MCORGID=${ORGANIZATION}`,
    `MCMID=${ECID}|MCORGID=${ORGANIZATION}|TS=`,
    `MCMID=${ECID}|MCORGID=${ORGANIZATION}|TS=${NOW - 301}`,
    `MCMID=${ECID}|MCORGID=${ORGANIZATION}|TS=${NOW + 301}`,
    `MCMID=${ECID}|MCORGID=${ORGANIZATION}|TS=${NOW_MS}`,
    `MCMID=${ECID}|MCORGID=${ORGANIZATION}|TS=1.7e9`,
    `MCMID=${ECID}|MCORGID=${ORGANIZATION}|TS=x`,
    `MCMID=${ECID}|MCORGID=OTHER@AdobeOrg|TS=${NOW}`,
    `MCMID=${ECID}|TS=${NOW}`,
    `MCMID=abc|MCORGID=${ORGANIZATION}|TS=${NOW}`,
    `MCMID=|MCORGID=${ORGANIZATION}|TS=${NOW}`,
    `MCMID=${'1'.repeat(129)}|MCORGID=${ORGANIZATION}|TS=${NOW}`,
    `MCORGID=${ORGANIZATION}|TS=${NOW}`,
    `${'x|'.repeat(50)}MCMID=${ECID}|MCORGID=${ORGANIZATION}|TS=${NOW}`,
    `MCMID=%E0%A4%A|MCORGID=${ORGANIZATION}|TS=${NOW}`,
  ])('keeps to the cookies with the link %s', (fields) => {
    expect(read(link(fields), 's_ecid=MCMID|3').visitorCookie).toBe('MCMID|3');
    expect(read(link(fields)).visitorCookie).toBeUndefined();
  });

  test('takes the first parameter that can be used', () => {
    const good = `MCMID=${ECID}|MCORGID=${ORGANIZATION}|TS=${NOW}`;
    const url = `${PAGE}?adobe_mc=x&adobe_mc=${encodeURIComponent(good)}`;
    expect(read(url).visitorCookie).toBe(`MCMID|${ECID}`);
  });

  test('keeps the AMCV cookie of the same visitor, which has more', () => {
    const fields = `MCMID=${ECID}|MCORGID=${ORGANIZATION}|TS=${NOW}`;
    const amcv = `MCMID|${ECID}|MCAAMLH-9|9`;
    expect(read(link(fields), `AMCV_DEMO@AdobeOrg=${amcv}`).visitorCookie).toBe(amcv);
  });

  test('goes by the clock when it is given no time', () => {
    const fields = `MCMID=${ECID}|MCORGID=${ORGANIZATION}|TS=${Math.floor(Date.now() / 1000)}`;
    expect(readIdentity(incomingOf(link(fields)), ORGANIZATION).visitorCookie).toBe(`MCMID|${ECID}`);
  });

  test.each(HOSTILE.map((hostile) => [hostile]))('never throws, whatever it gets (%#)', (hostile) => {
    expect(readIdentity(hostile as never, ORGANIZATION, NOW_MS)).toEqual({});
    const incoming = incomingOf(link(`MCMID=1|MCORGID=${ORGANIZATION}|TS=${NOW}`), { cookie: 'mbox=x' });
    const cookies = readIdentity(incoming, hostile as never, NOW_MS);
    expect(cookies).toEqual({ targetCookie: 'x' });
  });
});

describe('over the edge', () => {
  const bench = withEdge({ offers: {} });

  test('the ECID of the Web SDK identifies the visitor', async () => {
    const options = readCookies(identity(field.ecid(ECID)), ORGANIZATION);
    await bench.connect().getOffers({ request: { execute: { mboxes: [{ name: 'hero' }] } }, ...options });
    expect(bench.edge.lastRequest?.delivery?.id).toEqual({ marketingCloudVisitorId: ECID });
  });
});
