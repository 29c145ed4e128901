import type { Artifact, Rule } from '../artifact.js';
import { isRecord, type JsonRecord } from '../json.js';
import { activityIdOf, isRule } from '../on-device/rules/rule-shape.js';
import { namesOfMeta, type RuleNames, textOf } from './rule-facts.js';

/** A rule of an artifact with its place in it. */
export interface PlacedRule {
  readonly kind: 'mbox' | 'view';
  /** The name of the mbox or view. */
  readonly location: string;
  /** The position in the rules of the location. */
  readonly index: number;
  readonly rule: Rule;
  readonly names: RuleNames;
}

/** Lists the rules of an artifact that have the shape of a rule and an activity. */
export function placedRules({ rules }: Artifact): PlacedRule[] {
  return [...placedOf('mbox', rules.mboxes), ...placedOf('view', rules.views)];
}

function placedOf(kind: PlacedRule['kind'], byName: Artifact['rules']['mboxes'] | null): PlacedRule[] {
  return Object.entries(byName ?? {}).flatMap(([location, rules]) =>
    rules.flatMap((rule, index) => {
      const id = isRule(rule) ? activityIdOf(rule) : undefined;
      return isRule(rule) && id !== undefined
        ? [{ kind, location, index, rule, names: namesOfMeta(id, rule.meta) }]
        : [];
    }),
  );
}

/** Groups values by a key, in the order of the first of each group. */
export function groupBy<Value>(
  values: readonly Value[],
  keyOf: (value: Value) => string,
): Map<string, Value[]> {
  const groups = new Map<string, Value[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(value);
  }
  return groups;
}

/** Returns a field as a text, as artifacts have ids as numbers and as texts. */
export function fieldText(record: JsonRecord, name: string): string {
  return textOf(record[name]);
}

/** Returns an object, or an empty one for everything else. */
export function recordOf(value: unknown): JsonRecord {
  return isRecord(value) ? value : {};
}
