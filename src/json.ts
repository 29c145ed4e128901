import { inheritsNames, withoutPrototypes } from './inherited-names.js';

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

/** Tells what can be awaited: promises of this and of other realms, and of libraries such as Bluebird and zone.js. */
export function isThenable<Value>(value: Value | PromiseLike<Value>): value is PromiseLike<Value> {
  const canHaveMethods = isObject(value) || typeof value === 'function';
  return canHaveMethods && typeof (value as { readonly then?: unknown }).then === 'function';
}

/**
 * Finds out whether reading an object throws, because a getter or a proxy of its maker does. Returns the path of the
 * first field that cannot be read, such as `execute.mboxes[2].name`, an empty path for the object itself, and undefined
 * when all of it can be read.
 */
export function unreadablePathOf(value: unknown, names: readonly string[] = []): string | undefined {
  return firstUnreadable(value, names, new Set());
}

function firstUnreadable(value: unknown, names: readonly string[], seen: Set<object>): string | undefined {
  if (!isObject(value) || seen.has(value)) return undefined;
  seen.add(value);
  let keys: readonly string[];
  let isArray: boolean;
  try {
    isArray = Array.isArray(value);
    keys = isArray
      ? positionsOf(value as readonly unknown[])
      : [...new Set([...Object.keys(value), ...names])];
    Object.getPrototypeOf(value);
  } catch {
    return '';
  }
  for (const key of keys) {
    const name = isArray ? `[${key}]` : key;
    let inner: string | undefined;
    try {
      inner = firstUnreadable((value as JsonRecord)[key], [], seen);
    } catch {
      return name;
    }
    if (inner !== undefined) return inner === '' || inner.startsWith('[') ? name + inner : `${name}.${inner}`;
  }
  return undefined;
}

/** More items are in no list that is read. */
const MAX_POSITIONS = 100_000;

function positionsOf({ length }: readonly unknown[]): string[] {
  return Array.from({ length: Math.min(length, MAX_POSITIONS) }, (_, position) => String(position));
}

/** Parses JSON. Where `Object.prototype` has names of its own, the objects have no prototype. @throws SyntaxError */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return inheritsNames() ? withoutPrototypes(value) : value;
}
