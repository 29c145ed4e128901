import type { RuleMeta } from '../artifact.js';
import type { Named } from './explanation.js';

/** The activity and the experience of a rule. */
export interface RuleNames {
  readonly activity: Named & { readonly type: string };
  readonly experience: Named;
}

/** Reads the names of a rule from its meta data. What is missing is empty. */
export function namesOfMeta(activityId: unknown, meta: RuleMeta): RuleNames {
  return {
    activity: {
      id: textOf(activityId ?? meta['activity.id']),
      name: textOf(meta['activity.name']),
      type: textOf(meta['activity.type']),
    },
    experience: { id: textOf(meta['experience.id']), name: textOf(meta['experience.name']) },
  };
}

/** Returns a text or a number as a text; everything else is empty. */
export function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** Returns the name to show; the id, or a dash, where there is none. */
export function shownName({ id, name }: Named): string {
  return name || id || '–';
}
