import { type Files, files } from '#platform';
import { decodeBinaryArtifact } from '../../artifact.js';
import type { ResolvedConfig } from '../../config.js';
import { TargetError } from '../../errors.js';
import { bytesOf, textOf } from '../../http/body.js';
import { download } from '../../http/download.js';
import { cdnOrigin } from '../../http/host-options.js';
import { NO_RETRY } from '../../http/retry.js';
import type { Transport } from '../../http/transport.js';
import { createFileReader } from './file.js';

/** An artifact as it was read, not looked into yet. */
export interface ReadArtifact {
  readonly text: string;
  /** Tells this version from others; undefined when there is none that can be sent back. */
  readonly etag: string | undefined;
  readonly bytes: number;
  /** Unknown of a file. */
  readonly timeToFirstByteMs: number | undefined;
  readonly downloadMs: number | undefined;
}

/** Where the artifact is, and one attempt to read it. */
export interface ArtifactReader {
  /** Shown by events and traces, so without credentials. */
  readonly location: string;
  /** Undefined when it is the version of the given ETag. Every failure that is not an abort is a TargetError. */
  read(etag: string | undefined, signal: AbortSignal): Promise<ReadArtifact | undefined>;
}

/** What reading needs. */
export interface ArtifactReaderOptions {
  readonly config: ResolvedConfig;
  readonly transport: Transport;
  readonly newId: () => string;
}

const DOWNLOAD_TIMEOUT_MS = 30_000;
const MAX_ARTIFACT_BYTES = 32 * 1024 * 1024;
/**
 * An ETag goes back with each poll: one that is long, or that no header may hold, would have all of them refused. To
 * `*`, the answer would be 304 for ever.
 */
const SENDABLE_ETAG = /^(?![* ]*$)[\x20-\x7e\x80-\xff]{1,1024}$/;

/** Reads the artifact from the CDN, from another URL or from a file, as JSON or in the binary format. */
export function createArtifactReader({ config, transport, newId }: ArtifactReaderOptions): ArtifactReader {
  const url = toArtifactLocation(config);
  const { protocol, pathname, username, password } = new URL(url);
  const location = username === '' && password === '' ? url : withoutCredentials(url);
  const isBinary = (config.artifactFormat ?? (pathname.endsWith('.bin') ? 'bin' : 'json')) === 'bin';
  const toText = (bytes: Uint8Array) =>
    isBinary ? decodeBinaryArtifact(bytes, config.organizationId) : textOf(bytes);

  const get: ArtifactReader['read'] = async (etag, signal) => {
    const { status, headers, body, timeToFirstByteMs, downloadMs } = await download(transport, {
      what: 'artifact download',
      url,
      headers: etag === undefined ? {} : { 'If-None-Match': etag },
      requestId: newId(),
      timeoutMs: DOWNLOAD_TIMEOUT_MS,
      maxBytes: MAX_ARTIFACT_BYTES,
      retry: NO_RETRY,
      signal,
    });
    if (status === 304 && etag !== undefined) return undefined;
    const bytes = bytesOf(body);
    if (bytes.length === 0) {
      const result = `was answered with status ${status} and no artifact`;
      throw new TargetError('ERR_TARGET_ARTIFACT', `the artifact download ${result}`, { status });
    }
    const version = headers.get('etag') ?? '';
    const kept = SENDABLE_ETAG.test(version) ? version : undefined;
    return { text: toText(bytes), etag: kept, bytes: bytes.length, timeToFirstByteMs, downloadMs };
  };

  /** A file's own bytes are its ETag: it is read each time, but taken only when they changed. */
  const readerOf = (files: Files): ArtifactReader['read'] => {
    const readFile = createFileReader(files, location, MAX_ARTIFACT_BYTES);
    return async (etag, signal) => {
      const bytes = await readFile({ timeoutMs: DOWNLOAD_TIMEOUT_MS, signal });
      const version = files.sha256(bytes);
      if (version === etag) return undefined;
      const unknown = { timeToFirstByteMs: undefined, downloadMs: undefined };
      return { text: toText(bytes), etag: version, bytes: bytes.length, ...unknown };
    };
  };

  return { location, read: protocol === 'file:' && files ? readerOf(files) : get };
}

function withoutCredentials(location: string): string {
  const url = new URL(location);
  url.username = '';
  url.password = '';
  return url.href;
}

/** Computes `https://{cdn}/{client}/{environment}/v1[/{propertyToken}]/rules.json`, where no other location is given. */
function toArtifactLocation(config: ResolvedConfig): string {
  if (config.artifactLocation !== undefined) return config.artifactLocation;
  const { client, environment, propertyToken, artifactFormat = 'json' } = config;
  const parts = [client, environment, 'v1', propertyToken, `rules.${artifactFormat}`];
  const path = parts.filter((part) => part !== undefined).map(encodeURIComponent);
  return `${cdnOrigin(config)}/${path.join('/')}`;
}
