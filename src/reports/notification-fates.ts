import type { DeliveryResponse, Notification } from '../delivery-api.js';
import { TargetError, type TargetErrorCode, withoutVisitor } from '../errors.js';
import type { Events } from '../events.js';
import { FaultLog } from '../log-limit.js';
import type { Logger } from '../logger.js';
import type { Delivery } from '../request/call.js';
import type { NotificationStats } from '../stats.js';

/** Those who hear of lost notifications. */
export interface FatesOptions {
  readonly events: Events;
  readonly logger: Logger;
}

const NO_CONTENT = 204;

/** Counts notifications by what becomes of them, and tells of those that are lost. */
export class NotificationFates {
  readonly #events: Events;
  readonly #losses: FaultLog;
  readonly #counts = { accepted: 0, delivered: 0, failed: 0, dropped: 0 };
  #lastFault: TargetError | undefined;

  constructor({ events, logger }: FatesOptions) {
    this.#events = events;
    this.#losses = new FaultLog(logger.write, 'notifications are delivered');
  }

  /** All notifications that were handed over, by fate. */
  get stats(): NotificationStats {
    const { accepted, delivered, failed, dropped } = this.#counts;
    return { accepted, delivered, failed, dropped, queued: accepted - delivered - failed - dropped };
  }

  /** The notifications of a call were handed over. */
  accept(call: Delivery): void {
    this.#counts.accepted += notificationsOf(call).length;
  }

  /** A host failed; notifications that are dropped next are most likely dropped because of that. */
  noteFault(error: TargetError): void {
    this.#lastFault = error;
  }

  /**
   * The edge answered to a call. A notification whose id it does not repeat was not processed; only an answer without a
   * body says nothing.
   */
  confirm(call: Delivery, { status, notifications }: DeliveryResponse, isLast: boolean): void {
    this.#lastFault = undefined;
    const sent = notificationsOf(call);
    const refused = status === NO_CONTENT ? [] : unconfirmed(sent, notifications ?? []);
    this.#counts.delivered += sent.length - refused.length;
    if (refused.length === 0) {
      if (isLast) this.#losses.worked();
      return;
    }
    const message = 'the edge did not process a notification';
    this.#losses.failed(message);
    this.#end(refused, 'failed', () => new TargetError('ERR_TARGET_INVALID_RESPONSE', message));
  }

  /** A call was tried in vain. */
  fail(call: Delivery, error: TargetError): void {
    this.#losses.failed(`a notification could not be delivered: ${error.message}`);
    this.#end(notificationsOf(call), 'failed', () => error);
  }

  /** A call is given up before it was delivered. */
  drop(call: Delivery, code: TargetErrorCode, why: string): void {
    const message = `a notification was dropped: ${why}`;
    this.#losses.failed(message);
    this.#end(notificationsOf(call), 'dropped', () => {
      // The last fault was most likely of another visitor's call.
      const cause = this.#lastFault && withoutVisitor(this.#lastFault);
      return new TargetError(code, message, { cause });
    });
  }

  /** The error is made for a listener alone: a queue that is full ends thousands of notifications a second. */
  #end(notifications: readonly Notification[], fate: 'failed' | 'dropped', toFault: () => TargetError): void {
    this.#counts[fate] += notifications.length;
    if (notifications.length === 0 || !this.#events.isListenedTo('sendNotificationError')) return;
    const error = toFault();
    for (const notification of notifications) {
      this.#events.emit({ type: 'sendNotificationError', notification, error });
    }
  }
}

/** The notifications that a call carries. */
export function notificationsOf({ request }: Delivery): readonly Notification[] {
  return request.notifications ?? [];
}

/** The notifications whose ids the edge did not repeat. */
function unconfirmed(
  sent: readonly Notification[],
  confirmed: readonly { readonly id?: string | undefined }[],
): readonly Notification[] {
  if (confirmed.length === 0) return sent;
  const [first] = sent;
  if (first && sent.length === 1) return confirmed.some(({ id }) => id === first.id) ? [] : sent;
  const ids = new Set(confirmed.map(({ id }) => id));
  return sent.filter(({ id }) => !ids.has(id));
}
