import type { MetricType, Notification } from '../delivery-api.js';
import { invalidField } from '../errors.js';
import { ownFieldOf, ownOf } from '../inherited-names.js';
import { isAbsent, isObject, isRecord } from '../json.js';
import type { TargetDeliveryResponse } from '../response.js';
import {
  type AnsweredLocation,
  answeredLocations,
  clickTokens,
  displayTokens,
  type NamedLocation,
  nameIn,
  readAnswer,
} from './answered-locations.js';
import { newRandomId } from './random-id.js';

/** The locations whose displays are reported: an mbox or a view by its name, or the page load. */
export interface DisplayedLocation {
  /** The name of an mbox. */
  readonly mbox?: string | undefined;
  /** The name of a view. */
  readonly view?: string | undefined;
  /** True for the page load. */
  readonly pageLoad?: boolean | undefined;
}

/** The location in which the visitor has clicked. */
export interface ClickedLocation extends DisplayedLocation {
  /**
   * The selector of the element that was clicked, as a metric of the answer has it. A view or a page load can have
   * several.
   * @default the click metrics of all selectors
   */
  readonly selector?: string | undefined;
}

/** The impression of a page. Its id is made when it is first needed. */
export interface Impression {
  /** True when nothing of the page may be reported. */
  readonly isSilent: boolean;
  id: string | undefined;
}

/** The ids of an answer's notifications by their content, with the times at which they were first asked for. */
interface Reported {
  readonly impression: Impression;
  readonly stamps: Map<string, Pick<Notification, 'id' | 'timestamp'>>;
}

const reportedByAnswer = new WeakMap<TargetDeliveryResponse, Reported>();

/** Says to which impression the displays and clicks of an answer belong. An answer without one has its own. */
export function shareImpression(answer: TargetDeliveryResponse, impression: Impression): void {
  reportedByAnswer.set(answer, { impression, stamps: new Map() });
}

/**
 * Makes the notifications that report the displays of prefetched offers, one for each location. Send them with
 * `sendNotifications` when the visitor has seen the offers.
 *
 * Asking twice gives the same ids, so Target counts a repeated report once. Executed offers are left out, because Target
 * has counted their display with the answer.
 *
 * @param of the locations to report. @default all locations of the answer
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` for a wrong argument. `path` of the error names it.
 * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/api/delivery-api/notifications
 * @example
 * ```ts
 * const answer = await client.getOffers({ request: { prefetch: { mboxes: [{ name: 'hero' }] } } });
 * const notifications = displayed(answer, { mbox: 'hero' });
 * if (notifications.length > 0) await client.sendNotifications({ request: { notifications } });
 * ```
 */
export function displayed(
  answer: TargetDeliveryResponse,
  of?: DisplayedLocation | null | undefined,
): Notification[] {
  checkAnswer(answer);
  const isMeant = isAbsent(of) ? () => true : toFilter(of);
  return readAnswer(() => {
    const locations = answeredLocations(answer, 'display').filter(({ named }) => isMeant(named));
    return notificationsOf(answer, 'display', locations, displayTokens);
  });
}

/**
 * Makes the notifications that report a click in a location. They hold the tokens of the click metrics of the answer, of
 * prefetched and of executed offers. A location without such metrics has no notification.
 *
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` for a wrong argument. `path` of the error names it.
 * @example
 * ```ts
 * const notifications = clicked(answer, { view: 'cart', selector: '#buy' });
 * if (notifications.length > 0) await client.sendNotifications({ request: { notifications } });
 * ```
 */
export function clicked(answer: TargetDeliveryResponse, of: ClickedLocation): Notification[] {
  checkAnswer(answer);
  const isMeant = toFilter(of);
  const selector = textIn(of, 'selector');
  return readAnswer(() => {
    const locations = answeredLocations(answer, 'click').filter(({ named }) => isMeant(named));
    return notificationsOf(answer, 'click', locations, (location) => clickTokens(location, selector));
  });
}

/** Makes a notification for each location that has tokens. */
export function notificationsOf(
  answer: TargetDeliveryResponse,
  type: MetricType,
  locations: readonly AnsweredLocation[],
  tokensOf: (location: AnsweredLocation) => string[],
): Notification[] {
  const { impression, stamps } = reportedOf(answer);
  const notifications: Notification[] = [];
  for (const location of impression.isSilent ? [] : locations) {
    const tokens = tokensOf(location);
    if (tokens.length === 0) {
      continue;
    }
    impression.id ??= newRandomId();
    const key = JSON.stringify([type, location.named, tokens]);
    const stamp = stamps.get(key) ?? { id: newRandomId(), timestamp: Date.now() };
    stamps.set(key, stamp);
    const { id, timestamp } = stamp;
    notifications.push({ id, impressionId: impression.id, type, timestamp, ...location.named, tokens });
  }
  return notifications;
}

function reportedOf(answer: TargetDeliveryResponse): Reported {
  const known = reportedByAnswer.get(answer);
  if (known) {
    return known;
  }
  const reported = { impression: { isSilent: false, id: undefined }, stamps: new Map() };
  reportedByAnswer.set(answer, reported);
  return reported;
}

/** @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` */
export function checkAnswer(answer: unknown): asserts answer is TargetDeliveryResponse {
  const isAnswer = isRecord(answer) && readAnswer(() => isObject(ownFieldOf(answer, 'response')));
  if (!isAnswer) {
    throw invalidField('answer', 'an answer of getOffers', answer);
  }
}

/** Makes the function that tells whether a location is one of those that the caller names. */
function toFilter(of: unknown): (named: NamedLocation) => boolean {
  const mboxName = textIn(of, 'mbox');
  const viewName = textIn(of, 'view');
  const pageLoad = fieldIn(of, 'pageLoad');
  if (pageLoad !== undefined && pageLoad !== null && typeof pageLoad !== 'boolean') {
    throw invalidField('of.pageLoad', 'true or false', pageLoad);
  }
  if (mboxName === undefined && viewName === undefined && pageLoad !== true) {
    throw invalidField('of', 'an object with mbox, view or pageLoad', of);
  }
  return (named) => {
    const { mbox, view, pageLoad: page } = ownOf(named);
    return (
      (mboxName !== undefined && nameIn(mbox) === mboxName) ||
      (viewName !== undefined && nameIn(view) === viewName) ||
      (pageLoad === true && page !== undefined)
    );
  };
}

function textIn(of: unknown, name: string): string | undefined {
  const value = fieldIn(of, name);
  if (value === undefined || value === null) {
    return undefined;
  }
  if (typeof value !== 'string' || value === '') {
    throw invalidField(`of.${name}`, 'a text', value);
  }
  return value;
}

function fieldIn(of: unknown, name: string): unknown {
  if (!isRecord(of)) {
    throw invalidField('of', 'an object with mbox, view or pageLoad', of);
  }
  return ownFieldOf(of, name);
}
