/** The parts of the context that a condition can read, in the order of their bits. */
export const CONTEXT_PARTS = [
  'allocation',
  'current_timestamp',
  'current_time',
  'current_day',
  'user',
  'page',
  'referring',
  'geo',
  'mbox',
] as const;

/** A part of the context that a condition can read. */
export type ContextPart = (typeof CONTEXT_PARTS)[number];

/** A set of {@link ContextPart}s, one bit each. */
export type ContextParts = number;

/** The set of one part. */
export function contextPart(part: ContextPart): ContextParts {
  return 1 << CONTEXT_PARTS.indexOf(part);
}

/** Every part there is. */
export const ALL_CONTEXT_PARTS: ContextParts = (1 << CONTEXT_PARTS.length) - 1;
