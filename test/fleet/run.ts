/**
 * Runs the packed package as a fleet: stores on real servers, with every library that is supported, and processes that
 * change together. `all` runs every row. Ends with the line `N passed, N failed`.
 */
import { Report } from '../package/report.js';
import { Sandbox } from '../package/sandbox.js';
import { checkChanges } from './changes.js';
import { checkExample } from './example.js';
import { checkStores } from './stores.js';

/** What a part of the runner gets. */
export interface FleetRun {
  readonly report: Report;
  /** The packed package is installed here. */
  readonly sandbox: Sandbox;
  /** True when every row is to be run. */
  readonly isWhole: boolean;
}

/** Processes that change together are timed, so they run where nothing else does: with `all`. */
const PARTS: readonly ((run: FleetRun) => Promise<void>)[] = process.argv.includes('all')
  ? [checkStores, checkChanges, checkExample]
  : [checkStores, checkExample];

const report = new Report();
const sandbox = new Sandbox();
await report.runAll(sandbox, async () => {
  await sandbox.pack();
  await sandbox.install();
  for (const part of PARTS) {
    await part({ report, sandbox, isWhole: process.argv.includes('all') });
  }
});
