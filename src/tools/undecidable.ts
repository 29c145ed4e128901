import { compileCondition, MAX_CONDITION_DEPTH } from '../on-device/rules/condition.js';
import { operationOf } from './clauses.js';

/** Says why a condition cannot be evaluated on-device. */
export function undecidableWords(condition: unknown): string {
  const operator = undecidableOperator(condition);
  return operator === undefined
    ? `it is nested ${depthOf(condition)} deep, and on-device conditions are evaluated to a depth of ${MAX_CONDITION_DEPTH}`
    : `the operator “${operator}” cannot be evaluated on-device`;
}

function depthOf(condition: unknown): number {
  const inside: readonly unknown[] = Array.isArray(condition)
    ? condition
    : (operationOf(condition)?.operands ?? []);
  return inside.reduce((most: number, part) => Math.max(most, 1 + depthOf(part)), 0);
}

/**
 * Returns the first operator that the compiler does not know; undefined when it knows all of them, and refuses the
 * nesting.
 */
export function undecidableOperator(condition: unknown, depth = 0): string | undefined {
  if (depth > MAX_CONDITION_DEPTH) {
    return undefined;
  }
  const operation = operationOf(condition);
  const inside = Array.isArray(condition) ? condition : (operation?.operands ?? []);
  for (const part of inside) {
    const operator = undecidableOperator(part, depth + 1);
    if (operator !== undefined) {
      return operator;
    }
  }
  return operation && !compileCondition({ [operation.op]: [] }) ? operation.op : undefined;
}
