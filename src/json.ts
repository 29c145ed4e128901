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

/**
 * Returns a view of an object that has the properties of the object and of its class, and none of those that somebody has put
 * on `Object.prototype`: those configure nothing and identify nobody. Each property is read when the view's is, so that a
 * getter runs with its own object.
 */
export function withoutInherited<Type extends object>(value: Type): Type {
  const view: Type = Object.create(null);
  for (
    let owner: object | null = value;
    owner !== null && !isRoot(owner);
    owner = Object.getPrototypeOf(owner)
  ) {
    for (const name of Reflect.ownKeys(owner)) {
      if (name in view || (owner !== value && name === 'constructor')) continue;
      const isEnumerable = Object.prototype.propertyIsEnumerable.call(owner, name);
      Object.defineProperty(view, name, { enumerable: isEnumerable, get: () => Reflect.get(value, name) });
    }
  }
  return view;
}

/** The same view of what is an object, but only where objects inherit names. Anything else is returned as it is. */
export function ownOf<Type>(value: Type): Type {
  return isObject(value) && inheritsNames() ? withoutInherited(value) : value;
}

/** Recognises the `Object.prototype` of any realm: the end of a chain of prototypes that has the methods of all objects. */
function isRoot(owner: object): boolean {
  return Object.getPrototypeOf(owner) === null && Object.hasOwn(owner, 'isPrototypeOf');
}

/** More items are in no list that is read. */
const MAX_POSITIONS = 100_000;

function positionsOf({ length }: readonly unknown[]): string[] {
  return Array.from({ length: Math.min(length, MAX_POSITIONS) }, (_, position) => String(position));
}

const ROOT = Object.prototype;

/** Names of the Delivery API, of artifacts and of loggers, which objects of this package are read by. */
const READ_NAMES = (
  'activityId activityIndex address analytics application architecture audienceManager ' +
  'authenticatedState authorizationToken beacon bitness blob browser browserUAWithFullVersion ' +
  'browserUAWithMajorVersion categoryId channel city client clientHints condition consequence content ' +
  'context countryCode customerIds debug edgeHost environmentId error eventToken execute ' +
  'experienceCloud generatedAt geo geoTargetingEnabled globalMbox host id impressionId index info ' +
  'integrationCode ipAddress latitude localMboxes localViews locationHint logging longitude ' +
  'marketingCloudVisitorId mbox mboxes meta metrics mobile mobilePlatform model name notifications ' +
  'options order pageLoad parameters platform prefetch preview product profileParameters property ' +
  'propertyTokens qaMode referringUrl remoteMboxes remoteViews requestId responseTokens ruleKey rules ' +
  'screen state stateCode status supplementalDataId telemetry thirdPartyId timeOffsetInMinutes ' +
  'timestamp tntId token tokens trace type unsafe url userAgent version view views warn window'
).split(' ');

let inheritsHiddenNames = false;

/**
 * Looks for hidden names on `Object.prototype` that objects of this package would inherit. That takes longer than a small
 * decision, so it is done when a client is made: what hides names does so while a program starts.
 */
export function lookForHiddenNames(): void {
  inheritsHiddenNames = READ_NAMES.some((name) => name in ROOT);
}

/**
 * Tells whether somebody has put names on `Object.prototype` that objects of this package would inherit: names that
 * `for…in` finds in every object, or hidden ones that were there when a client was made.
 */
export function inheritsNames(): boolean {
  for (const _ in ROOT) return true;
  return inheritsHiddenNames;
}

/** Tells a copy that was made in a process in which objects inherit names. */
export function hasNoPrototype(copy: object): boolean {
  return Object.getPrototypeOf(copy) === null;
}

/** Makes an empty object that has a prototype only if the other has one. */
export function emptyLike(copy: object): object {
  return hasNoPrototype(copy) ? Object.create(null) : {};
}

/**
 * Copies an object with other values for some of its fields. A copy that has no prototype stays one. A spread with a field
 * behind it takes several times as long (benchmark flags/10-mboxes).
 */
export function copyWith<Type extends object, Fields extends object>(
  source: Type,
  fields: Fields,
): Type & Fields {
  return Object.assign(emptyLike(source), source, fields);
}

/** Takes the prototypes of an object and of all in it away. It must be nobody else's. Returns the same object. */
export function withoutPrototypes<Type>(value: Type): Type {
  if (!isObject(value)) return value;
  if (!Array.isArray(value)) Object.setPrototypeOf(value, null);
  for (const inner of Object.values(value)) withoutPrototypes(inner);
  return value;
}

/** Parses JSON. Where `Object.prototype` has names of its own, the objects have no prototype. @throws SyntaxError */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return inheritsNames() ? withoutPrototypes(value) : value;
}
