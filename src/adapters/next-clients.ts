import { invalidOption } from '../errors.js';
import { TargetClient, type TargetClientConfig, TargetError } from '../index.js';
import { ownFieldOf } from '../inherited-names.js';
import { isObject } from '../json.js';
import type { NextOptions } from './next-options.js';

/** A client of the process, and the config that it was made of. */
interface KeptClient {
  readonly client: TargetClient;
  readonly config: unknown;
}

/**
 * The key of the clients on the global object. Next.js bundles a file several times, and evaluates it again when it is
 * edited. All these copies share the client.
 */
const CLIENTS = Symbol.for('target-node-sdk/next');
const holder = globalThis as { [CLIENTS]?: Map<string, KeptClient> };

/** Makes the function that returns the client of a target. The client is made when it is first asked for. */
export function clientSource(options: NextOptions): () => TargetClient {
  const { client: given } = options;
  const key = options.key ?? (typeof given === 'function' ? undefined : keyOf(given));
  const make = () => (typeof given === 'function' ? checkClient(given()) : TargetClient.create(given));
  let own: TargetClient | undefined;
  let hasJoined = false;
  return () => {
    refuseInBuild();
    if (key === undefined) {
      own ??= make();
      return own;
    }
    holder[CLIENTS] ??= new Map();
    const clients = holder[CLIENTS];
    const kept = clients.get(key);
    // A copy of the file that was there before an edit goes on with the client of the edited one.
    if (kept && (hasJoined || joins(kept, key, given))) {
      hasJoined = true;
      return kept.client;
    }
    const client = make();
    clients.set(key, { client, config: given });
    hasJoined = true;
    kept?.client.close().catch(() => undefined);
    return client;
  };
}

/**
 * Refuses to decide while Next.js makes static pages: everybody would get what one visitor got. Next.js knows a page by
 * what it reads of the request, and a client alone reads nothing of it.
 *
 * This covers the build alone. Nothing tells a page that is made and kept at its first request from a dynamic one, nor
 * `use cache` and `unstable_cache()` in a dynamic page from code outside of them.
 *
 * @see https://nextjs.org/docs/app/api-reference/config/next-config-js
 */
function refuseInBuild(): void {
  if (globalThis.process?.env?.NEXT_PHASE === 'phase-production-build') {
    throw new TargetError(
      'ERR_TARGET_INVALID_CONFIG',
      'client() cannot be used while Next.js builds: all visitors would get its answer. Await visit() in the page, or ' +
        'await connection() of next/server before client()',
    );
  }
}

/** Tells whether a target takes the client that is there. Only `next dev` replaces one whose config was edited. */
function joins({ client, config }: KeptClient, key: string, given: unknown): boolean {
  const now = written(given);
  if (now === undefined || now === written(config)) {
    return true;
  }
  if (globalThis.process?.env?.NODE_ENV === 'development') {
    return false;
  }
  client.forVisits.logger.warn(
    `two clients of the key '${key}' have different configs: the first one is used, so give one of them a key of its own`,
  );
  return true;
}

/** Returns the key of a config. A config that cannot be read has none, and making its client fails with the reason. */
function keyOf(config: TargetClientConfig): string | undefined {
  const names = ['client', 'organizationId', 'environment', 'propertyToken', 'defaultPropertyToken'];
  try {
    return names.map((name) => ownFieldOf(config, name)).join(' ');
  } catch {
    return undefined;
  }
}

function checkClient(client: TargetClient): TargetClient {
  if (typeof client?.getOffers !== 'function') {
    throw invalidOption('client', 'a function that returns a TargetClient', client);
  }
  return client;
}

/**
 * Writes a config as far as it can be compared. Functions and objects of classes, such as loggers and agents, are made
 * anew when a file is evaluated again, so all of them are written alike.
 */
function written(config: unknown): string | undefined {
  try {
    return JSON.stringify(config, (_, value: unknown) =>
      typeof value === 'function' || (isObject(value) && !isPlain(value)) ? 0 : value,
    );
  } catch {
    // A config that holds itself, or that cannot be read, is taken for the one that is there.
    return undefined;
  }
}

function isPlain(value: object): boolean {
  if (Array.isArray(value)) {
    return true;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
