import { describe, expect, test } from '@jest/globals';
import { compileArtifact } from '../../src/on-device/rules/compile.js';
import { allocated, artifactOf, decideFrom, NOW_MS, type RuleSketch, rule } from '../fixtures/rules.js';

const GLOBAL = 'target-global-mbox';
const tokens = { 'activity.decisioningMethod': 'on-device' };
const shown = (content: string) => ({ type: 'html', content, responseTokens: tokens });
const offered = (content: string) => ({ ...shown(content), eventToken: `token-${content}` });
const click = (eventToken: string, selector = eventToken) => ({
  type: 'click' as const,
  selector,
  eventToken,
});
const display = (mbox: string, ...displayed: string[]) => ({
  id: expect.any(String),
  impressionId: expect.any(String),
  timestamp: NOW_MS,
  type: 'display',
  mbox: { name: mbox },
  tokens: displayed,
});
const rulesOf = (location: string, ...sketches: RuleSketch[]) =>
  sketches.map((sketch) => rule(location, sketch));

describe('an mbox', () => {
  const artifact = artifactOf({
    hero: rulesOf(
      'hero',
      { activity: 1, when: false, shows: 'never' },
      {
        activity: 2,
        shows: 'first',
        metrics: [click('m1'), { type: 'display', eventToken: 'd1' }, click('m1')],
      },
      { activity: 3, shows: 'second' },
    ),
    empty: rulesOf('empty', { when: false }),
    bare: [],
  });

  test('that is executed is answered by the first rule that holds, and its display is owed', () => {
    const { execute, notifications } = decideFrom(artifact, {
      execute: { mboxes: [{ name: 'hero', index: 4 }] },
    });
    expect(execute).toEqual({
      mboxes: [{ name: 'hero', index: 4, options: [shown('first')], metrics: [click('m1'), click('m1')] }],
    });
    expect(notifications).toEqual([display('hero', 'token-first')]);
    expect(new Set([notifications[0]?.id, notifications[0]?.impressionId]).size).toBe(2);
  });

  test('that is prefetched has its token, no metrics, and owes nothing', () => {
    const { prefetch, notifications } = decideFrom(artifact, {
      prefetch: { mboxes: [{ name: 'hero', index: 4 }] },
    });
    expect(prefetch).toEqual({ mboxes: [{ name: 'hero', index: 4, options: [offered('first')] }] });
    expect(notifications).toEqual([]);
  });

  test('that nothing matches is answered by its name and index', () => {
    const mboxes = [
      { name: 'empty', index: 1 },
      { name: 'bare', index: 2 },
      { name: 'unknown', index: 3 },
    ];
    expect(decideFrom(artifact, { execute: { mboxes }, prefetch: { mboxes } })).toMatchObject({
      execute: { mboxes },
      prefetch: { mboxes },
      notifications: [],
    });
  });

  test('has the metrics of clicks only, and none when there are none', () => {
    const metrics = [{ type: 'display' as const, eventToken: 'd' }];
    const { execute } = decideFrom(artifactOf({ hero: [rule('hero', { metrics })] }), {
      execute: { mboxes: [{ name: 'hero' }] },
    });
    expect(execute?.mboxes?.[0]).not.toHaveProperty('metrics');
  });

  test('owes a token once per call, whichever of its requests showed it', () => {
    const options = [{ type: 'html' as const, content: 'x', eventToken: 'same' }];
    const mboxes = artifactOf({
      a: rulesOf('a', { options }),
      b: rulesOf('b', {
        options: [...options, ...options, { type: 'html', content: 'y', eventToken: 'more' }],
      }),
      c: rulesOf('c', { options: [{ type: 'html', content: 'no token' }] }),
      d: [
        {
          ...rule('d', { options: [...options, { type: 'html', content: 'z', eventToken: 'new' }] }),
          consequence: {
            ...rule('a', { options }).consequence,
            options: [...options, { type: 'html', content: 'z', eventToken: 'new' }],
          },
        },
      ],
    });
    const request = { execute: { mboxes: ['a', 'b', 'a', 'c', 'd', 'b'].map((name) => ({ name })) } };
    expect(decideFrom(mboxes, request).notifications).toEqual([
      display('a', 'same'),
      display('b', 'same', 'more'),
      display('a', 'new'),
    ]);
  });
});

describe('the global mbox', () => {
  const artifact = artifactOf({
    [GLOBAL]: rulesOf(
      GLOBAL,
      { activity: 1, key: '1-0', shows: 'one', metrics: [click('a', 'first'), click('b')] },
      { activity: 1, key: '1-0', experience: 1, shows: 'never: same key' },
      { activity: 2, key: '2-0', when: false, shows: 'never' },
      {
        activity: 2,
        key: '2-0',
        experience: 1,
        shows: 'two',
        metrics: [click('a', 'last'), { type: 'display', eventToken: 'd' }],
      },
      { activity: 1, key: '1-1', shows: 'three' },
    ),
  });

  test('as a page load gathers every rule that holds, one per rule key, and each metric once', () => {
    const { execute, notifications } = decideFrom(artifact, { execute: { pageLoad: {} } });
    expect(execute).toEqual({
      pageLoad: {
        options: [shown('one'), shown('two'), shown('three')],
        metrics: [click('a', 'last'), click('b')],
      },
    });
    expect(notifications).toEqual([
      display(GLOBAL, 'token-one'),
      display(GLOBAL, 'token-two'),
      display(GLOBAL, 'token-three'),
    ]);
  });

  test('as a prefetched page load has tokens and no metrics', () => {
    const { prefetch, notifications } = decideFrom(artifact, { prefetch: { pageLoad: {} } });
    expect(prefetch).toEqual({ pageLoad: { options: [offered('one'), offered('two'), offered('three')] } });
    expect(notifications).toEqual([]);
  });

  test('as an mbox has one answer per rule that holds', () => {
    const { execute } = decideFrom(artifact, { execute: { mboxes: [{ name: GLOBAL, index: 3 }] } });
    expect(execute?.mboxes?.map(({ index, options }) => [index, options?.[0]?.content])).toEqual([
      [3, 'one'],
      [3, 'two'],
      [3, 'three'],
    ]);
  });

  test('that nothing matches is an empty page load, and an mbox without options', () => {
    const nothing = artifactOf({ [GLOBAL]: rulesOf(GLOBAL, { when: false }) });
    expect(
      decideFrom(nothing, { execute: { pageLoad: {}, mboxes: [{ name: GLOBAL, index: 1 }] } }).execute,
    ).toEqual({
      mboxes: [{ name: GLOBAL, index: 1 }],
      pageLoad: { options: [] },
    });
  });

  test('has the name that the artifact gives it', () => {
    const renamed = artifactOf(
      { everywhere: rulesOf('everywhere', { shows: 'here' }) },
      {},
      { globalMbox: 'everywhere' },
    );
    expect(decideFrom(renamed, { execute: { pageLoad: {} } }).execute?.pageLoad?.options).toEqual([
      shown('here'),
    ]);
  });

  test('reads the parameters and the address of the page load', () => {
    const when = { and: [{ '==': ['1', { var: 'mbox.a' }] }, { '==': ['own.org', { var: 'page.domain' }] }] };
    const own = artifactOf({ [GLOBAL]: rulesOf(GLOBAL, { when, shows: 'own' }) });
    const context = { address: { url: 'http://example.com/' } };
    const pageLoad = { parameters: { a: '1' }, address: { url: 'http://own.org/' } };
    expect(decideFrom(own, { context, execute: { pageLoad } }).execute?.pageLoad?.options).toEqual([
      shown('own'),
    ]);
    expect(
      decideFrom(own, { context, execute: { pageLoad: { parameters: { a: '1' } } } }).execute?.pageLoad
        ?.options,
    ).toEqual([]);
  });
});

test('mboxes that are set to all matching answer with every rule that holds, one per rule key', () => {
  const artifact = artifactOf({
    hero: rulesOf(
      'hero',
      { activity: 1, shows: 'one' },
      { activity: 1, shows: 'same key' },
      { activity: 2, shows: 'two' },
    ),
    other: rulesOf('other', { activity: 1, shows: 'one' }, { activity: 2, shows: 'two' }),
  });
  const compiled = compileArtifact(artifact, { client: 'acme', allMatchingMboxes: new Set(['hero']) });
  const mboxes = [
    { name: 'hero', index: 1 },
    { name: 'other', index: 2 },
  ];
  const { prefetch } = decideFrom(compiled, { prefetch: { mboxes } });
  expect(prefetch?.mboxes?.map(({ index, options }) => [index, options?.[0]?.content])).toEqual([
    [1, 'one'],
    [1, 'two'],
    [2, 'one'],
  ]);
});

test('activities with the same condition are each decided by their own allocation', () => {
  const when = allocated(0, 50);
  const activities = Array.from({ length: 40 }, (_, i) => i + 1);
  const alone = activities.filter((activity) => {
    const { execute } = decideFrom(artifactOf({ [GLOBAL]: rulesOf(GLOBAL, { activity, when }) }), {
      execute: { pageLoad: {} },
    });
    return execute?.pageLoad?.options?.length === 1;
  });
  const together = artifactOf({
    [GLOBAL]: rulesOf(GLOBAL, ...activities.map((activity) => ({ activity, when, shows: String(activity) }))),
  });
  const { execute } = decideFrom(together, { execute: { pageLoad: {} } });
  expect(execute?.pageLoad?.options?.map((option) => Number(option.content))).toEqual(alone);
  expect(alone.length).toBeGreaterThan(5);
  expect(alone.length).toBeLessThan(35);
});

describe('views', () => {
  const artifact = artifactOf(
    {},
    {
      home: rulesOf(
        'home',
        {
          activity: 1,
          key: '1-0',
          shows: 'one',
          metrics: [click('a'), { type: 'display', eventToken: 'd' }],
        },
        { activity: 1, key: '1-0', shows: 'never: same key' },
        { activity: 2, key: '2-0', shows: 'two', metrics: [click('a')] },
        { activity: 3, key: '3-0', when: { '==': ['1', { var: 'mbox.a' }] }, shows: 'with a' },
      ),
      cart: rulesOf('cart', { activity: 1, key: '1-1', shows: 'three' }),
      hidden: rulesOf('hidden', { when: false }),
    },
  );
  const home = {
    name: 'home',
    options: [offered('one'), offered('two')],
    metrics: [click('a'), { type: 'display', eventToken: 'd' }, click('a')],
  };
  const cart = { name: 'cart', options: [offered('three')], metrics: [] };

  test.each([
    ['by name', [{ name: 'home' }], [home]],
    ['all of them, without a name', [{}], [home, cart]],
    ['each as often as it is asked for', [{ name: 'cart' }, {}], [cart, home, cart]],
    ['none that nothing matches', [{ name: 'hidden' }], []],
    ['none that nobody knows', [{ name: 'unknown' }], []],
  ])('are answered: %s', (_which, views, expected) => {
    const { prefetch, notifications } = decideFrom(artifact, { prefetch: { views } });
    expect(prefetch).toEqual({ views: expected });
    expect(notifications).toEqual([]);
  });

  test('read their own parameters', () => {
    const { prefetch } = decideFrom(artifact, {
      prefetch: { views: [{ name: 'home', parameters: { a: '1' } }] },
    });
    expect(prefetch?.views?.[0]?.options).toEqual([offered('one'), offered('two'), offered('with a')]);
  });

  test('are merged by the name that their rules give them', () => {
    const crossed = artifactOf(
      {},
      {
        home: [rule('home', { activity: 1, shows: 'one' })],
        cart: [rule('home', { activity: 2, shows: 'two' })],
      },
    );
    expect(decideFrom(crossed, { prefetch: { views: [{}] } }).prefetch?.views).toEqual([
      { name: 'home', options: [offered('one'), offered('two')], metrics: [] },
    ]);
  });
});

describe('a rule with an operator that nobody knows', () => {
  const unknown = { when: { telepathy: ['yes'] }, shows: 'never' };

  test('stops its mbox: what follows may not be what the visitor should get', () => {
    const before = artifactOf({
      hero: rulesOf('hero', { activity: 1, shows: 'before' }, { activity: 2, ...unknown }),
    });
    const behind = artifactOf({
      hero: rulesOf('hero', { activity: 2, ...unknown }, { activity: 1, shows: 'behind' }),
    });
    const request = { prefetch: { mboxes: [{ name: 'hero', index: 1 }] } };
    expect(decideFrom(before, request)).toMatchObject({
      status: 206,
      remoteMboxes: ['hero'],
      prefetch: { mboxes: [{ options: [offered('before')] }] },
    });
    expect(decideFrom(behind, request)).toMatchObject({ status: 206, remoteMboxes: ['hero'] });
    expect(decideFrom(behind, request).prefetch?.mboxes).toEqual([{ name: 'hero', index: 1 }]);
  });

  test('is left out of a page load and of views', () => {
    const rules = [unknown, { activity: 1, shows: 'known' }];
    const artifact = artifactOf({ [GLOBAL]: rulesOf(GLOBAL, ...rules) }, { home: rulesOf('home', ...rules) });
    const evaluation = decideFrom(artifact, { execute: { pageLoad: {} }, prefetch: { views: [{}] } });
    expect(evaluation).toMatchObject({ status: 206, remoteMboxes: [GLOBAL], remoteViews: ['home'] });
    expect(evaluation.execute?.pageLoad?.options).toEqual([shown('known')]);
    expect(evaluation.prefetch?.views?.[0]?.options).toEqual([offered('known')]);
  });

  test('does not matter to a property that it is not for', () => {
    const artifact = artifactOf({
      hero: rulesOf('hero', { ...unknown, properties: ['p1'] }, { activity: 1, shows: 'known' }),
    });
    const { prefetch } = decideFrom(artifact, {
      property: { token: 'p2' },
      prefetch: { mboxes: [{ name: 'hero' }] },
    });
    expect(prefetch?.mboxes?.[0]?.options).toEqual([offered('known')]);
  });
});
