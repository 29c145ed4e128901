import type { Notification } from '../delivery-api.js';

/** What is displayed of a rule. */
export interface Displayed {
  /** Event tokens, each once. */
  readonly displayTokens: readonly string[];
  /** {@link displayFields} of all of them, written once. */
  displayFields(mbox: string): string;
}

/** What the notifications of a display have in common: the end of their JSON. */
export function displayFields(mbox: string, tokens: readonly string[]): string {
  return `"type":"display","mbox":{"name":${JSON.stringify(mbox)}},"tokens":${JSON.stringify(tokens)}}`;
}

/**
 * The display notifications that a call owes: one per rule that was executed and has tokens not yet owed. They are
 * written as JSON on the way: most of their text is the same for all visitors (`on-device/10-mboxes`).
 */
export class DisplayLedger {
  readonly notifications: Notification[] = [];
  readonly #nowMs: number;
  readonly #newId: () => string;
  #stamp = '';
  #json = '';
  #owedByMbox: Map<string, readonly string[] | Set<string>> | undefined;

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
    this.#stamp ||= `","timestamp":${timestamp},`;
    // Few parts: each is an object until the text is sent.
    const start = this.notifications.length === 0 ? '{"id":"' : ',{"id":"';
    this.#json += `${start}${id}","impressionId":"${impressionId}${this.#stamp}${fields}`;
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

  /** Most calls display one mbox, and most mboxes are displayed once: their tokens are unique as they are, and need no set. */
  #withoutOwed(mbox: string, tokens: readonly string[]): string[] {
    const [first] = this.notifications;
    if (!first) return tokens.slice();
    this.#owedByMbox ??= new Map([[first.mbox?.name ?? '', first.tokens ?? []]]);
    const known = this.#owedByMbox.get(mbox);
    if (!known) {
      this.#owedByMbox.set(mbox, tokens);
      return tokens.slice();
    }
    let owed: Set<string>;
    if (known instanceof Set) owed = known;
    else {
      owed = new Set(known);
      this.#owedByMbox.set(mbox, owed);
    }
    const fresh: string[] = [];
    for (const token of tokens) {
      if (owed.has(token)) continue;
      owed.add(token);
      fresh.push(token);
    }
    return fresh;
  }
}
