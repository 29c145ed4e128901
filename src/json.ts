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

/** Writes a scalar as JSON's text would hold it; undefined for what is none, and for numbers that JSON does not have. */
export function scalarToText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'boolean' || Number.isFinite(value) ? String(value) : undefined;
}

/**
 * The same for ids. An integer beyond 2^53 has lost its last digits already, and would be the id of somebody else:
 * undefined stands for it.
 */
export function idToText(value: unknown): string | undefined {
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
  return isObject(value) && inheritsAny() ? withoutInherited(value) : value;
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

/**
 * Tells whether somebody has put names on `Object.prototype` that objects of this package would inherit: names that
 * `for…in` finds in every object, and hidden ones of a request. They are written out, because a
 * compiled function looks them up in a fifth of the time that a loop takes (benchmark on-device/prefetch-url).
 */
export function inheritsNames(): boolean {
  for (const _ in ROOT) return true;
  return (
    'address' in ROOT ||
    'analytics' in ROOT ||
    'audienceManager' in ROOT ||
    'channel' in ROOT ||
    'clientHints' in ROOT ||
    'context' in ROOT ||
    'customerIds' in ROOT ||
    'environmentId' in ROOT ||
    'execute' in ROOT ||
    'experienceCloud' in ROOT ||
    'geo' in ROOT ||
    'id' in ROOT ||
    'impressionId' in ROOT ||
    'index' in ROOT ||
    'logging' in ROOT ||
    'marketingCloudVisitorId' in ROOT ||
    'mboxes' in ROOT ||
    'name' in ROOT ||
    'notifications' in ROOT ||
    'order' in ROOT ||
    'pageLoad' in ROOT ||
    'parameters' in ROOT ||
    'prefetch' in ROOT ||
    'preview' in ROOT ||
    'product' in ROOT ||
    'profileParameters' in ROOT ||
    'property' in ROOT ||
    'qaMode' in ROOT ||
    'requestId' in ROOT ||
    'state' in ROOT ||
    'supplementalDataId' in ROOT ||
    'telemetry' in ROOT ||
    'thirdPartyId' in ROOT ||
    'timeOffsetInMinutes' in ROOT ||
    'tntId' in ROOT ||
    'token' in ROOT ||
    'trace' in ROOT ||
    'url' in ROOT ||
    'userAgent' in ROOT ||
    'views' in ROOT
  );
}

/** Other names of answers, of artifacts and of loggers, which only slower paths look for. */
const RARE_NAMES: readonly string[] = [
  'activityId',
  'activityIndex',
  'application',
  'architecture',
  'authenticatedState',
  'authorizationToken',
  'beacon',
  'bitness',
  'blob',
  'browser',
  'browserUAWithFullVersion',
  'browserUAWithMajorVersion',
  'categoryId',
  'city',
  'client',
  'condition',
  'consequence',
  'content',
  'countryCode',
  'edgeHost',
  'eventToken',
  'generatedAt',
  'geoTargetingEnabled',
  'globalMbox',
  'host',
  'integrationCode',
  'ipAddress',
  'latitude',
  'localMboxes',
  'localViews',
  'locationHint',
  'longitude',
  'mbox',
  'meta',
  'metrics',
  'mobile',
  'mobilePlatform',
  'model',
  'options',
  'platform',
  'propertyTokens',
  'referringUrl',
  'remoteMboxes',
  'remoteViews',
  'responseTokens',
  'ruleKey',
  'rules',
  'screen',
  'stateCode',
  'status',
  'timestamp',
  'tokens',
  'type',
  'version',
  'view',
  'debug',
  'info',
  'warn',
  'error',
  'unsafe',
  'window',
];

function inheritsAny(): boolean {
  return inheritsNames() || RARE_NAMES.some((name) => name in ROOT);
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
  return inheritsAny() ? withoutPrototypes(value) : value;
}
