import type { CircuitBreakerOption, NotificationsOption, RetryOption } from './config-policies.js';
import type { DecisioningMethod } from './delivery-api.js';
import type { TargetEventListeners } from './events.js';
import type { AgentOption, FetchApi } from './http/fetch-api.js';
import type { LoggerOption } from './logger.js';
import type { FlagOption, NumberOption } from './option-checks.js';

/** Keeps the last known good artifact outside the process. */
export interface ArtifactStore {
  get(key: string): Promise<unknown>;
  set(key: string, value: string): Promise<unknown>;
}

/**
 * What `TargetClient.create` takes. A wrong value is an `ERR_TARGET_INVALID_CONFIG` that names the option. Values may come
 * from environment variables: an empty text counts as absent, and numbers and booleans may be texts.
 *
 * @example
 * TargetClient.create({ client: 'acmeclient', organizationId: '1234567890@AdobeOrg', timeout: '1000' });
 */
export interface TargetClientConfig {
  /** Client code. */
  readonly client: string;
  /** IMS organization, `…@AdobeOrg`. */
  readonly organizationId: string;
  /** Budget of a whole delivery call, in ms: connect, headers, body, retries. @default 3000 */
  readonly timeout?: NumberOption | undefined;
  /**
   * `host` or `host:port` that takes every delivery call. The default host counts as not set, so that each visitor keeps
   * the own edge cluster. @default `{client}.tt.omtrdc.net`
   */
  readonly serverDomain?: string | undefined;
  /**
   * `false` sends delivery calls over plain http. The artifact and geo look-ups stay on https, unless `artifactLocation`
   * says http, or their host is this machine. @default true
   */
  readonly secure?: FlagOption | undefined;
  /** `environmentId` of requests that have none. */
  readonly environmentId?: NumberOption | undefined;
  /** Name of the environment in Target, such as `QA (EU)`; part of the artifact's URL. @default 'production' */
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
  readonly pollingInterval?: NumberOption | undefined;
  /** After how many ms `ready()` gives up. @default never */
  readonly maximumWaitReady?: NumberOption | undefined;
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
  readonly telemetryEnabled?: FlagOption | undefined;
  /** A WHATWG fetch for every call: delivery, artifact and geo. @default node-fetch with keep-alive agents */
  readonly fetchApi?: FetchApi | undefined;
  /** `http(s).Agent`, or a function from URL to agent, for proxies. @default keep-alive agents */
  readonly agent?: AgentOption | undefined;
  /**
   * `'environment'` sends every call through the proxies that `HTTPS_PROXY` and `HTTP_PROXY` name, except to hosts in
   * `NO_PROXY`. The variables are read once, by `create`. Excludes `agent`; works with the fetch of
   * `target-node-sdk/undici`, and not with another `fetchApi`. @default no proxy
   *
   * @example
   * // HTTPS_PROXY=http://user:password@proxy.example:3128 NO_PROXY=.internal.example,10.0.0.0/8
   * TargetClient.create({ client: 'acmeclient', organizationId: '1234567890@AdobeOrg', proxy: 'environment' });
   */
  readonly proxy?: 'environment' | undefined;
  /** How failed delivery calls are repeated. */
  readonly retry?: RetryOption | undefined;
  /** When calls for offers are refused at once while the edge does not answer; `false` for never. @default true */
  readonly circuitBreaker?: FlagOption | CircuitBreakerOption | undefined;
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
