import type { TargetClient } from '../index.js';
import { createVisit, type IncomingRequest, type Visit } from './http.js';
import { checkTargetOptions, foundVisit, isVisit, type TargetOptions } from './request-visit.js';
import { type NodeResponseLike, writeWithHead } from './write-head.js';

export { currentVisit, type TargetOptions } from './request-visit.js';

declare global {
  namespace Express {
    /** A request of Express. */
    interface Request {
      /** The visit of this request, made by the middleware `target(client)`. */
      target: Visit;
    }
  }
}

/** The part of Express's request that is used. It is the same in Express 4 and 5. */
export interface ExpressRequestLike {
  /** The visit of the request, once the middleware has made it. */
  target?: unknown;
  /** The method, such as `GET`. */
  readonly method: string;
  /** The path and the query, as the browser asked for them. */
  readonly originalUrl: string;
  /** `http` or `https`, as the setting `trust proxy` has it. */
  readonly protocol: string;
  /** The name of the host without the port, as the setting `trust proxy` has it. */
  readonly hostname: string | undefined;
  /** The visitor's IP address, as the setting `trust proxy` has it. */
  readonly ip?: string | undefined;
  /** The headers, by their names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** The part of Express's response that is used. */
export type ExpressResponseLike = NodeResponseLike;

/** The middleware that {@link target} makes. */
export type ExpressMiddleware = (
  request: ExpressRequestLike,
  response: ExpressResponseLike,
  next: (error?: unknown) => void,
) => void;

/**
 * Makes the middleware that gives each request its visit, as `request.target`, and writes the visit's cookies with the
 * answer. It works with Express 4.17, Express 5, and with NestJS on Express. If it runs twice for a request, the first
 * visit stays. Express's setting `trust proxy` says whose `X-Forwarded-…` headers are believed.
 *
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a wrong option. `path` of the error names it.
 *
 * @example
 * ```ts
 * app.use(target(client));
 * app.get('/', async (request, response) => {
 *   response.send(await request.target.offer('hero', '<h1>Welcome</h1>'));
 * });
 * ```
 */
export function target(client: TargetClient, options: TargetOptions = {}): ExpressMiddleware {
  const storage = checkTargetOptions(client, options);
  return (request, response, next) => {
    let visit = request.target;
    try {
      if (!isVisit(visit)) {
        visit = createVisit(client, new ExpressIncoming(request), options);
        request.target = visit;
        writeWithHead(response, visit as Visit);
      }
    } catch (error) {
      next(error);
      return;
    }
    if (storage) {
      storage.run(visit as Visit, next);
    } else {
      next();
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
 * const hero = await visitOf(request).offer('hero', '<h1>Welcome</h1>');
 * ```
 */
export function visitOf(request: { readonly target?: unknown }): Visit {
  return foundVisit(request.target, 'app.use(target(client))');
}

/** Reads the request of Express when the visit asks for it. */
class ExpressIncoming implements IncomingRequest {
  readonly #request: ExpressRequestLike;

  constructor(request: ExpressRequestLike) {
    this.#request = request;
  }

  get method(): string {
    return this.#request.method;
  }

  get ipAddress(): string | undefined {
    return this.#request.ip;
  }

  get url(): string {
    const { protocol, originalUrl } = this.#request;
    const host = this.#host();
    return host ? `${protocol}://${host}${originalUrl}` : '';
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  /**
   * Returns the host with its port. Express 4 tells only the name, but that says which of the two headers it trusts.
   *
   * @see https://expressjs.com/en/guide/behind-proxies.html
   */
  #host(): string | undefined {
    const { hostname } = this.#request;
    const [forwarded] = this.header('x-forwarded-host')?.split(',') ?? [];
    return (
      [forwarded?.trim(), this.header('host')].find(
        (host) => hostname && (host === hostname || host?.startsWith(`${hostname}:`)),
      ) ?? hostname
    );
  }
}
