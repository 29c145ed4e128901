import { isAtMost, isLess, looselyEqual } from './operators.js';

type Expression = (data: unknown) => unknown;

/**
 * Compiles the comparisons that artifacts use: `==`, `<`, `<=`, `>` and `>=` with two operands. Unlike the functions
 * for other operators, these functions build no list of operands. They also save a call when the first operand is a
 * literal, which is the usual form. Returns undefined for every other operator or number of operands.
 */
export function compileComparison(
  operator: string,
  compiled: readonly Expression[],
  operands: readonly unknown[],
): Expression | undefined {
  const [a, b] = compiled;
  if (!a || !b || compiled.length > 2) {
    return undefined;
  }
  const [first] = operands;
  return typeof first === 'string' || typeof first === 'number'
    ? withLiteral(operator, first, b)
    : withExpression(operator, a, b);
}

function withLiteral(operator: string, literal: string | number, b: Expression): Expression | undefined {
  switch (operator) {
    case '==':
      return (data) => looselyEqual(literal, b(data));
    case '<':
      return (data) => isLess(literal, b(data));
    case '<=':
      return (data) => isAtMost(literal, b(data));
    case '>':
      return (data) => isLess(b(data), literal);
    case '>=':
      return (data) => isAtMost(b(data), literal);
  }
  return undefined;
}

function withExpression(operator: string, a: Expression, b: Expression): Expression | undefined {
  switch (operator) {
    case '==':
      return (data) => looselyEqual(a(data), b(data));
    case '<':
      return (data) => isLess(a(data), b(data));
    case '<=':
      return (data) => isAtMost(a(data), b(data));
    case '>':
      return (data) => isLess(b(data), a(data));
    case '>=':
      return (data) => isAtMost(b(data), a(data));
  }
  return undefined;
}
