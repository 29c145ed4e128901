/** How many ids are kept, and for how long: an answer that comes later than that finds nobody to be mistaken for. */
const MAX_IDS = 4096;
const MAX_AGE_MS = 60_000;

/** As much of a text as is looked through: an answer names its call at its start. */
const MAX_TEXT_LENGTH = 65_536;

/** The `requestId` of an answer, wherever it is in a text that may be cut off. */
const REQUEST_ID = /"requestId"\s*:\s*"([^"\\]*)"/g;

/**
 * The `requestId` of the calls that lately went over connections which they share. An answer repeats it: one that names
 * another call came twice or late, and belongs to another visitor.
 */
export class IssuedIds {
  /** When each id was issued, on the clock of `performance.now()`; the oldest first. */
  readonly #issuedAt = new Map<string, number>();

  /** Notes a call that is about to be sent. */
  add(id: string): void {
    this.#issuedAt.delete(id);
    this.#issuedAt.set(id, performance.now());
    if (this.#issuedAt.size <= MAX_IDS) return;
    for (const oldest of this.#issuedAt.keys()) {
      this.#issuedAt.delete(oldest);
      return;
    }
  }

  /** Whether an answer with this id is that of another call than its own. Ids that were never issued pass. */
  isOfAnother(id: unknown, own: string): boolean {
    if (typeof id !== 'string' || id === own) return false;
    const issuedAt = this.#issuedAt.get(id);
    return issuedAt !== undefined && performance.now() - issuedAt < MAX_AGE_MS;
  }

  /** The same for a text that cannot be parsed: it names another call, and nowhere its own. */
  isTextOfAnother(text: string, own: string): boolean {
    const ids = Array.from(text.slice(0, MAX_TEXT_LENGTH).matchAll(REQUEST_ID), ([, id]) => id);
    return !ids.includes(own) && ids.some((id) => this.isOfAnother(id, own));
  }
}
