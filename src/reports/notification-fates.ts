import type { DeliveryResponse, Notification } from '../delivery-api.js';
import { TargetError, type TargetErrorCode, withoutVisitor } from '../errors.js';
import type { Events } from '../events.js';
import { FaultLog } from '../log-limit.js';
import type { Logger } from '../logger.js';
import type { Delivery } from '../request/call.js';
import type { NotificationStats } from '../stats.js';

/** The parts of a client that report lost notifications. */
export interface FatesOptions {
  readonly events: Events;
  readonly logger: Logger;
}

/** The status of an answer without a body. */
const NO_CONTENT = 204;

/**
 * Counts the notifications by their outcome. Reports the lost ones in the log and as `sendNotificationError` events.
 */
export class NotificationFates {
  readonly #events: Events;
  readonly #losses: FaultLog;
  readonly #counts = { accepted: 0, delivered: 0, failed: 0, dropped: 0, handedOver: 0 };
  #lastFault: TargetError | undefined;

  constructor({ events, logger }: FatesOptions) {
    this.#events = events;
    this.#losses = new FaultLog(logger.write, 'notifications are delivered');
  }

  /** The counts of all notifications that were ever handed over. */
  get stats(): Omit<NotificationStats, 'inFlight'> {
    const { accepted, delivered, failed, dropped, handedOver } = this.#counts;
    const queued = accepted - delivered - failed - dropped - handedOver;
    return { accepted, delivered, failed, dropped, queued, handedOver };
  }

  /** Counts the notifications of a call that was handed over. */
  accept(call: Delivery): void {
    this.#counts.accepted += notificationsOf(call).length;
  }

  /** Counts the notifications of a call that the outbox has taken. */
  handOver(call: Delivery): void {
    this.#counts.handedOver += notificationsOf(call).length;
  }

  /** Remembers a host's fault. It is the likely reason when notifications are dropped next. */
  noteFault(error: TargetError): void {
    this.#lastFault = error;
  }

  /**
   * Counts the notifications of a call that the edge answered. The edge repeats the ids of those that it processed, so
   * the others count as failed. An answer without a body repeats no id, so all of its notifications count as delivered.
   * Returns the number of those that were delivered.
   * @see https://developers.adobetarget.com/api/delivery-api/
   */
  confirm(call: Delivery, { status, notifications }: DeliveryResponse, isLast: boolean): number {
    this.#lastFault = undefined;
    const sent = notificationsOf(call);
    const refused = status === NO_CONTENT ? [] : unconfirmed(sent, notifications ?? []);
    const delivered = sent.length - refused.length;
    this.#counts.delivered += delivered;
    if (refused.length === 0) {
      if (isLast) {
        this.#losses.worked();
      }
      return delivered;
    }
    const message = 'the edge did not process a notification';
    this.#losses.failed(message);
    this.#end(refused, 'failed', () => new TargetError('ERR_TARGET_INVALID_RESPONSE', message));
    return delivered;
  }

  /** Counts the notifications of a call that is not tried again after an error. */
  fail(call: Delivery, error: TargetError): void {
    this.#losses.failed(`a notification could not be delivered: ${error.message}`);
    this.#end(notificationsOf(call), 'failed', () => error);
  }

  /** Counts the notifications of a call that is given up although it could still be tried. */
  drop(call: Delivery, code: TargetErrorCode, why: string): void {
    const message = `a notification was dropped: ${why}`;
    this.#losses.failed(message);
    this.#end(notificationsOf(call), 'dropped', () => {
      // The remembered fault most likely comes from the call of another visitor, so its personal parts are left out.
      const cause = this.#lastFault && withoutVisitor(this.#lastFault);
      return new TargetError(code, message, { cause });
    });
  }

  /**
   * Counts lost notifications and emits an event for each. The error is built only when somebody listens, because a
   * full queue loses thousands of notifications in a second.
   */
  #end(notifications: readonly Notification[], fate: 'failed' | 'dropped', toFault: () => TargetError): void {
    this.#counts[fate] += notifications.length;
    if (notifications.length === 0 || !this.#events.isListenedTo('sendNotificationError')) {
      return;
    }
    const error = toFault();
    for (const notification of notifications) {
      this.#events.emit({ type: 'sendNotificationError', notification, error });
    }
  }
}

/** Returns the notifications that a call carries. */
export function notificationsOf({ request }: Delivery): readonly Notification[] {
  return request.notifications ?? [];
}

/** Returns the notifications whose ids the edge did not repeat. */
function unconfirmed(
  sent: readonly Notification[],
  confirmed: readonly { readonly id?: string | undefined }[],
): readonly Notification[] {
  if (confirmed.length === 0) {
    return sent;
  }
  const [first] = sent;
  if (first && sent.length === 1) {
    return confirmed.some(({ id }) => id === first.id) ? [] : sent;
  }
  const ids = new Set(confirmed.map(({ id }) => id));
  return sent.filter(({ id }) => !ids.has(id));
}
