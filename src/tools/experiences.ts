import type { JsonValue } from '../delivery-api.js';
import { isRecord, type JsonRecord } from '../json.js';

/** An experience of an activity, as one mbox shows it. */
export interface Experience {
  /** The name of the activity, or its id where it has no name. */
  readonly activity: string;
  /** The name of the experience, where the artifact has it. */
  readonly name: string | undefined;
  /**
   * The content of the JSON offers: one object, or the list or scalar that wins. It is undefined without a JSON offer.
   */
  readonly content: JsonValue | undefined;
}

/**
 * Lists the experiences of an artifact by their mbox. It never throws: what does not have the form of an artifact is left
 * out.
 */
export function experiencesByMbox(artifact: unknown): Map<string, Experience[]> {
  const { mboxes } = recordOf(recordOf(artifact).rules);
  return new Map(
    Object.entries(recordOf(mboxes)).map(([mbox, rules]) => [
      mbox,
      Array.isArray(rules) ? rules.flatMap(experienceOf) : [],
    ]),
  );
}

function experienceOf(rule: unknown): Experience[] {
  const { meta, consequence, activityId } = recordOf(rule);
  if (!isRecord(consequence)) {
    return [];
  }
  const facts = recordOf(meta);
  const id = facts['activity.id'] ?? activityId;
  return [
    {
      activity: textOf(facts['activity.name']) ?? `activity ${textOf(id) ?? 'without a name'}`,
      name: textOf(facts['experience.name']),
      content: contentOf(consequence.options),
    },
  ];
}

/** Returns the content of JSON offers, as attributes have it: of the same key of several offers, the last one counts. */
function contentOf(options: unknown): JsonValue | undefined {
  const offers = Array.isArray(options) ? options.map(recordOf).filter(({ type }) => type === 'json') : [];
  // The artifact was parsed from JSON.
  const contents = offers.map(({ content }) => content as JsonValue | undefined);
  const winner = contents.findLast((content) => content !== undefined);
  if (!isRecord(winner)) {
    return winner;
  }
  return Object.fromEntries(contents.filter(isAttributes).flatMap((content) => Object.entries(content)));
}

/** Tells whether the content of a JSON offer is an object, whose keys are attributes. */
export function isAttributes(content: JsonValue | undefined): content is Record<string, JsonValue> {
  return isRecord(content);
}

function recordOf(value: unknown): JsonRecord {
  return isRecord(value) ? value : {};
}

function textOf(value: unknown): string | undefined {
  const isText = (typeof value === 'string' && value !== '') || typeof value === 'number';
  return isText ? String(value) : undefined;
}
