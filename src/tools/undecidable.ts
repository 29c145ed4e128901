import { compileCondition } from '../on-device/rules/condition.js';
import { operationOf } from './clauses.js';

/** Says why a condition cannot be evaluated on-device. */
export function undecidableWords(condition: unknown): string {
  const operator = undecidableOperator(condition);
  return operator === undefined
    ? 'it is nested too deeply to be evaluated on-device'
    : `the operator “${operator}” cannot be evaluated on-device`;
}

const MAX_DEPTH = 200;

/**
 * Returns the first operator that the compiler does not know; undefined when it knows all of them, and refuses the
 * nesting.
 */
export function undecidableOperator(condition: unknown, depth = 0): string | undefined {
  if (depth > MAX_DEPTH) {
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
