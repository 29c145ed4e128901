import type { Parameters } from '../../delivery-api.js';

/**
 * Holds a location's parameters. Dotted names become nested objects. Each text has a second entry in lower case,
 * whose name ends in `_lc`.
 */
export interface ParameterTree {
  [name: string]: string | number | boolean | ParameterTree;
}

/**
 * Prototype of every node of a {@link ParameterTree}. It has no named properties, so `__proto__` and `constructor` are
 * ordinary parameter names. It makes a node convert to the same text as a plain object, for conditions that compare a
 * node.
 */
const NODE: object = Object.freeze(
  Object.assign(Object.create(null), { [Symbol.toPrimitive]: () => '[object Object]' }),
);

/**
 * Builds the tree that conditions read. When one name is both a value and the beginning of other names, the later
 * entry wins.
 */
export function toParameterTree(parameters: Parameters | null | undefined): ParameterTree {
  const tree: ParameterTree = Object.create(NODE);
  if (!parameters) {
    return tree;
  }
  const texts: [node: ParameterTree, name: string, value: string][] = [];
  for (const name of Object.keys(parameters)) {
    const value = parameters[name];
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      continue;
    }
    const segments = isDotted(name) ? name.split('.') : [name];
    const last = segments.pop() ?? name;
    const node = childOf(tree, segments);
    node[last] = value;
    if (typeof value === 'string') {
      texts.push([node, last, value]);
    }
  }
  for (const [node, name, value] of texts) {
    node[`${name}_lc`] = value.toLowerCase();
  }
  return tree;
}

function isDotted(name: string): boolean {
  return name.includes('.') && !name.startsWith('.') && !name.endsWith('.') && !name.includes('..');
}

function childOf(tree: ParameterTree, segments: readonly string[]): ParameterTree {
  let node = tree;
  for (const segment of segments) {
    const existing = node[segment];
    const child: ParameterTree = typeof existing === 'object' ? existing : Object.create(NODE);
    node[segment] = child;
    node = child;
  }
  return node;
}
