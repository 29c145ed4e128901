import { type ClientSources, SYSTEM_SOURCES } from '../client-parts.js';

/** The time of stable answers and artifacts: the first moment of 2026 in UTC. */
export const STABLE_TIME_MS = Date.UTC(2026, 0, 1);

/** Makes sources whose ids are counted from 1, and whose time stands still. */
export function stableSources(): ClientSources {
  let count = 0;
  const next = (length: number) => {
    count += 1;
    return count.toString(16).padStart(length, '0');
  };
  return {
    ...SYSTEM_SOURCES,
    now: () => STABLE_TIME_MS,
    ids: {
      newUuid: () => `00000000-0000-4000-8000-${next(12)}`,
      newHexId: () => next(32),
      newSupplementalDataId: () => `0000000000000000-${next(16).toUpperCase()}`,
    },
  };
}
