import { type Artifact, toArtifact } from '../artifact.js';
import { type ResolvedConfig, resolveConfig } from '../config/config.js';
import { invalidOption, nameOf, TargetError } from '../errors.js';
import { type IdSource, RANDOM_IDS } from '../identity/ids.js';
import { isAbsent, isRecord, parseJson } from '../json.js';
import { createLogger } from '../logger.js';
import { type Call, toCall } from '../request/call.js';
import { toCallError } from '../request/callbacks.js';
import type { DeliveryRequest } from '../request/loose-request.js';
import { type CallOptions, readOptions } from '../request/options.js';
import { copyList, copyOptions } from './reading.js';

/**
 * The options of {@link explain}. They hold the options of `getOffers` too, such as `targetCookie`. A visitor object is
 * not taken, because a call changes it: give the cookie of the visitor instead.
 */
export interface ExplainOptions extends Omit<CallOptions, 'visitor'> {
  /** The request to decide, as `getOffers` takes it. */
  readonly request: DeliveryRequest;
  /**
   * The client code. It is a part of what is hashed for the allocation, so another code gives another experience.
   * @default `meta.clientCode` of the artifact
   */
  readonly client?: string | null | undefined;
  /** The token of the property of a request that names none. @default none */
  readonly propertyToken?: string | null | undefined;
  /** The mboxes that answer with every rule that holds, as in the configuration of the client. @default none */
  readonly allMatchingMboxes?: readonly string[] | null | undefined;
  /** The time for which the request is decided, in ms since 1970. @default Date.now() */
  readonly now?: number | null | undefined;
}

/** An artifact and a call, as a client would have them. */
export interface Question {
  /** A copy of the artifact in which no two parts are one object. */
  readonly artifact: Artifact;
  readonly client: string;
  readonly config: ResolvedConfig;
  readonly call: Call;
}

/** The names of the options. Other ones are ignored, as `getOffers` ignores them. */
export const EXPLAIN_OPTIONS = {
  request: true,
  client: true,
  propertyToken: true,
  allMatchingMboxes: true,
  now: true,
  targetCookie: true,
  targetLocationHint: true,
  targetLocationHintCookie: true,
  visitorCookie: true,
  consumerId: true,
  customerIds: true,
  sessionId: true,
  decisioningMethod: true,
  timeout: true,
  signal: true,
  waitUntil: true,
} satisfies Record<keyof ExplainOptions, true>;

/** Stands in for the organization: nothing that is decided on-device depends on it, and a client must have one. */
const NO_ORGANIZATION = '0@AdobeOrg';

/**
 * Completes a call as a client does.
 * @throws {TargetError} as {@link explain} does.
 */
export function toQuestion(artifact: unknown, options: ExplainOptions, ids: IdSource = RANDOM_IDS): Question {
  const own = copyOptions(options, EXPLAIN_OPTIONS);
  const copy = copyArtifact(artifact);
  const config = toConfig(copy, own);
  const nowMs = toNow(own.now);
  const environment = { config, logger: createLogger(undefined), now: () => nowMs, newId: ids.newUuid, ids };
  try {
    const call = toCall({ ...readOptions(own), visitor: undefined }, environment, own.request, {});
    return { artifact: copy, client: config.client, config, call };
  } catch (thrown) {
    throw toCallError(thrown, own);
  }
}

/**
 * Copies an artifact through JSON, as a client reads it: afterwards no two parts of it are one object.
 * @throws {TargetError} `ERR_TARGET_ARTIFACT`
 */
export function copyArtifact(artifact: unknown): Artifact {
  const json = jsonOf(artifact);
  const copy = json === undefined ? artifact : parseJson(json);
  return toArtifact(isDeeper(copy, 0) ? pruned(copy, 0) : copy);
}

function jsonOf(artifact: unknown): string | undefined {
  try {
    return JSON.stringify(artifact);
  } catch (cause) {
    if (nameOf(cause) === 'RangeError') {
      return JSON.stringify(pruned(artifact, 0));
    }
    throw new TargetError('ERR_TARGET_ARTIFACT', `Artifact: cannot be written as JSON (${nameOf(cause)})`, {
      cause,
    });
  }
}

/** Far deeper than a condition or an offer is read on-device, and than anything here needs as a stack. */
const MAX_LEVELS = 700;

function isDeeper(value: unknown, level: number): boolean {
  if (typeof value !== 'object' || value === null) {
    return false;
  }
  return level > MAX_LEVELS || Object.values(value).some((inner) => isDeeper(inner, level + 1));
}

/** Cuts off what is nested too deeply to be written. A client leaves a rule with such a condition or offer to the edge. */
function pruned(value: unknown, level: number): unknown {
  if (Array.isArray(value)) {
    return level > MAX_LEVELS ? null : value.map((item) => pruned(item, level + 1));
  }
  if (!isRecord(value)) {
    return value;
  }
  return level > MAX_LEVELS
    ? null
    : Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, pruned(inner, level + 1)]));
}

/** Returns the configuration of a client that decides by the artifact. */
export function toConfig(
  { meta }: Artifact,
  { client, propertyToken, allMatchingMboxes }: Omit<ExplainOptions, 'request'>,
): ResolvedConfig {
  const ownClient = meta?.clientCode;
  const code = isAbsent(client) && typeof ownClient === 'string' ? ownClient : client;
  if (isAbsent(code)) {
    throw invalidOption('client', 'the client code, because the artifact names none', code);
  }
  return resolveConfig(
    {
      client: code,
      organizationId: NO_ORGANIZATION,
      propertyToken,
      // The configuration refuses what is no list of names.
      allMatchingMboxes: (copyList(allMatchingMboxes, 'allMatchingMboxes') ??
        allMatchingMboxes) as ExplainOptions['allMatchingMboxes'],
      decisioningMethod: 'on-device',
    },
    createLogger(undefined),
  );
}

/** Checks the option `now`. */
export function toNow(now: unknown): number {
  if (isAbsent(now)) {
    return Date.now();
  }
  if (typeof now === 'number' && Number.isFinite(new Date(now).getTime())) {
    return now;
  }
  throw invalidOption('now', 'a time in ms since 1970', now);
}
