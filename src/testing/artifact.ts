import { createHash } from 'node:crypto';
import { refuseUnknown } from './known-options.js';
import type { OpenRequest } from './request-log.js';
import type { Answer, Route } from './routes.js';
import { refusal } from './routes.js';

/** Options for serving an artifact. */
export interface ArtifactOptions {
  /** The ETag header of the artifact. @default a hash of the content */
  readonly etag?: string | undefined;
}

/** An artifact as the edge serves it. It is a copy, so later changes of the caller's object have no effect. */
export interface ServedArtifact {
  /** The artifact as JSON. */
  readonly text: string;
  /** The value of the ETag header, with its quotes. */
  readonly etag: string;
}

/** The parts of an edge that the artifact route needs. */
export interface ArtifactParts {
  readonly client: string;
  readonly organizationId: string;
  /** Returns the present artifact, or `undefined` when there is none. */
  readonly current: () => ServedArtifact | undefined;
}

/** The path of an artifact: `/{client}/{environment}/v1[/{propertyToken}]/rules.json`, or the same with `rules.bin`. */
const ARTIFACT_PATH = /^\/([^/]+)\/[^/]+\/v1\/(?:[^/]+\/)?rules\.(json|bin)$/;
/** The length of the key in the header of a binary artifact, in bytes. */
const BINARY_KEY_LENGTH = 32;

/** Returns the path of a client's artifact for the environment `production`. */
export function artifactPath(client: string): string {
  return `/${encodeURIComponent(client)}/production/v1/rules.json`;
}

/** Copies an artifact into the form in which it is served. */
export function toServedArtifact(artifact: object, options: ArtifactOptions = {}): ServedArtifact {
  refuseUnknown(options, ['etag'], 'setArtifact');
  const { etag } = options;
  const text = JSON.stringify(artifact);
  return { text, etag: etag ?? `"${digest(text).toString('base64url').slice(0, 22)}"` };
}

/**
 * Makes the route of the artifact. The same artifact is served for every environment and property of the edge's client.
 * The answer is 404 while there is no artifact.
 */
export function artifactRoute(parts: ArtifactParts): Route {
  return {
    method: 'GET',
    matches: (path) => ARTIFACT_PATH.test(path),
    answer: (request) => answerArtifact(request, parts),
  };
}

/** Returns every event token in an artifact, of the options and metrics of all rules. */
export function eventTokensOf(artifact: unknown): string[] {
  if (typeof artifact !== 'object' || artifact === null) {
    return [];
  }
  return Object.entries(artifact).flatMap(([name, value]) =>
    name === 'eventToken' && typeof value === 'string' ? [value] : eventTokensOf(value),
  );
}

function answerArtifact({ path, headers }: OpenRequest, parts: ArtifactParts): Answer {
  const [, client, format] = ARTIFACT_PATH.exec(path) ?? [];
  // An artifact for another client code is refused. The code decides which experience a visitor gets, so a client with
  // another code would not decide as this edge does.
  if (client !== encodeURIComponent(parts.client)) {
    return refusal(404, `no artifact of ${client}: the client of this edge is ${parts.client}`);
  }
  const artifact = parts.current();
  if (!artifact) {
    return refusal(404, 'no artifact: give the edge one with setArtifact');
  }
  const { text, etag } = artifact;
  const validators = { ETag: etag, 'Cache-Control': 'max-age=300' };
  if (isHeld(headers['if-none-match'], etag)) {
    return { status: 304, headers: validators };
  }
  const type = format === 'bin' ? 'application/octet-stream' : 'application/json;charset=UTF-8';
  return {
    status: 200,
    headers: { 'Content-Type': type, ...validators },
    body: format === 'bin' ? toBinaryArtifact(text, parts.organizationId) : text,
  };
}

/**
 * Tells whether an If-None-Match header names the present version. Weak and strong tags compare as equal.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2
 */
function isHeld(condition: string | undefined, etag: string): boolean {
  const strong = (tag: string) => tag.trim().replace(/^W\//, '');
  return condition?.split(',').some((tag) => tag.trim() === '*' || strong(tag) === strong(etag)) ?? false;
}

/**
 * Encodes an artifact in the binary format: the text `ATOD:001`, a key of 32 characters, then the JSON. Each byte of
 * the JSON is combined by XOR with the bytes of organization id and key, which repeat to its end.
 */
function toBinaryArtifact(text: string, organizationId: string): Buffer {
  const key = digest(text).toString('hex').slice(0, BINARY_KEY_LENGTH);
  const mask = Buffer.from(organizationId + key);
  const bytes = Buffer.from(text).map((byte, position) => byte ^ (mask[position % mask.length] ?? 0));
  return Buffer.concat([Buffer.from(`ATOD:001${key}`), bytes]);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
