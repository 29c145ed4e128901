import type { CheckResult } from './checks.js';
import { groupExcuses } from './excuses.js';
import { excuseOf, FAULTS, type FaultRow, PHASES, TARGETS, type Target } from './faults.js';
import type { RowResult } from './matrix.js';

/** The tables of docs/reliability.md, by the names of their marks. */
export function toTables(
  rows: readonly RowResult[],
  checks: readonly CheckResult[],
): Readonly<Record<string, string>> {
  return { matrix: toMatrix(rows), excuses: toExcuses(), checks: toChecks(checks) };
}

function toMatrix(rows: readonly RowResult[]): string {
  const lines = rows.map(({ name, cells, broken }) => {
    const row = FAULTS.find((fault) => fault.name === name);
    if (!row) {
      throw new Error(`no fault is named ${name}`);
    }
    const shown = TARGETS.map((target) => {
      const own = cells.filter((cell) => cell.target === target);
      return toWord(row, target, own.filter((cell) => cell.broken.length === 0).length);
    });
    return toLine([name, row.ours, ...shown, broken.length === 0 ? 'held' : 'FAILED']);
  });
  return [...toHead(['fault', 'what the client does', ...TARGETS, 'process']), ...lines].join('\n');
}

function toWord(row: FaultRow, target: Target, held: number): string {
  const wanted = PHASES.filter((phase) => excuseOf(row, target, phase) === undefined).length;
  if (wanted === 0) {
    return '–';
  }
  return held === wanted ? `held (${held})` : `FAILED (${wanted - held} of ${wanted})`;
}

function toExcuses(): string {
  const lines = groupExcuses().map(({ why, faults, cells }) =>
    toLine([why, faults.join('; '), cells.join(', ')]),
  );
  return [...toHead(['why', 'faults', 'where']), ...lines].join('\n');
}

function toChecks(checks: readonly CheckResult[]): string {
  const lines = checks.map(({ input, ours, broken }) =>
    toLine([input, ours, broken === undefined ? 'held' : 'FAILED']),
  );
  return [...toHead(['input', 'what has to happen', 'measured']), ...lines].join('\n');
}

function toHead(names: readonly string[]): string[] {
  return [toLine(names), `|${'---|'.repeat(names.length)}`];
}

function toLine(fields: readonly string[]): string {
  return `| ${fields.map((field) => field.replaceAll('|', '\\|')).join(' | ')} |`;
}
