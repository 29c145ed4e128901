import { NOTIFICATION_LIMITS } from '../delivery-api.js';
import { isSupplementalDataId } from '../identity/supplemental-data-id.js';
import type { Notification } from '../index.js';
import { ownFieldOf } from '../inherited-names.js';
import { isRecord, type JsonRecord, parseJson } from '../json.js';
import type { BeaconAnalytics, BeaconCall } from './beacon.js';

/** The notifications of a beacon that belong to one call. */
export interface BeaconReport extends BeaconCall {
  readonly notifications: Notification[];
}

/** The maximum number of bytes of a beacon. Browsers send no longer ones. */
export const MAX_BEACON_BYTES = 64 * 1024;
/** The maximum number of notifications of a request to the edge. */
const MAX_NOTIFICATIONS = 50;
/** The maximum number of calls that a beacon can make. A page has a few properties and ids for Analytics at most. */
const MAX_CALLS = 5;
/** A display of an older page is not reported: the page came from a store. */
const MAX_AGE_MS = 30 * 60 * 1000;

/** Tells whether a body is longer than a beacon can be. */
export function isTooLong(body: string): boolean {
  return body.length > MAX_BEACON_BYTES || new TextEncoder().encode(body).length > MAX_BEACON_BYTES;
}

/**
 * Reads the body of a beacon, which anybody can have written: the fields of notifications that the script of this
 * package sends, within the limits of the API. Everything else in it is dropped. Returns undefined for a body that this
 * script cannot have sent.
 */
export function readBeacon(body: string, nowMs: number): BeaconReport[] | undefined {
  try {
    return toReports(parseJson(body), nowMs);
  } catch {
    return undefined;
  }
}

function toReports(parsed: unknown, nowMs: number): BeaconReport[] {
  const entries = isRecord(parsed) ? ownFieldOf(parsed, 'notifications') : parsed;
  if (!Array.isArray(entries) || entries.length > MAX_NOTIFICATIONS) {
    throw new Malformed();
  }
  const reports = new Map<string, BeaconReport>();
  for (const entry of entries) {
    const { call, notification } = toEntry(entry);
    if (notification.type === 'display' && Math.abs(nowMs - notification.timestamp) > MAX_AGE_MS) {
      continue;
    }
    const key = JSON.stringify(call);
    const report = reports.get(key) ?? { ...call, notifications: [] };
    // The page has the time at which it was made. The script has sent the notification within two seconds.
    report.notifications.push({ ...notification, timestamp: nowMs });
    reports.set(key, report);
  }
  if (reports.size > MAX_CALLS) {
    throw new Malformed();
  }
  return [...reports.values()];
}

/** Says that a body is not what the script sends. It tells nothing of its content. */
class Malformed extends Error {}

function toEntry(entry: unknown): { readonly call: BeaconCall; readonly notification: Notification } {
  const fields = toRecord(entry);
  const read = (name: string) => ownFieldOf(fields, name);
  const type = read('type');
  const timestamp = read('timestamp');
  const tokens = read('tokens');
  const locations = (['mbox', 'view', 'pageLoad'] as const).filter((name) => read(name) !== undefined);
  const [location, other] = locations;
  if (
    (type !== 'display' && type !== 'click') ||
    typeof timestamp !== 'number' ||
    !Number.isFinite(timestamp)
  ) {
    throw new Malformed();
  }
  if (!Array.isArray(tokens) || tokens.length === 0 || location === undefined || other !== undefined) {
    throw new Malformed();
  }
  const { id, impressionId } = NOTIFICATION_LIMITS.Notification;
  const notification = {
    id: toText(read('id'), id),
    ...withText(fields, 'impressionId', impressionId),
    type,
    timestamp,
    tokens: tokens.map((token) => toText(token)),
    [location]: toLocation(location, toRecord(read(location))),
  } as const;
  return { call: toCall(read('property'), read('analytics')), notification };
}

function toLocation(kind: 'mbox' | 'view' | 'pageLoad', fields: JsonRecord): object {
  if (kind === 'pageLoad') {
    return withText(fields, 'state');
  }
  const { NotificationMbox, NotificationView } = NOTIFICATION_LIMITS;
  return {
    ...withText(fields, 'name', kind === 'mbox' ? NotificationMbox.name : NotificationView.name),
    ...(kind === 'view' && withText(fields, 'key', NotificationView.key)),
    ...withText(fields, 'state'),
  };
}

function toCall(property: unknown, analytics: unknown): BeaconCall {
  return {
    ...(property !== undefined && { property: { token: toText(ownFieldOf(toRecord(property), 'token')) } }),
    ...(analytics !== undefined && { analytics: toAnalytics(toRecord(analytics)) }),
  };
}

function toAnalytics(fields: JsonRecord): BeaconAnalytics {
  const supplementalDataId = ownFieldOf(fields, 'supplementalDataId');
  const logging = ownFieldOf(fields, 'logging');
  return {
    ...(isSupplementalDataId(supplementalDataId) && { supplementalDataId }),
    ...(logging === 'client_side' && { logging }),
  };
}

function toRecord(value: unknown): JsonRecord {
  if (!isRecord(value)) {
    throw new Malformed();
  }
  return value;
}

function toText(value: unknown, maxLength = MAX_BEACON_BYTES): string {
  if (typeof value !== 'string' || value === '' || value.length > maxLength) {
    throw new Malformed();
  }
  return value;
}

/** Copies a field that is a text. A missing field is left out. */
function withText(
  fields: JsonRecord,
  name: string,
  maxLength?: number,
): { readonly [Name in string]: string } {
  const value = ownFieldOf(fields, name);
  return value === undefined ? {} : { [name]: toText(value, maxLength) };
}
