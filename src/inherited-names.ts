const ROOT = Object.prototype;

/**
 * Names of fields of the Delivery API, of artifacts and of loggers that this package reads from objects. Bundles without a
 * client leave the list out, because the call is marked as pure.
 */
const READ_NAMES = /* @__PURE__ */ (
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
  'timestamp tntId toJSON token tokens trace type unsafe url userAgent version view views warn window ' +
  'asksForIds attempts body cause code path retry retryAfterMs targetCookie targetLocationHintCookie wholeTimeoutMs usualTimeoutMs isForgotten ' +
  'colorDepth cssSelector decisioningMethod deviceName deviceType dns download duplicate entries ' +
  'evaluateAsFalseAudienceIds evaluateAsTrueAudienceIds executeMboxCount executePageLoad execution experienceIndex ' +
  'experienceLocalId features height key language listedActivitiesOnly mode orientation outlier parsing payload pe ' +
  'pixelRatio platformType platformVersion prefetchMboxCount prefetchPageLoad prefetchViewCount previewIndexes ' +
  'purchasedProductIds request responseSize selector telemetryServerToken time timeToFirstByte tls tnta total ' +
  'trackingServer trackingServerSecure usage webGLRenderer width zip ' +
  'analyticsDetails errno errors hostname port syscall beacon cacheControl consent cookies customerIds forget granted httpOnly isBot merge ' +
  'onError sameSite secure timeout unseen waitUntil withoutConsent write domain'
).split(' ');

let inheritsHiddenNames = false;

/**
 * Looks for hidden (not enumerable) names on `Object.prototype` that this package would read. This takes longer than a
 * small decision, so it is done only when a client is made. Libraries add such names while a program starts.
 */
export function lookForHiddenNames(): void {
  inheritsHiddenNames = READ_NAMES.some((name) => name in ROOT);
}

/**
 * Tells whether objects inherit names that somebody has put on `Object.prototype`. That is every name that `for…in`
 * finds now, and hidden names that were there when the last client was made.
 */
export function inheritsNames(): boolean {
  for (const _ in ROOT) {
    return true;
  }
  return inheritsHiddenNames;
}

/** Tells whether an object has no prototype. Copies have none in a process in which objects inherit names. */
export function hasNoPrototype(copy: object): boolean {
  return Object.getPrototypeOf(copy) === null;
}

/** Makes an empty object that has a prototype only if another object has one. */
export function emptyLike(copy: object): object {
  return hasNoPrototype(copy) ? Object.create(null) : {};
}

/**
 * Copies an object with other values for some of its fields. The copy of an object without a prototype has none either.
 * A spread with a field after it would take several times as long (benchmark flags/10-mboxes).
 */
export function copyWith<Type extends object, Fields extends object>(
  source: Type,
  fields: Fields,
): Type & Fields {
  // An assignment to a field fails when objects inherit a getter of its name.
  if (inheritsNames() && !hasNoPrototype(source)) {
    return { ...source, ...fields };
  }
  return Object.assign(emptyLike(source), source, fields);
}

/** Removes the prototypes of a value and of all objects in it, and returns it. Nobody else may use the value. */
export function withoutPrototypes<Type>(value: Type): Type {
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  if (!Array.isArray(value)) {
    Object.setPrototypeOf(value, null);
  }
  for (const inner of Object.values(value)) {
    withoutPrototypes(inner);
  }
  return value;
}

/**
 * Returns a view of an object with the properties of the object and of its class, but without those that somebody has
 * put on `Object.prototype`: such names must configure nothing and identify nobody. A property of the view reads the
 * property of the object each time. So a getter gets its own object as `this`. With `toError`, what a getter throws
 * becomes the error that the function makes of it and of the property's name.
 */
export function withoutInherited<Type extends object>(
  value: Type,
  toError?: (thrown: unknown, name: PropertyKey) => unknown,
): Type {
  const read = (name: PropertyKey) => {
    try {
      return Reflect.get(value, name);
    } catch (thrown) {
      throw toError ? toError(thrown, name) : thrown;
    }
  };
  const view: Type = Object.create(null);
  for (
    let owner: object | null = value;
    owner !== null && !isRoot(owner);
    owner = Object.getPrototypeOf(owner)
  ) {
    for (const name of Reflect.ownKeys(owner)) {
      if (name in view || (owner !== value && name === 'constructor')) {
        continue;
      }
      const isEnumerable = Object.prototype.propertyIsEnumerable.call(owner, name);
      Object.defineProperty(view, name, { enumerable: isEnumerable, get: () => read(name) });
    }
  }
  return view;
}

/**
 * Returns a value without inherited names. It makes a view of an object only when objects inherit names in this
 * process. Otherwise, and for scalars, it returns the value itself.
 */
export function ownOf<Type>(value: Type): Type {
  return typeof value === 'object' && value !== null && inheritsNames() ? withoutInherited(value) : value;
}

/**
 * Reads one property of an object, which may also be one of its class, but none that somebody has put on
 * `Object.prototype`. It needs no list of names, so it also sees those that were put there a moment ago.
 */
export function ownFieldOf(value: object, name: PropertyKey): unknown {
  if (!(name in ROOT)) {
    return Reflect.get(value, name);
  }
  for (
    let owner: object | null = value;
    owner !== null && !isRoot(owner);
    owner = Object.getPrototypeOf(owner)
  ) {
    if (Object.hasOwn(owner, name)) {
      return Reflect.get(value, name);
    }
  }
  return undefined;
}

/**
 * Sets a field of an object that this package has made. A plain assignment would call a setter that somebody has put on
 * `Object.prototype`, and would fail at a getter.
 */
export function setField<Type extends object, Name extends keyof Type>(
  target: Type,
  name: Name,
  value: Type[Name],
): void {
  if (name in ROOT) {
    Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
  } else {
    target[name] = value;
  }
}

/**
 * Tells whether an object is the `Object.prototype` of any realm: it has no prototype, but the methods of all objects.
 */
function isRoot(owner: object): boolean {
  return Object.getPrototypeOf(owner) === null && Object.hasOwn(owner, 'isPrototypeOf');
}
