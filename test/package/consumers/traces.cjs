const { deepStrictEqual } = require('node:assert');

/** Everything that code could leave behind by being loaded. Each value is compared by identity. */
function surroundings() {
  const owners = { globalThis, process };
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    const value = held(globalThis, name);
    if (typeof value === 'function' && value.prototype) {
      owners[`${name}.prototype`] = value.prototype;
    }
    if (typeof value === 'function') {
      owners[name] = value;
    }
  }
  const listeners = process.eventNames().map((name) => [name, process.listenerCount(name)]);
  const properties = Object.entries(owners).flatMap(([owner, object]) =>
    Reflect.ownKeys(object).map((key) => [`${owner}.${String(key)}`, held(object, key)]),
  );
  return {
    properties: new Map(properties),
    listeners,
    resources: process.getActiveResourcesInfo().filter(lasts),
  };
}

/** Reading the files themselves takes requests, which may not have ended yet. */
function lasts(resource) {
  return !resource.includes('Req');
}

/** A getter is compared as it is: some throw, and some make a new object each time. */
function held(object, key) {
  const { value, get } = Object.getOwnPropertyDescriptor(object, key) ?? {};
  return get ?? value;
}

/** Node fills in some globals when they are first read. */
function readLazyGlobals() {
  for (const key of Reflect.ownKeys(globalThis)) {
    // Node 26 warns of it where it was given no file to keep it in.
    if (key === 'localStorage') {
      continue;
    }
    try {
      void globalThis[key];
    } catch {}
  }
}

/** Fails when what `load` loads changed anything that is not its own. */
module.exports = async function leavesNoTraces(load) {
  readLazyGlobals();
  const before = surroundings();
  await load();
  const after = surroundings();
  deepStrictEqual([...after.properties.keys()], [...before.properties.keys()]);
  for (const [name, value] of after.properties) {
    const known = before.properties.get(name);
    if (!Object.is(known, value) && name !== 'process._exiting') {
      throw new Error(`${name} was replaced`);
    }
  }
  deepStrictEqual(after.listeners, before.listeners);
  deepStrictEqual(after.resources, before.resources);
};
