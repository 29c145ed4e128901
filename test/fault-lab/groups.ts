import { ARTIFACT_CHECKS } from './artifact-mutations.js';
import type { Check } from './checks.js';
import { HOSTILE_CHECKS, MUTATED_ANSWER_CHECKS, MUTATED_INPUT_CHECKS } from './hostile-input.js';
import { OUTAGE_CHECKS } from './outages.js';
import { PROCESS_CHECKS } from './processes.js';
import { WIRE_CHECKS } from './wire.js';

/** What has to hold besides the cells of the matrix, by the process that it is checked in. */
export const GROUPS = {
  signals: PROCESS_CHECKS,
  outages: OUTAGE_CHECKS,
  wire: WIRE_CHECKS,
  hostile: HOSTILE_CHECKS,
  'mutated input': MUTATED_INPUT_CHECKS,
  'mutated answers': MUTATED_ANSWER_CHECKS,
  artifacts: ARTIFACT_CHECKS,
} satisfies Record<string, readonly Check[]>;
export type CheckGroup = keyof typeof GROUPS;
