import type { Parameters } from '../../delivery-api.js';

/** A location's parameters: dotted names are nested, and each string is there a second time as `…_lc`. */
export interface ParameterTree {
  [name: string]: string | number | boolean | ParameterTree;
}

/**
 * The nodes of a {@link ParameterTree} inherit from this: nothing under any name, so that `__proto__` and
 * `constructor` are names like any other, and the text that a plain object has where it is compared.
 */
const NODE: object = Object.freeze(
  Object.assign(Object.create(null), { [Symbol.toPrimitive]: () => '[object Object]' }),
);

/** Parameters as conditions see them; where a name is both a value and the beginning of others, the later one wins. */
export function toParameterTree(parameters: Parameters | null | undefined): ParameterTree {
  const tree: ParameterTree = Object.create(NODE);
  if (!parameters) return tree;
  const texts: [node: ParameterTree, name: string, value: string][] = [];
  for (const name of Object.keys(parameters)) {
    const value = parameters[name];
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') continue;
    const segments = isDotted(name) ? name.split('.') : [name];
    const last = segments.pop() ?? name;
    const node = childOf(tree, segments);
    node[last] = value;
    if (typeof value === 'string') texts.push([node, last, value]);
  }
  for (const [node, name, value] of texts) node[`${name}_lc`] = value.toLowerCase();
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
