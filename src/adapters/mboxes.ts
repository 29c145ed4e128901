/**
 * Typed mboxes: JSON offers with the types and checks of a schema library, and a default for each mbox.
 *
 * @packageDocumentation
 */

import { invalidField, invalidOption, TargetError, toTargetError } from '../errors.js';
import {
  AttributesProvider,
  type ContentIssue,
  type GetAttributesOptions,
  type TargetClient,
  type TargetDeliveryResponse,
} from '../index.js';
import { ownFieldOf } from '../inherited-names.js';
import { isObject, isRecord } from '../json.js';
import type { Visit } from './http.js';
import { keepDefault } from './mbox-defaults.js';
import { type MboxReporter, MboxReports } from './mbox-reports.js';
import { checkContent, type StandardSchema } from './mbox-schema.js';

export type { ContentIssue } from '../index.js';
export type { SchemaIssue, SchemaResult, StandardSchema } from './mbox-schema.js';

/** Schemas by the name of their mbox. */
export type MboxSchemas = Readonly<Record<string, StandardSchema>>;

/** The type of the values that a schema gives. */
export type SchemaOutput<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['output'];

/** The values of mboxes, by name. */
export type MboxOutputs<Schemas extends MboxSchemas> = {
  readonly [Mbox in keyof Schemas]: SchemaOutput<Schemas[Mbox]>;
};

/** The options of {@link Mboxes.get}: those of `client.getAttributes`, without the callbacks. */
export type MboxesOptions = Omit<GetAttributesOptions, 'callback' | 'errCallback'>;

/** The mboxes of a program, with the types of their JSON offers. {@link defineMboxes} makes it. */
export interface Mboxes<Schemas extends MboxSchemas> {
  /**
   * Asks for the mboxes, and checks their JSON offers. With a visit, the call knows the visitor and the page, and needs
   * no options.
   *
   * It rejects only for mistakes of the program: `ERR_TARGET_INVALID_REQUEST`, `ERR_TARGET_INVALID_CONFIG` and
   * `ERR_TARGET_CLOSED`. After any other error, all values are defaults, and `failure` is the error.
   */
  get(from: TargetClient | Visit, options?: MboxesOptions): Promise<MboxValues<Schemas>>;
  /**
   * Checks the JSON offers of an answer that `getOffers` gave. No event and no warning comes of it, because the answer
   * does not know its client: look at `invalid`. Offers of a page load belong to the mbox `target-global-mbox`.
   *
   * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` as a rejection, for a value that is no answer.
   */
  parse(answer: TargetDeliveryResponse): Promise<MboxValues<Schemas>>;
}

/** The values of mboxes, and where they come from. */
export interface MboxValues<Schemas extends MboxSchemas> {
  /**
   * The value of each mbox: the content of its JSON offer in the form of its schema, or the default. An mbox has its
   * default without a JSON offer, when the offer does not fit, and when the call failed.
   */
  readonly values: MboxOutputs<Schemas>;
  /** The mboxes whose offers do not fit their schema, and the reasons, at most 100 for each. */
  readonly invalid: readonly { readonly mbox: string; readonly issues: readonly ContentIssue[] }[];
  /** The error for which there are no offers. */
  readonly failure?: TargetError;
  /** The answer, with the cookies to set. It is absent when a call of the client failed. */
  readonly answer?: TargetDeliveryResponse;
}

/** A client or a visit, as it is asked here. */
interface Source {
  getAttributes(mboxNames: readonly string[], options: MboxesOptions): Promise<AttributesProvider>;
}

/** A schema with the value that stands in for an offer. */
interface Defined {
  readonly schema: StandardSchema;
  /** Makes a copy of the default. */
  readonly toFallback: () => unknown;
}

/**
 * Defines the mboxes of a program: a schema for the JSON offer of each, and the default that stands in for it. Write it
 * once, at the top of a file. The schemas may be those of zod, valibot, arktype or any library of Standard Schema, and
 * may check asynchronously. A default is JSON, and may hold dates. Each answer has a copy of it, which may be changed.
 *
 * An offer that does not fit raises the event `invalidContent` of the client, and causes one warning for each mbox and
 * message.
 *
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a value that is no schema, for a missing default, and for one that is
 * not JSON. `path` of the error names it.
 * @example
 * ```ts
 * const page = defineMboxes(
 *   { hero: z.object({ title: z.string() }), limits: z.object({ results: z.number().int() }) },
 *   { hero: { title: 'Welcome' }, limits: { results: 20 } },
 * );
 * const { values } = await page.get(client);
 * values.hero.title.toUpperCase();
 * ```
 */
export function defineMboxes<const Schemas extends MboxSchemas>(
  schemas: Schemas,
  defaults: MboxOutputs<Schemas>,
): Mboxes<Schemas> {
  const defined = toDefined(schemas, defaults);
  const reports = new MboxReports();
  const toValues = async (provider?: AttributesProvider): Promise<Omit<MboxValues<Schemas>, 'failure'>> => {
    const contents = provider?.wholeContents();
    const checks = await Promise.all(
      [...defined].map(async ([mbox, { schema, toFallback }]) => {
        const content = contents?.get(mbox);
        const checked = content === undefined ? undefined : await checkContent(schema, content);
        return checked && 'value' in checked
          ? { mbox, value: checked.value, issues: undefined }
          : { mbox, value: toFallback(), issues: checked?.issues };
      }),
    );
    // The schemas say what the values are.
    const values = Object.fromEntries(checks.map(({ mbox, value }) => [mbox, value])) as MboxOutputs<Schemas>;
    const invalid = checks.flatMap(({ mbox, issues }) => (issues ? [{ mbox, issues }] : []));
    return { values, invalid, ...(provider && { answer: provider.getResponse() }) };
  };
  return {
    async get(from, options = {}) {
      const client: MboxReporter | undefined = from?.forVisits;
      if (!client) {
        throw invalidField('from', 'a TargetClient or a Visit', from);
      }
      try {
        const source: Source = from;
        const outcome = await toValues(await source.getAttributes([...defined.keys()], options));
        reports.noteInvalid(outcome.invalid, client);
        reports.noteUnknown(outcome, client);
        return withFailure(outcome);
      } catch (thrown) {
        const failure = toTargetError(thrown);
        if (isMistake(failure)) {
          throw failure;
        }
        return { ...(await toValues()), failure };
      }
    },
    async parse(answer) {
      if (!isRecord(answer) || !isObject(ownFieldOf(answer, 'response'))) {
        throw invalidField('answer', 'an answer of getOffers', answer);
      }
      return withFailure(await toValues(new AttributesProvider(answer)));
    },
  };
}

/** Checks the schemas and the defaults. */
function toDefined(schemas: MboxSchemas, defaults: Readonly<Record<string, unknown>>): Map<string, Defined> {
  if (!isRecord(schemas)) {
    throw invalidOption('schemas', 'an object', schemas);
  }
  if (!isRecord(defaults)) {
    throw invalidOption('defaults', 'an object', defaults);
  }
  return new Map(
    Object.entries(schemas).map(([mbox, schema]) => {
      // A schema of arktype is a function.
      if (typeof schema?.['~standard']?.validate !== 'function') {
        throw invalidOption(`schemas.${mbox}`, 'a schema of Standard Schema', schema);
      }
      const path = `defaults.${mbox}`;
      if (!Object.hasOwn(defaults, mbox)) {
        throw new TargetError('ERR_TARGET_INVALID_CONFIG', `${path} is missing`, { path });
      }
      return [mbox, { schema, toFallback: keepDefault(path, defaults[mbox]) }];
    }),
  );
}

/** Adds the failure that a visit with the option `onError` notes in its answer. */
function withFailure<Schemas extends MboxSchemas>(
  outcome: Omit<MboxValues<Schemas>, 'failure'>,
): MboxValues<Schemas> {
  const failure = outcome.answer && ownFieldOf(outcome.answer, 'failure');
  return failure instanceof TargetError ? { ...outcome, failure } : outcome;
}

function isMistake({ code }: TargetError): boolean {
  return /_INVALID_(?:REQUEST|CONFIG)$|_CLOSED$/.test(code);
}
