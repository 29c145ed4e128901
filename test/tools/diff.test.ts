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
