import { describe, expect, test } from '@jest/globals';
import { type ArtifactDiff, diffArtifacts } from '../../src/tools/tools.js';
import { conformanceArtifacts, hasConformance } from './conformance.js';

const share = (from: number, to: number) => ({
  and: [{ [from === 0 ? '<=' : '<']: [from, { var: 'allocation' }] }, { '>=': [to, { var: 'allocation' }] }],
});
const browser = (name: string) => ({ '==': [{ var: 'user.browserType' }, name] });

interface TestRule {
  ruleKey: string;
  activityId: number;
  propertyTokens: string[];
  meta: Record<string, unknown>;
  condition: { and: unknown[] };
  consequence: { name: string; options: Record<string, unknown>[]; metrics: Record<string, unknown>[] };
}

interface TestArtifact {
  version: string;
  meta: Record<string, unknown>;
  globalMbox: string;
  geoTargetingEnabled: boolean;
  responseTokens: string[];
  remoteMboxes: string[];
  localMboxes: string[];
  rules: { mboxes: Record<string, TestRule[]>; views: Record<string, TestRule[]> };
}

function ruleOf(id: number, experience: number, condition: unknown, mbox: string): TestRule {
  return {
    ruleKey: String(id),
    activityId: id,
    propertyTokens: [],
    meta: {
      'activity.id': id,
      'activity.name': `Activity ${id}`,
      'activity.type': 'ab',
      'experience.id': experience,
      'experience.name': `Experience ${'AB'[experience]}`,
      'offer.name': 'offer',
    },
    condition: { and: [condition, browser('firefox')] },
    consequence: {
      name: mbox,
      options: [{ type: 'json', content: { color: 'red', size: 1 }, eventToken: 'token' }],
      metrics: [{ type: 'click', selector: '#a', eventToken: 'token' }],
    },
  };
}

function artifactOf(): TestArtifact {
  const halves = (id: number, mbox: string) => [
    ruleOf(id, 0, share(0, 50), mbox),
    ruleOf(id, 1, share(50, 100), mbox),
  ];
  return {
    version: '1.0.0',
    meta: { clientCode: 'acme', environment: 'production', generatedAt: '2026-01-01T00:00:00Z' },
    globalMbox: 'target-global-mbox',
    geoTargetingEnabled: false,
    responseTokens: ['geo.city'],
    remoteMboxes: [],
    localMboxes: ['hero', 'side'],
    rules: {
      mboxes: { hero: [...halves(1, 'hero'), ...halves(2, 'hero')], side: halves(3, 'side') },
      views: {},
    },
  };
}

function hero(artifact: TestArtifact, index: number): TestRule {
  const rule = artifact.rules.mboxes.hero?.[index];
  if (!rule) {
    throw new Error('there is no such rule');
  }
  return rule;
}

function changed(change: (artifact: TestArtifact) => void): [before: TestArtifact, after: TestArtifact] {
  const after = artifactOf();
  change(after);
  return [artifactOf(), after];
}

function kindsOf({ activities, locations, artifact }: ArtifactDiff): string[] {
  const kinds = activities.flatMap(({ changes }) => changes.map(({ kind }) => kind));
  return [...kinds, ...locations.map(() => 'order'), ...artifact.map(({ kind }) => kind)].sort();
}

const CHANGES: [what: string, kinds: string[], text: string, change: (artifact: TestArtifact) => void][] = [
  [
    'an activity that comes',
    ['added'],
    'added; it is on side, 1 experience',
    (a) => {
      a.rules.mboxes.side?.push(ruleOf(9, 0, true, 'side'));
    },
  ],
  [
    'an activity that goes',
    ['removed'],
    'removed; it was on hero, 2 experiences',
    (a) => {
      a.rules.mboxes.hero?.splice(2, 2);
    },
  ],
  [
    'a name',
    ['renamed'],
    'name: Activity 1 → Summer',
    (a) => {
      for (const index of [0, 1]) {
        hero(a, index).meta['activity.name'] = 'Summer';
      }
    },
  ],
  [
    'the name of an experience',
    ['renamed'],
    'experience: Experience B → Variant',
    (a) => {
      hero(a, 1).meta['experience.name'] = 'Variant';
    },
  ],
  [
    'a type',
    ['type'],
    'type: ab → xt',
    (a) => {
      for (const index of [0, 1]) {
        hero(a, index).meta['activity.type'] = 'xt';
      }
    },
  ],
  [
    'an experience that comes',
    ['experience-added'],
    'Experience C added',
    (a) => {
      const rule = ruleOf(2, 2, false, 'hero');
      rule.meta['experience.name'] = 'Experience C';
      a.rules.mboxes.hero?.push(rule);
    },
  ],
  [
    'an experience that goes',
    ['experience-removed'],
    'Experience B removed',
    (a) => {
      a.rules.mboxes.hero?.splice(3, 1);
    },
  ],
  [
    'a location that comes',
    ['location-added'],
    'now on other too',
    (a) => {
      a.rules.mboxes.other = [ruleOf(1, 0, share(0, 50), 'other')];
    },
  ],
  [
    'a share',
    ['share', 'share'],
    'Experience A share: 50 % → 90 % (40.00 % of visitors move from Experience B to Experience A)',
    (a) => {
      hero(a, 0).condition.and[0] = share(0, 90);
      hero(a, 1).condition.and[0] = share(90, 100);
    },
  ],
  [
    'an audience',
    ['audience'],
    'Experience A audience: browser is firefox → browser is edge',
    (a) => {
      hero(a, 0).condition.and[1] = browser('edge');
    },
  ],
  [
    'an audience that goes',
    ['audience'],
    'Experience A audience: browser is firefox → everybody',
    (a) => {
      hero(a, 0).condition.and.pop();
    },
  ],
  [
    'a JSON field',
    ['content'],
    'Experience A content: color: "red" → "blue"',
    (a) => {
      hero(a, 0).consequence.options = [
        { type: 'json', content: { color: 'blue', size: 1 }, eventToken: 'token' },
      ];
    },
  ],
  [
    'an offer of another type',
    ['content'],
    'Experience A content: json of 24 bytes → html of 3 bytes',
    (a) => {
      hero(a, 0).consequence.options = [{ type: 'html', content: 'né', eventToken: 'token' }];
    },
  ],
  [
    'a click metric',
    ['metrics'],
    'Experience A: the metrics of clicks changed',
    (a) => {
      hero(a, 0).consequence.metrics = [];
    },
  ],
  [
    'a property',
    ['property'],
    'properties: all → p-1',
    (a) => {
      hero(a, 0).propertyTokens = ['p-1'];
    },
  ],
  [
    'the order',
    ['order'],
    'order of activities: Activity 1, Activity 2 → Activity 2, Activity 1',
    (a) => {
      a.rules.mboxes.hero?.push(...(a.rules.mboxes.hero?.splice(0, 2) ?? []));
    },
  ],
  [
    'a remote list',
    ['meta'],
    'remote mboxes: +hero',
    (a) => {
      a.remoteMboxes.push('hero');
    },
  ],
  [
    'the global mbox',
    ['meta'],
    'global mbox: target-global-mbox → body',
    (a) => {
      a.globalMbox = 'body';
    },
  ],
  [
    'the look-up of places',
    ['meta'],
    'look-up of places: false → true',
    (a) => {
      a.geoTargetingEnabled = true;
    },
  ],
  [
    'the version',
    ['meta'],
    'version: 1.0.0 → 1.1.0',
    (a) => {
      a.version = '1.1.0';
    },
  ],
  [
    'response tokens',
    ['token'],
    'response tokens: +geo.state, −geo.city',
    (a) => {
      a.responseTokens = ['geo.state'];
    },
  ],
];

describe('diffArtifacts', () => {
  test.each(CHANGES)('tells of %s, and of nothing else', (_, kinds, text, change) => {
    const diff = diffArtifacts(...changed(change));
    expect(kindsOf(diff)).toEqual(kinds);
    expect(JSON.stringify(diff)).toContain(JSON.stringify(text).slice(1, -1));
    expect(diff).toMatchObject({ quiet: 0, isEqual: false });
  });

  const MIRRORED = new Map([
    ['added', 'removed'],
    ['experience-added', 'experience-removed'],
    ['location-added', 'location-removed'],
  ]);
  const mirror = (kind: string) =>
    MIRRORED.get(kind) ?? [...MIRRORED].find(([, other]) => other === kind)?.[0] ?? kind;

  test.each(CHANGES)('read backwards, %s is its opposite', (_, kinds, _text, change) => {
    const [before, after] = changed(change);
    expect(kindsOf(diffArtifacts(after, before))).toEqual(kinds.map(mirror).sort());
  });

  test.each([
    ['before', 'added; it is on hero, 1 experience; on hero before Activity 1'],
    ['behind', 'added; it is on hero, 1 experience; on hero behind all others'],
  ] as const)('tells that a new activity stands %s the others', (where, text) => {
    const rule = (id: number) => ({
      ruleKey: String(id),
      activityId: id,
      meta: {
        'activity.id': id,
        'activity.name': `Activity ${id}`,
        'activity.type': 'ab',
        'experience.id': 0,
      },
      condition: true,
      consequence: { options: [] },
    });
    const of = (...rules: object[]) => ({
      version: '1.0.0',
      localMboxes: ['hero'],
      rules: { mboxes: { hero: rules }, views: {} },
    });
    const after = where === 'before' ? of(rule(2), rule(1)) : of(rule(1), rule(2));
    const { activities, locations } = diffArtifacts(of(rule(1)), after);
    expect(activities.map(({ changes }) => changes.map((change) => change.text))).toEqual([[text]]);
    expect(locations).toEqual([]);
  });

  test('counts who moves on an mbox where each experience has a key, and shares overlap', () => {
    const rule = (id: number, from: number, to: number) => ({
      ruleKey: String(id),
      activityId: 7,
      meta: {
        'activity.id': 7,
        'activity.type': 'ab',
        'experience.id': id,
        'experience.name': 'ABC'.charAt(id),
      },
      condition: { and: [{ '<': [from, { var: 'allocation' }] }, { '>=': [to, { var: 'allocation' }] }] },
      consequence: { options: [] },
    });
    const of = (...rules: object[]) => ({ version: '1.0.0', rules: { mboxes: { hero: rules }, views: {} } });
    const before = of(rule(0, 0, 34), rule(1, 34, 70), rule(2, 60, 100));
    const { activities } = diffArtifacts(before, of(rule(0, 0, 10), rule(1, 10, 90), rule(2, 90, 100)));
    const moved = activities.flatMap(({ changes }) => changes.flatMap((change) => change.moved ?? []));
    expect(moved).toContainEqual({ from: 'A', to: 'B', share: 0.24 });
    expect(moved).toContainEqual({ from: 'C', to: 'B', share: 0.2 });
  });

  test('counts who moves, from whom to whom', () => {
    const [before, after] = changed((artifact) => {
      hero(artifact, 0).condition.and[0] = share(0, 10);
    });
    const { activities } = diffArtifacts(before, after);
    expect(activities[0]?.changes).toEqual([
      {
        kind: 'share',
        location: 'hero',
        experience: 'Experience A',
        before: '50 %',
        after: '10 %',
        moved: [{ from: 'Experience A', to: 'none', share: 0.4 }],
        text: 'Experience A share: 50 % → 10 % (40.00 % of visitors move from Experience A to no experience)',
      },
    ]);
  });

  describe('tells of whatever visitors may notice', () => {
    const NOTICED: [what: string, texts: string[], change: (artifact: TestArtifact) => void][] = [
      [
        'experiences in another order',
        ['order in Activity 1: Experience A, Experience B → Experience B, Experience A'],
        (a) => {
          a.rules.mboxes.hero?.splice(0, 2, hero(a, 1), hero(a, 0));
        },
      ],
      [
        'an activity that is parted by another one',
        ['order of activities: Activity 1, Activity 2 → Activity 1, Activity 2, Activity 1'],
        (a) => {
          a.rules.mboxes.hero?.splice(1, 3, hero(a, 2), hero(a, 3), hero(a, 1));
        },
      ],
      [
        'a rule without the shape of one',
        ['rules that only the edge can read: 0 → 1'],
        (a) => {
          a.rules.mboxes.hero?.push(JSON.parse('{"bad":1}'));
        },
      ],
      [
        'a rule without an activity id',
        ['rules that only the edge can read: 0 → 1'],
        (a) => {
          const { activityId, ...rest } = ruleOf(1, 0, true, 'hero');
          delete rest.meta['activity.id'];
          a.rules.mboxes.hero?.push(rest as TestRule);
        },
      ],
      [
        'the value of a response token',
        ['Experience A location.name: hero → other'],
        (a) => {
          a.responseTokens.push('location.name');
          hero(a, 0).meta['location.name'] = 'other';
        },
      ],
    ];
    test.each(NOTICED)('%s', (_, texts, change) => {
      const [before, after] = changed(change);
      if (after.responseTokens.includes('location.name')) {
        before.responseTokens.push('location.name');
        hero(before, 0).meta['location.name'] = 'hero';
      }
      const { activities, locations, isEqual } = diffArtifacts(before, after);
      const told = [...activities.flatMap(({ changes }) => changes), ...locations].map(({ text }) => text);
      expect(told).toEqual(texts);
      expect(isEqual).toBe(false);
    });

    test('the name of an offer that a macro reads, and no other one', () => {
      const withMacro = (name: string, content: string) => {
        const artifact = artifactOf();
        hero(artifact, 0).meta['offer.name'] = name;
        hero(artifact, 0).consequence.options = [{ type: 'html', content }];
        return artifact;
      };
      const macro = `\${${'offer.name'}}`;
      const [before, after] = [withMacro('one', macro), withMacro('two', macro)];
      expect(diffArtifacts(before, after)).toMatchObject({ isEqual: false, quiet: 0 });
      expect(diffArtifacts(withMacro('one', 'x'), withMacro('two', 'x'))).toMatchObject({
        isEqual: true,
        quiet: 1,
      });
    });

    test('the order of views', () => {
      const views = (names: string[]) => {
        const artifact = artifactOf();
        artifact.rules.views = Object.fromEntries(names.map((name) => [name, [ruleOf(4, 0, true, name)]]));
        return artifact;
      };
      expect(diffArtifacts(views(['home', 'cart']), views(['cart', 'home'])).locations).toEqual([
        { name: 'views', text: 'order of views: home, cart → cart, home' },
      ]);
    });

    test('rules of one audience in another order of words are the same', () => {
      const [before, after] = changed((artifact) => {
        hero(artifact, 0).condition.and.reverse();
      });
      expect(diffArtifacts(before, after)).toMatchObject({ isEqual: true });
    });
  });

  describe('counts who moves', () => {
    const audience = (name: string | undefined, part: unknown) =>
      ({ and: name === undefined ? [part] : [browser(name), part] }) as TestRule['condition'];
    const withConditions = (conditions: TestRule['condition'][], mboxes = ['hero']) => {
      const artifact = artifactOf();
      artifact.rules.mboxes = Object.fromEntries(
        mboxes.map((mbox) => [
          mbox,
          conditions.map((condition, index) => {
            const rule = ruleOf(1, index, true, mbox);
            rule.meta['experience.name'] = `Experience ${index}`;
            return { ...rule, condition };
          }),
        ]),
      );
      return artifact;
    };
    const movesIn = ({ activities }: ArtifactDiff) =>
      activities.flatMap(({ changes }) =>
        changes.map(({ kind, location, moved }) => [kind, location, moved]),
      );

    test('and says nothing where audiences differ', () => {
      const others = [audience('chrome', true), audience(undefined, true)];
      const before = withConditions([audience('firefox', true), ...others]);
      const after = withConditions([audience('firefox', share(0, 90)), ...others]);
      expect(movesIn(diffArtifacts(before, after))).toEqual([['share', 'hero', undefined]]);
    });

    test('and takes no share from a part that reads more than the allocation', () => {
      const plan = { '==': ['a', { var: 'mbox.p' }] };
      const before = withConditions([audience(undefined, share(0, 50)), audience(undefined, share(50, 100))]);
      const mixed = audience(undefined, { or: [share(0, 90), plan] });
      const after = withConditions([mixed, audience(undefined, share(50, 100))]);
      const { activities } = diffArtifacts(before, after);
      expect(activities[0]?.changes.map(({ kind, moved }) => [kind, moved])).toEqual([
        ['audience', undefined],
      ]);
    });

    test('on the second of two mboxes', () => {
      const halves = [audience(undefined, share(0, 50)), audience(undefined, share(50, 100))];
      const before = withConditions(halves, ['hero', 'side']);
      const after = structuredClone(before);
      const [rule] = after.rules.mboxes.side ?? [];
      if (rule) {
        rule.condition = audience(undefined, share(0, 40));
      }
      expect(movesIn(diffArtifacts(before, after))).toEqual([
        ['share', 'side', [{ from: 'Experience 0', to: 'none', share: 0.1 }]],
      ]);
    });

    test.each([
      ['A', [{ from: 'A (1)', to: 'A (0)', share: 0.4 }]],
      ['none', [{ from: 'none (1)', to: 'none (0)', share: 0.4 }]],
    ])('between experiences with the name %s', (name, moved) => {
      const named = (end: number) => {
        const artifact = withConditions([
          audience(undefined, share(0, end)),
          audience(undefined, share(end, 100)),
        ]);
        for (const rule of artifact.rules.mboxes.hero ?? []) {
          rule.meta['experience.name'] = name;
        }
        return artifact;
      };
      const [[, , first] = []] = movesIn(diffArtifacts(named(50), named(90)));
      expect(first).toEqual(moved);
    });
  });

  describe('pairs rules of one key', () => {
    const mboxWith = (colors: string[]) => {
      const artifact = artifactOf();
      artifact.rules.mboxes.side = colors.map((color) => {
        const rule = ruleOf(3, 0, true, 'side');
        rule.condition.and = [browser(color)];
        rule.consequence.options = [{ type: 'json', content: { color } }];
        return rule;
      });
      return artifact;
    };
    test('so that a new one in front changes no other', () => {
      const { activities } = diffArtifacts(mboxWith(['a', 'b']), mboxWith(['new', 'a', 'b']));
      expect(activities.flatMap(({ changes }) => changes.map(({ text }) => text))).toEqual([
        'Experience A: a rule added',
      ]);
    });
  });

  test('tells a property once for all experiences of an activity', () => {
    const [before, after] = changed((artifact) => {
      for (const index of [0, 1]) {
        hero(artifact, index).propertyTokens = ['p-1'];
      }
    });
    expect(diffArtifacts(before, after).activities[0]?.changes).toEqual([
      { kind: 'property', before: 'all', after: 'p-1', text: 'properties: all → p-1' },
    ]);
  });

  test.each<[string, unknown, unknown, string]>([
    ['texts of one length', '<b>ab', '<b>ac', 'html of 5 bytes: “<b>ab” → “<b>ac”'],
    [
      'long texts',
      `${'x'.repeat(80)}one`,
      `${'x'.repeat(80)}two`,
      `html of 83 bytes: “${'x'.repeat(39)}…${'x'.repeat(17)}one” → “${'x'.repeat(39)}…${'x'.repeat(17)}two”`,
    ],
  ])('shows where contents differ that read alike: %s', (_, was, is, text) => {
    const withContent = (content: unknown) => {
      const artifact = artifactOf();
      hero(artifact, 0).consequence.options = [{ type: 'html', content }];
      return artifact;
    };
    const [change] = diffArtifacts(withContent(was), withContent(is)).activities[0]?.changes ?? [];
    expect(change?.text).toBe(`Experience A content: ${text}`);
    expect(change?.text).toContain(`${change?.before} → ${change?.after}`);
  });

  test('no change reads alike on both sides', () => {
    const long = 'x'.repeat(80);
    const plan = (value: string) => ({ '==': [value, { var: 'mbox.plan' }] });
    const sides: [unknown, unknown][] = [
      [{ and: [true, plan(`${long}a`)] }, { and: [true, plan(`${long}b`)] }],
      [
        { and: [share(0, 50)] },
        { and: [{ and: [{ '<=': [0, { var: 'allocation' }] }, { '>': [50, { var: 'allocation' }] }] }] },
      ],
      [{ and: [share(0, 25)] }, { and: [share(75, 100)] }],
      [
        { and: [{ '<=': [{ var: 'current_timestamp' }, 43_200_000] }] },
        { and: [{ '<=': [{ var: 'current_timestamp' }, 43_200_001] }] },
      ],
    ];
    for (const [was, is] of sides) {
      const withCondition = (condition: unknown) => {
        const artifact = artifactOf();
        hero(artifact, 0).condition = condition as TestRule['condition'];
        return artifact;
      };
      const { activities } = diffArtifacts(withCondition(was), withCondition(is));
      const [change] = activities[0]?.changes ?? [];
      expect(change?.before).not.toBe(change?.after);
      expect(change).toBeDefined();
    }
  });

  test('read backwards, visitors move back', () => {
    const [before, after] = changed((artifact) => {
      hero(artifact, 0).condition.and[0] = share(0, 90);
      hero(artifact, 1).condition.and[0] = share(90, 100);
    });
    const moves = ({ activities }: ArtifactDiff) =>
      activities[0]?.changes.flatMap(({ moved }) => moved ?? []);
    const back = moves(diffArtifacts(after, before))?.map(({ from, to, share: part }) => ({
      from: to,
      to: from,
      share: part,
    }));
    expect(back).toEqual(moves(diffArtifacts(before, after)));
    expect(back?.[0]).toEqual({ from: 'Experience B', to: 'Experience A', share: 0.4 });
  });

  test('sees audiences that differ behind what the words show', () => {
    const [before, after] = [artifactOf(), artifactOf()];
    hero(before, 0).condition.and[1] = browser(`${'x'.repeat(70)}a`);
    hero(after, 0).condition.and[1] = browser(`${'x'.repeat(70)}b`);
    expect(kindsOf(diffArtifacts(before, after))).toEqual(['audience']);
  });

  test('the order of property tokens says nothing', () => {
    const [before, after] = [artifactOf(), artifactOf()];
    hero(before, 0).propertyTokens = ['p-1', 'p-2'];
    hero(after, 0).propertyTokens = ['p-2', 'p-1'];
    expect(diffArtifacts(before, after)).toMatchObject({ isEqual: true, unchanged: 3 });
  });

  test('counts quiet changes and does not list them', () => {
    const [before, after] = changed((artifact) => {
      hero(artifact, 0).consequence.options = [
        { type: 'json', content: { size: 1, color: 'red' }, eventToken: 'other' },
      ];
      hero(artifact, 1).meta['offer.name'] = 'other';
      artifact.meta.generatedAt = '2026-01-02T00:00:00Z';
    });
    expect(diffArtifacts(before, after)).toEqual({
      activities: [],
      locations: [],
      artifact: [],
      unchanged: 3,
      quiet: 3,
      isEqual: true,
    });
  });

  test('lists quiet changes on request, exactly those that it counts', () => {
    const [before, after] = changed((artifact) => {
      hero(artifact, 0).consequence.options = [
        { type: 'json', content: { size: 1, color: 'red' }, eventToken: 'other' },
      ];
      hero(artifact, 1).meta['offer.name'] = 'x'.repeat(100);
      hero(artifact, 1).meta['audience.ids'] = [1, 2];
      artifact.meta.generatedAt = '2026-01-02T00:00:00Z';
    });
    const { quiet, quietChanges = [], isEqual } = diffArtifacts(before, after, { tokens: true });
    expect([quiet, isEqual]).toEqual([4, true]);
    expect(quietChanges).toHaveLength(4);
    expect(quietChanges.map(({ kind }) => kind)).toEqual(['quiet', 'quiet', 'quiet', 'quiet']);
    expect(quietChanges.map(({ text }) => text)).toMatchSnapshot();
    expect(quietChanges[1]).toMatchObject({
      location: 'hero',
      experience: 'Experience A',
      after: 'other, token',
    });
    expect(diffArtifacts(before, after, { tokens: false })).not.toHaveProperty('quietChanges');
    expect(diffArtifacts(before, before, { tokens: true })).toMatchObject({ quiet: 0, quietChanges: [] });
  });

  test('tells once what changes in the same way on several locations', () => {
    const twice = (color: string) => {
      const artifact = artifactOf();
      const rule = () => {
        const one = ruleOf(5, 0, true, 'x');
        one.consequence.options = [{ type: 'json', content: { color } }];
        return one;
      };
      artifact.rules.mboxes = { one: [rule()], two: [rule()] };
      return artifact;
    };
    expect(diffArtifacts(twice('red'), twice('blue')).activities[0]?.changes).toEqual([
      expect.not.objectContaining({ location: expect.anything() }),
    ]);
  });

  test('refuses what is no artifact, and changes neither', () => {
    const artifact = artifactOf();
    expect(() => diffArtifacts(artifact, {})).toThrow('version must be a string');
    expect(artifact).toEqual(artifactOf());
  });
});

(hasConformance ? test : test.skip)('every shared artifact equals its copy', () => {
  for (const [name, artifact] of conformanceArtifacts()) {
    const { isEqual, quiet } = diffArtifacts(artifact, structuredClone(artifact));
    expect([name, isEqual, quiet]).toEqual([name, true, 0]);
  }
});
