/**
 * Runs the servers of docs/frameworks.md in the real frameworks, with the packed package, over HTTP, and flags in the SDK of
 * OpenFeature: in the newest versions, with `oldest` in the oldest that are supported, and with `all` in both. Ends with the
 * line `N passed, N failed`.
 */
import { deepEqual } from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Report } from '../package/report.js';
import { root, run, runNpm, runTool, Sandbox } from '../package/sandbox.js';
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

/** What the rules and the edge answer: an activity for all, with one experience. */
const FLAGS = { color: 'red', isNew: true };
const SHOP = {
  ruleKey: '1',
  activityId: 1,
  meta: { 'activity.id': 1, 'activity.type': 'ab', 'experience.id': 0, 'experience.name': 'Red' },
  condition: true,
  consequence: {
    name: 'shop',
    options: [{ type: 'json', content: FLAGS, eventToken: 'token' }],
    metrics: [],
  },
};
const ARTIFACT = {
  version: '1.0.0',
  meta: { clientCode: 'demo', environment: 'production' },
  globalMbox: 'target-global-mbox',
  geoTargetingEnabled: false,
  responseTokens: ['activity.type', 'experience.name'],
  remoteMboxes: [],
  remoteViews: [],
  localMboxes: ['shop'],
  localViews: [],
  rules: { mboxes: { shop: [SHOP] }, views: {} },
};

/** Runs the program that reads flags through OpenFeature's SDK of a row. */
async function playOpenFeature(row: string, cwd: string): Promise<void> {
  const manifest = join(cwd, 'node_modules/@openfeature/server-sdk/package.json');
  const { version } = JSON.parse(readFileSync(manifest, 'utf8'));
  const testing: Testing = createRequire(join(cwd, 'package.json'))('target-node-sdk/testing');
  await report.check(`${row}: flags through OpenFeature ${version}`, async () => {
    const edge = await testing.startTargetEdge({ artifact: ARTIFACT });
    const config = { ...edge.config, artifactLocation: edge.artifactUrl, timeout: PATIENT_MS };
    const tsx = pathToFileURL(join(root, 'node_modules/tsx/dist/loader.mjs')).href;
    const env = { TARGET_CONFIG: JSON.stringify(config) };
    const servers = join(cwd, 'servers');
    const { stdout } = await run(process.execPath, ['--import', tsx, 'openfeature.ts'], {
      cwd: servers,
      env,
    });
    const expected = {
      status: 'READY',
      color: ['red', 'SPLIT', 'Red'],
      isNew: true,
      missing: [5, 'FLAG_NOT_FOUND'],
      all: FLAGS,
      conversions: true,
      events: ['PROVIDER_READY'],
    };
    deepEqual(JSON.parse(stdout), [expected, expected, expected]);
    deepEqual(
      edge.requests.flatMap(({ violations }) => violations),
      [],
    );
    await edge.close();
  });
}

await report.runAll(
  sandbox,
  async () => {
    await sandbox.pack();
    for (const row of rows) {
      let cwd = '';
      await report.check(`${row}: the frameworks and the package are installed`, async () => {
        cwd = await install(row);
      });
      await report.check(`${row}: the servers compile`, () => runTool('typescript', ['-p', cwd], { cwd }));
      await playOpenFeature(row, cwd);
      await playServers(row, cwd);
    }
  },
  () => {
    killServers();
  },
);
