import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatMboxCookie, isSessionId, parseMboxCookie } from '../../src/identity/mbox-cookie.js';

const NOW = 1_700_000_000_000;
const SECONDS = NOW / 1000;
const LIVE = SECONDS + 1;

describe('parseMboxCookie', () => {
  test.each([
    [
      'both parts',
      `session#s1#${LIVE}|PC#a.35_0#${LIVE}`,
      { sessionId: 's1', tntId: 'a.35_0', locationHint: '35' },
    ],
    [
      'the other order',
      `PC#a.35_0#${LIVE}|session#s1#${LIVE}`,
      { sessionId: 's1', tntId: 'a.35_0', locationHint: '35' },
    ],
    ['the session alone', `session#s1#${LIVE}`, { sessionId: 's1' }],
    ['a tntId without a hint', `PC#a#${LIVE}`, { tntId: 'a' }],
    [
      'all of it encoded',
      encodeURIComponent(`session#s1#${LIVE}|PC#a.35_0#${LIVE}`),
      { sessionId: 's1', tntId: 'a.35_0', locationHint: '35' },
    ],
    [
      'all of it encoded twice',
      encodeURIComponent(encodeURIComponent(`session#s%7C1#${LIVE}|PC#a.35_0#${LIVE}`)),
      { sessionId: 's|1', tntId: 'a.35_0', locationHint: '35' },
    ],
    ['all of it encoded three times', `session%252523s1%252523${LIVE}`, {}],
    ['names and values encoded', `%73ession#s%231#${LIVE}`, { sessionId: 's#1' }],
    ['more fields than three', `session#s1#${LIVE}#more#and more`, { sessionId: 's1' }],
    [
      'parts of other names',
      `check#true#${LIVE}|session#s1#${LIVE}|mboxEdgeCluster#35#${LIVE}`,
      { sessionId: 's1' },
    ],
    ['a name twice: the later one', `session#s1#${LIVE}|session#s2#${LIVE}`, { sessionId: 's2' }],
    ['the second in which it expires', `session#s1#${SECONDS}`, { sessionId: 's1' }],
    ['the second behind that', `session#s1#${SECONDS - 1}`, {}],
    ['one part expired, the other not', `session#s1#${SECONDS - 1}|PC#a#${LIVE}`, { tntId: 'a' }],
    ['two fields', 'session#s1', {}],
    ['an expiry that is no integer', `session#s1#${LIVE}.5|PC#a#NaN`, {}],
    ['an expiry below zero', `session#s1#-${LIVE}`, {}],
    ['an expiry in another notation', 'session#s1#1e99|PC#a#0xffffffffff', {}],
    ['an expiry beyond all time', `session#s1#${'9'.repeat(400)}`, {}],
    ['an empty value', `session##${LIVE}`, {}],
    ['an empty name', `#s1#${LIVE}`, {}],
    ['a part that does not decode', `session#%zz#${LIVE}|PC#a#${LIVE}`, { tntId: 'a' }],
    [
      'a part that does not decode in a cookie that is encoded as a whole',
      `${encodeURIComponent(`session#s1#${LIVE}|PC#a.35_0#${LIVE}`)}%7Cx%23%E0%A4%A%2399`,
      { sessionId: 's1', tntId: 'a.35_0', locationHint: '35' },
    ],
    [
      'a part that is cut off in its encoding',
      `session%23s1%23${LIVE}%7cPC%23a%23${LIVE}%7cx%2`,
      { sessionId: 's1', tntId: 'a' },
    ],
    ['an id of 128 characters', `PC#${'x'.repeat(128)}#${LIVE}`, { tntId: 'x'.repeat(128) }],
    ['an id of 129 characters', `PC#${'x'.repeat(129)}#${LIVE}`, {}],
    ['the fiftieth part', `${'a#b#1|'.repeat(49)}session#s1#${LIVE}`, { sessionId: 's1' }],
    ['the fifty-first part', `${'a#b#1|'.repeat(50)}session#s1#${LIVE}`, {}],
    ['a part behind 4 KB', `${'x'.repeat(4096)}|session#s1#${LIVE}`, {}],
    ['a session with a space', `session#a%20b#${LIVE}`, {}],
    ['a hostile hint', `PC#a.35_0.evil#${LIVE}`, { tntId: 'a.35_0.evil' }],
    ['names of prototypes', `__proto__#x#${LIVE}|constructor#x#${LIVE}`, {}],
    ['nothing', '', {}],
    ['no text', 5, {}],
    ['undefined', undefined, {}],
  ])('reads %s', (_, cookie, expected) => {
    expect(parseMboxCookie(cookie, NOW)).toEqual(expected);
  });

  test('never throws, and finds only texts', () => {
    const pieces = fc.constantFrom(
      'session',
      'PC',
      '#',
      '|',
      '%',
      '%7C',
      '%23',
      String(LIVE),
      '.35_0',
      '-',
      'é',
      '\ud800',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string())), (parts) => {
        for (const value of Object.values(parseMboxCookie(parts.join(''), NOW))) {
          expect(['string', 'undefined']).toContain(typeof value);
        }
      }),
    );
  });
});

describe('formatMboxCookie', () => {
  test.each([
    ['abc', 'tnt.35_0', `session#abc#${SECONDS + 1860}|PC#tnt.35_0#${SECONDS + 63_244_800}`, 63_244_800],
    ['abc', undefined, `session#abc#${SECONDS + 1860}`, 1860],
    ['abc', '', `session#abc#${SECONDS + 1860}`, 1860],
    ['a%7Cb%23c', 'd e', `session#a%7Cb%23c#${SECONDS + 1860}|PC#d%20e#${SECONDS + 63_244_800}`, 63_244_800],
  ])('%s and %s', (encodedSessionId, tntId, value, maxAge) => {
    expect(formatMboxCookie(encodedSessionId, tntId, NOW)).toEqual({ name: 'mbox', value, maxAge });
  });

  test('half a surrogate pair does not throw', () => {
    expect(formatMboxCookie('a', '\ud800', NOW).value).toContain('PC#%EF%BF%BD#');
  });

  test('what is written is read again, encoded once more or not', () => {
    const ids = fc.string({ minLength: 1, maxLength: 128 }).filter(isSessionId);
    fc.assert(
      fc.property(ids, ids, (sessionId, tntId) => {
        const { value } = formatMboxCookie(encodeURIComponent(sessionId), tntId, NOW);
        expect(parseMboxCookie(value, NOW)).toMatchObject({ sessionId, tntId });
        if (encodeURIComponent(value).length > 4096) {
          return;
        }
        expect(parseMboxCookie(encodeURIComponent(value), NOW)).toMatchObject({ sessionId, tntId });
      }),
    );
  });
});
