import { describe, expect, jest, test } from '@jest/globals';
import * as allocation from '../../src/on-device/facts/allocation.js';
import { type SimulateOptions, type Simulation, simulate } from '../../src/tools/tools.js';
import { type ArtifactLike, conformanceArtifacts, hasConformance } from './conformance.js';

const share = (from: number, to: number) => ({
  and: [{ [from === 0 ? '<=' : '<']: [from, { var: 'allocation' }] }, { '>=': [to, { var: 'allocation' }] }],
});

function ruleOf(condition: unknown, experience: string, { id = 7, key = String(id) } = {}) {
  return {
    ruleKey: key,
    activityId: id,
    meta: { 'activity.name': `Activity ${id}`, 'activity.type': 'ab', 'experience.name': experience },
    condition,
    consequence: { options: [{ type: 'html', content: experience }] },
  };
}

const halves = [ruleOf(share(0, 50), 'A'), ruleOf(share(50, 100), 'B')];

function artifactOf(rules: readonly unknown[]) {
  return {
    version: '1.0.0',
    meta: { clientCode: 'acme' },
    localMboxes: ['hero'],
    rules: { mboxes: { hero: rules }, views: {} },
  };
}

function simulateHero(
  rules: readonly unknown[],
  options: Partial<SimulateOptions> = {},
): Promise<Simulation> {
  const request = { execute: { mboxes: [{ name: 'hero' }] } };
  return simulate(artifactOf(rules), { request, now: 0, visitors: 4000, ...options });
}

describe('simulate', () => {
  test('compares what visitors get with the exact shares', async () => {
    const simulation = await simulateHero(halves);
    const [activity] = simulation.activities;
    expect(simulation).toMatchObject({
      location: { kind: 'mbox', name: 'hero' },
      visitors: 4000,
      distinct: 4000,
      none: { expected: 0, count: 0 },
      mismatch: false,
    });
    expect(activity).toMatchObject({
      id: '7',
      name: 'Activity 7',
      type: 'ab',
      reached: 4000,
      degrees: 1,
      takenBefore: 0,
    });
    expect(
      activity?.experiences.map(({ name, configured, expected }) => [name, configured, expected]),
    ).toEqual([
      ['A', 0.5001, 0.5001],
      ['B', 0.4999, 0.4999],
    ]);
    const counts = activity?.experiences.map(({ count }) => count) ?? [];
    expect((counts[0] ?? 0) + (counts[1] ?? 0)).toBe(4000);
    const sums = activity?.histogram.map((bins) => bins.reduce((a, b) => a + b, 0));
    expect(sums).toEqual(counts);
    expect(activity?.histogram.map(({ length }) => length)).toEqual([50, 50]);
  });

  test('gives the same figures each time, and others for another seed', async () => {
    const [first, second, other] = await Promise.all([
      simulateHero(halves),
      simulateHero(halves),
      simulateHero(halves, { seed: 2 }),
    ]);
    expect({ ...first, ms: 0 }).toEqual({ ...second, ms: 0 });
    expect(other?.activities[0]?.experiences).not.toEqual(first?.activities[0]?.experiences);
  });

  test('knows what activities before it take', async () => {
    const { activities, none } = await simulateHero([
      ruleOf(share(0, 50), 'A'),
      ruleOf(share(0, 50), 'B', { id: 8 }),
      ruleOf(share(50, 75), 'C', { id: 8 }),
    ]);
    expect(activities.map(({ takenBefore }) => Math.round(takenBefore * 1e4))).toEqual([0, 5001]);
    expect(activities[1]?.experiences.map(({ expected }) => expected.toFixed(4))).toEqual([
      '0.2500',
      '0.1250',
    ]);
    expect(none.expected).toBeCloseTo(0.125, 3);
    expect(none.count).toBeGreaterThan(400);
  });

  test('with every rule that holds, lets each activity have its share', async () => {
    const rules = [
      ruleOf(share(0, 50), 'A'),
      ruleOf(share(0, 50), 'A', { key: '7-1' }),
      ruleOf(true, 'B', { id: 8 }),
    ];
    const { activities } = await simulateHero(rules, { allMatchingMboxes: ['hero'] });
    expect(activities.map(({ experiences }) => experiences.map(({ expected }) => expected))).toEqual([
      [0.5001],
      [1],
    ]);
    expect(activities[1]?.reached).toBe(4000);
    expect(activities[1]?.histogram).toEqual([[]]);
  });

  test('with every rule that holds, a rule is kept back by those of its key before it', async () => {
    const rules = [ruleOf(share(0, 60), 'A'), ruleOf(share(40, 100), 'B')];
    const { activities } = await simulateHero(rules, { allMatchingMboxes: ['hero'] });
    expect(activities[0]?.experiences.map(({ expected }) => expected)).toEqual([0.6001, 0.3999]);
  });

  test('alarms later, the more activities are tested', async () => {
    const eighth = [ruleOf(share(0, 50), 'A', { id: 8 }), ruleOf(share(50, 100), 'B', { id: 8 })];
    const options = { allMatchingMboxes: ['hero'], now: 0 };
    const uneven = { 'Activity 7/A': 5168, 'Activity 7/B': 4832 };
    const even = { 'Activity 8/A': 5001, 'Activity 8/B': 4999 };
    const alone = await simulateHero([...halves, ...eighth], { ...options, observed: uneven });
    const both = await simulateHero([...halves, ...eighth], { ...options, observed: { ...uneven, ...even } });
    expect(alone.activities[0]?.p).toBeCloseTo(0.00084, 4);
    expect([alone.mismatch, both.mismatch]).toEqual([true, false]);
  });

  test('ends at a rule that only the edge can evaluate', async () => {
    const { activities, none } = await simulateHero([
      ruleOf({ regex: ['x'] }, 'A'),
      ruleOf(true, 'B', { id: 8 }),
    ]);
    expect(
      activities.map(({ experiences }) => experiences.map(({ expected, count }) => [expected, count])),
    ).toEqual([[[0, 0]]]);
    expect(none).toEqual({ expected: 1, count: 4000 });
  });

  test('says when ids repeat, and alarms', async () => {
    const ids = Array.from({ length: 4000 }, (_, index) => `visitor-${index % 2}`);
    const { visitors, distinct, mismatch } = await simulateHero(halves, { ids, visitors: undefined });
    expect({ visitors, distinct, mismatch }).toEqual({ visitors: 4000, distinct: 2, mismatch: true });
  });

  test('alarms for a hash that is not even', async () => {
    const prefix = allocation.allocationPrefix('acme', 7);
    const ids = Array.from({ length: 4000 }, (_, index) => `visitor-${index}`);
    const uneven = ids.filter((id) => allocation.allocate(prefix, id) < 90);
    expect((await simulateHero(halves, { ids })).mismatch).toBe(false);
    expect((await simulateHero(halves, { ids: uneven, visitors: undefined })).mismatch).toBe(true);
  });

  test('alarms when the engine reduces its hash by 9000', async () => {
    jest.resetModules();
    jest.doMock('../../src/on-device/facts/allocation.js', () => ({
      ...allocation,
      allocate: (...[prefix, id]: Parameters<typeof allocation.allocate>) =>
        ((allocation.allocate(prefix, id) * 100) % 9000) / 100,
    }));
    try {
      const { simulate: simulateBroken } = await import('../../src/tools/simulate.js');
      const request = { prefetch: { mboxes: [{ name: 'hero' }] } };
      const { mismatch, activities } = await simulateBroken(artifactOf(halves), { request, visitors: 4000 });
      expect({ mismatch, isUnlikely: (activities[0]?.p ?? 1) < 1e-6 }).toEqual({
        mismatch: true,
        isUnlikely: true,
      });
    } finally {
      jest.dontMock('../../src/on-device/facts/allocation.js');
      jest.resetModules();
    }
  });

  test('takes ids of any kind, also those that come one by one', async () => {
    const come = async function* () {
      yield 'a';
      yield 'b';
    };
    for (const idKind of ['tntId', 'marketingCloudVisitorId', 'thirdPartyId'] as const) {
      const { visitors, distinct } = await simulateHero(halves, { ids: come(), idKind, visitors: undefined });
      expect([visitors, distinct]).toEqual([2, 2]);
    }
  });

  test('tests the counts of a report', async () => {
    const bad = await simulateHero(halves, { observed: { A: 5210, B: 4790 } });
    expect(bad).toMatchObject({ visitors: 10_000, mismatch: true });
    expect(bad.activities[0]?.p).toBeCloseTo(0.00003, 5);
    const good = await simulateHero(halves, { observed: { A: 5060, B: 4940 } });
    expect(good.mismatch).toBe(false);
    expect(good.activities[0]?.p).toBeCloseTo(0.24, 2);
  });

  test('one experience never alarms, whatever its share is', async () => {
    const ends = Array.from({ length: 33 }, (_, index) => 3 * index + 2);
    for (const end of ends) {
      const { mismatch } = await simulateHero([ruleOf(share(0, end), 'A')], { visitors: 100 });
      expect([end, mismatch]).toEqual([end, false]);
    }
  });

  test('compares the counts of a report with the shares of those who got an experience', async () => {
    const rules = [ruleOf(share(0, 25), 'A'), ruleOf(share(25, 50), 'B')];
    const { activities, none } = await simulateHero(rules, { observed: { A: 500, B: 500 } });
    const [activity] = activities;
    expect(activity?.experiences.map(({ share: part, expected }) => [part, expected.toFixed(4)])).toEqual([
      [0.5, '0.5001'],
      [0.5, '0.4999'],
    ]);
    expect(none).toEqual({ expected: 0, count: 0 });
  });

  test('compares each activity of a page load for itself with a report', async () => {
    const rules = [...halves, ruleOf(share(0, 25), 'C', { id: 8 }), ruleOf(share(25, 50), 'D', { id: 8 })];
    const observed = { A: 50, B: 50, C: 10, D: 10 };
    const { activities, mismatch } = await simulateHero(rules, { observed, allMatchingMboxes: ['hero'] });
    expect(activities.flatMap(({ experiences }) => experiences.map((one) => one.share))).toEqual([
      0.5, 0.5, 0.5, 0.5,
    ]);
    expect(mismatch).toBe(false);
  });

  describe('says what the edge decides', () => {
    const simulateIn = (more: object, name = 'hero') =>
      simulate(
        { ...artifactOf(halves), ...more },
        { request: { execute: { mboxes: [{ name }] } }, now: 0, visitors: 100 },
      );

    test('of an mbox that no rule names', async () => {
      expect((await simulateIn({}, 'heros')).remote).toEqual({
        reason: 'unknown',
        text: 'no rule names this mbox; did you mean hero?',
      });
    });

    test('of an mbox that is listed as remote', async () => {
      expect((await simulateIn({ remoteMboxes: ['hero'] })).remote).toMatchObject({ reason: 'listed' });
    });

    test('behind a rule that only it can evaluate', async () => {
      const { remote, activities } = await simulateHero([
        ruleOf({ regex: ['x'] }, 'A'),
        ruleOf(share(0, 50), 'B', { id: 8 }),
      ]);
      expect(remote).toEqual({
        reason: 'undecidable',
        text: 'of a rule, the operator “regex” cannot be evaluated on-device',
      });
      expect(activities.map(({ takenBefore }) => takenBefore)).toEqual([0]);
    });

    test('and nothing else is remote', async () => {
      expect(await simulateHero(halves)).not.toHaveProperty('remote');
    });
  });

  test('knows a rule key of two activities', async () => {
    const shared = [
      ruleOf(share(0, 50), 'A', { key: 'k' }),
      ruleOf(share(0, 60), 'B', { id: 8, key: 'k' }),
      ruleOf(share(0, 50), 'B', { id: 8, key: 'own' }),
      ruleOf(share(0, 50), 'C', { id: 9, key: 'k' }),
    ];
    const { activities, none, mismatch } = await simulateHero(shared, { allMatchingMboxes: ['hero'] });
    for (const { experiences } of activities) {
      for (const { expected, count } of experiences) {
        expect(Math.abs(count / 4000 - expected)).toBeLessThan(0.04);
      }
    }
    expect(Math.abs(none.count / 4000 - none.expected)).toBeLessThan(0.04);
    expect(mismatch).toBe(false);
    expect(activities.map(({ takenBefore }) => takenBefore > 0)).toEqual([false, true, true]);
  });

  test('takes the activities 7 and "7" for one, as the allocation does', async () => {
    const text = { ...ruleOf(share(0, 50), 'B'), activityId: '7' };
    const { activities, none } = await simulateHero([ruleOf(share(0, 50), 'A'), text]);
    expect(activities.map(({ experiences }) => experiences.map(({ expected }) => expected))).toEqual([
      [0.5001, 0],
    ]);
    expect(none.expected).toBeCloseTo(0.4999, 10);
  });

  test('counts ids of one visitor on several clusters once', async () => {
    const ids = ['a', 'a.35_0', 'a.37_0', 'b'];
    expect(await simulateHero(halves, { ids, visitors: undefined })).toMatchObject({
      visitors: 4,
      distinct: 2,
    });
  });

  test('asks for no id that it does not need', async () => {
    let asked = 0;
    const ids = (function* () {
      while (true) {
        asked += 1;
        yield `visitor-${asked}`;
      }
    })();
    await simulateHero(halves, { ids, visitors: 10 });
    expect(asked).toBe(10);
  });

  test('tells experiences of one name apart', async () => {
    const rules = [...halves, ruleOf(true, 'A', { id: 8 })];
    await expect(simulateHero(rules, { observed: { A: 1 } })).rejects.toThrow(
      'observed must be by experience (Activity 7/A, Activity 7/B, Activity 8/A)',
    );
    const { activities } = await simulateHero(rules, {
      observed: { 'Activity 7/A': 40, 'Activity 7/B': 60 },
    });
    expect(activities.map(({ reached, p }) => [reached, p !== undefined])).toEqual([
      [100, true],
      [0, false],
    ]);
  });

  test('tells how far it is, gives way, and can be aborted', async () => {
    const told: number[] = [];
    await simulateHero(halves, {
      visitors: 12_000,
      onProgress: ({ done, total = 0 }) => told.push(done / total),
    });
    expect(told).toEqual([5 / 12, 10 / 12, 1]);
    const controller = new AbortController();
    const stopped = simulateHero(halves, {
      visitors: 1e9,
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('enough')),
    });
    await expect(stopped).rejects.toMatchObject({ code: 'ERR_TARGET_ABORTED', cause: { message: 'enough' } });
  });

  test.each<[string, object, string]>([
    [
      'two mboxes',
      { request: { execute: { mboxes: [{ name: 'a' }, { name: 'b' }] } } },
      'request must be for one mbox',
    ],
    ['all views', { request: { prefetch: { views: [{}] } } }, 'request must be for one mbox'],
    ['no visitors', { visitors: 0 }, 'visitors must be a whole number above 0'],
    ['a wrong seed', { seed: 1.5 }, 'seed must be a whole number'],
    ['a wrong kind', { idKind: 'ecid' }, 'idKind must be one of tntId'],
    ['ids of another form', { ids: 5 }, 'ids must be a list of ids'],
    ['no ids', { ids: [], visitors: undefined }, 'ids must be at least one id'],
    ['an id that a client refuses', { ids: ['x'.repeat(129)] }, 'ids must be at most 128 characters'],
    ['a long thirdPartyId', { ids: ['x'.repeat(257)], idKind: 'thirdPartyId' }, 'ids must be at most 256'],
    ['an id that is none', { ids: [{}] }, 'ids must be filled texts'],
    ['a count that is none', { observed: { A: 'x' } }, 'observed.A must be a number from 0 on'],
    ['counts that are none', { observed: 3 }, 'observed must be counts by experience'],
    ['an experience that does not exist', { observed: { Z: 1 } }, 'observed must be by experience'],
  ])('refuses %s', async (_, options, message) => {
    await expect(simulateHero(halves, options)).rejects.toThrow(message);
  });
});

const isWhole = process.env.TOOLS_RUNS !== undefined;

function locationsOf({ rules }: ArtifactLike): object[] {
  return [
    ...Object.keys(rules.mboxes).map((name) => ({ mboxes: [{ name }] })),
    ...Object.keys(rules.views).map((name) => ({ views: [{ name }] })),
    { pageLoad: {} },
  ];
}

/** The large artifact takes as long as all others, so it has a test of its own. */
const LARGE = 'sample';
const VISITORS = 4000;

(hasConformance ? describe : describe.skip)('the shared artifacts', () => {
  const names = conformanceArtifacts().map(([name]) => name);
  test.each(names)('%s: all locations give what they should', async (name) => {
    const artifact = new Map(conformanceArtifacts()).get(name);
    const locations = artifact ? locationsOf(artifact) : [];
    for (const prefetch of name === LARGE && !isWhole ? locations.slice(-4) : locations) {
      await checkLocation(artifact ?? {}, name, prefetch);
    }
  });
});

async function checkLocation(artifact: object, name: string, prefetch: object): Promise<void> {
  const address = { url: 'http://local-target-test/' };
  const request = { context: { channel: 'web' as const, address }, prefetch };
  const options = { request, now: 0, client: 'acme', visitors: VISITORS };
  const { activities, mismatch, none } = await simulate(artifact, options);
  const told = `${name} ${JSON.stringify(prefetch)}`;
  expect([told, mismatch]).toEqual([told, false]);
  const all = [...activities.flatMap(({ experiences }) => experiences), none];
  const wrong = all.filter(({ expected, count }) => {
    const isExact = expected === 0 || expected === 1;
    const sigma = Math.sqrt(VISITORS * expected * (1 - expected));
    return Math.abs(count - VISITORS * expected) > (isExact ? 0 : 5 * sigma + 1e-6);
  });
  expect([told, wrong]).toEqual([told, []]);
}
