import { isObject } from '../../json.js';

/**
 * Plan for copying a JSON value without inspecting it again. Undefined stands for a value that nobody can change (a
 * text, a number). `flat` stands for an object or a list of such values. Any other plan names the objects inside the
 * value, with a plan for each.
 */
export type CopyPlan = undefined | 'flat' | NestedPlan;

interface NestedPlan {
  readonly names: readonly (string | number)[];
  readonly plans: readonly CopyPlan[];
}

/**
 * Deepest nesting that is copied. A copy is made by recursion on the caller's stack, and nobody knows how much of
 * that is left.
 */
const MAX_DEPTH = 200;

/**
 * Returns true when a JSON value can be copied: it is nested at most {@link MAX_DEPTH} levels, far deeper than any
 * offer that a person wrote.
 */
export function isCopyable(value: unknown, maxDepth = MAX_DEPTH): boolean {
  if (!isObject(value)) {
    return true;
  }
  if (maxDepth === 0) {
    return false;
  }
  for (const item of Object.values(value)) {
    if (!isCopyable(item, maxDepth - 1)) {
      return false;
    }
  }
  return true;
}

/**
 * Makes the plan for copying a JSON value, which has to pass {@link isCopyable}. The plan is data: closures would
 * take more memory than the value itself.
 */
export function copyPlanOf(value: unknown): CopyPlan {
  if (!isObject(value)) {
    return undefined;
  }
  const names: (string | number)[] = [];
  const plans: CopyPlan[] = [];
  const items: Iterable<[string | number, unknown]> = Array.isArray(value)
    ? value.entries()
    : Object.entries(value);
  for (const [name, item] of items) {
    const plan = copyPlanOf(item);
    if (plan === undefined) {
      continue;
    }
    names.push(name);
    plans.push(plan);
  }
  return names.length === 0 ? 'flat' : { names, plans };
}

/** Returns a copy of the value from which the plan was made. The copy shares nothing that can be changed. */
export function copyBy<Value>(plan: CopyPlan, value: Value): Value;
export function copyBy(plan: CopyPlan, value: unknown): unknown {
  if (plan === undefined || !isObject(value)) {
    return value;
  }
  const copy = copyFlat(value);
  if (plan === 'flat') {
    return copy;
  }
  const { names, plans } = plan;
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    if (name !== undefined) {
      copy[name] = copyBy(plans[i], copy[name]);
    }
  }
  return copy;
}

/** Copies one level. The type allows numbers as names, because a list is indexed by numbers. */
function copyFlat(value: object): Record<string | number, unknown> {
  return (Array.isArray(value) ? value.slice() : { ...value }) as Record<string | number, unknown>;
}
