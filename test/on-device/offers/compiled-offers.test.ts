import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { RuleOption } from '../../../src/artifact.js';
import type { Metric, Option } from '../../../src/delivery-api.js';
import { CompiledOffers } from '../../../src/on-device/offers/compiled-offers.js';
import { copyBy, copyPlanOf } from '../../../src/on-device/offers/copy-plan.js';
import { addMetrics, addOptions } from '../../../src/on-device/offers/filled-offers.js';
import { toTokenNames } from '../../../src/on-device/offers/response-tokens.js';
import { rule } from '../../fixtures/rules.js';

const { meta } = rule('hero', { activity: 42, experience: 1 });
const decided = { 'activity.decisioningMethod': 'on-device' };

function handOut(
  options: readonly RuleOption[],
  metrics: readonly Metric[] = [],
  tokens: readonly string[] = [],
) {
  const offers = new CompiledOffers({ name: 'hero', options, metrics }, meta, toTokenNames(tokens));
  const executed: Option[] = [];
  const prefetched: Option[] = [];
  const clicks: Metric[] = [];
  const source = { name: 'hero', parameters: { user: 'Mickey' } };
  const handOut = { source, geo: undefined, geoTokens: [] };
  addOptions(executed, offers.options, { ...handOut, isExecuted: true });
  addOptions(prefetched, offers.options, { ...handOut, isExecuted: false });
  addMetrics(clicks, offers.clickMetrics);
  return { executed, prefetched, clicks, displayTokens: offers.displayTokens };
}

describe('options', () => {
  test('are executed without their tokens, and those that show nothing are left out', () => {
    const { executed, displayTokens } = handOut([
      { type: 'html', content: '<b>', eventToken: 'one' },
      { eventToken: 'two' },
      { type: 'json', content: null, eventToken: 'one' },
      { type: 'html', content: '' },
      { type: 'dynamic' },
      {},
    ]);
    expect(executed).toEqual([
      { type: 'html', content: '<b>', responseTokens: decided },
      { type: 'json', content: null, responseTokens: decided },
      { type: 'html', content: '', responseTokens: decided },
      { type: 'dynamic', responseTokens: decided },
    ]);
    expect(displayTokens).toEqual(['one', 'two']);
  });

  test('are prefetched with their tokens, or with that of the display metric at the same place', () => {
    const metrics: Metric[] = [
      { type: 'display', eventToken: 'from metric 0' },
      { type: 'click', eventToken: 'from metric 1' },
      { type: 'display', eventToken: 'from metric 2' },
    ];
    const options: RuleOption[] = [
      { type: 'html', content: 'a', eventToken: 'own' },
      { type: 'html', content: 'b' },
      { type: 'html', content: 'c' },
      { type: 'html', content: 'd' },
      { eventToken: 'alone' },
    ];
    const { prefetched, clicks } = handOut(options, metrics);
    expect(prefetched).toEqual([
      { type: 'html', content: 'a', eventToken: 'own', responseTokens: decided },
      { type: 'html', content: 'b', responseTokens: decided },
      { type: 'html', content: 'c', eventToken: 'from metric 2', responseTokens: decided },
      { type: 'html', content: 'd', responseTokens: decided },
      { eventToken: 'alone', responseTokens: decided },
    ]);
    expect(clicks).toEqual([{ type: 'click', eventToken: 'from metric 1' }]);
  });

  test('keep fields that are not known', () => {
    expect(handOut([{ type: 'json', content: {}, extra: { a: [1] } }]).executed).toEqual([
      { type: 'json', content: {}, extra: { a: [1] }, responseTokens: decided },
    ]);
  });

  test('have macros in html and in the content of actions, and nowhere else', () => {
    const text = '#{user} in #{mbox.name}'.replaceAll('#', '$');
    const { executed } = handOut([
      { type: 'html', content: text },
      {
        type: 'actions',
        content: [
          { type: 'setHtml', selector: text, content: text },
          { type: 'setStyle', content: { color: text } },
          null,
        ],
      },
      { type: 'json', content: { text } },
      { type: 'json', content: text },
      { type: 'redirect', content: text },
      { type: 'dynamic', content: text },
      { type: 'html', content: { text } },
    ]);
    expect(executed.map((option) => option.content)).toEqual([
      'Mickey in hero',
      [
        { type: 'setHtml', selector: text, content: 'Mickey in hero' },
        { type: 'setStyle', content: { color: text } },
        null,
      ],
      { text },
      text,
      text,
      text,
      { text },
    ]);
  });

  test('have the response tokens that the artifact asks for', () => {
    const names = [
      'activity.id',
      'activity.type',
      'experience.name',
      'location.type',
      'offer.id',
      'option.name',
      'geo.city',
      'geo.state',
    ];
    const tokens = {
      ...decided,
      'activity.id': 42,
      'activity.type': 'ab',
      'experience.name': 'Experience 1',
      'location.type': 'mbox',
      'offer.id': 421,
      'option.name': 'Option 2',
    };
    expect(
      handOut([{ type: 'json', content: 1 }], [], [...names, 'audience.ids', 'nobody', '__proto__']).executed,
    ).toEqual([{ type: 'json', content: 1, responseTokens: tokens }]);
    const tokenNames = toTokenNames(names);
    const offers = new CompiledOffers({ options: [{ type: 'json', content: 1 }] }, meta, tokenNames);
    const located: Option[] = [];
    const geo = { city: 'BERLIN', region: 'BE', country: 'DE', latitude: 0 };
    addOptions(located, offers.options, { isExecuted: true, source: {}, geo, geoTokens: tokenNames.geo });
    expect(located[0]?.responseTokens).toEqual({ ...tokens, 'geo.city': 'BERLIN', 'geo.state': 'BE' });
  });

  test('have no response token whose value in the meta is null', () => {
    const holes = { 'activity.id': null, 'activity.name': 'Winter', 'offer.id': 0, 'option.name': '' };
    const offers = new CompiledOffers(
      { options: [{ type: 'json', content: 1 }] },
      holes,
      toTokenNames(Object.keys(holes)),
    );
    const options: Option[] = [];
    addOptions(options, offers.options, { isExecuted: true, source: {}, geo: undefined, geoTokens: [] });
    const tokens = { ...decided, 'activity.name': 'Winter', 'offer.id': 0, 'option.name': '' };
    expect(options[0]?.responseTokens).toStrictEqual(tokens);
  });

  test.each<RuleOption>([
    { type: 'json', content: 1 },
    { type: 'json', content: 1, more: 1 },
  ])('have tokens of their own, whatever the meta holds: %j', (option) => {
    const nested = { 'activity.name': { de: ['Winter'] } };
    const offers = new CompiledOffers({ options: [option] }, nested, toTokenNames(['activity.name']));
    const given = () => {
      const options: Option[] = [];
      addOptions(options, offers.options, {
        isExecuted: true,
        source: {},
        geo: undefined,
        geoTokens: [],
      });
      return options[0]?.responseTokens?.['activity.name'] as { de: string[] };
    };
    given().de.push('changed');
    expect(given()).toEqual({ de: ['Winter'] });
    expect(nested).toEqual({ 'activity.name': { de: ['Winter'] } });
  });

  test('that are missing are none', () => {
    const offers = new CompiledOffers({}, meta, toTokenNames([]));
    expect(offers).toMatchObject({
      options: [],
      metrics: [],
      clickMetrics: [],
      displayTokens: [],
      name: undefined,
    });
  });
});

describe('what is handed out', () => {
  test('is equal to what the artifact holds and shares nothing with it, nor with what is handed out next', () => {
    fc.assert(
      fc.property(fc.jsonValue({ depthSize: 'medium' }), (value) => {
        const plan = copyPlanOf(value);
        const clone = () => copyBy(plan, value);
        const before = JSON.stringify(value);
        const first = clone();
        expect(first).toEqual(value);
        expect(sharedObjects(first, value)).toBe(0);
        expect(sharedObjects(first, clone())).toBe(0);
        expect(JSON.stringify(value)).toBe(before);
      }),
    );
  });

  test('keeps keys such as __proto__ as plain data', () => {
    const value = JSON.parse('{"__proto__":{"polluted":true},"constructor":{"a":[1,{"__proto__":5}]}}');
    const copy = copyBy(copyPlanOf(value), value);
    expect(JSON.stringify(copy)).toBe(JSON.stringify(value));
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect(copy.polluted).toBeUndefined();
  });
});

function sharedObjects(a: unknown, b: unknown): number {
  const objects = new Set(objectsIn(a));
  return objectsIn(b).filter((object) => objects.has(object)).length;
}

function objectsIn(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  return [value, ...Object.values(value).flatMap(objectsIn)];
}
