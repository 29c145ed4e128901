import { grown, spread } from '../../http/retry.js';

/** The kinds of calls. At most one call of each kind is under way. */
export type StoreCall = 'peek' | 'read' | 'offer' | 'confirm' | 'claim';

const PAUSES = { minTimeoutMs: 1000, maxTimeoutMs: 30_000, factor: 2 };
/** A call whose success shows that another kind would succeed too. An offer is made again instead. */
const SHOWN_BY: Partial<Record<StoreCall, StoreCall>> = { peek: 'read', claim: 'confirm' };

/**
 * Knows which kinds of calls of a store fail. A store that can only be read fails as long as nothing can be written, and
 * reads go on meanwhile. After a failed read, no call is made for 1 to 30 seconds, and after a failed ticket no ticket is
 * asked for. Offers and confirmations are so rare that they are always tried.
 */
export class StoreHealth {
  /** Number of failures in a row of each kind. */
  readonly #failures: Record<StoreCall, number> = { peek: 0, read: 0, offer: 0, confirm: 0, claim: 0 };
  /** Kinds that were believed to work again because others worked, and have not worked themselves since. */
  readonly #excused = new Set<StoreCall>();
  #pausedUntilMs = 0;
  #ticketsPausedUntilMs = 0;

  /** True while the last call of a kind failed, and nothing has shown since that it works again. */
  get isFailing(): boolean {
    return Object.values(this.#failures).some((count) => count > 0);
  }

  /** True when a ticket would show that the store can be written again. */
  get isTicketOfUse(): boolean {
    const { claim, confirm } = this.#failures;
    return claim > 0 || (confirm > 0 && !this.#excused.has('confirm'));
  }

  /** Time in ms until a call may be made; 0 when it may be made now. */
  pauseMs(kind: StoreCall): number {
    const untilMs =
      kind === 'claim' ? Math.max(this.#pausedUntilMs, this.#ticketsPausedUntilMs) : this.#pausedUntilMs;
    return Math.max(0, untilMs - performance.now());
  }

  /** Notes a call that worked. */
  worked(kind: StoreCall): void {
    if (kind === 'peek' || kind === 'read') {
      this.#pausedUntilMs = 0;
    }
    if (kind === 'claim' || (kind === 'peek' && this.#failures.peek > 0)) {
      this.#ticketsPausedUntilMs = 0;
    }
    this.#failures[kind] = 0;
    this.#excused.delete(kind);
    const shown = SHOWN_BY[kind];
    // A kind that failed again after it was believed to work has a fault of its own.
    if (shown && this.#failures[shown] > 0 && !this.#excused.has(shown)) {
      this.#failures[shown] = 0;
      this.#excused.add(shown);
    }
  }

  /** Notes a call that failed. */
  failed(kind: StoreCall): void {
    this.#failures[kind] += 1;
    const untilMs = performance.now() + spread(grown(PAUSES, this.#failures[kind]), 0.75, 1);
    if (kind === 'peek' || kind === 'read') {
      this.#pausedUntilMs = untilMs;
    } else if (kind === 'claim') {
      this.#ticketsPausedUntilMs = untilMs;
    }
  }

  /** Notes that there is nothing to read or to offer, so it is of no importance that this failed. */
  hasNothingToDo(): void {
    this.#failures.read = 0;
    this.#failures.offer = 0;
  }
}
