/// <reference lib="esnext.disposable" preserve="true" />
import { v4 as newUuid } from 'uuid';
import { type AnyAttributes, AttributesProvider, type AttributesSchema } from './attributes.js';
import { type ResolvedConfig, resolveConfig, type TargetClientConfig, warnOfUnknown } from './config.js';
import { chooseDecider, type Decider } from './decide.js';
import { createDelivery, type Delivery } from './delivery.js';
import type { DeliveryRequest, MboxRequest } from './delivery-api.js';
import { TargetError, toError } from './errors.js';
import {
  Events,
  type TargetEventListener,
  type TargetEventListeners,
  type TargetEventName,
} from './events.js';
import { createLogger, type Logger } from './logger.js';
import { MBOX_COOKIE_NAME } from './mbox-cookie.js';
import { CALL_OPTIONS, type Call, type CallOptions, type RequestOptions, toCall } from './request.js';
import { invalidField } from './request-fields.js';
import {
  LOCATION_HINT_COOKIE_NAME,
  type TargetDeliveryResponse,
  toTargetDeliveryResponse,
} from './response.js';
import { TelemetryBuffer } from './telemetry.js';
import { type AbortSignalLike, createTransport, type Transport } from './transport.js';
import { AUTH_STATE, visitorCookieName } from './visitor.js';

/** Called with the result or the error of a call, besides its promise. */
export interface Callbacks<Result> {
  /** Called with the result. */
  readonly callback?: ((result: Result) => void) | undefined;
  /** Called with the error; the promise then resolves to undefined. */
  readonly errCallback?: ((error: TargetError) => void) | undefined;
}

/** Options of {@link TargetClient.getOffers}. */
export interface GetOffersOptions extends RequestOptions, Callbacks<TargetDeliveryResponse> {}

/** Options of {@link TargetClient.sendNotifications}. */
export interface SendNotificationsOptions extends RequestOptions, Callbacks<TargetDeliveryResponse> {}

/** Options of {@link TargetClient.getAttributes}. */
export interface GetAttributesOptions<Schema extends AttributesSchema = AnyAttributes>
  extends CallOptions,
    Callbacks<AttributesProvider<Schema>> {
  /** Conforms to the Delivery API. @default `{ context: { channel: 'web' } }` */
  readonly request?: DeliveryRequest | undefined;
}

/** Limits of `ready` and `close`. */
export interface WaitOptions {
  /** In ms. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignalLike | undefined;
}

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

  readonly #config: ResolvedConfig;
  readonly #logger: Logger;
  readonly #events: Events;
  readonly #transport: Transport;
  readonly #telemetry: TelemetryBuffer;
  readonly #deliver: (delivery: Delivery) => ReturnType<Decider>;
  readonly #warnedOf = new Set<string>();
  #lastCall: Call | undefined;
  #closing: Promise<void> | undefined;

  private constructor(written: TargetClientConfig) {
    this.#logger = createLogger(written?.logger);
    this.#config = resolveConfig(written, this.#logger);
    this.#events = new Events(this.#logger);
    this.#listen(this.#config.events);
    this.#transport = createTransport(this.#config);
    this.#telemetry = new TelemetryBuffer(this.#config.telemetryEnabled, () => void this.#sendTelemetry());
    this.#deliver = createDelivery({
      config: this.#config,
      transport: this.#transport,
      telemetry: this.#telemetry,
      logger: this.#logger,
      now: Date.now,
      newId: newUuid,
    });
    if (this.#config.decisioningMethod === 'server-side') {
      // Listeners that are added behind `create` hear it too.
      queueMicrotask(() => this.#events.emit({ type: 'clientReady' }));
    }
  }

  /**
   * Makes a client. Nothing is sent before the first call. Throws `ERR_TARGET_INVALID_CONFIG` at once on a missing
   * or wrong option.
   */
  static create(config: TargetClientConfig): TargetClient {
    return new TargetClient(config);
  }

  /** The name of the cookie for `visitorCookie`: `AMCV_` and the organization's id. */
  static getVisitorCookieName(organizationId: string): string {
    return visitorCookieName(organizationId);
  }

  /**
   * Decides offers. `execute` counts impressions at once, `prefetch` with the notifications that follow.
   *
   * Rejects with a {@link TargetError}: INVALID_REQUEST, TIMEOUT, ABORTED, NETWORK, RESPONSE, INVALID_RESPONSE,
   * NOT_READY or CLOSED.
   */
  getOffers(options: GetOffersOptions & TakesError): Promise<TargetDeliveryResponse | undefined>;
  getOffers(options: GetOffersOptions): Promise<TargetDeliveryResponse>;
  async getOffers(options: GetOffersOptions): Promise<TargetDeliveryResponse | undefined> {
    return this.#settle(options, () => this.#answer(options));
  }

  /**
   * Decides feature flags and other attributes: the JSON offers of mboxes, by key. Mboxes that the request does not
   * name are executed. Rejects as {@link TargetClient.getOffers} does.
   */
  getAttributes<Schema extends AttributesSchema = AnyAttributes>(
    mboxNames: readonly (keyof Schema & string)[],
    options: GetAttributesOptions<Schema> & TakesError,
  ): Promise<AttributesProvider<Schema> | undefined>;
  getAttributes<Schema extends AttributesSchema = AnyAttributes>(
    mboxNames: readonly (keyof Schema & string)[],
    options?: GetAttributesOptions<Schema>,
  ): Promise<AttributesProvider<Schema>>;
  async getAttributes<Schema extends AttributesSchema = AnyAttributes>(
    mboxNames: readonly (keyof Schema & string)[],
    options: GetAttributesOptions<Schema> = {},
  ): Promise<AttributesProvider<Schema> | undefined> {
    return this.#settle(options, async () => {
      const request = withMboxes(options?.request ?? { context: { channel: 'web' } }, mboxNames);
      return new AttributesProvider<Schema>(await this.#answer({ ...options, request }));
    });
  }

  /**
   * Reports what was displayed or clicked; always through the edge. A notification whose id is absent from
   * `response.notifications` was not processed. Rejects as {@link TargetClient.getOffers} does.
   */
  sendNotifications(
    options: SendNotificationsOptions & TakesError,
  ): Promise<TargetDeliveryResponse | undefined>;
  sendNotifications(options: SendNotificationsOptions): Promise<TargetDeliveryResponse>;
  async sendNotifications(options: SendNotificationsOptions): Promise<TargetDeliveryResponse | undefined> {
    return this.#settle(options, () => {
      const { notifications } = options?.request ?? {};
      if (options?.request && !(Array.isArray(notifications) && notifications.length > 0)) {
        throw invalidField('notifications', 'a list of notifications', notifications);
      }
      return this.#answer({ ...options, decisioningMethod: 'server-side' });
    });
  }

  /** Resolves when decisions can be made: at once for a server-side client. */
  async ready(_options: WaitOptions = {}): Promise<void> {}

  /** Adds a listener. */
  on<Name extends TargetEventName>(name: Name, listener: TargetEventListener<Name>): this {
    this.#events.on(name, listener);
    return this;
  }

  /** Removes a listener. */
  off<Name extends TargetEventName>(name: Name, listener: TargetEventListener<Name>): this {
    this.#events.off(name, listener);
    return this;
  }

  /** Waits for queued notifications. */
  async flush(): Promise<void> {}

  /** Sends what is still to be sent, within the client's `timeout`, and lets go of connections. Never rejects. */
  async close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #shutDown(): Promise<void> {
    this.#telemetry.stop();
    await this.#sendTelemetry();
    this.#transport.close();
  }

  /** One call: normalise, decide, respond. */
  async #answer(options: RequestOptions): Promise<TargetDeliveryResponse> {
    if (this.#closing) throw new TargetError('ERR_TARGET_CLOSED', 'the client is closed');
    if (typeof options !== 'object' || options === null) throw invalidField('options', 'an object', options);
    this.#warnOfUnknown(options);
    const call = toCall(options, {
      config: this.#config,
      logger: this.#logger,
      now: Date.now,
      newId: newUuid,
    });
    const decide = chooseDecider(call, this.#deliver, undefined);
    const decision = await decide(call);
    this.#lastCall = call;
    return toTargetDeliveryResponse(call, decision, Date.now());
  }

  /** Hands a result or an error to the callbacks, which can do the call no harm. */
  async #settle<Result>(
    options: Callbacks<Result> | undefined,
    work: () => Promise<Result>,
  ): Promise<Result | undefined> {
    let result: Result;
    try {
      result = await work();
    } catch (thrown) {
      const error = toTargetError(thrown);
      if (typeof options?.errCallback !== 'function') throw error;
      this.#callBack(options.errCallback, error);
      return undefined;
    }
    if (typeof options?.callback === 'function') this.#callBack(options.callback, result);
    return result;
  }

  #callBack<Value>(callback: (value: Value) => unknown, value: Value): void {
    const log = (thrown: unknown) => this.#logger.error(() => `a callback failed: ${toError(thrown).name}`);
    try {
      const returned = callback(value);
      if (returned instanceof Promise) returned.catch(log);
    } catch (thrown) {
      log(thrown);
    }
  }

  #listen(listeners: TargetEventListeners): void {
    for (const [name, listener] of Object.entries(listeners)) {
      if (listener)
        this.#events.on(name as TargetEventName, listener as TargetEventListener<TargetEventName>);
    }
  }

  #warnOfUnknown(options: object): void {
    warnOfUnknown(options, CALL_OPTIONS, (line) => {
      if (this.#warnedOf.size < 100 && !this.#warnedOf.has(line)) this.#logger.warn(line);
      this.#warnedOf.add(line);
    });
  }

  /** Sends telemetry that no call came to carry, in the name of the last call. */
  async #sendTelemetry(): Promise<void> {
    if (!this.#lastCall || this.#telemetry.isEmpty) return;
    const { request, sessionId, locationHint } = this.#lastCall;
    try {
      await this.#deliver({
        request: { requestId: newUuid(), context: request.context, ...(request.id && { id: request.id }) },
        sessionId,
        locationHint,
        decisioningMethod: this.#config.decisioningMethod,
        timeoutMs: this.#config.timeoutMs,
        signal: undefined,
      });
    } catch (error) {
      this.#logger.debug(() => `telemetry was not sent: ${toError(error).message}`);
    }
  }
}

/** Only the caller's own objects can throw anything else: a getter, a proxy, a visitor. */
function toTargetError(thrown: unknown): TargetError {
  if (thrown instanceof TargetError) return thrown;
  return new TargetError('ERR_TARGET_INVALID_REQUEST', 'the options could not be read', {
    path: 'options',
    cause: thrown,
  });
}

/** The request, with the mboxes that it does not name yet behind those that it executes. */
function withMboxes(request: DeliveryRequest, mboxNames: readonly string[]): DeliveryRequest {
  if (!Array.isArray(mboxNames) || mboxNames.some((name) => typeof name !== 'string' || name === '')) {
    throw invalidField('mboxNames', 'an array of mbox names', mboxNames);
  }
  const executed = listOf(request?.execute?.mboxes);
  const named = new Set([...executed, ...listOf(request?.prefetch?.mboxes)].map((mbox) => mbox?.name));
  const highest = executed.reduce((index, mbox) => Math.max(index, Number(mbox?.index) || 0), 0);
  const added = [...new Set(mboxNames)]
    .filter((name) => !named.has(name))
    .map((name, position) => ({ name, index: highest + 1 + position }));
  if (added.length === 0) return request;
  return { ...request, execute: { ...request?.execute, mboxes: [...executed, ...added] } };
}

function listOf(mboxes: readonly MboxRequest[] | undefined): readonly MboxRequest[] {
  return Array.isArray(mboxes) ? mboxes : [];
}
