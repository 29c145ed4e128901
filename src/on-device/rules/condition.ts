import { isObject } from '../../json.js';
import {
  ALL_CONTEXT_PARTS,
  type ConditionContext,
  type ContextParts,
  partNamed,
} from '../facts/context-parts.js';
import { compileComparison } from './comparison.js';
import {
  ITERATIONS,
  isTruthy,
  missingPaths,
  missingSome,
  OPERATORS,
  ownValue,
  readPath,
  readSegments,
} from './operators.js';

/** Holds one condition in the form in which it is evaluated. */
export interface CompiledCondition {
  /** Returns true when the condition holds. The context must have values for the parts in {@link reads}. */
  readonly holds: (context: ConditionContext) => boolean;
  /** Parts of the context that the condition reads. */
  readonly reads: ContextParts;
  /** The condition as it is written in the artifact, for traces. */
  readonly written: unknown;
}

/**
 * Deepest nesting of a condition that is evaluated on-device. A deeper one is left to the edge: no audience needs it,
 * and it could exhaust the stack.
 */
export const MAX_CONDITION_DEPTH = 200;

/** A condition, or a part of one, in the form in which it is evaluated. */
export type Expression = (data: unknown) => unknown;

/**
 * Sees each part of a condition once, when it is compiled, and returns the expression that takes its place. A tool
 * learns in this way what the parts of a condition return. `inner` is true inside the function of an iteration, which
 * runs once for each element of a list.
 */
export type Watch = (written: unknown, run: Expression, inner: boolean) => Expression;

/**
 * Describes the part of a condition in which an expression stands. At the top, `var` reads the context. Inside the
 * function of an iteration such as `map`, it reads an element of the list.
 */
interface Scope {
  /** True inside the function of an iteration. */
  readonly inner: boolean;
  /** Parts of the context that the whole condition reads, as far as it is compiled. */
  readonly parts: { reads: ContextParts };
  readonly watch: Watch | undefined;
}

/**
 * Signals that a condition cannot be evaluated on-device. It is thrown while a condition is compiled, and caught in
 * {@link compileCondition}.
 */
class Undecidable extends Error {}

/**
 * Compiles a JSON Logic condition (https://jsonlogic.com/operations.html) to closures with the semantics of its
 * JavaScript implementation. Returns undefined for a condition that is nested too deeply or holds an unknown
 * operator. `log` and `method` count as unknown. Without a watch, nothing is added to the closures.
 */
export function compileCondition(condition: unknown, watch?: Watch): CompiledCondition | undefined {
  const parts = { reads: 0 };
  try {
    const run = compile(condition, { inner: false, parts, watch }, 0);
    return { holds: (context) => holds(run, context), reads: parts.reads, written: condition };
  } catch (error) {
    if (error instanceof Undecidable) {
      return undefined;
    }
    throw error;
  }
}

/**
 * Evaluates a condition for a rule. The rule holds when the condition's value counts as true in JavaScript. An empty
 * list therefore makes the rule hold, as in the official SDKs, although it counts as false in JSON Logic itself
 * (https://jsonlogic.com/truthy.html). The rule does not hold when the evaluation throws, as for `*` without operands.
 */
function holds(run: Expression, context: ConditionContext): boolean {
  try {
    return Boolean(run(context));
  } catch {
    return false;
  }
}

function compile(logic: unknown, scope: Scope, depth: number): Expression {
  const run = compilePart(logic, scope, depth);
  return scope.watch ? scope.watch(logic, run, scope.inner) : run;
}

function compilePart(logic: unknown, scope: Scope, depth: number): Expression {
  if (depth > MAX_CONDITION_DEPTH) {
    throw new Undecidable();
  }
  if (Array.isArray(logic)) {
    return compileList(logic, scope, depth);
  }
  if (!isObject(logic)) {
    return () => logic;
  }
  const [first, second]: [string, unknown][] = Object.entries(logic);
  // An object with no key or with several keys is data in JSON Logic.
  if (!first || second) {
    return () => logic;
  }
  const [operator, value] = first;
  const operands: readonly unknown[] = Array.isArray(value) ? value : [value];
  const iteration = ITERATIONS.get(operator);
  if (iteration) {
    const list = compile(operands[0], scope, depth + 1);
    const each = compile(operands[1], { ...scope, inner: true }, depth + 1);
    return (data) => iteration(list(data), each);
  }
  if (operator === 'reduce') {
    return compileReduce(operands, scope, depth);
  }
  const compiled = operands.map((operand) => compile(operand, scope, depth + 1));
  return compileOperator(operator, { compiled, operands, scope });
}

function compileList(list: readonly unknown[], scope: Scope, depth: number): Expression {
  const items = list.map((item) => compile(item, scope, depth + 1));
  return (data) => items.map((item) => item(data));
}

interface Operation {
  readonly compiled: readonly Expression[];
  readonly operands: readonly unknown[];
  readonly scope: Scope;
}

function compileOperator(operator: string, operation: Operation): Expression {
  const { compiled } = operation;
  switch (operator) {
    case 'and':
      return compileConnective(false, compiled);
    case 'or':
      return compileConnective(true, compiled);
    case 'if':
    case '?:':
      return (data) => choose(compiled, data);
    case 'var':
      return compileVar(operation);
    case 'missing':
    case 'missing_some':
      return compileMissing(operator, operation);
  }
  const comparison = compileComparison(operator, compiled, operation.operands);
  if (comparison) {
    return comparison;
  }
  const apply = OPERATORS.get(operator);
  if (!apply) {
    throw new Undecidable();
  }
  return (data) => apply(compiled.map((operand) => operand(data)));
}

/** Compiles `or` (`wanted` is true) and `and` (`wanted` is false). Nearly all have two operands, which need no loop. */
function compileConnective(wanted: boolean, operands: readonly Expression[]): Expression {
  const [a, b] = operands;
  if (!a || !b || operands.length > 2) {
    return (data) => firstThat(wanted, operands, data);
  }
  return (data) => {
    const value = a(data);
    return isTruthy(value) === wanted ? value : b(data);
  };
}

/** Returns the value of the first operand whose truth is `wanted`, else the value of the last operand. */
function firstThat(wanted: boolean, operands: readonly Expression[], data: unknown): unknown {
  let value: unknown;
  for (const operand of operands) {
    value = operand(data);
    if (isTruthy(value) === wanted) {
      return value;
    }
  }
  return value;
}

/** Evaluates `if` and `?:`: pairs of a condition and a value, then the value for all other cases. */
function choose(branches: readonly Expression[], data: unknown): unknown {
  for (let i = 0; i < branches.length; i += 2) {
    const value = branches[i]?.(data);
    if (i === branches.length - 1) {
      return value;
    }
    if (isTruthy(value)) {
      return branches[i + 1]?.(data);
    }
  }
  return null;
}

function compileVar({ compiled, operands, scope }: Operation): Expression {
  const [path, fallback] = compiled;
  const literal = operands.length === 0 ? '' : operands[0];
  const constant = !isObject(literal);
  noteReads(scope, constant ? [literal] : undefined);
  if (!constant || literal === undefined || literal === null || literal === '') {
    return (data) => readPath(data, path?.(data), fallback?.(data));
  }
  const segments = String(literal).split('.');
  if (fallback) {
    return (data) => readSegments(data, segments, fallback(data));
  }
  // Nearly all paths name a part and at most one field of it: these are read without a loop.
  const [part, name] = segments;
  const row = scope.inner || segments.length > 2 ? undefined : partNamed(part);
  if (!row) {
    return (data) => readSegments(data, segments);
  }
  const { read } = row;
  if (name === undefined) {
    return (data) => read(data as ConditionContext) ?? null;
  }
  return (data) => ownValue(read(data as ConditionContext), name) ?? null;
}

function compileMissing(operator: string, { compiled, operands, scope }: Operation): Expression {
  const flat = operands.flat();
  noteReads(scope, flat.every((operand) => typeof operand !== 'object') ? flat : undefined);
  if (operator === 'missing_some') {
    const [needed, paths] = compiled;
    return (data) => missingSome(data, needed?.(data), paths?.(data));
  }
  return (data) => {
    const values = compiled.map((operand) => operand(data));
    return missingPaths(data, Array.isArray(values[0]) ? values[0] : values);
  };
}

/**
 * Adds the parts of the context that the paths read. Paths that are not known before the evaluation may read every
 * part.
 */
function noteReads(scope: Scope, paths: readonly unknown[] | undefined): void {
  if (scope.inner) {
    return;
  }
  for (const path of paths ?? ['']) {
    const name = String(path ?? '').split('.')[0];
    if (name === '') {
      scope.parts.reads = ALL_CONTEXT_PARTS;
    } else {
      scope.parts.reads |= partNamed(name)?.bit ?? 0;
    }
  }
}

function compileReduce(operands: readonly unknown[], scope: Scope, depth: number): Expression {
  const list = compile(operands[0], scope, depth + 1);
  const each = compile(operands[1], { ...scope, inner: true }, depth + 1);
  const initial = operands[2] === undefined ? () => null : compile(operands[2], scope, depth + 1);
  return (data) => {
    const items = list(data);
    const start = initial(data);
    if (!Array.isArray(items)) {
      return start;
    }
    return items.reduce<unknown>((accumulator, current) => each({ current, accumulator }), start);
  };
}
