import type { JsonValue } from '../index.js';
import { ownOf } from '../inherited-names.js';
import { isRecord } from '../json.js';
import { type Experience, experiencesByMbox } from '../tools/experiences.js';
import { type FlagNames, readNames, valueIn } from './flag-names.js';

/** The options of {@link getProviderData}: those by which the adapter finds its offers. */
export interface ProviderDataOptions extends FlagNames {
  /** The keys of the flags. It is needed with the option `flag`. @default all that the artifact has */
  readonly keys?: readonly string[] | null | undefined;
}

/** The description of one flag. */
export interface TargetFlagDefinition {
  /** The values of all experiences, with the name of the first experience that has the value. */
  options: { value: JsonValue; label?: string }[];
  /** The names of the activities. */
  description: string;
  /** The page on which the flag is managed. */
  origin: string;
}

/** The description of the flags for Vercel's Flags Explorer. */
export interface TargetProviderData {
  /** The flags by their keys. */
  definitions: Record<string, TargetFlagDefinition>;
  /** The reasons for which flags are missing. */
  hints: { key: string; text: string }[];
}

const NO_FLAGS = {
  key: 'target-node-sdk',
  text: 'Target has no flags in its rules here. Server-side clients have no rules. The option flag needs keys.',
};

/**
 * Describes the flags of an artifact for Vercel's Flags Explorer: their keys, and the values of all experiences. Without
 * an artifact, which a server-side client never has, there is a hint instead. It never throws for an artifact.
 *
 * @param artifact the artifact, such as `artifactPayload` of the event `artifactDownloadSucceeded`.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a wrong option. `path` of the error names it.
 * @example
 * ```ts
 * // app/.well-known/vercel/flags/route.ts
 * export const GET = createFlagsDiscoveryEndpoint(() => getProviderData(artifact, { mbox: 'shop-flags' }));
 * ```
 */
export function getProviderData(
  artifact: unknown,
  options: ProviderDataOptions | null = {},
): TargetProviderData {
  const own: ProviderDataOptions = ownOf(options ?? {});
  const { toOffer, origin } = readNames(own);
  const byMbox = experiencesByMbox(artifact);
  const keys = own.keys ?? (own.flag ? [] : keysOf(byMbox, own.mbox ?? undefined));
  const definitions = keys.toSorted().flatMap((flagKey) => {
    const { mbox, key } = toOffer(flagKey);
    const definition = define(byMbox.get(mbox) ?? [], key, origin);
    return definition.options.length === 0 ? [] : [[flagKey, definition] as const];
  });
  return { definitions: Object.fromEntries(definitions), hints: definitions.length > 0 ? [] : [NO_FLAGS] };
}

function define(
  experiences: readonly Experience[],
  key: string | undefined,
  origin: string,
): TargetFlagDefinition {
  const options = new Map<string, TargetFlagDefinition['options'][number]>();
  for (const { content, name } of experiences) {
    const value = valueIn(content, key);
    const text = textOf(value);
    if (value !== undefined && text !== undefined) {
      options.set(text, options.get(text) ?? { value, ...(name && { label: name }) });
    }
  }
  const activities = new Set(experiences.map(({ activity }) => activity));
  return { options: [...options.values()], description: [...activities].join(', '), origin };
}

/** Writes a value as JSON. Returns undefined for what is no JSON, which a parsed artifact does not hold. */
function textOf(value: JsonValue | undefined): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/** Lists the flags of an artifact by the keys that lead to their offers. */
function keysOf(byMbox: ReadonlyMap<string, readonly Experience[]>, only: string | undefined): string[] {
  const keysIn = (mbox: string) => {
    const records = (byMbox.get(mbox) ?? []).flatMap(({ content }) => (isRecord(content) ? [content] : []));
    return [...new Set(records.flatMap((content) => Object.keys(content)))];
  };
  if (only !== undefined) {
    return keysIn(only);
  }
  return [...byMbox.keys()].flatMap((mbox) => [
    ...(mbox.includes('.') ? [] : [mbox]),
    ...keysIn(mbox).flatMap((key) => (key.includes('.') ? [] : [`${mbox}.${key}`])),
  ]);
}
