import { deepEqual, equal, ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { readEntries } from '../../.ci/entries.js';
import type { Report } from './report.js';
import { root, type Sandbox } from './sandbox.js';

/** The most bytes of all of `target-node-sdk/http`, minified and gzipped, beside those of its dependency `cookie`. */
const HTTP_BYTES = 18_800;
/** The most bytes of a bundle that uses only these names of it, as middleware and pages do, with all that they need. */
const USED_BYTES: Readonly<Record<string, number>> = {
  toInlineJson: 300,
  isPrefetch: 500,
  'fromFetchRequest, toContext': 2750,
  'readCookies, toSetCookieHeaders': 4800,
  'createVisit, fromNodeRequest': 16_700,
  'beaconScript, toBeacon': 6000,
  toHandOver: 5400,
};
/** The most bytes that the entry of a framework adds to a bundle that has `target-node-sdk/http`. */
const FRAMEWORK_BYTES: Readonly<Record<string, number>> = {
  express: 800,
  fastify: 875,
  hono: 650,
  flags: 1550,
};
/** A bundle, and what is added to it. */
interface Addition {
  readonly what: string;
  readonly code: string;
  readonly to: readonly ('client' | 'http')[];
  /** The most bytes that it adds. */
  readonly budget: number;
  /** The peer that stays outside. */
  readonly peer?: string;
}

const CLIENT = "export * from 'target-node-sdk';";
const ADDITIONS: readonly Addition[] = [
  // Most programs bundle the adapter without the description of flags.
  {
    what: 'an adapter of /flags',
    code: "export { createTargetAdapter } from 'target-node-sdk/flags';",
    to: ['http'],
    budget: 900,
  },
  { what: '/mboxes', code: whole('mboxes'), to: ['client'], budget: 1700 },
  { what: '/next', code: whole('next'), to: ['client', 'http'], budget: 4600, peer: 'next' },
  {
    what: '/stores/file',
    code: "export * from 'target-node-sdk/stores/file';",
    to: ['client'],
    budget: 2850,
  },
  {
    what: '/stores/redis',
    code: "export * from 'target-node-sdk/stores/redis';",
    to: ['client'],
    budget: 3300,
  },
  {
    what: '/openfeature',
    code: whole('openfeature'),
    to: ['client', 'http'],
    budget: 4250,
    peer: '@openfeature/server-sdk',
  },
  { what: '/queues/bullmq', code: whole('queues/bullmq'), to: ['client'], budget: 1200 },
  {
    what: '/opentelemetry',
    code: whole('opentelemetry'),
    to: ['client', 'http'],
    budget: 2300,
    peer: '@opentelemetry/api',
  },
];
/** Names of the client's own parts, which minifying keeps. */
const OF_THE_CLIENT = /\/rest\/v1\/delivery|assets\.adobetarget\.com|X-EXC-SDK/;

/** Libraries of servers, of which a user brings one along. */
const ENGINES = /redis|valkey|bull|kafka|nats|sqs|memcached/i;
/** The files of the package that only visits, adapters, stores, queues and tests need. */
const OF_ADAPTERS =
  /dist\/esm\/(?:adapters\/|queues\/|stores\/|testing\/|tools\/|cli\/|chunks\/(?:requests|visits|adapters|tools)\.)/;

/** The files of adapters and visits that have code in a bundle of the core. */
async function adaptersInCore(cwd: string): Promise<string[]> {
  const { metafile } = await build({
    stdin: { contents: "export { TargetClient } from 'target-node-sdk';", resolveDir: cwd },
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'silent',
  });
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  return inputs.flatMap(([path, { bytesInOutput }]) =>
    bytesInOutput > 0 && OF_ADAPTERS.test(path) ? [path] : [],
  );
}

/** The packages of which a bundle has files, or which it leaves to be imported. */
async function packagesIn(cwd: string, contents: string): Promise<string[]> {
  const { metafile } = await build({
    stdin: { contents, resolveDir: cwd },
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'silent',
  });
  const left = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path));
  const paths = [...Object.keys(metafile.inputs), ...left.filter((path) => !isBuiltin(path))];
  const names = paths.map(
    (path) => /(?:^|node_modules\/)((?:@[^/]+\/)?[^/]+)(?!.*node_modules)/.exec(path)?.[1],
  );
  return [...new Set(names.filter((name) => name !== undefined && name !== '<stdin>'))] as string[];
}

/** A bundle of a module, with everything that it imports. */
async function bundle(
  cwd: string,
  contents: string,
  platform: 'browser' | 'node',
  external: string[] = [],
): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: cwd },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform,
    external,
    logLevel: 'silent',
  });
  return outputFiles.map(({ text }) => text).join('\n');
}

/** A module with all names of an entry. */
function whole(entry: string): string {
  return `export * as ${entry.replace('/', '_')} from 'target-node-sdk/${entry}';`;
}

function gzippedBytes(text: string): number {
  return gzipSync(text, { level: 9 }).length;
}

/** The most bytes of the command line with the packages that it bundles, minified and gzipped. */
const COMMAND_LINE_BYTES = 23_500;

/** The command line is loaded by nobody's program, so its size counts only in the package. */
async function checkCommandLineBytes(report: Report, { installed }: Sandbox): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: [join(installed, 'dist/esm/cli/bin.js')],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'node',
    external: ['target-node-sdk'],
    logLevel: 'silent',
  });
  const bytes = gzippedBytes(outputFiles.map(({ text }) => text).join('\n'));
  await report.check(`the command line has at most ${COMMAND_LINE_BYTES} bytes: ${bytes}`, () =>
    ok(bytes <= COMMAND_LINE_BYTES, `${bytes} bytes`),
  );
}

/** The most bytes of the code of the tools in the package, gzipped, without the library that checks their schema. */
const TOOLS_BYTES = 27_000;

/** The tools are packed once, so their files are what they weigh. */
async function checkToolsBytes(report: Report, { installed }: Sandbox): Promise<void> {
  const files = ['chunks/tools.cjs', 'tools/tools.cjs'];
  const texts = files.map((file) => readFileSync(join(installed, 'dist/cjs', file), 'utf8'));
  const bytes = texts.reduce((sum, text) => sum + gzippedBytes(text), 0);
  await report.check(`the tools have at most ${TOOLS_BYTES} bytes: ${bytes}`, () =>
    ok(bytes <= TOOLS_BYTES, `${bytes} bytes`),
  );
}

/** What the entries for web frameworks weigh, and that they bring neither Node nor the client along. */
export async function checkBudgets(report: Report, sandbox: Sandbox): Promise<void> {
  const cwd = sandbox.project('budgets', {});
  await checkCommandLineBytes(report, sandbox);
  await checkToolsBytes(report, sandbox);
  let httpBytes = 0;
  let cookieBytes = 0;
  await report.check('a bundle of /http for browsers has nothing of Node or of the client', async () => {
    const script = await bundle(cwd, whole('http'), 'browser');
    ok(!/["'`]node:|node-fetch|undici/.test(script), 'it imports from Node');
    equal(OF_THE_CLIENT.exec(script)?.[0], undefined);
    httpBytes = gzippedBytes(script);
    cookieBytes = httpBytes - gzippedBytes(await bundle(cwd, whole('http'), 'browser', ['cookie']));
  });
  const own = httpBytes - cookieBytes;
  await report.check(`/http has at most ${HTTP_BYTES} bytes: ${own}, and ${cookieBytes} of cookie`, () =>
    ok(own <= HTTP_BYTES, `${own} bytes`),
  );
  for (const [names, budget] of Object.entries(USED_BYTES)) {
    const used = gzippedBytes(
      await bundle(cwd, `export { ${names} } from 'target-node-sdk/http';`, 'browser'),
    );
    await report.check(`a bundle of ${names} has at most ${budget} bytes: ${used}`, () =>
      ok(used <= budget, `${used} bytes`),
    );
  }
  await report.check('a bundle of the client has no byte of an adapter or of visits', async () =>
    equal((await adaptersInCore(cwd)).join(), ''),
  );
  await report.check('the client, stores and queues bring no engine along', async () => {
    const { dependencies } = JSON.parse(readFileSync(join(sandbox.installed, 'package.json'), 'utf8'));
    const code = ['stores/file', 'stores/redis', 'queues/bullmq'].map(whole).join('') + CLIENT;
    const found = await packagesIn(cwd, code);
    ok(found.includes('target-node-sdk') && found.includes('lru-cache'), found.join());
    deepEqual(
      found.filter((name) => ENGINES.test(name)),
      [],
    );
    equal(ENGINES.exec(Object.keys(dependencies).join())?.[0], undefined);
  });
  const known = readEntries(root).map(({ specifier }) => specifier);
  for (const [entry, budget] of Object.entries(FRAMEWORK_BYTES)) {
    // An entry is in the list of budgets before it is in the package.
    if (known.includes(`target-node-sdk/${entry}`)) {
      const script = await bundle(cwd, whole('http') + whole(entry), 'node');
      const added = gzippedBytes(script) - httpBytes;
      await report.check(`/${entry} adds at most ${budget} bytes to /http: ${added}`, () => {
        equal(OF_THE_CLIENT.exec(script)?.[0], undefined);
        ok(added <= budget, `${added} bytes`);
      });
    }
  }
  for (const { what, code, to, budget, peer } of ADDITIONS) {
    const before = to.map((base) => (base === 'http' ? whole('http') : CLIENT)).join('');
    const sizeOf = async (contents: string) =>
      gzippedBytes(await bundle(cwd, contents, 'node', peer === undefined ? [] : [peer]));
    const added = (await sizeOf(before + code)) - (await sizeOf(before));
    await report.check(`${what} adds at most ${budget} bytes to ${to.join(' and ')}: ${added}`, () =>
      ok(added <= budget, `${added} bytes`),
    );
  }
}
