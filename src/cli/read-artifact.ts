import { readFile } from 'node:fs/promises';
import type { TargetClientConfig } from 'target-node-sdk';
import { showing } from './progress.js';
import { reasonOf, type Shell, UsageError } from './shell.js';

/** The parts of the shell that reading needs. */
type Input = Pick<Shell, 'stdin' | 'err' | 'env'>;

/** The options for artifacts in the binary format. */
export interface ArtifactOptions {
  /** The id of the organization, which is a part of the key. */
  readonly organization?: string | undefined;
}

/** An artifact as its text and as a value. */
export interface ReadArtifact {
  readonly text: string;
  readonly value: unknown;
  /** The id that `stats().artifact.id` of a client shows. It is absent for a file. */
  readonly id?: string | undefined;
}

const BINARY_START = 'ATOD:';
/** Stands in for options that must be there and that nothing read here depends on. */
const NOBODY = { client: 'artifact', organizationId: '0@AdobeOrg' };

/**
 * Reads an artifact from a file, a URL, or `-`, which is standard input.
 * @throws {UsageError} for a source that cannot be read, or that is no JSON.
 * @throws {TargetError} for a download that fails.
 */
export async function readArtifact(
  source: string,
  options: ArtifactOptions,
  shell: Input,
): Promise<ReadArtifact> {
  if (source === '') {
    throw new UsageError('the name of the artifact is empty: give a file, a URL, or - for standard input');
  }
  if (/^https?:\/\//i.test(source)) {
    return readUrl(source, options, shell);
  }
  const name = source === '-' ? 'standard input' : source;
  const bytes = source === '-' ? await readAll(shell) : await readBytes(toPath(source));
  return bytes.subarray(0, BINARY_START.length).toString('latin1') === BINARY_START
    ? readBinary(bytes, name, options)
    : parse(bytes, name);
}

/** Reads an artifact of a URL. Its format is that of the answer, whatever the URL is. */
async function readUrl(source: string, options: ArtifactOptions, shell: Input): Promise<ReadArtifact> {
  if (isBinaryUrl(source) && !options.organization) {
    throw binaryError(source);
  }
  const config = { ...NOBODY, ...organizationOf(options), artifactLocation: source };
  try {
    return await downloadArtifact(config, shell);
  } catch (error) {
    const isBinary = /binary/i.test(String((error as { readonly message?: unknown }).message));
    if (isBinary && !options.organization) {
      throw binaryError(source, error);
    }
    if (!isBinary || isBinaryUrl(source)) {
      throw error;
    }
    return downloadArtifact({ ...config, artifactFormat: 'bin' }, shell);
  }
}

function binaryError(name: string, cause?: unknown): UsageError {
  const message = `${name} is a binary artifact: give --organization, the id that it is encoded with`;
  return new UsageError(message, { cause });
}

/** Tells whether a client takes the format from the URL. */
function isBinaryUrl(source: string): boolean {
  return /\.bin(?:[?#]|$)/i.test(source);
}

/** Reads the artifact as a value that the tools take. They check the rest. */
export async function readArtifactObject(
  source: string,
  options: ArtifactOptions,
  shell: Input,
): Promise<object> {
  const { value } = await readArtifact(source, options, shell);
  if (typeof value === 'object' && value !== null) {
    return value;
  }
  throw new UsageError(`${source} is no artifact: give the JSON of the rules, an object`);
}

/** Downloads an artifact as a client does, and checks it. */
export function downloadArtifact(
  config: TargetClientConfig,
  terminal: Pick<Shell, 'err' | 'env'>,
): Promise<ReadArtifact> {
  return showing(terminal, 'downloading the artifact', () => loadByClient(config));
}

async function loadByClient(config: TargetClientConfig): Promise<ReadArtifact> {
  // A file is read without a client, which takes a while to load.
  const { TargetClient } = await import('target-node-sdk');
  let text: string | undefined;
  let value: unknown;
  const client = TargetClient.create({
    ...config,
    decisioningMethod: 'on-device',
    pollingInterval: 0,
    telemetryEnabled: false,
    // A client without a location hint would ask the edge for one.
    targetLocationHint: '35',
    artifactStore: {
      get: async () => undefined,
      set: async (_, written) => {
        text = written;
      },
    },
    events: {
      artifactDownloadSucceeded: ({ artifactPayload }) => {
        value = artifactPayload;
      },
    },
  });
  try {
    await client.refresh();
    const { id } = client.stats().artifact ?? {};
    return { text: text ?? JSON.stringify(value), value, id };
  } finally {
    await client.close({ timeout: 1 });
  }
}

/** Reads a JSON file of the user. */
export async function readJsonFile(path: string, shell: Input): Promise<unknown> {
  const isStdin = path === '-';
  return parse(isStdin ? await readAll(shell) : await readBytes(path), isStdin ? 'standard input' : path)
    .value;
}

/** Reads a file of the user. */
export async function readBytes(path: string | URL): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    const message = `${path} cannot be read (${reasonOf(cause)}): give a file, a URL, or - for standard input`;
    throw new UsageError(message, { cause });
  }
}

/** Reads standard input to its end. */
async function readAll(shell: Input): Promise<Buffer> {
  const parts: Buffer[] = [];
  // A person who sees nothing happen does not know that the program waits for them.
  const hint = shell.stdin.isTTY ? 'reading standard input; Ctrl+D ends it' : '';
  await showing(shell, hint, async () => {
    for await (const part of shell.stdin) {
      parts.push(Buffer.from(part));
    }
  });
  return Buffer.concat(parts);
}

function toPath(source: string): string | URL {
  if (!/^file:/i.test(source)) {
    return source;
  }
  try {
    return new URL(source);
  } catch (cause) {
    throw new UsageError(`${source} is no file URL: write file:///path/to/rules.json`, { cause });
  }
}

function parse(bytes: Buffer, name: string): ReadArtifact {
  if (bytes.length === 0) {
    throw new UsageError(`${name} is empty: give the JSON of an artifact`);
  }
  let text: string;
  try {
    // The decoder removes the mark that editors put before UTF-8.
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UsageError(`${name} is not UTF-8 text: give the JSON of an artifact`, { cause });
  }
  try {
    return { text, value: JSON.parse(text) };
  } catch (cause) {
    throw new UsageError(`${name} is not JSON: give the artifact as it was downloaded`, { cause });
  }
}

/** Lets a client decode the artifact, which gets the bytes as if they had been downloaded. */
async function readBinary(bytes: Buffer, name: string, options: ArtifactOptions): Promise<ReadArtifact> {
  if (!options.organization) {
    throw binaryError(name);
  }
  return loadByClient({
    ...NOBODY,
    ...organizationOf(options),
    artifactFormat: 'bin',
    artifactLocation: 'https://artifact.invalid/rules.bin',
    fetchApi: async () => new Response(new Uint8Array(bytes)),
  });
}

function organizationOf({ organization }: ArtifactOptions): { organizationId?: string } {
  return organization ? { organizationId: organization } : {};
}
