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
 * Returns the operator for which the compiler refuses a condition; undefined when it refuses the nesting. It is the
 * operator of the innermost part that does not compile.
 */
export function undecidableOperator(condition: unknown, depth = 0): string | undefined {
  if (depth > MAX_DEPTH || compileCondition(condition)) {
    return undefined;
  }
  const operation = operationOf(condition);
  const inside = Array.isArray(condition) ? condition : (operation?.operands ?? []);
  const refused = inside.find((part) => compileCondition(part) === undefined);
  return refused === undefined ? operation?.op : undecidableOperator(refused, depth + 1);
}
