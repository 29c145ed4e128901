import { fromLatin1, toBytes, toExactText } from '#platform';
import type { Action, JsonValue, Metric, OptionType } from './delivery-api.js';
import { describe, TargetError } from './errors.js';
import { isRecord, type JsonRecord } from './json.js';

/** Facts about the activity, experience, location, audiences and offer behind a rule, such as `activity.id`. */
export type RuleMeta = Readonly<Record<string, JsonValue>>;

/** An offer of a rule's consequence. */
export interface RuleOption {
  readonly type?: OptionType;
  readonly content?: JsonValue | readonly Action[];
  readonly eventToken?: string;
  readonly [field: string]: unknown;
}

/** The answer for a visitor to whom a rule applies. */
export interface Consequence {
  readonly name?: string;
  readonly options?: readonly RuleOption[];
  readonly metrics?: readonly Metric[];
}

/** A rule: the visitors to whom it applies, and their offers. */
export interface Rule {
  /** The key of a group of rules. At most one rule of a group applies to a visitor. */
  readonly ruleKey: string;
  /** The id of the activity. An empty text counts as absent. @default `meta['activity.id']` */
  readonly activityId?: number | string | null;
  /** The properties to which the rule belongs. A rule without any belongs to all properties. */
  readonly propertyTokens?: readonly string[] | null;
  readonly meta: RuleMeta;
  /** The condition in JSON Logic, see https://jsonlogic.com. */
  readonly condition: unknown;
  readonly consequence: Consequence;
}

/** Rules by the name of their mbox or view. The rules are unknown values until they are compiled, which checks them. */
export type RulesByName = Readonly<Record<string, readonly unknown[]>>;

/**
 * The rules of a client's environment. Offers are decided by them in this process.
 * @see https://experienceleague.adobe.com/en/docs/target-dev/developer/server-side/on-device-decisioning/rule-artifact/rule-artifact-overview
 */
export interface Artifact {
  /** The version of the format, such as `1.0.0`. Only the major version 1 is supported. */
  readonly version: string;
  readonly meta?: Readonly<Record<string, JsonValue>>;
  /** The name of the mbox to which the offers of page loads belong. @default 'target-global-mbox' */
  readonly globalMbox?: string;
  /** True when any rule uses the visitor's geographic data. */
  readonly geoTargetingEnabled?: boolean;
  /** Names of the response tokens that the account has switched on. */
  readonly responseTokens?: readonly string[];
  /** Names of mboxes that only the edge can decide, wholly or in part. */
  readonly remoteMboxes?: readonly string[];
  /** Names of views that only the edge can decide, wholly or in part. */
  readonly remoteViews?: readonly string[];
  /** Names of mboxes that have rules in the artifact. */
  readonly localMboxes?: readonly string[];
  /** Names of views that have rules in the artifact. */
  readonly localViews?: readonly string[];
  readonly rules: { readonly mboxes?: RulesByName; readonly views?: RulesByName };
}

/** The name of the global mbox on the edge, and in artifacts that name no other. */
export const DEFAULT_GLOBAL_MBOX = 'target-global-mbox';

const MAJOR_VERSION = 1;
const NAME_LISTS = ['remoteMboxes', 'remoteViews', 'localMboxes', 'localViews'] as const;
const STRING_LISTS = ['responseTokens', ...NAME_LISTS] as const;

/**
 * Checks the shape of an artifact and returns it. Single rules are not checked here. A malformed rule is left out when
 * its location is compiled, and the other rules stay in use.
 * @throws {TargetError} `ERR_TARGET_ARTIFACT`, with the path of the field that is wrong.
 */
export function toArtifact(json: unknown): Artifact {
  const artifact = expectObject(json, 'artifact');
  expectVersion(artifact.version);
  const rules = expectObject(artifact.rules, 'rules');
  expectRules(rules.mboxes, 'rules.mboxes');
  expectRules(rules.views, 'rules.views');
  for (const list of STRING_LISTS) {
    expectStrings(artifact[list], list);
  }
  if (isPresent(artifact.globalMbox) && typeof artifact.globalMbox !== 'string') {
    throw wrongShape('globalMbox', 'a string', artifact.globalMbox);
  }
  if (isPresent(artifact.meta)) {
    expectObject(artifact.meta, 'meta');
  }
  return artifact as unknown as Artifact;
}

/**
 * Tells whether an artifact has no rules and no names. The account of such an artifact has no activities, or the
 * artifact is faulty.
 */
export function isBlankArtifact({ rules, ...artifact }: Artifact): boolean {
  const rulesOf = (byName: RulesByName | undefined) => Object.values(byName ?? {});
  return (
    NAME_LISTS.every((list) => (artifact[list] ?? []).length === 0) &&
    [...rulesOf(rules.mboxes), ...rulesOf(rules.views)].every((list) => list.length === 0)
  );
}

function expectVersion(version: unknown): void {
  if (typeof version !== 'string') {
    throw wrongShape('version', 'a string', version);
  }
  if (/^\d+/.exec(version)?.[0] !== String(MAJOR_VERSION)) {
    const shown = /^[\d.]{1,20}/.exec(version)?.[0] ?? `of ${describe(version)}`;
    throw new TargetError(
      'ERR_TARGET_ARTIFACT',
      `Artifact version ${shown} is not supported, only ${MAJOR_VERSION}.x is`,
      {
        path: 'version',
      },
    );
  }
}

function expectRules(rulesByName: unknown, path: string): void {
  if (!isPresent(rulesByName)) {
    return;
  }
  const names = expectObject(rulesByName, path);
  for (const name of Object.keys(names)) {
    if (!Array.isArray(names[name])) {
      throw wrongShape(`${path}.${name}`, 'an array', names[name]);
    }
  }
}

function expectStrings(list: unknown, path: string): void {
  if (!isPresent(list)) {
    return;
  }
  if (!Array.isArray(list)) {
    throw wrongShape(path, 'an array', list);
  }
  const index = list.findIndex((name) => typeof name !== 'string');
  if (index !== -1) {
    throw wrongShape(`${path}[${index}]`, 'a string', list[index]);
  }
}

function expectObject(value: unknown, path: string): JsonRecord {
  if (!isRecord(value)) {
    throw wrongShape(path, 'an object', value);
  }
  return value;
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function wrongShape(path: string, wanted: string, value: unknown): TargetError {
  return new TargetError(
    'ERR_TARGET_ARTIFACT',
    `Artifact: ${path} must be ${wanted}, got ${describe(value)}`,
    {
      path,
    },
  );
}

const BINARY_MAGIC = 'ATOD:';
const BINARY_VERSION = 1;
const BINARY_KEY_START = 8;
const BINARY_HEADER_LENGTH = 40;

/** Tells whether a text is a binary artifact that was read as text by mistake. */
export function isBinaryArtifact(text: string): boolean {
  return text.startsWith(BINARY_MAGIC);
}

/**
 * Decodes a binary artifact to its JSON text. Its header has 40 bytes: `ATOD:`, a version of three digits (`001`) and a
 * key of 32 characters. The bytes of the text follow. Each of them is combined by XOR with a byte of the UTF-8 of
 * organization id and key, which is repeated as often as needed.
 * @throws {TargetError} `ERR_TARGET_ARTIFACT`
 */
export function decodeBinaryArtifact(bytes: Uint8Array, organizationId: string): string {
  const header = fromLatin1(bytes.subarray(0, BINARY_HEADER_LENGTH));
  if (header.length < BINARY_HEADER_LENGTH || !header.startsWith(BINARY_MAGIC)) {
    throw new TargetError('ERR_TARGET_ARTIFACT', `Binary artifact: no ${BINARY_MAGIC} header`);
  }
  const version = header.slice(BINARY_MAGIC.length, BINARY_KEY_START);
  if (!/^\d+$/.test(version) || Number(version) !== BINARY_VERSION) {
    throw new TargetError('ERR_TARGET_ARTIFACT', 'Binary artifact: version is not supported, only 001 is');
  }
  const key = toBytes(organizationId + header.slice(BINARY_KEY_START));
  const body = new Uint8Array(bytes.subarray(BINARY_HEADER_LENGTH));
  for (let i = 0, k = 0; i < body.length; i++, k++) {
    if (k === key.length) {
      k = 0;
    }
    body[i] = (body[i] ?? 0) ^ (key[k] ?? 0);
  }
  try {
    return toExactText(body);
  } catch (cause) {
    throw new TargetError('ERR_TARGET_ARTIFACT', 'Binary artifact: the content is not UTF-8', { cause });
  }
}
