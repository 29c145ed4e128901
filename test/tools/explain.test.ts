import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import type { DeliveryRequest } from '../../src/delivery-api.js';
import { TargetClient, TargetError } from '../../src/index.js';
import { type ExplainOptions, explain } from '../../src/tools/tools.js';
import { hasConformance, readConformance } from './conformance.js';

const share = (from: number, to: number) => ({
  and: [{ [from === 0 ? '<=' : '<']: [from, { var: 'allocation' }] }, { '>=': [to, { var: 'allocation' }] }],
});

interface RuleFacts {
  readonly key?: string;
  readonly experience?: string;
  readonly properties?: readonly string[];
}

function ruleOf(condition: unknown, { key = '1', experience = 'A', properties }: RuleFacts = {}) {
  return {
    ruleKey: key,
    activityId: 7,
    ...(properties && { propertyTokens: properties }),
    meta: {
      'activity.id': 7,
      'activity.name': 'Spring',
      'activity.type': 'ab',
      'experience.id': 0,
      'experience.name': experience,
    },
    condition,
    consequence: { options: [{ type: 'html', content: experience, eventToken: 'secret-token' }] },
  };
}

function artifactOf(mboxes: Record<string, unknown[]>, more: object = {}) {
  return {
    version: '1.0.0',
    meta: { clientCode: 'acme' },
    localMboxes: Object.keys(mboxes),
    rules: { mboxes, views: {} },
    ...more,
  };
}

const country = { or: ['US', 'CA'].map((code) => ({ '==': [code, { var: 'geo.country' }] })) };

function explainHero(rules: unknown[], options: Partial<ExplainOptions> = {}, more: object = {}) {
  const { locations } = explain(artifactOf({ hero: rules }, more), {
    request: { id: { tntId: 'visitor-id' }, prefetch: { mboxes: [{ name: 'hero', index: 2 }] } },
    now: 0,
    ...options,
  });
  const [location] = locations;
  if (!location) {
    throw new Error('nothing was explained');
  }
  return location;
}

describe('explain', () => {
  test('tells what was asked, what it saw and what was not looked at', () => {
    const condition = { and: [share(0, 100), country, { '==': ['x', { var: 'mbox.a' }] }] };
    const request: DeliveryRequest = {
      id: { tntId: 'visitor-id' },
      context: { channel: 'web', geo: { countryCode: 'DE' } },
      execute: { mboxes: [{ name: 'hero' }] },
    };
    expect(explainHero([ruleOf(condition)], { request })).toEqual({
      kind: 'mbox',
      mode: 'execute',
      name: 'hero',
      index: 0,
      answersWith: 'first',
      verdict: 'default content: no rule holds',
      rules: [
        {
          activity: { id: '7', name: 'Spring', type: 'ab' },
          experience: { id: '0', name: 'A' },
          ruleKey: '1',
          outcome: 'no-match',
          because: 'not so: country is US or CA (saw DE)',
          share: {
            ranges: [{ from: 0, to: 100 }],
            allocation: expect.any(Number),
            inside: true,
            text: expect.stringMatching(/^\d+\.\d\d, wants 0–100$/),
          },
          condition: expect.objectContaining({ op: 'and', result: false, whole: false }),
        },
      ],
    });
    const [rule] = explainHero([ruleOf(condition)], { request }).rules;
    expect(rule?.condition?.operands.map(({ text, result, whole }) => [text, result, whole])).toEqual([
      ['everybody', true, true],
      ['country is US or CA', false, true],
      ['parameter a is “x”', undefined, true],
    ]);
  });

  test('names the part at which the evaluation failed', () => {
    const condition = { or: [{ '*': [] }, { var: 'mbox.a' }] };
    const [rule] = explainHero([ruleOf(condition)]).rules;
    expect(rule).toMatchObject({ outcome: 'no-match', condition: { result: false } });
    expect(rule?.condition?.operands.map(({ result }) => result)).toEqual([false, undefined]);
  });

  test('tells of a place that nobody gave', () => {
    const [rule] = explainHero([ruleOf(country)]).rules;
    expect(rule?.because).toBe(
      'not so: country is US or CA (saw nothing); the call gives no place: set context.geo',
    );
  });

  test('asks for a place only where a place failed', () => {
    const plan = { '==': ['gold', { var: 'mbox.plan' }] };
    const [rule] = explainHero([ruleOf({ and: [plan, country] })]).rules;
    expect(rule?.because).toBe('not so: parameter plan is “gold” (saw nothing)');
    const [other] = explainHero([
      ruleOf({ and: [{ '!': plan }, { or: [plan, { and: [country, plan] }] }] }),
    ]).rules;
    expect(other?.because).toContain('set context.geo');
  });

  test('says where a long value differs from the one that is wanted', () => {
    const long = 'x'.repeat(80);
    const condition = { '==': [`${long}a${long}`, { var: 'mbox.plan' }] };
    const request = { prefetch: { mboxes: [{ name: 'hero', parameters: { plan: `${long}b${long}` } }] } };
    const [rule] = explainHero([ruleOf(condition)], { request }).rules;
    expect(rule?.because).toMatch(/\(saw “…x{20}bx*…x{20}” where “…x{20}ax*…x{20}” is wanted\)$/);
  });

  test.each([
    [43_200_000, 43_230_000, 'time is at most 1970-01-01 12:00 UTC (saw 1970-01-01 12:00:30 UTC)'],
    [43_200_000, 43_200_001, 'time is at most 1970-01-01 12:00 UTC (saw 1970-01-01 12:00:00.001 UTC)'],
  ])('says times to the second where they have seconds', (end, now, words) => {
    const condition = { '<=': [{ var: 'current_timestamp' }, end] };
    const [rule] = explainHero([ruleOf(condition)], { now }).rules;
    expect(rule?.because).toBe(`not so: ${words}`);
  });

  test.each([
    [{ and: [[]] }, 'holds: always'],
    [{ or: [false, []] }, 'holds: never or always'],
    [{ and: [true, [], false] }, 'holds: always and always'],
    [{ '!': [[]] }, 'holds: always'],
  ])('an empty list at the end makes %j hold', (condition, because) => {
    const [rule] = explainHero([ruleOf(condition)]).rules;
    expect(rule).toMatchObject({ outcome: 'answered', because });
  });

  test('does not speak of a place that was not looked at', () => {
    const plan = { '==': ['gold', { var: 'mbox.plan' }] };
    const { rules } = explainHero([ruleOf({ and: [plan, country] })]);
    expect(rules[0]?.because).toBe('not so: parameter plan is “gold” (saw nothing)');
  });

  test('tells a second from the next one', () => {
    const until = { '<=': [{ var: 'current_timestamp' }, Date.UTC(2026, 0, 1, 12)] };
    const { rules } = explainHero([ruleOf(until)], { now: Date.UTC(2026, 0, 1, 12, 0, 20, 5) });
    expect(rules[0]?.because).toBe(
      'not so: time is at most 2026-01-01 12:00 UTC (saw 2026-01-01 12:00:20.005 UTC)',
    );
  });

  test('tells of capitals that a lower case never has', () => {
    const cart = (text: string) => ({ in: [text, { var: 'page.path_lc' }] });
    const context = { channel: 'web', address: { url: 'https://shop.example/Cart' } } as const;
    const because = (text: string) =>
      explainHero([ruleOf(cart(text))], {
        request: { prefetch: { mboxes: [{ name: 'hero', index: 1 }] }, context },
      }).rules[0]?.because;
    expect(because('/Cart')).toBe('not so: path contains “/Cart” (in lower case) (saw “/cart”)');
    expect(because('/cart')).toBe('holds: path contains “/cart” (any case)');
  });

  test('tells of a view whose key answered for another view', () => {
    const artifact = { ...artifactOf({}), localViews: ['one', 'two'] };
    const views = { one: [ruleOf(true)], two: [ruleOf(true)] };
    const { locations } = explain(
      { ...artifact, rules: { mboxes: {}, views } },
      { request: { prefetch: { views: [{}] } }, now: 0 },
    );
    expect(locations.map(({ verdict }) => verdict)).toEqual([
      '1 of 1 rules answer',
      'default content: its rule answered with another view already',
    ]);
  });

  test('tells why rules were not asked, and what they would have done', () => {
    const location = explainHero([
      ruleOf(true, { properties: ['other'] }),
      ruleOf(true, { experience: 'B' }),
      ruleOf(true, { experience: 'C' }),
      ruleOf(false, { experience: 'D' }),
    ]);
    expect(location.verdict).toBe('B of Spring');
    expect(location.index).toBe(2);
    expect(location.rules.map(({ outcome, wouldHold, because }) => [outcome, wouldHold, because])).toEqual([
      ['other-property', true, 'it belongs to a property, and the call names none'],
      ['answered', undefined, 'holds: always'],
      ['not-reached', true, 'a rule before it decided the location'],
      ['not-reached', false, 'a rule before it decided the location'],
    ]);
  });

  test('tells which property counted', () => {
    const rules = [ruleOf(true, { properties: ['p-1'] }), ruleOf(true, { properties: ['p-2'] })];
    const location = explainHero(rules, { propertyToken: 'p-2' });
    expect(location.rules.map(({ outcome }) => outcome)).toEqual(['other-property', 'answered']);
  });

  test('of a location that answers with all rules, tells which keys had answered', () => {
    const rules = [ruleOf(true), ruleOf(true), ruleOf(true, { key: '2' })];
    const location = explainHero(rules, { allMatchingMboxes: ['hero'] });
    expect(location).toMatchObject({ answersWith: 'all', verdict: '2 of 3 rules answer' });
    expect(location.rules.map(({ outcome, wouldHold }) => [outcome, wouldHold])).toEqual([
      ['answered', undefined],
      ['key-answered', true],
      ['answered', undefined],
    ]);
  });

  test('lets each request for a view have the rules of a key, and all views together one', () => {
    const rules = [ruleOf(true, { experience: 'B' })];
    const views = { home: rules, cart: rules };
    const artifact = { ...artifactOf({}), localViews: ['home', 'cart'], rules: { mboxes: {}, views } };
    const outcomes = (...asked: { name?: string }[]) =>
      explain(artifact, { request: { prefetch: { views: asked } } }).locations.map(
        ({ name, kind, rules: [only] }) => `${kind} ${name} ${only?.outcome}`,
      );
    expect(outcomes({ name: 'home' }, { name: 'cart' })).toEqual([
      'view home answered',
      'view cart answered',
    ]);
    expect(outcomes({})).toEqual(['view home answered', 'view cart key-answered']);
    views.cart = [ruleOf({ shout: ['x'] })];
    expect(outcomes({ name: 'home' }, { name: 'cart' })).toEqual([
      'view home answered',
      'view cart undecidable',
    ]);
  });

  test('repeats what equal neighbours saw, which the engine asks once', () => {
    const condition = { '==': ['x', { var: 'mbox.a' }] };
    const { rules } = explainHero([ruleOf(condition), ruleOf(condition, { experience: 'B' })]);
    expect(rules.map(({ because }) => because)).toEqual([
      'not so: parameter a is “x” (saw nothing)',
      'not so: parameter a is “x” (saw nothing)',
    ]);
  });

  test('does not mix up parts that are one object in memory', () => {
    const isGold = { '==': ['gold', { var: 'mbox.plan' }] };
    const condition = {
      or: [{ and: [isGold, { var: 'mbox.b' }] }, { '!': { and: [{ var: 'mbox.c' }, isGold] } }],
    };
    const parameters = { plan: 'gold' };
    const request = { prefetch: { mboxes: [{ name: 'hero', parameters }] } };
    const [rule] = explainHero([ruleOf(condition)], { request }).rules;
    const [first, second] = rule?.condition?.operands ?? [];
    expect(first?.operands.map(({ result }) => result)).toEqual([true, false]);
    expect(second?.operands[0]?.operands.map(({ result }) => result)).toEqual([false, undefined]);
  });

  test('names the operator for which only the edge can decide', () => {
    const location = explainHero([
      ruleOf({ and: [true, { regex: [{ var: 'page.url' }, 'x'] }] }),
      ruleOf(true),
    ]);
    expect(location.remote).toEqual({
      reason: 'undecidable',
      text: 'of a rule, the operator “regex” cannot be evaluated on-device',
    });
    expect(location.rules.map(({ outcome, because }) => [outcome, because])).toEqual([
      ['undecidable', 'the operator “regex” cannot be evaluated on-device'],
      [
        'not-reached',
        'a rule before it is for the edge to decide: the operator “regex” cannot be evaluated on-device',
      ],
    ]);
    expect(location.verdict).toBe('default content: no rule holds; only the edge can answer completely');
  });

  test('says why an mbox is remote', () => {
    expect(explainHero([ruleOf(true)], {}, { remoteMboxes: ['hero'] }).remote).toEqual({
      reason: 'listed',
      text: 'the artifact lists this mbox as remote: an activity here has an audience or a type that cannot be decided on-device',
    });
    expect(explainHero([ruleOf(true)], {}, { localMboxes: [] }).remote?.text).toBe(
      'the artifact has rules for this mbox and does not list it as local',
    );
    const request = { prefetch: { mboxes: [{ name: 'heros' }] } };
    expect(explainHero([ruleOf(true)], { request }).remote).toEqual({
      reason: 'unknown',
      text: 'no rule names this mbox; did you mean hero?',
    });
    // Three of six letters differ, and a third may.
    for (const name of ['xyz', 'herbie']) {
      const far = { prefetch: { mboxes: [{ name }] } };
      expect(explainHero([ruleOf(true)], { request: far }).remote?.text).toBe('no rule names this mbox');
    }
  });

  test('tells which kind of id counted, and shows no id, cookie or token', () => {
    const artifact = artifactOf({ hero: [ruleOf(share(0, 100))] });
    const mboxes = [{ name: 'hero' }];
    const ids: [object, string, boolean][] = [
      [{}, 'tntId', true],
      [{ tntId: 'visitor-id.35_0' }, 'tntId', false],
      [{ thirdPartyId: 'visitor-id' }, 'thirdPartyId', false],
      [{ tntId: 'a', marketingCloudVisitorId: 'visitor-id' }, 'marketingCloudVisitorId', false],
      [
        { customerIds: [{ id: 'visitor-id', integrationCode: 'crm', authenticatedState: 'authenticated' }] },
        'customerIds',
        false,
      ],
    ];
    for (const [id, by, isNew] of ids) {
      const { locations, visitor } = explain(artifact, { request: { id, prefetch: { mboxes } }, now: 0 });
      expect(visitor).toEqual({ by, isNew });
      expect(JSON.stringify(locations)).not.toMatch(/visitor-id|secret-token/);
    }
  });

  test('reads cookies as a client does', () => {
    const request = { execute: { mboxes: [{ name: 'hero' }] } };
    const targetCookie = 'PC#abcdefgh.35_0#9999999999';
    const { visitor, at, client } = explain(artifactOf({ hero: [] }), { request, targetCookie, now: 1e12 });
    expect({ visitor, at, client }).toEqual({
      visitor: { by: 'tntId', isNew: false },
      at: '2001-09-09T01:46:40.000Z',
      client: 'acme',
    });
  });

  test.each<[string, unknown, unknown, string]>([
    ['no artifact', 'x', { request: {} }, 'Artifact: artifact must be an object'],
    [
      'a version that does not exist',
      { version: '99.0.0' },
      { request: {} },
      'version 99.0.0 is not supported',
    ],
    ['no options', artifactOf({}), undefined, 'options must be an object'],
    ['no client', artifactOf({}, { meta: {} }), { request: {} }, 'client must be the client code'],
    ['a wrong time', artifactOf({}), { request: {}, now: 'x' }, 'now must be a time in ms since 1970'],
    ['no request', artifactOf({}), {}, 'request'],
    [
      'a wrong mbox',
      artifactOf({}),
      { request: { execute: { mboxes: [{ name: {} }] } } },
      'execute.mboxes[0].name',
    ],
  ])('refuses %s', (_, artifact, options, message) => {
    const call = () => explain(artifact as object, options as ExplainOptions);
    expect(call).toThrow(TargetError);
    expect(call).toThrow(message);
  });

  test('changes neither the artifact nor the options', () => {
    const artifact = artifactOf({ hero: [ruleOf(country)] });
    const options = {
      request: { trace: { authorizationToken: 't' }, execute: { mboxes: [{ name: 'hero' }] } },
    };
    const [before, asked] = [structuredClone(artifact), structuredClone(options)];
    const { answer } = explain(artifact, options);
    expect(answer.execute?.mboxes).toEqual([{ name: 'hero', index: 0 }]);
    expect([artifact, options]).toEqual([before, asked]);
  });
});

interface Case {
  readonly artifact?: string;
  readonly conf?: { readonly client: string };
  readonly input: { readonly request: DeliveryRequest; readonly sessionId?: string };
  readonly mockDate?: { year: number; month: number; date: number; hours?: number; minutes?: number };
}

type Suite = Omit<Case, 'input'> & { readonly test: Record<string, Case> };

(hasConformance ? describe : describe.skip)('the cases of the suites', () => {
  const files = hasConformance
    ? readdirSync(join(__dirname, '../../../shared/conformance/suites'))
    : ['not beside the project'];

  test.each(files)('%s: the answer of a client', async (file) => {
    const suite = readConformance<Suite>('suites', file);
    for (const one of Object.values(suite.test)) {
      await compareWithClient(one, suite);
    }
  });
});

async function compareWithClient(one: Case, suite: Suite): Promise<void> {
  const artifact = readConformance<object>('artifacts', `${one.artifact ?? suite.artifact ?? ''}.json`);
  const client = (one.conf ?? suite.conf)?.client ?? '';
  const date = one.mockDate ?? { year: 2020, month: 1, date: 1 };
  const now = Date.UTC(date.year, date.month, date.date, date.hours ?? 0, date.minutes ?? 0);
  const { trace, ...asked } = one.input.request;
  const request = { ...asked, id: asked.id ?? { tntId: 'somebody' } };
  jest.useFakeTimers({ now });
  try {
    const running = TargetClient.create({
      client,
      organizationId: 'org@AdobeOrg',
      decisioningMethod: 'on-device',
      artifactPayload: artifact as never,
      telemetryEnabled: false,
      fetchApi: () => Promise.reject(new Error('this client does not ask')),
    });
    const { response } = await running.getOffers({ request });
    const { answer } = explain(artifact, { request, now, client });
    const { status, execute, prefetch } = response;
    expect(JSON.stringify(answer)).toBe(
      JSON.stringify({ status, ...(execute && { execute }), ...(prefetch && { prefetch }) }),
    );
  } finally {
    jest.useRealTimers();
  }
}
