import type { LocationContext } from '../on-device/facts/context.js';
import { contextPart } from '../on-device/facts/context-parts.js';
import type { CompiledCondition } from '../on-device/rules/condition.js';
import type { CompiledLocation, CompiledRule } from '../on-device/rules/location.js';
import {
  activityKey,
  chanceOfAny,
  type FirstChance,
  firstChances,
  keptBack,
  type SharedRule,
} from './answering-chance.js';
import { Buckets } from './buckets.js';
import { namesOfMeta, type RuleNames } from './rule-facts.js';
import { groupBy } from './rule-index.js';

const ALLOCATION = contextPart('allocation');

/** The shares of an experience at one location, as parts of 1. */
export interface ExpectedExperience {
  readonly names: RuleNames;
  /** The part of the visitors that its rules are meant for. */
  readonly configured: number;
  /** The part of the visitors that gets it, after the rules before it. */
  readonly expected: number;
  /** The same part, if the rules before it that only the edge can evaluate did not hold. */
  readonly ifDecidable: number;
}

/** The experiences of an activity at one location. */
export interface ExpectedActivity {
  readonly names: RuleNames['activity'];
  readonly experiences: readonly ExpectedExperience[];
  /** The part of the visitors that its shares are meant for. */
  readonly configured: number;
  readonly expected: number;
  /** The part that gets any of its experiences, if the rules that only the edge can evaluate did not hold. */
  readonly ifDecidable: number;
}

/** The experiences that visitors get at one location. */
export interface ExpectedShares {
  readonly activities: readonly ExpectedActivity[];
  /** The part of the visitors that gets nothing. */
  readonly none: number;
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
  const activities = [...groupBy(shared, activityKey).values()];
  const chanceOf = location.allMatching ? chanceOnAll(shared) : chanceOnFirst(shared);
  const expected = activities
    .map((rules) => expectedActivity(rules, chanceOf))
    .filter(({ experiences }) => experiences.length > 0);
  // Somebody whom any rule is meant for gets some experience where all rules answer.
  const none = location.allMatching
    ? expected.reduce((rest, activity) => rest * (1 - activity.configured), 1)
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

type ChanceOf = (rules: readonly SharedRule[]) => FirstChance;

function chanceOnFirst(all: readonly SharedRule[]): ChanceOf {
  const chances = firstChances(all);
  return (rules) => {
    const own = rules.flatMap((one) => chances.get(one) ?? []);
    return {
      onDevice: own.reduce((sum, { onDevice }) => sum + onDevice, 0),
      ifDecidable: own.reduce((sum, { ifDecidable }) => sum + ifDecidable, 0),
    };
  };
}

function chanceOnAll(all: readonly SharedRule[]): ChanceOf {
  const kept = keptBack(all);
  return (rules) => {
    const chance = chanceOfAny(rules.flatMap((one) => kept.get(one) ?? []));
    return { onDevice: chance, ifDecidable: chance };
  };
}

function expectedActivity(rules: readonly SharedRule[], chanceOf: ChanceOf): ExpectedActivity {
  const decidable = rules.filter(({ rule }) => rule.condition);
  const experiences = [...groupBy(decidable, ({ key }) => key).values()];
  const toShares = (own: readonly SharedRule[]) => {
    const { onDevice, ifDecidable } = chanceOf(own);
    const configured = Buckets.union(own.map(({ buckets }) => buckets)).size;
    return { configured, expected: onDevice, ifDecidable };
  };
  return {
    names: namesOf(rules[0]).activity,
    experiences: experiences.map((own) => ({ names: namesOf(own[0]), ...toShares(own) })),
    ...toShares(decidable),
  };
}

function namesOf(one: SharedRule | undefined): RuleNames {
  return namesOfMeta(one?.rule.activity.id, one?.rule.meta ?? {});
}
