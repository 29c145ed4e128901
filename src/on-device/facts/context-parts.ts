import type { Page } from './page.js';
import type { ParameterTree } from './parameter-tree.js';
import type { GeoFacts } from './place.js';
import type { User } from './user-agent.js';

/**
 * Holds the facts that rule conditions can read. They are about one call, and about one location (mbox, view or page
 * load) of the call. The property names are those that conditions use. A part gets its value when a condition that
 * reads it is about to be evaluated.
 */
export interface ConditionContext {
  readonly allocation: number;
  readonly current_timestamp: number;
  readonly current_time: string;
  readonly current_day: number;
  readonly user: User | undefined;
  readonly page: Page | undefined;
  readonly referring: Page | undefined;
  readonly geo: GeoFacts | undefined;
  readonly mbox: ParameterTree | undefined;
}

/** Name of one part of the context. */
export type ContextPart = keyof ConditionContext;

/** Set of {@link ContextPart}s, with one bit for each. */
export type ContextParts = number;

interface PartRow {
  readonly bit: ContextParts;
  readonly read: (context: ConditionContext) => unknown;
}

/**
 * Lists every part with its bit and its reader. Each reader is written out, because a function that always reads the
 * same property of the same shape of object is fast.
 */
const CONTEXT_PARTS = {
  allocation: { bit: 1 << 0, read: (context) => context.allocation },
  current_timestamp: { bit: 1 << 1, read: (context) => context.current_timestamp },
  current_time: { bit: 1 << 2, read: (context) => context.current_time },
  current_day: { bit: 1 << 3, read: (context) => context.current_day },
  user: { bit: 1 << 4, read: (context) => context.user },
  page: { bit: 1 << 5, read: (context) => context.page },
  referring: { bit: 1 << 6, read: (context) => context.referring },
  geo: { bit: 1 << 7, read: (context) => context.geo },
  mbox: { bit: 1 << 8, read: (context) => context.mbox },
} satisfies Record<ContextPart, PartRow>;

const rowsByName: ReadonlyMap<string, PartRow> = new Map<string, PartRow>(Object.entries(CONTEXT_PARTS));

/** Returns the set that holds one part only. */
export function contextPart(part: ContextPart): ContextParts {
  return CONTEXT_PARTS[part].bit;
}

/** Returns the part that has the given name; undefined when no part has it. */
export function partNamed(name: string | undefined): PartRow | undefined {
  return name === undefined ? undefined : rowsByName.get(name);
}

/** Set of all parts. */
export const ALL_CONTEXT_PARTS: ContextParts = Object.values(CONTEXT_PARTS).reduce(
  (all, { bit }) => all | bit,
  0,
);
