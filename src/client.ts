/// <reference lib="esnext.disposable" preserve="true" />

import { answerCall, type Question, toQuestion } from './answer-call.js';
import {
  type AnyAttributes,
  AttributesProvider,
  type AttributesSchema,
  type GetAttributesOptions,
} from './attributes.js';
import {
  BY_THE_EDGE,
  type ClientParts,
  type ClientSources,
  createClientParts,
  SYSTEM_SOURCES,
  statsOf,
} from './client-parts.js';
import type { TargetClientConfig } from './config/config-options.js';
import { checkListener, warnOfUnknownEvent } from './config/option-checks.js';
import type { DecisioningMethod } from './delivery-api.js';
import { closedError } from './errors.js';
import type { TargetEventListener, TargetEventName } from './events.js';
import { visitorCookieName } from './identity/amcv-cookie.js';
import { AUTH_STATE } from './identity/customer-ids.js';
import { LOCATION_HINT_COOKIE_NAME } from './identity/location-hint.js';
import { MBOX_COOKIE_NAME } from './identity/mbox-cookie.js';
import { isThenable } from './json.js';
import type { DeliverQueuedOptions, DeliverQueuedResult } from './reports/relay.js';
import { type Callbacks, requestOf, settle } from './request/callbacks.js';
import { requireNotifications } from './request/copy-notification.js';
import type { DeliveryRequest } from './request/loose-request.js';
import type { CallOptions, RequestOptions, WaitOptions } from './request/options.js';
import { toFlushLimits, toLimitMs, toReadyLimits, waitUntilReady } from './request/wait-options.js';
import { withMboxes } from './request/with-mboxes.js';
import { withoutContent } from './request/without-content.js';
import type { TargetDeliveryResponse } from './response.js';
import type { CloseResult, NotificationStats, ReadyState, TargetClientStats } from './stats.js';
import { createVisitSupport, type VisitSupport } from './visit-support.js';

/** Options of `client.getOffers`. */
export interface GetOffersOptions extends RequestOptions, Callbacks<TargetDeliveryResponse> {}
/** Options of `client.sendNotifications`. */
export interface SendNotificationsOptions extends RequestOptions, Callbacks<TargetDeliveryResponse> {}

/** Options of `client.identify`. */
export interface IdentifyOptions extends CallOptions, Callbacks<TargetDeliveryResponse> {
  /**
   * The request, with the ids, the context and the property of the visitor. `execute`, `prefetch` and `notifications`
   * are refused, because `identify` asks for no offers and reports nothing.
   * @default a request of the channel `web`
   */
  readonly request?: DeliveryRequest | null | undefined;
}

const GET_OFFERS = toQuestion('getOffers');
const GET_ATTRIBUTES = toQuestion('getAttributes');

/**
 * Decides offers and feature flags for the visitors of a site, and reports what they saw. Make one client per process
 * and share it between requests, because it keeps connections, the location hint and the artifact.
 *
 * @example
 * ```ts
 * const client = TargetClient.create({ client: 'acmeclient', organizationId: '1234567890@AdobeOrg' });
 * const { response } = await client.getOffers({ request: { execute: { mboxes: [{ name: 'hero' }] } } });
 * ```
 */
export class TargetClient {
  /** Numbers for `customerIds[…].authState` by name: `UNKNOWN`, `AUTHENTICATED` and `LOGGED_OUT`. */
  static readonly AuthState = AUTH_STATE;
  /** The name of the cookie whose value is the option `targetCookie`: `mbox`. */
  static readonly TargetCookieName = MBOX_COOKIE_NAME;
  /** The name of the cookie whose value is the option `targetLocationHint`: `mboxEdgeCluster`. */
  static readonly TargetLocationHintCookieName = LOCATION_HINT_COOKIE_NAME;

  readonly #parts: ClientParts;
  #visits: VisitSupport | undefined;
  #closing: Promise<CloseResult> | undefined;

  private constructor(parts: ClientParts) {
    this.#parts = parts;
  }

  /**
   * Makes a client. Server-side clients send nothing before their first call. Others start to download the artifact.
   * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` when an option is missing or wrong.
   * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/server-side/node-js/initialize-sdk
   */
  static create(config: TargetClientConfig): TargetClient {
    return TargetClient.createFrom(config, SYSTEM_SOURCES);
  }

  /** Makes a client that has its time and ids from other sources, for tests. @internal */
  static createFrom(config: TargetClientConfig, sources: ClientSources): TargetClient {
    return new TargetClient(createClientParts(config, sources));
  }

  /** Returns the name of the cookie whose value is the option `visitorCookie`: `AMCV_` and the organization's id. */
  static getVisitorCookieName(organizationId: string): string {
    return visitorCookieName(organizationId);
  }

  /** The id of the IMS organization, as it was given to `create`. */
  get organizationId(): string {
    return this.#parts.environment.config.organizationId;
  }

  /** The method by which calls are decided that name no other. */
  get decisioningMethod(): DecisioningMethod {
    return this.#parts.environment.config.decisioningMethod;
  }

  /** The parts that the visits of `target-node-sdk/http` need beside the public methods. @internal */
  get forVisits(): VisitSupport {
    this.#visits ??= createVisitSupport(this.#parts, () => this.#refuseWhenClosed());
    return this.#visits;
  }

  /**
   * Decides offers. Target counts an impression at once for `execute`. For `prefetch` it counts one when a notification
   * reports it.
   *
   * The promise rejects with a `TargetError`. Its `code` is `ERR_TARGET_` and one of INVALID_REQUEST, TIMEOUT, ABORTED,
   * NETWORK, RESPONSE, INVALID_RESPONSE, CIRCUIT_OPEN, NOT_READY, CLOSED, INTERNAL, ARTIFACT when the rules cannot be
   * evaluated, or INVALID_CONFIG when the function `agent` returned a promise. With an `errCallback` the promise
   * resolves to `undefined` instead. Its type does not say so.
   *
   * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/server-side/node-js/get-offers
   * @example
   * ```ts
   * const { response, targetCookie } = await client.getOffers({
   *   request: { execute: { mboxes: [{ name: 'hero' }] } },
   *   targetCookie: cookies[TargetClient.TargetCookieName],
   * });
   * ```
   */
  getOffers(options: GetOffersOptions): Promise<TargetDeliveryResponse> {
    return settle(options, this.#parts, 'getOffers', (own) => this.#answer(own, requestOf(own), GET_OFFERS));
  }

  /**
   * Decides feature flags and other attributes, which are the keys of the JSON offers of mboxes. Mboxes that the
   * request does not name are added to its `execute`. Errors are those of {@link TargetClient.getOffers}.
   *
   * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/server-side/node-js/get-attributes
   * @example
   * ```ts
   * const flags = await client.getAttributes(['checkout-flags']);
   * const isNew = flags.getBoolean('checkout-flags', 'isNew', false);
   * ```
   */
  getAttributes<Schema extends AttributesSchema<Schema> = AnyAttributes>(
    mboxNames: readonly NoInfer<keyof Schema & string>[],
    options: GetAttributesOptions<Schema> = {},
  ): Promise<AttributesProvider<Schema>> {
    return settle(options, this.#parts, 'getAttributes', (own) => {
      const request = withMboxes(requestOf(own) ?? { context: { channel: 'web' } }, mboxNames);
      const answer = this.#answer(own ?? {}, request, GET_ATTRIBUTES);
      const provide = (answered: TargetDeliveryResponse) =>
        new AttributesProvider<Schema>(answered, this.#parts.onDevice?.loaded?.globalMbox);
      return isThenable(answer) ? answer.then(provide) : provide(answer);
    });
  }

  /**
   * Reports displays and clicks to the edge, with every decisioning method. Target has not processed a notification
   * whose id is missing in `response.notifications`. Errors are those of {@link TargetClient.getOffers}, but the
   * circuit breaker never refuses notifications.
   *
   * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/server-side/node-js/send-notifications
   * @example
   * ```ts
   * const mbox = { name: 'hero', state };
   * await client.sendNotifications({
   *   request: { notifications: [{ id: '1', type: 'display', timestamp: Date.now(), mbox, tokens }] },
   * });
   * ```
   */
  sendNotifications(options: SendNotificationsOptions): Promise<TargetDeliveryResponse> {
    return settle(options, this.#parts, 'sendNotifications', (own) => {
      const request = requestOf(own);
      if (request) {
        requireNotifications(request);
      }
      return this.#answer(own, request, toQuestion('sendNotifications', 'server-side'));
    });
  }

  /**
   * Tells who a visitor is, without asking for offers. The answer has the visitor's ids and the cookies to set, so a
   * proxy can give a new visitor an identity before the page is rendered.
   *
   * A `server-side` client asks the edge with one delivery call. Errors are those of {@link TargetClient.getOffers}. An
   * `on-device` or `hybrid` client answers at once, also before it has rules, and sends nothing: a visitor without an
   * id for the allocation of offers gets a new tntId.
   *
   * @example
   * ```ts
   * const { targetCookie, response } = await client.identify({ targetCookie: cookies[TargetClient.TargetCookieName] });
   * const tntId = response.id?.tntId;
   * ```
   */
  identify(options: IdentifyOptions = {}): Promise<TargetDeliveryResponse> {
    return settle(options, this.#parts, 'identify', (own) => {
      const request = withoutContent(requestOf(own));
      return this.#answer(own ?? {}, request, toQuestion('identify'));
    });
  }

  /**
   * Waits until decisions can be made, and resolves to their source. A server-side client is ready at once (`live`).
   * Other clients are ready with their first artifact: `live`, or `cached` when it comes from `artifactPayload` or
   * `artifactStore`. A `hybrid` client is also ready when its first download has failed (`degraded`). Calls may be made
   * without waiting, but `on-device` calls reject with `ERR_TARGET_NOT_READY` until there is an artifact.
   *
   * A failed download does not end the wait, because the client tries again. The event `statusChanged` and `stats()`
   * show later changes.
   * @throws {TargetError} `ERR_TARGET_NOT_READY` after `timeout` (default: `maximumWaitReady`), `ERR_TARGET_ABORTED`,
   * `ERR_TARGET_CLOSED`, or `ERR_TARGET_INVALID_REQUEST` for a wrong option.
   */
  async ready(options: WaitOptions = {}): Promise<ReadyState> {
    const { timeoutMs: given, signal } = toReadyLimits(options);
    this.#refuseWhenClosed();
    const timeoutMs = given ?? this.#parts.environment.config.maximumWaitReadyMs ?? Number.POSITIVE_INFINITY;
    return waitUntilReady(
      { timeoutMs, signal },
      async (span) => (await this.#parts.onDevice?.load())?.whenReady(span.signal) ?? BY_THE_EDGE,
      () => this.#parts.onDevice?.loaded?.lastFailure,
    );
  }

  /**
   * Downloads the artifact at once, or waits for the download that is under way. It does nothing for a server-side
   * client. When it fails, the last good artifact stays in use.
   * @throws {TargetError} The error of the download, such as `ERR_TARGET_NETWORK` or `ERR_TARGET_ARTIFACT`, or
   * `ERR_TARGET_CLOSED`.
   */
  async refresh(): Promise<void> {
    this.#refuseWhenClosed();
    await (await this.#parts.onDevice?.load())?.refresh();
  }

  /**
   * Returns counts of the client's work since it was made, and its present state, as plain data for logs and metrics.
   * It also works on a closed client.
   */
  stats(): TargetClientStats {
    return statsOf(this.#parts, this.#reports);
  }

  /**
   * Adds a listener of an event. The name of an event that does not exist is logged as a warning.
   *
   * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` when the listener is no function.
   * @example
   * ```ts
   * client.on('artifactDownloadFailed', ({ error }) => console.warn(error.message));
   * ```
   */
  on<Name extends TargetEventName>(name: Name, listener: TargetEventListener<Name>): this {
    checkListener(name, listener, this.#parts.environment.logger);
    this.#parts.events.on(name, listener);
    return this;
  }

  /** Removes a listener that was added with `on` or with the option `events`. */
  off<Name extends TargetEventName>(name: Name, listener: TargetEventListener<Name>): this {
    warnOfUnknownEvent(name, this.#parts.environment.logger);
    this.#parts.events.off(name, listener);
    return this;
  }

  /**
   * Waits until each notification that is queued now was delivered, failed or dropped. The wait ends after `timeout`
   * (default: the client's) or when `signal` is aborted, and the notifications that are left stay queued. A flush ends
   * a pause that the queue makes after failures, but not a pause that the edge asked for with `Retry-After`.
   *
   * The promise resolves to counts of notifications, and never rejects. When `queued` is above 0, some were not sent.
   * @example
   * ```ts
   * const { queued } = await client.flush({ timeout: 1000 });
   * ```
   */
  async flush(options: WaitOptions = {}): Promise<NotificationStats> {
    const limits = toFlushLimits(options, this.#parts.environment.config.timeoutMs);
    const { notifications } = this.#parts.background;
    await Promise.all([this.#visits?.held.whenEnded(limits.timeoutMs), notifications.flush(limits)]);
    return this.#reports;
  }

  /**
   * Sends what other processes have handed to their `notifications.outbox`, the deliveries of each visitor in order. The
   * promise never rejects. Data in `again` has to be tried later. No data can name a host.
   */
  deliverQueued(data: readonly string[], options?: DeliverQueuedOptions): Promise<DeliverQueuedResult> {
    return this.#parts.background.relay.deliver(data, options);
  }

  /**
   * Closes the client: it stops polling, sends queued notifications within `timeout` in ms (default: the client's) and
   * closes its connections. Calls under way end normally, and later ones reject with `ERR_TARGET_CLOSED`. The promise
   * resolves to the counts of notifications and never rejects. A second call waits for the first one.
   */
  async close(options: Pick<WaitOptions, 'timeout'> = {}): Promise<CloseResult> {
    this.#closing ??= this.#shutDown(toLimitMs(options, this.#parts.environment.config.timeoutMs));
    return this.#closing;
  }

  /** Closes the client at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #shutDown(limitMs: number): Promise<CloseResult> {
    const endMs = performance.now() + limitMs;
    await this.#parts.onDevice?.close();
    // Calls that wait in visits, such as conversions, have begun. So they are sent before the connections are closed.
    await this.#visits?.held.whenEnded(limitMs);
    await this.#parts.background.close(Math.max(1, endMs - performance.now()));
    const { delivered, failed, dropped, queued, handedOver } = this.#reports;
    this.#parts.transport.close();
    return { delivered, failed, dropped: dropped + queued, handedOver };
  }

  /** Answers one call. A synchronous answer comes without a promise. */
  #answer(
    options: CallOptions,
    request: DeliveryRequest | undefined,
    question: Question,
  ): TargetDeliveryResponse | PromiseLike<TargetDeliveryResponse> {
    this.#refuseWhenClosed();
    return answerCall(options, request, this.#parts, question);
  }

  #refuseWhenClosed(): void {
    if (this.#closing) {
      throw closedError();
    }
  }

  /** The notifications of the queue and the conversions of visits, by their fate. */
  get #reports(): NotificationStats {
    const { stats } = this.#parts.background.notifications;
    return this.#visits?.held.withConversions(stats) ?? stats;
  }
}
