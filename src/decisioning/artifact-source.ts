import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Artifact, decodeBinaryArtifact, toArtifact } from '../artifact.js';
import type { ResolvedConfig } from '../config.js';
import { TargetError, toError } from '../errors.js';
import type { Events } from '../events.js';
import type { Logger } from '../logger.js';
import type { Downloaded } from '../telemetry.js';
import type { Transport } from '../transport.js';
import { type CompiledArtifact, compileArtifact } from './compile.js';
import { download, NO_RETRY } from './download.js';
import type { ArtifactFacts } from './trace.js';

/** What an artifact source needs. */
export interface ArtifactSourceOptions {
  readonly config: ResolvedConfig;
  readonly transport: Transport;
  readonly events: Events;
  readonly logger: Logger;
  readonly now: () => number;
  readonly newId: () => string;
  /** Told when there is an artifact for the first time. */
  readonly onFirst: () => void;
  /** Told how long each download took, for telemetry. */
  readonly onDownload: (download: Downloaded) => void;
}

/** The artifact in use. ETag, rules and stored copy change together, once everything about them was checked. */
interface Held {
  readonly artifact: Artifact;
  readonly compiled: CompiledArtifact;
  readonly etag: string | undefined;
}

const DOWNLOAD_TIMEOUT_MS = 30_000;
const STORE_TIMEOUT_MS = 2000;
const MAX_RETRIES = 10;
const FIRST_RETRY_MS = 1000;
const RETRY_FACTOR = 2.5;
const MAX_RETRY_MS = 30_000;
const JITTER = 0.1;

/**
 * Where the artifact comes from, and keeping it fresh: an ETag, one download at a time, the last good one kept
 * whatever comes, and a first one that is waited for as long as it takes.
 */
export class ArtifactSource {
  /** The URL of the artifact, or what a trace shows when the caller brought it along. */
  readonly location: string;
  readonly #options: ArtifactSourceOptions;
  readonly #abort = new AbortController();
  readonly #waiting = new Set<() => void>();
  #held: Held | undefined;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #retrievals = 0;
  #lastRetrievedMs = 0;

  constructor(options: ArtifactSourceOptions) {
    this.#options = options;
    this.location = toArtifactLocation(options.config);
    const { artifactPayload } = options.config;
    if (artifactPayload) this.#hold(toPayload(artifactPayload), undefined);
  }

  /** The compiled artifact in use, if there is one. */
  get compiled(): CompiledArtifact | undefined {
    return this.#held?.compiled;
  }

  /** What is known of the artifact in use, for traces. */
  get facts(): ArtifactFacts {
    const { pollingIntervalMs, artifactPayload } = this.#options.config;
    return {
      artifactLocation: this.#held?.artifact === artifactPayload ? undefined : this.location,
      pollingInterval: pollingIntervalMs,
      pollingHalted: this.#abort.signal.aborted,
      artifactRetrievalCount: this.#retrievals,
      artifactLastRetrievedMs: this.#lastRetrievedMs,
    };
  }

  /** Begins to download and poll. */
  start(): void {
    if (this.#held) this.#scheduleNext();
    else this.#restore().finally(() => this.#downloadInBackground());
  }

  /** Downloads now, or joins the download that runs. Rejects with what it failed of; what was held stays held. */
  async refresh(): Promise<void> {
    return this.#downloadOnce(true);
  }

  async #downloadOnce(isAsked: boolean): Promise<void> {
    this.#running ??= this.#download(isAsked).finally(() => {
      this.#running = undefined;
      this.#scheduleNext();
    });
    return this.#running;
  }

  /** Calls back when there is an artifact. Until then, or until told to stop, waiting keeps the process alive. */
  whenHeld(callback: () => void): () => void {
    if (this.#held) {
      callback();
      return () => undefined;
    }
    this.#waiting.add(callback);
    this.#timer?.ref();
    return () => {
      this.#waiting.delete(callback);
      if (this.#waiting.size === 0) this.#timer?.unref();
    };
  }

  /** Ends polling and the download that runs. */
  close(): void {
    clearTimeout(this.#timer);
    this.#abort.abort(new TargetError('ERR_TARGET_CLOSED', 'the client is closed'));
  }

  #downloadInBackground(): void {
    this.#downloadOnce(false).catch(() => undefined);
  }

  #scheduleNext(): void {
    clearTimeout(this.#timer);
    const delayMs = this.#nextDelayMs();
    if (delayMs === undefined || this.#abort.signal.aborted) return;
    this.#timer = setTimeout(() => this.#downloadInBackground(), delayMs);
    if (this.#waiting.size === 0) this.#timer.unref();
  }

  /** A failure is followed by a few quick retries; after them, only a source without any artifact goes on so. */
  #nextDelayMs(): number | undefined {
    const { pollingIntervalMs } = this.#options.config;
    const isRetry = this.#failures > 0 && (!this.#held || this.#failures <= MAX_RETRIES);
    if (isRetry) {
      const first = pollingIntervalMs > 0 ? Math.min(FIRST_RETRY_MS, pollingIntervalMs) : FIRST_RETRY_MS;
      const longest = Math.min(first * RETRY_FACTOR ** (this.#failures - 1), MAX_RETRY_MS);
      return longest * (0.5 + Math.random() / 2);
    }
    if (pollingIntervalMs === 0) return undefined;
    return pollingIntervalMs * (1 - JITTER + Math.random() * 2 * JITTER);
  }

  async #download(isAsked: boolean): Promise<void> {
    const { events, logger, onDownload } = this.#options;
    const startedMs = this.#options.now();
    const started = performance.now();
    try {
      const got = this.location.startsWith('file:') ? await this.#readFile() : await this.#get();
      this.#failures = 0;
      if (!got || this.#abort.signal.aborted) return;
      const parsingFrom = performance.now();
      const text = this.#toText(got.bytes);
      const artifact = toArtifact(parseJson(text));
      if (!isAsked && this.#isOlder(artifact))
        return logger.warn('an older artifact than the one in use was not taken');
      this.#hold(artifact, got.etag);
      const ended = performance.now();
      onDownload({
        startedMs,
        executionMs: ended - started,
        parsingMs: ended - parsingFrom,
        timeToFirstByteMs: got.timeToFirstByteMs,
        downloadMs: got.downloadMs,
        bytes: got.bytes.length,
      });
      events.emit({
        type: 'artifactDownloadSucceeded',
        artifactLocation: this.location,
        artifactPayload: artifact,
      });
      this.#store(text);
    } catch (thrown) {
      if (this.#abort.signal.aborted) throw thrown;
      this.#failures += 1;
      const error = toArtifactError(thrown);
      if (this.#failures === 1)
        logger.warn(() => `${error.message}; ${this.#held ? 'the last good one stays' : 'none is held'}`);
      events.emit({ type: 'artifactDownloadFailed', artifactLocation: this.location, error });
      throw error;
    }
  }

  /** The bytes of the artifact; undefined when they are those that are held. */
  async #get(): Promise<Got | undefined> {
    const { transport, newId } = this.#options;
    const etag = this.#held?.etag;
    const answer = await download(transport, {
      what: 'artifact download',
      url: this.location,
      headers: etag === undefined ? {} : { 'If-None-Match': etag },
      requestId: newId(),
      timeoutMs: DOWNLOAD_TIMEOUT_MS,
      retry: NO_RETRY,
      signal: this.#abort.signal,
    });
    if (answer.status === 304) {
      if (etag !== undefined) return undefined;
      throw new TargetError(
        'ERR_TARGET_ARTIFACT',
        'the artifact download was answered with 304 to no condition',
        {
          status: 304,
        },
      );
    }
    const { body, timeToFirstByteMs, downloadMs } = answer;
    return { bytes: body, etag: answer.headers.get('etag') ?? undefined, timeToFirstByteMs, downloadMs };
  }

  /** A file's own bytes are its condition: it is read, but taken only when they changed. */
  async #readFile(): Promise<Got | undefined> {
    const bytes = await readFile(fileURLToPath(this.location), { signal: this.#abort.signal });
    const etag = createHash('sha256').update(bytes).digest('base64');
    if (etag === this.#held?.etag) return undefined;
    return { bytes, etag, timeToFirstByteMs: undefined, downloadMs: undefined };
  }

  #toText(bytes: Buffer): string {
    const { config } = this.#options;
    const format =
      config.artifactFormat ?? (new URL(this.location).pathname.endsWith('.bin') ? 'bin' : 'json');
    return format === 'bin' ? decodeBinaryArtifact(bytes, config.organizationId) : bytes.toString('utf8');
  }

  #isOlder(artifact: Artifact): boolean {
    const held = generatedAtMs(this.#held?.artifact);
    const come = generatedAtMs(artifact);
    return held !== undefined && come !== undefined && come < held;
  }

  #hold(artifact: Artifact, etag: string | undefined): void {
    const { config, logger, now } = this.#options;
    const compiled = compileArtifact(artifact, {
      client: config.client,
      allMatchingMboxes: config.allMatchingMboxes,
      warn: (line) => logger.warn(line),
    });
    const isFirst = this.#held === undefined;
    this.#held = { artifact, compiled, etag };
    this.#retrievals += 1;
    this.#lastRetrievedMs = now();
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const callback of waiting) callback();
    if (isFirst) this.#options.onFirst();
  }

  /** Takes what an earlier process kept, so that a CDN that is down does not matter. */
  async #restore(): Promise<void> {
    const { artifactStore } = this.#options.config;
    if (!artifactStore) return;
    try {
      const text = await within(Promise.resolve(artifactStore.get(this.location)), STORE_TIMEOUT_MS);
      if (typeof text === 'string' && !this.#held) this.#hold(toArtifact(parseJson(text)), undefined);
    } catch (thrown) {
      this.#options.logger.warn(() => `the artifact store could not be read: ${toError(thrown).name}`);
    }
  }

  /** Keeps what was taken for later processes; whatever comes of it. */
  async #store(text: string): Promise<void> {
    const { artifactStore } = this.#options.config;
    try {
      await artifactStore?.set(this.location, text);
    } catch (thrown) {
      this.#options.logger.warn(() => `the artifact store could not be written: ${toError(thrown).name}`);
    }
  }
}

interface Got {
  readonly bytes: Buffer;
  readonly etag: string | undefined;
  readonly timeToFirstByteMs: number | undefined;
  readonly downloadMs: number | undefined;
}

/** `https://{cdn}/{client}/{environment}/v1[/{propertyToken}]/rules.json` (spec 5.1). */
function toArtifactLocation(config: ResolvedConfig): string {
  if (config.artifactLocation !== undefined) return config.artifactLocation;
  const { client, environment, propertyToken, artifactFormat = 'json' } = config;
  const parts = [client, environment, 'v1', propertyToken, `rules.${artifactFormat}`];
  const path = parts.filter((part) => part !== undefined).map(encodeURIComponent);
  return `${config.scheme}://${config.cdnHost}/${path.join('/')}`;
}

function toPayload(payload: object): Artifact {
  try {
    return toArtifact(payload);
  } catch (cause) {
    throw new TargetError('ERR_TARGET_INVALID_CONFIG', `artifactPayload: ${toError(cause).message}`, {
      path: 'artifactPayload',
      cause,
    });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TargetError('ERR_TARGET_ARTIFACT', 'the artifact is not JSON', { cause });
  }
}

/** When an artifact was made, where it says so. */
function generatedAtMs(artifact: Artifact | undefined): number | undefined {
  const generatedAt = artifact?.meta?.generatedAt;
  const ms = typeof generatedAt === 'string' ? Date.parse(generatedAt) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

/** Why there is no new artifact; a fault of the network keeps its own code. */
function toArtifactError(thrown: unknown): TargetError {
  if (thrown instanceof TargetError) return thrown;
  const { name } = toError(thrown);
  return new TargetError('ERR_TARGET_ARTIFACT', `the artifact could not be read: ${name}`, { cause: thrown });
}

/** A promise's value, unless it takes too long. */
function within<Value>(promise: Promise<Value>, ms: number): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new TargetError('ERR_TARGET_TIMEOUT', `no answer in ${ms} ms`)),
      ms,
    );
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
