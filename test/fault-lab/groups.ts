import { ARRIVAL_CHECKS } from './arrivals.js';
import { ARTIFACT_CHECKS } from './artifact-mutations.js';
import type { Check } from './checks.js';
import { HOSTILE_CHECKS, MUTATED_ANSWER_CHECKS, MUTATED_INPUT_CHECKS } from './hostile-input.js';
import { ISOLATION_CHECKS } from './isolation.js';
import { OUTAGE_CHECKS } from './outages.js';
import { PROCESS_CHECKS } from './processes.js';
import { QUEUE_CHECKS } from './queue.js';
import { REDIS_CHECKS } from './redis.js';
import { WIRE_CHECKS } from './wire.js';

/** What has to hold besides the cells of the matrix, by the process that it is checked in. */
export const GROUPS = {
  signals: PROCESS_CHECKS,
  outages: OUTAGE_CHECKS,
  queue: QUEUE_CHECKS,
  isolation: ISOLATION_CHECKS,
  wire: WIRE_CHECKS,
  hostile: HOSTILE_CHECKS,
  'mutated input': MUTATED_INPUT_CHECKS,
  'mutated answers': MUTATED_ANSWER_CHECKS,
  artifacts: ARTIFACT_CHECKS,
  arrivals: ARRIVAL_CHECKS,
  redis: REDIS_CHECKS,
} satisfies Record<string, readonly Check[]>;
export type CheckGroup = keyof typeof GROUPS;
