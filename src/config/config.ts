import { files, proxies, sockets } from '#platform';
import { type Artifact, toArtifact } from '../artifact.js';
import type { DecisioningMethod } from '../delivery-api.js';
import { invalidOption, nameOf, TargetError, toTargetError, unreadableError } from '../errors.js';
import type { TargetEventListeners } from '../events.js';
import type { AgentOption, FetchApi } from '../http/fetch-api.js';
import { toCdnHost, toServerDomain } from '../http/host-options.js';
import { toUrl } from '../http/hosts.js';
import { toProxies } from '../http/proxy-option.js';
import type { ProxyRules } from '../http/proxy-rules.js';
import type { RetryPolicy } from '../http/retry.js';
import { deliveryHost, isLocationHint } from '../identity/location-hint.js';
import { isAbsent, isObject, joinPaths, parseJson, unreadablePathOf } from '../json.js';
import type { Logger, LoggerOption } from '../logger.js';
import type { CallObserver } from '../observer.js';
import {
  type AnyArtifactStore,
  artifactStore,
  STORE_FIELDS,
  toArtifactStore,
} from './artifact-store-option.js';
import type { TargetClientConfig, WaitUntil } from './config-options.js';
import {
  type CircuitBreakerOption,
  type CircuitBreakerPolicy,
  type NotificationPolicy,
  type NotificationsOption,
  type RetryOption,
  toCircuitBreakerPolicy,
  toNotificationPolicy,
  toRetryPolicy,
} from './config-policies.js';
import {
  type Check,
  type Checked,
  check,
  checkAll,
  checkListener,
  flag,
  flagFromText,
  functionCheck,
  host,
  integer,
  isDotSegment,
  methodsCheck,
  milliseconds,
  names,
  objectCheck,
  pathName,
  text,
  textCheck,
  timeout,
  warnOfUnknown,
  wordCheck,
} from './option-checks.js';

/**
 * {@link TargetClientConfig}, checked and complete. It has defaults in place of absent options, and units in its names.
 */
export interface ResolvedConfig {
  readonly client: string;
  readonly organizationId: string;
  readonly timeoutMs: number;
  readonly serverDomain: string | undefined;
  readonly scheme: 'https' | 'http';
  readonly environmentId: number | undefined;
  readonly environment: string;
  readonly targetLocationHint: string | undefined;
  readonly propertyToken: string | undefined;
  readonly decisioningMethod: DecisioningMethod;
  readonly pollingIntervalMs: number;
  readonly maximumWaitReadyMs: number | undefined;
  readonly artifactLocation: string | undefined;
  readonly artifactFormat: 'json' | 'bin' | undefined;
  readonly artifactStore: AnyArtifactStore | undefined;
  readonly cdnHost: string;
  readonly telemetryEnabled: boolean;
  readonly fetchApi: FetchApi | undefined;
  readonly agent: AgentOption | undefined;
  /** The proxies of the environment. It is `undefined` when calls go without a proxy. */
  readonly proxies: ProxyRules | undefined;
  readonly retry: RetryPolicy;
  /** The policy of the circuit breaker. It is `undefined` when the circuit breaker is off. */
  readonly circuitBreaker: CircuitBreakerPolicy | undefined;
  readonly notifications: NotificationPolicy;
  readonly waitUntil: WaitUntil | undefined;
  readonly version: string | undefined;
  readonly events: TargetEventListeners;
  readonly observers: readonly CallObserver[];
  readonly allMatchingMboxes: ReadonlySet<string>;
}

/** Every decisioning method. */
export const DECISIONING_METHODS = ['server-side', 'on-device', 'hybrid'] as const;

const DEFAULT_CDN_HOST = 'assets.adobetarget.com';
const MIN_POLLING_INTERVAL_MS = 300_000;
const observerObject = methodsCheck<CallObserver>('an observer', 'around');
const agentObject = methodsCheck<{ addRequest(): unknown }>('an agent', 'addRequest');

/** The check of each option. The keys list every option that exists. */
const OPTIONS = {
  client: textCheck('a client code', (value) => /^\w[\w.-]*$/.test(value)),
  organizationId: text,
  timeout,
  serverDomain: host,
  secure: flag,
  environmentId: integer,
  environment: pathName,
  targetLocationHint: textCheck('1 to 4 digits', isLocationHint),
  propertyToken: text,
  defaultPropertyToken: text,
  decisioningMethod: wordCheck(`one of ${DECISIONING_METHODS.join(', ')}`, DECISIONING_METHODS),
  pollingInterval: milliseconds,
  maximumWaitReady: timeout,
  artifactLocation: textCheck(files ? 'an http, https or file URL' : 'an http or https URL', isArtifactUrl),
  artifactPayload: objectCheck(),
  artifactFormat: wordCheck('"json" or "bin"', ['json', 'bin']),
  artifactStore,
  cdnEnvironment: host,
  cdnBasePath: host,
  onDeviceConfigHostname: host,
  telemetryEnabled: flag,
  fetchApi: functionCheck<FetchApi>('a fetch function'),
  agent: check<AgentOption>(
    sockets
      ? 'an http.Agent or https.Agent, or a function (an undici dispatcher belongs to target-node-sdk/undici)'
      : 'absent: this platform has no agents',
    (value): value is AgentOption =>
      sockets !== undefined && (typeof value === 'function' || agentObject.accepts(value)),
  ),
  proxy: wordCheck(
    proxies ? '"environment"' : 'absent: this platform has no proxies',
    proxies ? ['environment'] : [],
  ),
  retry: objectCheck<RetryOption>(),
  circuitBreaker: check<boolean | CircuitBreakerOption>(
    'a boolean or an object',
    (value): value is boolean | CircuitBreakerOption => isObject(value) || typeof value === 'boolean',
    flagFromText,
  ),
  notifications: objectCheck<NotificationsOption>(),
  waitUntil: functionCheck<WaitUntil>('a function'),
  logger: objectCheck<LoggerOption>('an object with log methods'),
  version: text,
  events: objectCheck<TargetEventListeners>('listeners by event name'),
  observer: check<CallObserver | readonly CallObserver[]>(
    'an object with the method around, or a list of them',
    (value): value is CallObserver | readonly CallObserver[] => [value].flat().every(observerObject.accepts),
  ),
  allMatchingMboxes: names,
  onDeviceAllMatchingRulesMboxes: names,
} satisfies Record<keyof TargetClientConfig, Check<unknown>>;

/** The options of a caller, after they were read and checked. */
type Options = Checked<typeof OPTIONS>;

/**
 * Makes a complete, checked, frozen configuration from the options of a caller. Unknown options are logged as warnings.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` when an option is missing or wrong.
 */
export function resolveConfig(written: unknown, logger: Logger): ResolvedConfig {
  if (!isObject(written)) {
    throw invalidOption('config', 'an object', written);
  }
  warnOfUnknown(written, Object.keys(OPTIONS), (line) => logger.warn(line));
  const options = checkAll(written, OPTIONS, '');
  const { client, organizationId, artifactLocation } = options;
  if (client === undefined) {
    throw missing('client', OPTIONS.client, written);
  }
  if (organizationId === undefined) {
    throw missing('organizationId', OPTIONS.organizationId, written);
  }
  const scheme = options.secure === false ? 'http' : 'https';
  const ownHost = deliveryHost(client, undefined);
  const warn = (line: string) => logger.warn(line);
  return Object.freeze({
    client,
    organizationId,
    timeoutMs: options.timeout ?? 3000,
    serverDomain: toServerDomain(options, { ownHost, scheme, warn }),
    scheme,
    environmentId: options.environmentId,
    environment: (options.environment ?? 'production').toLowerCase(),
    targetLocationHint: options.targetLocationHint,
    propertyToken: toPropertyToken(options),
    decisioningMethod: options.decisioningMethod ?? 'server-side',
    pollingIntervalMs: toPollingInterval(options.pollingInterval, artifactLocation, logger),
    maximumWaitReadyMs: options.maximumWaitReady,
    artifactLocation,
    artifactFormat: options.artifactFormat,
    artifactStore: options.artifactStore && toArtifactStore(options.artifactStore),
    cdnHost: toCdnHost(options, warn) ?? DEFAULT_CDN_HOST,
    telemetryEnabled: options.telemetryEnabled ?? true,
    fetchApi: options.fetchApi,
    agent: options.agent,
    proxies: toProxies(options, logger),
    retry: toRetryPolicy(options.retry, logger),
    circuitBreaker: toCircuitBreakerPolicy(options.circuitBreaker, logger),
    notifications: toNotificationPolicy(options.notifications, options, logger),
    waitUntil: options.waitUntil,
    version: options.version,
    events: toListeners(options.events, logger),
    observers: Object.freeze([options.observer ?? []].flat()),
    allMatchingMboxes: new Set(options.allMatchingMboxes ?? options.onDeviceAllMatchingRulesMboxes),
  });
}

/**
 * Checks and copies the `artifactPayload` option, because the caller may go on changing the object. The copy is not a
 * part of the configuration, because the configuration lives as long as the client and would keep the payload in
 * memory.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` when it is no artifact or cannot be written as JSON.
 */
export function resolvePayload({ artifactPayload }: TargetClientConfig): Artifact | undefined {
  if (!artifactPayload) {
    return undefined;
  }
  let json: string;
  try {
    json = JSON.stringify(artifactPayload);
  } catch (cause) {
    throw invalidPayload(`cannot be written as JSON (${nameOf(cause)})`, cause);
  }
  try {
    return toArtifact(parseJson(json));
  } catch (cause) {
    throw cause instanceof TargetError ? invalidPayload(cause.message, cause) : cause;
  }
}

function invalidPayload(why: string, cause: unknown): TargetError {
  const path = 'artifactPayload';
  return new TargetError('ERR_TARGET_INVALID_CONFIG', `${path}: ${why}`, { path, cause });
}

/**
 * Makes the error of `create` from anything that was thrown in it. When the caller's getter or proxy threw, the error
 * names the option that cannot be read. Otherwise it reports a defect of this package.
 */
export function toConfigError(thrown: unknown, config: unknown): TargetError {
  if (thrown instanceof TargetError) {
    return thrown;
  }
  const path = unreadableOptionOf(config);
  if (path === undefined) {
    return toTargetError(thrown);
  }
  return path === ''
    ? new TargetError('ERR_TARGET_INVALID_CONFIG', 'the configuration could not be read', { cause: thrown })
    : unreadableError('ERR_TARGET_INVALID_CONFIG', path, thrown);
}

/** Makes the error of an option that cannot be read, because the caller's getter threw. */
export function toOptionError(thrown: unknown, name: PropertyKey): TargetError {
  return unreadableError('ERR_TARGET_INVALID_CONFIG', String(name), thrown);
}

/** Names of options that are objects with options of their own. The inner options are read too. */
const GROUPS: ReadonlySet<string> = new Set([
  'retry',
  'circuitBreaker',
  'notifications',
  'events',
  'allMatchingMboxes',
  'onDeviceAllMatchingRulesMboxes',
]);
/** Methods that are read from options which are objects of another package. */
const METHODS: ReadonlyMap<string, readonly string[]> = new Map([
  ['agent', ['addRequest']],
  ['artifactStore', STORE_FIELDS],
  ['observer', ['around']],
]);

function unreadableOptionOf(config: unknown): string | undefined {
  if (!isObject(config)) {
    return undefined;
  }
  try {
    Object.keys(config);
  } catch {
    return '';
  }
  for (const name of Object.keys(OPTIONS)) {
    try {
      const value: unknown = Reflect.get(config, name);
      const inner = GROUPS.has(name) ? unreadablePathOf(value) : undefined;
      if (inner !== undefined) {
        return joinPaths(name, inner);
      }
      for (const method of METHODS.get(name) ?? []) {
        if (isObject(value)) {
          Reflect.get(value, method);
        }
      }
    } catch {
      return name;
    }
  }
  return undefined;
}

function toPollingInterval(ms: number | undefined, location: string | undefined, logger: Logger): number {
  if (ms === undefined) {
    return MIN_POLLING_INTERVAL_MS;
  }
  if (ms === 0 || ms >= MIN_POLLING_INTERVAL_MS || location !== undefined) {
    return ms;
  }
  logger.warn(`pollingInterval is raised from ${ms} to ${MIN_POLLING_INTERVAL_MS} ms`);
  return MIN_POLLING_INTERVAL_MS;
}

function toListeners(written: TargetEventListeners | undefined, logger: Logger): TargetEventListeners {
  if (!written) {
    return {};
  }
  const given = Object.entries(written).filter(([, listener]) => !isAbsent(listener));
  for (const [name, listener] of given) {
    checkListener(name, listener, logger);
  }
  return Object.freeze(Object.fromEntries(given));
}

/** Makes the error for a required option that is absent or empty. */
function missing(
  name: 'client' | 'organizationId',
  { wanted }: Check<unknown>,
  written: object,
): TargetError {
  return invalidOption(name, wanted, (written as Readonly<Record<string, unknown>>)[name] ?? undefined);
}

function toPropertyToken({ propertyToken, defaultPropertyToken }: Options): string | undefined {
  const token = propertyToken ?? defaultPropertyToken;
  if (token === undefined || !isDotSegment(token)) {
    return token;
  }
  const name = propertyToken === undefined ? 'defaultPropertyToken' : 'propertyToken';
  throw invalidOption(name, 'a property token, which becomes part of a path', token);
}

function isArtifactUrl(value: string): boolean {
  return toUrl(value) !== undefined && (files ? /^(https?|file):/i : /^https?:/i).test(value);
}
