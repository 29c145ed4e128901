import { type Files, files, sha256Hex } from '#platform';
import { decodeBinaryArtifact } from '../../artifact.js';
import type { ResolvedConfig } from '../../config/config.js';
import { nameOf, TargetError } from '../../errors.js';
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
  /** Location of the artifact: the CDN, or another URL in its place, or a file. */
  readonly source: 'cdn' | 'file';
  /** The first 16 hexadecimal digits of the SHA-256 of the text. */
  readonly id: string;
  /** Time at which the location says that the artifact was modified, in epoch ms; undefined when it does not say. */
  readonly order: number | undefined;
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
export const SENDABLE_ETAG = /^(?![* ]*$)[\x20-\x7e\x80-\xff]{1,1024}$/;

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
    const order = toTime(headers.get('last-modified'));
    const text = toText(bytes);
    const id = await toArtifactId(text);
    const times = { timeToFirstByteMs, downloadMs };
    return { source: 'cdn', text, id, etag: kept, order, bytes: bytes.length, ...times };
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
      const unknown = { order: undefined, timeToFirstByteMs: undefined, downloadMs: undefined };
      const text = toText(bytes);
      const id = await toArtifactId(text);
      return { source: 'file', text, id, etag: version, bytes: bytes.length, ...unknown };
    };
  };

  return { location, read: protocol === 'file:' && files ? readerOf(files) : get };
}

/** Computes the id of an artifact: the first 16 hexadecimal digits of the SHA-256 of its text. */
export async function toArtifactId(text: string): Promise<string> {
  return (await sha256Hex(text)).slice(0, 16);
}

/** Reads the date of a header, in epoch ms. */
function toTime(written: string | null): number | undefined {
  const ms = Date.parse(written ?? '');
  return Number.isNaN(ms) ? undefined : ms;
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

/** Converts a thrown value to a `TargetError`. An error of the network keeps its own code. */
export function toArtifactError(thrown: unknown): TargetError {
  if (thrown instanceof TargetError) {
    return thrown;
  }
  return new TargetError('ERR_TARGET_ARTIFACT', `the artifact cannot be used: ${nameOf(thrown)}`, {
    cause: thrown,
  });
}
