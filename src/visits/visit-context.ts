import { ownFieldOf, setField } from '../inherited-names.js';
import { isRecord } from '../json.js';

/**
 * Merges one context over another, field by field. The fields of objects in it, such as `geo` and `address`, are merged
 * in the same way. Neither context is changed, and no value is checked: the call does that.
 */
export function mergeContexts(base: object, over: unknown): object {
  if (!isRecord(over)) {
    return base;
  }
  const merged: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(over)) {
    const below = ownFieldOf(merged, name);
    if (value === undefined || value === null) {
      continue;
    }
    setField(merged, name, isRecord(value) && isRecord(below) ? { ...below, ...value } : value);
  }
  return merged;
}
