import type { TargetClient } from '../index.js';
import { withoutInherited } from '../inherited-names.js';
import { type Checks, checkFields, HOPS, TEXT } from '../visits/field-checks.js';
import {
  createVisit,
  type FetchRequestLike,
  fromFetchRequest,
  type Visit,
  type VisitOptions,
} from './http.js';
import {
  type TargetOptions as CommonOptions,
  checkTargetOptions,
  foundVisit,
  isVisit,
} from './request-visit.js';

export { currentVisit } from './request-visit.js';

/** The options of the middleware. */
export interface TargetOptions extends CommonOptions {
  /**
   * The header in which your platform or proxy writes the visitor's IP address, such as `cf-connecting-ip`. Hono itself
   * does not know the address.
   * @default none
   */
  readonly ipHeader?: string | null | undefined;
  /**
   * The number of proxies in front of this server, whose headers `X-Forwarded-…` are believed. `true` is one. Set it when
   * a proxy ends TLS, or the page's URL has the scheme and the host of this server.
   * @default false
   */
  readonly trustProxy?: boolean | number | null | undefined;
}

/**
 * The environment of an app whose requests have a visit: `new Hono<TargetEnv>()` knows the type of `c.get('target')`.
 */
export interface TargetEnv {
  /** The variables of a request, which `c.get` gives. */
  readonly Variables: {
    /** The visit of the request, made by the middleware `target(client)`. */
    target: Visit;
  };
}

/** The part of Hono's context that is used. */
export interface HonoContextLike {
  /** The request; `raw` is the one of the platform. */
  readonly req: { readonly raw: FetchRequestLike };
  /** The answer, once there is one. */
  res: Response;
  /** The platform's way to wait for work after the answer. Reading it throws where there is none. */
  readonly executionCtx: { waitUntil(work: Promise<unknown>): void };
  /** Returns a variable of the request. */
  get(name: never): unknown;
  /** Sets a variable of the request. */
  set(name: never, value: never): void;
}

/** The middleware that {@link target} makes. */
export type HonoMiddleware = (c: HonoContextLike, next: () => Promise<void>) => Promise<void>;

const VARIABLE = 'target' as never;
const CHECKS: Checks = { ipHeader: TEXT, trustProxy: HOPS };

/**
 * Makes the middleware that gives each request its visit, as `c.get('target')`, and adds the visit's cookies to the
 * answer. It works with Hono 4 on every runtime. If it runs twice for a request, the first visit stays. Work that goes
 * on after the answer is given to `c.executionCtx.waitUntil` where there is one, unless the option `waitUntil` is set.
 *
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a wrong option. `path` of the error names it.
 *
 * @example
 * ```ts
 * const app = new Hono<TargetEnv>();
 * app.use(target(client));
 * app.get('/', async (c) => c.html(await c.get('target').offer('hero', '<h1>Welcome</h1>')));
 * ```
 */
export function target(client: TargetClient, options: TargetOptions = {}): HonoMiddleware {
  const storage = checkTargetOptions(client, options);
  checkFields(options, CHECKS, '');
  const own = withoutInherited(options);
  const ipHeader = own.ipHeader ?? undefined;
  const trustProxy = own.trustProxy ?? undefined;
  return async (c, next) => {
    const before = c.get(VARIABLE);
    const visit = isVisit(before)
      ? before
      : createVisit(client, fromFetchRequest(c.req.raw, { ipHeader, trustProxy }), withWaitUntil(c, own));
    c.set(VARIABLE, visit as never);
    await (storage ? storage.run(visit, next) : next());
    if (visit !== before) {
      addHeaders(c, visit);
    }
  };
}

/**
 * Returns the visit of a request.
 *
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` when the middleware `target(client)` did not run for the request.
 *
 * @example
 * ```ts
 * const hero = await visitOf(c).offer('hero', '<h1>Welcome</h1>');
 * ```
 */
export function visitOf(c: { get(name: never): unknown }): Visit {
  return foundVisit(c.get(VARIABLE), 'app.use(target(client))');
}

function withWaitUntil(c: HonoContextLike, options: TargetOptions): VisitOptions {
  if (options.waitUntil) {
    return options;
  }
  try {
    const { executionCtx } = c;
    const waitUntil = (work: Promise<unknown>) => executionCtx.waitUntil(work);
    // A spread would not find the options that are getters of a class.
    return Object.create(options, { waitUntil: { value: waitUntil, enumerable: true } });
  } catch {
    return options;
  }
}

function addHeaders(c: HonoContextLike, visit: Visit): void {
  try {
    const due = visit.headers();
    visit.headersSent();
    if (due.length > 0) {
      // The headers of an answer of `fetch` cannot be changed, but those of a copy can.
      c.res = new Response(c.res.body, c.res);
    }
    for (const [name, value] of due) {
      c.res.headers[name === 'Cache-Control' ? 'set' : 'append'](name, value);
    }
  } catch {
    // The answer is sent as it was meant, without the visit's headers.
  }
}
