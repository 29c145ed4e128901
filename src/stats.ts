/**
 * Tells how up to date decisions are.
 *
 * - `live`: the edge decides, or the rules in use are current: their source confirmed them when it was last asked.
 * - `cached`: the rules in use are not confirmed. They came from `artifactPayload` or `artifactStore`, or the last
 *   download failed.
 * - `degraded`: a `hybrid` client has no rules, so the edge decides everything.
 */
export type ReadyStatus = 'live' | 'cached' | 'degraded';

/**
 * The source of an artifact: its URL (`cdn`), its `file:` URL (`file`), the `artifactStore` (`store`), or the
 * `artifactPayload` (`payload`).
 */
export type ArtifactOrigin = 'cdn' | 'file' | 'store' | 'payload';

/** The value that `ready()` resolves with. */
export interface ReadyState {
  /** Tells how up to date decisions are. */
  readonly status: ReadyStatus;
  /** The source of the rules, or `edge` when decisions are made without rules. */
  readonly source: ArtifactOrigin | 'edge';
  /** The age of the rules in ms, as in {@link ArtifactStats.ageMs}. It is 0 when the source is `edge`. */
  readonly ageMs: number;
}

/** Facts about the artifact in use. */
export interface ArtifactStats {
  /** The version of the artifact's format, such as `1.0.0`. */
  readonly version: string;
  /**
   * The time at which the rules were made, as the artifact states it. It is copied unchecked, even when it lies in the
   * future. It is absent when the artifact states none.
   */
  readonly generatedAt?: string;
  /** The source of the artifact. */
  readonly source: ArtifactOrigin;
  /**
   * The time in ms since the artifact was last known to be the current one. It counts from the last download or 304
   * answer. Before the first of these it counts from `generatedAt`. It counts from the time of first use when
   * `generatedAt` is absent or in the future.
   */
  readonly ageMs: number;
  /**
   * The first 16 hexadecimal digits of the SHA-256 of the downloaded JSON. It is the same in every process that decides
   * by the same version. Absent for an `artifactPayload`, and for one from a store with `get` and `set`.
   */
  readonly id?: string;
  /** The id of the version that waits for the common moment of a fleet. See {@link SharedArtifactStore}. */
  readonly pendingId?: string;
  /** The time until that moment in ms. */
  readonly activatesInMs?: number;
}

/** Counts of the calls of a {@link SharedArtifactStore}, and its state. */
export interface ArtifactStoreStats {
  /** `failing` after a call that failed, until one succeeds. The client then works as if it had no store. */
  readonly state: 'ok' | 'failing';
  /** The number of calls that failed: they rejected, took longer than a second, or brought something of no use. */
  readonly failures: number;
  /** The number of downloaded artifacts that were offered to the store, by its answer. */
  readonly offers: Readonly<Record<'taken' | 'same' | 'older', number>>;
  /**
   * The name of the last error, such as `TimeoutError`, with a code of the system or of Redis: `EACCES`, `ReplyError
   * NOAUTH`. It never holds the error's message.
   */
  readonly lastError?: string;
}

/**
 * Counts of the reports that go in the background, by their outcome, since the client was made: the notifications of
 * on-device decisions, and the conversions of `visit.track`. The equation accepted = delivered + failed + dropped + queued
 * + handedOver always holds.
 */
export interface NotificationStats {
  /** Notifications that were handed to the queue, and conversions. */
  readonly accepted: number;
  /** Notifications that the edge confirmed. */
  readonly delivered: number;
  /** Notifications that the edge refused, or that were tried too often. */
  readonly failed: number;
  /** Notifications that were not sent, because the queue was full (in calls or in bytes) or the client closed. */
  readonly dropped: number;
  /** Notifications that wait or are being sent. */
  readonly queued: number;
  /** Notifications that `notifications.outbox` has taken. Another process sends them. It is 0 without an outbox. */
  readonly handedOver: number;
  /** Delivery calls of the queue that are under way at this moment. It is a part of `queued`, counted in calls. */
  readonly inFlight: number;
}

/** Counts of the notifications that this client has sent for other processes, with `deliverQueued`. */
export interface RelayedStats {
  /** Notifications that the edge confirmed. */
  readonly delivered: number;
  /** Notifications that the edge refused, that were too old, or whose data could not be read. */
  readonly failed: number;
}

/**
 * Counts of notifications after `close()`: which were delivered or handed over, and which were lost. They cover the whole
 * life of the client.
 */
export type CloseResult = Omit<NotificationStats, 'accepted' | 'queued' | 'inFlight'>;

/**
 * The state of a circuit breaker. `closed` lets calls through. `open` refuses them. `half-open` lets one call through.
 * It shows whether the edge answers again.
 */
export type CircuitState = 'closed' | 'open' | 'half-open';

/** The circuit breaker's view of one host. A host is listed while its last delivery calls failed. */
export interface CircuitStats {
  /** The host with its port, such as `mboxedge35.tt.omtrdc.net`. */
  readonly host: string;
  /** The state of the breaker for this host. */
  readonly state: CircuitState;
  /** The number of calls that failed in a row. */
  readonly failures: number;
  /** The time in ms until the next call is let through. It is 0 when a call may go at once. */
  readonly retryInMs: number;
}

/** The state of the circuit breaker, over all hosts. */
export interface CircuitBreakerStats {
  /**
   * The state for calls whose visitor has no location hint. It is `off` when the option `circuitBreaker` is `false`.
   */
  readonly state: CircuitState | 'off';
  /** The number of calls that the breaker refused to send. */
  readonly refused: number;
  /** The hosts whose last calls failed. */
  readonly hosts: readonly CircuitStats[];
}

/** Counts of delivery calls of all kinds: decisions, notifications, and calls that the client makes by itself. */
export interface DeliveryCounts {
  /** Calls that were sent. A call counts once, together with its retries. */
  deliveries: number;
  /**
   * HTTP requests that were sent again inside these calls. A notification that the queue sends again later is not a
   * retry but a new call.
   */
  retries: number;
  /** Calls that ended with an error. */
  failures: number;
}

/** Counts of a client's work since it was made, and its present state. */
export interface TargetClientStats extends Readonly<DeliveryCounts> {
  /** The status that `ready()` would resolve with, or `waiting` while no decision can be made yet. */
  readonly status: ReadyStatus | 'waiting';
  /** The number of answers of `getOffers` and `getAttributes`, decided on the edge or in this process. */
  readonly decisions: number;
  /** Counts of notifications by their outcome. */
  readonly notifications: NotificationStats;
  /** Counts of the notifications that `deliverQueued` has sent. */
  readonly relayed: RelayedStats;
  /** Facts about the artifact in use. Absent while the client has none. */
  readonly artifact?: ArtifactStats;
  /** The state of a store that a fleet shares. Absent without one. */
  readonly artifactStore?: ArtifactStoreStats;
  /** The state of the circuit breaker. */
  readonly circuitBreaker: CircuitBreakerStats;
}
