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
  if (typeof value !== 'object' || value === null) return value;
  if (!Array.isArray(value)) Object.setPrototypeOf(value, null);
  for (const inner of Object.values(value)) withoutPrototypes(inner);
  return value;
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
  return typeof value === 'object' && value !== null && inheritsNames() ? withoutInherited(value) : value;
}

/** Recognises the `Object.prototype` of any realm: the end of a chain of prototypes that has the methods of all objects. */
function isRoot(owner: object): boolean {
  return Object.getPrototypeOf(owner) === null && Object.hasOwn(owner, 'isPrototypeOf');
}
