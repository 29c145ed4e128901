import { FAULTS, type FaultRow } from './faults.js';

/** Faults that do not apply to the same cells, for the same reason. */
export interface Excuse {
  readonly why: string;
  readonly faults: readonly string[];
  /** Such as `delivery` or `artifact warm`. */
  readonly cells: readonly string[];
}

/** Groups what does not apply by its reason, in the order in which reasons first appear. */
export function groupExcuses(rows: readonly FaultRow[] = FAULTS): Excuse[] {
  const groups = new Map<string, { why: string; faults: string[]; cells: readonly string[] }>();
  for (const { name, excused = {} } of rows) {
    const cellsByReason = new Map<string, string[]>();
    for (const [cells, why] of Object.entries(excused)) {
      cellsByReason.set(why, [...(cellsByReason.get(why) ?? []), cells]);
    }
    for (const [why, cells] of cellsByReason) {
      const key = `${why}: ${cells.join()}`;
      const group = groups.get(key);
      if (group) {
        group.faults.push(name);
      } else {
        groups.set(key, { why, faults: [name], cells });
      }
    }
  }
  return [...groups.values()];
}
