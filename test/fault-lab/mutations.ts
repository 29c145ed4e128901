import { types } from 'node:util';
import fc from 'fast-check';

/** What hostile objects throw, to be told from what the client itself would. */
export class Hostile extends Error {
  override readonly name = 'Hostile';
}

/** Steps from a value to something in it. */
export type Path = readonly (string | number)[];

type Container = Record<string | number, unknown>;

const NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'then',
  'toJSON',
  '',
  'length',
];

/** Every place in a value, the containers included. */
export function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) {
    return [path];
  }
  const own = Object.entries(value).flatMap(([name, inner]) =>
    pathsOf(inner, [...path, Array.isArray(value) ? Number(name) : name]),
  );
  return [path, ...own];
}

/** A copy with something else at a path; with nothing there when `replacement` is undefined. */
export function withAt(value: unknown, path: Path, replacement: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) {
    return replacement;
  }
  if (typeof value !== 'object' || value === null || types.isProxy(value)) {
    return value;
  }
  if (Array.isArray(value) && step === 'length') {
    return value;
  }
  const copy = (
    Array.isArray(value) ? [...value] : Object.defineProperties({}, Object.getOwnPropertyDescriptors(value))
  ) as Container;
  const present: unknown = Object.getOwnPropertyDescriptor(value, step)?.value;
  const inner = rest.length === 0 ? replacement : withAt(present, rest, replacement);
  if (inner !== undefined) {
    Object.defineProperty(copy, step, { value: inner, ...OPEN });
  } else if (Array.isArray(copy)) {
    copy.splice(Number(step), 1);
  } else {
    delete copy[step];
  }
  return copy;
}

const OPEN = { enumerable: true, configurable: true, writable: true };

function nested(depth: number): unknown {
  let value: unknown = 'deep';
  for (let level = 0; level < depth; level += 1) {
    value = level % 2 === 0 ? [value] : { and: value };
  }
  return value;
}

function cycle(): unknown {
  const value: Container = { name: 'cycle' };
  value.self = value;
  value.list = [value];
  return value;
}

function throwing(): unknown {
  const raise = () => {
    throw new Hostile('a getter');
  };
  return Object.defineProperty({}, 'name', { get: raise, enumerable: true, configurable: true });
}

function trapped(): unknown {
  const raise = () => {
    throw new Hostile('a trap');
  };
  return new Proxy(
    {},
    { get: raise, ownKeys: raise, has: raise, getOwnPropertyDescriptor: raise, getPrototypeOf: raise },
  );
}

/** JSON that nobody expects where it stands. */
export const jsonValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(
    null,
    true,
    false,
    0,
    -1,
    1e308,
    2 ** 53,
    '',
    ' ',
    '0',
    '\0',
    '\ud800',
    '</script>',
    `\${a.b.c}`,
    '%',
    '%E0%A4%A',
  ),
  fc.constantFrom([], {}, [[]], [null], [{}], { length: -1 }, { '': '' }),
  fc.constantFrom(...NAMES).map((name) => JSON.parse(`{${JSON.stringify(name)}:{"x":1}}`)),
  fc.constantFrom(...NAMES),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(50, 5000).map((length) => 'a.'.repeat(length)),
  fc.constantFrom(100, 3000).map(nested),
  fc.jsonValue(),
);

/** Makes a value anew: what is hostile to whoever looks at it is not to be looked at by fast-check. */
export type Make = () => unknown;

const asMake =
  (value: unknown): Make =>
  () =>
    value;

/** JSON. */
export const anyJson: fc.Arbitrary<Make> = jsonValue.map(asMake);

/** JSON, and what only a program can make. */
export const anyValue: fc.Arbitrary<Make> = fc.oneof(
  { weight: 2, arbitrary: anyJson },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Make>(
      ...[
        Number.NaN,
        Number.POSITIVE_INFINITY,
        -0,
        10n,
        Symbol('s'),
        () => 'f',
        new Date(Number.NaN),
        /re/g,
      ].map(asMake),
      ...[new Map([[1, 2]]), new Set([1]), new Uint8Array(4), Promise.resolve(1), Object.create(null)].map(
        asMake,
      ),
      ...[
        new Array(3),
        Object.assign(Object.create({ inherited: 1 }), { own: 1 }),
        Object('boxed'),
        Object(1),
      ].map(asMake),
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom<Make>(cycle, throwing, trapped) },
);

/** A value with up to four places of it replaced, removed or hidden behind another name. */
export function mutated(base: unknown, replacements: fc.Arbitrary<Make>): fc.Arbitrary<Make> {
  const paths = pathsOf(base);
  const change = fc.record({
    path: fc.nat({ max: paths.length - 1 }).map((index) => paths[index] ?? []),
    replacement: replacements,
    how: fc.constantFrom('replace', 'replace', 'remove', 'rename'),
    name: fc.constantFrom(...NAMES),
  });
  return fc.array(change, { minLength: 1, maxLength: 4 }).map(
    (changes) => () =>
      changes.reduce<unknown>((value, { path, replacement, how, name }) => {
        if (how === 'remove' && path.length > 0) {
          return withAt(value, path, undefined);
        }
        const at = how === 'rename' && path.length > 0 ? [...path.slice(0, -1), name] : path;
        return withAt(value, at, replacement());
      }, base),
  );
}

/** A text with some of its characters lost, doubled or replaced, or cut short. */
export function mutatedText(base: string): fc.Arbitrary<string> {
  const change = fc.record({
    at: fc.nat({ max: base.length }),
    length: fc.nat({ max: 3 }),
    text: fc.oneof(
      fc.string({ unit: 'binary', maxLength: 3 }),
      fc.constantFrom('"', '{', ']', '|', '#', '%', '\0', '-1', '1e999'),
    ),
    how: fc.constantFrom('replace', 'replace', 'cut'),
  });
  return fc
    .array(change, { minLength: 1, maxLength: 3 })
    .map((changes) =>
      changes.reduce(
        (text, { at, length, text: other, how }) =>
          how === 'cut' ? text.slice(0, at) : text.slice(0, at) + other + text.slice(at + length),
        base,
      ),
    );
}

/** What a value is made of, down to the identity of its parts, without calling anything of it. */
export function fingerprint(value: unknown): string {
  const seen = new Map<unknown, number>();
  const lines: string[] = [];
  const stack: [string, unknown][] = [['', value]];
  for (let next = stack.pop(); next && lines.length < 20_000; next = stack.pop()) {
    const [name, part] = next;
    if (typeof part !== 'object' || part === null) {
      lines.push(`${name}=${typeof part}:${String(part)}`);
      continue;
    }
    const known = seen.get(part);
    lines.push(`${name}=#${known ?? seen.size}`);
    if (known !== undefined) {
      continue;
    }
    seen.set(part, seen.size);
    try {
      for (const key of Reflect.ownKeys(part)) {
        const property = Reflect.getOwnPropertyDescriptor(part, key);
        if (property && 'value' in property) {
          stack.push([String(key), property.value]);
        }
      }
    } catch {
      lines.push(`${name}=trapped`);
    }
  }
  return lines.join('\n');
}
