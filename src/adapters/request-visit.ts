import { invalidOption } from '../errors.js';
import type { TargetClient } from '../index.js';
import { ownFieldOf } from '../inherited-names.js';
import { BOOLEAN, type Checks, checkFields } from '../visits/field-checks.js';
import {
  checkVisitOptions,
  fromNodeRequest,
  type IncomingRequest,
  type Visit,
  type VisitOptions,
} from './http.js';

/** The options of the adapters for web frameworks: those of every visit, and how code finds the visit. */
export interface TargetOptions extends VisitOptions {
  /**
   * True when `currentVisit()` gives the visit of the request everywhere in the code that answers it. It costs every
   * request a little time.
   * @default false
   */
  readonly asyncContext?: boolean | null | undefined;
}

const OPTION_CHECKS: Checks = { asyncContext: BOOLEAN };

/** The part of `AsyncLocalStorage` that is used. */
export interface VisitStorage {
  run<Result>(visit: Visit, work: () => Result): Result;
  getStore(): Visit | undefined;
}

/**
 * The key of the storage on the global object. Several copies of this package can be in one process: `import` and
 * `require` load different ones. A visit that one copy made is current for all of them.
 */
const STORAGE = Symbol.for('target-node-sdk');
const holder = globalThis as { [STORAGE]?: VisitStorage };

/**
 * Checks what an adapter was given, so that a mistake is found when the program starts.
 *
 * @returns the storage that the requests run in, with `asyncContext`.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a wrong value. `path` of the error names the option.
 */
export function checkTargetOptions(client: TargetClient, options: TargetOptions): VisitStorage | undefined {
  if (typeof client?.getOffers !== 'function') {
    throw invalidOption('client', 'a TargetClient', client);
  }
  checkVisitOptions(options);
  checkFields(options, OPTION_CHECKS, '');
  if (!ownFieldOf(options, 'asyncContext')) {
    return undefined;
  }
  holder[STORAGE] ??= makeStorage();
  return holder[STORAGE];
}

/**
 * Makes the storage. An import of `node:async_hooks` would keep this file out of runtimes and bundles without Node, and
 * they need it only for this option.
 */
function makeStorage(): VisitStorage {
  const { AsyncLocalStorage } =
    findAsyncHooks() ?? (globalThis as unknown as Partial<typeof import('node:async_hooks')>);
  if (!AsyncLocalStorage) {
    throw invalidOption('asyncContext', 'false without AsyncLocalStorage', true);
  }
  return new AsyncLocalStorage<Visit>();
}

function findAsyncHooks(): typeof import('node:async_hooks') | undefined {
  try {
    return globalThis.process?.getBuiltinModule?.('node:async_hooks');
  } catch {
    // The Edge runtime of Next.js 15 has this function, and throws when it is called.
    return undefined;
  }
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
  return holder[STORAGE]?.getStore();
}

/** Tells whether a value is a visit, of whatever copy of this package. */
export function isVisit(value: unknown): value is Visit {
  return !!(value as Partial<Visit> | null | undefined)?.getAttributes;
}

/** Returns the visit that an adapter has made, or throws the error that says how to use the adapter. */
export function foundVisit(found: unknown, use: string): Visit {
  if (!isVisit(found)) {
    throw invalidOption('request.target', `a visit, made by ${use}`, found);
  }
  return found;
}

/** The part of a request of Express or Fastify that is used. Both know which proxies are trusted. */
export interface ServerRequestLike {
  /** The method, such as `GET`. */
  readonly method: string;
  /** The path and the query, as the browser asked for them. */
  readonly originalUrl: string;
  /** `http` or `https`. */
  readonly protocol: string;
  /** The visitor's IP address. */
  readonly ip?: string | undefined;
  /** The headers, by their names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Reads a request of a framework, with the host as the framework knows it. What cannot be read is absent. */
export function fromServerRequest<Request extends ServerRequestLike>(
  request: Request,
  hostOf: (request: Request) => string | undefined,
): IncomingRequest {
  const host = readable(() => hostOf(request)) ?? '';
  return fromNodeRequest({
    method: readable(() => request.method),
    headers: readable(() => request.headers) ?? {},
    url: `http://${host}${readable(() => request.originalUrl) ?? ''}`,
    socket: {
      remoteAddress: readable(() => request.ip),
      encrypted: readable(() => request.protocol) === 'https',
    },
  });
}

/** Reads a field of a request. It may be a getter that throws, such as one of a connection that has ended. */
function readable<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
