import { type ConditionContext, contextPart } from '../on-device/facts/context-parts.js';
import { compileCondition } from '../on-device/rules/condition.js';
import { Buckets } from './buckets.js';
import { operationOf } from './clauses.js';
import { sentenceOfTree } from './phrases.js';

const ALLOCATION = contextPart('allocation');

/** The parts of a condition that `and` joins, by what they read. */
export interface SplitCondition {
  /** Parts that read the allocation alone: they make the share of visitors. */
  readonly share: readonly unknown[];
  /** All other parts: they make the audience. */
  readonly audience: readonly unknown[];
}

/** A range of allocations, with the ends that people write. The end itself, 0.01 % of the visitors, may be in it or not. */
export interface ShareRange {
  readonly from: number;
  readonly to: number;
}

/** Splits a condition. The compiler says what a part reads. */
function splitCondition(condition: unknown): SplitCondition {
  const share: unknown[] = [];
  const audience: unknown[] = [];
  for (const part of conjunctsOf(condition, 0)) {
    const reads = compileCondition(part)?.reads;
    (reads === ALLOCATION ? share : audience).push(part);
  }
  return { share, audience: audience.filter((part) => part !== true) };
}

const MAX_DEPTH = 200;

function conjunctsOf(condition: unknown, depth: number): unknown[] {
  const operation = operationOf(condition);
  return operation?.op === 'and' && operation.operands.length > 0 && depth < MAX_DEPTH
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
    const all = { ...parts, words, reads, buckets: bucketsOf(parts.share) };
    this.#byCondition.set(text, all);
    return all;
  }
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

/** Writes a part of 1 as a percentage: `50 %` for a half. Without digits it is as short as people write it. */
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
