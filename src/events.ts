import { callSafely } from './call-safely.js';
import type { Geo, Notification } from './delivery-api.js';
import { nameOf, type TargetError } from './errors.js';
import type { Logger } from './logger.js';
import type { CircuitState, ReadyState } from './stats.js';

/** What each event's listener is given. */
export interface TargetEvents {
  /** Once, when decisions can be made; for a server-side client right after `create` returned. */
  clientReady: { readonly type: 'clientReady' };
  /** A new artifact is in use; not raised for a 304. */
  artifactDownloadSucceeded: {
    readonly type: 'artifactDownloadSucceeded';
    readonly artifactLocation: string;
    readonly artifactPayload: unknown;
  };
  /**
   * A download failed, for good or before its next retry; the last good artifact stays in use. With a NOT_READY
   * error: `maximumWaitReady` is over and there is no artifact yet.
   */
  artifactDownloadFailed: {
    readonly type: 'artifactDownloadFailed';
    readonly artifactLocation: string;
    readonly error: TargetError;
  };
  /** An IP address was looked up; with an `error`, in vain, and the decision is made with what was known. */
  geoLocationUpdated: {
    readonly type: 'geoLocationUpdated';
    readonly geoContext: Geo;
    readonly error?: TargetError;
  };
  /** A notification of an on-device decision was refused, tried too often or dropped. */
  sendNotificationError: {
    readonly type: 'sendNotificationError';
    readonly notification: Notification;
    readonly error: TargetError;
  };
  /** Decisions are made by something else than before: by rules that are confirmed, by those that were kept, or by none. */
  statusChanged: ReadyState & { readonly type: 'statusChanged' };
  /** Delivery calls to a host are refused, let through again, or tried; the `error` is how the last one failed. */
  circuitBreakerChanged: {
    readonly type: 'circuitBreakerChanged';
    readonly host: string;
    readonly state: CircuitState;
    readonly error?: TargetError;
  };
}

/** The name of an event. */
export type TargetEventName = keyof TargetEvents;

/** A listener; what it throws or rejects with is logged and harms nothing. */
export type TargetEventListener<Name extends TargetEventName> = (event: TargetEvents[Name]) => unknown;

/** Listeners by event name, as `config.events` takes them. */
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
} satisfies Record<TargetEventName, true>;

/** Every event that can be listened to. */
export const EVENT_NAMES = Object.keys(EVENTS) as readonly TargetEventName[];

/** Calls the listeners of each event, in the order in which they were added. */
export class Events {
  readonly #listeners = new Map<TargetEventName, Set<(event: never) => unknown>>();
  readonly #logger: Logger;

  constructor(logger: Logger, listeners: TargetEventListeners = {}) {
    this.#logger = logger;
    for (const [name, listener] of entriesOf(listeners)) this.on(name, listener);
  }

  on<Name extends TargetEventName>(name: Name, listener: TargetEventListener<Name>): void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
  }

  off<Name extends TargetEventName>(name: Name, listener: TargetEventListener<Name>): void {
    this.#listeners.get(name)?.delete(listener);
  }

  /** Whether an event has listeners, for what is costly to tell. */
  isListenedTo(name: TargetEventName): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0;
  }

  emit<Name extends TargetEventName>(event: TargetEvents[Name] & { readonly type: Name }): void {
    const listeners = this.#listeners.get(event.type) as Set<TargetEventListener<Name>> | undefined;
    for (const listener of [...(listeners ?? [])]) this.#call(listener, event);
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
