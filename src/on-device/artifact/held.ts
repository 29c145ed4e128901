import { type Artifact, isBinaryArtifact, isBlankArtifact, toArtifact } from '../../artifact.js';
import type { ResolvedConfig } from '../../config.js';
import { TargetError, toJsonError } from '../../errors.js';
import type { Logger } from '../../logger.js';
import type { ArtifactOrigin, ArtifactStats } from '../../stats.js';
import { type CompiledArtifact, compileArtifact } from '../rules/compile.js';
import { UndecidableLog } from './undecidable.js';

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
interface Held extends ArtifactInUse {
  readonly madeMs: number | undefined;
  /** Set when its date was in the future on arrival; the clock may have been wrong. */
  readonly isFromFuture: boolean;
  readonly isBlank: boolean;
  readonly etag: string | undefined;
  readonly source: ArtifactOrigin;
  /** On the clock of `performance.now()`. */
  readonly taken: number;
}

/** Time zones and clocks that are a little wrong are no reason to doubt a date. */
const MAX_AHEAD_MS = 24 * 60 * 60 * 1000;
/** A CDN serves what it has kept for some minutes, while a newer artifact is there already. */
const MAX_UNDERWAY_MS = 10 * 60 * 1000;

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
    const { madeMs, taken } = held;
    if (madeMs === undefined || this.#isMisdated(held)) return performance.now() - taken;
    return Math.max(0, this.#options.now() - madeMs);
  }

  #refusalOf(artifact: Artifact, { etag, isAsked = false }: Arrival): Refusal | undefined {
    const held = this.#held;
    if (!held) return undefined;
    const isMeant = isAsked && etag !== held.etag;
    if (!isMeant && this.#isOlder(generatedAtMs(artifact), held)) return 'older';
    const isSettled = isAsked || this.#isInDoubt || held.isBlank;
    return !isSettled && isBlankArtifact(artifact) ? 'blank' : undefined;
  }

  #isOlder(comeMs: number | undefined, held: Held): boolean {
    if (comeMs === undefined || held.madeMs === undefined || this.#isAhead(comeMs)) return false;
    return comeMs < (this.#isMisdated(held) ? Math.min(held.madeMs, this.#latestMadeMs(held)) : held.madeMs);
  }

  /** A date is none to go by when the artifact's maker or the clock of this machine was wrong. */
  #isMisdated({ madeMs, isFromFuture }: Held): boolean {
    return isFromFuture || (madeMs !== undefined && this.#isAhead(madeMs));
  }

  #isAhead(madeMs: number): boolean {
    return madeMs - this.#options.now() > MAX_AHEAD_MS;
  }

  /**
   * An artifact was made before it came; nobody knows when it came to a store or to the caller. The time that has passed
   * since is taken from the clock as it is now, for the clock may have been set meanwhile.
   */
  #latestMadeMs({ source, taken }: Held): number {
    if (!isFromLocation(source)) return Number.NEGATIVE_INFINITY;
    return this.#options.now() - (performance.now() - taken) - MAX_UNDERWAY_MS;
  }

  #hold(artifact: Artifact, { etag, source }: Arrival): void {
    const { config, logger, now } = this.#options;
    const { client, allMatchingMboxes } = config;
    const madeMs = generatedAtMs(artifact);
    const isFromFuture = madeMs !== undefined && this.#isAhead(madeMs);
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

function isFromLocation(source: ArtifactOrigin): boolean {
  return source === 'cdn' || source === 'file';
}

function toFutureLine(madeMs: number): string {
  const date = new Date(madeMs).toISOString();
  return `the artifact is dated ${date}, more than a day ahead: it counts as made when it came`;
}

/** When an artifact was made, where it says so. */
function generatedAtMs({ meta }: Artifact): number | undefined {
  const generatedAt = meta?.generatedAt;
  const ms = typeof generatedAt === 'string' ? Date.parse(generatedAt) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}
