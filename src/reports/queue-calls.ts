import type { NotificationPolicy } from '../config/config-policies.js';
import type { DeliveryResponse } from '../delivery-api.js';
import type { Events } from '../events.js';
import { NO_RETRY } from '../http/retry.js';
import { keepWatch } from '../http/watched-signal.js';
import type { Logger } from '../logger.js';
import type { Delivery } from '../request/call.js';
import type { BackgroundWork } from './background-work.js';
import type { QueuedCall } from './queue-lanes.js';

/** The parts of a client that a notification queue needs. */
export interface NotificationQueueOptions {
  /** The limits of the queue. */
  readonly policy: NotificationPolicy;
  /** Sends one delivery call. */
  readonly deliver: (delivery: Delivery) => Promise<{ readonly response: DeliveryResponse }>;
  /** Returns the host that calls with a location hint, or without one, go to at this moment. */
  readonly hostOf: (locationHint: string | undefined) => string;
  readonly events: Events;
  readonly logger: Logger;
  /** Tells the platform of the calls that are queued. */
  readonly work: BackgroundWork;
  /** The longest time in ms for which the platform is asked to wait for the calls of one turn. */
  readonly timeoutMs: number;
  /** Returns the time in ms since 1970. */
  readonly now: () => number;
  readonly newId: () => string;
}

/** The facts about a call that is added to a queue. */
type Added = Pick<QueuedCall, 'isOfBrowser' | 'hint' | 'madeMs'>;

/** Makes a call of a queue. */
export function toQueued(
  call: Delivery,
  bytes: number,
  period: number,
  { isOfBrowser, hint, madeMs }: Added,
): QueuedCall {
  return {
    call,
    bytes,
    period,
    isOfBrowser,
    hint,
    madeMs,
    attempts: 0,
    firstTriedMs: undefined,
    written: undefined,
    isOver: false,
  };
}

/**
 * Returns the delivery call to send. Every decision that is displayed comes here, so the fields are copied one by one,
 * which is faster than spreading the object (benchmark on-device/execute-url).
 */
export function toSent({ call, hint }: QueuedCall, signal: AbortSignal): Delivery {
  const { request, encodedSessionId, decisioningMethod, timeoutMs } = call;
  return {
    request,
    encodedSessionId,
    locationHint: hint,
    decisioningMethod,
    timeoutMs,
    signal,
    retry: NO_RETRY,
  };
}

/** Makes the controller that aborts the calls under way. */
export function newAbort(): AbortController {
  const controller = new AbortController();
  keepWatch(controller.signal);
  return controller;
}
