import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Schema, Validator } from '@cfworker/json-schema';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Artifact } from '../../src/artifact.js';
import type { DeliveryRequest, DeliveryResponse } from '../../src/delivery-api.js';
import { TargetError } from '../../src/errors.js';
import {
  type ActivityBuilder,
  type ArtifactPlan,
  type Audience,
  actions,
  activity,
  audience,
  buildArtifact,
  createTestClient,
  dynamic,
  html,
  json,
  redirect,
} from '../../src/testing/edge.js';
import { ARTIFACT_SCHEMA } from './artifact-schema.js';

const CONFORMANCE = join(process.cwd(), '../shared/conformance/artifacts');
const validator = new Validator(ARTIFACT_SCHEMA as Schema, '2019-09', false);
const faultsOf = (artifact: unknown) =>
  validator
    .validate(JSON.parse(JSON.stringify(artifact)))
    .errors.map(({ instanceLocation, error }) => [instanceLocation, error]);
const built = (...activities: ActivityBuilder[]) => buildArtifact({ activities });
const CIRCLE: unknown[] = [];
CIRCLE.push(CIRCLE);
const SPLIT = { A: [50, html('a')], B: [50, html('b')] } as const;

async function answerOf(artifact: Artifact, request: DeliveryRequest): Promise<DeliveryResponse> {
  const { client } = createTestClient({ artifact });
  const context = { channel: 'web' } as const;
  return (await client.getOffers({ request: { context, id: { tntId: 'visitor.35_0' }, ...request } }))
    .response;
}
const contentsOf = ({ execute, prefetch }: DeliveryResponse) =>
  [
    ...(execute?.mboxes ?? []),
    ...(prefetch?.mboxes ?? []),
    ...(prefetch?.views ?? []),
    execute?.pageLoad,
  ].flatMap((location) => location?.options?.map(({ content }) => content) ?? []);
const mboxes = (...names: string[]) => ({
  execute: { mboxes: names.map((name, index) => ({ name, index })) },
});

const withSuites = existsSync(CONFORMANCE) ? test : test.skip;
withSuites('the schema is that of real artifacts, when the conformance suites are beside the project', () => {
  // Two of the artifacts are of an older form, and clients refuse one of them.
  const names = readdirSync(CONFORMANCE).filter((name) => !/UNSUPPORTED|BLANK/.test(name));
  expect(names.length).toBeGreaterThan(10);
  const faults = names.map((name) => [
    name,
    faultsOf(JSON.parse(readFileSync(join(CONFORMANCE, name), 'utf8'))),
  ]);
  expect(faults.filter(([, found]) => found?.length)).toEqual([]);
});

describe('an activity', () => {
  test('is shown in its mboxes, its views and with the page load', async () => {
    const artifact = built(
      activity('Everywhere').mbox('hero').mbox('footer').view('cart').pageLoad().only(html('here')),
    );
    expect(faultsOf(artifact)).toEqual([]);
    expect([artifact.localMboxes, artifact.localViews]).toEqual([
      ['hero', 'footer', 'target-global-mbox'],
      ['cart'],
    ]);
    const response = await answerOf(artifact, {
      execute: { ...mboxes('hero', 'footer').execute, pageLoad: {} },
      prefetch: { views: [{}] },
    });
    expect(contentsOf(response)).toEqual(['here', 'here', 'here', 'here']);
  });

  test('has offers of every kind, one or several, and names itself in their response tokens', async () => {
    const offers = [
      html('<p>'),
      json({ a: [1] }),
      json(null),
      redirect('/x'),
      dynamic('https://o.example/'),
      actions([{ type: 'setHtml', selector: '#a', content: 'b' }]),
    ];
    const artifact = built(activity('All').mbox('hero').only(offers));
    expect(faultsOf(artifact)).toEqual([]);
    const options = (await answerOf(artifact, mboxes('hero'))).execute?.mboxes?.[0]?.options ?? [];
    expect(options.map(({ type, content }) => ({ type, content }))).toEqual(offers);
    expect(options[0]?.responseTokens).toEqual({
      'activity.decisioningMethod': 'on-device',
      'activity.id': expect.any(Number),
      'activity.name': 'All',
      'activity.type': 'landing',
      'experience.id': 0,
      'experience.name': 'Experience A',
      'location.id': 0,
      'location.name': 'hero',
      'location.type': 'mbox',
      'offer.id': expect.any(Number),
      'offer.name': 'All: Experience A',
      'option.id': 0,
      'option.name': 'Experience A',
    });
  });

  test('shows one experience of its split, which may be what the page shows by itself', async () => {
    const hero = activity('Hero').mbox('hero');
    expect(contentsOf(await answerOf(built(hero.split({ B: [100, html('b')] })), mboxes('hero')))).toEqual([
      'b',
    ]);
    const control = await answerOf(built(hero.split({ control: [1] })), mboxes('hero'));
    expect(control.execute?.mboxes?.[0]?.options).toEqual([]);
    const kit = createTestClient({ artifact: built(hero.split({ control: [1] })) });
    await kit.client.getOffers({ request: mboxes('hero') });
    await kit.client.flush();
    expect(kit.notifications).toEqual([expect.objectContaining({ type: 'display', mbox: { name: 'hero' } })]);
  });

  test('is shown to its audience alone, or to that of all of its audiences', async () => {
    const { param } = audience;
    const artifact = built(
      activity('Gold').mbox('hero').only(html('gold')).when(param('plan').is('gold')).when(param('n').is(1)),
    );
    const ask = async (parameters: Record<string, string>) =>
      contentsOf(await answerOf(artifact, { execute: { mboxes: [{ name: 'hero', index: 0, parameters }] } }));
    expect(await ask({ plan: 'gold', n: '1' })).toEqual(['gold']);
    expect([await ask({ plan: 'gold' }), await ask({ n: '1' })]).toEqual([[], []]);
  });

  test('belongs to its properties alone', async () => {
    const artifact = built(activity('Shop').mbox('hero').only(html('x')).property('shop').property('app'));
    const ask = async (token?: string) =>
      contentsOf(await answerOf(artifact, { ...mboxes('hero'), ...(token && { property: { token } }) }));
    expect([await ask('shop'), await ask('app'), await ask('blog'), await ask()]).toEqual([
      ['x'],
      ['x'],
      [],
      [],
    ]);
    expect(faultsOf(artifact)).toEqual([]);
  });

  test('of the highest priority is shown, and of equal ones the first', async () => {
    const at = (name: string, priority: number) =>
      activity(name).mbox('hero').only(html(name)).priority(priority);
    const shown = async (...all: ActivityBuilder[]) =>
      contentsOf(await answerOf(built(...all), mboxes('hero')));
    expect(await shown(at('low', 1), at('high', 2))).toEqual(['high']);
    expect(await shown(at('first', 5), at('second', 5))).toEqual(['first']);
  });

  test('counts clicks and displays, which the edge takes', async () => {
    const artifact = built(
      activity('Hero').mbox('hero').view('cart').only(html('x')).clicks().clicks('#buy'),
    );
    expect(faultsOf(artifact)).toEqual([]);
    const { client } = createTestClient({ artifact });
    const { response } = await client.getOffers({
      request: { ...mboxes('hero'), prefetch: { views: [{ name: 'cart' }] } },
    });
    const metrics = response.execute?.mboxes?.[0]?.metrics ?? [];
    expect(metrics.map(({ type, selector }) => [type, selector])).toEqual([
      ['click', undefined],
      ['click', '#buy'],
    ]);
    const view = response.prefetch?.views?.[0];
    expect(view?.metrics).toHaveLength(2);
    const tokens = [metrics[0]?.eventToken ?? '', view?.options?.[0]?.eventToken ?? ''];
    const sent = await client.sendNotifications({
      request: { notifications: [{ id: 'n1', type: 'click', timestamp: 1, mbox: { name: 'hero' }, tokens }] },
    });
    expect(sent.response.notifications).toEqual([{ id: 'n1' }]);
  });

  test('keeps its own copy of offers, and builders can be shared', async () => {
    const content = { list: [1] };
    const base = activity('Base').mbox('hero');
    const one = base.only(json(content));
    const two = base.mbox('footer').only(html('two'));
    content.list.push(2);
    expect(contentsOf(await answerOf(built(one), mboxes('hero', 'footer')))).toEqual([{ list: [1] }]);
    expect(built(two).localMboxes).toEqual(['hero', 'footer']);
    expect(built(one).localMboxes).toEqual(['hero']);
  });

  test('may have any names', async () => {
    for (const name of ['__proto__', 'constructor', 'toString', '日本', '😀"\\', '1']) {
      const experiences = Object.fromEntries([[name, [1, html(name)] as const]]);
      const artifact = buildArtifact({
        activities: [activity(name).mbox(name).view(name).split(experiences)],
        overrides: Object.fromEntries([[name, name]]),
      });
      expect(faultsOf(artifact)).toEqual([]);
      const response = await answerOf(artifact, { ...mboxes(name), prefetch: { views: [{ name }] } });
      expect(contentsOf(response)).toEqual([name, name]);
    }
  });
});

describe('an artifact', () => {
  test('is the same in each run with stable ids, and has the present time without', () => {
    const plan = { activities: [activity('Hero').mbox('hero').split(SPLIT)] };
    const stable = JSON.stringify(buildArtifact({ ...plan, ids: 'stable' }));
    expect(JSON.stringify(buildArtifact({ ...plan, ids: 'stable' }))).toBe(stable);
    expect(JSON.parse(stable).meta.generatedAt).toBe('2026-01-01T00:00:00.000Z');
    const { rules, meta } = buildArtifact(plan);
    expect(JSON.stringify(rules)).toBe(JSON.stringify(JSON.parse(stable).rules));
    expect(Date.parse(String(meta?.generatedAt))).toBeGreaterThan(Date.UTC(2026, 0, 2));
  });

  test('has the client, the global mbox and the geo look-up that it is given', async () => {
    const activities = [activity('Hero').pageLoad().only(html('x'))];
    const artifact = buildArtifact({ activities, client: 'acme', globalMbox: 'all-pages', geo: true });
    expect(artifact).toMatchObject({
      meta: { clientCode: 'acme' },
      globalMbox: 'all-pages',
      geoTargetingEnabled: true,
    });
    expect(contentsOf(await answerOf(artifact, { execute: { pageLoad: {} } }))).toEqual(['x']);
    expect(buildArtifact({ activities }).geoTargetingEnabled).toBe(false);
    const blank = buildArtifact({ activities: [] });
    expect(faultsOf(blank)).toEqual([]);
  });

  test('shows everybody the experience of an override, but only in the audience', async () => {
    const gold = activity('Hero').mbox('hero').split(SPLIT).when(audience.param('plan').is('gold'));
    const artifact = buildArtifact({ activities: [gold], overrides: { Hero: 'B' } });
    expect(faultsOf(artifact)).toEqual([]);
    for (let visitor = 0; visitor < 50; visitor += 1) {
      const { client } = createTestClient({ artifact });
      const ask = async (parameters: Record<string, string>) => {
        const request = { execute: { mboxes: [{ name: 'hero', parameters }] } };
        return contentsOf((await client.getOffers({ request })).response);
      };
      expect([await ask({ plan: 'gold' }), await ask({})]).toEqual([['b'], []]);
    }
    const forced = buildArtifact({
      activities: [activity('Hero').mbox('hero').split(SPLIT)],
      overrides: { Hero: 'B' },
    });
    const tokens = (await answerOf(forced, mboxes('hero'))).execute?.mboxes?.[0]?.options?.[0]
      ?.responseTokens;
    expect(tokens).toMatchObject({ 'experience.id': 1, 'experience.name': 'B' });
  });
});

describe('shares', () => {
  /** The ends of the ranges of allocation, in percent. */
  const rangesOf = (weights: readonly number[]) => {
    const experiences = Object.fromEntries(
      weights.map((weight, index) => [`e${index}`, [weight, html('x')] as const]),
    );
    const { rules } = built(activity('Hero').mbox('hero').split(experiences));
    return (rules.mboxes?.hero ?? []).map((rule) => {
      const { and } = (rule as { condition: { and: Record<string, [number]>[] } }).condition;
      return [and[0]?.['<=']?.[0], and[1]?.['>']?.[0]];
    });
  };

  test.each<[readonly number[], readonly (readonly number[])[]]>([
    [
      [50, 50],
      [
        [0, 50],
        [50, 100],
      ],
    ],
    [
      [1, 1, 1],
      [
        [0, 33.33],
        [33.33, 66.67],
        [66.67, 100],
      ],
    ],
    [
      [3, 1],
      [
        [0, 75],
        [75, 100],
      ],
    ],
    [
      [1e308, 1e308],
      [
        [0, 50],
        [50, 100],
      ],
    ],
    [
      [1e-300, 3e-300],
      [
        [0, 25],
        [25, 100],
      ],
    ],
    [
      [1, 1e9],
      [
        [0, 0.01],
        [0.01, 100],
      ],
    ],
    [
      [1e9, 1, 1],
      [
        [0, 99.98],
        [99.98, 99.99],
        [99.99, 100],
      ],
    ],
  ])('of %j', (weights, ranges) => {
    expect(rangesOf(weights)).toEqual(ranges);
  });

  test('of any weights leave no gap, overlap nowhere, and are theirs to a hundredth of a percent', () => {
    const weight = fc.oneof(
      fc.integer({ min: 1, max: 100 }),
      fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.array(weight, { minLength: 1, maxLength: 12 }), (weights) => {
        const ranges = rangesOf(weights);
        const total = weights.reduce((sum, one) => sum + one, 0);
        let end = 0;
        for (const [index, [from = 0, to = 0]] of ranges.entries()) {
          expect(from).toBe(end);
          expect(to).toBeGreaterThan(from);
          expect(to).toBe(Math.round(to * 100) / 100);
          const share = (100 * (weights[index] ?? 0)) / total;
          expect(Math.abs(to - from - share)).toBeLessThanOrEqual(0.01 * weights.length + 1e-9);
          end = to;
        }
        expect(end).toBe(100);
      }),
      { seed: 10, numRuns: 300 },
    );
  });
});

describe('wrong use is refused by name', () => {
  const hero = activity('Hero').mbox('hero');
  const split = (experiences: unknown) => () => hero.split(experiences as typeof SPLIT);
  const only = (offers: unknown) => () => hero.only(offers as ReturnType<typeof html>);
  const build = (plan: unknown) => () => buildArtifact(plan as ArtifactPlan);
  const activities = [hero.split(SPLIT)];
  const PATH = 'activity("Hero")';
  test.each<[string, () => unknown, string, string]>([
    ['no name', () => activity(''), 'name', 'name must be a text of 1 to 250 characters, not ""'],
    ['a number as name', () => activity(3 as unknown as string), 'name', 'not the number 3'],
    ['an mbox without name', () => hero.mbox(''), `${PATH}.mbox`, 'must be a text of 1 to 250 characters'],
    [
      'an mbox twice',
      () => hero.mbox('hero'),
      `${PATH}.mbox`,
      'must be a location that the activity does not have yet, not "hero"',
    ],
    ['a page load twice', () => hero.pageLoad().pageLoad(), `${PATH}.pageLoad`, 'does not have yet'],
    [
      'a long view',
      () => hero.view('v'.repeat(129)),
      `${PATH}.view`,
      'must be a text of 1 to 128 characters',
    ],
    ['no split', split({}), `${PATH}.split`, 'must be an object with 1 to 10000 experiences'],
    ['a split of nothing', split(undefined), `${PATH}.split`, 'needs an object with 1 to 10000 experiences'],
    [
      'offers without weight',
      split({ A: html('a') }),
      `${PATH}.split.A`,
      'must be a list of a weight and offers',
    ],
    [
      'weight 0',
      split({ A: [0, html('a')] }),
      `${PATH}.split.A[0]`,
      'must be a weight above 0, not the number 0',
    ],
    ['a negative weight', split({ A: [-1, html('a')] }), `${PATH}.split.A[0]`, 'not the number -1'],
    ['weight NaN', split({ A: [Number.NaN, html('a')] }), `${PATH}.split.A[0]`, 'not the number NaN'],
    [
      'an infinite weight',
      split({ A: [Number.POSITIVE_INFINITY] }),
      `${PATH}.split.A[0]`,
      'not the number Infinity',
    ],
    ['a text as weight', split({ A: ['50', html('a')] }), `${PATH}.split.A[0]`, 'not "50"'],
    [
      'a text as offer',
      split({ A: [50, 'a'] }),
      `${PATH}.split.A[1]`,
      'must be an offer, such as html("…") or json({ … }), not "a"',
    ],
    ['null as offer', split({ A: [50, null] }), `${PATH}.split.A[1]`, 'must be an offer'],
    ['no offers', only([]), `${PATH}.only`, 'must be one or more offers'],
    ['an unknown type', only({ type: 'xml', content: 'a' }), `${PATH}.only`, 'must be an offer'],
    ['a circle', only(json(CIRCLE)), `${PATH}.only`, 'must be an offer whose content can be written as JSON'],
    ['a big integer', only(json([1n])), `${PATH}.only`, 'can be written as JSON'],
    ['a function as content', only(json(() => 1)), `${PATH}.only`, 'can be written as JSON'],
    [
      'response tokens',
      only(html('a', { responseTokens: { a: 1 } })),
      `${PATH}.only.responseTokens`,
      'must be absent',
    ],
    [
      'no audience',
      () => hero.when(undefined as unknown as Audience),
      `${PATH}.when`,
      'needs an audience, such as',
    ],
    [
      'a fact as audience',
      () => hero.when(param('plan') as unknown as Audience),
      `${PATH}.when`,
      'must be an audience',
    ],
    ['no property', () => hero.property(''), `${PATH}.property`, 'must be a text'],
    [
      'a priority',
      () => hero.priority(1000),
      `${PATH}.priority`,
      'must be an integer from 0 to 999, not the number 1000',
    ],
    ['a broken priority', () => hero.priority(1.5), `${PATH}.priority`, 'not the number 1.5'],
    ['an empty selector', () => hero.clicks(''), `${PATH}.clicks`, 'must be a text'],
    ['nothing', build(undefined), 'buildArtifact', 'buildArtifact needs an object'],
    [
      'a misspelt option',
      build({ activities, override: {} }),
      'buildArtifact.override',
      'buildArtifact: unknown option "override": did you mean "overrides"?',
    ],
    ['no activities', build({}), 'activities', 'activities needs a list of activities'],
    [
      'no builder',
      build({ activities: [{}] }),
      'activities[0]',
      'must be an activity, such as activity("Hero")',
    ],
    [
      'no location',
      build({ activities: [activity('Hero').only(html('a'))] }),
      PATH,
      'activity("Hero") needs a location: add mbox(name), view(name) or pageLoad()',
    ],
    [
      'no offers at all',
      build({ activities: [hero] }),
      PATH,
      'activity("Hero") needs offers: add split({ … }) or only(offer)',
    ],
    [
      'a name twice',
      build({ activities: [...activities, ...activities] }),
      'activities[1]',
      'must be an activity with a name of its own, not "Hero"',
    ],
    [
      'the global mbox twice',
      build({ activities: [hero.pageLoad().only(html('a'))], globalMbox: 'hero' }),
      `${PATH}.mbox`,
      'another mbox than that of the page load',
    ],
    [
      'an unknown activity',
      build({ activities, overrides: { Heros: 'B' } }),
      'overrides',
      'must be named like an activity (Hero), not "Heros"',
    ],
    [
      'an unknown experience',
      build({ activities, overrides: { Hero: 'C' } }),
      'overrides.Hero',
      'must be one of A, B, not "C"',
    ],
    [
      'overrides',
      build({ activities, overrides: 'B' }),
      'overrides',
      'must be an object such as { Hero: "B" }, not "B"',
    ],
    ['ids', build({ activities, ids: 'fixed' }), 'ids', 'must be "random" or "stable", not "fixed"'],
    ['geo', build({ activities, geo: 'yes' }), 'geo', 'must be true or false, not "yes"'],
    ['client', build({ activities, client: '' }), 'client', 'must be a text that is not empty'],
    ['globalMbox', build({ activities, globalMbox: 3 }), 'globalMbox', 'not the number 3'],
  ])('%s', (_, act, path, message) => {
    let error: unknown;
    try {
      act();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(TargetError);
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_CONFIG', path });
    expect((error as TargetError).message).toContain(message);
  });
  const { param } = audience;
});
