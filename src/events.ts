import { callSafely } from './call-safely.js';
import type { Geo, Notification } from './delivery-api.js';
import { nameOf, type TargetError } from './errors.js';
import type { Logger } from './logger.js';
import { eventChannelOf } from './observer.js';
import type { CircuitState, ReadyState } from './stats.js';

/** A reason for which the content of a JSON offer does not fit the schema of its mbox. It does not hold the content. */
export interface ContentIssue {
  /** The message of the validator, in which the values of the offer are replaced by `…`. */
  readonly message: string;
  /** The path of the value in the offer, such as `colors[0].name`. It is empty for the whole offer. */
  readonly path: string;
}

/**
 * The events of a client: the object that a listener gets, by event name.
 *
 * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/server-side/node-js/sdk-events
 */
export interface TargetEvents {
  /**
   * Decisions can be made. It is raised once. A server-side client raises it right after `create` has returned.
   * Listeners that are added at once get it too.
   */
  clientReady: { readonly type: 'clientReady' };
  /**
   * A new artifact is in use. With a `SharedArtifactStore` another process may have downloaded it. A download that is
   * answered with 304 (not modified) does not raise it.
   */
  artifactDownloadSucceeded: {
    readonly type: 'artifactDownloadSucceeded';
    /** The URL from which the artifact came. */
    readonly artifactLocation: string;
    /** The parsed artifact. */
    readonly artifactPayload: unknown;
  };
  /**
   * An attempt to download the artifact failed. The client tries again, and the last good artifact stays in use. An
   * error with the code `ERR_TARGET_NOT_READY` means that `maximumWaitReady` is over and there is no artifact yet.
   */
  artifactDownloadFailed: {
    readonly type: 'artifactDownloadFailed';
    /** The URL of the artifact. */
    readonly artifactLocation: string;
    /** The reason. */
    readonly error: TargetError;
  };
  /**
   * An IP address was looked up for an on-device decision. With an `error` the look-up failed, and the decision uses
   * the geographic data that the request has.
   */
  geoLocationUpdated: {
    readonly type: 'geoLocationUpdated';
    /** The geographic data that the decision uses. */
    readonly geoContext: Geo;
    /** The reason for a look-up that failed. */
    readonly error?: TargetError;
  };
  /** A notification of an on-device decision is lost: it was refused, tried too often or dropped. */
  sendNotificationError: {
    readonly type: 'sendNotificationError';
    /** The notification that was not delivered. */
    readonly notification: Notification;
    /** The reason. */
    readonly error: TargetError;
  };
  /** The client's readiness changed: `live`, `cached` or `degraded`. See {@link ReadyState}. */
  statusChanged: ReadyState & { readonly type: 'statusChanged' };
  /**
   * The circuit breaker of one host changed its state. From now on it refuses calls for offers, tries one, or sends
   * them.
   */
  circuitBreakerChanged: {
    readonly type: 'circuitBreakerChanged';
    /** The host with its port, such as `mboxedge35.tt.omtrdc.net`. */
    readonly host: string;
    /** The state from now on: `open` refuses calls, `half-open` tries one, `closed` lets all through. */
    readonly state: CircuitState;
    /** The failure of the last call to the host. */
    readonly error?: TargetError;
  };
  /** The store that a fleet shares began to fail, or works again. While it fails, the client works without it. */
  artifactStoreChanged: {
    readonly type: 'artifactStoreChanged';
    /** The state from now on. */
    readonly state: 'ok' | 'failing';
    /** The reason, without the store's own message, which may hold a password. Absent when the store works. */
    readonly error?: TargetError;
  };
  /**
   * A JSON offer does not fit the schema that `defineMboxes` of `target-node-sdk/mboxes` has for its mbox. The default
   * is used in its place.
   */
  invalidContent: {
    readonly type: 'invalidContent';
    /** The name of the mbox. */
    readonly mbox: string;
    /** The reasons. */
    readonly issues: readonly ContentIssue[];
  };
}

/** The name of an event. */
export type TargetEventName = keyof TargetEvents;

/**
 * A listener of one event. An error that it throws or rejects with is logged and harms nothing.
 *
 * @example
 * ```ts
 * const onLost: TargetEventListener<'sendNotificationError'> = ({ error }) => console.warn(error.message);
 * client.on('sendNotificationError', onLost);
 * ```
 */
export type TargetEventListener<Name extends TargetEventName> = (event: TargetEvents[Name]) => unknown;

/** Listeners by event name, for the option `events` of `TargetClient.create`. */
export type TargetEventListeners = {
  readonly [Name in TargetEventName]?: TargetEventListener<Name> | undefined;
};

const EVENTS = {
  clientReady: true,
  artifactDownloadSucceeded: true,
  artifactDownloadFailed: true,
  geoLocationUpdated: true,
  sendNotificationError: true,
  statusChanged: true,
  circuitBreakerChanged: true,
  artifactStoreChanged: true,
  invalidContent: true,
} satisfies Record<TargetEventName, true>;

/** The name of every event. */
export const EVENT_NAMES = Object.keys(EVENTS) as readonly TargetEventName[];

/**
 * The diagnostics channel of each event. They are made here, because Node.js cannot make one later in a process in which
 * objects inherit a `name` that cannot be set.
 */
const CHANNELS = new Map(EVENT_NAMES.map((name) => [name, eventChannelOf(name)]));

/** Returns the diagnostics channel of an event, if somebody subscribes to it. */
function subscribedChannelOf(name: TargetEventName) {
  const channel = CHANNELS.get(name);
  return channel?.hasSubscribers ? channel : undefined;
}

/** Keeps the listeners of each event, and calls them in the order in which they were added. */
export class Events {
  readonly #listeners = new Map<TargetEventName, Set<(event: never) => unknown>>();
  readonly #logger: Logger;

  constructor(logger: Logger, listeners: TargetEventListeners = {}) {
    this.#logger = logger;
    for (const [name, listener] of entriesOf(listeners)) {
      this.on(name, listener);
    }
  }

  /** Adds a listener. A listener that is added twice is called once. */
  on<Name extends TargetEventName>(name: Name, listener: TargetEventListener<Name>): void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
  }

  /** Removes a listener. */
  off<Name extends TargetEventName>(name: Name, listener: TargetEventListener<Name>): void {
    this.#listeners.get(name)?.delete(listener);
  }

  /**
   * Tells whether an event has listeners, or subscribers of its diagnostics channel. An event that is costly to make is
   * made only for them.
   */
  isListenedTo(name: TargetEventName): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0 || subscribedChannelOf(name) !== undefined;
  }

  /** Calls the listeners of an event. It never throws. */
  emit<Name extends TargetEventName>(event: TargetEvents[Name] & { readonly type: Name }): void {
    const listeners = this.#listeners.get(event.type) as Set<TargetEventListener<Name>> | undefined;
    subscribedChannelOf(event.type)?.publish(event);
    for (const listener of [...(listeners ?? [])]) {
      this.#call(listener, event);
    }
  }

  #call<Name extends TargetEventName>(listener: TargetEventListener<Name>, event: TargetEvents[Name]): void {
    callSafely(
      () => listener(event),
      (thrown) => this.#logger.error(() => `the ${event.type} listener failed: ${nameOf(thrown)}`),
    );
  }
}

type Listener = TargetEventListener<TargetEventName>;

function entriesOf(listeners: TargetEventListeners): [TargetEventName, Listener][] {
  return Object.entries(listeners).filter(
    (entry): entry is [TargetEventName, Listener] => entry[1] !== undefined,
  );
}
