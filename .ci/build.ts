/**
 * Builds `dist`: ESM and CommonJS with their declarations, and the licences of what was bundled. What is bundled, and
 * why, is in docs/decisions/bundling.md.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { build as buildWithEsbuild } from 'esbuild';
import { type OutputChunk, type Plugin, rolldown } from 'rolldown';
import { parseAst } from 'rolldown/parseAst';
import type { MinifyOptions } from 'rolldown/utils';
import { bundleCommandLine } from './command-line.js';
import { writeDeclarations } from './declarations.js';
import { readEntries } from './entries.js';
import { writeLicences } from './licences.js';
import {
  dist,
  isBare,
  isInstalled,
  manifest,
  packageFolder,
  packageOf,
  readManifest,
  root,
} from './manifest.js';
import { write } from './write.js';

type Format = 'esm' | 'cjs';

const entries = readEntries(root).map(({ path }) => path);
/**
 * The entries for tests and for people with questions are big, and servers do not run them. So each is packed once: its
 * ES module passes on what the CommonJS module has.
 */
const packedOnce: readonly string[] = ['testing/edge', 'tools/tools'];
const platforms = ['platform/node', 'platform/web'];
const peers = new Set(Object.keys(manifest.peerDependencies ?? {}));
const declared = new Set([...Object.keys(manifest.dependencies ?? {}), ...peers]);

/** A package that the local edge and the tools alone need. It is bundled, so people who use neither do not install it. */
const ofTheLocalEdge = '@cfworker/json-schema';

/** Specifiers that stay as they are: the manifest's `imports` resolve them by the platform that the package runs on. */
const platformSpecifiers = new Set(Object.keys(manifest.imports ?? {}));

/** Dependencies that are another file on another platform, by the specifier that the manifest's `imports` resolve. */
const byPlatform = new Map([
  ['lru-cache', '#lru-cache'],
  ['tldts', '#tldts'],
]);
/** A build of lru-cache for runtimes without Node. The build for Node asks for `node:diagnostics_channel`. */
const webCache = 'node_modules/lru-cache/dist/esm/browser/index.min.js';
/**
 * Node scans the text of a CommonJS package for names when an ES module imports it. With all the public suffixes in it
 * that takes four times as long as running it, a third of a cold start. `require` does not scan.
 */
const tldtsOnNode = `import { createRequire } from 'node:module';
export const { parse } = createRequire(import.meta.url)('tldts');
`;

/** `require` of an ES module needs Node 20.19 or 22.12 and fails in Jest, so these go into the CommonJS build. */
function isEsmOnly(name: string): boolean {
  const file = createRequire(join(root, 'package.json')).resolve(name);
  if (/\.[cm]js$/.test(file)) {
    return file.endsWith('.mjs');
  }
  let folder = dirname(file);
  while (!existsSync(join(folder, 'package.json'))) {
    folder = dirname(folder);
  }
  return readManifest(folder).type === 'module';
}

function isExternal(format: Format, specifier: string, importer: string | undefined): boolean {
  if (isBuiltin(specifier) || platformSpecifiers.has(specifier)) {
    return true;
  }
  const name = packageOf(specifier);
  // A plugin makes it another specifier, which is external.
  if (byPlatform.has(specifier)) {
    return false;
  }
  if (!isBare(specifier) || isInstalled(importer) || name === ofTheLocalEdge) {
    return false;
  }
  if (!declared.has(name)) {
    throw new Error(`${importer} imports ${name}, which is not a dependency`);
  }
  // Peers are those of the program, and need not be installed here.
  return format === 'esm' || peers.has(name) || !isEsmOnly(name);
}

/** Leaves it to the manifest which file of a dependency is loaded. */
const dependenciesByPlatform: Plugin = {
  name: 'dependencies-by-platform',
  resolveId: (id) => {
    const specifier = byPlatform.get(id);
    return specifier === undefined ? null : { id: specifier, external: true };
  },
};

/**
 * Leaves out polyfills. The packages fetch-blob and node-domexception fill in, on `globalThis`, what Node did not have
 * before version 18. The polyfill that they fall back to is bigger than everything else together.
 */
const withoutPolyfills: Plugin = {
  name: 'without-polyfills',
  load(id) {
    if (id.endsWith('/fetch-blob/streams.cjs')) {
      return '';
    }
    if (id.endsWith('/node-domexception/index.js')) {
      return 'export default globalThis.DOMException;';
    }
    return undefined;
  },
};

/** The ES modules can be read and debugged: variables within functions are short, lines stay, and notes for bundlers. */
const shortened: MinifyOptions = {
  compress: false,
  mangle: { toplevel: false, keepNames: true },
  codegen: { removeWhitespace: false },
};

/** Node reads the names that a CommonJS module exports from its text, so these variables keep their names. */
const COMMONJS_NAMES = ['exports', 'module', 'require'];
/** The same code is in the ES modules, so in CommonJS it has what stack traces need: names of functions, and lines. */
const compacted: MinifyOptions = {
  compress: { target: 'es2022', keepNames: { function: true, class: true } },
  mangle: { toplevel: true, keepNames: true, reserved: COMMONJS_NAMES },
};

/** Gives each statement of a CommonJS module of ours a line, and each member of a class. */
const linesOfCommonJs: Plugin = {
  name: 'lines-of-commonjs',
  generateBundle({ format }, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (format === 'cjs' && chunk.type === 'chunk' && !chunk.moduleIds.every((id) => isInstalled(id))) {
        chunk.code = inLines(chunk.code);
      }
    }
  },
};

function inLines(code: string): string {
  const starts = parseAst(code, { sourceType: 'commonjs' }).body.flatMap((statement) => [
    statement.start,
    ...(statement.type === 'ClassDeclaration' ? statement.body.body.map(({ start }) => start) : []),
  ]);
  return [0, ...starts].map((start, index) => code.slice(start, starts[index])).join('\n');
}

/** The fetch of the platform that is Node, and what it is made of: no other runtime is to load it. */
const nodeFetch = {
  name: 'node-fetch',
  test: /\/node_modules\/(node-fetch|data-uri-to-buffer|fetch-blob|formdata-polyfill|node-domexception)\//,
};
/** The part that users of the local edge and of the tools alone load. */
const jsonSchema = { name: 'json-schema', test: new RegExp(`/node_modules/${ofTheLocalEdge}/`) };
const bundledDependencies = { name: 'dependencies', test: isInstalled };
/** Loads node:zlib, which takes milliseconds, so it is loaded with the first call and not with the connections. */
const contentCodings = {
  name: 'content-codings',
  test: (id: string) => id === join(root, 'src/http/content-codings.ts'),
};
/** Our own connections: runtimes without Node must not load them with what else the entries share. */
const connections = {
  name: 'connections',
  test: (id: string) => id.startsWith(join(root, 'src')) && /from 'node:/.test(readFileSync(id, 'utf8')),
  minShareCount: 2,
};
/** All that the entry for HTTP runs: browsers and middleware must not load the client with it. */
const ofHttp = await filesOf('adapters/http');
const words = {
  name: 'words',
  test: (id: string) => ofHttp.has(id) && !/\/src\/(visits|adapters)\//.test(id),
  minShareCount: 2,
};
/** Visits and adapters: programs that use the client alone must not load them with the words that both use. */
const visits = { name: 'visits', test: /\/src\/visits\//, minShareCount: 2 };
/** The functions that read a request: middleware that needs one of them must not load visits. */
const ofRequests =
  /\/src\/visits\/(context|cookie-header|cookies|ecid|ecid-cookies|incoming-request|inline-json|page-url|qa-mode|redirect|unseen-request)\.ts$/;
const requests = { name: 'requests', test: ofRequests, minShareCount: 2 };
/** The tools, which the local edge shows too. Adapters use one of their files: what it imports must not come with it. */
const tools = { name: 'tools', test: /\/src\/tools\/(?!experiences)/, minShareCount: 2 };
const adapters = { name: 'adapters', test: /\/src\/adapters\//, minShareCount: 2 };
/** One copy of each class, whichever entry it is imported from. */
const shared = {
  name: 'client',
  test: (id: string) => id.startsWith(join(root, 'src')) && !isOfEngine(id) && !/\/src\/tools\//.test(id),
  minShareCount: 2,
};
/** The engine that decides on-device, which tools use too: a client that asks the edge alone must not load it. */
const engine = { name: 'engine', test: isOfEngine, minShareCount: 2 };

function isOfEngine(id: string): boolean {
  return /\/src\/on-device\/(?!lazy-decider)/.test(id);
}

/** The files of `src` that are left in a bundle of one entry. */
async function filesOf(entry: string): Promise<ReadonlySet<string>> {
  const { metafile } = await buildWithEsbuild({
    absWorkingDir: root,
    entryPoints: [`src/${entry}.ts`],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    packages: 'external',
  });
  const files = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs));
  return new Set(files.map((path) => join(root, path)));
}

async function bundle(format: Format): Promise<OutputChunk[]> {
  const extension = format === 'esm' ? 'js' : 'cjs';
  const build = await rolldown({
    cwd: root,
    input: Object.fromEntries(
      [...entries, ...platforms]
        .filter((entry) => format === 'cjs' || !packedOnce.includes(entry))
        .map((entry) => [entry, `src/${entry}.ts`]),
    ),
    platform: 'node',
    external: (specifier, importer) => isExternal(format, specifier, importer),
    // The ES modules of a package that has both.
    resolve: { mainFields: ['module', 'main'] },
    // Each use of a constant would repeat it.
    optimization: { inlineConst: false },
    transform: { target: 'es2022' },
    // Without comments that name the source file of each part.
    experimental: { attachDebugInfo: 'none' },
    plugins: [dependenciesByPlatform, withoutPolyfills, linesOfCommonJs],
    onLog: throwOnWarning,
  });
  const { output } = await build.write({
    dir: join(dist, format),
    format,
    // The class stays `default` beside the other names of the CommonJS entry, and `__esModule` says so.
    exports: 'named',
    entryFileNames: `[name].${extension}`,
    chunkFileNames: `chunks/[name].${extension}`,
    codeSplitting: {
      groups: [
        // A file is in the first group that wants it, and a group takes along what its files import.
        ...[words, requests, visits, adapters, contentCodings, nodeFetch, jsonSchema, connections],
        ...[bundledDependencies, shared, engine, tools],
      ],
    },
    // Users read them in the declarations, which editors show; here they would be a quarter of the package.
    comments: { jsdoc: false },
    minify: format === 'esm' ? shortened : compacted,
  });
  await build.close();
  const chunks = output.filter((file) => file.type === 'chunk');
  refuseDoubles(format, chunks);
  return chunks;
}

function throwOnWarning(level: string, log: { readonly message: string; readonly code?: string }): void {
  // A busy machine makes any plugin slow.
  if (log.code === 'PLUGIN_TIMINGS' || log.code === 'BUNDLER_TIMINGS') {
    return;
  }
  if (level === 'warn') {
    throw new Error(log.message);
  }
}

/** A package of which users patch one copy must not run from another one. */
function refuseDoubles(format: Format, chunks: readonly OutputChunk[]): void {
  const imported = new Set(
    format === 'esm' ? declared : chunks.flatMap((chunk) => chunk.imports.map(packageOf)),
  );
  const bundled = chunks.flatMap((chunk) => chunk.moduleIds.filter(isInstalled).map(packageFolder));
  for (const { name } of new Set(bundled.map(readManifest))) {
    if (imported.has(name)) {
      throw new Error(`${name} is bundled in the ${format} build, which imports it too`);
    }
  }
}

/** Writes the ES modules of the entries that are packed once. */
function writePassOns(chunks: readonly OutputChunk[]): void {
  for (const entry of packedOnce) {
    const names = chunks.find(({ name }) => name === entry)?.exports ?? [];
    write(`esm/${entry}.js`, `export { ${names.join(', ')} } from '../../cjs/${entry}.cjs';\n`);
  }
}

/** The cache for runtimes without Node, in a folder of its own. They run bundles, whose bundlers mix both formats. */
async function bundleWebCache(): Promise<OutputChunk[]> {
  const build = await rolldown({ cwd: root, input: webCache, onLog: throwOnWarning });
  const file = join(dist, 'web/lru-cache.js');
  const { output } = await build.write({ file, format: 'esm', minify: true });
  await build.close();
  return output.filter((chunk) => chunk.type === 'chunk');
}

rmSync(dist, { recursive: true, force: true });
const commonJs = await bundle('cjs');
const chunks = [
  ...(await bundle('esm')),
  ...commonJs,
  ...(await bundleWebCache()),
  ...(await bundleCommandLine(throwOnWarning)),
];
writePassOns(commonJs);
write('node/tldts.js', tldtsOnNode);
writeDeclarations(entries);
writeLicences(chunks);
const bytes = chunks.reduce((sum, chunk) => sum + chunk.code.length, 0);
console.log(
  `${relative(process.cwd(), dist) || 'dist'}: ${chunks.length} files, ${Math.round(bytes / 1024)} kB`,
);
