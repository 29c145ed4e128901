/**
 * The entries of the package, as `exports` in package.json declares them: the one list, which the build, Jest and the
 * checks of the package read. `test/entries.test.ts` compares what cannot read it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One thing that users import. */
export interface Entry {
  /** As users write it, such as `target-node-sdk/http`. */
  readonly specifier: string;
  /** The file in `src` and in the builds, without its extension, such as `adapters/http`. */
  readonly path: string;
}

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, string | { readonly import: { readonly default: string } }>>;
}

/** Reads the list from the manifest in a folder. */
export function readEntries(root: string): Entry[] {
  const { name, exports }: Manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return Object.entries(exports).flatMap(([key, target]) =>
    typeof target === 'string'
      ? []
      : [
          {
            specifier: name + key.slice(1),
            path: target.import.default.replace(/^\.\/dist\/esm\/|\.js$/g, ''),
          },
        ],
  );
}

/**
 * What an entry needs a peer for. `code`: the entry imports the package when it is loaded. `use`: it imports the package
 * when it is first used. `types`: only its declarations name the package.
 */
type Need = 'code' | 'use' | 'types';
/** An entry can import a package when it is loaded, and name it in its declarations too. */
type Needs = Need | 'code and types';

/**
 * The optional peers of each entry that has any, by the entry's path. No other entry may name these packages, so that
 * nobody needs a package of an entry that they do not use.
 */
export const PEERS: Readonly<Record<string, Readonly<Record<string, Needs>>>> = {
  'adapters/fastify': { fastify: 'types' },
  'adapters/next': { next: 'use' },
  'adapters/openfeature': { '@openfeature/server-sdk': 'code and types' },
  'adapters/opentelemetry': { '@opentelemetry/api': 'code' },
  'http/undici': { undici: 'code' },
};

/** The peers of an entry: all of them, or those that it needs for one thing. */
export function peersOf(path: string, needed?: Need): string[] {
  return Object.entries(PEERS[path] ?? {}).flatMap(([name, kind]) =>
    needed === undefined || kind.split(' and ').includes(needed) ? [name] : [],
  );
}
