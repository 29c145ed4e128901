import { invalidOption } from '../errors.js';
import type { TargetClient, TargetClientConfig } from '../index.js';
import { withoutInherited } from '../inherited-names.js';
import { isAbsent, isObject } from '../json.js';
import { type Check, checkFields, HOPS, isFunction, oneOf, TEXT } from '../visits/field-checks.js';
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

const CLIENT = 'the config of a client, or a function';
const CHECKS = {
  client: { wanted: CLIENT, accepts: (value) => isObject(value) || isFunction(value) },
  key: TEXT,
  newVisitors: oneOf('mint', 'ask', 'session'),
  flush: oneOf('after', 'never'),
  trustProxy: HOPS,
} satisfies Record<Exclude<keyof NextTargetOptions, keyof VisitOptions>, Check>;

/**
 * Checks the options of a target.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a wrong value. `path` of the error names the option.
 */
export function toNextOptions(options: NextTargetOptions): NextOptions {
  checkVisitOptions(options);
  checkFields(options, CHECKS, '');
  const own = withoutInherited(options);
  const { client, key, newVisitors, flush, trustProxy } = own;
  if (isAbsent(client)) {
    throw invalidOption('client', CLIENT, client);
  }
  return {
    client,
    key: key || undefined,
    newVisitors: newVisitors ?? 'mint',
    flushes: flush ? flush === 'after' : isServerless(),
    trustProxy: trustProxy ?? false,
    visits: own,
  };
}

/** Tells whether the platform stops the process between requests. */
function isServerless(): boolean {
  const env = globalThis.process?.env;
  return Boolean(env?.VERCEL || env?.AWS_LAMBDA_FUNCTION_NAME);
}
