import { invalidOption } from '../errors.js';
import { isRecord } from '../json.js';
import { testShares } from './chi-square.js';
import {
  type ExpectedActivity,
  type ExpectedExperience,
  type ExpectedShares,
  keyOfNames,
} from './expected-shares.js';
import type { RemoteReason } from './explanation.js';
import { EXPLAIN_OPTIONS, type ExplainOptions } from './question.js';
import { reading } from './reading.js';
import type { RuleNames } from './rule-facts.js';

/** The options of {@link simulate}. The request asks for one mbox, one view or one page load. */
export interface SimulateOptions extends ExplainOptions {
  /** The number of visitors. @default 10 000, or as many as there are `ids` */
  readonly visitors?: number | null | undefined;
  /** The ids of the visitors. @default made-up ids, always the same for one `seed` */
  readonly ids?: Iterable<string> | AsyncIterable<string> | null | undefined;
  /** The kind of the ids. @default 'tntId' */
  readonly idKind?: 'tntId' | 'marketingCloudVisitorId' | 'thirdPartyId' | null | undefined;
  /** The start of the made-up ids: a whole number. @default 1 */
  readonly seed?: number | null | undefined;
  /**
   * Counts of a report, by the name or the id of the experience. Where experiences of several activities have one name,
   * write `activity/experience`, both by name or both by id. Nobody is simulated then. An experience of a counted
   * activity that is left out has the count 0.
   * @default none: visitors are simulated
   */
  readonly observed?: Readonly<Record<string, number>> | null | undefined;
  /** Is told how far the simulation is, every 5000 visitors. `total` is absent when nobody knows it. */
  readonly onProgress?: ((at: { readonly done: number; readonly total?: number }) => void) | null | undefined;
}

/** The names of the options. */
export const SIMULATE_OPTIONS = {
  ...EXPLAIN_OPTIONS,
  visitors: true,
  ids: true,
  idKind: true,
  seed: true,
  observed: true,
  onProgress: true,
} satisfies Record<keyof SimulateOptions, true>;

/** The experiences that visitors got at one location, and those that they should get. */
export interface Simulation {
  readonly location: { readonly kind: 'mbox' | 'view'; readonly name: string };
  /**
   * The reason why only the edge can decide the location completely. The counts then say nothing of what visitors get.
   * It is absent when this process can decide it.
   */
  readonly remote?: RemoteReason;
  /** The number of visitors. With `observed` it is the sum of the counts. */
  readonly visitors: number;
  /** The number of different ids. When it is less than `visitors`, the counts say little. */
  readonly distinct: number;
  readonly activities: readonly ActivityShare[];
  /**
   * The visitors without any experience: the part of 1 that is due, and the count. Where there is a `remote`, the edge
   * decides about them. With `observed` nobody knows them, and both are 0.
   */
  readonly none: { readonly expected: number; readonly count: number };
  /** True when some activity has a mismatch. */
  readonly mismatch: boolean;
  /** The time that it took, in ms. */
  readonly ms: number;
}

/** The experiences of an activity. Shares are parts of 1. */
export interface ActivityShare {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  /** The number of visitors who got any of its experiences. */
  readonly reached: number;
  readonly experiences: readonly ExperienceShare[];
  /** The test of the counts against the expected shares. It is absent for a single experience. */
  readonly chiSquare?: number;
  readonly degrees?: number;
  readonly p?: number;
  /**
   * True when `p` is below 0.001, divided by the number of activities, or when somebody got an experience that nobody
   * should get.
   */
  readonly mismatch: boolean;
  /** The part of the visitors meant for this activity whom activities before it take. */
  readonly takenBefore: number;
  /**
   * The number of visitors of each experience in each of 50 ranges of the allocation. It is empty for an
   * experience whose rules do not ask for the allocation.
   */
  readonly histogram: readonly (readonly number[])[];
}

/**
 * One experience of a simulation. Shares are parts of 1 of all visitors. With `observed`, `expected` and `share` are parts
 * of those who got some experience of the activity.
 */
export interface ExperienceShare {
  readonly id: string;
  readonly name: string;
  /** The share that the rules give it. */
  readonly configured: number;
  /** The share that it should get, after the activities before it. */
  readonly expected: number;
  readonly count: number;
  readonly share: number;
}

/** The counts of a simulation or of a report. */
export interface Counts {
  readonly visitors: number;
  readonly distinct: number;
  readonly none: number;
  readonly byExperience: ReadonlyMap<string, number>;
  readonly byActivity: ReadonlyMap<string, number>;
  readonly histograms: ReadonlyMap<string, readonly number[]>;
}

interface SimulationParts {
  readonly location: Simulation['location'];
  readonly remote: RemoteReason | undefined;
  readonly expected: ExpectedShares;
  readonly counts: Counts;
  readonly isObserved: boolean;
  readonly ms: number;
}

/** The p of one activity below which counts are no accident. */
const ALARM = 0.001;

/** Compares counts with shares. */
export function toSimulation({
  location,
  remote,
  expected,
  counts,
  isObserved,
  ms,
}: SimulationParts): Simulation {
  const counted = expected.activities.filter(({ names }) => !isObserved || counts.byActivity.has(names.id));
  const limit = ALARM / Math.max(1, counted.length);
  const activities = expected.activities.map((activity) =>
    toActivityShare(activity, { counts, limit, isObserved }),
  );
  return {
    location,
    ...(remote && { remote }),
    visitors: counts.visitors,
    distinct: counts.distinct,
    activities,
    none: isObserved ? { expected: 0, count: 0 } : { expected: expected.none, count: counts.none },
    mismatch: activities.some(({ mismatch }) => mismatch),
    ms,
  };
}

interface Counting {
  readonly counts: Counts;
  readonly limit: number;
  readonly isObserved: boolean;
}

function toActivityShare(activity: ExpectedActivity, { counts, limit, isObserved }: Counting): ActivityShare {
  const { names, configured, ifDecidable } = activity;
  const reached = counts.byActivity.get(names.id) ?? 0;
  // A report does not tell how many visitors got nothing, and it has what the edge decided too.
  const due = activity.experiences.reduce((sum, one) => sum + one.ifDecidable, 0);
  const dueOf = (one: ExpectedExperience) => (isObserved && due > 0 ? one.ifDecidable / due : one.expected);
  const whole = isObserved ? reached : counts.visitors;
  const experiences = activity.experiences.map((one): ExperienceShare => {
    const count = counts.byExperience.get(keyOfNames(one.names)) ?? 0;
    const share = whole === 0 ? 0 : count / whole;
    return { ...one.names.experience, configured: one.configured, expected: dueOf(one), count, share };
  });
  const test = testShares(
    experiences.map(({ count }) => count),
    experiences.map((one) => one.expected),
  );
  const isTested = reached > 0 && (test.degrees > 0 || test.p < 1);
  return {
    ...names,
    reached,
    experiences,
    ...(isTested && test),
    mismatch: isTested && test.p < limit,
    takenBefore: configured === 0 ? 0 : Math.max(0, 1 - ifDecidable / configured),
    histogram: activity.experiences.map((one) => counts.histograms.get(keyOfNames(one.names)) ?? []),
  };
}

/** Reads the counts of a report. */
export function observedCounts(observed: unknown, { activities }: ExpectedShares): Counts {
  const entries = reading('observed', () => (isRecord(observed) ? Object.entries(observed) : []));
  if (entries.length === 0) {
    throw invalidOption('observed', 'counts by experience', observed);
  }
  const experiences = activities.flatMap((activity) => activity.experiences.map(({ names }) => names));
  const byExperience = new Map<string, number>();
  const byActivity = new Map<string, number>();
  let visitors = 0;
  for (const [label, count] of entries) {
    if (typeof count !== 'number' || !Number.isFinite(count) || count < 0) {
      throw invalidOption(`observed.${label}`, 'a number from 0 on', count);
    }
    const names = experienceOf(label, experiences);
    byExperience.set(keyOfNames(names), (byExperience.get(keyOfNames(names)) ?? 0) + count);
    byActivity.set(names.activity.id, (byActivity.get(names.activity.id) ?? 0) + count);
    visitors += count;
  }
  return { visitors, distinct: visitors, none: 0, byExperience, byActivity, histograms: new Map() };
}

function experienceOf(label: string, experiences: readonly RuleNames[]): RuleNames {
  const found = experiences.filter(({ activity, experience }) =>
    [
      experience.name,
      experience.id,
      `${activity.name}/${experience.name}`,
      `${activity.id}/${experience.id}`,
    ].includes(label),
  );
  const [only] = found;
  if (only && found.length === 1) {
    return only;
  }
  const known = experiences.map(({ activity, experience }) => `${activity.name}/${experience.name}`);
  throw invalidOption('observed', `by experience (${known.join(', ')})`, label);
}
