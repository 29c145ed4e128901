import {
  type AnsweredLocation,
  answeredLocations,
  clickTokensBySelector,
  displayTokens,
  nameIn,
  readAnswer,
} from '../impressions/answered-locations.js';
import { checkAnswer, notificationsOf } from '../impressions/impressions.js';
import type { Notification, TargetDeliveryResponse } from '../index.js';
import { ownFieldOf, ownOf } from '../inherited-names.js';
import { isRecord, type JsonRecord } from '../json.js';
import { toInlineJson } from './inline-json.js';

/** The facts about the call that decided a location, which its report repeats. */
export interface BeaconCall {
  /** The property for which the offers were decided. */
  readonly property?: { readonly token: string } | undefined;
  /** The ids by which Analytics joins the report with the page. */
  readonly analytics?: BeaconAnalytics | undefined;
}

/** The part of a call that Analytics reads. */
export interface BeaconAnalytics {
  readonly supplementalDataId?: string | undefined;
  /** The logging, if it is not the default. */
  readonly logging?: 'client_side' | undefined;
}

/** A notification that a page keeps until the visitor has seen or clicked a location. */
interface BeaconEntry extends Notification, BeaconCall {
  /** The values of `data-target-display` that mark the location. */
  readonly targetDisplay?: readonly string[];
  /** The values of `data-target-click` that mark the element: the name of the location, and perhaps a selector too. */
  readonly targetClick?: readonly string[];
}

/**
 * Writes the notifications of an answer for the page: the displays that are not counted yet, and the clicks. The script
 * of {@link beaconScript} reports them when the visitor sees or clicks a location.
 *
 * The text is JSON. It is safe inside a `<script type="application/json">`, and inside an attribute in single quotes. An
 * answer without anything to report, such as one in QA mode, gives `[]`.
 *
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` for a value that is no answer.
 * @example
 * ```ts
 * const answer = await visit.getOffers({ request: { execute: { mboxes: [{ name: 'hero' }] } } });
 * const body = `<body data-target-beacon='${toBeacon(answer)}'>`;
 * ```
 */
export function toBeacon(answer: TargetDeliveryResponse): string {
  checkAnswer(answer);
  const entries = readAnswer(() => entriesOf(answer));
  return toInlineJson(entries).replaceAll("'", '\\u0027');
}

function entriesOf(answer: TargetDeliveryResponse): BeaconEntry[] {
  const request = recordOf(ownOf(answer).request);
  // Target reports QA visits apart from others, and a beacon would be counted with the others.
  if (ownFieldOf(request, 'qaMode')) {
    return [];
  }
  const call = toCall(request);
  return [...displaysOf(answer), ...clicksOf(answer)].map((entry) => ({ ...entry, ...call }));
}

function toCall({ property, experienceCloud }: JsonRecord): BeaconCall {
  const { token } = recordOf(property);
  const { supplementalDataId, logging } = recordOf(recordOf(experienceCloud).analytics);
  const analytics: BeaconAnalytics = {
    ...(isText(supplementalDataId) && { supplementalDataId }),
    ...(logging === 'client_side' && { logging }),
  };
  return {
    ...(isText(token) && { property: { token } }),
    ...(Object.keys(analytics).length > 0 && { analytics }),
  };
}

/** Returns the fields of a part of an answer, which a program may have changed. */
function recordOf(part: unknown): JsonRecord {
  return ownOf(isRecord(part) ? part : {});
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function displaysOf(answer: TargetDeliveryResponse): BeaconEntry[] {
  return answeredLocations(answer, 'display').flatMap((location) =>
    notificationsOf(answer, 'display', [location], displayTokens).map((notification) => ({
      ...notification,
      targetDisplay: [nameOf(location)],
    })),
  );
}

/** Makes an entry for each selector of each location that has click metrics. */
function clicksOf(answer: TargetDeliveryResponse): BeaconEntry[] {
  return answeredLocations(answer, 'click').flatMap((location) =>
    [...clickTokensBySelector(location)].flatMap(([selector, tokens]) =>
      notificationsOf(answer, 'click', [location], () => tokens).map((notification) => ({
        ...notification,
        targetClick: selector
          ? [nameOf(location), `${nameOf(location)} ${selector}`.trim()]
          : [nameOf(location)],
      })),
    ),
  );
}

/** Returns the name by which a page marks a location. It is empty for the page load. */
function nameOf({ named }: AnsweredLocation): string {
  const { mbox, view } = ownOf(named);
  return nameIn(mbox ?? view) ?? '';
}
