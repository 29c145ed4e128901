import { type Files, files } from '#platform';
import { decodeBinaryArtifact } from '../../artifact.js';
import type { ResolvedConfig } from '../../config/config.js';
import { TargetError } from '../../errors.js';
import { bytesOf, textOf } from '../../http/body.js';
import { download } from '../../http/download.js';
import { cdnOrigin } from '../../http/host-options.js';
import { NO_RETRY } from '../../http/retry.js';
import type { Transport } from '../../http/transport.js';
import { createFileReader } from './file.js';

/** Artifact as it was read: its content is not checked yet. */
export interface ReadArtifact {
  readonly text: string;
  /** ETag of this version; undefined when there is none that can be sent back. */
  readonly etag: string | undefined;
  /** Size of the artifact as it was read, in bytes. */
  readonly bytes: number;
  /** Time until the first byte of the response, in ms; undefined for a file. */
  readonly timeToFirstByteMs: number | undefined;
  /** Duration of the download in ms; undefined for a file. */
  readonly downloadMs: number | undefined;
}

/** Reads the artifact from one location. */
export interface ArtifactReader {
  /** URL of the artifact, without credentials, because events and traces show it. */
  readonly location: string;
  /**
   * Makes one attempt to read the artifact. Resolves to undefined when it is still the version of the given ETag.
   * Rejects with a `TargetError`, or with the signal's reason when it is aborted. `onAnswer` gets the number of HTTP
   * requests when the last of them is answered. A file needs none.
   */
  read(
    etag: string | undefined,
    signal: AbortSignal,
    onAnswer: (attempts: number) => void,
  ): Promise<ReadArtifact | undefined>;
}

/** The parts of a client that are needed to read the artifact. */
export interface ArtifactReaderOptions {
  readonly config: ResolvedConfig;
  readonly transport: Transport;
  readonly newId: () => string;
}

const DOWNLOAD_TIMEOUT_MS = 30_000;
const MAX_ARTIFACT_BYTES = 32 * 1024 * 1024;
/**
 * Matches an ETag that can be sent back in `If-None-Match` (https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2). A
 * long one, or one with characters that a header cannot hold, would make every poll fail. `*` would be answered by
 * status 304 for ever.
 */
const SENDABLE_ETAG = /^(?![* ]*$)[\x20-\x7e\x80-\xff]{1,1024}$/;

/**
 * Creates the reader of the configured artifact: from the CDN, from another URL or from a file, as JSON or in the
 * binary format.
 */
export function createArtifactReader({ config, transport, newId }: ArtifactReaderOptions): ArtifactReader {
  const url = toArtifactLocation(config);
  const { protocol, pathname, username, password } = new URL(url);
  const location = username === '' && password === '' ? url : withoutCredentials(url);
  const isBinary = (config.artifactFormat ?? (pathname.endsWith('.bin') ? 'bin' : 'json')) === 'bin';
  const toText = (bytes: Uint8Array) =>
    isBinary ? decodeBinaryArtifact(bytes, config.organizationId) : textOf(bytes);

  const get: ArtifactReader['read'] = async (etag, signal, onAnswer) => {
    const { status, headers, body, attempts, timeToFirstByteMs, downloadMs } = await download(transport, {
      what: 'artifact download',
      url,
      headers: etag === undefined ? {} : { 'If-None-Match': etag },
      requestId: newId(),
      timeoutMs: DOWNLOAD_TIMEOUT_MS,
      maxBytes: MAX_ARTIFACT_BYTES,
      retry: NO_RETRY,
      isPersonal: false,
      signal,
    });
    onAnswer(attempts);
    if (status === 304 && etag !== undefined) {
      return undefined;
    }
    const bytes = bytesOf(body);
    if (bytes.length === 0) {
      const result = `was answered with status ${status} and no artifact`;
      throw new TargetError('ERR_TARGET_ARTIFACT', `the artifact download ${result}`, { status });
    }
    const version = headers.get('etag') ?? '';
    const kept = SENDABLE_ETAG.test(version) ? version : undefined;
    return { text: toText(bytes), etag: kept, bytes: bytes.length, timeToFirstByteMs, downloadMs };
  };

  /**
   * Creates the function that reads an artifact file. The hash of its bytes serves as ETag: the file is read each
   * time, but it counts as new only when its bytes changed.
   */
  const readerOf = (files: Files): ArtifactReader['read'] => {
    const readFile = createFileReader(files, location, MAX_ARTIFACT_BYTES);
    return async (etag, signal) => {
      const bytes = await readFile({ timeoutMs: DOWNLOAD_TIMEOUT_MS, signal });
      const version = files.sha256(bytes);
      if (version === etag) {
        return undefined;
      }
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

/**
 * Returns the configured location, else `https://{cdn}/{client}/{environment}/v1[/{propertyToken}]/rules.json` on
 * Adobe's CDN. The name of a binary artifact is `rules.bin`.
 */
function toArtifactLocation(config: ResolvedConfig): string {
  if (config.artifactLocation !== undefined) {
    return config.artifactLocation;
  }
  const { client, environment, propertyToken, artifactFormat = 'json' } = config;
  const parts = [client, environment, 'v1', propertyToken, `rules.${artifactFormat}`];
  const path = parts.filter((part) => part !== undefined).map(encodeURIComponent);
  return `${cdnOrigin(config)}/${path.join('/')}`;
}
