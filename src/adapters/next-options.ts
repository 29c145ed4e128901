import { invalidOption } from '../errors.js';
import type { TargetClient, TargetClientConfig } from '../index.js';
import { ownFieldOf, withoutInherited } from '../inherited-names.js';
import { isObject } from '../json.js';
import { checkVisitOptions, type VisitOptions } from './http.js';

/** The options of {@link createNextTarget}: those of every visit, and how Next.js gets its client and its visitors. */
export interface NextTargetOptions extends VisitOptions {
  /**
   * The config of the client, or a function that returns one. With a config, the process has one client, however often
   * Next.js bundles or reloads the file. A function is called once for each copy of the file, so it must return the same
   * client each time, unless there is a `key`.
   */
  readonly client: TargetClientConfig | (() => TargetClient);
  /**
   * The name of the client among those of the process. Targets of one key share one client.
   * @default the client code, the organization, the environment and the property token of the config
   */
  readonly key?: string | null | undefined;
  /**
   * Tells how the proxy names a visitor whom it does not know, on a request for a page. With `mint`, it makes a tntId
   * itself. With `ask`, it asks Target, for 500 ms at most. With `session`, it makes a session id alone, which is also
   * what it does when Target does not answer, or when Experience Cloud has named the visitor.
   * @default 'mint'
   */
  readonly newVisitors?: 'mint' | 'ask' | 'session' | null | undefined;
  /**
   * Tells whether a visit that has decided in this process sends its reports before the platform stops the process, with
   * `after` of Next.js. There is no `after` in the Pages Router: set `waitUntil`, or await `client.flush()`.
   * @default 'after' where the environment variable `VERCEL` or `AWS_LAMBDA_FUNCTION_NAME` is set, else 'never'
   */
  readonly flush?: 'after' | 'never' | null | undefined;
  /**
   * The number of proxies in front of Next.js. `true` is one. Then the host, the scheme and the visitor's IP address are
   * taken from the headers `X-Forwarded-…` of the proxies. Otherwise the host is that of the `Host` header, and the IP
   * address is not known: Target takes the place of the server for the visitor's.
   * @default false
   */
  readonly trustProxy?: boolean | number | null | undefined;
}

/** The options of a target that are there for certain. */
export interface NextOptions {
  readonly client: NextTargetOptions['client'];
  readonly key: string | undefined;
  readonly newVisitors: 'mint' | 'ask' | 'session';
  readonly flushes: boolean;
  readonly trustProxy: boolean | number;
  /** The options of the visits. */
  readonly visits: VisitOptions;
}

const NEW_VISITORS = ['mint', 'ask', 'session'] as const;
const FLUSH = ['after', 'never'] as const;

/**
 * Checks the options of a target.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a wrong value. `path` of the error names the option.
 */
export function toNextOptions(options: NextTargetOptions): NextOptions {
  if (!isObject(options)) {
    throw invalidOption('options', 'an object', options);
  }
  checkVisitOptions(options);
  const own = withoutInherited(options);
  const { client, key, trustProxy } = own;
  if (!isObject(client) && typeof client !== 'function') {
    throw invalidOption('client', 'the config of a client, or a function', client);
  }
  if (key !== undefined && key !== null && typeof key !== 'string') {
    throw invalidOption('key', 'a string', key);
  }
  const isCount = typeof trustProxy === 'number' && Number.isSafeInteger(trustProxy) && trustProxy >= 0;
  if (trustProxy !== undefined && trustProxy !== null && typeof trustProxy !== 'boolean' && !isCount) {
    throw invalidOption('trustProxy', 'true, false or a number of proxies', trustProxy);
  }
  return {
    client,
    key: key || undefined,
    newVisitors: oneOf(own, 'newVisitors', NEW_VISITORS) ?? 'mint',
    flushes: (oneOf(own, 'flush', FLUSH) ?? (isServerless() ? 'after' : 'never')) === 'after',
    trustProxy: trustProxy ?? false,
    visits: own,
  };
}

function oneOf<Word extends string>(options: object, name: string, words: readonly Word[]): Word | undefined {
  const value = ownFieldOf(options, name);
  if (value === undefined || value === null) {
    return undefined;
  }
  const word = words.find((known) => known === value);
  if (word === undefined) {
    throw invalidOption(name, `one of ${words.join(', ')}`, value);
  }
  return word;
}

/** Tells whether the platform stops the process between requests. */
function isServerless(): boolean {
  const env = globalThis.process?.env;
  return Boolean(env?.VERCEL || env?.AWS_LAMBDA_FUNCTION_NAME);
}
