import { describe, expect, test } from '@jest/globals';
import type { Rule } from '../../src/artifact.js';
import type { DeliveryRequest } from '../../src/delivery-api.js';
import { compileArtifact } from '../../src/on-device/rules/compile.js';
import { allocated, artifactOf, decideFrom, NOW_MS, rule, shownIn } from '../fixtures/rules.js';

const CHROME =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_3) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/80.0 Safari/537.36';
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:73.0) Gecko/20100101 Firefox/73.0';

/** One mbox that shows `yes` to those for whom the condition holds. */
function yesWhen(when: unknown) {
  return artifactOf({ hero: [rule('hero', { when, shows: 'yes' })] });
}

const visits = (address: object): DeliveryRequest => ({ context: { address } });
const from = (parameters: Record<string, string>) => ({ mbox: { parameters } });

describe('a rule of each kind', () => {
  test.each<
    [kind: string, when: unknown, asked: DeliveryRequest & { mbox?: object }, expected: string | undefined]
  >([
    ['browser', { '==': [{ var: 'user.browserType' }, 'chrome'] }, { context: { userAgent: CHROME } }, 'yes'],
    [
      'browser',
      { '==': [{ var: 'user.browserType' }, 'chrome'] },
      { context: { userAgent: FIREFOX } },
      undefined,
    ],
    [
      'browser version',
      { '>=': [{ var: 'user.browserVersion' }, 80] },
      { context: { userAgent: CHROME } },
      'yes',
    ],
    ['platform', { '==': [{ var: 'user.platform' }, 'mac'] }, { context: { userAgent: CHROME } }, 'yes'],
    ['platform', { '==': [{ var: 'user.platform' }, 'mac'] }, { context: { userAgent: FIREFOX } }, undefined],
    ['locale', { '==': [{ var: 'user.locale' }, 'en'] }, {}, 'yes'],
    [
      'client hint',
      { '==': [{ var: 'user.platform' }, 'windows'] },
      { context: { userAgent: CHROME, clientHints: { platform: 'Windows' } } },
      'yes',
    ],
    ['URL', { in: ['/sale', { var: 'page.url_lc' }] }, visits({ url: 'http://example.com/SALE' }), 'yes'],
    [
      'domain',
      { '==': ['example.co.uk', { var: 'page.domain' }] },
      visits({ url: 'http://www.shop.example.co.uk' }),
      'yes',
    ],
    [
      'subdomain',
      { '==': ['shop', { var: 'page.subdomain' }] },
      visits({ url: 'http://www.shop.example.co.uk' }),
      'yes',
    ],
    [
      'top-level domain',
      { '==': ['co.uk', { var: 'page.topLevelDomain' }] },
      visits({ url: 'http://a.example.co.uk' }),
      'yes',
    ],
    [
      'path',
      { '==': ['/cart', { var: 'page.path' }] },
      visits({ url: 'http://example.com/cart?a=b' }),
      'yes',
    ],
    [
      'path',
      { '==': ['/cart', { var: 'page.path' }] },
      visits({ url: 'http://example.com/Cart' }),
      undefined,
    ],
    [
      'path in lower case',
      { '==': ['/cart', { var: 'page.path_lc' }] },
      visits({ url: 'http://example.com/Cart' }),
      'yes',
    ],
    ['query', { in: ['a=b', { var: 'page.query' }] }, visits({ url: 'http://example.com/?x&a=b' }), 'yes'],
    [
      'fragment',
      { '==': ['top', { var: 'page.fragment' }] },
      visits({ url: 'http://example.com/#top' }),
      'yes',
    ],
    [
      'referring URL',
      { '==': ['search.org', { var: 'referring.domain' }] },
      visits({ referringUrl: 'http://www.search.org/' }),
      'yes',
    ],
    [
      'referring URL',
      { '==': ['search.org', { var: 'referring.domain' }] },
      visits({ url: 'http://www.search.org/' }),
      undefined,
    ],
    ['parameter', { '==': ['bar', { var: 'mbox.foo' }] }, from({ foo: 'bar' }), 'yes'],
    ['parameter', { '==': ['bar', { var: 'mbox.foo' }] }, from({ foo: 'Bar' }), undefined],
    ['parameter', { '==': ['bar', { var: 'mbox.foo' }] }, {}, undefined],
    ['parameter in lower case', { '==': ['bar', { var: 'mbox.foo_lc' }] }, from({ foo: 'BAR' }), 'yes'],
    [
      'dotted parameter',
      { '==': ['pascal', { var: 'mbox.first.language_lc' }] },
      from({ 'first.language': 'Pascal' }),
      'yes',
    ],
    ['numeric parameter', { '<': [9, { var: 'mbox.price' }] }, from({ price: '10' }), 'yes'],
    [
      'no profile parameter',
      { '!': { var: 'mbox.foo' } },
      { mbox: { profileParameters: { foo: 'bar' } } },
      'yes',
    ],
    ['time of day', { '<=': ['1400', { var: 'current_time' }, '1500'] }, {}, 'yes'],
    ['time of day', { '<=': ['1500', { var: 'current_time' }, '1600'] }, {}, undefined],
    ['day of the week', { or: [{ '==': [{ var: 'current_day' }, '3'] }] }, {}, 'yes'],
    ['date range', { '<=': [NOW_MS - 1, { var: 'current_timestamp' }, NOW_MS + 1] }, {}, 'yes'],
    ['date range', { '<=': [NOW_MS + 1, { var: 'current_timestamp' }, NOW_MS + 2] }, {}, undefined],
    ['country', { '==': ['US', { var: 'geo.country' }] }, { context: { geo: { countryCode: 'US' } } }, 'yes'],
    ['region', { '==': ['CA', { var: 'geo.region' }] }, { context: { geo: { stateCode: 'CA' } } }, 'yes'],
    [
      'latitude',
      { '<': ['37.70', { var: 'geo.latitude' }] },
      { context: { geo: { latitude: 37.75 } } },
      'yes',
    ],
    ['no place', { '<': ['37.70', { var: 'geo.latitude' }] }, {}, undefined],
    ['everybody', true, {}, 'yes'],
    ['nobody', false, {}, undefined],
  ])('%s: %j', (_kind, when, asked, expected) => {
    expect(shownIn(yesWhen(when), asked)).toBe(expected);
  });
});

describe('an A/B test', () => {
  const artifact = artifactOf({
    hero: [0, 1, 2].map((experience) =>
      rule('hero', {
        experience,
        shows: String(experience),
        when: allocated([0, 25, 50][experience] ?? 0, [25, 50, 100][experience] ?? 0),
      }),
    ),
  });
  const compiled = compileArtifact(artifact, { client: 'acme' });
  const shownTo = (visitor: string) => {
    const { execute } = decideFrom(compiled, {
      id: { tntId: visitor },
      execute: { mboxes: [{ name: 'hero' }] },
    });
    return execute?.mboxes?.[0]?.options?.[0]?.content;
  };

  test('shows every visitor exactly one experience, in the shares that were set', () => {
    const visitors = 10_000;
    const counts = new Map<unknown, number>();
    for (let i = 0; i < visitors; i++) {
      const shown = shownTo(`visitor-${i}`);
      counts.set(shown, (counts.get(shown) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual(['0', '1', '2']);
    for (const [shown, share] of [
      ['0', 0.25],
      ['1', 0.25],
      ['2', 0.5],
    ] as const) {
      // 99.9 % bounds of a binomial distribution, and a bucket at the edge.
      const bound = 3.29 * Math.sqrt(visitors * share * (1 - share)) + 2;
      expect(Math.abs((counts.get(shown) ?? 0) - visitors * share)).toBeLessThan(bound);
    }
  });

  test('shows a visitor the same from call to call, artifact to artifact and with every location hint', () => {
    for (let i = 0; i < 100; i++) {
      const shown = shownTo(`visitor-${i}.35_0`);
      expect(shownTo(`visitor-${i}.28_0`)).toBe(shown);
      const again = compileArtifact(artifact, { client: 'acme' });
      const { prefetch } = decideFrom(again, {
        id: { tntId: `visitor-${i}` },
        prefetch: { mboxes: [{ name: 'hero' }] },
      });
      expect(prefetch?.mboxes?.[0]?.options?.[0]?.content).toBe(shown);
    }
  });

  test('belongs to a visitor without ids by a new tntId, which is answered', () => {
    const { id, execute } = decideFrom(compiled, { id: {}, execute: { mboxes: [{ name: 'hero' }] } });
    expect(id).toEqual({ tntId: 'id-1' });
    expect(execute?.mboxes?.[0]?.options?.[0]?.content).toBe(shownTo('id-1'));
  });
});

describe('properties', () => {
  const artifact = artifactOf({
    hero: [
      rule('hero', { activity: 1, properties: ['p1'], shows: 'p1' }),
      rule('hero', { activity: 2, properties: ['p2', 'p3'], shows: 'p2 or p3' }),
      rule('hero', { activity: 3, properties: [], shows: 'all' }),
    ],
  });
  test.each([
    [{ token: 'p1' }, 'p1'],
    [{ token: 'p3' }, 'p2 or p3'],
    [{ token: 'other' }, 'all'],
    [{ token: '__proto__' }, 'all'],
    [{}, 'all'],
    [undefined, 'all'],
  ])('%j shows %s', (property, expected) => {
    expect(shownIn(artifact, { property })).toBe(expected);
    // Once more: the lists of rules are remembered.
    expect(shownIn(artifact, { property })).toBe(expected);
  });
});

describe('an answer', () => {
  const artifact = artifactOf({ hero: [rule('hero', { shows: 'yes' })] }, { home: [rule('home')] });

  test('has what was asked for, and nothing else', () => {
    const execute = { mboxes: [{ name: 'hero', index: 7 }] };
    expect(decideFrom(artifact, { execute })).toMatchObject({
      execute: { mboxes: [{ name: 'hero', index: 7 }] },
      prefetch: undefined,
    });
    const nothing = decideFrom(artifact, { prefetch: { mboxes: [], views: [] } });
    expect(nothing).toMatchObject({ status: 200, execute: undefined, prefetch: { mboxes: [], views: [] } });
  });

  test('is made of fields that are null as if they were not there', () => {
    const request = JSON.parse(
      JSON.stringify({
        id: { tntId: 'a', thirdPartyId: null, customerIds: null },
        property: null,
        trace: null,
        context: {
          channel: 'web',
          geo: null,
          address: { url: 'http://example.com/', referringUrl: null },
          userAgent: null,
          clientHints: null,
        },
        execute: { pageLoad: null, mboxes: [{ name: 'hero', index: 1, address: null, parameters: null }] },
        prefetch: { views: null, pageLoad: null, mboxes: null },
      }),
    );
    expect(decideFrom(artifact, request)).toMatchObject({
      id: { tntId: 'a' },
      execute: { mboxes: [{ name: 'hero', options: [{ content: 'yes' }] }] },
      prefetch: {},
    });
  });

  test('is made of a request and an artifact that are frozen, and leaves them as they were', () => {
    const request = deepFrozen({
      id: {
        tntId: 'a',
        customerIds: [{ id: 'c', integrationCode: 'crm', authenticatedState: 'authenticated' as const }],
      },
      trace: {},
      context: { address: { url: 'http://example.com/' }, geo: { city: 'X' } },
      execute: { pageLoad: { parameters: { 'a.b': 'c' } }, mboxes: [{ name: 'hero' }] },
      prefetch: { views: [{}], mboxes: [{ name: 'hero' }] },
    });
    expect(() => decideFrom(deepFrozen(artifactOf({ hero: [rule('hero')] })), request)).not.toThrow();
  });

  test('is the caller’s own: whatever is done to it, the next one is the same', () => {
    const metrics = [{ type: 'click' as const, selector: 'a', eventToken: 'm' }];
    const options = [{ type: 'json' as const, content: { flags: [{ on: true }] }, eventToken: 't' }];
    const compiled = compileArtifact(
      artifactOf(
        {
          hero: [rule('hero', { options, metrics })],
          'target-global-mbox': [rule('target-global-mbox', { options, metrics })],
        },
        { home: [rule('home', { options, metrics })] },
      ),
      { client: 'acme' },
    );
    const request: DeliveryRequest = {
      trace: {},
      id: {
        tntId: 'a',
        customerIds: [{ id: 'c', integrationCode: 'crm', authenticatedState: 'authenticated' }],
      },
      execute: { pageLoad: {}, mboxes: [{ name: 'hero' }] },
      prefetch: { pageLoad: {}, mboxes: [{ name: 'hero' }], views: [{}] },
    };
    const first = decideFrom(compiled, request);
    const before = JSON.stringify(first);
    expect(() => deepSpoil(first)).not.toThrow();
    expect(JSON.stringify(decideFrom(compiled, request))).toBe(before);
  });
});

describe('names of inherited properties are names like any other', () => {
  const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty'];

  test('when the artifact knows them', () => {
    const rules: Record<string, Rule[]> = Object.fromEntries(
      names.map((name) => [name, [rule(name, { shows: name })]]),
    );
    const artifact = artifactOf(rules, rules);
    const { status, execute, prefetch } = decideFrom(artifact, {
      execute: { mboxes: names.map((name) => ({ name })) },
      prefetch: { views: names.map((name) => ({ name })) },
    });
    expect(status).toBe(200);
    expect(execute?.mboxes?.map((mbox) => mbox.options?.[0]?.content)).toEqual(names);
    expect(prefetch?.views?.map((view) => view.options?.[0]?.content)).toEqual(names);
  });

  test('when it does not', () => {
    const { execute, prefetch, remoteMboxes, remoteViews } = decideFrom(artifactOf({}), {
      execute: { mboxes: names.map((name, index) => ({ name, index })) },
      prefetch: { views: names.map((name) => ({ name })) },
    });
    expect(execute?.mboxes).toEqual(names.map((name, index) => ({ name, index })));
    expect(prefetch?.views).toEqual([]);
    expect([remoteMboxes, remoteViews]).toEqual([names, names]);
  });

  test('and in parameters they reach no prototype', () => {
    const when = { '==': ['x', { var: 'mbox.__proto__.polluted' }] };
    const parameters = JSON.parse(
      '{"__proto__.polluted":"x","constructor.prototype.polluted":"x","__proto__":"y"}',
    );
    decideFrom(yesWhen(when), { trace: {}, execute: { mboxes: [{ name: 'hero', parameters }] } });
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(shownIn(yesWhen(when), { mbox: { parameters: JSON.parse('{"__proto__.polluted":"x"}') } })).toBe(
      'yes',
    );
  });
});

function deepFrozen<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFrozen);
    Object.freeze(value);
  }
  return value;
}

function deepSpoil(value: unknown): void {
  if (typeof value !== 'object' || value === null) {
    return;
  }
  for (const field of Object.values(value)) {
    deepSpoil(field);
  }
  for (const name of Object.keys(value)) {
    (value as Record<string, unknown>)[name] = 'spoilt';
  }
}
