import { toArtifact } from '../artifact.js';
import type { JsonValue } from '../delivery-api.js';
import { invalidOption, TargetError } from '../errors.js';
import { isAbsent } from '../json.js';
import { type Experience, experiencesByMbox, isAttributes } from './experiences.js';
import { copyOptions } from './reading.js';
import { keyOf, literalOf, objectType, shapeOf, type TypeStyle, UNSEEN } from './value-types.js';

/** The options of {@link toTypes}. */
export interface ToTypesOptions {
  /**
   * True when a text that has at most 12 values in all experiences is a union of them, such as `"blue" | "red"`. With
   * false, and with more or longer values, it is `string`.
   * @default true
   */
  readonly literals?: boolean | null | undefined;
}

const HEAD = `// Written by toTypes of target-node-sdk/tools from the rules of Adobe Target. Changes are lost when it is written again.
`;
const INTERFACE_COMMENT = `
/** The attributes of each mbox with a JSON offer, for \`client.getAttributes<TargetMboxes>\`. */
`;
const NAME_COMMENT = `
/** The name of every mbox, also of those whose offers are HTML or are only known to the edge. */
`;

/**
 * Writes TypeScript for the mboxes of an artifact: `interface TargetMboxes`, for `client.getAttributes<TargetMboxes>()`,
 * and the type `TargetMboxName`. A key has the values of all experiences, and is optional when an experience lacks it.
 * The same artifact gives the same text.
 *
 * The rules know only activities that can be decided on-device. An mbox that also has others is marked in a comment.
 *
 * @param artifact the artifact as parsed JSON, such as `artifactPayload` of the event `artifactDownloadSucceeded`.
 * @returns the text of a module, for a file such as `target-mboxes.d.ts`.
 * @throws {TargetError} `ERR_TARGET_ARTIFACT` for a value that is no artifact, and `ERR_TARGET_INVALID_CONFIG` for a
 * wrong option. `path` of the error names the field.
 * @example
 * ```ts
 * client.on('artifactDownloadSucceeded', ({ artifactPayload }) => {
 *   writeFileSync('src/target-mboxes.d.ts', toTypes(artifactPayload));
 * });
 * ```
 */
export function toTypes(artifact: unknown, options: ToTypesOptions | null = {}): string {
  const style = toStyle(options ?? {});
  try {
    return typesOf(artifact, style);
  } catch (cause) {
    // A getter or a proxy of the caller may throw. What was parsed from JSON has none.
    throw cause instanceof TargetError
      ? cause
      : new TargetError('ERR_TARGET_ARTIFACT', 'Artifact: could not be read', { cause });
  }
}

function typesOf(artifact: unknown, style: TypeStyle): string {
  const { remoteMboxes, localMboxes } = toArtifact(artifact);
  const byMbox = experiencesByMbox(artifact);
  const remote = new Set(remoteMboxes ?? []);
  const names = [...new Set([...byMbox.keys(), ...remote, ...(localMboxes ?? [])])].sort();
  const typed = names.filter((name) => byMbox.get(name)?.some(({ content }) => content !== undefined));
  const members = typed.map((name) => {
    const experiences = byMbox.get(name) ?? [];
    const type = objectType(shapeOf(experiences.map(attributesOf)), style);
    return `${commentOf(experiences, remote.has(name))}  ${keyOf(name)}: ${type};\n`;
  });
  const union = names.map((name) => `\n  | ${literalOf(name)}`).join('');
  return [
    HEAD,
    INTERFACE_COMMENT,
    members.length === 0
      ? 'export interface TargetMboxes {}\n'
      : `export interface TargetMboxes {\n${members.join('')}}\n`,
    NAME_COMMENT,
    `export type TargetMboxName =${union || ' never'};\n`,
  ].join('');
}

function toStyle(options: ToTypesOptions): TypeStyle {
  const { literals } = copyOptions(options, { literals: true });
  if (!isAbsent(literals) && typeof literals !== 'boolean') {
    throw invalidOption('literals', 'true or false', literals);
  }
  return { hasLiterals: literals !== false };
}

/** Returns the attributes of an experience. Lists and scalars have none, and neither has HTML. */
function attributesOf({ content }: Experience): Readonly<Record<string, JsonValue>> {
  return isAttributes(content) ? content : {};
}

function commentOf(experiences: readonly Experience[], isRemote: boolean): string {
  const activities = [...new Set(experiences.map(({ activity }) => inComment(activity)))].sort();
  const lines = activities.map((activity) => `   * - ${activity}\n`);
  const remark = isRemote ? '   *\n   * Other activities of this mbox are only known to the edge.\n' : '';
  return `  /**\n   * Activities:\n${lines.join('')}${remark}   */\n`;
}

/**
 * Writes a name so that it can neither end a comment nor begin a tag in it, such as `@deprecated`. A name has one line.
 */
function inComment(name: string): string {
  return name
    .replace(UNSEEN, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .replaceAll('*/', '*\\/')
    .replace(/[@{}]/g, '\\$&');
}
