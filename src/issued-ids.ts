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
  readonly #ids: string[] = [];
  readonly #issuedAt: number[] = [];
  #next = 0;

  /** Notes a call that is about to be sent. */
  add(id: string): void {
    this.#ids[this.#next] = id;
    this.#issuedAt[this.#next] = performance.now();
    this.#next = (this.#next + 1) % MAX_IDS;
  }

  /** Whether an answer with this id is that of another call than its own. Ids that were never issued pass. */
  isOfAnother(id: unknown, own: string): boolean {
    return typeof id === 'string' && id !== own && this.#has(id);
  }

  /** The same for a text that cannot be parsed: it names another call, and nowhere its own. */
  isTextOfAnother(text: string, own: string): boolean {
    const ids = new Set(Array.from(text.slice(0, MAX_TEXT_LENGTH).matchAll(REQUEST_ID), ([, id]) => id));
    return !ids.has(own) && this.#live().some((id) => ids.has(id));
  }

  /** A look through all of them, because hardly any answer needs it and every call would pay for a table. */
  #has(id: string): boolean {
    return this.#live().includes(id);
  }

  #live(): string[] {
    const since = performance.now() - MAX_AGE_MS;
    return this.#ids.filter((_, at) => (this.#issuedAt[at] ?? 0) >= since);
  }
}
