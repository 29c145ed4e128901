import { type Timer, unref } from '#platform';
import { TargetError } from '../../errors.js';
import type { Events } from '../../events.js';
import type { ReadyState, ReadyStatus } from '../../stats.js';

/** The parts of a client that tell of its readiness. */
export interface ReadinessOptions {
  readonly events: Events;
  readonly artifactLocation: string;
  /** Whether somebody waits has changed: the process has to live as long as that. */
  readonly onAwaited: (isAwaited: boolean) => void;
}

interface Waiting {
  readonly resolve: (state: ReadyState) => void;
  readonly reject: (error: Error) => void;
}

/** Tells of readiness: those who wait for it, and those who listen to how it changes. */
export class Readiness {
  readonly #options: ReadinessOptions;
  readonly #waiting = new Set<Waiting>();
  #patience: Timer | undefined;
  #lastStatus: ReadyStatus | undefined;

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  get isAwaited(): boolean {
    return this.#waiting.size > 0;
  }

  /** Resolves when readiness is told next, and rejects when it is given up, unless the signal is aborted before. */
  async wait(signal: AbortSignal): Promise<ReadyState> {
    // The wait may be over before this part of the client is loaded: nothing would end it any more.
    if (signal.aborted) throw signal.reason;
    return new Promise<ReadyState>((resolve, reject) => {
      const waiting = { resolve, reject };
      this.#waiting.add(waiting);
      this.#options.onAwaited(true);
      signal.addEventListener('abort', () => {
        this.#waiting.delete(waiting);
        if (!this.isAwaited) this.#options.onAwaited(false);
      });
    });
  }

  /** Tells those who wait, and those who listen if the status is another one than the last. */
  tell(state: ReadyState | undefined): void {
    if (!state) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    // Whoever waits goes on when the status is told for the first time.
    for (const { resolve } of waiting) resolve(state);
    this.#options.onAwaited(false);
    if (state.status === this.#lastStatus) return;
    this.#lastStatus = state.status;
    this.#options.events.emit({ type: 'statusChanged', ...state });
  }

  /** Tells those who listen, instead of calling `ready`, when the first artifact takes longer than they would wait. */
  startPatience(maximumWaitMs: number | undefined, causeOf: () => TargetError | undefined): void {
    if (maximumWaitMs === undefined) return;
    const { events, artifactLocation } = this.#options;
    const complain = () => {
      const cause = causeOf();
      const message = `no artifact came within ${maximumWaitMs} ms`;
      const error = new TargetError('ERR_TARGET_NOT_READY', message, { cause });
      events.emit({ type: 'artifactDownloadFailed', artifactLocation, error });
    };
    this.#patience = unref(setTimeout(complain, maximumWaitMs));
  }

  /** The first artifact is there. */
  endPatience(): void {
    clearTimeout(this.#patience);
  }

  /** There will be no other artifact: whoever waits is rejected. */
  giveUp(error: TargetError): void {
    this.endPatience();
    for (const { reject } of this.#waiting) reject(error);
    this.#waiting.clear();
  }
}
