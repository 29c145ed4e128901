/**
 * The plugin for Fastify 5. It gives each request its visit.
 *
 * @packageDocumentation
 */

import type { FastifyPluginAsync } from 'fastify';
import type { TargetClient } from '../index.js';
import { withoutInherited } from '../inherited-names.js';
import { createVisit, type Visit } from './http.js';
import { checkTargetOptions, foundVisit, fromServerRequest, type TargetOptions } from './request-visit.js';
import { writeWithHead } from './write-head.js';

export { currentVisit, type TargetOptions } from './request-visit.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The visit of this request, made by the plugin of `target-node-sdk/fastify`. */
    target: Visit;
  }
}

/** The options of the plugin. */
export interface TargetPluginOptions extends TargetOptions {
  /** The client that answers the visits. */
  readonly client: TargetClient;
}

/** Set on an instance when the plugin is registered, so that a second registration changes nothing. */
const REGISTERED = Symbol.for('target-node-sdk');

/**
 * The plugin that gives each request its visit, as `request.target`, and writes the visit's cookies with the answer. It
 * works for all routes that are added after it. If it is registered twice, the first options hold. Fastify's option
 * `trustProxy` says whose `X-Forwarded-…` headers are believed.
 *
 * Registration fails with `ERR_TARGET_INVALID_CONFIG` for a wrong option. `path` of the error names it.
 *
 * @example
 * ```ts
 * app.register(target, { client });
 * app.get('/', async (request, reply) => {
 *   reply.type('text/html');
 *   return request.target.offer('hero', '<h1>Welcome</h1>');
 * });
 * ```
 */
export const target: FastifyPluginAsync<TargetPluginOptions> = async (instance, options) => {
  if (instance.hasRequestDecorator(REGISTERED)) {
    return;
  }
  const { client } = withoutInherited(options);
  const storage = checkTargetOptions(client, options);
  instance.decorateRequest(REGISTERED, null);
  instance.decorateRequest('target', null as unknown as Visit);
  instance.addHook('onRequest', (request, reply, next) => {
    request.target = createVisit(
      client,
      fromServerRequest(request, ({ host }) => host),
      options,
    );
    writeWithHead(reply.raw, request.target);
    next();
  });
  if (storage) {
    // Reading the body of a request would leave the context of an earlier hook.
    instance.addHook('preValidation', ({ target: visit }, _, next) => storage.run(visit, next));
  }
};

// Fastify gives a plugin's hooks to all routes, and not only to those of the plugin, when it has these.
Object.assign(target, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'target-node-sdk',
  [Symbol.for('plugin-meta')]: { name: 'target-node-sdk', fastify: '5.x' },
});

/**
 * Returns the visit of a request.
 *
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` when the plugin is not registered for the request's route.
 *
 * @example
 * ```ts
 * const hero = await visitOf(request).offer('hero', '<h1>Welcome</h1>');
 * ```
 */
export function visitOf(request: { readonly target?: unknown }): Visit {
  return foundVisit(request.target, 'app.register(target, { client })');
}
