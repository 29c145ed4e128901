import type { Moved } from './artifact-diff.js';
import { BUCKETS } from './buckets.js';
import type { PlacedRule } from './rule-index.js';
import { experienceKey } from './rule-pairs.js';
import { stableText } from './same-json.js';
import type { CountedCondition, ShareCounter } from './shares.js';

/** Stands for visitors whom an activity gives no experience. */
export const NOBODY = 'none';

/** Writes a move as `40.00 % of visitors move from B to A` does. */
export function nobodyWords(name: string): string {
  return name === NOBODY ? 'no experience' : name;
}

/**
 * Names the experiences of an activity by their key. Where two have one name, and where a name reads like no experience,
 * the id is added.
 */
export function experienceLabels(rules: readonly PlacedRule[]): Map<string, string> {
  const keysByName = new Map<string, Set<string>>([[NOBODY, new Set([NOBODY])]]);
  const shown = new Map<string, { readonly id: string; readonly name: string }>();
  for (const placed of rules) {
    const { id, name } = placed.names.experience;
    const key = experienceKey(placed);
    shown.set(key, { id, name: name || id || '–' });
  }
  for (const [key, { name }] of shown) {
    keysByName.set(name, (keysByName.get(name) ?? new Set()).add(key));
  }
  return new Map(
    [...shown].map(([key, { id, name }]) => {
      const isOnly = keysByName.get(name)?.size === 1;
      return [key, isOnly ? name : id ? `${name} (${id})` : `“${name}”`];
    }),
  );
}

interface Side {
  readonly key: string;
  readonly ruleKey: unknown;
  readonly counted: CountedCondition;
}

interface MoveSources {
  readonly counter: ShareCounter;
  readonly labels: ReadonlyMap<string, string>;
  /** The mboxes that stand for a page load, on which the first rule of each key answers. */
  readonly globalMboxes: ReadonlySet<string>;
}

/**
 * Counts which part of all visitors an activity moves from which experience to which at one location. It is undefined
 * where no number is true for all visitors: where rules have different audiences or properties, and where a visitor may
 * get several experiences.
 */
export function movedAt(
  old: readonly PlacedRule[],
  now: readonly PlacedRule[],
  { counter, labels, globalMboxes }: MoveSources,
): Moved[] | undefined {
  // The first rule answers on other mboxes, whatever its key is.
  const isFirstOnly = [...old, ...now].every(
    ({ kind, location }) => kind === 'mbox' && !globalMboxes.has(location),
  );
  const toSide = (placed: PlacedRule): Side => ({
    key: experienceKey(placed),
    ruleKey: isFirstOnly ? undefined : placed.rule.ruleKey,
    counted: counter.count(placed.rule.condition),
  });
  const [was, is] = [old.map(toSide), now.map(toSide)];
  const audiences = new Set(
    [...old, ...now].map(({ rule }) =>
      stableText([counter.count(rule.condition).audienceKey, [...(rule.propertyTokens ?? [])].sort()]),
    ),
  );
  if (audiences.size > 1 || [...was, ...is].some(({ counted }) => !counted.isSplit)) {
    return undefined;
  }
  const edges = [...was, ...is].flatMap(({ counted }) =>
    counted.buckets.runs.flatMap(({ start, end }) => [start, end]),
  );
  const steps = [...new Set([0, ...edges, BUCKETS])].sort((a, b) => a - b);
  const moved = new Map<string, { from: string; to: string; buckets: number }>();
  for (const [at, bucket] of steps.entries()) {
    const from = experienceAt(was, bucket);
    const to = experienceAt(is, bucket);
    if (from === SEVERAL || to === SEVERAL) {
      return undefined;
    }
    if (from !== to) {
      const names = { from: nameIn(labels, from), to: nameIn(labels, to) };
      const key = JSON.stringify(names);
      const buckets = (moved.get(key)?.buckets ?? 0) + (steps[at + 1] ?? bucket) - bucket;
      moved.set(key, { ...names, buckets });
    }
  }
  return [...moved.values()].map(({ buckets, ...names }) => ({ ...names, share: buckets / BUCKETS }));
}

function nameIn(labels: ReadonlyMap<string, string>, key: string | undefined): string {
  return key === undefined ? NOBODY : (labels.get(key) ?? key);
}

const SEVERAL = Symbol('several');

/** The first rule of an allocation answers, and on a page load the first one of each rule key. */
function experienceAt(sides: readonly Side[], bucket: number): string | undefined | typeof SEVERAL {
  let first: Side | undefined;
  for (const side of sides) {
    if (side.counted.buckets.has(bucket / 100)) {
      first ??= side;
      if (side.key !== first.key && side.ruleKey !== first.ruleKey) {
        return SEVERAL;
      }
    }
  }
  return first?.key;
}
