import type { Artifact } from '../artifact.js';
import { messageOf, TargetError } from '../errors.js';
import { ownFieldOf } from '../inherited-names.js';
import { isObject } from '../json.js';
import { activityIdOf, isRule } from '../on-device/rules/rule-shape.js';
import { conditionFindings } from './condition-findings.js';
import { type Finding, pathTo, toFinding } from './finding.js';
import { copyArtifact } from './question.js';
import { placedRules } from './rule-index.js';
import { shapeFindings } from './shape-findings.js';
import { shareFindings } from './share-findings.js';
import { ShareCounter } from './shares.js';
import { undecidableWords } from './undecidable.js';

/**
 * Lists what is wrong, doubtful or worth knowing in an artifact. It never throws: a value that a client would reject is
 * a finding.
 *
 * @param artifact the artifact as parsed JSON.
 * @param options.now the time for which time frames are judged, in ms since 1970. @default Date.now()
 * @example
 * ```ts
 * const errors = validate(artifact).filter(({ severity }) => severity === 'error');
 * ```
 */
export function validate(
  artifact: unknown,
  options?: { readonly now?: number | null | undefined } | null,
): Finding[] {
  let copy: Artifact;
  try {
    copy = copyArtifact(artifact);
  } catch (error) {
    const path = error instanceof TargetError ? (error.path ?? '') : '';
    return [toFinding('unusable', path, `a client rejects it: ${messageOf(error)}`)];
  }
  const nowMs = timeOf(options);
  const counter = new ShareCounter();
  const refused = refusedRules(copy, counter);
  const refusedPaths = new Set(refused.map((one) => one.rulePath));
  const isRefused = ({ path }: Finding) => pathsAround(path).some((one) => refusedPaths.has(one));
  // The rule itself is reported, and not each part of it.
  const shapes = shapeFindings(copy).filter((finding) => !isRefused(finding));
  const rules = placedRules(copy);
  const broken = new Set(refused.flatMap(({ activity }) => activity ?? []));
  const sound = rules.filter(({ names }) => !broken.has(names.activity.id));
  return [
    ...shapes,
    ...refused.map(({ finding }) => finding),
    ...listFindings(copy),
    ...shareFindings(copy, sound, counter),
    ...conditionFindings(copy, rules, { nowMs, counter }),
  ];
}

/** Lists a path and those of the values around it. */
function pathsAround(path: string): string[] {
  const ends = [...path.matchAll(/[.[]|$/g)].map(({ index }) => index);
  return ends.map((end) => path.slice(0, end));
}

/** A wrong time is no reason to say nothing, so it counts as absent. */
function timeOf(options: unknown): number {
  try {
    const now = isObject(options) ? ownFieldOf(options, 'now') : undefined;
    return typeof now === 'number' && Number.isFinite(now) ? now : Date.now();
  } catch {
    return Date.now();
  }
}

interface RefusedRule {
  readonly finding: Finding;
  readonly rulePath: string;
  readonly activity: string | undefined;
}

/** Lists the rules that the compiler leaves to the edge. */
function refusedRules({ rules }: Artifact, counter: ShareCounter): RefusedRule[] {
  const kinds = [
    ['rules.mboxes', rules.mboxes],
    ['rules.views', rules.views],
  ] as const;
  return kinds.flatMap(([outer, byName]) =>
    Object.entries(byName ?? {}).flatMap(([name, list]) =>
      list.flatMap((rule, index) => refusedRule(rule, `${pathTo(outer, name)}[${index}]`, counter)),
    ),
  );
}

function refusedRule(rule: unknown, rulePath: string, counter: ShareCounter): RefusedRule[] {
  const remedy = 'only the edge can decide this location';
  if (!isRule(rule)) {
    const finding = toFinding('rule', rulePath, 'the rule does not have the shape of a rule', remedy);
    return [{ finding, rulePath, activity: undefined }];
  }
  const id = activityIdOf(rule);
  if (id === undefined) {
    const text = 'the rule has no activity id, so no allocation can be made';
    return [{ finding: toFinding('rule', rulePath, text, remedy), rulePath, activity: undefined }];
  }
  if (counter.count(rule.condition).reads !== undefined) {
    return [];
  }
  const finding = toFinding('operator', `${rulePath}.condition`, undecidableWords(rule.condition), remedy);
  return [{ finding, rulePath: `${rulePath}.condition`, activity: String(id) }];
}

function listFindings(artifact: Artifact): Finding[] {
  const { rules, localMboxes, remoteMboxes, localViews, remoteViews } = artifact;
  return [
    ...kindFindings('mbox', { rules: rules.mboxes, local: localMboxes, remote: remoteMboxes }),
    ...kindFindings('view', { rules: rules.views, local: localViews, remote: remoteViews }),
  ];
}

interface KindLists {
  readonly rules: Artifact['rules']['mboxes'] | null;
  readonly local: readonly string[] | null | undefined;
  readonly remote: readonly string[] | null | undefined;
}

function kindFindings(kind: 'mbox' | 'view', { rules, local, remote }: KindLists): Finding[] {
  const [localNames, remoteNames] = [new Set(local), new Set(remote)];
  const word = kind === 'mbox' ? 'Mboxes' : 'Views';
  const hasRules = (name: string) =>
    rules && Object.hasOwn(rules, name) ? (rules[name]?.length ?? 0) > 0 : false;
  const findings: Finding[] = [];
  for (const name of Object.keys(rules ?? {})) {
    if (!localNames.has(name) && !remoteNames.has(name)) {
      const text = `the ${kind} has rules and is in neither list, so only the edge decides it`;
      findings.push(
        toFinding('unlisted', pathTo(`rules.${kind === 'mbox' ? 'mboxes' : 'views'}`, name), text),
      );
    }
  }
  for (const [list, names] of [
    [`local${word}`, local],
    [`remote${word}`, remote],
  ] as const) {
    for (const [name, times] of timesOf(names ?? [])) {
      if (times > 1) {
        findings.push(toFinding('twice', list, `${name} is listed twice`));
      }
    }
  }
  for (const name of remoteNames) {
    const isBoth = localNames.has(name);
    const why = !isBoth
      ? 'is decided by the edge'
      : hasRules(name)
        ? 'is in both lists: rules decide a part of it, and the edge all of it'
        : 'is in both lists and has no rule: the edge decides it';
    findings.push(toFinding(isBoth ? 'both' : 'remote', `remote${word}`, `the ${kind} ${name} ${why}`));
  }
  for (const name of localNames) {
    if (!hasRules(name) && !remoteNames.has(name)) {
      findings.push(toFinding('no-rules', `local${word}`, `the ${kind} ${name} is listed and has no rule`));
    }
  }
  return findings;
}

function timesOf(names: readonly string[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const name of names) {
    times.set(name, (times.get(name) ?? 0) + 1);
  }
  return times;
}
