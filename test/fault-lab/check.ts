/** Runs the group of checks that its second argument names, and prints a line of JSON for each. */
import { runChecks } from './checks.js';
import { type CheckGroup, GROUPS } from './groups.js';

for (const result of await runChecks(GROUPS[process.argv[2] as CheckGroup])) {
  console.log(JSON.stringify(result));
}
console.log(JSON.stringify({ end: true }));
