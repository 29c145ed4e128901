import type { Artifact } from '../artifact.js';
import { nearestOf } from '../config/option-checks.js';
import { compileCondition } from '../on-device/rules/condition.js';
import type { CompiledLocation } from '../on-device/rules/location.js';
import { activityIdOf, isRule } from '../on-device/rules/rule-shape.js';
import type { RemoteReason } from './explanation.js';
import { undecidableWords } from './undecidable.js';

/** Says why only the edge can answer for a location completely; undefined when this process can. */
export function remoteReason(
  { kind, name, remote, undecidable }: CompiledLocation,
  artifact: Artifact,
): RemoteReason | undefined {
  if (!remote) {
    return undefined;
  }
  const { remoteMboxes, remoteViews, rules } = artifact;
  if ((kind === 'mbox' ? remoteMboxes : remoteViews)?.includes(name)) {
    const why = 'an activity here has an audience or a type that cannot be decided on-device';
    return { reason: 'listed', text: `the artifact lists this ${kind} as remote: ${why}` };
  }
  const byName = kind === 'mbox' ? rules.mboxes : rules.views;
  const own = byName && Object.hasOwn(byName, name) ? byName[name] : undefined;
  if (undecidable) {
    return { reason: 'undecidable', text: undecidableText(own ?? []) };
  }
  if (own) {
    return {
      reason: 'unknown',
      text: `the artifact has rules for this ${kind} and does not list it as local`,
    };
  }
  const nearest = nearestOf(name, knownNames(kind, artifact), Math.floor(name.length / 3));
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  return { reason: 'unknown', text: `no rule names this ${kind}${hint}` };
}

/** Says which rule cannot be evaluated on-device. A rule with the shape of one is told before one without. */
function undecidableText(rules: readonly unknown[]): string {
  for (const rule of rules) {
    if (isRule(rule) && activityIdOf(rule) !== undefined && !compileCondition(rule.condition)) {
      return `of a rule, ${undecidableWords(rule.condition)}`;
    }
  }
  return 'a rule does not have the shape of a rule, so it is left to the edge';
}

function knownNames(kind: CompiledLocation['kind'], artifact: Artifact): string[] {
  const { rules, remoteMboxes, localMboxes, remoteViews, localViews } = artifact;
  const lists =
    kind === 'mbox'
      ? [Object.keys(rules.mboxes ?? {}), localMboxes, remoteMboxes]
      : [Object.keys(rules.views ?? {}), localViews, remoteViews];
  return lists.flatMap((names) => names ?? []);
}
