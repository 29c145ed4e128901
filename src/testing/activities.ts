import type { RuleOption } from '../artifact.js';
import { EDGE_LIMITS, NOTIFICATION_LIMITS } from '../delivery-api.js';
import { isRecord, parseJson } from '../json.js';
import { type Audience, conditionOf } from './audiences.js';
import { wrongOption } from './known-options.js';
import { type Offer, OPTION_TYPES } from './offers.js';

/** A place where an activity shows its offers. */
export interface PlannedLocation {
  readonly kind: 'mbox' | 'view' | 'pageLoad';
  /** The name of the mbox or view. It is empty for the page load. */
  readonly name: string;
}

/** An experience, with its weight in any unit. */
export interface PlannedExperience {
  readonly name: string;
  readonly weight: number;
  readonly options: readonly RuleOption[];
}

/** All that a builder knows of its activity. */
export interface ActivityPlan {
  readonly name: string;
  readonly locations: readonly PlannedLocation[];
  readonly experiences: readonly PlannedExperience[];
  /** True when visitors are split. False when each of them gets the only experience. */
  readonly isSplit: boolean;
  readonly conditions: readonly object[];
  readonly propertyTokens: readonly string[];
  readonly priority: number;
  /** The selectors of the elements whose clicks are counted. A location without selectors has `undefined`. */
  readonly clicks: readonly (string | undefined)[];
}

/**
 * An experience of {@link ActivityBuilder.split}: its weight and its offers. Without offers the visitor sees what the
 * page shows by itself.
 */
export type WeightedOffers = readonly [weight: number, offers?: Offer | readonly Offer[]];

const MAX_PRIORITY = 999;
/** Each experience gets at least a hundredth of a percent of the visitors. */
const MAX_EXPERIENCES = 10_000;

/**
 * Makes the builder of an activity, for {@link buildArtifact}. Each method returns a new builder, so builders can be
 * shared.
 *
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG`, as all methods do. Its `path` names what is wrong.
 * @example
 * ```ts
 * activity('Hero').mbox('hero').split({ A: [50, html('Free delivery')], B: [50, html('Second bag free')] });
 * ```
 */
export function activity(name: string): ActivityBuilder {
  return new ActivityBuilder({
    name: toText('name', name, EDGE_LIMITS.Application.name),
    locations: [],
    experiences: [],
    isSplit: false,
    conditions: [],
    propertyTokens: [],
    priority: 0,
    clicks: [],
  });
}

/** Describes an activity. Make one with {@link activity}. */
export class ActivityBuilder {
  readonly #plan: ActivityPlan;

  /** Users call {@link activity}. @internal */
  constructor(plan: ActivityPlan) {
    this.#plan = plan;
  }

  /** Returns the plan of an activity; `undefined` for anything else. @internal */
  static planOf(builder: unknown): ActivityPlan | undefined {
    return isRecord(builder) && #plan in builder ? (builder as ActivityBuilder).#plan : undefined;
  }

  /** Shows the offers in an mbox. An activity may have several locations. */
  mbox(name: string): ActivityBuilder {
    const { name: maxLength } = NOTIFICATION_LIMITS.NotificationMbox;
    return this.#at({ kind: 'mbox', name: toText(this.#path('mbox'), name, maxLength) });
  }

  /** Shows the offers in a view of a single-page app. */
  view(name: string): ActivityBuilder {
    const { name: maxLength } = NOTIFICATION_LIMITS.NotificationView;
    return this.#at({ kind: 'view', name: toText(this.#path('view'), name, maxLength) });
  }

  /** Shows the offers with the page load, which is the global mbox. */
  pageLoad(): ActivityBuilder {
    return this.#at({ kind: 'pageLoad', name: '' });
  }

  /**
   * Splits the visitors between experiences, by weights in any unit. The shares are exact to a hundredth of a percent,
   * and no experience has less than that.
   */
  split(experiences: Readonly<Record<string, WeightedOffers>>): ActivityBuilder {
    const path = this.#path('split');
    const entries = isRecord(experiences) ? Object.entries<WeightedOffers>(experiences) : [];
    if (entries.length === 0 || entries.length > MAX_EXPERIENCES) {
      const wanted = `an object with 1 to ${MAX_EXPERIENCES} experiences, such as { A: [100, html("…")] }`;
      throw wrongOption(path, wanted, experiences);
    }
    return this.#with({
      isSplit: true,
      experiences: entries.map(([name, given]) => toExperience(`${path}.${name}`, name, given)),
    });
  }

  /** Shows the same offers to all visitors. */
  only(offers: Offer | readonly Offer[]): ActivityBuilder {
    const options = toOptions(this.#path('only'), offers);
    return this.#with({ isSplit: false, experiences: [{ name: 'Experience A', weight: 1, options }] });
  }

  /** Shows the activity only to an audience. With several, a visitor has to be in all of them. */
  when(visitors: Audience): ActivityBuilder {
    return this.#with({ conditions: [...this.#plan.conditions, conditionOf(this.#path('when'), visitors)] });
  }

  /** Limits the activity to a property. With several, each of them will do. */
  property(token: string): ActivityBuilder {
    const tokens = [...this.#plan.propertyTokens, toText(this.#path('property'), token, MAX_TOKEN)];
    return this.#with({ propertyTokens: tokens });
  }

  /** An integer from 0 to 999. An mbox shows the activity with the highest that matches. @default 0 */
  priority(priority: number): ActivityBuilder {
    if (!(Number.isInteger(priority) && priority >= 0 && priority <= MAX_PRIORITY)) {
      throw wrongOption(this.#path('priority'), `an integer from 0 to ${MAX_PRIORITY}`, priority);
    }
    return this.#with({ priority });
  }

  /** Counts clicks: the answer has a metric with an event token, and with the selector if there is one. */
  clicks(selector?: string): ActivityBuilder {
    const checked = selector === undefined ? undefined : toText(this.#path('clicks'), selector, MAX_SELECTOR);
    return this.#with({ clicks: [...this.#plan.clicks, checked] });
  }

  #at(location: PlannedLocation): ActivityBuilder {
    const { locations } = this.#plan;
    if (locations.some(({ kind, name }) => kind === location.kind && name === location.name)) {
      throw wrongOption(
        this.#path(location.kind),
        'a location that the activity does not have yet',
        location.name,
      );
    }
    return this.#with({ locations: [...locations, location] });
  }

  #with(changes: Partial<ActivityPlan>): ActivityBuilder {
    return new ActivityBuilder({ ...this.#plan, ...changes });
  }

  #path(method: string): string {
    return `activity(${JSON.stringify(this.#plan.name)}).${method}`;
  }
}

const MAX_TOKEN = 128;
const MAX_SELECTOR = 4096;

function toExperience(path: string, name: string, given: WeightedOffers): PlannedExperience {
  if (!Array.isArray(given)) {
    throw wrongOption(path, 'a list of a weight and offers, such as [50, html("…")]', given);
  }
  const [weight, offers]: WeightedOffers = given as unknown as WeightedOffers;
  if (!(Number.isFinite(weight) && weight > 0)) {
    throw wrongOption(`${path}[0]`, 'a weight above 0', weight);
  }
  return { name, weight, options: offers === undefined ? [{}] : toOptions(`${path}[1]`, offers) };
}

function toOptions(path: string, offers: Offer | readonly Offer[]): RuleOption[] {
  const list: readonly unknown[] = Array.isArray(offers) ? offers : [offers];
  if (list.length === 0) {
    throw wrongOption(path, 'one or more offers', offers);
  }
  return list.map((offer) => toOption(path, offer));
}

/** Copies an offer, so that later changes of its content have no effect. */
function toOption(path: string, offer: unknown): RuleOption {
  if (!isOffer(offer)) {
    throw wrongOption(path, 'an offer, such as html("…") or json({ … })', offer);
  }
  const { type, content, eventToken, responseTokens } = offer;
  if (responseTokens !== undefined) {
    throw wrongOption(`${path}.responseTokens`, 'absent, because rules name their activity', responseTokens);
  }
  return { type, content: copyOf(path, content), ...(eventToken !== undefined && { eventToken }) };
}

function isOffer(offer: unknown): offer is Offer {
  if (!isRecord(offer)) {
    return false;
  }
  const { type, content } = offer as Partial<Offer>;
  if (type === 'json' || type === undefined) {
    return type === 'json' && content !== undefined;
  }
  return type === 'actions' ? Array.isArray(content) : OPTION_TYPES.has(type) && typeof content === 'string';
}

function copyOf(path: string, content: unknown): NonNullable<RuleOption['content']> {
  let text: string | undefined;
  try {
    text = JSON.stringify(content);
  } catch {
    // Circles and big integers cannot be written.
  }
  if (text === undefined) {
    throw wrongOption(path, 'an offer whose content can be written as JSON', content);
  }
  return parseJson(text) as NonNullable<RuleOption['content']>;
}

function toText(path: string, given: string, maxLength: number): string {
  if (typeof given !== 'string' || given === '' || given.length > maxLength) {
    throw wrongOption(path, `a text of 1 to ${maxLength} characters`, given);
  }
  return given;
}
