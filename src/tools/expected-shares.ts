import type { LocationContext } from '../on-device/facts/context.js';
import { contextPart } from '../on-device/facts/context-parts.js';
import type { CompiledCondition } from '../on-device/rules/condition.js';
import type { CompiledLocation, CompiledRule } from '../on-device/rules/location.js';
import { Buckets } from './buckets.js';
import { namesOfMeta, type RuleNames } from './rule-facts.js';

const ALLOCATION = contextPart('allocation');

/** The shares of an experience at one location, as parts of 1. */
export interface ExpectedExperience {
  readonly names: RuleNames;
  /** The part of the visitors that its rules are meant for. */
  readonly configured: number;
  /** The part of the visitors that gets it, after the rules before it. */
  readonly expected: number;
}

/** The experiences of an activity at one location. */
export interface ExpectedActivity {
  readonly names: RuleNames['activity'];
  readonly experiences: readonly ExpectedExperience[];
  /** The part of the visitors that its shares are meant for. */
  readonly configured: number;
  readonly expected: number;
}

/** The experiences that visitors get at one location. */
export interface ExpectedShares {
  readonly activities: readonly ExpectedActivity[];
  /** The part of the visitors that gets nothing. */
  readonly none: number;
}

/** A rule, and the allocations for which it holds when everything else is as the call gives it. */
interface SharedRule {
  readonly rule: CompiledRule;
  readonly key: string;
  readonly buckets: Buckets;
  /** True for a rule at which the search of its location ends, whatever the visitor is. */
  readonly isEnd: boolean;
}

/** Returns the key under which the experience of a rule is counted. */
export function experienceKey({ activity, meta }: CompiledRule): string {
  return keyOfNames(namesOfMeta(activity.id, meta));
}

/** Experiences are counted by activity too, because experiences of two activities may have one name. */
export function keyOfNames({ activity, experience }: RuleNames): string {
  return JSON.stringify([activity.id, experience.id, experience.name]);
}

/**
 * Counts what visitors get at a location. The engine's conditions are asked for each of the 10 000 allocations, and
 * nothing is read from their text. Allocations of different activities are independent of each other.
 */
export function expectedShares(
  location: CompiledLocation,
  context: LocationContext,
  property: string | undefined,
): ExpectedShares {
  const shared = sharedRules(location, context, property);
  const activities = new Map<number | string, SharedRule[]>();
  for (const one of shared) {
    const { id } = one.rule.activity;
    activities.set(id, [...(activities.get(id) ?? []), one]);
  }
  const chances = location.allMatching ? undefined : firstChances(shared);
  const expected = [...activities.values()]
    .map((rules) => expectedActivity(rules, chances))
    .filter(({ experiences }) => experiences.length > 0);
  const none = location.allMatching
    ? expected.reduce((rest, activity) => rest * (1 - activity.expected), 1)
    : 1 - expected.reduce((sum, activity) => sum + activity.expected, 0);
  return { activities: expected, none: Math.max(0, none) };
}

function sharedRules(
  location: CompiledLocation,
  context: LocationContext,
  property: string | undefined,
): SharedRule[] {
  const byCondition = new Map<CompiledCondition, Buckets>();
  return location.rulesFor(property).map((rule) => {
    const { condition } = rule;
    const known = condition && byCondition.get(condition);
    const buckets = known ?? bucketsOf(rule, context);
    if (condition && !known) {
      byCondition.set(condition, buckets);
    }
    return { rule, key: experienceKey(rule), buckets, isEnd: !condition && !location.allMatching };
  });
}

function bucketsOf({ condition, activity }: CompiledRule, context: LocationContext): Buckets {
  if (!condition) {
    return Buckets.NONE;
  }
  context.fill(condition.reads, activity);
  if ((condition.reads & ALLOCATION) === 0) {
    return condition.holds(context) ? Buckets.ALL : Buckets.NONE;
  }
  return Buckets.where((allocation) => {
    context.allocation = allocation;
    return condition.holds(context);
  });
}

/** `chances` are those of rules of which the first one answers. They are undefined where every rule answers. */
function expectedActivity(
  rules: readonly SharedRule[],
  chances: ReadonlyMap<SharedRule, number> | undefined,
): ExpectedActivity {
  const decidable = rules.filter(({ rule }) => rule.condition);
  const keys = [...new Set(decidable.map(({ key }) => key))];
  const experiences = keys.map((key) => {
    const own = decidable.filter((one) => one.key === key);
    const expected = chances
      ? own.reduce((sum, one) => sum + (chances.get(one) ?? 0), 0)
      : Buckets.union(own.map((one) => answeredBuckets(one, rules))).size;
    return { own, expected };
  });
  const [first] = rules;
  const answering = chances
    ? experiences.reduce((sum, { expected }) => sum + expected, 0)
    : Buckets.union(decidable.map((one) => answeredBuckets(one, rules))).size;
  return {
    names: namesOf(first).activity,
    experiences: experiences.map(({ own, expected }) => ({
      names: namesOf(own[0]),
      configured: Buckets.union(own.map(({ buckets }) => buckets)).size,
      expected,
    })),
    configured: Buckets.union(decidable.map(({ buckets }) => buckets)).size,
    expected: answering,
  };
}

function namesOf(one: SharedRule | undefined): RuleNames {
  return namesOfMeta(one?.rule.activity.id, one?.rule.meta ?? {});
}

/** A rule of a location that answers with every rule that holds is kept back by those of its rule key before it. */
function answeredBuckets(one: SharedRule, ofActivity: readonly SharedRule[]): Buckets {
  const before = ofActivity.slice(0, ofActivity.indexOf(one));
  return without(
    one.buckets,
    before.filter(({ rule }) => rule.key === one.rule.key),
  );
}

/**
 * Counts the visitors of each rule of a location that answers with the first rule that holds. A rule is kept back by all
 * rules before it, of all activities.
 */
function firstChances(rules: readonly SharedRule[]): ReadonlyMap<SharedRule, number> {
  const chances = new Map<SharedRule, number>();
  const taken = new Map<unknown, Buckets>();
  for (const one of rules) {
    if (one.isEnd) {
      break;
    }
    const { activity } = one.rule;
    const own = taken.get(activity) ?? Buckets.NONE;
    let chance = one.buckets.without(own).size;
    for (const [other, { size }] of taken) {
      chance *= other === activity ? 1 : 1 - size;
    }
    chances.set(one, chance);
    taken.set(activity, Buckets.union([own, one.buckets]));
  }
  return chances;
}

function without(buckets: Buckets, taken: readonly SharedRule[]): Buckets {
  return buckets.without(Buckets.union(taken.map((one) => one.buckets)));
}
