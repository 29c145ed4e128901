/**
 * The middleware for Express 4.17 and 5, and for NestJS on Express. It gives each request its visit.
 *
 * @packageDocumentation
 */

import type { TargetClient } from '../index.js';
import { setField } from '../inherited-names.js';
import { createVisit, type Visit } from './http.js';
import {
  checkTargetOptions,
  foundVisit,
  fromServerRequest,
  isVisit,
  type ServerRequestLike,
  type TargetOptions,
} from './request-visit.js';
import { type NodeResponseLike as ExpressResponseLike, writeWithHead } from './write-head.js';

export { currentVisit, type TargetOptions } from './request-visit.js';
export type { ExpressResponseLike };

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
export interface ExpressRequestLike extends ServerRequestLike {
  /** The visit of the request, once the middleware has made it. */
  target?: unknown;
  /** The name of the host without the port, as the setting `trust proxy` has it. */
  readonly hostname: string | undefined;
  readonly headers: ServerRequestLike['headers'] & { readonly host?: string | undefined };
}

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
        visit = createVisit(client, fromServerRequest(request, hostOf), options);
        setField(request, 'target', visit);
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

/**
 * Returns the host with its port. Express 4 tells only the name, but that says which of the two headers it trusts.
 *
 * @see https://expressjs.com/en/guide/behind-proxies.html
 */
function hostOf({ hostname, headers }: ExpressRequestLike): string | undefined {
  const forwarded = String(headers['x-forwarded-host']).split(',')[0]?.trim();
  return [forwarded, headers.host].find((host) => `${host}:`.startsWith(`${hostname}:`)) ?? hostname;
}
