import { type Artifact, DEFAULT_GLOBAL_MBOX } from '../artifact.js';
import { activityChanges, toChange } from './activity-diff.js';
import type { ActivityChanges, ArtifactDiff, Change, DiffOptions } from './artifact-diff.js';
import { addedWords, orderChanges, unusableChanges, viewOrderChanges } from './order-diff.js';
import { copyArtifact } from './question.js';
import { quietChanges, quietMeta } from './quiet-diff.js';
import { groupBy, type PlacedRule, placedRules } from './rule-index.js';
import { isSameRule, pairsOf } from './rule-pairs.js';
import { isSameJson } from './same-json.js';
import { otherChanges, SeenMeta } from './seen-rules.js';
import { ShareCounter } from './shares.js';

/**
 * Tells what differs between two artifacts, in the words of an activity: shares, audiences, contents, locations. For a
 * changed share it counts the visitors who get another experience.
 *
 * @param before the earlier artifact, as parsed JSON.
 * @param after the later artifact.
 * @param options says what else is listed.
 * @throws {TargetError} `ERR_TARGET_ARTIFACT` for a value that is no artifact.
 * @example
 * ```ts
 * const { activities, isEqual } = diffArtifacts(yesterday, today);
 * for (const { name, changes } of activities) {
 *   console.log(name, changes.map(({ text }) => text));
 * }
 * ```
 */
export function diffArtifacts(before: object, after: object, options: DiffOptions = {}): ArtifactDiff {
  const [old, now] = [copyArtifact(before), copyArtifact(after)];
  const [oldRules, newRules] = [placedRules(old), placedRules(now)];
  const [oldById, newById] = [byActivity(oldRules), byActivity(newRules)];
  const pairs = pairsOf(oldRules, newRules);
  const pairsById = groupBy(pairs, ([, { names }]) => names.activity.id);
  const globalMboxes = new Set([old, now].map(({ globalMbox }) => globalMbox || DEFAULT_GLOBAL_MBOX));
  const sources = { counter: new ShareCounter(), seen: new SeenMeta(old, now), globalMboxes };
  const added = addedWords(newRules, { known: oldById, globalMboxes });
  const activities: ActivityChanges[] = [];
  let unchanged = 0;
  for (const id of new Set([...oldById.keys(), ...newById.keys()])) {
    const [mine, theirs] = [oldById.get(id) ?? [], newById.get(id) ?? []];
    const where = added.get(id);
    const changes = activityChanges({ old: mine, now: theirs, pairs: pairsById.get(id) ?? [] }, sources).map(
      (change) => (where === undefined ? change : { ...change, text: `${change.text}; ${where}` }),
    );
    const names = (theirs[0] ?? mine[0])?.names.activity;
    if (changes.length > 0) {
      activities.push({ id, name: names?.name ?? '', changes });
    } else {
      unchanged += 1;
    }
  }
  const locations = [
    ...orderChanges(pairs),
    ...viewOrderChanges(old, now),
    ...unusableChanges([old, now], [oldRules, newRules]),
  ];
  const artifact = artifactChanges(old, now);
  const isCopy = pairs.length === oldRules.length && pairs.every(isSameRule);
  if (activities.length + locations.length + artifact.length === 0 && !isCopy) {
    locations.push(...otherChanges(oldRules, newRules, sources));
  }
  const quiet = [...quietMeta(old, now), ...quietChanges(pairs, sources.seen)];
  return {
    activities,
    locations,
    artifact,
    unchanged,
    quiet: quiet.length,
    ...(options.tokens === true && { quietChanges: quiet }),
    isEqual: activities.length + locations.length + artifact.length === 0,
  };
}

function byActivity(rules: readonly PlacedRule[]): Map<string, PlacedRule[]> {
  return groupBy(rules, ({ names }) => names.activity.id);
}

const LISTS = [
  ['remoteMboxes', 'remote mboxes'],
  ['remoteViews', 'remote views'],
  ['localMboxes', 'local mboxes'],
  ['localViews', 'local views'],
  ['responseTokens', 'response tokens'],
] as const;

function artifactChanges(old: Artifact, now: Artifact): Change[] {
  const changes: Change[] = [];
  for (const [field, words] of LISTS) {
    const [was, is] = [new Set(old[field]), new Set(now[field])];
    const gone = [...was].filter((name) => !is.has(name)).map((name) => `−${name}`);
    const come = [...is].filter((name) => !was.has(name)).map((name) => `+${name}`);
    if (gone.length + come.length > 0) {
      const kind = field === 'responseTokens' ? 'token' : 'meta';
      changes.push(toChange(kind, `${words}: ${[...come, ...gone].join(', ')}`));
    }
  }
  const values: [string, unknown, unknown][] = [
    ['version', old.version, now.version],
    ['global mbox', old.globalMbox, now.globalMbox],
    ['look-up of places', old.geoTargetingEnabled === true, now.geoTargetingEnabled === true],
    ['client code', old.meta?.clientCode, now.meta?.clientCode],
    ['environment', old.meta?.environment, now.meta?.environment],
  ];
  for (const [words, was, is] of values) {
    if (!isSameJson(was, is)) {
      const [before, after] = [valueWords(was), valueWords(is)];
      changes.push({ ...toChange('meta', `${words}: ${before} → ${after}`), before, after });
    }
  }
  return changes;
}

function valueWords(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value ?? 'none');
}
