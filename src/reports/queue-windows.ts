import type { Place } from './queue-lanes.js';
import { FIRST_LIMIT, HostWindow } from './queue-window.js';

/** Calls under way to hosts that have never confirmed any. */
const MAX_TO_UNKNOWN = 16;
/** Hosts that are remembered, unless more are in use. */
const MAX_HOSTS = 200;

/** The windows of all hosts, and what may be under way to all of them together. */
export class HostWindows {
  readonly #maxInFlight: number;
  readonly #windows = new Map<string, HostWindow>();
  #inFlight = 0;
  #toUnknown = 0;
  /** Hosts that have calls under way. */
  #busy = 0;

  constructor(maxInFlight: number) {
    this.#maxInFlight = maxInFlight;
  }

  /** How many calls are under way. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** The window of a host. Idle ones are forgotten when there are many. */
  of(host: string): HostWindow {
    const known = this.#windows.get(host);
    if (known) return known;
    if (this.#windows.size >= MAX_HOSTS) this.#forgetOne();
    const window = new HostWindow(this.#maxInFlight);
    this.#windows.set(host, window);
    return window;
  }

  /** The place that a host has for a call now, if there is one. */
  placeAt(host: string, nowMs: number, isHurried: boolean): Place | undefined {
    if (this.#inFlight >= 2 * this.#maxInFlight) return undefined;
    const window = this.of(host);
    if (!window.hasAnswered && this.#toUnknown >= MAX_TO_UNKNOWN) return undefined;
    if (window.inFlight >= this.#shareOf(window) || !window.mayBegin(nowMs, isHurried)) return undefined;
    return window.isProven ? 'any' : 'untried first';
  }

  /** No host takes the places of others: one that hangs keeps those that it has until their calls time out. */
  #shareOf({ inFlight }: HostWindow): number {
    const hosts = inFlight === 0 ? this.#busy + 1 : this.#busy;
    return Math.max(FIRST_LIMIT, Math.floor((2 * this.#maxInFlight) / hosts));
  }

  /** A call goes; the answer is to be called when it has ended. */
  begin(host: string, nowMs: number): () => void {
    const window = this.of(host);
    const unknown = window.hasAnswered ? 0 : 1;
    this.#inFlight += 1;
    this.#toUnknown += unknown;
    if (window.inFlight === 0) this.#busy += 1;
    window.begin(nowMs);
    return () => {
      this.#inFlight -= 1;
      this.#toUnknown -= unknown;
      window.end();
      if (window.inFlight === 0) this.#busy -= 1;
    };
  }

  /** Hosts that have never answered go first: cookies may have made them up. */
  #forgetOne(): void {
    const nowMs = performance.now();
    const idle = [...this.#windows].filter(([, window]) => window.isIdle(nowMs));
    const [host] = idle.find(([, { hasAnswered }]) => !hasAnswered) ?? idle[0] ?? [];
    if (host !== undefined) this.#windows.delete(host);
  }
}
