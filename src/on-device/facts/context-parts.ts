import type { Page } from './page.js';
import type { ParameterTree } from './parameter-tree.js';
import type { GeoFacts } from './place.js';
import type { User } from './user-agent.js';

/** The facts that conditions see of a call and of the location that is decided. A part is filled in once a condition reads it. */
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

/** A part of the context that a condition can read. */
export type ContextPart = keyof ConditionContext;

/** A set of {@link ContextPart}s, one bit each. */
export type ContextParts = number;

interface PartRow {
  readonly bit: ContextParts;
  readonly read: (context: ConditionContext) => unknown;
}

/** Every part, with its bit and its reader: each reader is written out, so that it reads one property of one shape of object. */
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

/** The set of one part. */
export function contextPart(part: ContextPart): ContextParts {
  return CONTEXT_PARTS[part].bit;
}

/** The part of a name that a condition gives, if there is one. */
export function partNamed(name: string | undefined): PartRow | undefined {
  return name === undefined ? undefined : rowsByName.get(name);
}

/** Every part there is. */
export const ALL_CONTEXT_PARTS: ContextParts = Object.values(CONTEXT_PARTS).reduce(
  (all, { bit }) => all | bit,
  0,
);
