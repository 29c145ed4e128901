import { type Artifact, isBinaryArtifact, toArtifact } from '../artifact.js';
import type { ResolvedConfig } from '../config.js';
import { TargetError, toJsonError } from '../errors.js';
import { LineLimit } from '../log-limit.js';
import type { Logger } from '../logger.js';
import type { ArtifactOrigin, ArtifactStats } from '../stats.js';
import { type CompiledArtifact, compileArtifact } from './compile.js';

/** What holding an artifact needs. */
export interface HeldArtifactOptions {
  readonly config: ResolvedConfig;
  /** The artifact that the caller brought along. */
  readonly payload: Artifact | undefined;
  readonly logger: Logger;
  readonly now: () => number;
}

/** How an artifact that came is to be taken. */
export interface Arrival {
  readonly source: ArtifactOrigin;
  readonly etag?: string | undefined;
  /** Whether it was asked for by name, so that it may be older than the one that is held. */
  readonly isAsked?: boolean | undefined;
}

/** ETag and rules change together, once everything about them was checked. */
interface Held {
  readonly generatedAtMs: number | undefined;
  readonly compiled: CompiledArtifact;
  readonly etag: string | undefined;
  readonly source: ArtifactOrigin;
  /** On the clock of `performance.now()`. */
  readonly taken: number;
}

/** The artifact in use: none at first, then the last good one. */
export class HeldArtifact {
  readonly #options: Omit<HeldArtifactOptions, 'payload'>;
  #held: Held | undefined;
  /** When its location last said that it is the current one, on the clock of `performance.now()`. */
  #confirmed: number | undefined;
  #retrievals = 0;
  #lastRetrievedMs = 0;

  constructor({ payload, ...options }: HeldArtifactOptions) {
    this.#options = options;
    if (payload) this.#take(payload, { source: 'payload' });
  }

  get compiled(): CompiledArtifact | undefined {
    return this.#held?.compiled;
  }

  get etag(): string | undefined {
    return this.#held?.etag;
  }

  /** Whether it is the one that the caller brought along. */
  get isPayload(): boolean {
    return this.#held?.source === 'payload';
  }

  /** Whether it came from its location, or was the same there. */
  get isConfirmed(): boolean {
    return this.#confirmed !== undefined;
  }

  /** What is told of it. */
  get stats(): ArtifactStats | undefined {
    if (!this.#held) return undefined;
    const { source, compiled } = this.#held;
    const { version, meta } = compiled.artifact;
    const generatedAt = meta?.generatedAt;
    return {
      version,
      ...(typeof generatedAt === 'string' && { generatedAt }),
      source,
      ageMs: Math.round(this.#ageMs(this.#held)),
    };
  }

  /** How often one was taken, and when the last time. */
  get retrieved(): { readonly times: number; readonly lastMs: number } {
    return { times: this.#retrievals, lastMs: this.#lastRetrievedMs };
  }

  /**
   * Takes an artifact into use, or nothing of it: false for one that is older than the one that is held.
   * @throws TargetError `ERR_TARGET_ARTIFACT` for one that cannot be used
   */
  take(text: string, arrival: Arrival): boolean {
    return this.#take(toArtifact(parse(text)), arrival);
  }

  /** Notes that it is the current one still. */
  confirm(): void {
    this.#confirmed = performance.now();
  }

  #ageMs({ generatedAtMs, taken }: Held): number {
    if (this.#confirmed !== undefined) return performance.now() - this.#confirmed;
    if (generatedAtMs !== undefined) return Math.max(0, this.#options.now() - generatedAtMs);
    return performance.now() - taken;
  }

  #take(artifact: Artifact, { etag, isAsked, source }: Arrival): boolean {
    const isWanted = isAsked && etag !== this.etag;
    const madeMs = generatedAtMs(artifact);
    if (!isWanted && isOlder(madeMs, this.#held?.generatedAtMs)) return false;
    const { config, logger, now } = this.#options;
    const { client, allMatchingMboxes } = config;
    // Each artifact's own: what is wrong with a new one is news, even if it is what was wrong with the last.
    const limit = new LineLimit((line) => logger.write('warn', line));
    const warn = (line: string) => limit.say(line);
    this.#held = {
      generatedAtMs: madeMs,
      compiled: compileArtifact(artifact, { client, allMatchingMboxes, warn }),
      etag,
      source,
      taken: performance.now(),
    };
    const isFromLocation = source === 'cdn' || source === 'file';
    this.#confirmed = isFromLocation ? this.#held.taken : undefined;
    this.#retrievals += 1;
    this.#lastRetrievedMs = now();
    return true;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    const cause = toJsonError(thrown);
    // Its start holds its key.
    if (isBinaryArtifact(text))
      throw new TargetError('ERR_TARGET_ARTIFACT', 'the artifact is binary, not JSON: set artifactFormat', {
        cause,
      });
    throw new TargetError('ERR_TARGET_ARTIFACT', 'the artifact is not JSON', {
      body: text.slice(0, 1024),
      cause,
    });
  }
}

function isOlder(comeMs: number | undefined, heldMs: number | undefined): boolean {
  return comeMs !== undefined && heldMs !== undefined && comeMs < heldMs;
}

/** When an artifact was made, where it says so. */
function generatedAtMs({ meta }: Artifact): number | undefined {
  const generatedAt = meta?.generatedAt;
  const ms = typeof generatedAt === 'string' ? Date.parse(generatedAt) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}
