import type { LocationResponse, Metric, MetricType, Notification, Option } from '../delivery-api.js';
import { type InvalidCode, unreadableError } from '../errors.js';
import { ownFieldOf, ownOf } from '../inherited-names.js';
import { isRecord } from '../json.js';
import type { TargetDeliveryResponse } from '../response.js';

/** The part of a notification that names a location. */
export type NamedLocation = Pick<Notification, 'mbox' | 'view' | 'pageLoad'>;

/** A location of an answer. An mbox that several rules decide has several answers. */
export interface AnsweredLocation {
  readonly named: NamedLocation;
  readonly answers: readonly LocationResponse[];
}

/** A part of an answer. Only the prefetched part has views. */
interface Part {
  readonly pageLoad?: LocationResponse | undefined;
  readonly mboxes?: readonly (LocationResponse & Named)[] | undefined;
  readonly views?: readonly (LocationResponse & Named)[] | undefined;
}

interface Named {
  readonly name?: string | undefined;
  readonly key?: string | undefined;
}

/**
 * Reads an answer, which a program may have changed or wrapped since.
 * @throws {TargetError} of the code, in the place of what a getter of the program throws.
 */
export function readAnswer<Result>(
  read: () => Result,
  code: InvalidCode = 'ERR_TARGET_INVALID_REQUEST',
): Result {
  try {
    return read();
  } catch (thrown) {
    throw unreadableError(code, 'answer', thrown);
  }
}

/**
 * Lists the locations of an answer whose events can be reported. Target has counted the display of executed offers
 * already, unless a visit has asked for them without an impression. A click can be reported in all locations.
 */
export function answeredLocations(answer: TargetDeliveryResponse, type: MetricType): AnsweredLocation[] {
  const { prefetch, execute } = ownOf(ownOf(answer).response ?? {});
  const isCounted = ownFieldOf(answer, 'isUncounted') !== true;
  const parts: (Part | undefined)[] = type === 'display' && isCounted ? [prefetch] : [prefetch, execute];
  const found = new Map<string, { readonly named: NamedLocation; readonly answers: LocationResponse[] }>();
  const add = (named: NamedLocation, location: LocationResponse) => {
    const key = JSON.stringify(named);
    const known = found.get(key) ?? { named, answers: [] };
    known.answers.push(ownOf(location));
    found.set(key, known);
  };
  for (const part of parts) {
    const { pageLoad, mboxes, views } = ownOf(part ?? {});
    for (const { state, ...location } of recordsOf([pageLoad])) {
      add({ pageLoad: withoutGaps({ state }) }, location);
    }
    for (const { name, state, ...location } of recordsOf(mboxes)) {
      add({ mbox: withoutGaps({ name, state }) }, location);
    }
    for (const { name, key, state, ...location } of recordsOf(views)) {
      add({ view: withoutGaps({ name, key, state }) }, location);
    }
  }
  return [...found.values()];
}

/** Returns the name of an mbox or a view. */
export function nameIn(location: Named | undefined): string | undefined {
  return location && ownOf(location).name;
}

/** Returns the tokens that report the display of a location's options, each once. */
export function displayTokens({ answers }: AnsweredLocation): string[] {
  return tokensOf(answers.flatMap(({ options }) => recordsOf(options)));
}

/** Returns the tokens that report a click in a location, each once: on one selector, or on any. */
export function clickTokens(location: AnsweredLocation, selector: string | undefined): string[] {
  const clicks = clicksOf(location);
  return tokensOf(selector === undefined ? clicks : clicks.filter((metric) => metric.selector === selector));
}

/** Returns the tokens of a location's click metrics by their selectors. The key of metrics without one is undefined. */
export function clickTokensBySelector(location: AnsweredLocation): Map<string | undefined, string[]> {
  const clicks = clicksOf(location);
  const selectors = new Set(clicks.map(selectorOf));
  return new Map(
    [...selectors].map((selector) => [
      selector,
      tokensOf(clicks.filter((metric) => selectorOf(metric) === selector)),
    ]),
  );
}

function selectorOf({ selector }: Metric): string | undefined {
  return typeof selector === 'string' && selector !== '' ? selector : undefined;
}

function clicksOf({ answers }: AnsweredLocation): Metric[] {
  return answers.flatMap(({ metrics }) => recordsOf(metrics)).filter(({ type }) => type === 'click');
}

function tokensOf(items: readonly (Option | Metric)[]): string[] {
  const tokens = items.map(({ eventToken }): unknown => eventToken);
  return [...new Set(tokens.filter((token): token is string => typeof token === 'string' && token !== ''))];
}

/** Returns the objects in a list of an answer, which a program may have changed. */
export function recordsOf<Item extends object>(list: readonly (Item | undefined)[] | undefined): Item[] {
  return Array.isArray(list) ? list.filter((item): item is Item => isRecord(item)).map(ownOf) : [];
}

/** Copies the fields that are texts. */
function withoutGaps<Fields extends object>(fields: Fields): Fields {
  const written = Object.entries(fields).filter(([, value]) => typeof value === 'string' && value !== '');
  return Object.fromEntries(written) as Fields;
}
