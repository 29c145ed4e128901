import { closestMatch } from 'leven';
import { type Artifact, toArtifact } from './artifact.js';
import type { DecisioningMethod } from './delivery-api.js';
import { invalidOption, TargetError, toError } from './errors.js';
import { EVENT_NAMES, type TargetEventListeners } from './events.js';
import { MAX_TIMER_MS } from './http/deadline.js';
import type { AgentOption, FetchApi } from './http/fetch-api.js';
import type { RetryPolicy } from './http/retry.js';
import { isLocationHint } from './identity/location-hint.js';
import { isObject } from './json.js';
import type { Logger, LoggerOption } from './logger.js';

/** How failed calls are repeated, always within the call's own `timeout`. */
export interface RetryOption {
  /** Repetitions after the first attempt. @default 2 */
  readonly retries?: number | undefined;
  /** The longest wait before the first repetition, in ms. @default 50 */
  readonly minTimeout?: number | undefined;
  /** The longest wait before any repetition, in ms. @default 1000 */
  readonly maxTimeout?: number | undefined;
  /** By how much the longest wait grows each time. @default 2 */
  readonly factor?: number | undefined;
  /** Waits a random part of the longest wait instead of all of it. @default true */
  readonly jitter?: boolean | undefined;
}

/** When delivery calls are refused at once, because the edge has stopped answering. */
export interface CircuitBreakerOption {
  /** Calls that have to fail one after the other before it opens. @default 5 */
  readonly failures?: number | undefined;
  /** The longest wait before the first try of whether the edge is back, in ms. @default 1000 */
  readonly minTimeout?: number | undefined;
  /** The longest wait before any try, in ms; each one that fails doubles the wait up to here. @default 30000 */
  readonly maxTimeout?: number | undefined;
}

/** How the notifications of on-device decisions are sent. */
export interface NotificationsOption {
  /**
   * Calls under way to one host at a time, from 1 to 128; to all hosts together twice as many. Pages need connections too:
   * keep it well below what an `agent` or a `fetchApi` opens to one host.
   * @default 64, or half of the connections to one host where an `agent` or a `fetchApi` limits them
   */
  readonly maxInFlight?: number | undefined;
  /** Calls that may wait; those that come then are dropped, counted, and raised as `sendNotificationError`. @default 10000 */
  readonly maxQueued?: number | undefined;
  /** Bytes of all calls that wait, as they are sent; then the same happens. @default 33554432, which are 32 MiB */
  readonly maxBytes?: number | undefined;
}

/** Keeps the last known good artifact outside the process. */
export interface ArtifactStore {
  get(key: string): Promise<unknown>;
  set(key: string, value: string): Promise<unknown>;
}

/** What `TargetClient.create` takes. A wrong value is an `ERR_TARGET_INVALID_CONFIG` that names the option. */
export interface TargetClientConfig {
  /** Client code. */
  readonly client: string;
  /** IMS organization, `…@AdobeOrg`. */
  readonly organizationId: string;
  /** Budget of a whole delivery call, in ms: connect, headers, body, retries. @default 3000 */
  readonly timeout?: number | undefined;
  /** `host` or `host:port` that takes every delivery call. @default `{client}.tt.omtrdc.net` */
  readonly serverDomain?: string | undefined;
  /** `false` for plain http. @default true */
  readonly secure?: boolean | undefined;
  /** `environmentId` of requests that have none. */
  readonly environmentId?: number | undefined;
  /** Part of the artifact's URL. @default 'production' */
  readonly environment?: string | undefined;
  /** The client's own location hint: 1 to 4 digits. @default learned from the first answer */
  readonly targetLocationHint?: string | undefined;
  /** `property.token` of requests that have none; part of the artifact's URL. */
  readonly propertyToken?: string | undefined;
  /** Another name of `propertyToken`. */
  readonly defaultPropertyToken?: string | undefined;
  /** Where offers are decided. @default 'server-side' */
  readonly decisioningMethod?: DecisioningMethod | undefined;
  /** Between two artifact downloads, in ms; 0 turns polling off; at least 300000 without `artifactLocation`. @default 300000 */
  readonly pollingInterval?: number | undefined;
  /** After how many ms `ready()` gives up. @default never */
  readonly maximumWaitReady?: number | undefined;
  /** URL or `file:` URL of the artifact. @default computed from client, environment and property */
  readonly artifactLocation?: string | undefined;
  /** An artifact to start from, before any download. */
  readonly artifactPayload?: object | undefined;
  /** @default by the file name: `.bin` is binary */
  readonly artifactFormat?: 'json' | 'bin' | undefined;
  /** Keeps the last known good artifact outside the process. */
  readonly artifactStore?: ArtifactStore | undefined;
  /** Host of the artifact and of geo look-ups, or `production`. @default 'assets.adobetarget.com' */
  readonly cdnEnvironment?: string | undefined;
  /** The same as `cdnEnvironment`. */
  readonly cdnBasePath?: string | undefined;
  /** Another name of `cdnBasePath`. */
  readonly onDeviceConfigHostname?: string | undefined;
  /** Whether calls carry measurements of earlier calls. @default true */
  readonly telemetryEnabled?: boolean | undefined;
  /** A WHATWG fetch for every call: delivery, artifact and geo. @default node-fetch with keep-alive agents */
  readonly fetchApi?: FetchApi | undefined;
  /** `http(s).Agent`, or a function from URL to agent, for proxies. @default keep-alive agents */
  readonly agent?: AgentOption | undefined;
  /** How failed delivery calls are repeated. */
  readonly retry?: RetryOption | undefined;
  /** When calls for offers are refused at once while the edge does not answer; `false` for never. @default true */
  readonly circuitBreaker?: boolean | CircuitBreakerOption | undefined;
  /** How many notifications of on-device decisions are sent at a time, and how many may wait. */
  readonly notifications?: NotificationsOption | undefined;
  /** Where to log. @default nowhere */
  readonly logger?: LoggerOption | null | undefined;
  /** at.js version, sent as query `version`. */
  readonly version?: string | undefined;
  /** Listeners by event name. */
  readonly events?: TargetEventListeners | undefined;
  /** On-device: mboxes that get the offers of every matching rule, not of the first alone. */
  readonly allMatchingMboxes?: readonly string[] | undefined;
  /** Another name of `allMatchingMboxes`. */
  readonly onDeviceAllMatchingRulesMboxes?: readonly string[] | undefined;
}

/** {@link CircuitBreakerOption} with its defaults and units. */
export interface CircuitBreakerPolicy {
  readonly failures: number;
  readonly minTimeoutMs: number;
  readonly maxTimeoutMs: number;
}

/** {@link NotificationsOption} with its defaults. */
export interface NotificationPolicy {
  readonly maxInFlight: number;
  readonly maxQueued: number;
  readonly maxBytes: number;
}

/** {@link TargetClientConfig} checked and complete. */
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
  readonly artifactStore: ArtifactStore | undefined;
  readonly cdnHost: string;
  readonly telemetryEnabled: boolean;
  readonly fetchApi: FetchApi | undefined;
  readonly agent: AgentOption | undefined;
  readonly retry: RetryPolicy;
  /** Undefined when it is off. */
  readonly circuitBreaker: CircuitBreakerPolicy | undefined;
  readonly notifications: NotificationPolicy;
  readonly version: string | undefined;
  readonly events: TargetEventListeners;
  readonly allMatchingMboxes: ReadonlySet<string>;
}

/** Every decisioning method. */
export const DECISIONING_METHODS = ['server-side', 'on-device', 'hybrid'] as const;

const DEFAULT_CDN_HOST = 'assets.adobetarget.com';
const MIN_POLLING_INTERVAL_MS = 300_000;
const DEFAULT_RETRY: RetryPolicy = {
  retries: 2,
  minTimeoutMs: 50,
  maxTimeoutMs: 1000,
  factor: 2,
  jitter: true,
};
const DEFAULT_CIRCUIT_BREAKER: CircuitBreakerPolicy = {
  failures: 5,
  minTimeoutMs: 1000,
  maxTimeoutMs: 30_000,
};

const MAX_IN_FLIGHT = 128;
const DEFAULT_NOTIFICATIONS: NotificationPolicy = {
  maxInFlight: 64,
  maxQueued: 10_000,
  maxBytes: 32 * 1024 * 1024,
};

type Check<T> = { readonly wanted: string; readonly accepts: (value: unknown) => value is T };

function check<T>(wanted: string, accepts: (value: unknown) => boolean): Check<T> {
  return { wanted, accepts: accepts as (value: unknown) => value is T };
}

const matches = (pattern: RegExp) => (value: unknown) => typeof value === 'string' && pattern.test(value);
const isCount = (value: unknown) => Number.isInteger(value) && (value as number) >= 0;
const isMs = (value: unknown) => typeof value === 'number' && value >= 0 && value <= MAX_TIMER_MS;
const isTimeout = (value: unknown) => isMs(value) && (value as number) > 0;
const hasMethods = (value: unknown, ...names: string[]) =>
  isObject(value) && names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');

/** Without a lone surrogate, which no URL can hold. */
const text = check<string>('a non-empty string', matches(/^\P{Surrogate}+$/u));
const hostName = check<string>('a host such as "edge.example.com:8080"', isHost);
const flag = check<boolean>('a boolean', (value) => typeof value === 'boolean');
const count = check<number>('an integer of at least 0', isCount);
const positive = check<number>('an integer of at least 1', (value) => isCount(value) && value !== 0);
const milliseconds = check<number>('milliseconds from 0 to below 2^31', isMs);
const timeout = check<number>('milliseconds above 0 and below 2^31', isTimeout);
const object = check<object>('an object', isObject);
const names = check<readonly string[]>(
  'an array of names',
  (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
);

/** What each option has to be. The keys are all the options there are. */
const OPTIONS = {
  client: check<string>('a client code', matches(/^\w[\w.-]*$/)),
  organizationId: text,
  timeout,
  serverDomain: hostName,
  secure: flag,
  environmentId: check<number>('an integer', Number.isInteger),
  environment: check<string>('a name such as "production"', matches(/^[\w.-]+$/)),
  targetLocationHint: check<string>('1 to 4 digits', isLocationHint),
  propertyToken: text,
  defaultPropertyToken: text,
  decisioningMethod: check<DecisioningMethod>(`one of ${DECISIONING_METHODS.join(', ')}`, (value) =>
    DECISIONING_METHODS.includes(value as DecisioningMethod),
  ),
  pollingInterval: milliseconds,
  maximumWaitReady: timeout,
  artifactLocation: check<string>('an http, https or file URL', isArtifactUrl),
  artifactPayload: object,
  artifactFormat: check<'json' | 'bin'>('"json" or "bin"', (value) => value === 'json' || value === 'bin'),
  artifactStore: check<ArtifactStore>('an object with get and set', (value) =>
    hasMethods(value, 'get', 'set'),
  ),
  cdnEnvironment: hostName,
  cdnBasePath: hostName,
  onDeviceConfigHostname: hostName,
  telemetryEnabled: flag,
  fetchApi: check<FetchApi>('a fetch function', (value) => typeof value === 'function'),
  agent: check<AgentOption>(
    'an http.Agent or https.Agent, or a function (an undici dispatcher belongs to target-node-sdk/undici)',
    (value) => hasMethods(value, 'addRequest') || typeof value === 'function',
  ),
  retry: check<RetryOption>('an object', isObject),
  circuitBreaker: check<boolean | CircuitBreakerOption>(
    'a boolean or an object',
    (value) => isObject(value) || typeof value === 'boolean',
  ),
  notifications: check<NotificationsOption>('an object', isObject),
  logger: check<LoggerOption>('an object with log methods', isObject),
  version: text,
  events: check<TargetEventListeners>('listeners by event name', isObject),
  allMatchingMboxes: names,
  onDeviceAllMatchingRulesMboxes: names,
} satisfies Record<keyof TargetClientConfig, Check<unknown>>;

const RETRY_OPTIONS = {
  retries: count,
  minTimeout: milliseconds,
  maxTimeout: milliseconds,
  factor: check<number>(
    'a finite number of at least 1',
    (value) => Number.isFinite(value) && (value as number) >= 1,
  ),
  jitter: flag,
} satisfies Record<keyof RetryOption, Check<unknown>>;

const CIRCUIT_BREAKER_OPTIONS = {
  failures: positive,
  minTimeout: timeout,
  maxTimeout: timeout,
} satisfies Record<keyof CircuitBreakerOption, Check<unknown>>;

const NOTIFICATIONS_OPTIONS = {
  maxInFlight: check<number>(
    `an integer from 1 to ${MAX_IN_FLIGHT}`,
    (value) => positive.accepts(value) && value <= MAX_IN_FLIGHT,
  ),
  maxQueued: positive,
  maxBytes: positive,
} satisfies Record<keyof NotificationsOption, Check<unknown>>;

type Checked<Checks> = { [Name in keyof Checks]?: Checks[Name] extends Check<infer T> ? T : never };

/** What a caller wrote → a complete, checked, frozen configuration. Unknown options are warned of. */
export function resolveConfig(written: unknown, logger: Logger): ResolvedConfig {
  if (!isObject(written)) throw invalidOption('config', 'an object', written);
  warnOfUnknown(written, Object.keys(OPTIONS), (line) => logger.warn(line));
  const options = checkAll(written, OPTIONS, '');
  const { client, organizationId, artifactLocation, cdnBasePath, cdnEnvironment } = options;
  if (client === undefined) throw invalidOption('client', OPTIONS.client.wanted, undefined);
  if (organizationId === undefined) throw invalidOption('organizationId', text.wanted, undefined);
  return Object.freeze({
    client,
    organizationId,
    timeoutMs: options.timeout ?? 3000,
    serverDomain: options.serverDomain,
    scheme: options.secure === false ? 'http' : 'https',
    environmentId: options.environmentId,
    environment: (options.environment ?? 'production').toLowerCase(),
    targetLocationHint: options.targetLocationHint,
    propertyToken: options.propertyToken ?? options.defaultPropertyToken,
    decisioningMethod: options.decisioningMethod ?? 'server-side',
    pollingIntervalMs: toPollingInterval(options.pollingInterval, artifactLocation, logger),
    maximumWaitReadyMs: options.maximumWaitReady,
    artifactLocation,
    artifactFormat: options.artifactFormat,
    artifactStore: options.artifactStore,
    cdnHost: toCdnHost(cdnEnvironment) ?? cdnBasePath ?? options.onDeviceConfigHostname ?? DEFAULT_CDN_HOST,
    telemetryEnabled: options.telemetryEnabled ?? true,
    fetchApi: options.fetchApi,
    agent: options.agent,
    retry: toRetryPolicy(options.retry, logger),
    circuitBreaker: toCircuitBreakerPolicy(options.circuitBreaker, logger),
    notifications: toNotificationPolicy(options, logger),
    version: options.version,
    events: toListeners(options.events, logger),
    allMatchingMboxes: new Set(options.allMatchingMboxes ?? options.onDeviceAllMatchingRulesMboxes),
  });
}

/**
 * The `artifactPayload` option, checked and copied: the caller may go on changing it. Apart from the configuration,
 * which would keep it alive.
 */
export function resolvePayload({ artifactPayload }: TargetClientConfig): Artifact | undefined {
  if (!artifactPayload) return undefined;
  try {
    return toArtifact(JSON.parse(JSON.stringify(artifactPayload)));
  } catch (cause) {
    const { name, message } = toError(cause);
    const why = cause instanceof TargetError ? message : `cannot be written as JSON (${name})`;
    throw new TargetError('ERR_TARGET_INVALID_CONFIG', `artifactPayload: ${why}`, {
      path: 'artifactPayload',
      cause,
    });
  }
}

/** Names each key that is not among the known ones, with the nearest that is. */
export function warnOfUnknown(written: object, known: readonly string[], warn: (line: string) => void): void {
  for (const name of Object.keys(written)) {
    if (known.includes(name)) continue;
    const shown = JSON.stringify(name.slice(0, 64));
    const nearest = closestMatch(name.slice(0, 64), known, { maxDistance: Math.ceil(name.length * 0.4) });
    warn(`unknown option ${shown} is ignored${nearest === undefined ? '' : `: did you mean "${nearest}"?`}`);
  }
}

/** Whether a value can be a `timeout`, which is also an option of each call. */
export function isTimeoutMs(value: unknown): value is number {
  return timeout.accepts(value);
}

function checkAll<Checks extends Record<string, Check<unknown>>>(
  written: object,
  checks: Checks,
  prefix: string,
): Checked<Checks> {
  const values: Record<string, unknown> = {};
  for (const [name, { wanted, accepts }] of Object.entries(checks)) {
    const value = (written as Record<string, unknown>)[name] ?? undefined;
    if (value === undefined) continue;
    if (!accepts(value)) throw invalidOption(prefix + name, wanted, value);
    values[name] = value;
  }
  return values as Checked<Checks>;
}

function toPollingInterval(ms: number | undefined, location: string | undefined, logger: Logger): number {
  if (ms === undefined) return MIN_POLLING_INTERVAL_MS;
  if (ms === 0 || ms >= MIN_POLLING_INTERVAL_MS || location !== undefined) return ms;
  logger.warn(`pollingInterval is raised from ${ms} to ${MIN_POLLING_INTERVAL_MS} ms`);
  return MIN_POLLING_INTERVAL_MS;
}

function toRetryPolicy(written: RetryOption | undefined, logger: Logger): RetryPolicy {
  if (!written) return DEFAULT_RETRY;
  warnOfUnknown(written, Object.keys(RETRY_OPTIONS), (line) => logger.warn(`retry: ${line}`));
  const retry = checkAll(written, RETRY_OPTIONS, 'retry.');
  return Object.freeze({
    retries: retry.retries ?? DEFAULT_RETRY.retries,
    minTimeoutMs: retry.minTimeout ?? DEFAULT_RETRY.minTimeoutMs,
    maxTimeoutMs: retry.maxTimeout ?? DEFAULT_RETRY.maxTimeoutMs,
    factor: retry.factor ?? DEFAULT_RETRY.factor,
    jitter: retry.jitter ?? DEFAULT_RETRY.jitter,
  });
}

function toCircuitBreakerPolicy(
  written: boolean | CircuitBreakerOption | undefined,
  logger: Logger,
): CircuitBreakerPolicy | undefined {
  if (written === false) return undefined;
  if (typeof written !== 'object') return DEFAULT_CIRCUIT_BREAKER;
  const known = Object.keys(CIRCUIT_BREAKER_OPTIONS);
  warnOfUnknown(written, known, (line) => logger.warn(`circuitBreaker: ${line}`));
  const options = checkAll(written, CIRCUIT_BREAKER_OPTIONS, 'circuitBreaker.');
  return Object.freeze({
    failures: options.failures ?? DEFAULT_CIRCUIT_BREAKER.failures,
    minTimeoutMs: options.minTimeout ?? DEFAULT_CIRCUIT_BREAKER.minTimeoutMs,
    maxTimeoutMs: options.maxTimeout ?? DEFAULT_CIRCUIT_BREAKER.maxTimeoutMs,
  });
}

function toNotificationPolicy(
  { notifications: written, agent, fetchApi }: Checked<typeof OPTIONS>,
  logger: Logger,
): NotificationPolicy {
  const connections = fetchApi ? fetchApi.connections : maxSocketsOf(agent);
  const policy = { ...DEFAULT_NOTIFICATIONS, maxInFlight: shareOf(connections) };
  if (!written) return policy;
  const known = Object.keys(NOTIFICATIONS_OPTIONS);
  warnOfUnknown(written, known, (line) => logger.warn(`notifications: ${line}`));
  return Object.freeze({ ...policy, ...checkAll(written, NOTIFICATIONS_OPTIONS, 'notifications.') });
}

/** The calls that notifications may have under way, where a pool of so many connections is shared with pages. */
function shareOf(connections: unknown): number {
  const { maxInFlight } = DEFAULT_NOTIFICATIONS;
  if (typeof connections !== 'number' || !(connections > 0)) return maxInFlight;
  return Math.min(maxInFlight, Math.ceil(connections / 2));
}

function maxSocketsOf(agent: AgentOption | undefined): unknown {
  return typeof agent === 'object' ? (agent as { readonly maxSockets?: unknown }).maxSockets : undefined;
}

function toListeners(written: TargetEventListeners | undefined, logger: Logger): TargetEventListeners {
  if (!written) return {};
  for (const [name, listener] of Object.entries(written)) {
    if (listener !== undefined) checkListener(name, listener, logger);
  }
  return Object.freeze({ ...written });
}

/** An event's listener. @throws TargetError `ERR_TARGET_INVALID_CONFIG` */
export function checkListener(name: string, listener: unknown, logger: Logger): void {
  warnOfUnknown({ [name]: listener }, EVENT_NAMES, (line) => logger.warn(`events: ${line}`));
  if (typeof listener !== 'function')
    throw invalidOption(`events.${String(name).slice(0, 64)}`, 'a function', listener);
}

/** Adobe's samples write the default as `production`, which is no host. */
function toCdnHost(cdnEnvironment: string | undefined): string | undefined {
  return cdnEnvironment === 'production' ? undefined : cdnEnvironment;
}

function isHost(value: unknown): boolean {
  return matches(/^[^\s/?#@\\]+$/)(value) && URL.canParse(`https://${value}`);
}

function isArtifactUrl(value: unknown): boolean {
  return typeof value === 'string' && URL.canParse(value) && /^(https?|file):/i.test(value);
}
