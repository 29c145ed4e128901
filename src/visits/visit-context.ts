import { ownFieldOf, setField } from '../inherited-names.js';
import { isRecord, type JsonRecord } from '../json.js';

/**
 * Merges one context over another, field by field, or other objects of the same depth. The fields of objects in it, such
 * as `geo` and `address`, are merged in the same way. A field that says nothing (`undefined` or `null`) replaces none.
 * Neither object is changed, and no value is checked: the call does that.
 */
export function mergeContexts(base: object, over: unknown): object {
  return isRecord(over) ? merge(base, over, (below, value) => merge(below, value, toValue)) : base;
}

type Merge = (below: object, value: JsonRecord) => object;

const toValue: Merge = (_, value) => value;

function merge(base: object, over: JsonRecord, mergeInner: Merge): object {
  const merged: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(over)) {
    if (value === undefined || value === null) {
      continue;
    }
    const below = ownFieldOf(merged, name);
    setField(merged, name, isRecord(value) ? mergeInner(isRecord(below) ? below : {}, value) : value);
  }
  return merged;
}
