import type {
  MetricType,
  Notification,
  NotificationMbox,
  NotificationPageLoad,
  NotificationView,
} from '../delivery-api.js';
import { EDGE_LIMITS } from '../delivery-api.js';
import { invalidField } from '../errors.js';
import { ownOf } from '../inherited-names.js';
import { isAbsent, isRecord, itemsOf, type JsonRecord } from '../json.js';
import { copyDetail } from './copy-details.js';
import { type Copying, copyFields, copyList, type Draft, fieldsOf, toWrittenList } from './copying.js';
import type { DeliveryRequest } from './loose-request.js';
import { toNumber, toText, toWord } from './scalars.js';

/** This file copies notifications. A notification that Target cannot process is dropped, and the others are sent. */

const METRIC_TYPES: readonly MetricType[] = ['click', 'display'];

/** Copies notifications. An empty entry is dropped with a warning, like any notification that Target cannot process. */
export function copyNotifications(value: unknown, copying: Copying): Notification[] | undefined {
  const written = toWrittenList(value);
  const items = written && itemsOf(written).map((item) => (isAbsent(item) ? {} : item));
  return copyList(items, copying, copyNotification);
}

function copyNotification(value: unknown, copying: Copying, position: number): Notification | undefined {
  const fault = faultOf((isRecord(value) && fieldsOf(value, copying)) || {});
  if (fault !== undefined) {
    return copying.drop(`the notification at position ${position}, which has ${fault}`);
  }
  const copy = copyFields<Notification>(value, copying, copyNotificationField);
  if (copy?.id === undefined || copy.type === undefined || copy.timestamp === undefined) {
    return undefined;
  }
  // A caller may use `performance.timeOrigin + performance.now()`, which has fractions. The API takes whole
  // milliseconds.
  return { ...copy, id: copy.id, type: copy.type, timestamp: Math.trunc(copy.timestamp) };
}

function faultOf({ id, type, timestamp }: JsonRecord): string | undefined {
  if (typeof id !== 'string' || id === '') {
    return 'no id';
  }
  if (type !== 'click' && type !== 'display') {
    return 'no type "click" or "display"';
  }
  return Number.isFinite(timestamp) ? undefined : 'no numeric timestamp';
}

function copyNotificationField(
  copy: Draft<Notification>,
  name: string,
  written: JsonRecord,
  copying: Copying,
): unknown {
  let kept: unknown;
  if (name === 'id') {
    kept = copy.id = toText(written.id, EDGE_LIMITS.Notification.id);
  } else if (name === 'impressionId') {
    kept = copy.impressionId = toText(written.impressionId, EDGE_LIMITS.Notification.impressionId);
  } else if (name === 'type') {
    kept = copy.type = toWord(written.type, METRIC_TYPES);
  } else if (name === 'timestamp') {
    kept = copy.timestamp = toNumber(written.timestamp);
  } else if (name === 'tokens') {
    kept = copy.tokens = copyList(written.tokens, copying, toToken);
  } else if (name === 'mbox') {
    kept = copy.mbox = copyFields<NotificationMbox>(written.mbox, copying, copyMboxField);
  } else if (name === 'view') {
    kept = copy.view = copyFields<NotificationView>(written.view, copying, copyViewField);
  } else if (name === 'pageLoad') {
    kept = copy.pageLoad = copyFields<NotificationPageLoad>(written.pageLoad, copying, copyPageLoadField);
  } else {
    kept = copyDetail(copy, name, written, copying);
  }
  return kept;
}

function toToken(value: unknown): string | undefined {
  return toText(value);
}

function copyMboxField(
  copy: Draft<NotificationMbox>,
  name: string,
  written: JsonRecord,
  copying: Copying,
): unknown {
  let kept: unknown;
  if (name === 'name') {
    kept = copy.name = toText(written.name, EDGE_LIMITS.NotificationMbox.name);
  } else if (name === 'state') {
    kept = copy.state = toText(written.state);
  } else {
    kept = copying.dropUnknown(name);
  }
  return kept;
}

function copyViewField(
  copy: Draft<NotificationView>,
  name: string,
  written: JsonRecord,
  copying: Copying,
): unknown {
  let kept: unknown;
  if (name === 'name') {
    kept = copy.name = toText(written.name, EDGE_LIMITS.NotificationView.name);
  } else if (name === 'key') {
    kept = copy.key = toText(written.key, EDGE_LIMITS.NotificationView.key);
  } else if (name === 'state') {
    kept = copy.state = toText(written.state);
  } else {
    kept = copying.dropUnknown(name);
  }
  return kept;
}

function copyPageLoadField(
  copy: Draft<NotificationPageLoad>,
  name: string,
  written: JsonRecord,
  copying: Copying,
): unknown {
  let kept: unknown;
  if (name === 'state') {
    kept = copy.state = toText(written.state);
  } else {
    kept = copying.dropUnknown(name);
  }
  return kept;
}

/**
 * Refuses a request without notifications, for `sendNotifications`.
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST`
 */
export function requireNotifications(request: DeliveryRequest): void {
  const { notifications } = ownOf(request);
  if (Array.isArray(notifications) && notifications.length > 0) {
    return;
  }
  throw invalidField('notifications', 'a list of at least one notification', notifications);
}
