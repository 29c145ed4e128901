/** The artifacts that are decided from: a real one where it is beside the project, and synthetic ones of any size. */
import { existsSync, readFileSync } from 'node:fs';

const LARGE = new URL('../../shared/bench/artifact-large.json', import.meta.url);

/** Whether the real artifact is there; otherwise a synthetic one with the same names stands in for it. */
export const hasLargeArtifact = existsSync(LARGE);

/** Mboxes of the real artifact, other than the global one, that have rules. */
export const LARGE_MBOXES = [
  'mbox-macros',
  'mbox-salutations',
  'super-duper',
  'mbox-magician',
  'mbox-geography',
  'perf-mbox',
  'mbox-params',
  'mbox-feature-flags',
  'mbox-urlcontains',
  'mbox-prioritized',
  'mbox-browsers',
  'browserTest',
  'mbox-dateranges',
];

/** The text of the real artifact: 741 KB, 121 rules, 22 local mboxes, two views. */
export function largeArtifactText() {
  return hasLargeArtifact ? readFileSync(LARGE, 'utf8') : JSON.stringify(standIn());
}

/** The real artifact, parsed. */
export function largeArtifact() {
  return JSON.parse(largeArtifactText());
}

/** An artifact of 50/50 tests, each on an mbox of its own. */
export function artifactOfMboxes(count) {
  const names = Array.from({ length: count }, (_, index) => `mbox-${index}`);
  return artifactOf(Object.fromEntries(names.map((name, index) => [name, abTest(name, 100_000 + index)])));
}

/** An artifact of one mbox, `mbox-0`, whose many rules ask for a parameter; only the last one holds for `last`. */
export function artifactOfRules(count) {
  const rules = Array.from({ length: count }, (_, index) => {
    const value = index === count - 1 ? 'last' : `value-${index}`;
    const condition = { and: [allocatedBetween(0, 100), { '==': [value, { var: 'mbox.plan' }] }] };
    return { ...experience({ name: 'mbox-0', activityId: 100_000 + index, arm: 0 }), condition };
  });
  return artifactOf({ 'mbox-0': rules });
}

/** An artifact whose JSON has about so many bytes. */
export function artifactOfBytes(bytes) {
  const bytesPerMbox = JSON.stringify(artifactOfMboxes(100)).length / 100;
  return artifactOfMboxes(Math.ceil(bytes / bytesPerMbox));
}

/** Feature flags, split 50/50: one mbox a flag, and one mbox, `flags`, that holds all of them. */
export function artifactOfFlags(count) {
  const keys = flagKeys(count);
  const tests = keys.map((key, index) => [key, abTest(key, 200_000 + index, (arm) => flagValue(index, arm))]);
  const all = (arm) => Object.assign({}, ...keys.map((key, index) => ({ [key]: flagValue(index, arm) })));
  return artifactOf({ ...Object.fromEntries(tests), flags: abTest('flags', 300_000, all) });
}

/** The names of so many flags. */
export function flagKeys(count) {
  return Array.from({ length: count }, (_, index) => `flag-${index}`);
}

/** What a flag is for the visitors of an arm of its test. */
export function flagValue(index, arm) {
  return { enabled: arm === 1, variant: arm === 1 ? 'treatment' : 'control', limit: 10 * (index + arm) };
}

function artifactOf(mboxes, views = {}) {
  return {
    version: '1.0.0',
    meta: { clientCode: 'bench', environment: 'production' },
    globalMbox: 'target-global-mbox',
    geoTargetingEnabled: false,
    responseTokens: [
      'activity.id',
      'activity.name',
      'experience.id',
      'experience.name',
      'offer.id',
      'option.id',
    ],
    remoteMboxes: [],
    remoteViews: [],
    localMboxes: Object.keys(mboxes),
    localViews: Object.keys(views),
    rules: { mboxes, views },
  };
}

/** The two rules of a 50/50 test. */
function abTest(name, activityId, contentOf = (arm) => flagValue(0, arm), type = 'mbox') {
  return [0, 1].map((arm) => ({
    ...experience({ name, activityId, arm, content: contentOf(arm), type }),
    condition: allocatedBetween(arm * 50, arm * 50 + 50),
  }));
}

function allocatedBetween(from, to) {
  return { and: [{ '<=': [from, { var: 'allocation' }] }, { '>=': [to, { var: 'allocation' }] }] };
}

function experience({ name, activityId, arm, content = flagValue(0, arm), type = 'mbox' }) {
  const letter = 'AB'[arm];
  return {
    ruleKey: String(activityId),
    activityId,
    meta: {
      'activity.id': activityId,
      'activity.name': `test of ${name}`,
      'activity.type': 'ab',
      'experience.id': arm,
      'experience.name': `Experience ${letter}`,
      'location.name': name,
      'location.type': type,
      'location.id': 0,
      'audience.ids': [],
      'offer.id': activityId * 2 + arm,
      'offer.name': `/test_of_${name}/experiences/${arm}/pages/0/zones/0`,
      'option.id': arm + 2,
      'option.name': `Offer${arm + 2}`,
    },
    consequence: {
      name,
      options: [{ type: 'json', content, eventToken: `token+${activityId}/${letter}==` }],
      metrics: [],
    },
  };
}

/** The names of the real artifact with synthetic rules, so that every scenario runs anywhere. */
function standIn() {
  const named = [...LARGE_MBOXES, 'target-global-mbox'].map((name, index) => [
    name,
    abTest(name, 1000 + index),
  ]);
  const views = ['home', 'contact'].map((name, index) => [
    name,
    abTest(name, 2000 + index, undefined, 'view'),
  ]);
  return artifactOf(Object.fromEntries(named), Object.fromEntries(views));
}
