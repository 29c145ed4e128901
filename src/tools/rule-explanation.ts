import type { CompiledRule } from '../on-device/rules/location.js';
import { firstFailure, isOfGeo, sawWords, toConditionResult } from './condition-result.js';
import type { ConditionResult, Outcome, RuleExplanation, ShareResult } from './explanation.js';
import { type Phrase, phraseOf } from './phrases.js';
import { namesOfMeta, textOf } from './rule-facts.js';
import {
  type ConditionWatch,
  type Evaluated,
  evaluateAfterwards,
  type NotedLocation,
} from './search-notes.js';
import { rangesOf, rangeWords, type ShareCounter } from './shares.js';
import { undecidableWords } from './undecidable.js';

/** The things that explanations of rules have in common. */
export interface RuleSources {
  readonly watch: ConditionWatch;
  readonly counter: ShareCounter;
  readonly property: string | undefined;
  /** True when the call has geographic data. */
  readonly hasGeo: boolean;
}

interface LocationSources extends RuleSources {
  /** The rule at which the search ended because only the edge can evaluate it. */
  readonly undecidable: CompiledRule | undefined;
}

/**
 * Explains the rules of one location. `answeredKeys` holds the keys that have answered in this search before: one
 * search goes through several views.
 */
export function explainRules(
  noted: NotedLocation,
  answeredKeys: Set<unknown>,
  sources: RuleSources,
): RuleExplanation[] {
  const eligible = new Set(noted.location.rulesFor(sources.property));
  let isOver = false;
  let undecidable: CompiledRule | undefined;
  return noted.location.rules.map((rule) => {
    const asked = noted.asked.get(rule);
    const isKeyAnswered = rule.key !== undefined && answeredKeys.has(rule.key);
    const outcome = outcomeOf(rule, { asked, isEligible: eligible.has(rule), isKeyAnswered, isOver });
    if (outcome === 'answered' && rule.key) {
      answeredKeys.add(rule.key);
    }
    const isLast = outcome === 'answered' || outcome === 'undecidable';
    if (isLast && !noted.location.allMatching && !isOver) {
      isOver = true;
      undecidable = outcome === 'undecidable' ? rule : undefined;
    }
    return explainRule(rule, outcome, noted, { ...sources, undecidable });
  });
}

interface RuleState {
  readonly asked: Evaluated | undefined;
  readonly isEligible: boolean;
  readonly isKeyAnswered: boolean;
  readonly isOver: boolean;
}

function outcomeOf(rule: CompiledRule, { asked, isEligible, isKeyAnswered, isOver }: RuleState): Outcome {
  if (asked) {
    return asked.holds ? 'answered' : 'no-match';
  }
  if (!isEligible) {
    return 'other-property';
  }
  if (isKeyAnswered) {
    return 'key-answered';
  }
  return rule.condition || isOver ? 'not-reached' : 'undecidable';
}

function explainRule(
  rule: CompiledRule,
  outcome: Outcome,
  noted: NotedLocation,
  sources: LocationSources,
): RuleExplanation {
  const asked = noted.asked.get(rule);
  const evaluated = asked ?? evaluateAfterwards(rule, noted.context, sources.watch);
  const condition = evaluated && conditionOf(rule, evaluated);
  const share = evaluated && shareOf(rule, evaluated, sources.counter);
  return {
    ...namesOfMeta(rule.activity.id, rule.meta),
    ruleKey: textOf(rule.written?.ruleKey),
    outcome,
    because: becauseOf(rule, outcome, condition, sources),
    ...(!asked && evaluated && { wouldHold: evaluated.holds }),
    ...(share && { share }),
    ...(condition && { condition }),
  };
}

const phrases = new WeakMap<object, Phrase>();

function conditionOf({ condition }: CompiledRule, { holds, values }: Evaluated): ConditionResult {
  const known = condition && phrases.get(condition);
  const phrase = known ?? phraseOf(condition?.written);
  if (condition && !known) {
    phrases.set(condition, phrase);
  }
  return { ...toConditionResult(phrase, values), result: holds };
}

function shareOf(
  { condition }: CompiledRule,
  { allocation }: Evaluated,
  counter: ShareCounter,
): ShareResult | undefined {
  const { share, buckets } = counter.count(condition?.written);
  if (share.length === 0) {
    return undefined;
  }
  const ranges = rangesOf(buckets);
  const inside = buckets.has(allocation);
  return { ranges, allocation, inside, text: `${allocation.toFixed(2)}, wants ${rangeWords(ranges)}` };
}

function becauseOf(
  rule: CompiledRule,
  outcome: Outcome,
  condition: ConditionResult | undefined,
  { property, hasGeo, undecidable }: LocationSources,
): string {
  switch (outcome) {
    case 'answered':
      return condition ? `holds: ${condition.text}` : 'holds';
    case 'no-match': {
      const failed = condition && (firstFailure(condition) ?? condition);
      if (!failed) {
        return 'does not hold';
      }
      const saw = sawWords(failed);
      const hint = !hasGeo && failed.saw.some(isOfGeo) ? '; the call gives no place: set context.geo' : '';
      return `not so: ${failed.text}${saw && ` (${saw})`}${hint}`;
    }
    case 'not-reached':
      return undecidable && undecidable !== rule
        ? `a rule before it is for the edge to decide: ${undecidableWords(undecidable.written?.condition)}`
        : 'a rule before it decided the location';
    case 'key-answered':
      return 'another rule with its rule key answered';
    case 'other-property':
      return property
        ? 'it belongs to another property'
        : 'it belongs to a property, and the call names none';
    case 'undecidable':
      return undecidableWords(rule.written?.condition);
  }
}
