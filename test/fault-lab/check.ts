/**
 * Runs the group of checks that its second argument names, and prints a line of JSON for each. SIGTERM makes it exit, which
 * also ends the servers that it started.
 */
import { runChecks } from './checks.js';
import { type CheckGroup, GROUPS } from './groups.js';

process.once('SIGTERM', () => process.exit(143));
for (const result of await runChecks(GROUPS[process.argv[2] as CheckGroup])) {
  console.log(JSON.stringify(result));
}
console.log(JSON.stringify({ end: true }));
