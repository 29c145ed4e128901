import type { Change, Moved } from './artifact-diff.js';
import { cutBoth } from './clause-words.js';
import { contentWords } from './content-diff.js';
import { experienceLabels, movedAt, nobodyWords } from './moved.js';
import { sentenceOfTree } from './phrases.js';
import { fieldText, groupBy, type PlacedRule, recordOf } from './rule-index.js';
import { experienceKey, isSameRule, locationName, type Pair } from './rule-pairs.js';
import { isSameJson, stableText } from './same-json.js';
import type { SeenMeta } from './seen-rules.js';
import { type CountedCondition, percent, rangesOf, rangeWords, type ShareCounter } from './shares.js';

/** Makes a change that has nothing but its words. */
export function toChange(kind: Change['kind'], text: string): Change {
  return { kind, text };
}

/** The rules of one activity in both artifacts. One of the lists is empty for an activity that came or went. */
export interface ActivityRules {
  readonly old: readonly PlacedRule[];
  readonly now: readonly PlacedRule[];
  readonly pairs: readonly Pair[];
}

interface Sources {
  readonly counter: ShareCounter;
  readonly seen: SeenMeta;
  readonly globalMboxes: ReadonlySet<string>;
}

/** Lists the changes of one activity. */
export function activityChanges({ old, now, pairs }: ActivityRules, all: Sources): Change[] {
  const { counter, globalMboxes } = all;
  if (old.length === 0 || now.length === 0) {
    const [rules, kind] = old.length === 0 ? [now, 'added' as const] : [old, 'removed' as const];
    const names = [...new Set(rules.map(locationName))].join(', ');
    const count = new Set(rules.map(experienceKey)).size;
    const verb = kind === 'added' ? 'it is' : 'it was';
    return [
      toChange(kind, `${kind}; ${verb} on ${names}, ${count} ${count === 1 ? 'experience' : 'experiences'}`),
    ];
  }
  if (pairs.length === old.length && pairs.length === now.length && pairs.every(isSameRule)) {
    return [];
  }
  const labels = experienceLabels([...old, ...now]);
  const [was, is] = [groupBy(old, locationName), groupBy(now, locationName)];
  const moves = new Map<string, readonly Moved[] | undefined>();
  const movesAt = (location: string) => {
    if (!moves.has(location)) {
      const sides = [was.get(location) ?? [], is.get(location) ?? []] as const;
      moves.set(location, movedAt(...sides, { counter, labels, globalMboxes }));
    }
    return moves.get(location);
  };
  const sources: PairSources = { ...all, labels, movesAt };
  const changes = pairs.filter((pair) => !isSameRule(pair)).flatMap((pair) => pairChanges(pair, sources));
  changes.push(...propertyChanges(pairs, labels), ...contentOfExtra({ old, now, pairs }, labels));
  return [...nameChanges(old, now), ...setChanges(old, now, labels), ...onceForAll(changes)];
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
function setChanges(
  old: readonly PlacedRule[],
  now: readonly PlacedRule[],
  labels: ReadonlyMap<string, string>,
): Change[] {
  const [was, is] = [groupBy(old, experienceKey), groupBy(now, experienceKey)];
  const named = (id: string) => labels.get(id) ?? id;
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
function contentOfExtra({ old, now, pairs }: ActivityRules, labels: ReadonlyMap<string, string>): Change[] {
  const paired = new Set(pairs.flat());
  const [gone, come] = [old, now].map((rules) => rules.filter((rule) => !paired.has(rule)));
  const isKnown = (one: PlacedRule, others: readonly PlacedRule[]) =>
    others.some((other) => experienceKey(other) === experienceKey(one)) &&
    others.some((other) => locationName(other) === locationName(one));
  const toContent = (one: PlacedRule, words: string): Change => {
    const experience = labelOf(one, labels);
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

interface PairSources extends Sources {
  readonly labels: ReadonlyMap<string, string>;
  /** Returns the visitors that the activity moves at a location; undefined where no number is true for all of them. */
  readonly movesAt: (location: string) => readonly Moved[] | undefined;
}

function labelOf(placed: PlacedRule, labels: ReadonlyMap<string, string>): string {
  return labels.get(experienceKey(placed)) ?? '';
}

function pairChanges([was, is]: Pair, sources: PairSources): Change[] {
  const experience = labelOf(is, sources.labels);
  const where = { location: locationName(is), experience };
  const changes = conditionChanges([was, is], where, sources);
  const content = contentWords(was.rule.consequence, is.rule.consequence);
  if (content !== undefined) {
    const { before, after } = content;
    changes.push({
      kind: 'content',
      ...where,
      before,
      after,
      text: `${experience} content: ${content.text}`,
    });
  }
  if (!isSameJson(metricsOf(was), metricsOf(is))) {
    changes.push({ kind: 'metrics', ...where, text: `${experience}: the metrics of clicks changed` });
  }
  for (const name of seenMeta([was, is], sources.seen)) {
    const [before, after] = cutBoth(
      ...([was, is].map(
        ({ rule }) => fieldText(rule.meta, name) || stableText(rule.meta[name]) || 'none',
      ) as [string, string]),
    );
    changes.push({
      kind: 'token',
      ...where,
      before,
      after,
      text: `${experience} ${name}: ${before} → ${after}`,
    });
  }
  return changes;
}

type Where = { readonly location: string; readonly experience: string };

/** A condition that is split has a share and an audience, and each of them may change. Another one changes as a whole. */
function conditionChanges([was, is]: Pair, where: Where, { counter, movesAt }: PairSources): Change[] {
  const { experience } = where;
  const changes: Change[] = [];
  const [old, now] = [counter.count(was.rule.condition), counter.count(is.rule.condition)];
  const isSplit = old.isSplit && now.isSplit;
  if (isSplit && !old.buckets.equals(now.buckets)) {
    const [before, after] = shareWords(old, now);
    const moved = movesAt(where.location)?.filter(({ from, to }) => from === experience || to === experience);
    const text = `${experience} share: ${before} → ${after}${movedWords(moved ?? [])}`;
    changes.push({ kind: 'share', ...where, before, after, ...(moved && { moved }), text });
  }
  const isSame = isSplit
    ? old.audienceKey === now.audienceKey
    : isSameJson(was.rule.condition, is.rule.condition);
  if (!isSame) {
    const [before, after] = audienceWords([was, is], isSplit ? [old.words, now.words] : undefined);
    const text = `${experience} audience: ${before} → ${after}`;
    changes.push({ kind: 'audience', ...where, before, after, text });
  }
  return changes;
}

/** Writes two shares so that they read differently. */
function shareWords(
  { buckets: old }: CountedCondition,
  { buckets: now }: CountedCondition,
): [string, string] {
  const writings = [percent(old.size), percent(old.size, 2), rangeWords(rangesOf(old))];
  const others = [percent(now.size), percent(now.size, 2), rangeWords(rangesOf(now))];
  const at = writings.findIndex((words, index) => words !== others[index]);
  return [writings.at(at) ?? '', others.at(at) ?? ''];
}

/** Writes two audiences so that they read differently: in the end as they are written. */
function audienceWords([was, is]: Pair, words: readonly [string, string] | undefined): [string, string] {
  const [before, after] = words ?? [sentenceOfTree(was.rule.condition), sentenceOfTree(is.rule.condition)];
  return before === after
    ? cutBoth(stableText(was.rule.condition), stableText(is.rule.condition))
    : [before, after];
}

/** The names of activities and experiences have changes of their own. */
const OF_THEIR_OWN: ReadonlySet<string> = new Set(['activity.name', 'activity.type', 'experience.name']);

/** Lists the names and ids that reach visitors and changed, other than those that have changes of their own. */
export function seenMeta([was, is]: Pair, seen: SeenMeta): string[] {
  const names = new Set([...seen.in(was.rule), ...seen.in(is.rule)]);
  return [...names].filter(
    (name) => !OF_THEIR_OWN.has(name) && !isSameJson(was.rule.meta[name], is.rule.meta[name]),
  );
}

/** Properties that change in the same way for all rules are a change of the activity. */
function propertyChanges(pairs: readonly Pair[], labels: ReadonlyMap<string, string>): Change[] {
  const tokens = ({ rule }: PlacedRule) => [...new Set(rule.propertyTokens ?? [])].sort().join(', ') || 'all';
  const all = pairs.map(([was, is]) => ({ is, before: tokens(was), after: tokens(is) }));
  const changed = all.filter(({ before, after }) => before !== after);
  const isOne = new Set(all.map(({ before, after }) => JSON.stringify([before, after]))).size === 1;
  return changed.slice(0, isOne ? 1 : undefined).map(({ is, before, after }): Change => {
    const [experience, words] = [labelOf(is, labels), `properties: ${before} → ${after}`];
    return isOne
      ? { kind: 'property', before, after, text: words }
      : {
          kind: 'property',
          location: locationName(is),
          experience,
          before,
          after,
          text: `${experience} ${words}`,
        };
  });
}

/** Event tokens are new each time, and of no account to a visitor. */
function metricsOf({ rule }: PlacedRule): unknown[] {
  return (rule.consequence.metrics ?? []).map((metric) => {
    const { eventToken, ...rest } = recordOf(metric);
    return rest;
  });
}

function movedWords(moved: readonly Moved[]): string {
  const words = moved.map(
    ({ from, to, share }) =>
      `${percent(share, 2)} of visitors move from ${nobodyWords(from)} to ${nobodyWords(to)}`,
  );
  return words.length > 0 ? ` (${words.join('; ')})` : '';
}
