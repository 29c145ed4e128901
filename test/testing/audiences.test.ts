import { describe, expect, test } from '@jest/globals';
import type { Context, Parameters } from '../../src/delivery-api.js';
import { TargetError } from '../../src/errors.js';
import {
  type Audience,
  activity,
  audience,
  buildArtifact,
  createTestClient,
  html,
} from '../../src/testing/edge.js';

const SHOWN = activity('Shown').mbox('hero').only(html('shown'));
const CHROME =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36';
const NOON = Date.UTC(2026, 5, 3, 12, 30);
const PAGE = {
  url: 'https://www.a.Shop.co.uk/Sale/hats?q=1#top',
  referringUrl: 'https://search.example/?q=hats',
};

async function isShown(
  visitors: Audience,
  { parameters, context }: { parameters?: Parameters; context?: Partial<Context> } = {},
): Promise<boolean> {
  const { client } = createTestClient({ artifact: buildArtifact({ activities: [SHOWN.when(visitors)] }) });
  const { response } = await client.getOffers({
    request: {
      context: { channel: 'web', ...context },
      execute: { mboxes: [{ name: 'hero', ...(parameters && { parameters }) }] },
    },
  });
  expect(response.status).toBe(200);
  return response.execute?.mboxes?.[0]?.options !== undefined;
}

describe('a parameter', () => {
  const { param } = audience;
  test.each<[string, Audience, readonly Parameters[], readonly Parameters[]]>([
    [
      'is',
      param('plan').is('gold'),
      [{ plan: 'gold' }],
      [{ plan: 'Gold' }, { plan: 'golden' }, {}, { plan: '' }],
    ],
    [
      'is of several',
      param('plan').is('gold', 'red'),
      [{ plan: 'gold' }, { plan: 'red' }],
      [{ plan: 'blue' }, {}],
    ],
    ['is of a number', param('n').is(5), [{ n: 5 }, { n: '5' }], [{ n: '5.0' }, { n: '' }, {}]],
    ['is of 0', param('n').is(0), [{ n: 0 }], [{ n: '' }, {}, { n: false }]],
    ['is of a boolean', param('b').is(true), [{ b: true }, { b: 'true' }], [{ b: 'false' }, { b: '1' }, {}]],
    [
      'isNot',
      param('plan').isNot('gold', 'red'),
      [{ plan: 'blue' }, {}],
      [{ plan: 'gold' }, { plan: 'red' }],
    ],
    [
      'contains',
      param('p').contains('ol', 'zz'),
      [{ p: 'gold' }, { p: 'ol' }, { p: 'zz' }],
      [{ p: 'gild' }, { p: '' }, {}],
    ],
    [
      'startsWith',
      param('p').startsWith('nu', 'go'),
      [{ p: 'gold' }, { p: 'null' }],
      [{ p: 'ago' }, {}, { p: 'g' }],
    ],
    ['endsWith', param('p').endsWith('ll'), [{ p: 'ball' }, { p: 'll' }], [{ p: 'balls' }, {}, { p: 'l' }]],
    [
      'isGreaterThan',
      param('n').isGreaterThan(-1),
      [{ n: 0 }, { n: '10' }],
      [{ n: -1 }, { n: '' }, {}, { n: 'many' }],
    ],
    ['isAtLeast', param('n').isAtLeast(9), [{ n: 9 }, { n: '10' }], [{ n: 8.9 }, {}]],
    ['isLessThan', param('n').isLessThan(9), [{ n: 8.9 }, { n: '-10' }], [{ n: 9 }, {}, { n: '' }]],
    ['isAtMost', param('n').isAtMost(9), [{ n: 9 }, { n: '0' }], [{ n: 9.1 }, {}, { n: '' }]],
    ['isPresent', param('p').isPresent(), [{ p: 'x' }, { p: 0 }, { p: false }], [{ p: '' }, {}]],
    ['ignoringCase', param('p').ignoringCase.is('GoLd'), [{ p: 'gold' }, { p: 'GOLD' }], [{ p: 'red' }, {}]],
    ['ignoringCase.contains', param('p').ignoringCase.contains('OL'), [{ p: 'gOlD' }], [{ p: 'GILD' }, {}]],
    ['of a dotted name', param('a.b').is('x'), [{ 'a.b': 'x' }], [{ a: 'x' }, { b: 'x' }, {}]],
    ['of an inherited name', param('__proto__').isPresent(), [JSON.parse('{"__proto__":"x"}')], [{}]],
    ['constructor', param('constructor').isNot('x'), [{}], [{ constructor: 'x' } as unknown as Parameters]],
  ])('%s', async (_, visitors, matching, others) => {
    for (const parameters of matching) {
      expect([parameters, await isShown(visitors, { parameters })]).toEqual([parameters, true]);
    }
    for (const parameters of others) {
      expect([parameters, await isShown(visitors, { parameters })]).toEqual([parameters, false]);
    }
  });
});

describe('other facts', () => {
  const context = {
    address: PAGE,
    userAgent: CHROME,
    geo: { countryCode: 'CH', stateCode: 'BE', city: 'BERN' },
  };
  const { url, referrer, browser, platform, country, region, city, all, any, not } = audience;
  const yes = url.contains('Shop');
  const no = url.contains('shop');
  test.each<[string, Audience, boolean]>([
    ['the URL', url.is(PAGE.url), true],
    ['its case', no, false],
    ['its case ignored', url.ignoringCase.contains('SHOP'), true],
    ['the domain', url.domain.is('shop.co.uk'), true],
    ['the subdomain', url.subdomain.is('a'), true],
    ['the public suffix', url.topLevelDomain.is('co.uk'), true],
    ['the path', url.path.startsWith('/Sale/'), true],
    ['the path of another case', url.path.startsWith('/sale/'), false],
    ['the path, whatever its case', url.path.ignoringCase.startsWith('/sale/'), true],
    ['the query', url.query.is('q=1'), true],
    ['the fragment', url.fragment.is('top'), true],
    ['the referrer', referrer.domain.is('search.example'), true],
    ['another referrer', referrer.domain.is('shop.co.uk'), false],
    ['the browser', browser('chrome'), true],
    ['a version of it', browser('chrome', { from: 100 }), true],
    ['an older version', browser('chrome', { to: 119 }), false],
    ['the very version', browser('chrome', { from: 120, to: 120 }), true],
    ['another browser', browser('mobile safari'), false],
    ['the platform', platform('linux'), true],
    ['another platform', platform('iOS'), false],
    ['the country', country('ch'), true],
    ['another country', country('DE'), false],
    ['the region', region('BE'), true],
    ['the city', city('Bern'), true],
    ['all', all(yes, browser('chrome')), true],
    ['not quite all', all(yes, no), false],
    ['any', any(no, yes), true],
    ['none', any(no, country('DE')), false],
    ['not', not(no), true],
    ['not, of several', not(all(yes, any(no, yes))), false],
  ])('%s', async (_, visitors, expected) => {
    expect(await isShown(visitors, { context })).toBe(expected);
  });

  test('a country of a look-up, in the letters of the edge', async () => {
    const artifact = buildArtifact({ activities: [SHOWN.when(country('CH'))] });
    expect(artifact.geoTargetingEnabled).toBe(true);
    expect(await isShown(country('CH'), { context: { geo: { countryCode: 'ch' } } })).toBe(true);
  });
});

describe('times', () => {
  const { between, time, day } = audience;
  test.each<[string, Audience, boolean]>([
    ['between', between('2026-06-01', '2026-06-30'), true],
    ['between, of Date and ms', between(new Date(NOON), NOON), true],
    ['before', between(0, NOON - 1), false],
    ['after', between(new Date(NOON + 1), '2027-01-01'), false],
    ['a time of day', time('12:30', '12:30'), true],
    ['over midnight', time('23:00', '12:29'), false],
    ['over midnight, in it', time('12:00', '01:00'), true],
    ['the day', day('wednesday'), true],
    ['another day', day('sunday'), false],
  ])('%s', async (_, visitors, expected) => {
    const { Date: Real } = globalThis;
    const now = Real.now;
    Real.now = () => NOON;
    try {
      expect(await isShown(visitors)).toBe(expected);
    } finally {
      Real.now = now;
    }
  });
});

test.each<[string, () => unknown, string]>([
  ['param()', () => audience.param(''), 'param must be a name of 1 to 128 characters'],
  ['param(".a")', () => audience.param('.a'), 'not ".a"'],
  ['param("a..b")', () => audience.param('a..b'), 'not "a..b"'],
  ['param(3)', () => audience.param(3 as unknown as string), 'not the number 3'],
  ['is()', () => audience.param('a').is(), 'is needs one or more texts'],
  ['is("")', () => audience.param('a').is(''), 'none of them empty, not ""'],
  ['is(null)', () => audience.param('a').is(null as unknown as string), 'not null'],
  ['is(NaN)', () => audience.param('a').is(Number.NaN), 'not the number NaN'],
  ['contains([])', () => audience.url.contains([] as unknown as string), 'contains must be'],
  [
    'isAtLeast',
    () => audience.param('a').isAtLeast(Number.NaN),
    'isAtLeast must be a finite number, not the number NaN',
  ],
  [
    'isLessThan',
    () => audience.param('a').isLessThan('5' as unknown as number),
    'isLessThan must be a finite number, not "5"',
  ],
  ['browser', () => audience.browser('opera' as 'chrome'), 'browser must be one of chrome, edge, firefox'],
  [
    'browser versions',
    () => audience.browser('chrome', { from: -1 }),
    'browser: from and to must be integers',
  ],
  ['platform', () => audience.platform('Amiga' as 'mac'), 'platform must be one of Android, iOS'],
  ['country', () => audience.country(''), 'country must be a code of two letters, such as "CH", not ""'],
  ['a name of a country', () => audience.country('Switzerland'), 'such as "CH", not "Switzerland"'],
  ['a code of three letters', () => audience.country('CHE'), 'not "CHE"'],
  ['no country', () => audience.country(undefined as never), 'country needs a code of two letters'],
  ['a region with its country', () => audience.region('CH-BE'), 'such as "BE", not "CH-BE"'],
  ['a name of a region', () => audience.region('California'), 'not "California"'],
  ['city', () => audience.city(' '), 'city must be a text that is not empty'],
  ['a misspelt version', () => audience.browser('chrome', { form: 3 } as object), 'did you mean "from"?'],
  [
    'versions backwards',
    () => audience.browser('chrome', { from: 120, to: 100 }),
    'browser: to must be a version that is not before from, not the number 100',
  ],
  [
    'between',
    () => audience.between('soon', NOON),
    'between: from must be a Date, the text of a date, or ms since 1970, not "soon"',
  ],
  [
    'between backwards',
    () => audience.between(NOON, 0),
    'between: to must be a time after from, not the number 0',
  ],
  ['time', () => audience.time('9:00', '17:00'), 'time: from must be a time such as "09:00", not "9:00"'],
  ['day', () => audience.day('someday' as 'monday'), 'day must be one of monday'],
  ['all()', () => audience.all(), 'all needs one or more audiences'],
  ['any(3)', () => audience.any(3 as unknown as Audience), 'any must be an audience'],
  ['not()', () => audience.not(undefined as unknown as Audience), 'not needs an audience'],
])('%s is refused by name', (_, act, message) => {
  expect(act).toThrow(TargetError);
  expect(act).toThrow(message);
});

test('an audience may be nested, but not so deeply that only the edge could decide it', async () => {
  const nested = (depth: number) => {
    let visitors = audience.param('a').isNot('x');
    for (let level = 0; level < depth; level += 1) {
      visitors = audience.not(audience.not(visitors));
    }
    return visitors;
  };
  expect(await isShown(nested(20))).toBe(true);
  expect(() => nested(200)).toThrow('nested at most 100 times');
});

test.each<[string, () => unknown]>([
  ['a big integer as a time', () => audience.between(5n as never, 6n as never)],
  ['a symbol as a time', () => audience.between(Symbol('s') as never, 5)],
  ['a symbol as a time of day', () => audience.time(Symbol('s') as never, '10:00')],
  ['an object as a time of day', () => audience.time({ toString: null } as never, '10:00')],
  ['an object as a day', () => audience.day({ toString: null } as never)],
  ['a symbol as a platform', () => audience.platform(Symbol('s') as never)],
])('an audience refuses %s', (_, make) => {
  expect(make).toThrow(expect.objectContaining({ code: 'ERR_TARGET_INVALID_CONFIG' }));
});
