import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { toRedirect } from '../../src/adapters/http.js';
import { withEdge } from '../with-edge.js';
import { HOSTILE } from './incoming.js';

const PAGE = 'https://shop.example/coffee?size=l';
const SDID = '0123456789ABCDEF-FEDCBA9876543210';

type Answer = Parameters<typeof toRedirect>[0];

/** An answer whose executed locations have these options, and whose request has this supplemental data id. */
function answerOf(
  execute: { readonly pageLoad?: readonly object[]; readonly mboxes?: readonly (readonly object[])[] },
  more: {
    readonly supplementalDataId?: string;
    readonly referringUrl?: string;
    readonly state?: object;
  } = {},
): Answer {
  const { supplementalDataId, referringUrl, state = { 'DEMO@AdobeOrg': {} } } = more;
  return {
    request: {
      context: { address: { referringUrl } },
      experienceCloud: { analytics: { supplementalDataId } },
    },
    response: {
      execute: {
        pageLoad: execute.pageLoad && { options: execute.pageLoad },
        mboxes: execute.mboxes?.map((options, index) => ({ index, name: `mbox ${index}`, options })),
      },
    },
    visitorState: state,
  } as unknown as Answer;
}

const to = (content: unknown) => ({ type: 'redirect', content });
const redirectTo = (content: unknown, page = PAGE) => toRedirect(answerOf({ pageLoad: [to(content)] }), page);

describe('a redirect offer', () => {
  test.each([
    ['https://other.example/tea', 'https://other.example/tea'],
    ['http://other.example', 'http://other.example/'],
    ['//other.example/tea', 'https://other.example/tea'],
    ['/tea?size=s#top', 'https://shop.example/tea?size=s#top'],
    ['?size=s', 'https://shop.example/coffee?size=s'],
    [' /tea\n', 'https://shop.example/tea'],
    ['/té a', 'https://shop.example/t%C3%A9%20a'],
    // Text in the middle of which a header ends can be no URL, so it is encoded or dropped.
    ['/tea\r\nSet-Cookie: a=b', 'https://shop.example/teaSet-Cookie:%20a=b'],
  ])('to %j leads to %s', (content, location) => {
    expect(redirectTo(content)).toEqual({ status: 302, location });
  });

  test.each([
    '',
    ' ',
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'mailto:a@shop.example',
    'ftp://shop.example/',
    'https://',
    'http://a b/',
    undefined,
    null,
    5,
    {},
    ['https://other.example/'],
  ])('to %j leads nowhere', (content) => {
    expect(redirectTo(content)).toBeUndefined();
  });

  test.each([
    [PAGE],
    ['?size=l'],
    ['#top'],
    ['/coffee?size=l#top'],
    ['HTTPS://SHOP.EXAMPLE:443/coffee?size=l'],
    // The server may not know that a proxy ends TLS.
    ['http://shop.example/coffee?size=l'],
    ['http://shop.example:80/coffee?size=l'],
    ['/a/../coffee?size=l'],
    ['/c%6Fffee?size=l'],
    ['/coffee?s%69ze=l'],
    [`/coffee?size=l&adobe_mc_sdid=SDID%3D${SDID}&adobe_mc_ref=`],
  ])('to the page itself, as %s, leads nowhere', (content) => {
    expect(redirectTo(content)).toBeUndefined();
    const arrived = `${PAGE}&adobe_mc_sdid=SDID%3D${SDID}%7CTS%3D1&adobe_mc_ref=https%3A%2F%2Fa.example`;
    if (!content.startsWith('#') && !content.startsWith('?')) {
      expect(redirectTo(content, arrived)).toBeUndefined();
    }
  });

  test('to the same parameters in another order leads nowhere', () => {
    expect(redirectTo('/coffee?b=2&a=1', 'https://shop.example/coffee?a=1&b=2')).toBeUndefined();
  });

  test.each([
    ['/coffee'],
    ['/coffee/?size=l'],
    ['/Coffee?size=l'],
    ['/coffee?size=L'],
    ['/coffee?size=l&size=l'],
    ['https://www.shop.example/coffee?size=l'],
    ['https://shop.example:8443/coffee?size=l'],
  ])('to the other page %s leads there', (content) => {
    expect(redirectTo(content)?.location).toBe(new URL(content, PAGE).href);
  });

  test.each(['', '/coffee', 'about:blank', 'not a URL'])(
    'on the page %j, which is not known, leads nowhere',
    (page) => {
      expect(redirectTo('https://other.example/', page)).toBeUndefined();
    },
  );
});

describe('of several offers', () => {
  test('that of the page load comes first, then the mboxes in their order', () => {
    const html = { type: 'html', content: '<p>' };
    const mboxes = [[html], [html, to('/b')], [to('/c')]];
    expect(toRedirect(answerOf({ pageLoad: [html, to('/a')], mboxes }), PAGE)?.location).toMatch(/\/a$/);
    expect(toRedirect(answerOf({ pageLoad: [html], mboxes }), PAGE)?.location).toMatch(/\/b$/);
    expect(toRedirect(answerOf({ mboxes: [[html]] }), PAGE)).toBeUndefined();
    expect(toRedirect(answerOf({}), PAGE)).toBeUndefined();
  });

  test('an action of the visual editor may be the redirect', () => {
    const content = [
      { type: 'setHtml', content: '/x' },
      { type: 'redirect', content: '/a' },
    ];
    const answer = answerOf({ pageLoad: [{ type: 'actions', content }] });
    expect(toRedirect(answer, PAGE)?.location).toBe('https://shop.example/a');
  });

  test('prefetched ones do not count', () => {
    const answer = { ...answerOf({}), response: { prefetch: { pageLoad: { options: [to('/a')] } } } };
    expect(toRedirect(answer as unknown as Answer, PAGE)).toBeUndefined();
  });
});

describe('for Analytics', () => {
  const locationOf = (content: string, more: Parameters<typeof answerOf>[1]) =>
    new URL(toRedirect(answerOf({ pageLoad: [to(content)] }, more), PAGE)?.location ?? '');

  test('the supplemental data id and the referrer go along', () => {
    const more = { supplementalDataId: SDID, referringUrl: 'https://search.example/?q=a&b' };
    const { searchParams, href } = locationOf('/tea?name=Earl%20Grey#top', more);
    expect(searchParams.get('adobe_mc_sdid')).toMatch(
      new RegExp(`^SDID=${SDID}\\|MCORGID=DEMO@AdobeOrg\\|TS=1\\d{9}$`),
    );
    expect(searchParams.get('adobe_mc_ref')).toBe('https://search.example/?q=a&b');
    expect(href).toMatch(/^https:\/\/shop\.example\/tea\?name=Earl%20Grey&adobe_mc_sdid=.*#top$/);
  });

  test.each([
    ['https://partner.example/x', 'https://mail.example/inbox?token=secret', 'https://mail.example/'],
    ['https://partner.example/x', 'not a URL', ''],
    ['http://shop.example:8080/x', 'https://mail.example/inbox', 'https://mail.example/'],
    ['http://shop.example/x', 'https://mail.example/inbox', 'https://mail.example/inbox'],
  ])('another host gets the origin of the referrer alone: %s', (content, referringUrl, expected) => {
    const { searchParams } = locationOf(content, { supplementalDataId: SDID, referringUrl });
    expect(searchParams.get('adobe_mc_ref')).toBe(expected);
  });

  test('the referrer is empty when there was none', () => {
    const { searchParams } = locationOf('/tea', { supplementalDataId: SDID });
    expect(searchParams.getAll('adobe_mc_ref')).toEqual(['']);
  });

  test('parameters that the offer has already are replaced', () => {
    const content = '/tea?adobe_mc_sdid=old&a=b&adobe_mc_ref=old';
    const { searchParams } = locationOf(content, { supplementalDataId: SDID });
    expect([...searchParams.keys()]).toEqual(['a', 'adobe_mc_sdid', 'adobe_mc_ref']);
  });

  test('nothing goes along without an id, or without the organization', () => {
    expect(locationOf('/tea', {}).search).toBe('');
    expect(locationOf('/tea', { supplementalDataId: SDID, state: {} }).search).toBe('');
  });

  test('half a character and an endless referrer do no harm', () => {
    const referringUrl = `https://a.example/\ud800${'x'.repeat(70_000)}`;
    const redirect = toRedirect(
      answerOf({ pageLoad: [to('/tea')] }, { supplementalDataId: SDID, referringUrl }),
      PAGE,
    );
    expect(redirect?.location.length).toBeLessThan(8000);
  });
});

describe('nothing throws', () => {
  test.each(HOSTILE.map((hostile) => [hostile]))('whatever it gets (%#)', (hostile) => {
    expect(toRedirect(hostile as never, PAGE)).toBeUndefined();
    expect(toRedirect(answerOf({ pageLoad: [to('/tea')] }), hostile as never)).toBeUndefined();
    expect(redirectTo(hostile)).toEqual(hostile === 'text' ? expect.anything() : undefined);
    const response = { execute: { pageLoad: { options: hostile }, mboxes: hostile } };
    expect(toRedirect({ ...answerOf({}), response } as never, PAGE)).toBeUndefined();
  });

  test('whatever the texts are, and a location is an absolute URL of the web', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('/a?b', 'http://a.example/\r\n', '\n//b'),
    );
    fc.assert(
      fc.property(text, text, (content, page) => {
        const redirect = redirectTo(content, page);
        expect(redirect?.location ?? 'http:').toMatch(/^https?:/);
        expect(redirect?.location ?? '').not.toMatch(/[\r\n]/);
      }),
    );
  });
});

describe('over the edge', () => {
  const redirect = { type: 'redirect' as const, content: '/tea' };
  const bench = withEdge({ offers: { mboxes: { hero: redirect } } });

  test('an answer leads to the other page with its own supplemental data id', async () => {
    const answer = await bench.connect().getOffers({ request: { execute: { mboxes: [{ name: 'hero' }] } } });
    const { status, location } = toRedirect(answer, PAGE) ?? {};
    expect(status).toBe(302);
    const sdid = bench.edge.lastRequest?.delivery?.experienceCloud?.analytics?.supplementalDataId;
    expect(location).toMatch(new RegExp(`^https://shop\\.example/tea\\?adobe_mc_sdid=SDID%3D${sdid}%7C`));
  });
});
