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
  if (isScalar(value)) return true;
  if (maxDepth === 0) return false;
  for (const item of Object.values(value)) if (!isCopyable(item, maxDepth - 1)) return false;
  return true;
}

/** Walks a JSON value once, one that {@link isCopyable}; the plan is data, for closures would take more memory than the value itself. */
export function copyPlanOf(value: unknown): CopyPlan {
  if (isScalar(value)) return undefined;
  const names: (string | number)[] = [];
  const plans: CopyPlan[] = [];
  for (const name of Array.isArray(value) ? value.keys() : Object.keys(value)) {
    const plan = copyPlanOf((value as Record<string | number, unknown>)[name]);
    if (plan === undefined) continue;
    names.push(name);
    plans.push(plan);
  }
  return names.length === 0 ? 'flat' : { names, plans };
}

/** A fresh copy of the value that the plan was made of: nothing that can be changed is shared. */
export function copyBy<Value>(plan: CopyPlan, value: Value): Value;
export function copyBy(plan: CopyPlan, value: unknown): unknown {
  if (plan === undefined) return value;
  if (plan === 'flat') return copyFlat(value as object);
  const { names, plans } = plan;
  const copy = copyFlat(value as object) as Record<string | number, unknown>;
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string | number;
    copy[name] = copyBy(plans[i], copy[name]);
  }
  return copy;
}

function copyFlat(value: object): object {
  return Array.isArray(value) ? value.slice() : { ...value };
}

function isScalar(value: unknown): value is string | number | boolean | null | undefined {
  return typeof value !== 'object' || value === null;
}
