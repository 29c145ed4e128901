/**
 * Runs every fault of the matrix against every part of the client, and prints what held. `--write` also brings
 * docs/reliability.md up to date; `--only TEXT` runs the rows whose name has the text. Ends with `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { ARTIFACT_CHECKS } from './artifact-mutations.js';
import { type CheckResult, runChecks } from './checks.js';
import { writeDocument } from './document.js';
import { FAULTS } from './faults.js';
import { HOSTILE_CHECKS } from './hostile-input.js';
import { printMatrix, type RowResult } from './matrix.js';
import { PROCESS_CHECKS } from './processes.js';
import type { CellResult } from './verdict.js';

const ROW_MS = 200_000;
const MS_TO_END = 10_000;

/** Runs one row in a process of its own. */
function runRow(index: number): Promise<RowResult> {
  const name = FAULTS[index]?.name ?? '';
  const cells: CellResult[] = [];
  const broken: string[] = [];
  const script = fileURLToPath(new URL('row.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, String(index)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [text, errors, hasEnded] = ['', '', false];
  let timer = setTimeout(() => child.kill('SIGKILL'), ROW_MS);
  const take = (line: string) => {
    const { end, stray, ...cell } = JSON.parse(line);
    if (stray !== undefined) broken.push(`(e) ${stray}`);
    else if (!end) cells.push(cell);
    else {
      hasEnded = true;
      clearTimeout(timer);
      timer = setTimeout(() => {
        broken.push(`(e) the process did not end within ${MS_TO_END} ms`);
        child.kill('SIGKILL');
      }, MS_TO_END);
    }
  };
  child.stderr.on('data', (bytes) => {
    errors += bytes;
  });
  child.stdout.on('data', (bytes) => {
    const lines = (text + bytes).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (!hasEnded)
        broken.push(`(e) the process ended in the middle: ${signal ?? code} ${errors.slice(0, 2000)}`);
      else if (code !== 0 && signal === null)
        broken.push(`(e) the process ended with ${code}: ${errors.slice(0, 2000)}`);
      resolve({ name, cells, broken });
    });
  });
}

/** Runs the slowest rows first, some at a time: they wait more than they work. */
async function runRows(only: string | undefined): Promise<RowResult[]> {
  const indices = FAULTS.map((_, index) => index).filter((index) => {
    const { name } = FAULTS[index] ?? { name: '' };
    return only === undefined || name.includes(only);
  });
  const slow = /forever|hang|stall|drip|never|ignores/;
  const queue = indices.toSorted(
    (a, b) => Number(slow.test(FAULTS[b]?.name ?? '')) - Number(slow.test(FAULTS[a]?.name ?? '')),
  );
  const results: RowResult[] = [];
  const work = async () => {
    for (let index = queue.shift(); index !== undefined; index = queue.shift()) {
      const result = await runRow(index);
      results[index] = result;
      const isHeld = result.broken.length === 0 && result.cells.every(({ broken }) => broken.length === 0);
      console.error(`${isHeld ? 'held  ' : 'BROKEN'} ${result.name}`);
    }
  };
  await Promise.all(Array.from({ length: 4 * availableParallelism() }, work));
  return results.filter((result) => result !== undefined);
}

const options = process.argv.slice(2);
const only = options.includes('--only') ? options[options.indexOf('--only') + 1] : undefined;
const started = performance.now();
const rows = await runRows(only);
const checks: CheckResult[] = [];
if (only === undefined || options.includes('--checks')) {
  for (const list of [PROCESS_CHECKS, HOSTILE_CHECKS, ARTIFACT_CHECKS])
    checks.push(...(await runChecks(list)));
}
const tally = printMatrix(rows, checks);
if (options.includes('--write')) writeDocument(rows, checks);
console.log(`${Math.round((performance.now() - started) / 1000)} s`);
console.log(`\n${tally.passed} passed, ${tally.failed} failed`);
process.exitCode = tally.failed === 0 ? 0 : 1;
