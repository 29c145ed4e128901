/** The declarations of the package, as tsc emits them. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, posix } from 'node:path';
import { peersOf } from './entries.js';
import { dist, isBare, packageOf, root } from './manifest.js';
import { pruneDeclarations } from './prune-declarations.js';
import { write } from './write.js';

/** The relative and the bare specifiers that a declaration file imports; examples in its comments import what they like. */
function specifiersOf(declaration: string): string[] {
  const code = declaration.replace(/\/\*[\s\S]*?\*\//g, '');
  const named = code.matchAll(/(?:\bfrom |\bimport\(|^import )(['"])([^'"]+)\1/gm);
  return [...named].map(([, , specifier]) => specifier ?? '');
}

/** Projects whose `lib` is older than the symbol are not to be asked for a newer one. */
const disposableLib = '/// <reference lib="esnext.disposable" />\n';

/** Emits the declarations of the entries and all they import; what does not type-check is not built. */
function emitDeclarations(entries: readonly string[]): string {
  const emitted = join(dist, 'declarations');
  const settings = join(dist, 'declarations.json');
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    stripInternal: true,
    rootDir: root,
    outDir: emitted,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  };
  const files = entries.map((entry) => join(root, 'src', `${entry}.ts`));
  writeFileSync(
    settings,
    JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, files, include: [] }),
  );
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', settings], { stdio: 'inherit' });
  if (status !== 0) {
    process.exit(1);
  }
  rmSync(settings);
  return emitted;
}

/** The declarations of an ESM entry. A default export of CommonJS has to be said by name. */
function reexported(path: string, text: string): string {
  const from = posix.join(
    posix.relative(posix.dirname(join('esm', path)), 'cjs'),
    path.replace(/\.d\.ts$/, '.cjs'),
  );
  const [, name] = /\b(\w+) as default\b/.exec(text) ?? [];
  return `export * from '${from}';\n${name ? `export { ${name} as default } from '${from}';\n` : ''}`;
}

/** The declaration files that one entry reaches, its own first. A file may name packages only that the entry owns. */
function reachedBy(entry: string, declarations: ReadonlyMap<string, string>): Set<string> {
  const reached = new Set([`${entry}.d.ts`]);
  for (const path of reached) {
    for (const specifier of specifiersOf(declarations.get(path) ?? '')) {
      if (isBuiltin(specifier)) {
        continue;
      }
      if (!isBare(specifier)) {
        reached.add(posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.d.ts'));
      } else if (!peersOf(entry).includes(packageOf(specifier))) {
        throw new Error(`${path} would make users of ${entry} install the types of ${specifier}`);
      }
    }
  }
  return reached;
}

/**
 * Writes the declarations of everything that the entries reach, as CommonJS. Those of the ESM entries say the same names
 * from there, so that a type is the same one in both, and is packed once.
 */
export function writeDeclarations(entries: readonly string[]): void {
  const emitted = emitDeclarations(entries);
  const folder = join(emitted, 'src');
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.d.ts'),
  );
  const texts = new Map(paths.map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
  const declarations = pruneDeclarations(texts, entries);
  const reached = new Set(entries.flatMap((entry) => [...reachedBy(entry, declarations)]));
  for (const path of reached) {
    const text = declarations.get(path) ?? '';
    const complete = text.includes('Symbol.asyncDispose') ? disposableLib + text : text;
    write(join('cjs', path.replace(/ts$/, 'cts')), complete.replace(/(['"]\.[^'"]*)\.js(?=['"])/g, '$1.cjs'));
    if (entries.includes(path.replace(/\.d\.ts$/, ''))) {
      write(join('esm', path), reexported(path, text));
    }
  }
  rmSync(emitted, { recursive: true });
}
