import type { JsonValue } from '../delivery-api.js';
import { invalidField } from '../errors.js';
import { isRecord, itemsOf, ownJsonOf } from '../json.js';
import { toWrittenList, withOuterPath } from './copying.js';

const MAX_DEPTH = 32;

/**
 * Copies JSON that the SDK passes on without reading it. Fields that are null are left out.
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` for a value that is not JSON, or is nested more than 32 deep.
 */
export function copyJson(given: unknown, depth = 0): JsonValue {
  const value = ownJsonOf(given);
  if (depth > MAX_DEPTH) {
    throw invalidField('', `nested at most ${MAX_DEPTH} deep`, value);
  }
  if (value === null || typeof value === 'string' || typeof value === 'boolean') {
    return value;
  }
  if (typeof value === 'number' && Number.isFinite(value)) {
    return value;
  }
  if (Array.isArray(value)) {
    return itemsOf(toWrittenList(value) ?? []).map((item, position) =>
      inside(`[${position}]`, () => copyJson(item, depth + 1)),
    );
  }
  if (!isRecord(value)) {
    throw invalidField('', 'JSON', value);
  }
  const fields = Object.keys(value).map((name): [string, JsonValue] => [
    name,
    inside(name, () => copyJson(value[name] ?? null, depth + 1)),
  ]);
  return Object.fromEntries(fields.filter(([, field]) => field !== null));
}

function inside<Copy>(name: string, copy: () => Copy): Copy {
  try {
    return copy();
  } catch (thrown) {
    throw withOuterPath(thrown, name);
  }
}
