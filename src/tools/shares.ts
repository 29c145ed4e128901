import { type ConditionContext, contextPart } from '../on-device/facts/context-parts.js';
import { compileCondition, MAX_CONDITION_DEPTH } from '../on-device/rules/condition.js';
import { Buckets } from './buckets.js';
import { clauseOf, isScalar, type Operation, operationOf, variableOf } from './clauses.js';
import { sentenceOfTree } from './phrases.js';
import { stableText } from './same-json.js';

const ALLOCATION = contextPart('allocation');

/** The parts of a condition that `and` joins, by what they read. */
export interface SplitCondition {
  /** Parts that read the allocation alone: they make the share of visitors. */
  readonly share: readonly unknown[];
  /** All other parts: they make the audience. */
  readonly audience: readonly unknown[];
  /** False when the audience reads the allocation too, or cannot be evaluated: the share does not tell who it is. */
  readonly isSplit: boolean;
}

/** A range of allocations, with the ends that people write. The end itself, 0.01 % of the visitors, may be in it or not. */
export interface ShareRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Splits a condition. The compiler says what a part reads. A condition of which a part may be a list is not split: a list
 * counts as true for a whole condition, and an empty one as false inside of it.
 */
function splitCondition(condition: unknown): SplitCondition {
  const share: unknown[] = [];
  const audience: unknown[] = [];
  const parts = conjunctsOf(condition, 0);
  if (!parts.every(isNoList)) {
    return { share, audience: [condition], isSplit: false };
  }
  let isSplit = true;
  for (const part of parts) {
    const reads = compileCondition(part)?.reads;
    (reads === ALLOCATION ? share : audience).push(part);
    isSplit &&= reads === ALLOCATION || (reads !== undefined && (reads & ALLOCATION) === 0);
  }
  return { share, audience: audience.filter((part) => part !== true), isSplit };
}

const PLAIN_OPERATORS: ReadonlySet<string> = new Set([
  '==',
  '===',
  '!=',
  '!==',
  '<',
  '<=',
  '>',
  '>=',
  'in',
  '!',
  '!!',
  'all',
  'some',
  'none',
]);

/** Tells whether the value of a part is surely no list. */
function isNoList(part: unknown, depth = 0): boolean {
  const operation = operationOf(part);
  if (!operation) {
    return isScalar(part);
  }
  const { op, operands } = operation;
  if (op === 'var') {
    return variableOf(part) !== undefined;
  }
  return isJoin(operation) && depth < MAX_CONDITION_DEPTH
    ? operands.every((operand) => isNoList(operand, depth + 1))
    : PLAIN_OPERATORS.has(op);
}

function conjunctsOf(condition: unknown, depth: number): unknown[] {
  const operation = operationOf(condition);
  return operation?.op === 'and' && operation.operands.length > 0 && depth < MAX_CONDITION_DEPTH
    ? operation.operands.flatMap((part) => conjunctsOf(part, depth + 1))
    : [condition];
}

/** A context of which conditions read nothing but the allocation. */
function allocationContext(): { -readonly [Part in keyof ConditionContext]: ConditionContext[Part] } {
  return {
    allocation: 0,
    current_timestamp: 0,
    current_time: '',
    current_day: 0,
    user: undefined,
    page: undefined,
    referring: undefined,
    geo: undefined,
    mbox: undefined,
  };
}

/** A condition in its parts, and what they come to. */
export interface CountedCondition extends SplitCondition {
  /** The parts of the context that it reads. It is `undefined` for a condition that only the edge can evaluate. */
  readonly reads: number | undefined;
  /** The allocations for which all parts of the share hold. Without such parts they are all. */
  readonly buckets: Buckets;
  /** The audience in words. */
  readonly words: string;
  /** The same text for the same audience, in whatever order its parts are. */
  readonly audienceKey: string;
}

/**
 * The buckets of shares that were counted before. Counting takes most of the time of an explanation, and artifacts have
 * the same few shares, such as halves.
 */
const counted = new Map<string, Buckets>();
const MAX_COUNTED = 500;

/**
 * Counts shares: it asks the compiled condition for each of the 10 000 allocations. An artifact has few different
 * conditions, so each is counted once.
 */
export class ShareCounter {
  readonly #byCondition = new Map<string | undefined, CountedCondition>();

  /** Takes a condition apart. */
  count(condition: unknown): CountedCondition {
    const text = JSON.stringify(condition);
    const known = this.#byCondition.get(text);
    if (known) {
      return known;
    }
    const parts = splitCondition(condition);
    const words = parts.audience.length === 0 ? 'everybody' : sentenceOfTree({ and: parts.audience });
    const reads = compileCondition(condition)?.reads;
    const audienceKey = parts.audience.length === 0 ? '' : unorderedText({ and: parts.audience });
    const all = { ...parts, words, audienceKey, reads, buckets: bucketsOf(parts.share) };
    this.#byCondition.set(text, all);
    return all;
  }
}

const EQUALITIES: ReadonlySet<string> = new Set(['==', '===', '!=', '!==']);

/** Writes a condition so that the order of operands does not matter, where it does not matter to the engine either. */
function unorderedText(condition: unknown): string {
  const operation = operationOf(condition);
  if (operation && EQUALITIES.has(operation.op) && operation.operands.length === 2) {
    return `${operation.op}(${operation.operands.map(stableText).sort().join()})`;
  }
  if (!operation || !isJoin(operation) || !isOfClauses(condition)) {
    return stableText(condition);
  }
  return `${operation.op}(${[...new Set(operation.operands.map(unorderedText))].sort().join()})`;
}

function isJoin({ op, operands }: Operation): boolean {
  return (op === 'and' || op === 'or') && operands.length > 0;
}

/** Clauses alone are surely evaluated without an error, which makes the order of an “or” matter. */
function isOfClauses(condition: unknown, depth = 0): boolean {
  const operation = operationOf(condition);
  return operation && isJoin(operation) && depth < MAX_CONDITION_DEPTH
    ? operation.operands.every((operand) => isOfClauses(operand, depth + 1))
    : clauseOf(condition) !== undefined;
}

function bucketsOf(share: readonly unknown[]): Buckets {
  const text = JSON.stringify(share);
  const known = counted.get(text);
  if (known) {
    return known;
  }
  const compiled = share.length === 0 ? undefined : compileCondition({ and: share });
  const context = allocationContext();
  const buckets = Buckets.where((allocation) => {
    context.allocation = allocation;
    return !compiled || compiled.holds(context);
  });
  if (counted.size >= MAX_COUNTED) {
    counted.clear();
  }
  counted.set(text, buckets);
  return buckets;
}

/** Returns the ranges of a share. */
export function rangesOf({ runs }: Buckets): ShareRange[] {
  return runs.map(({ start, end }) => ({ from: startOf(start), to: endOf(end - 1) }));
}

/** The first allocation of a range is 50.01 where people write that it begins at 50. */
function startOf(bucket: number): number {
  return bucket % 10 === 1 ? (bucket - 1) / 100 : bucket / 100;
}

/** The last allocation of a range is 49.99 where people write that it ends before 50. */
function endOf(bucket: number): number {
  return bucket % 10 === 9 ? (bucket + 1) / 100 : bucket / 100;
}

/** Writes ranges as `0–50, 75–100`. */
export function rangeWords(ranges: readonly ShareRange[]): string {
  return ranges.map(({ from, to }) => `${from}–${to}`).join(', ') || 'nobody';
}

/**
 * Writes a part of 1 as a percentage: `50 %` for a half. Without digits it is as short as people write it, and `0 %` and
 * `100 %` stand for nobody and everybody alone.
 */
export function percent(share: number, digits?: number): string {
  const value = share * 100;
  if (digits !== undefined) {
    return `${value.toFixed(digits)} %`;
  }
  const short = Math.round(value);
  // Nobody and everybody are exact. The first of two halves has 50.01 %, which people write as 50.
  const most = short === 0 || short === 100 ? 0.005 : 0.015;
  return `${Math.abs(value - short) < most ? short : Number(value.toFixed(2))} %`;
}
