import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { PEERS, peersOf, readEntries } from '../.ci/entries.js';

const ROOT = join(__dirname, '..');
const read = (path: string) => JSON.parse(readFileSync(join(ROOT, path), 'utf8'));
const manifest = read('package.json');
const entries = readEntries(ROOT);
const others = entries.filter(({ path }) => path !== 'index');

test('the entries of the package are files of src', () => {
  expect(entries.length).toBeGreaterThan(3);
  for (const { path } of entries) {
    expect(existsSync(join(ROOT, `src/${path}.ts`))).toBe(true);
  }
});

describe('the peers of entries', () => {
  const paths = entries.map(({ path }) => path);
  const owned = Object.keys(PEERS).flatMap((path) => peersOf(path));

  test('belong to one entry each, and never to the main one', () => {
    expect(Object.keys(PEERS).filter((path) => !paths.includes(path) || path === 'index')).toEqual([]);
    expect(owned.toSorted()).toEqual([...new Set(owned)].toSorted());
  });

  test('are the peers of the package, each of them optional', () => {
    expect(owned.toSorted()).toEqual(Object.keys(manifest.peerDependencies).toSorted());
    const optional = Object.fromEntries(owned.map((name) => [name, { optional: true }]));
    expect(manifest.peerDependenciesMeta).toEqual(optional);
  });

  test('are told apart by what needs them', () => {
    expect(peersOf('http/undici')).toEqual(['undici']);
    expect(peersOf('http/undici', 'code')).toEqual(['undici']);
    expect(peersOf('http/undici', 'types')).toEqual([]);
    expect(peersOf('index')).toEqual([]);
  });
});

describe('every other list of the entries says what `exports` says', () => {
  test('`exports` itself: both builds, each with its types', () => {
    const expected = entries.map(({ specifier, path }) => [
      specifier.replace(manifest.name, '.'),
      {
        import: { types: `./dist/esm/${path}.d.ts`, default: `./dist/esm/${path}.js` },
        require: { types: `./dist/cjs/${path}.d.cts`, default: `./dist/cjs/${path}.cjs` },
      },
    ]);
    expect(manifest.exports).toEqual({
      ...Object.fromEntries(expected),
      './artifact.schema.json': './artifact.schema.json',
      './offers.schema.json': './offers.schema.json',
      './package.json': './package.json',
    });
  });

  test('`main` and `types`, for tools that know no `exports`', () => {
    expect(manifest.main).toBe('./dist/cjs/index.cjs');
    expect(manifest.types).toBe('./dist/cjs/index.d.cts');
  });

  test('`typesVersions`, for the module resolution `node10`', () => {
    const expected = others.map(({ specifier, path }) => [
      specifier.slice(manifest.name.length + 1),
      [`./dist/cjs/${path}.d.cts`],
    ]);
    expect(manifest.typesVersions).toEqual({ '*': Object.fromEntries(expected) });
  });

  test('`paths` in tsconfig.json, by which tests and examples are compiled against the sources', () => {
    const expected = entries.map(({ specifier, path }) => [specifier, [`./src/${path}.ts`]]);
    expect(read('tsconfig.json').compilerOptions.paths).toEqual({
      ...Object.fromEntries(expected),
      '#platform': ['./src/platform/node.ts'],
    });
  });

  test('`imports`: the same files for every runtime without Node', () => {
    for (const [specifier, conditions] of Object.entries<Record<string, unknown>>(manifest.imports)) {
      // The first that holds is taken, so these come first.
      const withoutNode = Object.keys(conditions).slice(0, 3);
      expect([specifier, withoutNode]).toEqual([specifier, ['workerd', 'edge-light', 'worker']]);
      expect(new Set(withoutNode.map((name) => JSON.stringify(conditions[name]))).size).toBe(1);
      expect(Object.keys(conditions).at(-1)).toBe('default');
    }
  });
});
