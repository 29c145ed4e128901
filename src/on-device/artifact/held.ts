import { type Artifact, isBinaryArtifact, isBlankArtifact, toArtifact } from '../../artifact.js';
import type { ResolvedConfig } from '../../config/config.js';
import { TargetError, toJsonError } from '../../errors.js';
import { parseJson } from '../../json.js';
import type { Logger } from '../../logger.js';
import type { ArtifactOrigin, ArtifactStats } from '../../stats.js';
import { type CompiledArtifact, compileArtifact } from '../rules/compile.js';
import { ageMs, type Dated, generatedAtMs, isAhead, isFromLocation, isOlder } from './age.js';
import { UndecidableLog } from './edge-only-log.js';
import { type Activation, Pending } from './pending.js';

/** The parts of a client that are needed to keep an artifact. */
export interface HeldArtifactOptions {
  readonly config: ResolvedConfig;
  /** Artifact that the caller passed in the configuration; undefined when there is none. */
  readonly payload: Artifact | undefined;
  /** True when the payload counts as the current artifact. */
  readonly isPayloadCurrent: boolean;
  readonly logger: Logger;
  /** Returns the present time in epoch ms. */
  readonly now: () => number;
}

/** Facts about an artifact that arrived, without its content. */
export interface Arrival {
  readonly source: ArtifactOrigin;
  /** ETag of the artifact; undefined when it has none that can be sent back. */
  readonly etag: string | undefined;
  /**
   * True when `refresh()` asked for it. It then replaces the held artifact even when it has no rules, or when it is
   * older and has another ETag.
   */
  readonly isRefresh: boolean;
  /** The first 16 hexadecimal digits of the SHA-256 of the text; undefined for a text that nobody downloaded. */
  readonly id: string | undefined;
  /** Time at which the artifact was made or modified, in epoch ms; undefined when nothing tells. */
  readonly order: number | undefined;
  /** True when the other processes of a fleet use it, so this one does not judge it. */
  readonly isFollowed: boolean;
}

/** Facts about an artifact that was not downloaded: nothing tells its version. */
export const UNDATED = {
  etag: undefined,
  id: undefined,
  order: undefined,
  isRefresh: false,
  isFollowed: false,
} as const;

/**
 * Reason for refusing an artifact. `older`: it was made before the held one. `blank`: it has no rules, and the next
 * download has to confirm that this is no fault.
 */
export type Refusal = 'older' | 'blank';

/** Artifact from which calls are decided. */
export interface ArtifactInUse {
  readonly compiled: CompiledArtifact;
  /** Log of the locations that only the edge can decide. It is written when a decision finds one. */
  readonly undecidable: UndecidableLog;
}

/** The held artifact. Its ETag and rules are replaced together, after a new artifact has passed all checks. */
export interface Held extends ArtifactInUse, Dated {
  readonly isBlank: boolean;
  readonly etag: string | undefined;
  readonly id: string | undefined;
  readonly order: number | undefined;
}

/** Keeps the artifact in use. There is none at first; later it is the last good one. */
export class HeldArtifact {
  readonly #options: Omit<HeldArtifactOptions, 'payload'>;
  #held: Held | undefined;
  #pending: Pending<Held> | undefined;
  /**
   * Time, on the clock of `performance.now()`, at which the location last confirmed that the held artifact is the
   * current one.
   */
  #confirmed: number | undefined;
  /** True while the last artifact that arrived was refused as blank. */
  #isInDoubt = false;
  #retrievals = 0;
  #lastRetrievedMs = 0;

  constructor({ payload, ...options }: HeldArtifactOptions) {
    this.#options = options;
    if (payload) {
      this.replace(this.#toHeld(payload, { ...UNDATED, source: 'payload' }));
    }
  }

  /** The artifact in use; undefined while there is none. */
  get inUse(): ArtifactInUse | undefined {
    // A process that was frozen at the common moment must not decide once more by the artifact from before.
    if (this.#pending !== undefined) {
      this.#activateWhenDue(this.#pending);
    }
    return this.#held;
  }

  /** The newest artifact that is known: the one that waits for its moment, else the one in use. */
  get newest(): Held | undefined {
    return this.#pending?.held ?? this.#held;
  }

  /** The id of the artifact in use; undefined while there is none, or when it has none. */
  get id(): string | undefined {
    return this.#held?.id;
  }

  /**
   * ETag that the next download sends. The CDN then does not send an unchanged artifact again. It is undefined while an
   * artifact without rules waits to be confirmed, because only a complete download can confirm it.
   */
  get condition(): string | undefined {
    return this.#isInDoubt ? undefined : this.newest?.etag;
  }

  /** True while the next download has to confirm that an artifact without rules is no fault. */
  get isInDoubt(): boolean {
    return this.#isInDoubt;
  }

  /** True when the artifact in use is the one that the caller passed in the configuration. */
  get isPayload(): boolean {
    return this.#held?.source === 'payload';
  }

  /** True when the artifact in use came from its location, or when the location confirmed it. */
  get isConfirmed(): boolean {
    return this.#confirmed !== undefined || (this.isPayload && this.#options.isPayloadCurrent);
  }

  /** Statistics of the artifact in use; undefined while there is none. */
  get stats(): ArtifactStats | undefined {
    if (!this.inUse || !this.#held) {
      return undefined;
    }
    const { source, compiled, id } = this.#held;
    const pending = this.#pending;
    const { version, meta } = compiled.artifact;
    const generatedAt = meta?.generatedAt;
    return {
      version,
      ...(typeof generatedAt === 'string' && { generatedAt }),
      source,
      ageMs: Math.round(this.#ageMs(this.#held)),
      ...(id !== undefined && { id }),
      ...(pending?.held.id !== undefined && {
        pendingId: pending.held.id,
        activatesInMs: Math.round(pending.leftMs),
      }),
    };
  }

  /** ETag of the artifact in use; undefined when it has none, or there is no artifact. */
  get etag(): string | undefined {
    return this.#held?.etag;
  }

  /** Number of artifacts that were taken into use, and the time of the last one in epoch ms. */
  get retrieved(): { readonly times: number; readonly lastMs: number } {
    return { times: this.#retrievals, lastMs: this.#lastRetrievedMs };
  }

  /**
   * Takes an artifact into use as a whole, or returns the reason why it is refused.
   * @throws TargetError `ERR_TARGET_ARTIFACT` when the artifact cannot be used.
   */
  take(text: string, arrival: Arrival): Refusal | undefined {
    const prepared = this.prepare(text, arrival);
    if (typeof prepared === 'string') {
      return prepared;
    }
    this.replace(prepared);
    return undefined;
  }

  /**
   * Checks and compiles an artifact without using it, or returns the reason why it is refused.
   * @throws TargetError `ERR_TARGET_ARTIFACT` when the artifact cannot be used.
   */
  prepare(text: string, arrival: Arrival): Held | Refusal {
    const artifact = toArtifact(parse(text));
    const refusal = this.#refusalOf(artifact, arrival);
    this.#isInDoubt = refusal === 'blank';
    return refusal ?? this.#toHeld(artifact, arrival);
  }

  /**
   * Takes a prepared artifact into use at its moment, or at once when there is none in use. It replaces another one that
   * waits.
   */
  activateAt(held: Held, activation: Activation): void {
    this.dropPending();
    this.#pending = new Pending(held, activation, () => this.inUse);
    this.#activateWhenDue(this.#pending);
    this.#pending?.wait();
  }

  /** Corrects the moment of the artifact that waits for it, by another answer of the store. */
  correctActivation(inMs: number): void {
    this.#pending?.correct(inMs);
  }

  /** Forgets the artifact that waits for its moment. */
  dropPending(): void {
    this.#pending?.clear();
    this.#pending = undefined;
  }

  /** Notes that the location has confirmed the newest artifact as the current one, so many ms ago. */
  confirm(agoMs = 0): void {
    const confirmedMs = performance.now() - agoMs;
    if (this.#pending) {
      this.#pending.confirmedMs = confirmedMs;
    } else {
      this.#confirmed = confirmedMs;
    }
  }

  #activateWhenDue(pending: Pending<Held>): void {
    if (this.#held && pending.leftMs > 0) {
      return;
    }
    this.dropPending();
    this.replace(pending.held);
    this.#confirmed = pending.confirmedMs;
    // Listeners are told in a microtask, because a decision may be what found that the moment has come.
    queueMicrotask(pending.onUse);
  }

  #ageMs(held: Held): number {
    if (this.#confirmed !== undefined) {
      return performance.now() - this.#confirmed;
    }
    return ageMs(held, this.#options.now());
  }

  #refusalOf(artifact: Artifact, { etag, isRefresh, isFollowed }: Arrival): Refusal | undefined {
    const held = this.newest;
    if (!held || isFollowed) {
      return undefined;
    }
    const isMeant = isRefresh && etag !== held.etag;
    if (!isMeant && isOlder(generatedAtMs(artifact), held, this.#options.now())) {
      return 'older';
    }
    const isSettled = isRefresh || this.#isInDoubt || held.isBlank;
    return !isSettled && isBlankArtifact(artifact) ? 'blank' : undefined;
  }

  #toHeld(artifact: Artifact, { etag, source, id, order }: Arrival): Held {
    const { config, logger, now } = this.#options;
    const { client, allMatchingMboxes } = config;
    const madeMs = generatedAtMs(artifact);
    const isFromFuture = madeMs !== undefined && isAhead(madeMs, now());
    if (isFromFuture && madeMs !== this.#held?.madeMs) {
      logger.warn(toFutureLine(madeMs));
    }
    const compiled = compileArtifact(artifact, { client, allMatchingMboxes, watch: undefined });
    return {
      madeMs,
      isFromFuture,
      isBlank: isBlankArtifact(artifact),
      compiled,
      undecidable: new UndecidableLog(compiled, logger),
      etag,
      source,
      id,
      order: trustedOrder(madeMs ?? order, now()),
      taken: performance.now(),
    };
  }

  /** Takes a prepared artifact into use at once. */
  replace(held: Held): void {
    this.#held = held;
    this.#confirmed = isFromLocation(held.source) ? held.taken : undefined;
    this.#retrievals += 1;
    this.#lastRetrievedMs = this.#options.now();
  }
}

/** Returns a date by which versions are put in order. A date far in the future is not trusted. */
function trustedOrder(order: number | undefined, nowMs: number): number | undefined {
  return order === undefined || isAhead(order, nowMs) ? undefined : order;
}

function parse(text: string): unknown {
  try {
    return parseJson(text);
  } catch (thrown) {
    const cause = toJsonError(thrown);
    // The text of a binary artifact is not part of the error, because it starts with the key that decodes it.
    if (isBinaryArtifact(text)) {
      throw new TargetError('ERR_TARGET_ARTIFACT', 'the artifact is binary, not JSON: set artifactFormat', {
        cause,
      });
    }
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
