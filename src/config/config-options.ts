import type { DecisioningMethod } from '../delivery-api.js';
import type { TargetEventListeners } from '../events.js';
import type { AgentOption, FetchApi } from '../http/fetch-api.js';
import type { LoggerOption } from '../logger.js';
import type { CallObserver } from '../observer.js';
import type { CircuitBreakerOption, NotificationsOption, RetryOption } from './config-policies.js';
import type { FlagOption, NumberOption } from './option-checks.js';
import type { SharedArtifactStore } from './shared-artifact-store.js';

/**
 * Keeps the last good artifact outside the process. A new process then has rules even while the CDN is down. When a
 * store throws, rejects or hangs, the client logs a warning, and decisions go on.
 *
 * @example
 * ```ts
 * const artifactStore: ArtifactStore = {
 *   get: (key) => redis.get(key),
 *   set: (key, value) => redis.set(key, value),
 * };
 * ```
 */
export interface ArtifactStore {
  /**
   * Returns the text that was stored under a key, or `undefined` or `null` when there is none. The client calls it
   * once, at its start. The key is the URL of the artifact.
   */
  get(key: string): Promise<unknown>;
  /**
   * Stores a text. The client calls it when a new artifact is in use, and makes one call after the other. It stops
   * waiting for a call after 30 seconds.
   */
  set(key: string, value: string): Promise<unknown>;
}

/**
 * Keeps a process or a function of a platform running until work in the background has ended. Serverless platforms have
 * such a function. Without it they may stop the process as soon as the answer is sent.
 *
 * @see https://developers.cloudflare.com/workers/runtime-apis/context/#waituntil
 * @see https://vercel.com/docs/functions/functions-api-reference/vercel-functions-package#waituntil
 */
export type WaitUntil = (work: Promise<unknown>) => void;

/**
 * The options of `TargetClient.create`.
 *
 * A missing or wrong option throws a `TargetError` with the code `ERR_TARGET_INVALID_CONFIG`, whose `path` names the
 * option. An unknown option is ignored with a warning to the logger.
 *
 * Values may come from environment variables, which hold texts. An empty text counts as absent, and numbers and
 * booleans may be written as texts, such as `'1000'` and `'true'`.
 *
 * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/server-side/node-js/initialize-sdk
 * @example
 * ```ts
 * const client = TargetClient.create({
 *   client: 'acmeclient',
 *   organizationId: '1234567890@AdobeOrg',
 *   timeout: 1000,
 * });
 * ```
 */
export interface TargetClientConfig {
  /** The client code of your Target account. */
  readonly client: string;
  /** The id of your IMS organization, such as `1234567890@AdobeOrg`. */
  readonly organizationId: string;
  /**
   * Budget of a whole delivery call in ms, above 0 and below 2^31. It covers connecting, sending, reading and all
   * retries.
   * @default 3000
   */
  readonly timeout?: NumberOption | undefined;
  /**
   * The host that takes every delivery call, as `host` or `host:port`. The default host counts as not set, because a
   * fixed host would take visitors away from their edge cluster. From a URL, `//host` or `host/` only the host
   * is used, with a warning.
   * @default `{client}.tt.omtrdc.net`, or the host of the visitor's edge cluster
   */
  readonly serverDomain?: string | undefined;
  /**
   * True when delivery calls go over https, false when they go over plain http. The artifact and geo look-ups use https
   * in both cases, unless `artifactLocation` is an http URL or their host is this machine.
   * @default true
   */
  readonly secure?: FlagOption | undefined;
  /** The `environmentId` of requests that name none: an integer. @default none */
  readonly environmentId?: NumberOption | undefined;
  /**
   * The name of the environment in Target, such as `QA (EU)`. It is part of the artifact's URL.
   * @default 'production'
   */
  readonly environment?: string | undefined;
  /**
   * The location hint of the client itself, for visitors who bring none: 1 to 4 digits, such as `35`.
   * @default learned from an answer of the edge
   */
  readonly targetLocationHint?: string | undefined;
  /** The `property.token` of requests that have none. It is also part of the artifact's URL. @default none */
  readonly propertyToken?: string | undefined;
  /** Another name of `propertyToken`. When both are set, `propertyToken` is used. */
  readonly defaultPropertyToken?: string | undefined;
  /**
   * The side that decides offers. `server-side` asks the edge. `on-device` decides in this process, by rules that the
   * client downloads. `hybrid` decides in this process when the rules are enough, and asks the edge otherwise. Each
   * call can choose another method.
   * @default 'server-side'
   * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/server-side/on-device-decisioning/overview
   */
  readonly decisioningMethod?: DecisioningMethod | undefined;
  /**
   * Time between two downloads of the artifact in ms. 0 turns polling off. Without an `artifactLocation`, a shorter
   * time than the default is raised to the default, with a warning. With 0 and a {@link SharedArtifactStore}, the client
   * takes the artifact from the store alone.
   * @default 300000
   */
  readonly pollingInterval?: NumberOption | undefined;
  /** Time in ms after which `ready()` rejects, above 0 and below 2^31. @default no limit */
  readonly maximumWaitReady?: NumberOption | undefined;
  /**
   * The http, https or `file:` URL of the artifact. It may have a user and a password.
   * @default computed from client, environment and property
   */
  readonly artifactLocation?: string | undefined;
  /**
   * A parsed artifact to start from. The client decides by it at once, and polls for newer ones. The client copies it,
   * so later changes of the object have no effect.
   */
  readonly artifactPayload?: object | undefined;
  /** The format of the artifact. @default 'bin' for a file name that ends in `.bin`, else 'json' */
  readonly artifactFormat?: 'json' | 'bin' | undefined;
  /**
   * A store that keeps the last good artifact outside the process. With a {@link SharedArtifactStore} many processes
   * change to a new version at one time, and one of them downloads it for all.
   * @default none
   */
  readonly artifactStore?: ArtifactStore | SharedArtifactStore | undefined;
  /**
   * The host of the artifact and of geo look-ups, or `production` for the default.
   * @default 'assets.adobetarget.com'
   */
  readonly cdnEnvironment?: string | undefined;
  /** Another name of `cdnEnvironment`. When both are set, `cdnEnvironment` is used. */
  readonly cdnBasePath?: string | undefined;
  /** Another name of `cdnEnvironment`. It is used when neither `cdnEnvironment` nor `cdnBasePath` is set. */
  readonly onDeviceConfigHostname?: string | undefined;
  /** Sends timing measurements with later calls, or at most once a minute in a call of their own. @default true */
  readonly telemetryEnabled?: FlagOption | undefined;
  /**
   * A WHATWG fetch that makes every HTTP request: delivery calls, artifacts and geo look-ups. `createUndiciFetch` of
   * `target-node-sdk/undici` makes a fast one.
   * @default node-fetch with keep-alive agents
   */
  readonly fetchApi?: FetchApi | undefined;
  /**
   * An `http.Agent` or `https.Agent`, or a function that returns the agent for a URL. It can connect through any kind
   * of proxy, such as SOCKS. A function that returns a promise makes each call reject with `ERR_TARGET_INVALID_CONFIG`.
   * An agent that throws or rejects makes its call reject with `ERR_TARGET_NETWORK`.
   * @default keep-alive agents of the client
   */
  readonly agent?: AgentOption | undefined;
  /**
   * `'environment'` sends every call through the proxies that `HTTPS_PROXY` and `HTTP_PROXY` name, except calls to
   * hosts in `NO_PROXY`. The variables are read once, by `create`. The option cannot be combined with `agent`. It works
   * with the fetch of `target-node-sdk/undici`, and is ignored with a warning for another `fetchApi`.
   * @default no proxy
   *
   * @example
   * ```ts
   * // HTTPS_PROXY=http://user:password@proxy.example:3128 NO_PROXY=.internal.example,10.0.0.0/8
   * TargetClient.create({ client: 'acmeclient', organizationId: '1234567890@AdobeOrg', proxy: 'environment' });
   * ```
   */
  readonly proxy?: 'environment' | undefined;
  /** The policy for retries of failed delivery calls. @default two retries within the call's `timeout` */
  readonly retry?: RetryOption | undefined;
  /**
   * The policy for refusing calls for offers at once while the edge does not answer. `true` stands for the default
   * policy, and `false` turns the circuit breaker off.
   * @default true
   */
  readonly circuitBreaker?: FlagOption | CircuitBreakerOption | undefined;
  /** Limits for sending the display notifications of on-device decisions. */
  readonly notifications?: NotificationsOption | undefined;
  /** The logger to write to, such as `console`. @default no logging */
  readonly logger?: LoggerOption | null | undefined;
  /**
   * A function that is given all work in the background: display notifications, telemetry, artifact downloads, and the
   * call that learns the location hint. A promise for notifications comes once in a turn of the event loop. It ends
   * when the notifications are sent, or after the client's `timeout`. The promises never reject. An error of the
   * function is logged as a warning and harms nothing.
   * @default none
   *
   * @example
   * ```ts
   * import { waitUntil } from '@vercel/functions';
   *
   * TargetClient.create({ client: 'acmeclient', organizationId: '1234567890@AdobeOrg', waitUntil });
   * ```
   */
  readonly waitUntil?: WaitUntil | undefined;
  /** The version of at.js on the pages, sent as the query parameter `version`. @default none */
  readonly version?: string | undefined;
  /** Listeners by event name. `client.on` adds more of them later. */
  readonly events?: TargetEventListeners | undefined;
  /**
   * Watches each call, for traces, metrics and logs. With several, the first one is the outermost. Without an observer,
   * calls cost nothing more.
   * @default none
   */
  readonly observer?: CallObserver | readonly CallObserver[] | undefined;
  /**
   * Names of mboxes whose on-device decisions return the offers of every matching rule. Other mboxes get the offers of
   * the first matching rule alone.
   * @default none
   */
  readonly allMatchingMboxes?: readonly string[] | undefined;
  /** Another name of `allMatchingMboxes`. When both are set, `allMatchingMboxes` is used. */
  readonly onDeviceAllMatchingRulesMboxes?: readonly string[] | undefined;
}
