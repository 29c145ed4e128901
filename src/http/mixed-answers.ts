/**
 * The maximum number of ids that are kept, and their maximum age in ms. An answer that is still later finds no call
 * that could take it for its own.
 */
const MAX_IDS = 4096;
const MAX_AGE_MS = 60_000;

/** The maximum number of characters of a text that are searched. An answer names its call near its start. */
const MAX_TEXT_LENGTH = 65_536;

/** The `requestId` of an answer, found in a text that may be cut off. */
const REQUEST_ID = /"requestId"\s*:\s*"([^"\\]*)"/g;

/**
 * The `requestId` of each recent call, kept for all calls that share connections. An answer repeats the id of its call.
 * An answer with the id of another call came twice or late, and belongs to another visitor.
 */
export class IssuedIds {
  /** The time when each id was issued, on the clock of `performance.now()`. The oldest is first. */
  readonly #issuedAt = new Map<string, number>();

  /** Notes the id of a call that is about to be sent. */
  add(id: string): void {
    this.#issuedAt.delete(id);
    this.#issuedAt.set(id, performance.now());
    if (this.#issuedAt.size <= MAX_IDS) {
      return;
    }
    for (const oldest of this.#issuedAt.keys()) {
      this.#issuedAt.delete(oldest);
      return;
    }
  }

  /** Tells whether an id belongs to another call than `own`. Ids that were never issued are accepted. */
  isOfAnother(id: unknown, own: string): boolean {
    if (typeof id !== 'string' || id === own) {
      return false;
    }
    const issuedAt = this.#issuedAt.get(id);
    return issuedAt !== undefined && performance.now() - issuedAt < MAX_AGE_MS;
  }

  /** Tells whether a text that cannot be parsed answers another call: it has an id of another call, and not `own`. */
  isTextOfAnother(text: string, own: string): boolean {
    const ids = Array.from(text.slice(0, MAX_TEXT_LENGTH).matchAll(REQUEST_ID), ([, id]) => id);
    return !ids.includes(own) && ids.some((id) => this.isOfAnother(id, own));
  }
}
