/** An object with fields by name, as JSON has them; nothing is known of the values. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** Tells an object, a list included, from the scalars and from null. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Tells an object with fields from everything else, lists included. */
export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Copies the items of a list, by their positions alone: whatever its maker put in the place of the methods or the class of
 * an array is not called.
 */
export function itemsOf(list: readonly unknown[]): unknown[] {
  const items: unknown[] = [];
  for (let position = 0; position < list.length; position += 1) items.push(list[position]);
  return items;
}

/**
 * Returns the value that `JSON.stringify` would write: an object with a `toJSON`, such as a URL, a date or the id of a
 * database, says it itself. It may throw.
 */
export function ownJsonOf(value: unknown): unknown {
  if (!isObject(value)) return value;
  const { toJSON } = value as { readonly toJSON?: unknown };
  return typeof toJSON === 'function' ? Reflect.apply(toJSON, value, []) : value;
}

/** Writes a scalar as JSON's text would hold it; undefined for what is none, and for numbers that JSON does not have. */
export function scalarToText(given: unknown): string | undefined {
  const value = ownJsonOf(given);
  if (typeof value === 'string') return value;
  return typeof value === 'boolean' || Number.isFinite(value) ? String(value) : undefined;
}

/**
 * The same for ids. An integer beyond 2^53 has lost its last digits already, and would be the id of somebody else:
 * undefined stands for it.
 */
export function idToText(given: unknown): string | undefined {
  const value = ownJsonOf(given);
  const isInexact = Number.isInteger(value) && !Number.isSafeInteger(value);
  return isInexact ? undefined : scalarToText(value);
}
