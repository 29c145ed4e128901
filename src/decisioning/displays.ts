import type { Notification } from '../delivery-api.js';

/** What is displayed of a rule. */
export interface Displayed {
  /** Event tokens, each once. */
  readonly displayTokens: readonly string[];
  /** {@link displayFields} of all of them, written once. */
  displayFields(mbox: string): string;
}

/** What the notifications of a display have in common, as JSON without braces. */
export function displayFields(mbox: string, tokens: readonly string[]): string {
  return `"type":"display","mbox":{"name":${JSON.stringify(mbox)}},"tokens":${JSON.stringify(tokens)}`;
}

/**
 * The display notifications that a call owes: one per rule that was executed and has tokens not yet owed. They are
 * written as JSON on the way: most of their text is the same for all visitors (`on-device/10-mboxes`).
 */
export class DisplayLedger {
  readonly notifications: Notification[] = [];
  readonly #nowMs: number;
  readonly #newId: () => string;
  #json = '';
  #tokensByMbox: Map<string, Set<string>> | undefined;

  constructor(nowMs: number, newId: () => string) {
    this.#nowMs = nowMs;
    this.#newId = newId;
  }

  /** The notifications as JSON. */
  get json(): string {
    return `[${this.#json}]`;
  }

  /** Adds what is owed for an mbox's options; undefined when all of their tokens are owed already. */
  owe(mbox: string, displayed: Displayed): Notification | undefined {
    const { displayTokens } = displayed;
    const fresh = this.#withoutOwed(mbox, displayTokens);
    if (fresh.length === 0) return undefined;
    const id = this.#newId();
    const impressionId = this.#newId();
    const timestamp = this.#nowMs;
    const fields =
      fresh.length === displayTokens.length ? displayed.displayFields(mbox) : displayFields(mbox, fresh);
    const comma = this.notifications.length === 0 ? '' : ',';
    this.#json += `${comma}{"id":"${id}","impressionId":"${impressionId}","timestamp":${timestamp},${fields}}`;
    const notification: Notification = {
      id,
      impressionId,
      timestamp,
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
