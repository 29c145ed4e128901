import { Validator } from '@cfworker/json-schema';
import { describe, expect, test } from '@jest/globals';
import { activity, audience, buildArtifact, html, json } from '../../src/testing/edge.js';
import { ARTIFACT_SCHEMA, type FindingCode, inspect, validate } from '../../src/tools/tools.js';
import { conformanceArtifacts, hasConformance } from './conformance.js';

const share = (from: number, to: number) => ({
  and: [{ [from === 0 ? '<=' : '<']: [from, { var: 'allocation' }] }, { '>=': [to, { var: 'allocation' }] }],
});

interface TestRule {
  ruleKey: unknown;
  activityId?: number;
  propertyTokens?: string[];
  meta: unknown;
  condition: unknown;
  consequence: unknown;
}

function ruleOf(condition: unknown, experience: string, id = 7): TestRule {
  return {
    ruleKey: String(id),
    activityId: id,
    meta: { 'activity.name': `Activity ${id}`, 'activity.type': 'ab', 'experience.name': experience },
    condition,
    consequence: { options: [{ type: 'html', content: experience }] },
  };
}

interface TestArtifact {
  version: string;
  meta: object;
  geoTargetingEnabled?: boolean;
  localMboxes: string[];
  remoteMboxes: string[];
  rules: { mboxes: Record<string, TestRule[]>; views: object };
}

function artifactOf(): TestArtifact {
  return {
    version: '1.0.0',
    meta: { clientCode: 'acme' },
    localMboxes: ['hero'],
    remoteMboxes: [],
    rules: { mboxes: { hero: [ruleOf(share(0, 50), 'A'), ruleOf(share(50, 100), 'B')] }, views: {} },
  };
}

function rulesIn(artifact: TestArtifact): TestRule[] {
  return artifact.rules.mboxes.hero ?? [];
}

const and = (...parts: unknown[]) => ({ and: parts });

type Row = [code: FindingCode, path: string, text: string, change: (artifact: TestArtifact) => void];

const ROWS: Row[] = [
  [
    'operator',
    'rules.mboxes.hero[0].condition',
    'the operator “regex” cannot be evaluated on-device',
    (a) => {
      rulesIn(a)[0] = ruleOf({ regex: [{ var: 'page.url' }, 'x'] }, 'A');
    },
  ],
  [
    'rule',
    'rules.mboxes.hero[2]',
    'the rule does not have the shape of a rule',
    (a) => {
      rulesIn(a).push({ ...ruleOf(true, 'C'), meta: 'x' });
    },
  ],
  [
    'rule',
    'rules.mboxes.hero[2]',
    'the rule has no activity id',
    (a) => {
      const { activityId, ...rest } = ruleOf(true, 'C');
      rulesIn(a).push(rest);
    },
  ],
  [
    'shape',
    'rules.mboxes.hero[0].ruleKey',
    'must be a text, not a number',
    (a) => {
      for (const rule of rulesIn(a)) {
        rule.ruleKey = 7;
      }
    },
  ],
  [
    'unlisted',
    'rules.mboxes.hero',
    'is in neither list',
    (a) => {
      a.localMboxes = [];
    },
  ],
  [
    'overlap',
    'rules.mboxes.hero[1]',
    '10 % of visitors are in the shares of A and of B',
    (a) => {
      rulesIn(a)[1] = ruleOf(share(40, 100), 'B');
    },
  ],
  [
    'gap',
    'rules.mboxes.hero[0]',
    '10 % of visitors are in no share',
    (a) => {
      rulesIn(a)[1] = ruleOf(share(60, 100), 'B');
    },
  ],
  [
    'unreachable',
    'rules.mboxes.hero[2]',
    'nobody reaches Activity 8 on hero: Activity 7 takes everybody',
    (a) => {
      rulesIn(a).push(ruleOf(true, 'A', 8));
    },
  ],
  [
    'unreachable',
    'rules.mboxes.hero[2]',
    'nobody reaches C of Activity 7 on hero: its other rules take everybody',
    (a) => {
      rulesIn(a).push(ruleOf({ '==': ['x', { var: 'mbox.x' }] }, 'C'));
    },
  ],
  [
    'unreachable',
    'rules.mboxes.hero[2]',
    'nobody reaches B of Activity 7 on hero: Activity 8 takes everybody',
    (a) => {
      rulesIn(a).splice(1, 0, ruleOf(true, 'A', 8));
    },
  ],
  [
    'case',
    'rules.mboxes.hero[0].condition',
    '“Cart” has capitals, and page.url_lc never has (2 rules)',
    (a) => {
      const url = { in: ['Cart', { var: 'page.url_lc' }] };
      a.rules.mboxes.hero = [ruleOf(and(share(0, 50), url), 'A'), ruleOf(and(share(50, 100), url), 'B')];
    },
  ],
  [
    'geo-off',
    'rules.mboxes.hero[0].condition',
    'the rule reads the place of a visitor',
    (a) => {
      a.rules.mboxes.hero = [ruleOf({ '==': ['US', { var: 'geo.country' }] }, 'A')];
    },
  ],
  [
    'twice',
    'localMboxes',
    'hero is listed twice',
    (a) => {
      a.localMboxes.push('hero');
    },
  ],
  [
    'remote',
    'remoteMboxes',
    'the mbox side is decided by the edge',
    (a) => {
      a.remoteMboxes.push('side');
    },
  ],
  [
    'both',
    'remoteMboxes',
    'the mbox hero is in both lists',
    (a) => {
      a.remoteMboxes.push('hero');
    },
  ],
  [
    'no-rules',
    'localMboxes',
    'the mbox my side is listed and has no rule',
    (a) => {
      a.localMboxes.push('my side');
    },
  ],
  [
    'expired',
    'rules.mboxes.hero[0].condition',
    'its time frame ended at 1970-01-01 00:00:05 UTC',
    (a) => {
      a.rules.mboxes.hero = [ruleOf({ '<=': [0, { var: 'current_timestamp' }, 5000] }, 'A')];
    },
  ],
  [
    'not-yet',
    'rules.mboxes.hero[0].condition',
    'its time frame begins at 2100',
    (a) => {
      const [from, to] = [Date.UTC(2100, 0), Date.UTC(2101, 0)];
      a.rules.mboxes.hero = [ruleOf({ '<=': [from, { var: 'current_timestamp' }, to] }, 'A')];
    },
  ],
];

const NOW = Date.UTC(2026, 0);

describe('validate', () => {
  test('finds nothing in a sound artifact', () => {
    expect(validate(artifactOf(), { now: NOW })).toEqual([]);
  });

  test.each<[string, (artifact: ReturnType<typeof artifactOf>) => void]>([
    [
      'a key for each experience',
      (a) => {
        rulesIn(a).forEach((rule, index) => {
          rule.ruleKey = String(index);
        });
      },
    ],
    [
      'one audience in two orders',
      (a) => {
        const [x, y] = ['x', 'y'].map((name) => ({ '==': [name, { var: `mbox.${name}` }] }));
        a.rules.mboxes.hero = [ruleOf(and(share(0, 50), x, y), 'A'), ruleOf(and(share(50, 100), y, x), 'B')];
      },
    ],
    [
      'an audience for each experience',
      (a) => {
        const [x, y] = ['x', 'y'].map((name) => ({ '==': [name, { var: `mbox.${name}` }] }));
        a.rules.mboxes.hero = [ruleOf(and(share(0, 50), x), 'A'), ruleOf(and(share(50, 100), y), 'B')];
      },
    ],
    [
      'null for each part that may be missing',
      (a) => {
        Object.assign(a, { remoteMboxes: null, remoteViews: null, responseTokens: null, globalMbox: null });
      },
    ],
  ])('finds nothing wrong in %s', (_name, change) => {
    const artifact = artifactOf();
    change(artifact);
    expect(validate(artifact, { now: NOW })).toEqual([]);
  });

  test('says one thing of an mbox in both lists that has no rule', () => {
    const artifact = artifactOf();
    artifact.localMboxes.push('side');
    artifact.remoteMboxes.push('side');
    expect(validate(artifact, { now: NOW }).map(({ text }) => text)).toEqual([
      'the mbox side is in both lists and has no rule: the edge decides it',
    ]);
  });

  test.each(ROWS)('%s at %s: %s', (code, path, text, change) => {
    const artifact = artifactOf();
    change(artifact);
    const findings = validate(artifact, { now: NOW });
    expect(new Set(findings.map((finding) => finding.code))).toEqual(new Set([code]));
    expect(findings[0]).toMatchObject({ path, text: expect.stringContaining(text) });
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['a text', 'x'],
    ['another version', { version: '2.0.0', rules: {} }],
    ['no rules', { version: '1.0.0' }],
    ['what JSON cannot hold', { version: '1.0.0', rules: {}, size: 5n }],
  ])('says that a client rejects %s, and does not throw', (_, artifact) => {
    expect(validate(artifact)).toEqual([
      {
        severity: 'error',
        code: 'unusable',
        path: expect.any(String),
        text: expect.stringContaining('a client rejects it'),
      },
    ]);
  });

  test('tells how deep a condition is that only the edge can evaluate', () => {
    let [deep, deeper]: unknown[] = [true, true];
    for (let depth = 0; depth < 6000; depth += 1) {
      deep = depth < 250 ? { '!': [deep] } : deep;
      deeper = { and: [deeper] };
    }
    const textOf = (condition: unknown) => {
      const artifact = artifactOf();
      rulesIn(artifact)[0] = ruleOf(condition, 'A');
      return validate(artifact).map(({ code, text }) => `${code}: ${text}`);
    };
    expect(textOf(deep)).toEqual([
      'operator: it is nested 250 deep, and on-device conditions are evaluated to a depth of 200',
    ]);
    expect(textOf(deeper)).toEqual([expect.stringMatching(/^operator: it is nested \d+ deep/)]);
  });

  test('says once that an mbox is in both lists', () => {
    const artifact = artifactOf();
    artifact.rules.mboxes = {};
    artifact.remoteMboxes = ['hero'];
    expect(validate(artifact).map(({ code, text }) => [code, text])).toEqual([
      ['both', 'the mbox hero is in both lists and has no rule: the edge decides it'],
    ]);
  });

  test('names the experience that nobody reaches, where others of its activity are reached', () => {
    const artifact = artifactOf();
    artifact.rules.mboxes.hero = [
      ruleOf(share(0, 50), 'A'),
      ruleOf(true, 'C', 8),
      ruleOf(share(50, 100), 'B'),
    ];
    expect(validate(artifact).map(({ text }) => text)).toEqual([
      'nobody reaches B of Activity 7 on hero: Activity 8 takes everybody before it',
    ]);
  });

  test('one bucket is not nobody', () => {
    const artifact = artifactOf();
    rulesIn(artifact)[1] = ruleOf(
      { and: [{ '<': [50.01, { var: 'allocation' }] }, { '>=': [100, { var: 'allocation' }] }] },
      'B',
    );
    expect(validate(artifact).map(({ text }) => text)).toEqual([
      'Activity 7: 0.01 % of visitors are in no share',
    ]);
  });

  describe('finds no gap', () => {
    const gold = { '==': ['gold', { var: 'mbox.plan' }] };
    const firefox = { '==': [{ var: 'user.browserType' }, 'firefox'] };
    test.each<[string, unknown, unknown, object]>([
      [
        'of one audience in another order',
        { and: [share(0, 50), gold, firefox] },
        { and: [firefox, gold, share(50, 100)] },
        {},
      ],
      [
        'of one choice in another order',
        and(share(0, 50), { or: [gold, firefox] }),
        and(share(50, 100), { or: [firefox, gold] }),
        {},
      ],
      ['of other audiences', and(share(0, 50), gold), share(50, 100), {}],
      ['of other rule keys', share(0, 50), share(50, 100), { ruleKey: 'other' }],
    ])('%s', (_, one, other, more) => {
      const artifact = artifactOf();
      artifact.rules.mboxes.hero = [ruleOf(one, 'A'), { ...ruleOf(other, 'B'), ...more }];
      expect(validate(artifact)).toEqual([]);
    });
  });

  test.each<[string, string, object]>([
    ['rules.mboxes.hero[0].ruleKey', 'must be a text, not a number', { ruleKey: 7 }],
    [
      'rules.mboxes.hero[0].meta["experience.id"]',
      'must be a whole number or a text or null, not an object',
      { meta: { 'experience.id': {} } },
    ],
  ])('says of %s in its own words: %s', (path, text, more) => {
    const artifact = artifactOf();
    artifact.rules.mboxes.hero = [{ ...ruleOf(share(0, 50), 'A'), ...more }];
    const shapes = validate(artifact).filter(({ code }) => code === 'shape');
    expect(shapes.map((finding) => [finding.path, finding.text])).toEqual([[path, text]]);
  });

  test('what a client takes as absent is no error', () => {
    const lists = ['remoteMboxes', 'remoteViews', 'localViews', 'responseTokens'];
    const nulls = [...lists, 'globalMbox', 'geoTargetingEnabled'].map((name) => [name, null]);
    expect(validate({ ...artifactOf(), ...Object.fromEntries(nulls) })).toEqual([]);
    const empty = { ...artifactOf(), localMboxes: null, meta: null, rules: { mboxes: null, views: null } };
    expect(validate(empty)).toEqual([]);
  });

  test('tells the place of names with other characters', () => {
    const artifact = artifactOf();
    artifact.rules.mboxes = { 'my.hero': [ruleOf(true, 'A')] };
    artifact.localMboxes = [];
    expect(validate(artifact)[0]?.path).toBe('rules.mboxes["my.hero"]');
  });

  test('compares shares of one audience, property and rule key alone', () => {
    const artifact = artifactOf();
    const country = (code: string) => ({ '==': [code, { var: 'geo.country' }] });
    artifact.geoTargetingEnabled = true;
    artifact.rules.mboxes.hero = ['US', 'CA'].flatMap((code) => [
      ruleOf(and(share(0, 50), country(code)), code === 'US' ? 'A' : 'B'),
      ruleOf(and(share(50, 100), country(code)), code === 'US' ? 'B' : 'A'),
    ]);
    expect(validate(artifact)).toEqual([]);
  });

  test('rules of other properties are within reach, and those of the same ones are not', () => {
    const unreachables = (first: string[], second: string[]) => {
      const artifact = artifactOf();
      artifact.rules.mboxes.hero = [
        { ...ruleOf(true, 'A'), propertyTokens: first },
        { ...ruleOf(true, 'B', 8), propertyTokens: second },
      ];
      return validate(artifact).map(({ code }) => code);
    };
    expect(unreachables(['p-1'], ['p-2'])).toEqual([]);
    expect(unreachables(['p-1'], [])).toEqual([]);
    expect(unreachables(['p-1', 'p-2'], ['p-2'])).toEqual(['unreachable']);
    expect(unreachables([], ['p-2'])).toEqual(['unreachable']);
  });

  test('leaves the shares of an activity alone of which a rule is left out', () => {
    const artifact = artifactOf();
    rulesIn(artifact)[1] = ruleOf({ and: [share(50, 100), { shout: ['x'] }] }, 'B');
    expect(validate(artifact).map(({ code }) => code)).toEqual(['operator']);
  });

  test('a time frame counts to its last moment', () => {
    const artifact = artifactOf();
    artifact.rules.mboxes.hero = [ruleOf({ '<=': [1000, { var: 'current_timestamp' }, 5000] }, 'A')];
    const codesAt = (now: number) => validate(artifact, { now }).map(({ code }) => code);
    expect([999, 1000, 5000, 5001].map(codesAt)).toEqual([['not-yet'], [], [], ['expired']]);
  });

  test('finds nothing in what the builder makes', () => {
    const split = activity('Hero')
      .mbox('hero')
      .split({ A: [50, json({ a: 1 })], B: [50, json({})] });
    const built = buildArtifact({ activities: [split, activity('Side').mbox('side').only(html('x'))] });
    expect(validate(built)).toEqual([]);
    const { all, browser, country, day, param, url } = audience;
    const gold = all(param('plan').is('gold'), url.contains('/cart'), browser('firefox'), day('friday'));
    const views = activity('Views')
      .view('home')
      .pageLoad()
      .property('p-1')
      .when(gold)
      .only(json({ a: 1 }));
    const places = activity('Places').mbox('side').priority(5).when(country('CH')).only(html('x'));
    const more = buildArtifact({ activities: [views, places.clicks('#a'), split] });
    expect(validate(more).filter(({ severity }) => severity !== 'note')).toEqual([]);
    expect(new Validator(ARTIFACT_SCHEMA, '2020-12').validate(more).errors).toEqual([]);
  });
});

(hasConformance ? describe : describe.skip)('of the shared artifacts', () => {
  test('the schema accepts all, and only priorities are doubtful', () => {
    for (const [name, artifact] of conformanceArtifacts()) {
      const { valid } = new Validator(ARTIFACT_SCHEMA as object, '2020-12').validate(artifact);
      const doubtful = validate(artifact, { now: NOW }).filter(({ severity }) => severity !== 'note');
      const codes = [...new Set(doubtful.map(({ code, text }) => `${code} ${/mbox-\w+/.exec(text)?.[0]}`))];
      const isPrioritized = JSON.stringify(artifact).includes('mbox-prioritized low');
      expect([name, valid, codes]).toEqual([
        name,
        true,
        isPrioritized ? ['unreachable mbox-prioritized'] : [],
      ]);
    }
  });

  test('inspect counts what is there', () => {
    for (const [name, artifact] of conformanceArtifacts()) {
      const { counts, activities } = inspect(artifact);
      const rules = activities.flatMap(({ experiences }) => experiences.map((one) => one.rules));
      expect([name, rules.reduce((sum, count) => sum + count, 0)]).toEqual([name, counts.rules]);
    }
  });
});

test('inspect tells of activities, experiences, shares and audiences', () => {
  const artifact = artifactOf();
  const gold = { '==': ['gold', { var: 'mbox.plan' }] };
  artifact.rules.mboxes.hero = [ruleOf(and(share(0, 50), gold), 'A'), ruleOf(gold, 'B')];
  expect(inspect(artifact)).toEqual({
    client: 'acme',
    environment: '',
    version: '1.0.0',
    counts: { activities: 1, experiences: 2, mboxes: 1, views: 0, rules: 2 },
    remote: { mboxes: [], views: [] },
    responseTokens: [],
    geo: false,
    globalMbox: 'target-global-mbox',
    activities: [
      {
        id: '7',
        name: 'Activity 7',
        type: 'ab',
        locations: ['hero'],
        properties: [],
        experiences: [
          { id: '', name: 'A', share: 0.5001, audience: 'parameter plan is “gold”', rules: 1 },
          { id: '', name: 'B', audience: 'parameter plan is “gold”', rules: 1 },
        ],
      },
    ],
  });
  expect(() => inspect({})).toThrow('version must be a string');
});

test('inspect tells of views, properties and several audiences', () => {
  const plan = (name: string) => ({ '==': [name, { var: 'mbox.plan' }] });
  const rule = (name: string, token: string) => ({ ...ruleOf(plan(name), 'A'), propertyTokens: [token] });
  const rules = {
    mboxes: { hero: [rule('gold', 'p-1')] },
    views: { cart: [rule('silver', 'p-2')], home: [] },
  };
  const { counts, activities } = inspect({ ...artifactOf(), rules });
  expect(counts).toEqual({ activities: 1, experiences: 1, mboxes: 1, views: 2, rules: 2 });
  expect(activities[0]).toMatchObject({
    locations: ['hero', 'view cart'],
    properties: ['p-1', 'p-2'],
    experiences: [{ audience: 'parameter plan is “gold”; parameter plan is “silver”', rules: 2 }],
  });
});
