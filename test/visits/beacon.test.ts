import { describe, expect, test } from '@jest/globals';
import { beaconScript, createVisit, fromFetchRequest, toBeacon } from '../../src/adapters/http.js';
import { clicked, type DeliveryRequest, displayed, type Notification } from '../../src/index.js';
import { html } from '../../src/testing/edge.js';
import { targetErrorOf, withEdge } from '../with-edge.js';
import { Browser } from './browser.js';

const bench = withEdge({
  offers: {
    mboxes: {
      hero: { options: html('hero'), metrics: [{}] },
      "</script><b a='": html('odd'),
    },
    pageLoad: { options: html('page'), metrics: [{ selector: '#buy' }] },
    views: { cart: { options: html('cart'), metrics: [{}, { selector: '#buy' }, { selector: '#pay' }] } },
  },
});

type Entry = Notification & {
  readonly targetDisplay?: string[];
  readonly targetClick?: string[];
  readonly property?: object;
  readonly analytics?: object;
};

async function entriesOf(request: DeliveryRequest): Promise<Entry[]> {
  return JSON.parse(toBeacon(await bench.connect().getOffers({ request })));
}

describe('toBeacon', () => {
  test('writes the displays and clicks of an answer with the marks of their elements', async () => {
    const answer = await bench.connect().getOffers({
      request: { prefetch: { mboxes: [{ name: 'hero' }], pageLoad: {}, views: [{ name: 'cart' }] } },
    });
    const entries: Entry[] = JSON.parse(toBeacon(answer));
    const marks = entries.map(({ type, targetDisplay, targetClick }) => [type, targetDisplay ?? targetClick]);
    expect(marks).toEqual([
      ['display', ['']],
      ['display', ['hero']],
      ['display', ['cart']],
      ['click', ['', '#buy']],
      ['click', ['hero']],
      ['click', ['cart']],
      ['click', ['cart', 'cart #buy']],
      ['click', ['cart', 'cart #pay']],
    ]);
    expect(entries.slice(0, 3)).toMatchObject(displayed(answer));
    expect(entries[4]).toMatchObject(clicked(answer, { mbox: 'hero' })[0] ?? {});
    expect(entries[7]).toMatchObject(clicked(answer, { view: 'cart', selector: '#pay' })[0] ?? {});
    expect(new Set(entries.map(({ id }) => id)).size).toBe(8);
    expect(toBeacon(answer)).toBe(toBeacon(answer));
  });

  test('has no displays of executed offers, and nothing for an answer without offers', async () => {
    const executed = await entriesOf({ execute: { mboxes: [{ name: 'hero' }] } });
    expect(executed).toMatchObject([{ type: 'click', targetClick: ['hero'] }]);
    expect(await entriesOf({ prefetch: { mboxes: [{ name: 'nobody' }] } })).toEqual([]);
    expect(toBeacon(await bench.connect().identify())).toBe('[]');
  });

  test('is safe inside a script, and inside an attribute in single quotes', async () => {
    const text = toBeacon(
      await bench.connect().getOffers({ request: { prefetch: { mboxes: [{ name: "</script><b a='" }] } } }),
    );
    expect(text).not.toMatch(/[<>&']/);
    expect(JSON.parse(text)).toMatchObject([{ mbox: { name: "</script><b a='" } }]);
  });

  test('holds no id of the visitor', async () => {
    const visit = createVisit(bench.connect(), new Browser().request());
    const request = { id: { thirdPartyId: 'customer-1' }, prefetch: { mboxes: [{ name: 'hero' }] } };
    const answer = await visit.getOffers({ request });
    const { tntId = '' } = answer.response.id ?? {};
    expect(tntId).not.toBe('');
    const text = toBeacon(answer);
    for (const id of ['customer-1', tntId, answer.targetCookie.value.split('#')[1] ?? '']) {
      expect(text).not.toContain(id);
    }
  });

  test('is empty in QA mode, whose visits Target reports apart', async () => {
    const url = 'https://shop.example/?at_preview_token=abc&at_preview_index=1_1';
    const visit = createVisit(bench.connect(), fromFetchRequest(new Request(url)));
    const answer = await visit.getOffers({
      request: { prefetch: { mboxes: [{ name: 'hero' }] }, execute: { pageLoad: {} } },
    });
    expect(toBeacon(answer)).toBe('[]');
  });

  test('says how Analytics gets the hit, unless that is the default', async () => {
    const supplementalDataId = '0123456789ABCDEF-0123456789ABCDEF';
    const [one] = await entriesOf({
      experienceCloud: { analytics: { logging: 'client_side', supplementalDataId } },
      prefetch: { mboxes: [{ name: 'hero' }] },
    });
    expect(one?.analytics).toEqual({ supplementalDataId, logging: 'client_side' });
    const [other] = await entriesOf({ prefetch: { mboxes: [{ name: 'hero' }] } });
    expect(other?.analytics).toEqual({ supplementalDataId: expect.any(String) });
  });

  test('refuses what is no answer', async () => {
    for (const wrong of [undefined, null, 'text', {}]) {
      const { code, path } = await targetErrorOf(() => toBeacon(wrong as never));
      expect([code, path]).toEqual(['ERR_TARGET_INVALID_REQUEST', 'answer']);
    }
  });
});

describe('beaconScript', () => {
  const NONCE = 'MTIzNDU2Nzg5MDEyMzQ1Ng==';

  test('is a script with the nonce of the page, of at most 900 bytes', () => {
    const script = beaconScript({ endpoint: '/target/beacon', nonce: NONCE });
    expect(script).toMatch(
      /^<script nonce="MTIzNDU2Nzg5MDEyMzQ1Ng=="> *\(.*\)\("\/target\/beacon"\)<\/script>$/,
    );
    expect(Buffer.byteLength(script)).toBeLessThanOrEqual(900);
    expect(beaconScript({ endpoint: '/b' })).toMatch(/^<script>\(/);
    expect(beaconScript({ endpoint: '/b', nonce: null })).toMatch(/^<script>\(/);
  });

  test('writes the endpoint so that it cannot end the script', () => {
    const script = beaconScript({ endpoint: '/</script><script>alert(1)//&"' });
    expect(script.match(/<\/?script/g)).toEqual(['<script', '</script']);
  });

  test.each<[string, unknown]>([
    ['options', undefined],
    ['options', '/path'],
    ['endpoint', {}],
    ['endpoint', { endpoint: '' }],
    ['endpoint', { endpoint: 'target' }],
    ['endpoint', { endpoint: 'https://shop.example/b' }],
    ['endpoint', { endpoint: '//evil.example/b' }],
    ['endpoint', { endpoint: '/\\evil.example/b' }],
    ['endpoint', { endpoint: '/a b' }],
    ['endpoint', { endpoint: '/a\n' }],
    ['nonce', { endpoint: '/b', nonce: '' }],
    ['nonce', { endpoint: '/b', nonce: '"><script>' }],
    ['nonce', { endpoint: '/b', nonce: 'a b' }],
    ['nonce', { endpoint: '/b', nonce: '===' }],
    ['nonce', { endpoint: '/b', nonce: 5 }],
  ])('refuses a wrong %s: %o', async (path, options) => {
    const error = await targetErrorOf(() => beaconScript(options as never));
    expect([error.code, error.path]).toEqual(['ERR_TARGET_INVALID_CONFIG', path]);
    expect(error.message).not.toContain('"><script>');
  });

  test('is wanted by visits under a path of the same host alone', async () => {
    const request = new Browser().request();
    for (const beacon of ['//evil.example', 'https://evil.example', 'b', '/a b']) {
      const { path } = await targetErrorOf(() => createVisit(bench.connect(), request, { beacon }));
      expect(path).toBe('beacon');
    }
  });
});
