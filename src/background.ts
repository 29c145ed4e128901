import type { ResolvedConfig } from './config.js';
import type { EdgeRoute } from './edge/route.js';
import { messageOf } from './errors.js';
import type { Events } from './events.js';
import { newHexId, newUuid } from './identity/ids.js';
import type { OwnHint } from './identity/location-hint.js';
import type { Logger } from './logger.js';
import { NotificationQueue } from './reports/notification-queue.js';
import type { TelemetryBuffer } from './reports/telemetry.js';
import type { Delivery } from './request/call.js';
import type { CloseResult } from './stats.js';

/** The parts of a client that send in the background. */
export interface BackgroundOptions {
  readonly config: ResolvedConfig;
  readonly logger: Logger;
  readonly events: Events;
  readonly telemetry: TelemetryBuffer;
  readonly clientHint: OwnHint;
  readonly route: EdgeRoute;
}

/** The part of the last call that telemetry repeats when it is sent by itself. */
interface LastCall
  extends Pick<Delivery, 'encodedSessionId' | 'locationHint'>,
    Pick<Delivery['request'], 'id' | 'context'> {}

/** Sends what nobody asked for: notifications, telemetry that no call came to carry, and a call that learns its hint. */
export class Background {
  readonly notifications: NotificationQueue;
  readonly #options: BackgroundOptions;
  /** The call in whose name telemetry is sent. */
  #last: LastCall | undefined;
  #isClosing = false;

  constructor(options: BackgroundOptions) {
    const { config, route, events, logger } = options;
    const { deliver, hostOf } = route;
    this.#options = options;
    this.notifications = new NotificationQueue({
      policy: config.notifications,
      deliver,
      hostOf,
      events,
      logger,
    });
  }

  /** Notes a call, in whose name telemetry may be sent later. */
  noteCall(
    { encodedSessionId, locationHint }: Pick<Delivery, 'encodedSessionId' | 'locationHint'>,
    { id, context }: Pick<Delivery['request'], 'id' | 'context'>,
  ): void {
    if (this.#options.telemetry.isEnabled) this.#last = { encodedSessionId, locationHint, id, context };
  }

  /** Sends telemetry that no call came to carry, in the name of the last call. False when it was not taken. */
  async sendTelemetry(timeoutMs = this.#options.config.timeoutMs): Promise<boolean> {
    if (this.#options.telemetry.isEmpty || !this.#last) return false;
    const { id, context, ...place } = this.#last;
    const request = { requestId: newUuid(), ...(id && { id }), context };
    return this.#deliver(request, { ...place, timeoutMs });
  }

  /** One call without a question, whose answer tells which edge cluster is near; none where that is known. */
  async learnLocationHint(): Promise<void> {
    const { config, clientHint } = this.#options;
    if (clientHint.current !== undefined || this.#isClosing) return;
    const { timeoutMs } = config;
    const encodedSessionId = newHexId();
    await this.#deliver(
      { context: { channel: 'web' } },
      { encodedSessionId, locationHint: undefined, timeoutMs },
    );
  }

  /** Sends what is still to be sent within a limit, and tells what became of the notifications. */
  async close(limitMs: number): Promise<CloseResult> {
    this.#isClosing = true;
    this.#options.telemetry.stop();
    const [result] = await Promise.all([this.notifications.close(limitMs), this.#sendAllTelemetry(limitMs)]);
    return result;
  }

  async #sendAllTelemetry(limitMs: number): Promise<void> {
    const deadline = performance.now() + limitMs;
    while (await this.sendTelemetry(Math.max(1, deadline - performance.now())));
  }

  /** A call which nobody waits for and whose failure harms nobody. */
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
