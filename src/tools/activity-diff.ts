import type { Change, Moved } from './artifact-diff.js';
import { BUCKETS, type Buckets } from './buckets.js';
import { contentWords } from './content-diff.js';
import { shownName } from './rule-facts.js';
import { groupBy, isSameJson, type PlacedRule, recordOf, stableText } from './rule-index.js';
import { percent, type ShareCounter } from './shares.js';

/** Makes a change that has nothing but its words. */
export function toChange(kind: Change['kind'], text: string): Change {
  return { kind, text };
}

/** Lists the changes of one activity. One of the lists is empty for an activity that came or went. */
export function activityChanges(
  old: readonly PlacedRule[],
  now: readonly PlacedRule[],
  counter: ShareCounter,
): Change[] {
  if (old.length === 0 || now.length === 0) {
    const [rules, kind] = old.length === 0 ? [now, 'added' as const] : [old, 'removed' as const];
    const names = [...new Set(rules.map(locationName))].join(', ');
    const count = new Set(rules.map(experienceId)).size;
    const verb = kind === 'added' ? 'it is' : 'it was';
    return [
      toChange(kind, `${kind}; ${verb} on ${names}, ${count} ${count === 1 ? 'experience' : 'experiences'}`),
    ];
  }
  const pairs = pairsOf(old, now);
  if (pairs.length === old.length && pairs.length === now.length && pairs.every(isSameRule)) {
    return [];
  }
  const moves = movedVisitors(old, now, counter);
  const changes = pairs.flatMap((pair) => pairChanges(pair, counter, moves));
  changes.push(...contentOfExtra(pairs, old, now));
  return [...nameChanges(old, now), ...setChanges(old, now), ...onceForAll(changes)];
}

/** Names the place of a rule, such as `hero` and `view home`. */
export function locationName({ kind, location }: PlacedRule): string {
  return kind === 'mbox' ? location : `${kind} ${location}`;
}

function experienceId({ names }: PlacedRule): string {
  return names.experience.id || names.experience.name;
}

function nameChanges([old]: readonly PlacedRule[], [now]: readonly PlacedRule[]): Change[] {
  const changes: Change[] = [];
  const [was, is] = [old?.names.activity, now?.names.activity];
  if (was && is && was.name !== is.name) {
    const [before, after] = [was.name, is.name];
    changes.push({ kind: 'renamed', before, after, text: `name: ${before || 'none'} → ${after || 'none'}` });
  }
  if (was && is && was.type !== is.type) {
    const [before, after] = [was.type, is.type];
    changes.push({ kind: 'type', before, after, text: `type: ${before || 'none'} → ${after || 'none'}` });
  }
  return changes;
}

/** Experiences and locations that came or went. */
function setChanges(old: readonly PlacedRule[], now: readonly PlacedRule[]): Change[] {
  const byExperience = (rules: readonly PlacedRule[]) => groupBy(rules, experienceId);
  const [was, is] = [byExperience(old), byExperience(now)];
  const named = (id: string) =>
    shownName((is.get(id) ?? was.get(id))?.[0]?.names.experience ?? { id, name: '' });
  const changes: Change[] = [];
  for (const id of is.keys()) {
    const [before, after] = [was.get(id)?.[0]?.names.experience.name, named(id)];
    if (before === undefined) {
      changes.push({ kind: 'experience-added', experience: after, text: `${after} added` });
    } else if (before !== is.get(id)?.[0]?.names.experience.name) {
      const text = `experience: ${before || 'none'} → ${after}`;
      changes.push({ kind: 'renamed', experience: after, before, after, text });
    }
  }
  for (const id of was.keys()) {
    if (!is.has(id)) {
      changes.push({ kind: 'experience-removed', experience: named(id), text: `${named(id)} removed` });
    }
  }
  const [oldLocations, newLocations] = [old, now].map((rules) => new Set(rules.map(locationName)));
  for (const location of newLocations ?? []) {
    if (!oldLocations?.has(location)) {
      changes.push({ kind: 'location-added', location, text: `now on ${location} too` });
    }
  }
  for (const location of oldLocations ?? []) {
    if (!newLocations?.has(location)) {
      changes.push({ kind: 'location-removed', location, text: `no longer on ${location}` });
    }
  }
  return changes;
}

/** One rule as it was and as it is. */
export type Pair = readonly [was: PlacedRule, is: PlacedRule];

/** Rules of one key are the same rule in both artifacts. Those of equal keys pair in their order. */
export function pairsOf(old: readonly PlacedRule[], now: readonly PlacedRule[]): Pair[] {
  const [was, is] = [groupBy(old, identityOf), groupBy(now, identityOf)];
  return [...is].flatMap(([key, rules]) =>
    rules.flatMap((rule, index): Pair[] => {
      const before = was.get(key)?.[index];
      return before ? [[before, rule]] : [];
    }),
  );
}

function identityOf(placed: PlacedRule): string {
  const { kind, location, rule, names } = placed;
  return JSON.stringify([kind, location, names.activity.id, rule.ruleKey, experienceId(placed)]);
}

/** Tells whether nothing of a rule differs, not even a token. */
export function isSameRule([was, is]: Pair): boolean {
  return isSameJson(was.rule, is.rule);
}

/** A change that is the same on several locations is told once. */
function onceForAll(changes: readonly Change[]): Change[] {
  const byText = new Map<string, Change>();
  for (const change of changes) {
    const { location, ...elsewhere } = change;
    const key = stableText(elsewhere);
    const known = byText.get(key);
    byText.set(key, known && known.location !== location ? elsewhere : (known ?? change));
  }
  return [...byText.values()];
}

/** Further rules of an experience and a location that are in both artifacts are further content. */
function contentOfExtra(
  pairs: readonly Pair[],
  old: readonly PlacedRule[],
  now: readonly PlacedRule[],
): Change[] {
  const paired = new Set(pairs.flat());
  const [gone, come] = [old, now].map((rules) => rules.filter((rule) => !paired.has(rule)));
  const isKnown = (one: PlacedRule, others: readonly PlacedRule[]) =>
    others.some((other) => experienceId(other) === experienceId(one)) &&
    others.some((other) => locationName(other) === locationName(one));
  const toContent = (one: PlacedRule, words: string): Change => {
    const experience = shownName(one.names.experience);
    return {
      kind: 'content',
      location: locationName(one),
      experience,
      text: `${experience}: a rule ${words}`,
    };
  };
  return [
    ...(gone ?? []).filter((one) => isKnown(one, now)).map((one) => toContent(one, 'removed')),
    ...(come ?? []).filter((one) => isKnown(one, old)).map((one) => toContent(one, 'added')),
  ];
}

function pairChanges(pair: Pair, counter: ShareCounter, moved: readonly Moved[]): Change[] {
  if (isSameRule(pair)) {
    return [];
  }
  const [was, is] = pair;
  const experience = shownName(is.names.experience);
  const where = { location: locationName(is), experience };
  const changes: Change[] = [];
  const [old, now] = [counter.count(was.rule.condition), counter.count(is.rule.condition)];
  if (!old.buckets.equals(now.buckets)) {
    const [before, after] = [percent(old.buckets.size), percent(now.buckets.size)];
    const own = moved.filter(({ from, to }) => from === experience || to === experience);
    const text = `${experience} share: ${before} → ${after}${movedWords(own)}`;
    changes.push({ kind: 'share', ...where, before, after, moved: own, text });
  }
  if (!isSameJson(old.audience, now.audience)) {
    const [before, after] = [old.words, now.words];
    const text = `${experience} audience: ${before} → ${after}`;
    changes.push({ kind: 'audience', ...where, before, after, text });
  }
  const content = contentWords(was.rule.consequence, is.rule.consequence);
  if (content !== undefined) {
    changes.push({ kind: 'content', ...where, ...content, text: `${experience} content: ${content.text}` });
  }
  if (!isSameJson(metricsOf(was), metricsOf(is))) {
    changes.push({ kind: 'metrics', ...where, text: `${experience}: the metrics of clicks changed` });
  }
  const [oldTokens, newTokens] = [was, is].map(({ rule }) =>
    [...(rule.propertyTokens ?? [])].sort().join(', '),
  );
  if (oldTokens !== newTokens) {
    const [before, after] = [oldTokens || 'all', newTokens || 'all'];
    changes.push({ kind: 'property', ...where, before, after, text: `properties: ${before} → ${after}` });
  }
  return changes;
}

/** Event tokens are new each time, and of no account to a visitor. */
function metricsOf({ rule }: PlacedRule): unknown[] {
  return (rule.consequence.metrics ?? []).map((metric) => {
    const { eventToken, ...rest } = recordOf(metric);
    return rest;
  });
}

function movedWords(moved: readonly Moved[]): string {
  const words = moved.map(({ from, to, share }) => {
    const [source, target] = [from, to].map((name) => (name === NOBODY ? 'no experience' : name));
    return `${percent(share, 2)} of visitors move from ${source} to ${target}`;
  });
  return words.length > 0 ? ` (${words.join('; ')})` : '';
}

const NOBODY = 'none';

/** Counts which part of the allocations changes from which experience of an activity to which. */
function movedVisitors(
  old: readonly PlacedRule[],
  now: readonly PlacedRule[],
  counter: ShareCounter,
): Moved[] {
  const [was, is] = [sharesOf(old, counter), sharesOf(now, counter)];
  const edges = [...was, ...is].flatMap(({ buckets }) =>
    buckets.runs.flatMap(({ start, end }) => [start, end]),
  );
  const steps = [...new Set([0, ...edges, BUCKETS])].sort((a, b) => a - b);
  const moved = new Map<string, { from: string; to: string; buckets: number }>();
  for (const [at, bucket] of steps.entries()) {
    const [from, to] = [shareAt(was, bucket), shareAt(is, bucket)];
    if (from?.id !== to?.id) {
      const names = { from: from?.shown ?? NOBODY, to: to?.shown ?? NOBODY };
      const key = JSON.stringify(names);
      const buckets = (moved.get(key)?.buckets ?? 0) + (steps[at + 1] ?? bucket) - bucket;
      moved.set(key, { ...names, buckets });
    }
  }
  return [...moved.values()].map(({ buckets, ...names }) => ({ ...names, share: buckets / BUCKETS }));
}

interface ExperienceBuckets {
  readonly id: string;
  readonly shown: string;
  readonly buckets: Buckets;
}

function sharesOf(rules: readonly PlacedRule[], counter: ShareCounter): ExperienceBuckets[] {
  return rules.map((placed) => ({
    id: experienceId(placed),
    shown: shownName(placed.names.experience),
    buckets: counter.count(placed.rule.condition).buckets,
  }));
}

/** The first rule that has an allocation in its share counts, whatever its audience is. */
function shareAt(shares: readonly ExperienceBuckets[], bucket: number): ExperienceBuckets | undefined {
  return shares.find(({ buckets }) => buckets.has(bucket / 100));
}
