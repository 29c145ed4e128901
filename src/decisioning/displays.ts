import type { Notification } from '../delivery-api.js';

/** The display notifications that a call owes: one per rule that was executed and has tokens not yet owed. */
export class DisplayLedger {
  readonly notifications: Notification[] = [];
  readonly #nowMs: number;
  readonly #newId: () => string;
  #tokensByMbox: Map<string, Set<string>> | undefined;

  constructor(nowMs: number, newId: () => string) {
    this.#nowMs = nowMs;
    this.#newId = newId;
  }

  /** Adds what is owed for an mbox's options; undefined when all of their tokens are owed already. */
  owe(mbox: string, tokens: readonly string[]): Notification | undefined {
    const fresh = this.#withoutOwed(mbox, tokens);
    if (fresh.length === 0) return undefined;
    const notification: Notification = {
      id: this.#newId(),
      impressionId: this.#newId(),
      timestamp: this.#nowMs,
      type: 'display',
      mbox: { name: mbox },
      tokens: fresh,
    };
    this.notifications.push(notification);
    return notification;
  }

  #withoutOwed(mbox: string, tokens: readonly string[]): string[] {
    // Most calls owe one notification, and its tokens are unique as they are.
    if (this.notifications.length === 0) return tokens.slice();
    const owed = this.#owedTokens(mbox);
    const fresh: string[] = [];
    for (const token of tokens) {
      if (owed.has(token)) continue;
      owed.add(token);
      fresh.push(token);
    }
    return fresh;
  }

  #owedTokens(mbox: string): Set<string> {
    if (!this.#tokensByMbox) {
      const [first] = this.notifications;
      this.#tokensByMbox = new Map([[first?.mbox?.name ?? '', new Set(first?.tokens)]]);
    }
    const known = this.#tokensByMbox.get(mbox);
    if (known) return known;
    const owed = new Set<string>();
    this.#tokensByMbox.set(mbox, owed);
    return owed;
  }
}
