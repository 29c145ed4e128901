import type { CheckResult } from './checks.js';
import { groupExcuses } from './excuses.js';
import { excuseOf, FAULTS, PHASES, type Phase, TARGETS, type Target } from './faults.js';
import { type CellResult, PROMISES } from './verdict.js';

/** What came out of one row. */
export interface RowResult {
  readonly name: string;
  readonly cells: readonly CellResult[];
  /** What is wrong with the process of the row. */
  readonly broken: readonly string[];
}

/** Prints the whole matrix, what broke in it, and why cells are missing. */
export function printMatrix(rows: readonly RowResult[], checks: readonly CheckResult[]) {
  const width = Math.max(...FAULTS.map(({ name }) => name.length));
  console.log(
    Object.entries(PROMISES)
      .map(([letter, promise]) => `(${letter}) ${promise}`)
      .join('\n'),
  );
  console.log(`\n${' '.repeat(width)}  ${TARGETS.map((target) => target.padEnd(15)).join('')}`);
  console.log(`${' '.repeat(width)}  ${TARGETS.map(() => 'cold warm mid  ').join('')}process`);
  for (const row of rows) {
    const shown = TARGETS.flatMap((target) => PHASES.map((phase) => signOf(row, target, phase).padEnd(5)));
    console.log(`${row.name.padEnd(width)}  ${shown.join('')}${row.broken.length === 0 ? 'held' : 'BROKEN'}`);
  }
  console.log('\nheld: every promise that applies · –: does not apply, as said below\n');
  for (const { why, faults, cells } of groupExcuses()) {
    console.log(`– ${why} ${faults.join('; ')}: ${cells.join(', ')}`);
  }
  for (const { input, ours, broken, ms } of checks) {
    console.log(`${broken === undefined ? 'ok  ' : 'FAIL'} ${input}: ${broken ?? ours} (${ms} ms)`);
  }
  const broken = [...rows.flatMap(brokenOf), ...checks.filter(({ broken: why }) => why !== undefined)];
  for (const line of rows.flatMap(brokenOf)) {
    console.log(`FAIL ${line}`);
  }
  const held = rows.flatMap(({ cells }) => cells).filter((cell) => cell.broken.length === 0).length;
  const ended = rows.filter((row) => row.broken.length === 0).length;
  const passed = held + ended + checks.filter(({ broken: why }) => why === undefined).length;
  return { passed, failed: broken.length };
}

function signOf({ name, cells }: RowResult, target: Target, phase: Phase): string {
  const cell = cells.find((one) => one.target === target && one.phase === phase);
  if (cell) {
    return cell.broken.length === 0 ? 'held' : 'FAIL';
  }
  const row = FAULTS.find((fault) => fault.name === name);
  return row && excuseOf(row, target, phase) ? '–' : 'LOST';
}

/** A line for each cell that broke, and one for the process. */
function brokenOf({ name, cells, broken }: RowResult): string[] {
  const row = FAULTS.find((fault) => fault.name === name);
  const lost = TARGETS.flatMap((target) =>
    PHASES.filter(
      (phase) =>
        row &&
        !excuseOf(row, target, phase) &&
        !cells.some((cell) => cell.target === target && cell.phase === phase),
    ).map((phase) => `${name}, ${target} ${phase}: no result`),
  );
  const failed = cells.filter((cell) => cell.broken.length > 0);
  return [
    ...failed.map((cell) => `${name}, ${cell.target} ${cell.phase}: ${cell.broken.join('; ')}`),
    ...lost,
    ...(broken.length === 0 ? [] : [`${name}, its process: ${broken.join('; ')}`]),
  ];
}
