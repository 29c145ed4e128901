import { invalidOption, TargetError } from '../errors.js';
import type { TargetClient } from '../index.js';
import { isObject } from '../json.js';
import { checkVisitOptions, type Visit, type VisitOptions } from './http.js';

/** The options of the adapters for web frameworks: those of every visit, and how code finds the visit. */
export interface TargetOptions extends VisitOptions {
  /**
   * True when `currentVisit()` gives the visit of the request everywhere in the code that answers it. It costs every
   * request a little time.
   * @default false
   */
  readonly asyncContext?: boolean | null | undefined;
}

/** The part of `AsyncLocalStorage` that is used. */
export interface VisitStorage {
  run<Result>(visit: Visit, work: () => Result): Result;
  getStore(): Visit | undefined;
}

/**
 * The key of the storage on the global object. Several copies of this package can be in one process: `import` and
 * `require` load different ones. A visit that one copy made is current for all of them.
 */
const STORAGE = Symbol.for('target-node-sdk/current-visit');

/**
 * Checks what an adapter was given, so that a mistake is found when the program starts.
 *
 * @returns the storage that the requests run in, with `asyncContext`.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a wrong value. `path` of the error names the option.
 */
export function checkTargetOptions(client: TargetClient, options: TargetOptions): VisitStorage | undefined {
  if (!isObject(client) || typeof client.getOffers !== 'function') {
    throw invalidOption('client', 'a TargetClient', client);
  }
  checkVisitOptions(options);
  const { asyncContext } = options;
  if (asyncContext === undefined || asyncContext === null || asyncContext === false) {
    return undefined;
  }
  if (asyncContext !== true) {
    throw invalidOption('asyncContext', 'a boolean', asyncContext);
  }
  const storage = storageOf(globalThis) ?? makeStorage();
  Reflect.set(globalThis, STORAGE, storage);
  return storage;
}

function storageOf(holder: object): VisitStorage | undefined {
  return Reflect.get(holder, STORAGE);
}

/**
 * Makes the storage. An import of `node:async_hooks` would keep this file out of runtimes and bundles without Node, and
 * they need it only for this option.
 */
function makeStorage(): VisitStorage {
  const { process } = globalThis as { process?: Partial<NodeJS.Process> };
  const { AsyncLocalStorage } =
    process?.getBuiltinModule?.('node:async_hooks') ??
    (globalThis as unknown as Partial<typeof import('node:async_hooks')>);
  if (!AsyncLocalStorage) {
    throw invalidOption('asyncContext', 'false in a runtime without AsyncLocalStorage', true);
  }
  return new AsyncLocalStorage<Visit>();
}

/**
 * Returns the visit of the request that this code helps to answer. Use it where the request is out of reach, such as in
 * services and GraphQL resolvers. It is undefined outside of a request, and without the option `asyncContext` of the
 * adapter.
 *
 * @example
 * ```ts
 * app.use(target(client, { asyncContext: true }));
 *
 * export async function shippingNote(): Promise<string> {
 *   return (await currentVisit()?.offer('shipping-note', DEFAULT_NOTE)) ?? DEFAULT_NOTE;
 * }
 * ```
 */
export function currentVisit(): Visit | undefined {
  return storageOf(globalThis)?.getStore();
}

/** Tells whether a value is a visit, of whatever copy of this package. */
export function isVisit(value: unknown): value is Visit {
  return isObject(value) && 'getOffers' in value && 'headersSent' in value;
}

/** Returns a visit that a middleware has made, or throws the error that names the middleware. */
export function foundVisit(found: unknown, middleware: string): Visit {
  if (isVisit(found)) {
    return found;
  }
  const path = 'request.target';
  const message = `${path} must be a visit: put ${middleware} before the routes that use it`;
  throw new TargetError('ERR_TARGET_INVALID_CONFIG', message, { path });
}
