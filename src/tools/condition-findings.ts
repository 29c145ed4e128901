import type { Artifact } from '../artifact.js';
import { contextPart } from '../on-device/facts/context-parts.js';
import { MAX_CONDITION_DEPTH } from '../on-device/rules/condition.js';
import { hasCapitals, momentOf } from './clause-words.js';
import { type Clause, clauseOf, operationOf } from './clauses.js';
import { type Finding, toFinding } from './finding.js';
import { shownName } from './rule-facts.js';
import type { PlacedRule } from './rule-index.js';
import { rulePath } from './share-findings.js';
import type { ShareCounter } from './shares.js';

const GEO = contextPart('geo');
/** Looks into conditions: letters that never match, places that nobody looks up, and time frames. */
export function conditionFindings(
  artifact: Artifact,
  rules: readonly PlacedRule[],
  { nowMs, counter }: { readonly nowMs: number; readonly counter: ShareCounter },
): Finding[] {
  const findings = new Map<string, { readonly finding: Finding; readonly paths: Set<string> }>();
  const add = (finding: Finding) => {
    const key = `${finding.code} ${finding.text}`;
    const known = findings.get(key) ?? { finding, paths: new Set() };
    findings.set(key, known);
    known.paths.add(finding.path);
  };
  for (const placed of rules) {
    const { condition } = placed.rule;
    const { reads = 0, audience } = counter.count(condition);
    const path = `${rulePath(placed)}.condition`;
    const activity = shownName(placed.names.activity);
    for (const text of capitals(condition)) {
      const remedy = 'write it in lower case, or compare it with the variable without _lc';
      add(toFinding('case', path, `${activity}: ${text}`, remedy));
    }
    if (artifact.geoTargetingEnabled !== true && (reads & GEO) !== 0) {
      const text = `${activity}: the rule reads the place of a visitor, and geoTargetingEnabled is not true`;
      add(toFinding('geo-off', path, text, 'places are not looked up: give context.geo'));
    }
    for (const finding of timeFindings(audience, { path, activity, nowMs })) {
      add(finding);
    }
  }
  // The same words about many rules of an activity are one finding.
  return [...findings.values()].map(({ finding, paths }) =>
    paths.size === 1 ? finding : { ...finding, text: `${finding.text} (${paths.size} rules)` },
  );
}

/** Variables whose name ends in `_lc` hold lower case, so capitals never match. */
function capitals(condition: unknown, depth = 0): string[] {
  if (depth > MAX_CONDITION_DEPTH) {
    return [];
  }
  const clause = clauseOf(condition);
  if (clause) {
    return capitalsOf(clause);
  }
  const inside = Array.isArray(condition) ? condition : (operationOf(condition)?.operands ?? []);
  return inside.flatMap((part) => capitals(part, depth + 1));
}

function capitalsOf(clause: Clause): string[] {
  if ((clause.kind !== 'is' && clause.kind !== 'contains') || !clause.path.endsWith('_lc')) {
    return [];
  }
  const values = clause.kind === 'is' ? clause.objects.map(({ value }) => value) : clause.objects;
  return values.filter(hasCapitals).map((value) => `“${value}” has capitals, and ${clause.path} never has`);
}

interface TimedRule {
  readonly path: string;
  readonly activity: string;
  readonly nowMs: number;
}

function timeFindings(audience: readonly unknown[], { path, activity, nowMs }: TimedRule): Finding[] {
  return audience.flatMap((part) => {
    const clause = clauseOf(part);
    if (clause?.kind !== 'bounds' || clause.path !== 'current_timestamp' || clause.isNegated) {
      return [];
    }
    const [low, high] = [clause.low?.value, clause.high?.value];
    if (typeof high === 'number' && high < nowMs) {
      return [toFinding('expired', path, `${activity}: its time frame ended at ${momentOf(high) ?? high}`)];
    }
    const isLater = typeof low === 'number' && low > nowMs;
    return isLater
      ? [toFinding('not-yet', path, `${activity}: its time frame begins at ${momentOf(low) ?? low}`)]
      : [];
  });
}
