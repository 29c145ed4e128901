import { createHash } from 'node:crypto';
import { type Artifact, DEFAULT_GLOBAL_MBOX, type Rule } from '../artifact.js';
import { withoutInherited } from '../inherited-names.js';
import { isRecord } from '../json.js';
import { ActivityBuilder, type ActivityPlan } from './activities.js';
import { oneOrAll } from './audiences.js';
import { refuseUnknown, wrongOption } from './known-options.js';
import { STABLE_TIME_MS } from './stable-sources.js';

/** Options of {@link buildArtifact}. */
export interface ArtifactPlan {
  /** The activities, each with a name of its own. */
  readonly activities: readonly ActivityBuilder[];
  /** The client code in `meta`. @default 'demo' */
  readonly client?: string | undefined;
  /** The name of the global mbox. @default 'target-global-mbox' */
  readonly globalMbox?: string | undefined;
  /** True when clients look up the place of an IP address. @default true when an audience needs it */
  readonly geo?: boolean | undefined;
  /** The experience that all visitors of an activity get, by the name of the activity: `{ Hero: 'B' }`. */
  readonly overrides?: Readonly<Record<string, string>> | undefined;
  /** `stable` leaves the present time out of the artifact, for snapshots. All ids are made of names. @default 'random' */
  readonly ids?: 'random' | 'stable' | undefined;
}

/** Hundredths of a percent, which is how exactly visitors are allocated. */
const BUCKETS = 10_000;
const RESPONSE_TOKENS = [
  ...['activity.id', 'activity.name', 'activity.type', 'experience.id', 'experience.name'],
  ...['location.id', 'location.name', 'location.type', 'offer.id', 'offer.name', 'option.id', 'option.name'],
  ...['geo.city', 'geo.country', 'geo.state', 'geo.latitude', 'geo.longitude'],
];

/**
 * Builds an artifact, the rules of on-device decisions, for tests: for {@link createTestClient}, for the local edge or for
 * the option `artifactPayload`. The same names give the same ids, so a visitor gets the same experience in each run.
 *
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG`, whose `path` names what is wrong.
 * @example
 * ```ts
 * const artifact = buildArtifact({
 *   activities: [activity('Hero').mbox('hero').only(html('Gold')).when(audience.param('plan').is('gold'))],
 * });
 * ```
 */
export function buildArtifact(given: ArtifactPlan): Artifact {
  const {
    client = 'demo',
    globalMbox = DEFAULT_GLOBAL_MBOX,
    geo,
    ids = 'random',
    ...options
  } = checked(given);
  const placed = toPlans(options).flatMap((plan) => rulesOf(plan, globalMbox));
  const mboxes = groupedBy('mbox', placed);
  const views = groupedBy('view', placed);
  const madeMs = ids === 'stable' ? STABLE_TIME_MS : Date.now();
  return {
    version: '1.0.0',
    meta: { clientCode: client, environment: 'production', generatedAt: new Date(madeMs).toISOString() },
    globalMbox,
    geoTargetingEnabled: geo ?? placed.some(({ rule }) => readsGeo(rule)),
    responseTokens: [...RESPONSE_TOKENS],
    remoteMboxes: [],
    remoteViews: [],
    localMboxes: [...mboxes.keys()],
    localViews: [...views.keys()],
    rules: { mboxes: Object.fromEntries(mboxes), views: Object.fromEntries(views) },
  };
}

/** An activity whose overridden experience is chosen, and whose id is known. */
interface IdentifiedPlan extends ActivityPlan {
  readonly id: number;
  /** The name of the experience that all visitors get. */
  readonly override: string | undefined;
}

interface PlacedRule {
  readonly kind: 'mbox' | 'view';
  readonly name: string;
  readonly rule: Rule;
}

function checked(given: ArtifactPlan): ArtifactPlan {
  refuseUnknown(given, ['activities', 'overrides', 'client', 'globalMbox', 'geo', 'ids'], 'buildArtifact');
  const options = withoutInherited<ArtifactPlan>(given);
  const { activities, client, globalMbox, geo, overrides, ids } = options;
  if (!Array.isArray(activities)) {
    throw wrongOption('activities', 'a list of activities', activities);
  }
  for (const [name, value] of Object.entries({ client, globalMbox })) {
    if (value !== undefined && (typeof value !== 'string' || value === '')) {
      throw wrongOption(name, 'a text that is not empty', value);
    }
  }
  if (geo !== undefined && typeof geo !== 'boolean') {
    throw wrongOption('geo', 'true or false', geo);
  }
  if (overrides !== undefined && !isRecord(overrides)) {
    throw wrongOption('overrides', 'an object such as { Hero: "B" }', overrides);
  }
  if (ids !== undefined && ids !== 'random' && ids !== 'stable') {
    throw wrongOption('ids', '"random" or "stable"', ids);
  }
  return { activities, client, globalMbox, geo, overrides, ids };
}

/** Returns the plans, those of the highest priority first. */
function toPlans({
  activities,
  overrides,
}: Pick<ArtifactPlan, 'activities' | 'overrides'>): IdentifiedPlan[] {
  const forced = new Map(Object.entries(overrides ?? {}));
  const plans = new Map<string, IdentifiedPlan>();
  const ids = new Set<number>();
  for (const [index, builder] of activities.entries()) {
    const path = `activities[${index}]`;
    const plan = toCompletePlan(path, builder);
    if (plans.has(plan.name)) {
      throw wrongOption(path, 'an activity with a name of its own', plan.name);
    }
    const override = forced.get(plan.name);
    const names = plan.experiences.map(({ name }) => name);
    if (forced.has(plan.name) && !names.includes(override ?? '')) {
      throw wrongOption(`overrides.${plan.name}`, `one of ${names.join(', ')}`, override);
    }
    let id = idOf(plan.name);
    while (ids.has(id)) {
      id += 1;
    }
    ids.add(id);
    plans.set(plan.name, { ...plan, id, override });
  }
  for (const name of forced.keys()) {
    if (!plans.has(name)) {
      throw wrongOption('overrides', `named like an activity (${[...plans.keys()].join(', ')})`, name);
    }
  }
  return [...plans.values()].toSorted((a, b) => b.priority - a.priority);
}

function toCompletePlan(path: string, builder: unknown): ActivityPlan {
  const plan = ActivityBuilder.planOf(builder);
  if (!plan) {
    throw wrongOption(path, 'an activity, such as activity("Hero").mbox("hero").only(html("…"))', builder);
  }
  const named = `activity(${JSON.stringify(plan.name)})`;
  if (plan.locations.length === 0) {
    throw wrongOption(named, 'a location: add mbox(name), view(name) or pageLoad()', undefined);
  }
  if (plan.experiences.length === 0) {
    throw wrongOption(named, 'offers: add split({ … }) or only(offer)', undefined);
  }
  return plan;
}

/** Returns the rules of an activity: one for each location and experience. */
function rulesOf(plan: IdentifiedPlan, globalMbox: string): PlacedRule[] {
  const locations = plan.locations.map(({ kind, name }) => ({
    kind: kind === 'view' ? kind : ('mbox' as const),
    name: kind === 'pageLoad' ? globalMbox : name,
  }));
  if (plan.locations.some(({ kind }) => kind === 'pageLoad') && isTwice(globalMbox, locations)) {
    const path = `activity(${JSON.stringify(plan.name)}).mbox`;
    throw wrongOption(path, 'another mbox than that of the page load', globalMbox);
  }
  return locations.flatMap((location, locationId) => {
    const key = locations.length === 1 ? `${plan.id}` : `${plan.id}-${locationId}`;
    return rangesOf(plan).map(({ experienceId, condition }) => {
      const rule = toRule(plan, { ...location, locationId, experienceId });
      return { ...location, rule: { ruleKey: key, ...rule, condition } };
    });
  });
}

function isTwice(
  mbox: string,
  locations: readonly { readonly kind: string; readonly name: string }[],
): boolean {
  return locations.filter(({ kind, name }) => kind === 'mbox' && name === mbox).length > 1;
}

/** Returns the experiences that visitors can get, each with the condition for it. */
function rangesOf(plan: IdentifiedPlan): { readonly experienceId: number; readonly condition: unknown }[] {
  const { experiences, conditions, isSplit, override } = plan;
  const bounds = toBounds(experiences.map(({ weight }) => weight));
  return experiences.flatMap(({ name }, experienceId) => {
    if (override !== undefined && override !== name) {
      return [];
    }
    const [from = 0, to = BUCKETS] =
      override === undefined ? bounds.slice(experienceId, experienceId + 2) : [];
    const allocation = { var: 'allocation' };
    const range = { and: [{ '<=': [from / 100, allocation] }, { '>': [to / 100, allocation] }] };
    const all = [...(isSplit ? [range] : []), ...conditions];
    return [{ experienceId, condition: all.length === 0 || oneOrAll('and', all) }];
  });
}

/** Returns the ends of the shares, in hundredths of a percent. Each share has at least one of them. */
function toBounds(weights: readonly number[]): number[] {
  const largest = Math.max(...weights);
  const total = weights.reduce((sum, weight) => sum + weight / largest, 0);
  const bounds = [0];
  let sum = 0;
  for (const [index, weight] of weights.entries()) {
    sum += weight / largest;
    const least = (bounds.at(-1) ?? 0) + 1;
    const most = BUCKETS - (weights.length - 1 - index);
    bounds.push(Math.min(Math.max(Math.round((sum / total) * BUCKETS), least), most));
  }
  return bounds;
}

interface RulePlace {
  readonly kind: 'mbox' | 'view';
  readonly name: string;
  readonly locationId: number;
  readonly experienceId: number;
}

function toRule(plan: IdentifiedPlan, place: RulePlace): Omit<Rule, 'ruleKey' | 'condition'> {
  const { kind, name, locationId, experienceId } = place;
  const { id, propertyTokens, isSplit, clicks } = plan;
  const { name: experience = '', options = [] } = plan.experiences[experienceId] ?? {};
  const tokenOf = (what: string, index: number) =>
    digest([plan.name, experience, kind, name, what, index]).toString('base64');
  const offerName = `${plan.name}: ${experience}`;
  const hasOffer = options.some(({ type }) => type !== undefined);
  return {
    activityId: id,
    ...(propertyTokens.length > 0 && { propertyTokens: [...propertyTokens] }),
    meta: {
      'activity.id': id,
      'activity.name': plan.name,
      'activity.type': isSplit ? 'ab' : 'landing',
      'experience.id': experienceId,
      'experience.name': experience,
      'location.name': name,
      'location.type': kind,
      'location.id': locationId,
      'audience.ids': [],
      ...(hasOffer && { 'offer.id': idOf(offerName), 'offer.name': offerName }),
      'option.id': experienceId,
      'option.name': experience,
    },
    consequence: {
      name,
      options: options.map((option, index) => ({ eventToken: tokenOf('display', index), ...option })),
      metrics: clicks.map((selector, index) => ({
        type: 'click',
        eventToken: tokenOf('click', index),
        ...(selector !== undefined && { selector }),
      })),
    },
  };
}

function readsGeo({ condition }: Rule): boolean {
  return JSON.stringify(condition).includes('{"var":"geo.');
}

function groupedBy(wanted: 'mbox' | 'view', placed: readonly PlacedRule[]): Map<string, Rule[]> {
  const rulesByName = new Map<string, Rule[]>();
  for (const { kind, name, rule } of placed) {
    if (kind === wanted) {
      rulesByName.set(name, [...(rulesByName.get(name) ?? []), rule]);
    }
  }
  return rulesByName;
}

/** Makes an id of six digits of a name. */
function idOf(name: string): number {
  return 100_000 + (digest(name).readUInt32BE() % 900_000);
}

function digest(value: unknown): Buffer {
  return createHash('sha256').update(JSON.stringify(value)).digest();
}
