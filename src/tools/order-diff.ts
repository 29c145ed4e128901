import type { Artifact } from '../artifact.js';
import type { ArtifactDiff } from './artifact-diff.js';
import { shownName } from './rule-facts.js';
import { groupBy, type PlacedRule } from './rule-index.js';
import type { Pair } from './rule-pairs.js';

type LocationChanges = ArtifactDiff['locations'];

/** Lists the locations on which the rules that are in both artifacts stand in another order. */
export function orderChanges(pairs: readonly Pair[]): LocationChanges {
  return [...groupBy(pairs, ([, { kind, location }]) => `${kind} ${location}`)].flatMap(([name, own]) => {
    const is = [...own].sort(([, one], [, other]) => one.index - other.index);
    const isInOrder = is.every(([{ index }], at) => at === 0 || (is[at - 1]?.[0].index ?? 0) < index);
    if (isInOrder) {
      return [];
    }
    const was = [...own].sort(([one], [other]) => one.index - other.index);
    return [{ name, text: orderWords(was, is) }];
  });
}

type NameOf = (placed: PlacedRule) => string;

const activityName: NameOf = ({ names }) => shownName(names.activity);
const activityKey: NameOf = ({ names }) => names.activity.id;
const experienceName: NameOf = ({ names }) => shownName(names.experience);

/** Says the order of the activities. Where that is as before, it says the order in the first activity that has another. */
function orderWords(was: readonly Pair[], is: readonly Pair[]): string {
  const [old, now] = [was.map(([one]) => one), is.map(([, one]) => one)];
  const uniques = [old, now].map((rules) => [
    ...new Map(rules.map((rule) => [activityKey(rule), rule])).values(),
  ]);
  const all = [uniques, [old, now].map((rules) => runsOf(rules, activityKey))];
  for (const [before = [], after = []] of all) {
    if (before.map(activityKey).join() !== after.map(activityKey).join()) {
      return `order of activities: ${before.map(activityName).join(', ')} → ${after.map(activityName).join(', ')}`;
    }
  }
  const position = new Map(was.map(([one], at) => [one, at]));
  const moved = is.find(([one], at) => position.get(one) !== at)?.[1] ?? now[0];
  const id = moved && activityKey(moved);
  const [before, after] = [old, now].map((rules) =>
    runsOf(
      rules.filter((rule) => activityKey(rule) === id),
      experienceName,
    )
      .map(experienceName)
      .join(', '),
  );
  const activity = moved ? activityName(moved) : '';
  return before === after
    ? `order of the rules of ${activity}`
    : `order in ${activity}: ${before} → ${after}`;
}

/** Leaves out rules that have the key of the rule before them. */
function runsOf(rules: readonly PlacedRule[], keyOf: NameOf): PlacedRule[] {
  return rules.filter((rule, at) => {
    const before = rules[at - 1];
    return !before || keyOf(before) !== keyOf(rule);
  });
}

/**
 * Tells of each new activity where its rules stand on the mboxes that others have too: before them it takes their
 * visitors, and behind them it gets what they leave.
 */
export function addedWords(
  now: readonly PlacedRule[],
  {
    known,
    globalMboxes,
  }: { readonly known: ReadonlyMap<string, unknown>; readonly globalMboxes: ReadonlySet<string> },
): ReadonlyMap<string, string> {
  const words = new Map<string, string>();
  const onMboxes = now.filter(({ kind, location }) => kind === 'mbox' && !globalMboxes.has(location));
  const isKnown = (rule: PlacedRule) => known.has(activityKey(rule));
  for (const [location, rules] of groupBy(onMboxes, ({ location }) => location)) {
    const order = [...new Map(rules.map((rule) => [activityKey(rule), rule])).values()];
    let next: PlacedRule | undefined;
    for (const rule of order.some(isKnown) ? order.reverse() : []) {
      if (isKnown(rule)) {
        next = rule;
        continue;
      }
      const where = `on ${location} ${next ? `before ${activityName(next)}` : 'behind all others'}`;
      const others = words.get(activityKey(rule));
      words.set(activityKey(rule), others === undefined ? where : `${others}, ${where}`);
    }
  }
  return words;
}

/** Tells of another order of the views: a request for all of them is answered in it. */
export function viewOrderChanges(old: Artifact, now: Artifact): LocationChanges {
  const [was, is] = [old, now].map(({ rules }) => Object.keys(rules.views ?? {}));
  const inBoth = (names: readonly string[] = [], others: readonly string[] = []) => {
    const known = new Set(others);
    return names.filter((name) => known.has(name)).join(', ');
  };
  const [before, after] = [inBoth(was, is), inBoth(is, was)];
  return before === after ? [] : [{ name: 'views', text: `order of views: ${before} → ${after}` }];
}

/** Tells how many rules of a location have not the shape of a rule. They leave the location to the edge. */
export function unusableChanges(
  [old, now]: readonly [Artifact, Artifact],
  [oldRules, newRules]: readonly [readonly PlacedRule[], readonly PlacedRule[]],
): LocationChanges {
  const [was, is] = [unusableRules(old, oldRules), unusableRules(now, newRules)];
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((name) => {
    const [before, after] = [was.get(name) ?? 0, is.get(name) ?? 0];
    return before === after
      ? []
      : [{ name, text: `rules that only the edge can read: ${before} → ${after}` }];
  });
}

function unusableRules({ rules }: Artifact, placed: readonly PlacedRule[]): Map<string, number> {
  const usable = groupBy(placed, ({ kind, location }) => `${kind} ${location}`);
  const kinds = [
    ['mbox', rules.mboxes],
    ['view', rules.views],
  ] as const;
  return new Map(
    kinds.flatMap(([kind, byName]) =>
      Object.entries(byName ?? {}).map(([location, { length }]): [string, number] => {
        const name = `${kind} ${location}`;
        return [name, length - (usable.get(name)?.length ?? 0)];
      }),
    ),
  );
}
