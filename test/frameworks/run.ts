/**
 * Runs the servers of docs/frameworks.md in the real frameworks, with the packed package, over HTTP: in the newest
 * versions, with `oldest` in the oldest that are supported, and with `all` in both. Ends with the line `N passed, N failed`.
 */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Report } from '../package/report.js';
import { runNpm, runTool, Sandbox } from '../package/sandbox.js';
import { offersOf, playOutage, playScenario } from './scenario.js';
import { killServers, startServer } from './server.js';

type Testing = typeof import('target-node-sdk/testing');

const here = dirname(fileURLToPath(import.meta.url));
const wanted = process.argv[2] || 'newest';
const rows = wanted === 'all' ? ['newest', 'oldest'] : [wanted];

/** The servers, with the package whose version is shown. */
const SERVERS: readonly (readonly [name: string, framework: string | undefined])[] = [
  ['express', 'express'],
  ['fastify', 'fastify'],
  ['hono', 'hono'],
  ['koa', 'koa'],
  ['nest', '@nestjs/core'],
  ['node-http', undefined],
  ['lambda', undefined],
  ['fetch', undefined],
];

/** Together 10 000 in the servers of a row. */
const REQUESTS = 10_000 / SERVERS.length;
/** Longer than any call takes, on a busy machine too. */
const PATIENT_MS = 60_000;
/** The time limit of visits whose edge does not answer. */
const HASTY_MS = 300;

/** Parameters with decorators are for NestJS. The frameworks' own declarations are not checked. */
const COMPILER_OPTIONS = {
  target: 'es2022',
  module: 'nodenext',
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  experimentalDecorators: true,
  types: ['node'],
};

const report = new Report();
const sandbox = new Sandbox();

/** Copies the project of a row, and installs its packages and ours. */
async function install(row: string): Promise<string> {
  const cwd = join(sandbox.folder, row);
  mkdirSync(cwd);
  cpSync(join(here, row), cwd, { recursive: true, filter: (path) => !path.includes('node_modules') });
  for (const folder of ['servers', 'harness']) {
    cpSync(join(here, folder), join(cwd, 'servers'), { recursive: true });
  }
  writeFileSync(
    join(cwd, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: COMPILER_OPTIONS, include: ['servers'] }),
  );
  await runNpm(['ci', '--ignore-scripts'], { cwd, timeoutMs: 600_000 });
  await runNpm(['install', '--no-save', '--ignore-scripts', sandbox.tarball], { cwd, timeoutMs: 600_000 });
  return cwd;
}

async function playServers(row: string, cwd: string): Promise<void> {
  const testing: Testing = createRequire(join(cwd, 'package.json'))('target-node-sdk/testing');
  for (const [server, framework] of SERVERS) {
    const manifest = framework && join(cwd, 'node_modules', framework, 'package.json');
    const version = manifest ? ` ${JSON.parse(readFileSync(manifest, 'utf8')).version}` : '';
    const name = `${row}: ${server}${version}`;
    const edge = await testing.startTargetEdge({ offers: offersOf(testing), maxRequests: 100 });
    await report.check(`${name}: pages are as they should be`, async () => {
      const patient = await startServer(cwd, server, { ...edge.config, timeout: PATIENT_MS });
      await playScenario({ name, server: patient, edge, report, requests: REQUESTS });
      await patient.stop();
      const hasty = await startServer(cwd, server, { ...edge.config, timeout: HASTY_MS });
      await playOutage({ name, server: hasty, edge, report });
      await hasty.stop();
    });
    killServers();
    await edge.close();
  }
}

try {
  await sandbox.pack();
  for (const row of rows) {
    let cwd = '';
    await report.check(`${row}: the frameworks and the package are installed`, async () => {
      cwd = await install(row);
    });
    await report.check(`${row}: the servers compile`, () => runTool('typescript', ['-p', cwd], { cwd }));
    await playServers(row, cwd);
  }
} catch (error) {
  await report.check('the checks themselves run', () => Promise.reject(error));
} finally {
  killServers();
  sandbox.remove();
}
const { passed, failed } = report.tally;
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
