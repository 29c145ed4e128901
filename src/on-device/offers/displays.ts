import type { Notification, RequestDetails } from '../../delivery-api.js';

/** What is displayed of a rule. */
export interface Displayed {
  /** Event tokens, each once. */
  readonly displayTokens: readonly string[];
  /** {@link displayFields} of all of them, written once. */
  displayFields(mbox: string): string;
}

/** Notifications that go to the edge in one request. */
export interface Report {
  readonly notifications: readonly Notification[];
  /** The same as JSON, without the brackets of the list. */
  readonly json: string;
}

/** The number of notifications that the edge takes in one request. */
const MAX_NOTIFICATIONS = 50;

/** Divides notifications into requests. */
export function toReports(notifications: readonly Notification[]): Report[] {
  const reports: Report[] = [];
  for (let start = 0; start < notifications.length; start += MAX_NOTIFICATIONS) {
    const some = notifications.slice(start, start + MAX_NOTIFICATIONS);
    reports.push({ notifications: some, json: JSON.stringify(some).slice(1, -1) });
  }
  return reports;
}

/** The part of a notification's JSON that all visitors of a rule have in common. */
export function displayFields(mbox: string, tokens: readonly string[]): string {
  return `"type":"display","mbox":{"name":${JSON.stringify(mbox)}},"tokens":${JSON.stringify(tokens)}`;
}

/**
 * The display notifications that a call owes: one per rule that was executed and has tokens not yet owed. They are
 * written as JSON on the way: most of their text is the same for all visitors (`on-device/10-mboxes`).
 */
export class DisplayLedger {
  readonly reports: OpenReport[] = [];
  readonly #nowMs: number;
  readonly #newId: () => string;
  /** The notifications of one call share it, as those of one page do in at.js. */
  #impressionId: string | undefined;
  #stamp = '';
  #first: Notification | undefined;
  #owedByMbox: Map<string, readonly string[] | Set<string>> | undefined;

  constructor(nowMs: number, newId: () => string, impressionId: string | undefined) {
    this.#nowMs = nowMs;
    this.#newId = newId;
    this.#impressionId = impressionId;
  }

  /**
   * Adds what is owed for an mbox's options, with what its request says of the visitor's profile and purchases;
   * undefined when all tokens are owed already.
   */
  owe(mbox: string, displayed: Displayed, requested: RequestDetails): Notification | undefined {
    const { displayTokens } = displayed;
    const fresh = this.#withoutOwed(mbox, displayTokens);
    if (fresh.length === 0) return undefined;
    const id = this.#newId();
    this.#impressionId ??= this.#newId();
    const impressionId = this.#impressionId;
    const timestamp = this.#nowMs;
    const fields =
      fresh.length === displayTokens.length ? displayed.displayFields(mbox) : displayFields(mbox, fresh);
    this.#stamp ||= `","impressionId":${JSON.stringify(impressionId)},"timestamp":${timestamp},`;
    const notification: Notification = {
      id,
      impressionId,
      timestamp,
      type: 'display',
      mbox: { name: mbox },
      tokens: fresh,
    };
    const carried = toCarried(requested);
    if (carried) Object.assign(notification, carried);
    const end = carried ? `,${JSON.stringify(carried).slice(1)}` : '}';
    this.#first ??= notification;
    // Few parts: each is an object until the text is sent.
    this.#add(notification, `{"id":"${id}${this.#stamp}${fields}${end}`);
    return notification;
  }

  #add(notification: Notification, json: string): void {
    const last = this.reports.at(-1);
    if (last && last.notifications.length < MAX_NOTIFICATIONS) {
      last.notifications.push(notification);
      last.json += `,${json}`;
    } else this.reports.push({ notifications: [notification], json });
  }

  /** Most calls display one mbox, and most mboxes are displayed once: their tokens are unique as they are, and need no set. */
  #withoutOwed(mbox: string, tokens: readonly string[]): string[] {
    const first = this.#first;
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

/** A report that may have room for more. */
interface OpenReport {
  readonly notifications: Notification[];
  json: string;
}

/** The fields of a location's request that are for the visitor's profile and for revenue, and that would be lost without its notification. */
function toCarried({ profileParameters, order, product }: RequestDetails): RequestDetails | undefined {
  if (!profileParameters && !order && !product) return undefined;
  return {
    ...(profileParameters && { profileParameters }),
    ...(order && { order }),
    ...(product && { product }),
  };
}
