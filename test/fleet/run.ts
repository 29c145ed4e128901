/**
 * Runs the packed package as a fleet: stores on real servers, with every library that is supported, and processes that
 * change together. `all` runs every row. Ends with the line `N passed, N failed`.
 */
import { Report } from '../package/report.js';
import { Sandbox } from '../package/sandbox.js';
import { checkChanges } from './changes.js';
import { checkServers } from './clusters.js';
import { checkCrowd } from './crowd.js';
import { checkFaults } from './faults.js';
import { checkFiles } from './files.js';
import { installLibraries, type Library } from './redis-clients.js';
import { checkSimulation } from './simulate.js';
import { checkStores } from './stores.js';

/** What a part of the runner gets. */
export interface FleetRun {
  readonly report: Report;
  /** The packed package is installed here. */
  readonly sandbox: Sandbox;
  /** The libraries of Redis, installed in the sandbox. */
  readonly libraries: readonly Library[];
  /** True when every row is to be run. */
  readonly isWhole: boolean;
}

const PARTS: readonly ((run: FleetRun) => Promise<void>)[] = [
  checkSimulation,
  checkStores,
  checkServers,
  checkChanges,
  checkFiles,
  checkCrowd,
  checkFaults,
];

const report = new Report();
const sandbox = new Sandbox();
await report.runAll(sandbox, async () => {
  await sandbox.pack();
  await sandbox.install();
  const libraries = await installLibraries(sandbox);
  for (const part of PARTS) {
    await part({ report, sandbox, libraries, isWhole: process.argv.includes('all') });
  }
});
