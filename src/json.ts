import { inheritsNames, ownOf, withoutPrototypes } from './inherited-names.js';

/** A JSON object: fields by name, with values that are not checked yet. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** Tells whether a value is an object or a list, and not a scalar or null. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Tells whether a value is an object and not a list. */
export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Tells whether a value says nothing: `undefined`, `null` or the empty text. */
export function isAbsent(given: unknown): given is undefined | null | '' {
  return given === undefined || given === null || given === '';
}

/**
 * Copies the items of a list by their positions. No method of the list is called, because its maker may have replaced
 * the methods or the class of an array.
 */
export function itemsOf(list: readonly unknown[]): unknown[] {
  const items: unknown[] = [];
  for (let position = 0; position < list.length; position += 1) {
    items.push(list[position]);
  }
  return items;
}

/**
 * Carries what code of the caller threw while one of the caller's values was read. The copier or check around it knows
 * the name of the value, and makes a `TargetError` of it. The fault may not come again, so nobody can look for it later.
 */
export class Unreadable extends Error {
  readonly #isUnreadable = true;

  constructor(cause: unknown) {
    super('a value could not be read', { cause });
  }

  /** Tells whether a thrown value is one of these. */
  static is(thrown: unknown): thrown is Unreadable {
    return isObject(thrown) && #isUnreadable in thrown && thrown.#isUnreadable;
  }
}

/** Reads a field of the caller. @throws {Unreadable} when a getter or a proxy throws */
export function fieldOf(value: object, name: string): unknown {
  try {
    return Reflect.get(value, name);
  } catch (cause) {
    throw new Unreadable(cause);
  }
}

/**
 * Returns the value that `JSON.stringify` would write. An object with a method `toJSON`, such as a URL, a date or the
 * id of a database, decides this itself.
 * @throws {Unreadable} when the method throws
 */
export function ownJsonOf(value: unknown): unknown {
  if (!isObject(value)) {
    return value;
  }
  try {
    const { toJSON } = ownOf(value as { readonly toJSON?: unknown });
    return typeof toJSON === 'function' ? Reflect.apply(toJSON, value, []) : value;
  } catch (cause) {
    throw new Unreadable(cause);
  }
}

/**
 * Returns a string, a number or a boolean as a text. Returns undefined for any other value, and for NaN and infinite
 * numbers, which JSON does not have.
 */
export function scalarToText(given: unknown): string | undefined {
  const value = ownJsonOf(given);
  if (typeof value === 'string') {
    return value;
  }
  return typeof value === 'boolean' || Number.isFinite(value) ? String(value) : undefined;
}

/**
 * Returns an id as a text, as {@link scalarToText} does, but undefined for an integer beyond 2^53. Such a number has
 * lost its last digits already, so it would be the id of somebody else.
 */
export function idToText(given: unknown): string | undefined {
  const value = ownJsonOf(given);
  const isInexact = Number.isInteger(value) && !Number.isSafeInteger(value);
  return isInexact ? undefined : scalarToText(value);
}

/** Tells whether a value can be awaited: a promise of any realm, or of a library such as Bluebird or zone.js. */
export function isThenable<Value>(value: Value | PromiseLike<Value>): value is PromiseLike<Value> {
  const canHaveMethods = isObject(value) || typeof value === 'function';
  return canHaveMethods && typeof (value as { readonly then?: unknown }).then === 'function';
}

/**
 * Finds the first field of an object that cannot be read, because a getter or a proxy throws. Returns its path, such as
 * `execute.mboxes[2].name`, or an empty path for the object itself. Returns undefined when all fields can be read.
 * `names` are fields that are read although they may be inherited.
 */
export function unreadablePathOf(value: unknown, names: readonly string[] = []): string | undefined {
  return firstUnreadable(value, names, new Set());
}

function firstUnreadable(value: unknown, names: readonly string[], seen: Set<object>): string | undefined {
  if (!isObject(value) || seen.has(value)) {
    return undefined;
  }
  seen.add(value);
  let keys: readonly string[];
  let isArray: boolean;
  try {
    isArray = Array.isArray(value);
    keys = isArray
      ? positionsOf(value as readonly unknown[])
      : [...new Set([...Object.keys(value), ...names])];
    Object.getPrototypeOf(value);
    ownJsonOf(value);
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
    if (inner !== undefined) {
      return joinPaths(name, inner);
    }
  }
  return undefined;
}

/** Joins the path of an object and the path of a field in it, such as `execute` and `mboxes[2].name`. */
export function joinPaths(outer: string, inner: string): string {
  return inner === '' || inner.startsWith('[') ? outer + inner : `${outer}.${inner}`;
}

/**
 * The maximum number of items of a list that a caller writes. The limit stops sparse arrays, which may claim four
 * thousand million items.
 */
export const MAX_ITEMS = 100_000;

function positionsOf({ length }: readonly unknown[]): string[] {
  return Array.from({ length: Math.min(length, MAX_ITEMS) }, (_, position) => String(position));
}

/**
 * Parses JSON. When somebody has added names to `Object.prototype`, the objects get no prototype, and so have only
 * their own fields.
 * @throws {SyntaxError} The message of the JavaScript engine may quote the text.
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return inheritsNames() ? withoutPrototypes(value) : value;
}
