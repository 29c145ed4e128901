import { isRecord } from '../json.js';

/** A value that is written in a condition as it is. */
export type Scalar = string | number | boolean | null;

/** A value that a variable is compared with, and the way of comparing: `===` is strict, `==` is not. */
export interface Compared {
  readonly value: Scalar;
  readonly isStrict: boolean;
}

/** An end of a range. The value itself is in the range, unless the end is strict. */
export interface Bound {
  readonly value: Scalar;
  readonly isStrict: boolean;
}

/**
 * A part of a condition that one clause of a sentence can say. It is data, so a test can read it and compare it with
 * what the compiled condition says.
 */
export type Clause =
  | {
      readonly kind: 'is';
      readonly path: string;
      readonly objects: readonly Compared[];
      readonly isNegated: boolean;
    }
  | {
      readonly kind: 'contains';
      readonly path: string;
      readonly objects: readonly Scalar[];
      readonly isNegated: boolean;
    }
  | {
      readonly kind: 'bounds';
      readonly path: string;
      readonly low: Bound | undefined;
      readonly high: Bound | undefined;
      readonly isNegated: boolean;
    }
  | { readonly kind: 'filled'; readonly path: string; readonly isNegated: boolean }
  | { readonly kind: 'constant'; readonly isTrue: boolean };

/** An operator of a condition with its operands. */
export interface Operation {
  readonly op: string;
  readonly operands: readonly unknown[];
}

/** Returns the operator and the operands of a part; undefined for a value that is no operation. */
export function operationOf(written: unknown): Operation | undefined {
  if (!isRecord(written)) {
    return undefined;
  }
  const [first, second] = Object.entries(written);
  if (!first || second) {
    return undefined;
  }
  const [op, value] = first;
  return { op, operands: Array.isArray(value) ? value : [value] };
}

/** Returns the path of a variable without a fallback; undefined for everything else. */
export function variableOf(written: unknown): string | undefined {
  const operation = operationOf(written);
  if (operation?.op !== 'var' || operation.operands.length !== 1) {
    return undefined;
  }
  const [path] = operation.operands;
  return (typeof path === 'string' && path !== '') || typeof path === 'number' ? String(path) : undefined;
}

/** Tells whether a value stands for itself in a condition: a text, a number, true, false or null. */
export function isScalar(written: unknown): written is Scalar {
  return written === null || ['string', 'number', 'boolean'].includes(typeof written);
}

/** Returns the clause that says one part of a condition; undefined when no clause can say all of it. */
export function clauseOf(written: unknown): Clause | undefined {
  if (isScalar(written)) {
    return { kind: 'constant', isTrue: Boolean(written) };
  }
  const path = variableOf(written);
  if (path !== undefined) {
    return { kind: 'filled', path, isNegated: false };
  }
  const operation = operationOf(written);
  return operation && (comparisonOf(operation) ?? membershipOf(operation) ?? emptyOf(operation));
}

/** A connective without operands has no value, and what has no value does not hold. */
function emptyOf({ op, operands }: Operation): Clause | undefined {
  return (op === 'and' || op === 'or') && operands.length === 0
    ? { kind: 'constant', isTrue: false }
    : undefined;
}

const EQUALITIES = new Map([
  ['==', { isStrict: false, isNegated: false }],
  ['===', { isStrict: true, isNegated: false }],
  ['!=', { isStrict: false, isNegated: true }],
  ['!==', { isStrict: true, isNegated: true }],
]);

/** The operators of order: whether the values may be equal, and whether the first operand is the greater one. */
const ORDERS = new Map([
  ['<', { isStrict: true, isDescending: false }],
  ['<=', { isStrict: false, isDescending: false }],
  ['>', { isStrict: true, isDescending: true }],
  ['>=', { isStrict: false, isDescending: true }],
]);

function comparisonOf({ op, operands }: Operation): Clause | undefined {
  const [a, b, c] = operands;
  const order = ORDERS.get(op);
  if (operands.length === 3 && order && !order.isDescending) {
    const path = variableOf(b);
    if (path === undefined || !isScalar(a) || !isScalar(c)) {
      return undefined;
    }
    const { isStrict } = order;
    return {
      kind: 'bounds',
      path,
      low: { value: a, isStrict },
      high: { value: c, isStrict },
      isNegated: false,
    };
  }
  const [path, value, isFirst] = isScalar(a) ? [variableOf(b), a, true] : [variableOf(a), b, false];
  if (operands.length !== 2 || path === undefined || !isScalar(value)) {
    return undefined;
  }
  const equality = EQUALITIES.get(op);
  if (equality) {
    const { isStrict, isNegated } = equality;
    return { kind: 'is', path, objects: [{ value, isStrict }], isNegated };
  }
  if (!order) {
    return undefined;
  }
  const bound = { value, isStrict: order.isStrict };
  const isLow = order.isDescending !== isFirst;
  return {
    kind: 'bounds',
    path,
    low: isLow ? bound : undefined,
    high: isLow ? undefined : bound,
    isNegated: false,
  };
}

function membershipOf({ op, operands }: Operation): Clause | undefined {
  const [needle, haystack] = operands;
  if (op !== 'in' || operands.length !== 2) {
    return undefined;
  }
  const searched = variableOf(haystack);
  if (searched !== undefined && isScalar(needle)) {
    return { kind: 'contains', path: searched, objects: [needle], isNegated: false };
  }
  const path = variableOf(needle);
  if (path === undefined || !Array.isArray(haystack) || haystack.length === 0 || !haystack.every(isScalar)) {
    return undefined;
  }
  const objects = haystack.map((value) => ({ value, isStrict: true }));
  return { kind: 'is', path, objects, isNegated: false };
}

/** Returns the opposite of a clause. */
export function negated(clause: Clause): Clause {
  return clause.kind === 'constant'
    ? { kind: 'constant', isTrue: !clause.isTrue }
    : { ...clause, isNegated: !clause.isNegated };
}

/** Returns one clause for two that `and` joins: the two ends of a range. It is undefined when one clause cannot say both. */
export function rangeOf(a: Clause, b: Clause): Clause | undefined {
  if (a.kind !== 'bounds' || b.kind !== 'bounds' || a.path !== b.path || a.isNegated || b.isNegated) {
    return undefined;
  }
  const isPair = Boolean(a.low) !== Boolean(b.low) && Boolean(a.high) !== Boolean(b.high);
  return isPair ? { ...a, low: a.low ?? b.low, high: a.high ?? b.high } : undefined;
}

/** Tells whether one clause can say two that `or` joins: they look for values in the same way. */
export function isOneChoice(a: Clause, b: Clause): boolean {
  return (
    (a.kind === 'is' || a.kind === 'contains') &&
    a.kind === b.kind &&
    a.path === b.path &&
    !a.isNegated &&
    !b.isNegated
  );
}

/** Returns one clause for several of which {@link isOneChoice} is true. */
export function choiceOf(clauses: readonly Clause[]): Clause | undefined {
  const [first] = clauses;
  if (first?.kind === 'is') {
    return { ...first, objects: clauses.flatMap((one) => (one.kind === 'is' ? one.objects : [])) };
  }
  return first?.kind === 'contains'
    ? { ...first, objects: clauses.flatMap((one) => (one.kind === 'contains' ? one.objects : [])) }
    : undefined;
}
