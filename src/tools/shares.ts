import { type ConditionContext, contextPart } from '../on-device/facts/context-parts.js';
import { compileCondition } from '../on-device/rules/condition.js';
import { operationOf } from './clauses.js';

/** The number of different allocations: from 0 to 99.99 in steps of 0.01. */
export const BUCKETS = 10_000;

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
export function splitCondition(condition: unknown): SplitCondition {
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
export function allocationContext(): { -readonly [Part in keyof ConditionContext]: ConditionContext[Part] } {
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

/** Counts shares: it asks the compiled condition for each of the 10 000 allocations. Equal shares are counted once. */
export class ShareCounter {
  readonly #byText = new Map<string, Uint8Array>();

  /** Returns 1 for each allocation for which all parts hold, and 0 for the others. Without parts, all of them hold. */
  bucketsOf(share: readonly unknown[]): Uint8Array {
    const text = JSON.stringify(share);
    const known = this.#byText.get(text);
    if (known) {
      return known;
    }
    const buckets = new Uint8Array(BUCKETS);
    const compiled = share.length === 0 ? undefined : compileCondition({ and: share });
    const context = allocationContext();
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      context.allocation = bucket / 100;
      buckets[bucket] = !compiled || compiled.holds(context) ? 1 : 0;
    }
    this.#byText.set(text, buckets);
    return buckets;
  }
}

/** Returns the part of all allocations that are in a share, from 0 to 1. */
export function sizeOf(buckets: Uint8Array): number {
  let count = 0;
  for (const bucket of buckets) {
    count += bucket;
  }
  return count / BUCKETS;
}

/** Returns the ranges of a share. */
export function rangesOf(buckets: Uint8Array): ShareRange[] {
  const ranges: ShareRange[] = [];
  let start: number | undefined;
  for (let bucket = 0; bucket <= BUCKETS; bucket += 1) {
    const isIn = buckets[bucket] === 1;
    if (isIn && start === undefined) {
      start = bucket;
    } else if (!isIn && start !== undefined) {
      ranges.push({ from: startOf(start), to: endOf(bucket - 1) });
      start = undefined;
    }
  }
  return ranges;
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
  return `${Math.abs(value - short) < 0.015 ? short : Number(value.toFixed(2))} %`;
}
