import type { ResolvedConfig } from './config/config.js';
import type { Delivered } from './edge/deliver.js';
import type { EdgeRoute } from './edge/route.js';
import { messageOf } from './errors.js';
import type { Events } from './events.js';
import { newHexId, newUuid } from './identity/ids.js';
import type { OwnHint } from './identity/location-hint.js';
import type { Logger } from './logger.js';
import { noteAttempts, type ObservedCall, type Observers } from './observer.js';
import type { BackgroundWork } from './reports/background-work.js';
import { NotificationQueue } from './reports/notification-queue.js';
import { Relay } from './reports/relay.js';
import type { TelemetryBuffer } from './reports/telemetry.js';
import type { Delivery } from './request/call.js';

/** Parts of a client that its background work uses. */
export interface BackgroundOptions {
  readonly config: ResolvedConfig;
  readonly logger: Logger;
  readonly events: Events;
  readonly observers: Observers;
  readonly telemetry: TelemetryBuffer;
  readonly clientHint: OwnHint;
  readonly route: EdgeRoute;
  readonly work: BackgroundWork;
  /** Returns the time in ms since 1970. */
  readonly now: () => number;
  readonly newId: () => string;
}

/** The part of the last call that is repeated in a call that carries telemetry alone. */
interface LastCall
  extends Pick<Delivery, 'encodedSessionId' | 'locationHint'>,
    Pick<Delivery['request'], 'id' | 'context'> {}

/**
 * Makes the calls that a client makes by itself: display notifications, telemetry that no other call has carried, and
 * one call that learns the client's location hint.
 */
export class Background {
  /** The queue of display notifications of on-device decisions. */
  readonly notifications: NotificationQueue;
  /** The sender of what other processes have queued. */
  readonly relay: Relay;
  readonly #options: BackgroundOptions;
  /** The last call. A call that carries telemetry alone repeats its id, session and context. */
  #last: LastCall | undefined;
  #isClosing = false;

  constructor(options: BackgroundOptions) {
    const { config, route, events, observers, logger, work, now, newId } = options;
    const { deliver, hostOf } = route;
    this.#options = options;
    const sending = {
      deliver: (call: Delivery) =>
        observers.areWatching ? deliverObserved(call, deliver, observers) : deliver(call),
      ...{ hostOf, events, logger, now, newId },
      timeoutMs: config.timeoutMs,
    };
    this.notifications = new NotificationQueue({ ...sending, policy: config.notifications, work });
    this.relay = new Relay(sending);
  }

  /** Notes the last call, because a later call with telemetry repeats parts of it. */
  noteCall(
    { encodedSessionId, locationHint }: Pick<Delivery, 'encodedSessionId' | 'locationHint'>,
    { id, context }: Pick<Delivery['request'], 'id' | 'context'>,
  ): void {
    if (this.#options.telemetry.isEnabled) {
      this.#last = { encodedSessionId, locationHint, id, context };
    }
  }

  /**
   * Sends telemetry that no other call has carried. Resolves to false when there is none or the edge did not take it.
   */
  async sendTelemetry(timeoutMs = this.#options.config.timeoutMs): Promise<boolean> {
    if (this.#options.telemetry.isEmpty || !this.#last) {
      return false;
    }
    const { id, context, ...origin } = this.#last;
    const request = { requestId: newUuid(), ...(id && { id }), context };
    return this.#deliver(request, { ...origin, timeoutMs });
  }

  /** True when the client has no location hint and may still learn one. */
  get lacksLocationHint(): boolean {
    return this.#options.clientHint.current === undefined && !this.#isClosing;
  }

  /**
   * Learns the client's location hint from a call that asks for no offers: its answer names the nearest edge cluster.
   * No call is made when the hint is known.
   */
  async learnLocationHint(): Promise<void> {
    if (!this.lacksLocationHint) {
      return;
    }
    const { timeoutMs } = this.#options.config;
    const encodedSessionId = newHexId();
    await this.#deliver(
      { context: { channel: 'web' } },
      { encodedSessionId, locationHint: undefined, timeoutMs },
    );
  }

  /** Sends everything that waits, within a limit in ms. */
  async close(limitMs: number): Promise<void> {
    this.#isClosing = true;
    this.relay.close();
    this.#options.telemetry.stop();
    await Promise.all([this.notifications.close(limitMs), this.#sendAllTelemetry(limitMs)]);
  }

  async #sendAllTelemetry(limitMs: number): Promise<void> {
    const deadline = performance.now() + limitMs;
    while (await this.sendTelemetry(Math.max(1, deadline - performance.now()))) {}
  }

  /**
   * Makes a call for which no caller waits. Its failure is logged at the level debug. Resolves to true when it worked.
   */
  async #deliver(
    request: Delivery['request'],
    call: Pick<Delivery, 'encodedSessionId' | 'locationHint' | 'timeoutMs'>,
  ): Promise<boolean> {
    const { config, route, logger } = this.#options;
    const { decisioningMethod } = config;
    try {
      await route.deliver({ ...call, request, decisioningMethod, signal: undefined });
      return true;
    } catch (error) {
      logger.debug(() => `a call in the background failed: ${messageOf(error)}`);
      return false;
    }
  }
}

/** Delivers a call of the queue among the observers. They get no result: the answer holds only what Target has taken. */
async function deliverObserved(
  call: Delivery,
  deliver: EdgeRoute['deliver'],
  observers: Observers,
): Promise<Delivered> {
  const { decisioningMethod } = call;
  // Browsers report too, and the names in their reports may be invented.
  const observed: ObservedCall = { operation: 'notify', decisioningMethod, mboxes: [] };
  let delivering: Promise<Delivered> | undefined;
  const start = () => {
    delivering ??= deliver(call);
    return delivering;
  };
  await observers.watch(observed, async () => {
    const { exchanged } = await start();
    noteAttempts(observed, exchanged.attempts);
  });
  return start();
}
