import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type IncomingRequest, isDisabled, toQaMode } from '../../src/adapters/http.js';
import { withEdge } from '../with-edge.js';
import { HOSTILE, incomingOf } from './incoming.js';

const PAGE = 'https://shop.example/coffee';
const MODE = {
  token: 'token/of+a=link',
  listedActivitiesOnly: true,
  evaluateAsTrueAudienceIds: [3440621, 7],
  previewIndexes: [{ activityIndex: 1, experienceIndex: 2 }],
};
const COOKIE = JSON.stringify(MODE);

function link(query: string): IncomingRequest {
  return incomingOf(`${PAGE}?${query}`);
}

function withCookie(cookie: string, url = PAGE): IncomingRequest {
  return incomingOf(url, { cookie });
}

describe('a QA link', () => {
  test.each([
    ['at_preview_token=t', { token: 't' }],
    ['a=b&at_preview_token=t%2Fo%2Bk%3D', { token: 't/o+k=' }],
    ['at_preview_token=t&at_preview_index=1', { token: 't', previewIndexes: [{ activityIndex: 1 }] }],
    [
      'at_preview_token=t&at_preview_index=1_2&at_preview_index=3_1&at_preview_listed_activities_only=true',
      {
        token: 't',
        listedActivitiesOnly: true,
        previewIndexes: [
          { activityIndex: 1, experienceIndex: 2 },
          { activityIndex: 3, experienceIndex: 1 },
        ],
      },
    ],
    [
      'at_preview_token=t&at_preview_listed_activities_only=false',
      { token: 't', listedActivitiesOnly: false },
    ],
    [
      'at_preview_token=t&at_preview_evaluate_as_true_audience_ids=3440621_7' +
        '&at_preview_evaluate_as_false_audience_ids=8',
      { token: 't', evaluateAsTrueAudienceIds: [3440621, 7], evaluateAsFalseAudienceIds: [8] },
    ],
  ])('?%s', (query, expected) => {
    expect(toQaMode(link(query))).toStrictEqual(expected);
  });

  test.each([
    'at_preview_index=0_1',
    'at_preview_index=1_2_3',
    'at_preview_index=-1',
    'at_preview_index=1.5',
    'at_preview_index=',
    'at_preview_index=a_b',
    'at_preview_index=99999999999_1',
    'at_preview_listed_activities_only=yes',
    'at_preview_listed_activities_only=',
    'at_preview_evaluate_as_true_audience_ids=',
    'at_preview_evaluate_as_true_audience_ids=a_-1_1e3_0_99999999999999999999',
    'at_preview_evaluate_as_false_audience_ids=%E0%A4%A',
    'at_preview_unknown=1',
  ])('loses the malformed part %s', (part) => {
    expect(toQaMode(link(`at_preview_token=t&${part}`))).toStrictEqual({ token: 't' });
  });

  test('keeps the good parts beside malformed ones', () => {
    const query = 'at_preview_token=t&at_preview_index=x&at_preview_index=2_0&at_preview_index=3_1';
    expect(toQaMode(link(query))?.previewIndexes).toEqual([{ activityIndex: 3, experienceIndex: 1 }]);
    const ids = 'at_preview_token=t&at_preview_evaluate_as_true_audience_ids=5_x_6,7';
    expect(toQaMode(link(ids))?.evaluateAsTrueAudienceIds).toEqual([5, 6, 7]);
  });

  test.each([
    '',
    'at_preview_index=1_1',
    'at_preview_token',
    'at_preview_token=',
    'at_preview_token=%20',
    'a=b',
  ])('is none without a token: ?%s', (query) => {
    expect(toQaMode(link(query))).toBeUndefined();
  });

  test('has at most a hundred of each, and no endless token', () => {
    const many = `at_preview_token=t${'&at_preview_index=1_1'.repeat(500)}`;
    expect(toQaMode(link(many))?.previewIndexes).toHaveLength(100);
    const ids = `at_preview_token=t&at_preview_evaluate_as_true_audience_ids=${'1_'.repeat(5000)}`;
    expect(toQaMode(link(ids))?.evaluateAsTrueAudienceIds).toHaveLength(100);
    expect(toQaMode(link(`at_preview_token=${'t'.repeat(5000)}`))).toBeUndefined();
  });
});

describe('the cookie at_qa_mode', () => {
  test.each([
    ['encoded once', encodeURIComponent(COOKIE)],
    ['encoded twice', encodeURIComponent(encodeURIComponent(COOKIE))],
    ['in quotes', `"${encodeURIComponent(COOKIE)}"`],
    ['not encoded', COOKIE],
  ])('is read %s', (_, value) => {
    expect(toQaMode(withCookie(`a=b; at_qa_mode=${value}; c=d`))).toStrictEqual(MODE);
  });

  test('may have numbers as texts', () => {
    const fields = {
      token: 't',
      listedActivitiesOnly: 'true',
      evaluateAsTrueAudienceIds: ['5'],
      evaluateAsFalseAudienceIds: ['6', null, {}],
      previewIndexes: [{ activityIndex: '1', experienceIndex: '2' }, { activityIndex: 2 }, {}, null, 1],
      other: 1,
    };
    const value = encodeURIComponent(JSON.stringify(fields));
    expect(toQaMode(withCookie(`at_qa_mode=${value}`))).toStrictEqual({
      token: 't',
      listedActivitiesOnly: true,
      evaluateAsTrueAudienceIds: [5],
      evaluateAsFalseAudienceIds: [6],
      previewIndexes: [{ activityIndex: 1, experienceIndex: 2 }, { activityIndex: 2 }],
    });
  });

  test('may be there twice: the first that can be used counts', () => {
    const cookies = `at_qa_mode=; at_qa_mode={broken; at_qa_mode=${encodeURIComponent(COOKIE)}`;
    expect(toQaMode(withCookie(cookies))).toStrictEqual(MODE);
  });

  test.each([
    '',
    '%',
    '{',
    'null',
    '[]',
    '1',
    '"text"',
    '{}',
    '{"token":""}',
    '{"token":5}',
    '{"__proto__":{"token":"t"}}',
    '%7B%22token%22%3A%22t',
  ])('is none when it is %j', (value) => {
    expect(toQaMode(withCookie(`at_qa_mode=${value}`))).toBeUndefined();
  });

  test('loses to a link, and ends with an empty one', () => {
    const cookie = `at_qa_mode=${encodeURIComponent(COOKIE)}`;
    expect(toQaMode(withCookie(cookie, `${PAGE}?at_preview_token=other`))).toStrictEqual({ token: 'other' });
    expect(toQaMode(withCookie(cookie, `${PAGE}?at_preview_token=`))).toBeUndefined();
    expect(toQaMode(withCookie(cookie, `${PAGE}?at_qa_mode=`))).toBeUndefined();
    expect(toQaMode(withCookie(cookie, `${PAGE}?at_qa_mode=on`))).toStrictEqual(MODE);
    expect(toQaMode(withCookie(cookie, ''))).toStrictEqual(MODE);
  });
});

describe('isDisabled', () => {
  test.each([
    [`${PAGE}?mboxDisable=1`, '', true],
    [`${PAGE}?mboxEdit=1&mboxDisable=true`, '', true],
    [`${PAGE}?mboxDisable`, '', true],
    [`${PAGE}?mboxDisable=0`, '', false],
    [`${PAGE}?mboxDisable=false`, '', false],
    [`${PAGE}?mboxdisable=1`, '', false],
    [`${PAGE}#mboxDisable=1`, '', false],
    [`${PAGE}?notmboxDisable=1`, '', false],
    [PAGE, 'mboxDisable=true', true],
    [PAGE, 'a=b; mboxDisable=1', true],
    [PAGE, 'mboxDisable=', false],
    [PAGE, 'mboxDisable=false; mboxDisable=true', true],
    [PAGE, 'mboxDisable=false', false],
    [PAGE, 'mboxDisabled=1; a=mboxDisable=1', false],
    [`${PAGE}?mboxDisable=0`, 'mboxDisable=1', false],
    ['', 'mboxDisable=1', true],
    ['', '', false],
  ])('%s with the cookies %j: %s', (url, cookie, expected) => {
    expect(isDisabled(withCookie(cookie, url))).toBe(expected);
  });
});

describe('nothing throws', () => {
  test.each(HOSTILE.map((hostile) => [hostile]))('whatever it gets (%#)', (hostile) => {
    expect([toQaMode(hostile as never), isDisabled(hostile as never)]).toEqual([undefined, false]);
  });

  test('whatever the texts are', () => {
    const pieces = fc.constantFrom(
      'at_preview_token',
      'at_preview_index',
      'at_qa_mode',
      '=',
      '&',
      ';',
      '%',
      '{',
    );
    const text = fc.array(fc.oneof(pieces, fc.string())).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, text, (query, cookie) => {
        const incoming = incomingOf(`${PAGE}?${query}`, { cookie });
        const mode = toQaMode(incoming);
        expect(mode === undefined || mode.token !== '').toBe(true);
        expect(typeof isDisabled(incoming)).toBe('boolean');
      }),
    );
  });

  test('a cookie that is nested deeply, or long, takes no time', () => {
    const deep = `at_qa_mode={"token":"t","previewIndexes":${'['.repeat(60_000)}`;
    expect(toQaMode(withCookie(deep))).toBeUndefined();
    expect(toQaMode(withCookie('at_qa_mode=; '.repeat(20_000)))).toBeUndefined();
  });
});

describe('over the edge', () => {
  const bench = withEdge({ offers: {} });

  test('a QA mode is sent as it is', async () => {
    const qaMode = toQaMode(withCookie(`at_qa_mode=${encodeURIComponent(COOKIE)}`));
    await bench.connect().getOffers({ request: { qaMode, execute: { mboxes: [{ name: 'hero' }] } } });
    expect(bench.edge.lastRequest?.delivery?.qaMode).toEqual(MODE);
  });
});
