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
