import { DEFAULT_GLOBAL_MBOX } from '../artifact.js';
import { Buckets } from './buckets.js';
import { copyArtifact } from './question.js';
import { textOf } from './rule-facts.js';
import { groupBy, type PlacedRule, placedRules } from './rule-index.js';
import { ShareCounter } from './shares.js';

/** The content of an artifact. */
export interface Overview {
  /** The client code; empty when the artifact has none. */
  readonly client: string;
  readonly environment: string;
  readonly version: string;
  /** The time at which it was made, as the artifact has it. */
  readonly generatedAt?: string;
  readonly counts: {
    readonly activities: number;
    readonly experiences: number;
    readonly mboxes: number;
    readonly views: number;
    readonly rules: number;
  };
  /** The mboxes and views that only the edge can decide completely. */
  readonly remote: { readonly mboxes: readonly string[]; readonly views: readonly string[] };
  readonly responseTokens: readonly string[];
  /** True when places are looked up. */
  readonly geo: boolean;
  readonly globalMbox: string;
  readonly activities: readonly ActivityOverview[];
}

/** An activity of an artifact. */
export interface ActivityOverview {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  /** Its mboxes, and its views as `view home`. */
  readonly locations: readonly string[];
  /** The tokens of its properties; none for all properties. */
  readonly properties: readonly string[];
  readonly experiences: readonly ExperienceOverview[];
}

/** An experience of an activity. */
export interface ExperienceOverview {
  readonly id: string;
  readonly name: string;
  /** The part of 1 of visitors in its shares. It is absent when its rules ask nothing of the allocation. */
  readonly share?: number;
  /** The audience in words; several audiences of different rules are joined by a semicolon. */
  readonly audience: string;
  /** The number of its rules. */
  readonly rules: number;
}

/**
 * Tells what is in an artifact: its activities with their experiences, shares, audiences and locations.
 *
 * @param artifact the artifact as parsed JSON.
 * @throws {TargetError} `ERR_TARGET_ARTIFACT` for a value that is no artifact.
 * @example
 * ```ts
 * for (const { name, experiences } of inspect(artifact).activities) {
 *   console.log(name, experiences.map(({ name, share, audience }) => `${name} ${share} ${audience}`));
 * }
 * ```
 */
export function inspect(artifact: object): Overview {
  const copy = copyArtifact(artifact);
  const { meta, version, remoteMboxes, remoteViews, responseTokens, globalMbox, rules } = copy;
  const counter = new ShareCounter();
  const byId = groupBy(placedRules(copy), ({ names }) => names.activity.id);
  const activities = [...byId.values()].map((own) => toActivity(own, counter));
  const lists = (byName: typeof rules.mboxes | null) => Object.values(byName ?? {});
  const generatedAt = textOf(meta?.generatedAt);
  return {
    client: textOf(meta?.clientCode),
    environment: textOf(meta?.environment),
    version,
    ...(generatedAt && { generatedAt }),
    counts: {
      activities: activities.length,
      experiences: activities.reduce((sum, { experiences }) => sum + experiences.length, 0),
      mboxes: lists(rules.mboxes).length,
      views: lists(rules.views).length,
      rules: [...lists(rules.mboxes), ...lists(rules.views)].reduce((sum, { length }) => sum + length, 0),
    },
    remote: { mboxes: remoteMboxes ?? [], views: remoteViews ?? [] },
    responseTokens: responseTokens ?? [],
    geo: copy.geoTargetingEnabled === true,
    globalMbox: globalMbox || DEFAULT_GLOBAL_MBOX,
    activities,
  };
}

function toActivity(rules: readonly PlacedRule[], counter: ShareCounter): ActivityOverview {
  const names = rules[0]?.names.activity ?? { id: '', name: '', type: '' };
  const locations = rules.map(({ kind, location }) => (kind === 'mbox' ? location : `view ${location}`));
  const properties = rules.flatMap(({ rule }) => rule.propertyTokens ?? []);
  const byExperience = groupBy(rules, ({ names: { experience } }) => JSON.stringify(experience));
  return {
    ...names,
    locations: [...new Set(locations)],
    properties: [...new Set(properties)],
    experiences: [...byExperience.values()].map((own) => toExperience(own, counter)),
  };
}

function toExperience(rules: readonly PlacedRule[], counter: ShareCounter): ExperienceOverview {
  const parts = rules.map(({ rule }) => counter.count(rule.condition));
  const { size } = Buckets.union(parts.map(({ buckets }) => buckets));
  const audiences = new Set(parts.map(({ words }) => words));
  return {
    ...(rules[0]?.names.experience ?? { id: '', name: '' }),
    ...(parts.some(({ share }) => share.length > 0) && { share: size }),
    audience: [...audiences].join('; '),
    rules: rules.length,
  };
}
