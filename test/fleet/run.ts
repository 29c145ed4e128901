/**
 * Runs the packed package as a fleet: stores on real servers, with every library that is supported, processes that
 * change together, queues whose parts crash, and the examples for other queues. `all` runs every row, and the name of a
 * part runs that part alone. Ends with the line `N passed, N failed`.
 */
import { Report } from '../package/report.js';
import { Sandbox } from '../package/sandbox.js';
import { checkChanges } from './changes.js';
import { checkServers } from './clusters.js';
import { checkCrowd } from './crowd.js';
import { checkExample } from './example.js';
import { checkFaults } from './faults.js';
import { checkFiles } from './files.js';
import { checkQueues } from './queues.js';
import { checkRecipes } from './recipes.js';
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

const PARTS: Readonly<Record<string, (run: FleetRun) => Promise<void>>> = {
  simulation: checkSimulation,
  stores: checkStores,
  servers: checkServers,
  changes: checkChanges,
  files: checkFiles,
  crowd: checkCrowd,
  faults: checkFaults,
  queues: checkQueues,
  recipes: checkRecipes,
  example: checkExample,
};

const words = process.argv.slice(2);
const isWhole = words.includes('all');
const named = Object.keys(PARTS).filter((name) => words.includes(name));

// A handler makes the signal an exit, which also ends the servers.
process.once('SIGTERM', () => process.exit(143));
const report = new Report();
const sandbox = new Sandbox();
await report.runAll(sandbox, async () => {
  await sandbox.pack();
  await sandbox.install();
  const libraries = await installLibraries(sandbox.folder);
  for (const name of named.length > 0 ? named : Object.keys(PARTS)) {
    await PARTS[name]?.({ report, sandbox, libraries, isWhole });
  }
});
