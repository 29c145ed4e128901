import { isObject } from '../../json.js';

/**
 * How to copy a JSON value without looking at it again: undefined for one that nobody can change (a text, a number),
 * `flat` for an object or a list of such values, else what to do with the objects that it holds.
 */
export type CopyPlan = undefined | 'flat' | NestedPlan;

interface NestedPlan {
  readonly names: readonly (string | number)[];
  readonly plans: readonly CopyPlan[];
}

/** A copy is made level by level, on a stack that has an end: the caller's own, of which we do not know what is left. */
const MAX_DEPTH = 200;

/** Whether a JSON value can be copied: it is nested no deeper than any offer that somebody wrote. */
export function isCopyable(value: unknown, maxDepth = MAX_DEPTH): boolean {
  if (!isObject(value)) return true;
  if (maxDepth === 0) return false;
  for (const item of Object.values(value)) if (!isCopyable(item, maxDepth - 1)) return false;
  return true;
}

/** Walks a JSON value once, one that {@link isCopyable}; the plan is data, for closures would take more memory than the value itself. */
export function copyPlanOf(value: unknown): CopyPlan {
  if (!isObject(value)) return undefined;
  const names: (string | number)[] = [];
  const plans: CopyPlan[] = [];
  const items: Iterable<[string | number, unknown]> = Array.isArray(value)
    ? value.entries()
    : Object.entries(value);
  for (const [name, item] of items) {
    const plan = copyPlanOf(item);
    if (plan === undefined) continue;
    names.push(name);
    plans.push(plan);
  }
  return names.length === 0 ? 'flat' : { names, plans };
}

/** A fresh copy of the value that the plan was made of: nothing that can be changed is shared. */
export function copyBy<Value>(plan: CopyPlan, value: Value): Value;
export function copyBy(plan: CopyPlan, value: unknown): unknown {
  if (plan === undefined || !isObject(value)) return value;
  const copy = copyFlat(value);
  if (plan === 'flat') return copy;
  const { names, plans } = plan;
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    if (name !== undefined) copy[name] = copyBy(plans[i], copy[name]);
  }
  return copy;
}

/** A list is indexed by numbers, and an object by names. */
function copyFlat(value: object): Record<string | number, unknown> {
  return (Array.isArray(value) ? value.slice() : { ...value }) as Record<string | number, unknown>;
}
