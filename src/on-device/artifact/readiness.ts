import { type Timer, unref } from '#platform';
import { TargetError } from '../../errors.js';
import type { Events } from '../../events.js';
import type { ArtifactStats, ReadyState, ReadyStatus } from '../../stats.js';

/** The parts of a client that are needed to announce its readiness. */
export interface ReadinessOptions {
  readonly events: Events;
  /** URL of the artifact, for events. */
  readonly artifactLocation: string;
  /**
   * Called with true when a caller begins to wait, and with false when nobody waits any longer. The process has to
   * stay alive in between.
   */
  readonly onAwaited: (isAwaited: boolean) => void;
}

interface Waiting {
  readonly resolve: (state: ReadyState) => void;
  readonly reject: (error: Error) => void;
}

/** Announces a client's readiness to callers that wait for it, and its changes to listeners of events. */
export class Readiness {
  readonly #options: ReadinessOptions;
  readonly #waiting = new Set<Waiting>();
  #waitLimit: Timer | undefined;
  #lastStatus: ReadyStatus | undefined;

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  /** True while a caller waits. */
  get isAwaited(): boolean {
    return this.#waiting.size > 0;
  }

  /**
   * Resolves when readiness is next announced. Rejects when readiness is given up, or when the signal is aborted
   * already. When the signal is aborted later, the wait ends, but the promise stays pending.
   */
  async wait(signal: AbortSignal): Promise<ReadyState> {
    // The signal may have been aborted while on-device decisioning was being loaded. Its event does not come again, so
    // nothing would end the wait.
    if (signal.aborted) {
      throw signal.reason;
    }
    return new Promise<ReadyState>((resolve, reject) => {
      const waiting = { resolve, reject };
      this.#waiting.add(waiting);
      this.#options.onAwaited(true);
      signal.addEventListener('abort', () => {
        this.#waiting.delete(waiting);
        if (!this.isAwaited) {
          this.#options.onAwaited(false);
        }
      });
    });
  }

  /**
   * Announces a state to all who wait. Listeners get an event only when the status has changed. An undefined state is
   * not announced.
   */
  announce(state: ReadyState | undefined): void {
    if (!state) {
      return;
    }
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    // Any status ends the wait, also `degraded`: decisions can be made from then on.
    for (const { resolve } of waiting) {
      resolve(state);
    }
    this.#options.onAwaited(false);
    if (state.status === this.#lastStatus) {
      return;
    }
    this.#lastStatus = state.status;
    this.#options.events.emit({ type: 'statusChanged', ...state });
  }

  /**
   * Emits `artifactDownloadFailed` when the first artifact does not come within `maximumWaitMs`. It serves callers
   * that listen to events instead of waiting for `ready()`.
   */
  startWaitLimit(maximumWaitMs: number | undefined, causeOf: () => TargetError | undefined): void {
    if (maximumWaitMs === undefined) {
      return;
    }
    const { events, artifactLocation } = this.#options;
    const report = () => {
      const cause = causeOf();
      const message = `no artifact came within ${maximumWaitMs} ms`;
      const error = new TargetError('ERR_TARGET_NOT_READY', message, { cause });
      events.emit({ type: 'artifactDownloadFailed', artifactLocation, error });
    };
    this.#waitLimit = unref(setTimeout(report, maximumWaitMs));
  }

  /** Ends the time limit for the first artifact, because the artifact has come. */
  endWaitLimit(): void {
    clearTimeout(this.#waitLimit);
  }

  /** Rejects all who wait, because no artifact will come any more. */
  giveUp(error: TargetError): void {
    this.endWaitLimit();
    for (const { reject } of this.#waiting) {
      reject(error);
    }
    this.#waiting.clear();
  }
}

/**
 * Returns status, origin and age of the rules that decide; undefined while nothing can be decided. A client that can do
 * without an artifact lets the edge decide.
 */
export function toReadyState(
  stats: ArtifactStats | undefined,
  { isCurrent, canDoWithout }: { readonly isCurrent: boolean; readonly canDoWithout: boolean },
): ReadyState | undefined {
  if (stats) {
    const { source, ageMs } = stats;
    return { status: isCurrent ? 'live' : 'cached', source, ageMs };
  }
  return canDoWithout ? { status: 'degraded', source: 'edge', ageMs: 0 } : undefined;
}
