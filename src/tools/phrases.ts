import { isRecord, parseJson } from '../json.js';
import { MAX_CONDITION_DEPTH } from '../on-device/rules/condition.js';
import { cut, wordsOf } from './clause-words.js';
import {
  type Clause,
  choiceOf,
  clauseOf,
  isOneChoice,
  isScalar,
  negated,
  operationOf,
  rangeOf,
  variableOf,
} from './clauses.js';

/** A part of a condition, in the form in which sentences and trees are written. */
export interface Phrase {
  /** The operator as it is written; `value` for what is no operation. */
  readonly op: string;
  /** The parts of the condition that the phrase stands for. There are several when one clause says all of them. */
  readonly written: readonly unknown[];
  /** The clause that says all of the phrase; undefined when it is said by its parts or only as it is written. */
  readonly clause: Clause | undefined;
  /** The way in which the parts are joined; undefined for a phrase that is a clause or that is said as it is written. */
  readonly joint: Joint | undefined;
  readonly parts: readonly Phrase[];
  /** False when some part can be said only as it is written. */
  readonly isPlain: boolean;
}

type Joint = 'and' | 'or' | 'not';

const MAX_WRITTEN = 200;
const ITERATIONS: ReadonlySet<string> = new Set(['map', 'filter', 'all', 'some', 'none', 'reduce']);

/**
 * Writes a condition of a rule as a sentence, such as `country is US or Canada and URL contains “/cart” (any case)`. What
 * has no words of its own stands there as it is written. It never throws, also not for a value that is no JSON.
 *
 * @param condition the condition in JSON Logic, as `condition` of a rule has it.
 * @see https://jsonlogic.com/operations.html
 * @example
 * ```ts
 * sentenceOf({ '==': ['gold', { var: 'mbox.plan' }] }); // parameter plan is “gold”
 * ```
 */
export function sentenceOf(condition: unknown): string {
  try {
    const json = JSON.stringify(condition);
    return sentenceOfTree(json === undefined ? condition : parseJson(json));
  } catch {
    return 'a condition that JSON cannot hold';
  }
}

/** Writes a condition that was parsed from JSON: a tree without getters, in which no part is inside of itself. */
export function sentenceOfTree(condition: unknown): string {
  return sentenceOfPhrase(phraseOf(condition));
}

/**
 * Returns a condition as a phrase. An empty list is true as a whole condition and as the value that one ends with, and
 * false elsewhere: `isWhole` tells which it is.
 */
export function phraseOf(condition: unknown, depth = 0, isWhole = depth === 0): Phrase {
  if (isEmptyList(condition)) {
    return {
      ...leafOf('value', condition),
      clause: { kind: 'constant', isTrue: isWhole },
      isPlain: true,
    };
  }
  const clause = depth > MAX_CONDITION_DEPTH ? undefined : clauseOf(condition);
  const operation = operationOf(condition);
  const op = operation?.op ?? 'value';
  if (clause || !operation || depth > MAX_CONDITION_DEPTH) {
    return { ...leafOf(op, condition), clause, isPlain: clause !== undefined };
  }
  const { operands } = operation;
  if (op === 'and' || op === 'or') {
    return joinedPhrase(op, condition, { depth, isWhole });
  }
  const [only] = operands;
  if ((op === '!' || op === '!!') && operands.length === 1) {
    return op === '!' ? negatedPhrase(condition, phraseOf(only, depth + 1)) : phraseOf(only, depth + 1);
  }
  const looked = ITERATIONS.has(op) ? operands.slice(0, 1) : operands;
  const parts = looked
    .filter((operand) => operationOf(operand) && variableOf(operand) === undefined)
    .map((operand) => phraseOf(operand, depth + 1));
  return { ...leafOf(op, condition), parts };
}

function leafOf(op: string, written: unknown): Phrase {
  return { op, written: [written], clause: undefined, joint: undefined, parts: [], isPlain: false };
}

function negatedPhrase(written: unknown, inner: Phrase): Phrase {
  const clause = inner.clause && negated(inner.clause);
  const joint = clause ? undefined : 'not';
  return { op: '!', written: [written], clause, joint, parts: [inner], isPlain: inner.isPlain };
}

function isEmptyList(written: unknown): boolean {
  return Array.isArray(written) && written.length === 0;
}

function joinedPhrase(
  op: 'and' | 'or',
  written: unknown,
  { depth, isWhole }: { readonly depth: number; readonly isWhole: boolean },
): Phrase {
  const all = operandsOf(op, written, depth);
  const end = isWhole && op === 'and' ? all.findIndex(isEmptyList) : -1;
  // An empty list ends an “and”, because it counts as false there. As the value of a whole condition it is true.
  const operands = end < 0 ? all : all.slice(0, end + 1);
  const last = operands.length - 1;
  const parts = mergedParts(
    op,
    operands.map((operand, at) => phraseOf(operand, depth + 1, isWhole && at === last)),
  );
  const [only] = parts;
  if (only && parts.length === 1) {
    return only;
  }
  const isPlain = parts.every((part) => part.isPlain);
  return { op, written: [written], clause: undefined, joint: op, parts, isPlain };
}

/** Lists the operands of a connective, with those of the same connective inside it in their place. */
function operandsOf(op: string, written: unknown, depth: number): readonly unknown[] {
  const operands = operationOf(written)?.operands ?? [];
  if (depth > MAX_CONDITION_DEPTH) {
    return operands;
  }
  return operands.flatMap((operand) => {
    const inner = operationOf(operand);
    return inner?.op === op && inner.operands.length > 0 ? operandsOf(op, operand, depth + 1) : [operand];
  });
}

/** Joins neighbours that one clause can say. */
function mergedParts(op: 'and' | 'or', parts: readonly Phrase[]): Phrase[] {
  const runs: Phrase[][] = [];
  for (const part of parts) {
    const run = runs.at(-1);
    const before = run?.[0]?.clause;
    const isJoined =
      before &&
      part.clause &&
      (op === 'or' ? isOneChoice(before, part.clause) : run.length === 1 && rangeOf(before, part.clause));
    if (run && isJoined) {
      run.push(part);
    } else {
      runs.push([part]);
    }
  }
  return runs.flatMap((run) => (run.length === 1 ? run : [joinedRun(op, run)]));
}

function joinedRun(op: 'and' | 'or', run: readonly Phrase[]): Phrase {
  const clauses = run.flatMap(({ clause }) => clause ?? []);
  const [low, high] = clauses;
  const clause = op === 'or' ? choiceOf(clauses) : low && high && rangeOf(low, high);
  const written = run.flatMap((part) => part.written);
  return { op, written, clause, joint: undefined, parts: run, isPlain: true };
}

/** Writes a phrase on one line. Brackets stand where another connective is inside. */
export function sentenceOfPhrase(phrase: Phrase): string {
  const { clause, joint, parts } = phrase;
  if (clause) {
    return wordsOf(clause);
  }
  if (joint === 'not') {
    return `not ${parts.map(inBrackets).join('')}`;
  }
  return joint ? parts.map(inBrackets).join(` ${joint} `) : cut(asWritten(phrase.written[0]), MAX_WRITTEN);
}

function inBrackets(part: Phrase): string {
  return part.joint ? `(${sentenceOfPhrase(part)})` : sentenceOfPhrase(part);
}

function asWritten(written: unknown, depth = 0): string {
  if (depth > MAX_CONDITION_DEPTH) {
    return '…';
  }
  if (isScalar(written)) {
    return typeof written === 'string' ? `“${cut(written)}”` : String(written);
  }
  if (Array.isArray(written)) {
    return `[${written.map((item) => asWritten(item, depth + 1)).join(', ')}]`;
  }
  const path = variableOf(written);
  if (path !== undefined) {
    return path;
  }
  const operation = operationOf(written);
  if (operation) {
    return `${operation.op}(${operation.operands.map((operand) => asWritten(operand, depth + 1)).join(', ')})`;
  }
  return isRecord(written) ? `{${Object.keys(written).join(', ')}}` : typeof written;
}
