import { nameOf } from '../errors.js';
import type { ContentIssue } from '../index.js';
import { ownFieldOf } from '../inherited-names.js';
import { isObject } from '../json.js';

/** A reason for which a schema refuses a value, as a validator gives it. */
export interface SchemaIssue {
  /** The message for people. */
  readonly message: string;
  /** The path of the wrong value: keys, or objects with the key. It is absent for the whole value. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The result of a validation: the value in the form of the schema, or the reasons for which it does not fit. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/**
 * A schema of any library that supports Standard Schema 1, such as zod, valibot and arktype. Only these fields are used,
 * so no such library has to be installed.
 *
 * @see https://standardschema.dev
 */
export interface StandardSchema<Output = unknown> {
  /** The part of a schema that is the same in all libraries. */
  readonly '~standard': {
    /** The version of Standard Schema. */
    readonly version: 1;
    /** The name of the library. */
    readonly vendor: string;
    /** Checks a value, and may change its form. */
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    /** The types of the schema. They exist for the compiler alone. */
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

/** The maximum number of reasons for one mbox. A list may have a wrong item at each of its positions. */
const MAX_ISSUES = 100;
const MAX_MESSAGE_LENGTH = 200;
/** The maximum number of keys of a path. A schema that calls itself may make endless ones. */
const MAX_SEGMENTS = 100;
/** Texts from this length on are replaced wherever they are in a message. Shorter ones are words of many messages. */
const MIN_TELLING_LENGTH = 4;

/** The content of a JSON offer in the form of its schema, or the reasons for which it does not fit. */
export type CheckedContent = { readonly value: unknown } | { readonly issues: readonly ContentIssue[] };

/** Checks the content of an offer. It never rejects: a validator that throws counts as one that refuses. */
export async function checkContent(schema: StandardSchema, content: unknown): Promise<CheckedContent> {
  try {
    const result = await schema['~standard'].validate(content);
    if (!result.issues) {
      return { value: result.value };
    }
    // A list may have holes, which `map` would leave as they are.
    const issues = Array.from(result.issues.slice(0, MAX_ISSUES), (issue) => toContentIssue(issue, content));
    return { issues: issues.length > 0 ? issues : [{ message: 'the schema refuses it', path: '' }] };
  } catch (thrown) {
    return { issues: [{ message: `the validator failed: ${nameOf(thrown)}`, path: '' }] };
  }
}

function toContentIssue({ message, path = [] }: SchemaIssue, content: unknown): ContentIssue {
  let wrong: unknown = content;
  let written = '';
  let room = MAX_SEGMENTS;
  for (const segment of path) {
    room -= 1;
    if (room < 0) {
      break;
    }
    const key = isObject(segment) ? segment.key : segment;
    written += typeof key === 'number' ? `[${key}]` : `.${String(key)}`;
    wrong = isObject(wrong) ? ownFieldOf(wrong, key) : undefined;
  }
  // The path may be one of a form that the schema has made, and not of the offer.
  const shown = withoutValues(String(message), wrong === undefined ? content : wrong);
  return {
    message: shown.replace(/\s+/g, ' ').slice(0, MAX_MESSAGE_LENGTH),
    path: written.replace(/^\./, ''),
  };
}

/**
 * Replaces the values of an offer in a message. Some libraries show the value that they refuse. It may hold data of the
 * visitor, which belongs into no log.
 */
function withoutValues(message: string, value: unknown): string {
  const texts = new Set<string>();
  JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner === 'number' || (typeof inner === 'string' && inner !== '')) {
      texts.add(String(inner));
    }
    return inner;
  });
  let shown = message.replace(/-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi, (found) => (texts.has(found) ? '…' : found));
  for (const text of [...texts].sort((one, other) => other.length - one.length)) {
    const written = JSON.stringify(text);
    const forms = [written, `'${text}'`, `\`${text}\``, text, written.slice(1, -1)];
    for (const form of text.length < MIN_TELLING_LENGTH ? forms.slice(0, 3) : forms) {
      shown = shown.replaceAll(form, '…');
    }
  }
  return shown;
}
