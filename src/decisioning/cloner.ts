/** Makes a fresh copy of one value, as often as it is called. */
export type Cloner<Value> = () => Value;

/**
 * Walks a JSON value once and gives a closure that copies it: texts and numbers are shared (nobody can change
 * them), objects and lists are written anew without looking at their values again.
 */
export function clonerOf<Value>(value: Value): Cloner<Value> {
  return compileCloner(value) as Cloner<Value>;
}

function compileCloner(value: unknown): Cloner<unknown> {
  if (isScalar(value)) return () => value;
  if (!Array.isArray(value)) return compileObjectCloner(value as Record<string, unknown>);
  if (value.every(isScalar)) return () => value.slice();
  const items = value.map((item) => compileCloner(item));
  return () => items.map((item) => item());
}

/** A spread copies all fields at once; those that hold objects are then written over with copies of their own. */
function compileObjectCloner(fields: Record<string, unknown>): Cloner<unknown> {
  const nested: [name: string, clone: Cloner<unknown>][] = [];
  for (const name of Object.keys(fields)) {
    if (!isScalar(fields[name])) nested.push([name, compileCloner(fields[name])]);
  }
  if (nested.length === 0) return () => ({ ...fields });
  return () => {
    const copy = { ...fields };
    for (const [name, clone] of nested) copy[name] = clone();
    return copy;
  };
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}
