/** Builds `dist`: ESM and CommonJS with their declarations, and the licences of what was bundled. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, join, posix, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type OutputChunk, type Plugin, rolldown } from 'rolldown';

type Format = 'esm' | 'cjs';
type Target = string | { readonly import: { readonly default: string } };
interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly type?: string;
  readonly license?: string;
  readonly author?: string | { readonly name: string };
  readonly homepage?: string;
  readonly exports: Readonly<Record<string, Target>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const manifest = readManifest(root);

/** Only the local edge needs it, and people who never start one should not have to install it. */
const ofTheLocalEdge = '@cfworker/json-schema';
/** A bundler for a runtime without Node would find its build that asks for `node:diagnostics_channel`. */
const cache = 'lru-cache';
const bundledInBoth = new Set([ofTheLocalEdge, cache]);
/**
 * An ES module that imports a CommonJS package has Node scan its text for names, and with all the public suffixes in it
 * that takes four times as long as running it: a third of a cold start.
 */
const bundledInEsm = new Set(['tldts', 'tldts-core']);
const external = new Set(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }));

/** `adapters/http` for `./dist/esm/adapters/http.js`: the exports map is the list of entries. */
const entries = Object.values(manifest.exports)
  .filter((target) => typeof target !== 'string')
  .map((target) => target.import.default.replace(/^\.\/dist\/esm\/|\.js$/g, ''));

/** Stays a specifier, for the manifest's `imports` to resolve by the platform that the package runs on. */
const PLATFORM = '#platform';
const platforms = ['platform/node', 'platform/web'];

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

const packageOf = (specifier: string): string => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
const isBare = (specifier: string): boolean => !/^(?:\.|\/|\0)/.test(specifier);
const isInstalled = (path: string | undefined): boolean => path?.includes('/node_modules/') ?? false;

/**
 * `require` of an ES module needs Node 20.19 or 22.12 and fails in Jest, so these go into the CommonJS build; and into
 * the other one, because loading their many small files one by one takes three times as long as all the rest.
 */
function isEsmOnly(name: string): boolean {
  const file = createRequire(join(root, 'package.json')).resolve(name);
  if (/\.[cm]js$/.test(file)) return file.endsWith('.mjs');
  let folder = dirname(file);
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return readManifest(folder).type === 'module';
}

function isExternal(format: Format, specifier: string, importer: string | undefined): boolean {
  if (isBuiltin(specifier) || specifier === PLATFORM) return true;
  const name = packageOf(specifier);
  if (format === 'esm' && bundledInEsm.has(name)) return false;
  if (!isBare(specifier) || isInstalled(importer) || bundledInBoth.has(name)) return false;
  if (!external.has(name)) throw new Error(`${importer} imports ${name}, which is not a dependency`);
  return !isEsmOnly(name);
}

/**
 * fetch-blob and node-domexception fill in, on `globalThis`, what Node had not before version 18, and the
 * polyfill they fall back to is bigger than everything else together.
 */
const withoutPolyfills: Plugin = {
  name: 'without-polyfills',
  load(id) {
    if (id.endsWith('/fetch-blob/streams.cjs')) return '';
    if (id.endsWith('/node-domexception/index.js')) return 'export default globalThis.DOMException;';
    return undefined;
  },
};

/** What only some of the users need is loaded with the file that needs it. */
const withTheirImporter = [...bundledInBoth, ...bundledInEsm];

/** The fetch of the platform that is Node, and what it is made of: no other runtime is to load it. */
const nodeFetch = {
  name: 'node-fetch',
  test: /\/node_modules\/(node-fetch|data-uri-to-buffer|fetch-blob|formdata-polyfill|node-domexception)\//,
  priority: 2,
};
/** What is bundled for CommonJS alone stays apart, so that our own code reads the same in both builds. */
const bundledDependencies = {
  name: 'dependencies',
  test: (id: string) => isInstalled(id) && !withTheirImporter.some((name) => id.includes(`/${name}/`)),
  priority: 1,
};
/** One copy of each class, whichever entry it is imported from. */
const shared = { name: 'client', test: (id: string) => id.startsWith(join(root, 'src')), minShareCount: 2 };

async function bundle(format: Format): Promise<OutputChunk[]> {
  const extension = format === 'esm' ? 'js' : 'cjs';
  const build = await rolldown({
    cwd: root,
    input: Object.fromEntries([...entries, ...platforms].map((entry) => [entry, `src/${entry}.ts`])),
    platform: 'node',
    external: (specifier, importer) => isExternal(format, specifier, importer),
    // The ES modules of a package that has both.
    resolve: {
      mainFields: ['module', 'main'],
      alias: { [cache]: join(root, 'node_modules', cache, 'dist/esm/browser/index.min.js') },
    },
    // Each use of a constant would repeat it, and the public suffixes hold thousands: twice their size, packed.
    optimization: { inlineConst: false },
    transform: { target: 'es2022' },
    plugins: [withoutPolyfills],
    onLog: (level, log) => {
      if (level === 'warn') throw new Error(log.message);
    },
  });
  const { output } = await build.write({
    dir: join(dist, format),
    format,
    // The class stays `default` beside the other names of the CommonJS entry, and `__esModule` says so.
    exports: 'named',
    entryFileNames: `[name].${extension}`,
    chunkFileNames: `chunks/[name].${extension}`,
    codeSplitting: { groups: [nodeFetch, bundledDependencies, shared] },
  });
  await build.close();
  return output.filter((file) => file.type === 'chunk');
}

/** The relative and the bare specifiers that a declaration file names. */
function specifiersOf(declaration: string): string[] {
  const named = declaration.matchAll(/(?:\bfrom |\bimport\(|^import )(['"])([^'"]+)\1/gm);
  return [...named].map(([, , specifier]) => specifier ?? '');
}

/** Projects whose `lib` is older than the symbol are not to be asked for a newer one. */
const disposableLib = '/// <reference lib="esnext.disposable" />\n';

/** Emits the declarations of the entries and all they import; what does not type-check is not built. */
function emitDeclarations(): string {
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
  if (status !== 0) process.exit(1);
  rmSync(settings);
  return emitted;
}

/** Writes the declarations that the entries reach twice, as ESM and as CommonJS. */
function declare(): void {
  const emitted = emitDeclarations();
  const reached = new Set(entries.map((entry) => `${entry}.d.ts`));
  for (const path of reached) {
    const text = readFileSync(join(emitted, 'src', path), 'utf8');
    for (const specifier of specifiersOf(text)) {
      if (isBuiltin(specifier)) continue;
      if (isBare(specifier)) throw new Error(`${path} would make users install the types of ${specifier}`);
      reached.add(posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.d.ts'));
    }
    const complete = text.includes('Symbol.asyncDispose') ? disposableLib + text : text;
    write(join('esm', path), complete);
    write(join('cjs', path.replace(/ts$/, 'cts')), complete.replace(/(['"]\.[^'"]*)\.js(?=['"])/g, '$1.cjs'));
  }
  rmSync(emitted, { recursive: true });
}

function write(path: string, text: string): void {
  const file = join(dist, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** The folder of the installed package that a bundled module is part of. */
function packageFolder(module: string): string {
  const start = module.lastIndexOf('/node_modules/') + '/node_modules/'.length;
  return module.slice(0, start) + packageOf(module.slice(start));
}

/** A package's licence text: its own file, else that part of its readme, else what its manifest says. */
function licenceOf(folder: string): string {
  const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
  if (file !== undefined) return readFileSync(join(folder, file), 'utf8').trim();
  const readme = /^License\n-+\n([\s\S]*?Permission is hereby[\s\S]*?SOFTWARE\.)$/m.exec(
    readFileSync(join(folder, 'README.md'), 'utf8'),
  );
  if (readme?.[1] !== undefined) return readme[1].trim();
  const { license, author, homepage } = readManifest(folder);
  if (license !== 'MIT' || typeof author !== 'string') throw new Error(`${folder} has no licence to copy`);
  const text = readFileSync(join(root, 'node_modules/uuid/LICENSE.md'), 'utf8');
  return text.replace(/^Copyright.*$/m, `Copyright (c) ${author}\n${homepage ?? ''}`).trim();
}

function writeLicences(chunks: readonly OutputChunk[]): void {
  const modules = chunks.flatMap((chunk) => chunk.moduleIds).filter(isInstalled);
  const folders = [...new Set(modules.map(packageFolder))].sort();
  const parts = folders.map((folder) => {
    const { name, version } = readManifest(folder);
    return `${name} ${version}\n\n${licenceOf(folder)}\n`;
  });
  write(
    'THIRD-PARTY-LICENSES.txt',
    `Parts of these packages are bundled in this one.\n\n${parts.join(`\n${'-'.repeat(80)}\n\n`)}`,
  );
}

rmSync(dist, { recursive: true, force: true });
const chunks = [...(await bundle('esm')), ...(await bundle('cjs'))];
declare();
writeLicences(chunks);
const bytes = chunks.reduce((sum, chunk) => sum + chunk.code.length, 0);
console.log(
  `${relative(process.cwd(), dist) || 'dist'}: ${chunks.length} files, ${Math.round(bytes / 1024)} kB`,
);
