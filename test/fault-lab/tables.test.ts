import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { excuseOf, FAULTS, PHASES, TARGETS } from './faults.js';
import { GROUPS } from './groups.js';
import { toTables } from './tables.js';

const DOCUMENT = readFileSync(resolve(__dirname, '../../docs/reliability.md'), 'utf8');

/** The tables that a run writes in which everything holds. */
const TABLES = toTables(
  FAULTS.map((row) => ({
    name: row.name,
    cells: TARGETS.flatMap((target) => cellsOf(row, target)),
    broken: [],
  })),
  Object.values(GROUPS).flatMap((checks) =>
    checks.map(({ input, ours }) => ({ input, ours, broken: undefined, ms: 0 })),
  ),
);

function cellsOf(row: (typeof FAULTS)[number], target: (typeof TARGETS)[number]) {
  return PHASES.filter((phase) => excuseOf(row, target, phase) === undefined).map((phase) => {
    return { row: row.name, target, phase, checked: [], broken: [], ms: 0 };
  });
}

describe('docs/reliability.md', () => {
  test.each(Object.entries(TABLES))('has the texts of the fault lab: %s', (name, table) => {
    const [, shown] = DOCUMENT.match(`<!-- ${name} -->\n([^]*?)\n<!-- /${name} -->`) ?? [];
    expect(shown).toBe(table);
  });

  test('names the reason of everything that does not apply, once', () => {
    const reasons = TABLES.excuses?.split('\n').slice(2) ?? [];
    expect(reasons.length).toBeLessThan(12);
    for (const why of new Set(FAULTS.flatMap(({ excused }) => Object.values(excused ?? {})))) {
      expect(reasons.filter((line) => line.includes(why)).length).toBe(1);
    }
  });
});
