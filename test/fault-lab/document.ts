import { readFileSync, writeFileSync } from 'node:fs';
import type { CheckResult } from './checks.js';
import { excuseOf, FAULTS, type FaultRow, PHASES, TARGETS, type Target } from './faults.js';
import type { RowResult } from './matrix.js';

const DOCUMENT = new URL('../../docs/reliability.md', import.meta.url);

/** Brings the measured tables of docs/reliability.md up to date. */
export function writeDocument(rows: readonly RowResult[], checks: readonly CheckResult[]): void {
  const tables = { matrix: toMatrix(rows), excuses: toExcuses(), checks: toChecks(checks) };
  let text = readFileSync(DOCUMENT, 'utf8');
  for (const [name, table] of Object.entries(tables)) {
    const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
    const [from, to] = [text.indexOf(start), text.indexOf(end)];
    if (from < 0 || to < from) {
      throw new Error(`docs/reliability.md has no place for ${name}`);
    }
    text = `${text.slice(0, from + start.length)}\n${table}\n${text.slice(to)}`;
  }
  writeFileSync(DOCUMENT, text);
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
  return FAULTS.flatMap(({ name, excused }) =>
    Object.entries(excused ?? {}).map(([cells, why]) => `- ${name}, ${cells}: ${why}`),
  ).join('\n');
}

function toChecks(checks: readonly CheckResult[]): string {
  const lines = checks.map(({ input, ours, broken }) =>
    toLine([input, ours, broken === undefined ? 'held' : 'FAILED']),
  );
  return [...toHead(['input', 'what the client does', 'measured']), ...lines].join('\n');
}

function toHead(names: readonly string[]): string[] {
  return [toLine(names), `|${'---|'.repeat(names.length)}`];
}

function toLine(fields: readonly string[]): string {
  return `| ${fields.map((field) => field.replaceAll('|', '\\|')).join(' | ')} |`;
}
