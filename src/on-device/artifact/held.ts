import { type Artifact, isBinaryArtifact, isBlankArtifact, toArtifact } from '../../artifact.js';
import type { ResolvedConfig } from '../../config.js';
import { TargetError, toJsonError } from '../../errors.js';
import { parseJson } from '../../json.js';
import type { Logger } from '../../logger.js';
import type { ArtifactOrigin, ArtifactStats } from '../../stats.js';
import { type CompiledArtifact, compileArtifact } from '../rules/compile.js';
import { ageMs, type Dated, generatedAtMs, isAhead, isFromLocation, isOlder } from './age.js';
import { UndecidableLog } from './edge-only-log.js';

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

/**
 * Says why an artifact is not taken. `older`: it was made before the one that is held. `blank`: it has no rules, which
 * the next download has to confirm.
 */
export type Refusal = 'older' | 'blank';

/** An artifact that calls are decided from. */
export interface ArtifactInUse {
  readonly compiled: CompiledArtifact;
  /** Warns of what deciding from it has shown of it. */
  readonly undecidable: UndecidableLog;
}

/** ETag and rules change together, once everything about them was checked. */
interface Held extends ArtifactInUse, Dated {
  readonly isBlank: boolean;
  readonly etag: string | undefined;
}

/** The artifact in use: none at first, then the last good one. */
export class HeldArtifact {
  readonly #options: Omit<HeldArtifactOptions, 'payload'>;
  #held: Held | undefined;
  /** When its location last said that it is the current one, on the clock of `performance.now()`. */
  #confirmed: number | undefined;
  /** Set while the last artifact that came was refused as blank. */
  #isInDoubt = false;
  #retrievals = 0;
  #lastRetrievedMs = 0;

  constructor({ payload, ...options }: HeldArtifactOptions) {
    this.#options = options;
    if (payload) this.#hold(payload, { source: 'payload' });
  }

  get inUse(): ArtifactInUse | undefined {
    return this.#held;
  }

  /** The held ETag is what a download asks for changes by; undefined while only a whole artifact can settle a doubt. */
  get condition(): string | undefined {
    return this.#isInDoubt ? undefined : this.#held?.etag;
  }

  /** True while the next download has to say if an artifact without rules was meant. */
  get isInDoubt(): boolean {
    return this.#isInDoubt;
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
   * Takes an artifact into use as a whole, unless it says why not.
   * @throws TargetError `ERR_TARGET_ARTIFACT` for one that cannot be used
   */
  take(text: string, arrival: Arrival): Refusal | undefined {
    const artifact = toArtifact(parse(text));
    const refusal = this.#refusalOf(artifact, arrival);
    this.#isInDoubt = refusal === 'blank';
    if (refusal === undefined) this.#hold(artifact, arrival);
    return refusal;
  }

  /** Notes that it is the current one still. */
  confirm(): void {
    this.#confirmed = performance.now();
  }

  #ageMs(held: Held): number {
    if (this.#confirmed !== undefined) return performance.now() - this.#confirmed;
    return ageMs(held, this.#options.now());
  }

  #refusalOf(artifact: Artifact, { etag, isAsked = false }: Arrival): Refusal | undefined {
    const held = this.#held;
    if (!held) return undefined;
    const isMeant = isAsked && etag !== held.etag;
    if (!isMeant && isOlder(generatedAtMs(artifact), held, this.#options.now())) return 'older';
    const isSettled = isAsked || this.#isInDoubt || held.isBlank;
    return !isSettled && isBlankArtifact(artifact) ? 'blank' : undefined;
  }

  #hold(artifact: Artifact, { etag, source }: Arrival): void {
    const { config, logger, now } = this.#options;
    const { client, allMatchingMboxes } = config;
    const madeMs = generatedAtMs(artifact);
    const isFromFuture = madeMs !== undefined && isAhead(madeMs, now());
    if (isFromFuture && madeMs !== this.#held?.madeMs) logger.warn(toFutureLine(madeMs));
    const compiled = compileArtifact(artifact, { client, allMatchingMboxes });
    this.#held = {
      madeMs,
      isFromFuture,
      isBlank: isBlankArtifact(artifact),
      compiled,
      undecidable: new UndecidableLog(compiled, logger),
      etag,
      source,
      taken: performance.now(),
    };
    this.#confirmed = isFromLocation(source) ? this.#held.taken : undefined;
    this.#retrievals += 1;
    this.#lastRetrievedMs = now();
  }
}

function parse(text: string): unknown {
  try {
    return parseJson(text);
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

function toFutureLine(madeMs: number): string {
  const date = new Date(madeMs).toISOString();
  return `the artifact is dated ${date}, more than a day ahead: it counts as made when it came`;
}
