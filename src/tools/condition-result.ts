import { MAX_CONDITION_DEPTH } from '../on-device/rules/condition.js';
import { isTruthy } from '../on-device/rules/operators.js';
import { cutBoth, nameOfVariable, wordsOfValue } from './clause-words.js';
import { type Clause, isScalar, operationOf, variableOf } from './clauses.js';
import type { ConditionResult, Seen } from './explanation.js';
import { type Phrase, sentenceOfPhrase } from './phrases.js';

/** The values that the parts of a condition had, by the part as it is written. */
export type ConditionValues = ReadonlyMap<unknown, unknown>;

/** Joins the words of a condition with the values that its parts had in one evaluation. */
export function toConditionResult(phrase: Phrase, values: ConditionValues): ConditionResult {
  return {
    op: phrase.op,
    text: sentenceOfPhrase(phrase),
    whole: phrase.clause !== undefined,
    result: resultOf(phrase, values),
    saw: seenIn(phrase, values),
    operands: phrase.parts.map((part) => toConditionResult(part, values)),
  };
}

function resultOf({ op, written, clause }: Phrase, values: ConditionValues): boolean | undefined {
  const [only] = written;
  if (written.length === 1) {
    return clause?.kind === 'constant' && values.has(only) ? clause.isTrue : partResult(only, values);
  }
  const results = written.map((part) => partResult(part, values));
  const decider = op === 'or';
  if (results.includes(decider)) {
    return decider;
  }
  return results.includes(undefined) ? undefined : !decider;
}

/** A text or a number has the same value whether or not somebody looks at it. */
function partResult(written: unknown, values: ConditionValues): boolean | undefined {
  if (isScalar(written)) {
    return Boolean(written);
  }
  return values.has(written) ? isTruthy(values.get(written)) : undefined;
}

/** The values that are of a place. Their names in words say nothing of where they come from. */
const geoFacts = new WeakSet<Seen>();

/** Tells whether a value is missing because nobody gave the place of the visitor. */
export function isOfGeo(seen: Seen): boolean {
  return geoFacts.has(seen);
}

function seenIn({ written, clause }: Phrase, values: ConditionValues): Seen[] {
  const byPath = new Map<string, Seen>();
  const look = (part: unknown, depth: number): void => {
    const path = variableOf(part);
    if (path !== undefined && values.has(part)) {
      const value = values.get(part) ?? undefined;
      const text = value === undefined ? 'nothing' : seenWords(path, value, clause);
      const seen = { name: nameOfVariable(path), value, text };
      byPath.set(path, seen);
      if (path.split('.')[0] === 'geo') {
        geoFacts.add(seen);
      }
      return;
    }
    if (depth < MAX_CONDITION_DEPTH) {
      const inside = Array.isArray(part) ? part : (operationOf(part)?.operands ?? []);
      for (const operand of inside) {
        look(operand, depth + 1);
      }
    }
  };
  for (const part of written) {
    look(part, 0);
  }
  return [...byPath.values()];
}

/** A long text reads like another one that begins alike. Then the words say where they differ. */
function seenWords(path: string, value: unknown, clause: Clause | undefined): string {
  const words = wordsOfValue(path, value);
  const objects =
    clause?.kind === 'is'
      ? clause.objects.map((object) => object.value)
      : clause?.kind === 'contains'
        ? clause.objects
        : [];
  const alike = objects.find(
    (object) => typeof object === 'string' && object !== value && wordsOfValue(path, object) === words,
  );
  if (typeof value !== 'string' || typeof alike !== 'string') {
    return words;
  }
  const [seen, wanted] = cutBoth(value, alike);
  return `“${seen}” where “${wanted}” is wanted`;
}

/** Returns the first part that made a condition fail; undefined when it did not fail. */
export function firstFailure(condition: ConditionResult): ConditionResult | undefined {
  if (condition.result !== false) {
    return undefined;
  }
  if (condition.op !== 'and' || condition.whole) {
    return condition;
  }
  const failed = condition.operands.find(({ result }) => result === false);
  return failed ? firstFailure(failed) : condition;
}

/** Writes what a part saw: the value alone when there is one, else each with its name. */
export function sawWords({ saw }: ConditionResult): string {
  const [only] = saw;
  if (!only) {
    return '';
  }
  return saw.length === 1
    ? `saw ${only.text}`
    : `saw ${saw.map(({ name, text }) => `${name} ${text}`).join(', ')}`;
}
