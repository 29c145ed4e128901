import type { Opening } from './queue-lanes.js';
import { FIRST_LIMIT, HostWindow } from './queue-window.js';

/** The number of calls that may run at once to all hosts that have never confirmed one. */
const MAX_TO_UNKNOWN = 16;
/** The number of hosts that are remembered, unless more are in use. */
const MAX_HOSTS = 200;

/** The windows of all hosts, and the limits over all of them together. */
export class HostWindows {
  readonly #maxInFlight: number;
  readonly #windows = new Map<string, HostWindow>();
  #inFlight = 0;
  /** The number of running calls to hosts that had never confirmed one when the call began. */
  #toUnknown = 0;
  /** The number of hosts with running calls. */
  #busy = 0;

  constructor(maxInFlight: number) {
    this.#maxInFlight = maxInFlight;
  }

  /** The number of calls that are being sent. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Returns the window of a host. An idle host is forgotten when there are too many. */
  of(host: string): HostWindow {
    const known = this.#windows.get(host);
    if (known) {
      return known;
    }
    if (this.#windows.size >= MAX_HOSTS) {
      this.#forgetOne();
    }
    const window = new HostWindow(this.#maxInFlight);
    this.#windows.set(host, window);
    return window;
  }

  /** Returns the opening that a host has for one more call at this moment; `undefined` when it has none. */
  openingAt(host: string, nowMs: number, isHurried: boolean): Opening | undefined {
    if (this.#inFlight >= 2 * this.#maxInFlight) {
      return undefined;
    }
    const window = this.of(host);
    if (!window.hasAnswered && this.#toUnknown >= MAX_TO_UNKNOWN) {
      return undefined;
    }
    if (window.inFlight >= this.#shareOf(window) || !window.mayBegin(nowMs, isHurried)) {
      return undefined;
    }
    return window.isProven ? 'any' : 'untried first';
  }

  /**
   * Returns the number of calls that one host may run at once. The hosts with running calls share the whole, so a host
   * that hangs keeps only its own part until its calls time out.
   */
  #shareOf({ inFlight }: HostWindow): number {
    const hosts = inFlight === 0 ? this.#busy + 1 : this.#busy;
    return Math.max(FIRST_LIMIT, Math.floor((2 * this.#maxInFlight) / hosts));
  }

  /** Notes that a call is being sent. Returns a function to call when it has ended. */
  begin(host: string, nowMs: number): () => void {
    const window = this.of(host);
    const unknown = window.hasAnswered ? 0 : 1;
    this.#inFlight += 1;
    this.#toUnknown += unknown;
    if (window.inFlight === 0) {
      this.#busy += 1;
    }
    window.begin(nowMs);
    return () => {
      this.#inFlight -= 1;
      this.#toUnknown -= unknown;
      window.end();
      if (window.inFlight === 0) {
        this.#busy -= 1;
      }
    };
  }

  /** Forgets an idle host. One that has never answered goes first, because a forged cookie may have invented it. */
  #forgetOne(): void {
    const nowMs = performance.now();
    const idle = [...this.#windows].filter(([, window]) => window.isIdle(nowMs));
    const [host] = idle.find(([, { hasAnswered }]) => !hasAnswered) ?? idle[0] ?? [];
    if (host !== undefined) {
      this.#windows.delete(host);
    }
  }
}
