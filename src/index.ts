/**
 * The client for Adobe Target: offers, attributes of flags, notifications, visitors, and on-device decisions.
 *
 * @packageDocumentation
 */

export {
  type AnyAttributes,
  type AttributeKey,
  AttributesProvider,
  type AttributesSchema,
  type GetAttributesOptions,
} from './attributes.js';
export {
  type GetOffersOptions,
  type IdentifyOptions,
  type SendNotificationsOptions,
  TargetClient,
  TargetClient as default,
} from './client.js';
export type { ArtifactStore, TargetClientConfig, WaitUntil } from './config/config-options.js';
export type {
  CircuitBreakerOption,
  NotificationsOption,
  OutboxMode,
  RetryOption,
} from './config/config-policies.js';
export type { NotificationOutbox, QueuedDelivery } from './config/notification-outbox.js';
export type { FlagOption, NumberOption } from './config/option-checks.js';
export type {
  OfferedArtifact,
  OfferResult,
  SharedArtifact,
  SharedArtifactStore,
  StoreCallOptions,
  StoredVersion,
} from './config/shared-artifact-store.js';
export type * from './delivery-api.js';
export { TargetError, type TargetErrorCode, type TargetErrorDetails } from './errors.js';
export type {
  ContentIssue,
  TargetEventListener,
  TargetEventListeners,
  TargetEventName,
  TargetEvents,
} from './events.js';
export type {
  AbortSignalLike,
  AgentOption,
  FetchApi,
  FetchInit,
  FetchResponse,
  UrlLike,
} from './http/fetch-api.js';
export type { AmcvValues } from './identity/amcv-cookie.js';
export type { CookieLike, CookieOption, LocationHintOption } from './identity/cookie-options.js';
export type {
  AuthStateNumber,
  AuthStateOption,
  CustomerIdEntry,
  CustomerIdOption,
  CustomerIdsByCode,
  CustomerIdsOption,
} from './identity/customer-ids.js';
export type { TargetCookie } from './identity/mbox-cookie.js';
export { Visitor, type VisitorLike } from './identity/visitor.js';
export { type DataLayerActivity, toDataLayer } from './impressions/data-layer.js';
export {
  type ClickedLocation,
  clicked,
  type DisplayedLocation,
  displayed,
} from './impressions/impressions.js';
export type { LoggerOption } from './logger.js';
export type { CallObserver, ObservedCall, ObservedOperation, ObservedResult } from './observer.js';
export type { DeliverQueuedOptions, DeliverQueuedResult } from './reports/relay.js';
export type { Callbacks } from './request/callbacks.js';
export type { DeliveryRequest, Loose, LooseNotification, LooseParameters } from './request/loose-request.js';
export type { CallOptions, RequestOptions, WaitOptions } from './request/options.js';
export type { DecisionStatus, TargetDeliveryResponse } from './response.js';
export {
  type ClosableClient,
  type ClosableServer,
  closeOnSignal,
  type EndSignal,
  type Shutdown,
  type ShutdownOptions,
  type ShutdownResult,
} from './shutdown.js';
export type {
  ArtifactOrigin,
  ArtifactStats,
  ArtifactStoreStats,
  CircuitBreakerStats,
  CircuitState,
  CircuitStats,
  CloseResult,
  NotificationStats,
  ReadyState,
  ReadyStatus,
  RelayedStats,
  TargetClientStats,
} from './stats.js';
