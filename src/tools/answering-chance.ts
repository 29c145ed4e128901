import type { CompiledRule } from '../on-device/rules/location.js';
import { BUCKETS, Buckets } from './buckets.js';

/** A rule, and the allocations for which it holds when everything else is as the call gives it. */
export interface SharedRule {
  readonly rule: CompiledRule;
  /** The key of its experience. */
  readonly key: string;
  readonly buckets: Buckets;
  /** True for a rule at which the search of its location ends, whatever the visitor is. */
  readonly isEnd: boolean;
}

/** The activity of a rule. Ids that read alike give the same allocations. */
export function activityKey({ rule }: SharedRule): string {
  return String(rule.activity.id);
}

/** The chance of a rule on a location that answers with the first rule that holds. */
export interface FirstChance {
  /** The part of the visitors who get it on-device. */
  readonly onDevice: number;
  /** The part of the visitors who would get it if the rules that only the edge can evaluate did not hold. */
  readonly ifDecidable: number;
}

/**
 * Counts the visitors of each rule of a location that answers with the first rule that holds. A rule is kept back by all
 * rules before it, of all activities.
 */
export function firstChances(rules: readonly SharedRule[]): ReadonlyMap<SharedRule, FirstChance> {
  const chances = new Map<SharedRule, FirstChance>();
  const taken = new Map<string, Buckets>();
  let isOver = false;
  for (const one of rules) {
    isOver ||= one.isEnd;
    const activity = activityKey(one);
    const own = taken.get(activity) ?? Buckets.NONE;
    let chance = one.buckets.without(own).size;
    for (const [other, { size }] of taken) {
      chance *= other === activity ? 1 : 1 - size;
    }
    chances.set(one, { onDevice: isOver ? 0 : chance, ifDecidable: chance });
    taken.set(activity, Buckets.union([own, one.buckets]));
  }
  return chances;
}

/** A rule of a location that answers with all rules that hold, and what keeps it back. */
export interface KeptBack {
  /** The allocations for which it holds, and no rule of its key and activity before it. */
  readonly buckets: Buckets;
  /** The allocations of other activities for which a rule of its key answers before it. */
  readonly others: ReadonlyMap<string, Buckets>;
}

/** Tells what keeps each rule back: a visitor gets one rule of a key, the first one that holds. */
export function keptBack(rules: readonly SharedRule[]): ReadonlyMap<SharedRule, KeptBack> {
  const byKey = new Map<unknown, Map<string, Buckets>>();
  return new Map(
    rules.map((one): [SharedRule, KeptBack] => {
      const before = byKey.get(one.rule.key) ?? new Map<string, Buckets>();
      const activity = activityKey(one);
      const own = before.get(activity) ?? Buckets.NONE;
      const others = new Map([...before].filter(([other, { size }]) => other !== activity && size > 0));
      byKey.set(one.rule.key, before.set(activity, Buckets.union([own, one.buckets])));
      return [one, { buckets: one.buckets.without(own), others }];
    }),
  );
}

/** Counts the visitors who get any of some rules of one activity. Allocations of other activities are independent. */
export function chanceOfAny(rules: readonly KeptBack[]): number {
  const free = Buckets.union(rules.filter(({ others }) => others.size === 0).map(({ buckets }) => buckets));
  const held = rules.filter(({ others }) => others.size > 0);
  const edges = held.flatMap(({ buckets }) =>
    buckets.without(free).runs.flatMap(({ start, end }) => [start, end]),
  );
  const steps = [...new Set(edges)].sort((a, b) => a - b);
  let chance = free.size;
  for (const [at, bucket] of steps.entries()) {
    const size = ((steps[at + 1] ?? bucket) - bucket) / BUCKETS;
    const here = free.has(bucket / 100) ? [] : held.filter(({ buckets }) => buckets.has(bucket / 100));
    chance += here.length === 0 ? 0 : size * (1 - chanceOfAllHeld(here));
  }
  return chance;
}

/** The terms are two to the power of the number of rules, so more rules than these are taken as independent. */
const MAX_EXACT = 12;

function chanceOfAllHeld(rules: readonly KeptBack[]): number {
  return rules.length > MAX_EXACT
    ? rules.reduce((chance, rule) => chance * allHeld([rule], new Map()), 1)
    : allHeld(rules, new Map());
}

/**
 * Returns the chance that other activities keep back all of some rules, by inclusion and exclusion: of those that are
 * hit and those that are not.
 */
function allHeld([first, ...rest]: readonly KeptBack[], unhit: ReadonlyMap<string, Buckets>): number {
  if (!first) {
    return [...unhit.values()].reduce((chance, { size }) => chance * (1 - size), 1);
  }
  const withFirst = new Map(unhit);
  for (const [activity, buckets] of first.others) {
    withFirst.set(activity, Buckets.union([withFirst.get(activity) ?? Buckets.NONE, buckets]));
  }
  return allHeld(rest, unhit) - allHeld(rest, withFirst);
}
