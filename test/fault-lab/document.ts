import { readFileSync, writeFileSync } from 'node:fs';
import type { CheckResult } from './checks.js';
import type { RowResult } from './matrix.js';
import { toTables } from './tables.js';

const DOCUMENT = new URL('../../docs/reliability.md', import.meta.url);

/** Brings the measured tables of docs/reliability.md up to date. */
export function writeDocument(rows: readonly RowResult[], checks: readonly CheckResult[]): void {
  let text = readFileSync(DOCUMENT, 'utf8');
  for (const [name, table] of Object.entries(toTables(rows, checks))) {
    const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
    const [from, to] = [text.indexOf(start), text.indexOf(end)];
    if (from < 0 || to < from) {
      throw new Error(`docs/reliability.md has no place for ${name}`);
    }
    text = `${text.slice(0, from + start.length)}\n${table}\n${text.slice(to)}`;
  }
  writeFileSync(DOCUMENT, text);
}
