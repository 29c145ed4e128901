/// <reference lib="esnext.disposable" preserve="true" />
import { later } from '#platform';
import { type AnyAttributes, AttributesProvider, type AttributesSchema } from './attributes.js';
import { Background } from './background.js';
import { resolveConfig, resolvePayload, toConfigError } from './config.js';
import type { TargetClientConfig } from './config-options.js';
import { type Deciders, type Decision, decide } from './decide.js';
import type { DecisioningMethod } from './delivery-api.js';
import { CircuitBreaker } from './edge/circuit-breaker.js';
import { createEdgeDecider } from './edge/decider.js';
import { asksForOffers } from './edge/delivery-request.js';
import { createEdgeRoute, type EdgeRoute } from './edge/route.js';
import { closedError, invalidField } from './errors.js';
import { Events, type TargetEventListener, type TargetEventName } from './events.js';
import { createTransport, type Transport } from './http/transport.js';
import { visitorCookieName } from './identity/amcv-cookie.js';
import { AUTH_STATE } from './identity/customer-ids.js';
import { newUuid } from './identity/ids.js';
import { LOCATION_HINT_COOKIE_NAME, type OwnHint } from './identity/location-hint.js';
import { MBOX_COOKIE_NAME } from './identity/mbox-cookie.js';
import {
  hasNoPrototype,
  lookForHiddenNames,
  ownOf,
  withoutInherited,
  withoutPrototypes,
} from './inherited-names.js';
import { isObject, isThenable } from './json.js';
import { createLogger } from './logger.js';
import type { OnDeviceOptions } from './on-device/decider.js';
import { LazyOnDevice, toDeciders } from './on-device/lazy-decider.js';
import { checkListener, warnOfUnknownEvent } from './option-checks.js';
import { type Downloaded, TelemetryBuffer, toDownloadEntry } from './reports/telemetry.js';
import { type Call, type CallEnvironment, toCall } from './request/call.js';
import { type Callbacks, settle } from './request/callbacks.js';
import type { DeliveryRequest } from './request/loose-request.js';
import {
  type CallOptions,
  type RequestOptions,
  type WaitOptions,
  warnOfUnknownOptions,
} from './request/options.js';
import { toFlushLimits, toLimitMs, toReadyLimits, waitUntilReady } from './request/wait-options.js';
import { withMboxes } from './request/with-mboxes.js';
import { type TargetDeliveryResponse, toTargetDeliveryResponse } from './response.js';
import type {
  CloseResult,
  DeliveryCounts,
  NotificationStats,
  ReadyState,
  TargetClientStats,
} from './stats.js';

/** Options of {@link TargetClient.getOffers}. */
export interface GetOffersOptions extends RequestOptions, Callbacks<TargetDeliveryResponse> {}

/** Options of {@link TargetClient.sendNotifications}. */
export interface SendNotificationsOptions extends RequestOptions, Callbacks<TargetDeliveryResponse> {}

/** Options of {@link TargetClient.getAttributes}. */
export interface GetAttributesOptions<Schema extends AttributesSchema<Schema> = AnyAttributes>
  extends CallOptions,
    Callbacks<AttributesProvider<Schema>> {
  /** Conforms to the Delivery API. @default `{ context: { channel: 'web' } }` */
  readonly request?: DeliveryRequest | null | undefined;
}

/** Of a client that needs no rules. */
const BY_THE_EDGE: ReadyState = Object.freeze({ status: 'live', source: 'edge', ageMs: 0 });

/**
 * Decides offers and feature flags for the visitors of a site, and reports what they saw. Make one per process and
 * share it between requests: it keeps connections, the location hint and, on-device, the artifact.
 */
export class TargetClient {
  /** The numbers of `customerIds[…].authState`. */
  static readonly AuthState = AUTH_STATE;
  /** The name of the cookie for `targetCookie`. */
  static readonly TargetCookieName = MBOX_COOKIE_NAME;
  /** The name of the cookie for `targetLocationHint`. */
  static readonly TargetLocationHintCookieName = LOCATION_HINT_COOKIE_NAME;

  readonly #environment: CallEnvironment;
  readonly #events: Events;
  readonly #transport: Transport;
  readonly #route: EdgeRoute;
  readonly #background: Background;
  /** Only of a client that decides on-device or hybrid. */
  readonly #onDevice: LazyOnDevice | undefined;
  readonly #deciders: Deciders;
  readonly #counts: DeliveryCounts = { deliveries: 0, retries: 0, failures: 0 };
  #decisions = 0;
  #closing: Promise<CloseResult> | undefined;

  private constructor(written: TargetClientConfig) {
    const logger = createLogger(written?.logger);
    const config = resolveConfig(written, logger);
    const environment = { config, logger, now: () => Date.now(), newId: newUuid };
    const events = new Events(logger, config.events);
    const transport = createTransport(config);
    const telemetry = new TelemetryBuffer(
      config.telemetryEnabled,
      () => void this.#background.sendTelemetry(),
    );
    const clientHint: OwnHint = { current: config.targetLocationHint };
    const policy = config.circuitBreaker;
    const breaker = policy && new CircuitBreaker({ policy, events, logger });
    const counts = this.#counts;
    const parts = { ...environment, events, transport, telemetry, clientHint, breaker, counts };
    this.#environment = environment;
    this.#events = events;
    this.#transport = transport;
    this.#route = createEdgeRoute(parts);
    this.#background = new Background({ ...parts, route: this.#route });
    // Listeners that are added after `create` hear it too.
    const onFirst = () => queueMicrotask(() => events.emit({ type: 'clientReady' }));
    const isRemote = config.decisioningMethod === 'server-side';
    if (isRemote) onFirst();
    else this.#onDevice = this.#startOnDevice({ ...parts, onFirst, payload: resolvePayload(written) });
    this.#deciders = toDeciders(createEdgeDecider(this.#route), this.#onDevice);
  }

  /**
   * Makes a client. A server-side one sends nothing before its first call; others begin to download. Throws
   * `ERR_TARGET_INVALID_CONFIG` at once on a missing or wrong option.
   */
  static create(config: TargetClientConfig): TargetClient {
    lookForHiddenNames();
    try {
      return new TargetClient(isObject(config) ? withoutInherited(config) : config);
    } catch (cause) {
      throw toConfigError(cause, config);
    }
  }

  /** The name of the cookie for `visitorCookie`: `AMCV_` and the organization's id. */
  static getVisitorCookieName(organizationId: string): string {
    return visitorCookieName(organizationId);
  }

  /**
   * Decides offers. `execute` counts impressions at once, `prefetch` with the notifications that follow.
   *
   * Rejects with a {@link TargetError}: INVALID_REQUEST, TIMEOUT, ABORTED, NETWORK, RESPONSE, INVALID_RESPONSE,
   * CIRCUIT_OPEN, NOT_READY, CLOSED, or ARTIFACT when the rules cannot be evaluated. With an `errCallback`, which takes
   * the error, it resolves to `undefined` instead; the type does not say so, because no other call can.
   *
   * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/server-side/node-js/get-offers
   * @example
   * const { response, targetCookie } = await client.getOffers({
   *   request: { execute: { mboxes: [{ name: 'hero' }] } },
   * });
   */
  getOffers(options: GetOffersOptions): Promise<TargetDeliveryResponse> {
    return settle(options, this.#environment.logger, (own) => this.#answer(own, own?.request));
  }

  /**
   * Decides feature flags and other attributes: the JSON offers of mboxes, by key. Mboxes that the request does not
   * name are executed. Rejects as {@link TargetClient.getOffers} does, or resolves to `undefined` once an `errCallback` took
   * the error.
   *
   * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/server-side/node-js/get-attributes
   * @example
   * const flags = await client.getAttributes(['checkout-flags']);
   * const isNew = flags.getBoolean('checkout-flags', 'isNew', false);
   */
  getAttributes<Schema extends AttributesSchema<Schema> = AnyAttributes>(
    mboxNames: readonly NoInfer<keyof Schema & string>[],
    options: GetAttributesOptions<Schema> = {},
  ): Promise<AttributesProvider<Schema>> {
    return settle(options, this.#environment.logger, (own) => {
      const request = withMboxes(own?.request ?? { context: { channel: 'web' } }, mboxNames);
      const answer = this.#answer(own ?? {}, request);
      return isThenable(answer)
        ? answer.then((answered) => new AttributesProvider<Schema>(answered, this.#globalMbox))
        : new AttributesProvider<Schema>(answer, this.#globalMbox);
    });
  }

  /**
   * Reports what was displayed or clicked; always through the edge. A notification whose id is absent from
   * `response.notifications` was not processed. Rejects as {@link TargetClient.getOffers} does, or resolves to `undefined`
   * once an `errCallback` took the error; but the circuit breaker stops no call that asks for no offers.
   *
   * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/server-side/node-js/send-notifications
   * @example
   * await client.sendNotifications({
   *   request: {
   *     notifications: [{ id: '1', type: 'display', timestamp: Date.now(), mbox: { name: 'hero', state }, tokens }],
   *   },
   * });
   */
  sendNotifications(options: SendNotificationsOptions): Promise<TargetDeliveryResponse> {
    return settle(options, this.#environment.logger, (own) => {
      const request = own?.request;
      const notifications = request && ownOf(request).notifications;
      if (request && !(Array.isArray(notifications) && notifications.length > 0)) {
        throw invalidField('notifications', 'a list of at least one notification', notifications);
      }
      return this.#answer(own, request, 'server-side');
    });
  }

  /**
   * Resolves when decisions can be made, with what they are made by: at once for a server-side client (`live`), with
   * the first artifact for others (`live`, or `cached` when it was brought along or stored), and for `hybrid` also when
   * the first download has failed (`degraded`). Never needed, but without an artifact `on-device` rejects with
   * NOT_READY. Rejects with NOT_READY after `timeout` (default `maximumWaitReady`) and not before, whatever fails; with
   * ABORTED; or with CLOSED. The client goes on downloading; `statusChanged` and `stats` tell what comes of it.
   */
  async ready(options: WaitOptions = {}): Promise<ReadyState> {
    const { timeoutMs: given, signal } = toReadyLimits(options);
    if (this.#closing) throw closedError();
    const timeoutMs = given ?? this.#environment.config.maximumWaitReadyMs ?? Number.POSITIVE_INFINITY;
    return waitUntilReady(
      { timeoutMs, signal },
      async (span) => (await this.#onDevice?.load())?.whenReady(span.signal) ?? BY_THE_EDGE,
      () => this.#onDevice?.loaded?.lastFailure,
    );
  }

  /**
   * Downloads the artifact now, or joins the download that runs. Rejects with what it failed of; the last good one
   * stays in use. Nothing for a server-side client.
   */
  async refresh(): Promise<void> {
    if (this.#closing) throw closedError();
    await (await this.#onDevice?.load())?.refresh();
  }

  /**
   * What the client has done since it was made, and how it is: counters, the artifact in use, the circuit breaker. A
   * snapshot, plain data, for logs and metrics; works on a closed client too.
   */
  stats(): TargetClientStats {
    const { decisioningMethod } = this.#environment.config;
    const state = decisioningMethod === 'server-side' ? BY_THE_EDGE : this.#onDevice?.loaded?.state;
    const artifact = this.#onDevice?.loaded?.stats;
    return {
      status: state?.status ?? 'waiting',
      decisions: this.#decisions,
      ...this.#counts,
      notifications: this.#background.notifications.stats,
      ...(artifact && { artifact }),
      circuitBreaker: this.#route.circuitBreakerStats,
    };
  }

  /** Adds a listener. Throws `ERR_TARGET_INVALID_CONFIG` when it is no function. */
  on<Name extends TargetEventName>(name: Name, listener: TargetEventListener<Name>): this {
    checkListener(name, listener, this.#environment.logger);
    this.#events.on(name, listener);
    return this;
  }

  /** Removes a listener. */
  off<Name extends TargetEventName>(name: Name, listener: TargetEventListener<Name>): this {
    warnOfUnknownEvent(name, this.#environment.logger);
    this.#events.off(name, listener);
    return this;
  }

  /**
   * Waits until each notification that is queued now was delivered, failed or dropped, but no longer than `timeout`
   * (default the client's) or until `signal` is aborted; what is left then stays queued. Resolves with the notifications
   * of this client by fate: `queued` above 0 means that not all was sent. Never rejects. It ends a pause that a failing
   * edge cluster has been given, but not one that it asked for with `Retry-After`.
   *
   * @example
   * const { queued } = await client.flush({ timeout: 1000 });
   */
  async flush(options: WaitOptions = {}): Promise<NotificationStats> {
    const { timeoutMs } = this.#environment.config;
    const { notifications } = this.#background;
    await notifications.flush(toFlushLimits(options, timeoutMs));
    return notifications.stats;
  }

  /**
   * Stops polling, sends what is still to be sent within `timeout` (default the client's) and lets go of
   * connections. Calls under way end as they would have. Never rejects; a second call joins the first.
   */
  async close(options: Pick<WaitOptions, 'timeout'> = {}): Promise<CloseResult> {
    this.#closing ??= this.#shutDown(toLimitMs(options, this.#environment.config.timeoutMs));
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #startOnDevice(parts: Omit<OnDeviceOptions, 'notifications' | 'onDownload' | 'onStart'>): LazyOnDevice {
    const { notifications } = this.#background;
    // By itself: what closures see of the parts, such as the payload, they would keep alive.
    const { telemetry } = parts;
    const onDownload = (download: Downloaded) => telemetry.add(toDownloadEntry(download));
    // When the artifact has been asked for: that is what everybody waits for (benchmark start/ready-large).
    const onStart = () => later(() => void this.#background.learnLocationHint());
    return new LazyOnDevice({ ...parts, notifications, onDownload, onStart });
  }

  async #shutDown(limitMs: number): Promise<CloseResult> {
    await this.#onDevice?.close();
    const result = await this.#background.close(limitMs);
    this.#transport.close();
    return result;
  }

  /** One call: normalise, decide, respond. What can be answered at once is no promise. */
  #answer(
    options: CallOptions,
    request: DeliveryRequest,
    method?: DecisioningMethod,
  ): TargetDeliveryResponse | PromiseLike<TargetDeliveryResponse> {
    if (this.#closing) throw closedError();
    if (!isObject(options)) throw invalidField('options', 'an object', options);
    warnOfUnknownOptions(options, this.#environment.logger);
    const call = toCall(options, this.#environment, request, method);
    const decision = decide(call, this.#deciders);
    return isThenable(decision)
      ? decision.then((decided) => this.#respond(call, decided, Date.now()))
      : this.#respond(call, decision, call.nowMs);
  }

  get #globalMbox(): string | undefined {
    return this.#onDevice?.loaded?.globalMbox;
  }

  #respond(call: Call, decision: Decision, nowMs: number): TargetDeliveryResponse {
    if (asksForOffers(call.request)) this.#decisions += 1;
    this.#background.noteCall(call, decision.request);
    if (hasNoPrototype(call.request)) withoutPrototypes(decision.response);
    return toTargetDeliveryResponse(call, decision, nowMs);
  }
}
