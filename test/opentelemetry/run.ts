/**
 * Runs the packed package with OpenTelemetry's own SDK and instrumentations, in the oldest and the newest line that is
 * supported: requests to the edge belong to the span of their call, whatever transport sends them, and no span names the
 * visitor. Ends with the line `N passed, N failed`.
 */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installReleases } from '../package/releases.js';
import { Report } from '../package/report.js';
import { run, runNpm, Sandbox } from '../package/sandbox.js';

type Testing = typeof import('target-node-sdk/testing');
type Edge = Awaited<ReturnType<Testing['startTargetEdge']>>;

/** A span, as the program prints it. */
interface PrintedSpan {
  readonly name: string;
  readonly kind: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly spanId: string;
  readonly parentSpanId?: string;
}

const here = dirname(fileURLToPath(import.meta.url));
/** The projects, and the release of Node.js that each runs on. SDK 3 needs 22.15 or later. */
const PROJECTS = { 'sdk-2': '20', 'sdk-3': '24' } as const;
const TRANSPORTS = ['node-fetch', 'undici fetch', 'undici request', 'global fetch'];
const FORMATS = ['import', 'require'];
/** The kinds of a span that OpenTelemetry calls INTERNAL and CLIENT. */
const INTERNAL = 0;
const CLIENT = 2;

const SESSION = 'cnrySession1234567890';
const TNT_ID = 'cnryTnt.35_0';
const COOKIE = `session#${SESSION}#9999999999|PC#${TNT_ID}#9999999999`;

const report = new Report();
const sandbox = new Sandbox();

/** Copies a project, and installs its packages and ours. */
async function install(project: string): Promise<string> {
  const cwd = join(sandbox.folder, project);
  mkdirSync(cwd);
  cpSync(join(here, project), cwd, { recursive: true, filter: (path) => !path.includes('node_modules') });
  for (const file of ['telemetry.mjs', 'program.mjs']) {
    cpSync(join(here, file), join(cwd, file));
  }
  await runNpm(['ci', '--ignore-scripts'], { cwd, timeoutMs: 600_000 });
  await runNpm(['install', '--no-save', '--ignore-scripts', sandbox.tarball], { cwd, timeoutMs: 600_000 });
  return cwd;
}

/** Checks that a call which was sent twice has two requests of its own, inside the span of the page. */
function checkSpans(printed: string): void {
  const spans: readonly PrintedSpan[] = JSON.parse(printed);
  const named = (name: string) => spans.filter((span) => span.name === name);
  const [[page], [call], requests] = [named('page'), named('target getOffers'), spans.slice(0, 2)];
  equal(spans.length, 4, printed);
  equal(call?.kind, INTERNAL);
  equal(call?.parentSpanId, page?.spanId);
  deepEqual(call?.attributes, {
    'feature_flag.provider.name': 'adobe-target',
    'adobe.target.decisioning_method': 'server-side',
    'adobe.target.decided_by': 'server-side',
    'adobe.target.mbox.count': 1,
    'adobe.target.attempts': 2,
  });
  deepEqual(
    requests.map(({ kind, parentSpanId }) => ({ kind, parentSpanId })),
    Array(2).fill({ kind: CLIENT, parentSpanId: call?.spanId }),
  );
  ok(printed.includes('sessionId=REDACTED'), printed);
  for (const secret of [SESSION, TNT_ID, 'cnry', 'hello']) {
    ok(!printed.includes(secret), `${secret} is in ${printed}`);
  }
}

async function checkProject(project: string, node: string, edge: Edge): Promise<void> {
  let cwd = '';
  await report.check(`${project}: OpenTelemetry and the package are installed`, async () => {
    cwd = await install(project);
  });
  for (const format of FORMATS) {
    for (const transport of TRANSPORTS) {
      await report.check(`${project}, ${format}, ${transport}: requests belong to their call`, async () => {
        const fault = edge.fault({ kind: 'status', status: 503 }, { times: 1 });
        const args = ['--import', './telemetry.mjs', 'program.mjs', format, transport, edge.host, COOKIE];
        const { stdout } = await run(node, args, { cwd });
        fault.clear();
        checkSpans(stdout);
      });
    }
  }
}

await report.runAll(sandbox, async () => {
  await sandbox.pack();
  await sandbox.install();
  const { html, startTargetEdge } = sandbox.require('target-node-sdk/testing') as Testing;
  const edge = await startTargetEdge({ offers: { mboxes: { greeting: html('hello') } } });
  const releases = await installReleases(sandbox, Object.values(PROJECTS));
  for (const [project, release] of Object.entries(PROJECTS)) {
    await checkProject(project, releases.get(release) ?? process.execPath, edge);
  }
  await edge.close();
});
