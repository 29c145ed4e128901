import { groupBy, type PlacedRule } from './rule-index.js';
import { isSameJson, stableText } from './same-json.js';

/** A rule in both artifacts. */
export type Pair = readonly [was: PlacedRule, is: PlacedRule];

/**
 * Finds the rules that are in both artifacts. Rules of one location, activity, rule key and experience are the same rule.
 * Those that are most alike pair first where there are several, so that a rule which comes or goes changes no other.
 */
export function pairsOf(old: readonly PlacedRule[], now: readonly PlacedRule[]): Pair[] {
  const [was, is] = [groupBy(old, identityOf), groupBy(now, identityOf)];
  return [...is].flatMap(([key, rules]) => pairsOfOne(was.get(key) ?? [], rules));
}

/** Tells whether nothing at all changed in a rule. */
export function isSameRule([was, is]: Pair): boolean {
  return isSameJson(was.rule, is.rule);
}

/** Returns the name of the location, as changes have it. */
export function locationName({ kind, location }: PlacedRule): string {
  return kind === 'mbox' ? location : `${kind} ${location}`;
}

/** Returns the key of the experience in its activity: the id, or the name where there is no id. */
export function experienceKey({ names: { experience } }: PlacedRule): string {
  return experience.id === '' ? `name ${experience.name}` : `id ${experience.id}`;
}

function identityOf(placed: PlacedRule): string {
  const { kind, location, rule, names } = placed;
  return JSON.stringify([kind, location, names.activity.id, rule.ruleKey, experienceKey(placed)]);
}

const EVERY = () => '';

/** The parts by which rules are compared, the most telling ones first. In the end, the order decides. */
const LIKENESSES: readonly ((placed: PlacedRule) => string)[] = [
  ({ rule }) => stableText(rule),
  ({ rule }) => stableText([rule.condition, contentsOf(rule)]),
  ({ rule }) => stableText(rule.condition),
  ({ rule }) => stableText(contentsOf(rule)),
  EVERY,
];

function contentsOf({ consequence }: PlacedRule['rule']): unknown[] {
  return (consequence.options ?? []).map(({ content }) => content);
}

function pairsOfOne(old: readonly PlacedRule[], now: readonly PlacedRule[]): Pair[] {
  const pairs: Pair[] = [];
  let rest = old;
  let open = now;
  for (const likeness of old.length > 1 || now.length > 1 ? LIKENESSES : [EVERY]) {
    if (rest.length === 0 || open.length === 0) {
      break;
    }
    const alike = groupBy(rest, likeness);
    const taken = new Set<PlacedRule>();
    open = open.filter((rule) => {
      const before = alike.get(likeness(rule))?.shift();
      if (before) {
        taken.add(before);
        pairs.push([before, rule]);
      }
      return !before;
    });
    rest = rest.filter((rule) => !taken.has(rule));
  }
  return pairs.sort(([, one], [, other]) => one.index - other.index);
}
