/// <reference lib="esnext.disposable" preserve="true" />
import { later } from '#platform';
import { type AnyAttributes, AttributesProvider, type AttributesSchema } from './attributes.js';
import { type Callbacks, settle } from './callbacks.js';
import { resolveConfig, resolvePayload, type TargetClientConfig } from './config.js';
import { type Deciders, type Decision, decide } from './decide.js';
import type { DecisioningMethod, DeliveryRequest } from './delivery-api.js';
import { CircuitBreaker } from './edge/circuit-breaker.js';
import {
  asksForOffers,
  createDelivery,
  createEdgeDecider,
  type Deliver,
  hostOf,
  ownHint,
} from './edge/deliver.js';
import { closedError, invalidField, TargetError, toError } from './errors.js';
import { Events, type TargetEventListener, type TargetEventName } from './events.js';
import { type Limits, within } from './http/deadline.js';
import type { AbortSignalLike } from './http/fetch-api.js';
import { createTransport, type Transport } from './http/transport.js';
import { visitorCookieName } from './identity/amcv-cookie.js';
import { AUTH_STATE } from './identity/customer-ids.js';
import { newHexId, newUuid } from './identity/ids.js';
import type { OwnHint } from './identity/location-hint.js';
import { MBOX_COOKIE_NAME } from './identity/mbox-cookie.js';
import { isObject } from './json.js';
import { createLogger } from './logger.js';
import type { OnDevice, OnDeviceOptions } from './on-device/decider.js';
import { checkListener, timeout as timeoutCheck, warnOfUnknown } from './option-checks.js';
import { NotificationQueue } from './reports/notification-queue.js';
import { type Downloaded, TelemetryBuffer, toDownloadEntry } from './reports/telemetry.js';
import { type Call, type CallEnvironment, type Delivery, toCall } from './request/call.js';
import {
  CALL_OPTIONS,
  type CallOptions,
  type RequestOptions,
  toSignal,
  toTimeoutMs,
} from './request/options.js';
import { withMboxes } from './request/with-mboxes.js';
import {
  LOCATION_HINT_COOKIE_NAME,
  type TargetDeliveryResponse,
  toTargetDeliveryResponse,
} from './response.js';
import type {
  CircuitBreakerStats,
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
  readonly request?: DeliveryRequest | undefined;
}

/** Limits of `ready`, `flush` and `close`. */
export interface WaitOptions {
  /** In ms, above 0 and below 2^31. @default `maximumWaitReady` for `ready`, the client's `timeout` for `flush` and `close` */
  readonly timeout?: number | undefined;
  /** Ends the wait. */
  readonly signal?: AbortSignalLike | undefined;
}

/** Of a client that needs no rules. */
const BY_THE_EDGE: ReadyState = Object.freeze({ status: 'live', source: 'edge', ageMs: 0 });

/** What telemetry that is sent by itself repeats of the last call. */
interface LastCall
  extends Pick<Delivery, 'encodedSessionId' | 'locationHint'>,
    Pick<Delivery['request'], 'id' | 'context'> {}

type TakesError = { readonly errCallback: (error: TargetError) => void };

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
  readonly #telemetry: TelemetryBuffer;
  readonly #notifications: NotificationQueue;
  readonly #deliver: Deliver;
  #deciders: Deciders;
  /** Only of a client that decides on-device or hybrid. */
  readonly #onDevice: Promise<OnDevice> | undefined;
  /** The same, once it is loaded. */
  #loaded: OnDevice | undefined;
  readonly #clientHint: OwnHint;
  readonly #breaker: CircuitBreaker | undefined;
  readonly #counts: DeliveryCounts = { deliveries: 0, retries: 0, failures: 0 };
  #decisions = 0;
  /** In whose name telemetry is sent that no call came to carry. */
  #last: LastCall | undefined;
  #closing: Promise<CloseResult> | undefined;

  private constructor(written: TargetClientConfig) {
    const logger = createLogger(written?.logger);
    const config = resolveConfig(written, logger);
    const environment = { config, logger, now: () => Date.now(), newId: newUuid };
    this.#environment = environment;
    this.#events = new Events(logger, config.events);
    this.#transport = createTransport(config);
    this.#telemetry = new TelemetryBuffer(config.telemetryEnabled, () => void this.#sendTelemetry());
    const clientHint: OwnHint = { current: config.targetLocationHint };
    this.#clientHint = clientHint;
    const policy = config.circuitBreaker;
    this.#breaker = policy && new CircuitBreaker({ policy, events: this.#events, logger });
    const parts = {
      ...environment,
      events: this.#events,
      transport: this.#transport,
      telemetry: this.#telemetry,
      clientHint,
      breaker: this.#breaker,
      counts: this.#counts,
    };
    const route = createDelivery(parts);
    this.#deliver = route.deliver;
    const edge = createEdgeDecider(this.#deliver);
    this.#notifications = new NotificationQueue({
      policy: config.notifications,
      deliver: this.#deliver,
      hostOf: route.hostOf,
      events: this.#events,
      logger,
    });
    // Listeners that are added after `create` hear it too.
    const onFirst = () => queueMicrotask(() => this.#events.emit({ type: 'clientReady' }));
    if (config.decisioningMethod === 'server-side') {
      this.#deciders = { edge, local: undefined };
      onFirst();
      return;
    }
    const onDownload = (download: Downloaded) => this.#telemetry.add(toDownloadEntry(download));
    this.#onDevice = loadOnDevice({
      ...parts,
      notifications: this.#notifications,
      payload: resolvePayload(written),
      onFirst,
      onDownload,
    });
    this.#deciders = { edge, local: this.#onDevice };
    this.#onDevice.then(
      (local) => {
        this.#loaded = local;
        this.#deciders = { edge, local };
        // When the artifact has been asked for: that is what everybody waits for (`start/ready-large`).
        later(() => {
          if (clientHint.current === undefined && !this.#closing) void this.#learnLocationHint();
        });
      },
      // Whoever makes a call is told why it cannot be loaded.
      () => undefined,
    );
  }

  /**
   * Makes a client. A server-side one sends nothing before its first call; others begin to download. Throws
   * `ERR_TARGET_INVALID_CONFIG` at once on a missing or wrong option.
   */
  static create(config: TargetClientConfig): TargetClient {
    try {
      return new TargetClient(config);
    } catch (cause) {
      if (cause instanceof TargetError) throw cause;
      // A getter or a proxy of the caller's.
      throw new TargetError('ERR_TARGET_INVALID_CONFIG', 'the configuration could not be read', { cause });
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
   * CIRCUIT_OPEN, NOT_READY, CLOSED, or ARTIFACT when the rules cannot be evaluated.
   */
  getOffers(options: GetOffersOptions & TakesError): Promise<TargetDeliveryResponse | undefined>;
  getOffers(options: GetOffersOptions): Promise<TargetDeliveryResponse>;
  getOffers(options: GetOffersOptions): Promise<TargetDeliveryResponse | undefined> {
    return settle(options, this.#environment.logger, () => this.#answer(options, options?.request));
  }

  /**
   * Decides feature flags and other attributes: the JSON offers of mboxes, by key. Mboxes that the request does not
   * name are executed. Rejects as {@link TargetClient.getOffers} does.
   */
  getAttributes<Schema extends AttributesSchema<Schema> = AnyAttributes>(
    mboxNames: readonly NoInfer<keyof Schema & string>[],
    options: GetAttributesOptions<Schema> & TakesError,
  ): Promise<AttributesProvider<Schema> | undefined>;
  getAttributes<Schema extends AttributesSchema<Schema> = AnyAttributes>(
    mboxNames: readonly NoInfer<keyof Schema & string>[],
    options?: GetAttributesOptions<Schema>,
  ): Promise<AttributesProvider<Schema>>;
  getAttributes<Schema extends AttributesSchema<Schema> = AnyAttributes>(
    mboxNames: readonly NoInfer<keyof Schema & string>[],
    options: GetAttributesOptions<Schema> = {},
  ): Promise<AttributesProvider<Schema> | undefined> {
    return settle(options, this.#environment.logger, () => {
      const request = withMboxes(options?.request ?? { context: { channel: 'web' } }, mboxNames);
      const answer = this.#answer(options ?? {}, request);
      if (!(answer instanceof Promise)) return new AttributesProvider<Schema>(answer);
      return answer.then((answered) => new AttributesProvider<Schema>(answered));
    });
  }

  /**
   * Reports what was displayed or clicked; always through the edge. A notification whose id is absent from
   * `response.notifications` was not processed. Rejects as {@link TargetClient.getOffers} does; but the circuit breaker
   * stops no call that asks for no offers.
   */
  sendNotifications(
    options: SendNotificationsOptions & TakesError,
  ): Promise<TargetDeliveryResponse | undefined>;
  sendNotifications(options: SendNotificationsOptions): Promise<TargetDeliveryResponse>;
  sendNotifications(options: SendNotificationsOptions): Promise<TargetDeliveryResponse | undefined> {
    return settle(options, this.#environment.logger, () => {
      const { notifications } = options?.request ?? {};
      if (options?.request && !(Array.isArray(notifications) && notifications.length > 0)) {
        throw invalidField('notifications', 'a list of at least one notification', notifications);
      }
      return this.#answer(options, options?.request, 'server-side');
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
    const signal = toSignal(options?.signal);
    const timeout = toTimeoutMs(options?.timeout);
    if (this.#closing) throw closedError();
    const onDevice = this.#onDevice;
    const timeoutMs = timeout ?? this.#environment.config.maximumWaitReadyMs ?? Number.POSITIVE_INFINITY;
    return within(
      { timeoutMs, signal },
      async (span) => (await onDevice)?.whenReady(span.signal) ?? BY_THE_EDGE,
      (limit) =>
        limit === 'signal'
          ? new TargetError('ERR_TARGET_ABORTED', 'the client is not ready: the wait was aborted', {
              cause: signal?.reason,
            })
          : new TargetError(
              'ERR_TARGET_NOT_READY',
              `the client is not ready: no artifact came within ${timeoutMs} ms`,
              { cause: this.#loaded?.lastFailure },
            ),
    );
  }

  /**
   * Downloads the artifact now, or joins the download that runs. Rejects with what it failed of; the last good one
   * stays in use. Nothing for a server-side client.
   */
  async refresh(): Promise<void> {
    if (this.#closing) throw closedError();
    await (await this.#onDevice)?.refresh();
  }

  /**
   * What the client has done since it was made, and how it is: counters, the artifact in use, the circuit breaker. A
   * snapshot, plain data, for logs and metrics; works on a closed client too.
   */
  stats(): TargetClientStats {
    const { decisioningMethod } = this.#environment.config;
    const state = decisioningMethod === 'server-side' ? BY_THE_EDGE : this.#loaded?.state;
    const artifact = this.#loaded?.stats;
    return {
      status: state?.status ?? 'waiting',
      decisions: this.#decisions,
      ...this.#counts,
      notifications: this.#notifications.stats,
      ...(artifact && { artifact }),
      circuitBreaker: this.#circuitBreakerStats(),
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
    await this.#notifications.flush(toFlushLimits(options, timeoutMs));
    return this.#notifications.stats;
  }

  /**
   * Stops polling, sends what is still to be sent within `timeout` (default the client's) and lets go of
   * connections. Calls under way end as they would have. Never rejects; a second call joins the first.
   */
  async close(options: Pick<WaitOptions, 'timeout'> = {}): Promise<CloseResult> {
    this.#closing ??= this.#shutDown(toLimitMs(options ?? {}, this.#environment.config.timeoutMs));
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #circuitBreakerStats(): CircuitBreakerStats {
    const breaker = this.#breaker;
    if (!breaker) return { state: 'off', refused: 0, hosts: [] };
    const { config } = this.#environment;
    const host = hostOf(config, ownHint({ config, clientHint: this.#clientHint, breaker }));
    return { state: breaker.stateOf(host), refused: breaker.refused, hosts: breaker.hosts };
  }

  async #shutDown(limitMs: number): Promise<CloseResult> {
    // One that cannot be loaded has nothing to close.
    (await this.#onDevice?.catch(() => undefined))?.close();
    this.#telemetry.stop();
    const [result] = await Promise.all([this.#notifications.close(limitMs), this.#sendAllTelemetry(limitMs)]);
    this.#transport.close();
    return result;
  }

  /** One call: normalise, decide, respond. What can be answered at once is no promise. */
  #answer(
    options: CallOptions,
    request: DeliveryRequest,
    method?: DecisioningMethod,
  ): TargetDeliveryResponse | Promise<TargetDeliveryResponse> {
    if (this.#closing) throw closedError();
    if (!isObject(options)) throw invalidField('options', 'an object', options);
    this.#warnOfUnknown(options);
    const call = toCall(options, this.#environment, request, method);
    const decision = decide(call, this.#deciders);
    return decision instanceof Promise
      ? decision.then((decided) => this.#respond(call, decided, Date.now()))
      : this.#respond(call, decision, call.nowMs);
  }

  #respond(call: Call, decision: Decision, nowMs: number): TargetDeliveryResponse {
    if (asksForOffers(call.request)) this.#decisions += 1;
    if (this.#telemetry.isEnabled) {
      const { id, context } = decision.request;
      const { encodedSessionId, locationHint } = call;
      this.#last = { encodedSessionId, locationHint, id, context };
    }
    return toTargetDeliveryResponse(call, decision, nowMs);
  }

  #warnOfUnknown(options: object): void {
    if (hasOnly(options, CALL_OPTIONS)) return;
    warnOfUnknown(options, [...CALL_OPTIONS], (line) => this.#environment.logger.warn(line));
  }

  /** Sends telemetry that no call came to carry, in the name of the last call. False when it was not taken. */
  async #sendTelemetry(timeoutMs = this.#environment.config.timeoutMs): Promise<boolean> {
    if (this.#telemetry.isEmpty || !this.#last) return false;
    const { id, context, ...place } = this.#last;
    const request = { requestId: newUuid(), ...(id && { id }), context };
    return this.#deliverQuietly(request, { ...place, timeoutMs });
  }

  async #sendAllTelemetry(limitMs: number): Promise<void> {
    const deadline = performance.now() + limitMs;
    while (await this.#sendTelemetry(Math.max(1, deadline - performance.now())));
  }

  /** One call without a question, whose answer tells which edge cluster is near. */
  async #learnLocationHint(): Promise<void> {
    const { timeoutMs } = this.#environment.config;
    const encodedSessionId = newHexId();
    await this.#deliverQuietly(
      { context: { channel: 'web' } },
      { encodedSessionId, locationHint: undefined, timeoutMs },
    );
  }

  /** A call in the background, which nobody waits for and whose failure harms nobody. */
  async #deliverQuietly(
    request: Delivery['request'],
    call: Pick<Delivery, 'encodedSessionId' | 'locationHint' | 'timeoutMs'>,
  ): Promise<boolean> {
    const { decisioningMethod } = this.#environment.config;
    try {
      await this.#deliver({ ...call, request, decisioningMethod, signal: undefined });
      return true;
    } catch (error) {
      this.#environment.logger.debug(() => `a call in the background failed: ${toError(error).message}`);
      return false;
    }
  }
}

function hasOnly(options: object, known: ReadonlySet<string>): boolean {
  for (const name in options) if (!known.has(name)) return false;
  return true;
}

/**
 * Loaded by those alone who decide here: it is most of the code, and knows the public suffixes. A function of its own,
 * for what closures of the constructor see, such as the payload, they would keep alive.
 */
async function loadOnDevice(options: OnDeviceOptions): Promise<OnDevice> {
  const { startOnDevice } = await import('./on-device/decider.js').catch((cause: unknown) => {
    throw new TargetError('ERR_TARGET_NOT_READY', 'on-device decisioning could not be loaded', { cause });
  });
  return startOnDevice(options);
}

/**
 * The limit of a flush or a close, which are often the last thing that a process does and must not fail: one that is over
 * already ends them at once, and one that is none does not count.
 */
function toLimitMs({ timeout }: Pick<WaitOptions, 'timeout'>, defaultMs: number): number {
  if (timeoutCheck.accepts(timeout)) return timeout;
  return typeof timeout === 'number' && timeout <= 0 ? 1 : defaultMs;
}

function toFlushLimits(options: WaitOptions | undefined, defaultMs: number): Limits {
  let timeoutMs = defaultMs;
  try {
    const { timeout, signal } = options ?? {};
    timeoutMs = toLimitMs({ timeout }, defaultMs);
    return { timeoutMs, signal: toSignal(signal) };
  } catch {
    return { timeoutMs, signal: undefined };
  }
}
