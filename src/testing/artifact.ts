import { createHash } from 'node:crypto';
import type { OpenRequest } from './request-log.js';
import type { Answer, Route } from './routes.js';
import { refusal } from './routes.js';

/** How an artifact is served. */
export interface ArtifactOptions {
  /** @default made from the content */
  readonly etag?: string | undefined;
}

/** An artifact as the edge serves it: a copy that no later change of the caller's object reaches. */
export interface ServedArtifact {
  readonly text: string;
  readonly etag: string;
}

/** What the artifact route needs to answer. */
export interface ArtifactParts {
  readonly client: string;
  readonly organizationId: string;
  /** The artifact of the moment, if there is one. */
  readonly current: () => ServedArtifact | undefined;
}

/** `/{client}/{environment}/v1[/{propertyToken}]/rules.json` or `.bin`. */
const ARTIFACT_PATH = /^\/([^/]+)\/[^/]+\/v1\/(?:[^/]+\/)?rules\.(json|bin)$/;
const BINARY_KEY_LENGTH = 32;

/** The path of a client's production artifact. */
export function artifactPath(client: string): string {
  return `/${encodeURIComponent(client)}/production/v1/rules.json`;
}

/** An artifact, ready to be served. */
export function toServedArtifact(artifact: object, { etag }: ArtifactOptions = {}): ServedArtifact {
  const text = JSON.stringify(artifact);
  return { text, etag: etag ?? `"${digest(text).toString('base64url').slice(0, 22)}"` };
}

/** The one artifact, for every environment and property of the edge's client; 404 while there is none. */
export function artifactRoute(parts: ArtifactParts): Route {
  return {
    method: 'GET',
    matches: (path) => ARTIFACT_PATH.test(path),
    answer: (request) => answerArtifact(request, parts),
  };
}

/** Every event token in an artifact, of options and metrics of all rules. */
export function eventTokensOf(artifact: unknown): string[] {
  if (typeof artifact !== 'object' || artifact === null) return [];
  return Object.entries(artifact).flatMap(([name, value]) =>
    name === 'eventToken' && typeof value === 'string' ? [value] : eventTokensOf(value),
  );
}

function answerArtifact({ path, headers }: OpenRequest, parts: ArtifactParts): Answer {
  const [, client, format] = ARTIFACT_PATH.exec(path) ?? [];
  // Another client code would allocate visitors in another way than the edge's own decisions do.
  if (client !== encodeURIComponent(parts.client))
    return refusal(404, `no artifact of ${client}: the client of this edge is ${parts.client}`);
  const artifact = parts.current();
  if (!artifact) return refusal(404, 'no artifact: give the edge one with setArtifact');
  const { text, etag } = artifact;
  const validators = { ETag: etag, 'Cache-Control': 'max-age=300' };
  if (isHeld(headers['if-none-match'], etag)) return { status: 304, headers: validators };
  const type = format === 'bin' ? 'application/octet-stream' : 'application/json;charset=UTF-8';
  return {
    status: 200,
    headers: { 'Content-Type': type, ...validators },
    body: format === 'bin' ? toBinaryArtifact(text, parts.organizationId) : text,
  };
}

/** Whether If-None-Match names the version that there is; weak and strong tags are the same to it. */
function isHeld(condition: string | undefined, etag: string): boolean {
  const strong = (tag: string) => tag.trim().replace(/^W\//, '');
  return condition?.split(',').some((tag) => tag.trim() === '*' || strong(tag) === strong(etag)) ?? false;
}

/** `ATOD:001`, a key of 32 characters, then UTF-8 XOR organization id and key, over and over. */
function toBinaryArtifact(text: string, organizationId: string): Buffer {
  const key = digest(text).toString('hex').slice(0, BINARY_KEY_LENGTH);
  const mask = Buffer.from(organizationId + key);
  const bytes = Buffer.from(text).map((byte, position) => byte ^ (mask[position % mask.length] ?? 0));
  return Buffer.concat([Buffer.from(`ATOD:001${key}`), bytes]);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
