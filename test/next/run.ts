/**
 * Builds and starts the Next.js example with the packed package, and drives it over HTTP and in headless Chromium: in the
 * newest Next.js, and with `all` in every row of rows.ts. A row that is named, and `all`, also build wrong pages, one build
 * for each kind. Ends with the line `N passed, N failed`.
 */
import { startTargetEdge } from 'target-node-sdk/testing';
import { Report } from '../package/report.js';
import { Sandbox } from '../package/sandbox.js';
import { type Browser, launchChromium } from './browser.js';
import { actionChecks } from './checks/actions.js';
import { beaconChecks } from './checks/beacon.js';
import { countingChecks } from './checks/counting.js';
import { checkCacheComponents, checkFrozen } from './checks/frozen.js';
import { isolationChecks } from './checks/isolation.js';
import { checkHotReload, checkSignal } from './checks/lifetime.js';
import { pageChecks } from './checks/pages.js';
import { Project } from './project.js';
import { ROWS, type Row } from './rows.js';
import { killServers, startServer } from './server.js';
import { offers, runChecks } from './stage.js';

const wanted = process.argv[2];
const rows =
  wanted === 'all' ? ROWS : ROWS.filter(({ name }, position) => (wanted ? name === wanted : position === 0));
const CHECKS = [pageChecks, actionChecks, countingChecks, beaconChecks, isolationChecks];

const report = new Report();
const sandbox = new Sandbox();

async function tryRow(row: Row, browser: Browser): Promise<void> {
  let project: Project | undefined;
  await report.check(`${row.name}: Next.js and the package are installed`, async () => {
    project = await Project.install(sandbox, row);
  });
  if (!project) {
    return;
  }
  const built = project;
  const name = `${row.name} (${built.version})`;
  const edge = await startTargetEdge({ offers, maxRequests: 5_000 });
  const isBuilt = await report.check(`${name}: the example builds without an account`, () => built.build());
  if (isBuilt) {
    await report.check(`${name}: the example runs`, async () => {
      const mode = row.isStandalone ? 'standalone' : 'start';
      const server = await startServer({ project: built, edge, mode });
      for (const checks of CHECKS) {
        await runChecks({ name, edge, server, browser, report }, checks);
      }
      await server.stop();
    });
    if (row.isThorough) {
      await checkSignal({ name, project: built, edge, report });
      await checkHotReload({ name, project: built, edge, report });
    }
    if (row.isThorough && wanted) {
      await checkFrozen({ name, project: built, edge, report });
      if (!row.isBefore16) {
        await checkCacheComponents({ name, project: built, edge, report });
      }
    }
  }
  killServers();
  await edge.close();
  built.remove('.');
}

let browser: Browser | undefined;
await report.runAll(
  sandbox,
  async () => {
    await sandbox.pack();
    browser = await launchChromium();
    for (const row of rows) {
      await tryRow(row, browser);
    }
  },
  async () => {
    await browser?.close();
    killServers();
  },
);
