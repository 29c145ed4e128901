/**
 * Packs the package and uses it as other projects would. `--all` runs every row of the compilers. Ends with the line
 * `N passed, N failed`.
 */
import { equal, ok } from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import { rolldown } from 'rolldown';
import { peersOf, readEntries } from '../../.ci/entries.js';
import { checkDocumentedPrograms } from './adobe.js';
import { checkBudgets } from './budgets.js';
import { checkCommandLine } from './command-line.js';
import { checkCompilers, checkSchemas } from './compilers.js';
import { checkLoaded } from './loaded.js';
import { installReleases } from './releases.js';
import { Report } from './report.js';
import { root, run, runTool, Sandbox } from './sandbox.js';
import { checkTarball } from './tarball.js';
import { checkTypes } from './types.js';
import { checkWeb } from './web.js';

type Testing = typeof import('target-node-sdk/testing');
type Edge = Awaited<ReturnType<Testing['startTargetEdge']>>;

/** Those that run without any other package. */
const ENTRIES = readEntries(root)
  .filter(({ path }) => peersOf(path, 'code').length === 0)
  .map(({ specifier }) => specifier);
/** The oldest that `engines` allows, one that cannot require an ES module, and the newest of the later lines. */
const RELEASES = ['20.19.0', '22.0.0', '22', '24', '26'];
/** The lines of undici that may be a peer, and the first Node.js that each of them is for. */
const UNDICI = [
  ['6', 20],
  ['7', 20],
  ['8', 22],
] as const;
/** A client with nothing left to do has to let its process end by itself. */
const MS_TO_END = 10_000;

async function checkReleases(
  report: Report,
  sandbox: Sandbox,
  edge: Edge,
): Promise<ReadonlyMap<string, string>> {
  const cwd = sandbox.project('scripts', {
    'client.mjs': 'client.mjs',
    'client.cjs': 'client.cjs',
    'edge.mjs': 'edge.mjs',
    'edge.cjs': 'edge.cjs',
    'exports.mjs': 'exports.mjs',
    'traces.cjs': 'traces.cjs',
    'traces-import.mjs': 'traces-import.mjs',
    'traces-require.cjs': 'traces-require.cjs',
  });
  let releases: ReadonlyMap<string, string> = new Map();
  await report.check(`Node ${RELEASES.join(', ')} can be had`, async () => {
    releases = await installReleases(sandbox, RELEASES);
  });
  for (const [release, node] of releases) {
    const { stdout } = await run(node, ['--version'], { cwd });
    const runs = (script: string, args: readonly string[], expected: string) => async () => {
      const outcome = await run(node, [script, ...args], { cwd, timeoutMs: MS_TO_END });
      equal(outcome.stdout, expected);
      equal(outcome.stderr, '');
    };
    const on = `on Node ${stdout.trim().slice(1)}`;
    for (const [how, extension] of [
      ['import', 'mjs'],
      ['require', 'cjs'],
    ] as const) {
      const client = runs(`client.${extension}`, [edge.host], 'hello\n');
      const traces = runs(`traces-${how}.${extension}`, ENTRIES, '');
      await report.check(`${on}, ${how}: a client gets offers, and the process ends by itself`, client);
      await report.check(`${on}, ${how}: so with the local edge`, runs(`edge.${extension}`, [], 'hello\n'));
      await report.check(`${on}, ${how}: loading the package leaves no traces`, traces);
    }
    const exports = runs('exports.mjs', ENTRIES, '');
    await report.check(`${on}: import and require give the same names`, exports);
    ok(stdout.startsWith(`v${release}`), `asked for ${release}, got ${stdout}`);
  }
  return releases;
}

/** On the newest release of each line of Node.js, by which its users install it. */
async function checkUndici(
  report: Report,
  sandbox: Sandbox,
  { releases, edge }: { readonly releases: ReadonlyMap<string, string>; readonly edge: Edge },
): Promise<void> {
  const cwd = sandbox.project('undici', { 'undici.mjs': 'undici.mjs' });
  const slow = createServer().listen(0, '127.0.0.1');
  await once(slow, 'listening');
  const { port } = slow.address() as AddressInfo;
  const args = ['undici.mjs', edge.host, `127.0.0.1:${port}`];
  for (const [line, since] of UNDICI) {
    await sandbox.installPeer(`undici@${line}`);
    for (const [release, node] of releases) {
      // Of 22 its last release, which undici 8 asks for.
      if (Number.parseInt(release, 10) < since || release === '22.0.0') {
        continue;
      }
      await report.check(
        `with undici ${line} on Node ${release}: a client gets offers, in time`,
        async () => {
          const { stdout, stderr } = await run(node, args, { cwd, timeoutMs: MS_TO_END });
          equal(stdout, 'hello\n');
          equal(stderr, '');
        },
      );
    }
  }
  slow.close();
}

async function bundleWithEsbuild(entry: string, outfile: string, format: 'esm' | 'cjs'): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile,
    format,
    bundle: true,
    platform: 'node',
    // Next.js is there when a program of it runs.
    external: ['next'],
    logLevel: 'silent',
  });
}

async function bundleWithRolldown(entry: string, outfile: string, format: 'esm' | 'cjs'): Promise<void> {
  const bundle = await rolldown({ input: entry, platform: 'node', logLevel: 'silent' });
  await bundle.write({ file: outfile, format, codeSplitting: false });
  await bundle.close();
}

async function checkBundlers(report: Report, sandbox: Sandbox, edge: Edge): Promise<void> {
  const cwd = sandbox.project('bundles', { 'client.mjs': 'client.mjs', 'client.cjs': 'client.cjs' });
  for (const [name, bundle] of [
    ['esbuild', bundleWithEsbuild],
    ['rolldown', bundleWithRolldown],
  ] as const) {
    for (const [format, extension] of [
      ['esm', 'mjs'],
      ['cjs', 'cjs'],
    ] as const) {
      await report.check(`bundled by ${name} as ${format}, a client gets offers`, async () => {
        const outfile = join(sandbox.folder, 'bundled', `${name}.${extension}`);
        await bundle(join(cwd, `client.${extension}`), outfile, format);
        const args = [outfile, edge.host];
        const { stdout } = await run(process.execPath, args, { cwd, timeoutMs: MS_TO_END });
        equal(stdout, 'hello\n');
      });
    }
  }
}

/** As in a framework that makes several bundles of one program, each with a copy of the package. */
async function checkCopies(report: Report, sandbox: Sandbox): Promise<void> {
  const cwd = sandbox.project('copies', { 'raises.mjs': 'raises.mjs', 'catches.mjs': 'catches.mjs' });
  const formats = [
    ['esm', 'mjs'],
    ['cjs', 'cjs'],
  ] as const;
  const bundleOf = async (name: string, [format, extension]: (typeof formats)[number]) => {
    const outfile = join(sandbox.folder, 'copies-bundled', `${name}.${extension}`);
    await bundleWithEsbuild(join(cwd, `${name}.mjs`), outfile, format);
    return outfile;
  };
  for (const raising of formats) {
    for (const catching of formats) {
      await report.check(
        `an error of a bundle (${raising[0]}) is a TargetError in another one (${catching[0]})`,
        async () => {
          const args = [await bundleOf('catches', catching), await bundleOf('raises', raising)];
          const { stdout } = await run(process.execPath, args, { cwd, timeoutMs: MS_TO_END });
          equal(stdout, 'recognised\n');
        },
      );
    }
  }
}

/** As in a program of Next.js, of which the proxy, the handlers and the components are bundles of their own. */
async function checkNextBundles(report: Report, sandbox: Sandbox, edge: Edge): Promise<void> {
  const files = { 'next-page.mjs': 'next-page.mjs', 'next-bundles.mjs': 'next-bundles.mjs' };
  const cwd = sandbox.project('next-bundles', files);
  for (const [format, extension] of [
    ['esm', 'mjs'],
    ['cjs', 'cjs'],
  ] as const) {
    await report.check(`three bundles of Next.js (${format}) share a client, visits and errors`, async () => {
      const bundles = ['proxy', 'handlers', 'components'].map((name) =>
        join(sandbox.folder, 'next-bundled', `${name}.${extension}`),
      );
      for (const outfile of bundles) {
        await bundleWithEsbuild(join(cwd, 'next-page.mjs'), outfile, format);
      }
      const args = ['next-bundles.mjs', edge.host, ...bundles];
      const { stdout } = await run(process.execPath, args, { cwd, timeoutMs: MS_TO_END });
      equal(stdout, 'hello\n');
    });
  }
}

async function checkJest(report: Report, sandbox: Sandbox): Promise<void> {
  await report.check('Jest with its default configuration requires the package', async () => {
    const cwd = sandbox.project('jest', { 'client.test.js': 'client.test.js' });
    sandbox.write('jest/package.json', '{ "private": true }');
    const { stderr } = await runTool('jest', ['--rootDir', cwd], { cwd });
    ok(stderr.includes('1 passed, 1 total'), stderr);
  });
}

async function main(): Promise<void> {
  const report = new Report();
  const sandbox = new Sandbox();
  await report.runAll(sandbox, async () => {
    await checkTarball(report, sandbox);
    ok(existsSync(join(sandbox.projects, 'node_modules/target-node-sdk')));
    const { startTargetEdge, html } = sandbox.require('target-node-sdk/testing') as Testing;
    const mboxes = { greeting: html('hello'), 'a1-serverside-ab': html('hello') };
    const edge = await startTargetEdge({ offers: { mboxes } });
    await checkTypes(report, sandbox);
    await checkDocumentedPrograms(report, sandbox, edge.config);
    await checkCompilers(report, sandbox, process.argv.includes('--all'));
    await checkSchemas(report, sandbox);
    await checkBundlers(report, sandbox, edge);
    await checkCopies(report, sandbox);
    await checkNextBundles(report, sandbox, edge);
    await checkBudgets(report, sandbox);
    await checkLoaded(report, sandbox);
    await checkWeb(report, sandbox);
    await checkJest(report, sandbox);
    await checkCommandLine(report, sandbox, edge);
    const releases = await checkReleases(report, sandbox, edge);
    await checkUndici(report, sandbox, { releases, edge });
  });
}

await main();
