import type { LocationContext } from '../on-device/facts/context.js';
import type { CompiledCondition } from '../on-device/rules/condition.js';
import type { CompiledLocation, CompiledRule } from '../on-device/rules/location.js';
import { Buckets } from './buckets.js';
import { namesOfMeta, type RuleNames } from './rule-facts.js';

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
  const expected = [...activities.values()]
    .map((rules) => expectedActivity(rules, shared, location.allMatching))
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
  return Buckets.where((allocation) => {
    context.allocation = allocation;
    return condition.holds(context);
  });
}

function expectedActivity(
  rules: readonly SharedRule[],
  all: readonly SharedRule[],
  isForAll: boolean,
): ExpectedActivity {
  const decidable = rules.filter(({ rule }) => rule.condition);
  const keys = [...new Set(decidable.map(({ key }) => key))];
  const chances = keys.map((key) => {
    const own = decidable.filter((one) => one.key === key);
    const expected = isForAll
      ? Buckets.union(own.map((one) => answeredBuckets(one, rules))).size
      : own.reduce((sum, one) => sum + firstChance(one, all), 0);
    return { own, expected };
  });
  const [first] = rules;
  const answering = isForAll
    ? Buckets.union(decidable.map((one) => answeredBuckets(one, rules))).size
    : chances.reduce((sum, { expected }) => sum + expected, 0);
  return {
    names: namesOf(first).activity,
    experiences: chances.map(({ own, expected }) => ({
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

/** A rule of a location that answers with the first rule that holds is kept back by all rules before it, of all activities. */
function firstChance(one: SharedRule, all: readonly SharedRule[]): number {
  const before = all.slice(0, all.indexOf(one));
  if (before.some(({ isEnd }) => isEnd)) {
    return 0;
  }
  const { activity } = one.rule;
  const own = before.filter(({ rule }) => rule.activity === activity);
  const others = new Map<unknown, Buckets[]>();
  for (const { rule, buckets } of before) {
    if (rule.activity !== activity) {
      others.set(rule.activity, [...(others.get(rule.activity) ?? []), buckets]);
    }
  }
  let chance = without(one.buckets, own).size;
  for (const taken of others.values()) {
    chance *= 1 - Buckets.union(taken).size;
  }
  return chance;
}

function without(buckets: Buckets, taken: readonly SharedRule[]): Buckets {
  return buckets.without(Buckets.union(taken.map((one) => one.buckets)));
}
