/**
 * What decisions are made by. `live`: by the edge, or by the rules that its location has last confirmed. `cached`: by
 * rules that it has not confirmed, or not lately: they were brought along or stored, or the last download failed.
 * `degraded`: on the edge alone, where rules should have helped.
 */
export type ReadyStatus = 'live' | 'cached' | 'degraded';

/** Where an artifact came from: its URL, its `file:` URL, the `artifactStore`, or `artifactPayload`. */
export type ArtifactOrigin = 'cdn' | 'file' | 'store' | 'payload';

/** What `ready()` resolves with. */
export interface ReadyState {
  readonly status: ReadyStatus;
  /** Where the rules came from; `edge` when decisions are made without any. */
  readonly source: ArtifactOrigin | 'edge';
  /** As {@link ArtifactStats.ageMs}; 0 of the edge. */
  readonly ageMs: number;
}

/** The artifact in use. */
export interface ArtifactStats {
  /** Of its format. */
  readonly version: string;
  /** When its rules were made, where it says so: as it is written there, even if that is in the future. */
  readonly generatedAt?: string;
  readonly source: ArtifactOrigin;
  /**
   * For how many ms nobody has confirmed that it is the current one: since the last download or 304; before the first,
   * since it was made, or, where it does not say or is dated in the future, since it was taken into use.
   */
  readonly ageMs: number;
}

/** Notifications of on-device decisions, by fate: accepted = delivered + failed + dropped + queued, always. */
export interface NotificationStats {
  /** Handed over since the client was made. */
  readonly accepted: number;
  /** Confirmed by the edge. */
  readonly delivered: number;
  /** Refused by the edge, or tried too often. */
  readonly failed: number;
  /** Not sent: too many calls or bytes were queued, or the client closed. */
  readonly dropped: number;
  /** Waiting or under way. */
  readonly queued: number;
}

/** What `close()` could and could not send, of all notifications since the client was made. */
export type CloseResult = Omit<NotificationStats, 'accepted' | 'queued'>;

/** `closed` lets calls through, `open` refuses them, `half-open` lets one through to see whether the edge is back. */
export type CircuitState = 'closed' | 'open' | 'half-open';

/** A host whose last delivery calls failed. */
export interface CircuitStats {
  readonly host: string;
  readonly state: CircuitState;
  /** Calls that failed one after the other. */
  readonly failures: number;
  /** In how many ms the next call is let through; 0 when it may go at once. */
  readonly retryInMs: number;
}

/** The circuit breaker. */
export interface CircuitBreakerStats {
  /** For calls without a location hint of their own; `off` when `circuitBreaker` is `false`. */
  readonly state: CircuitState | 'off';
  /** Calls that were not sent because of it. */
  readonly refused: number;
  /** The hosts that are in trouble. */
  readonly hosts: readonly CircuitStats[];
}

/** Delivery calls of all kinds: decisions, notifications, and those in the background. */
export interface DeliveryCounts {
  /** Calls that were sent, each counted once whatever its repetitions. */
  deliveries: number;
  /** HTTP requests that were repeated within these calls. A notification that is sent again later is a call of its own. */
  retries: number;
  /** Those that ended with an error. */
  failures: number;
}

/** What a client has done since it was made, and how it is. */
export interface TargetClientStats extends Readonly<DeliveryCounts> {
  /** As `ready()` resolves with it; `waiting` while no decision can be made. */
  readonly status: ReadyStatus | 'waiting';
  /** Answers of `getOffers` and `getAttributes`, wherever they were decided. */
  readonly decisions: number;
  readonly notifications: NotificationStats;
  /** Absent of a client that has none. */
  readonly artifact?: ArtifactStats;
  readonly circuitBreaker: CircuitBreakerStats;
}
