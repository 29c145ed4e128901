/** A visitor, with the releases that the pages were made by, the newest last. */
export interface Visitor {
  readonly name: string;
  readonly seen: readonly number[];
  /** Pages that were made by another release than the page before. */
  readonly changes: number;
  /** Pages that were made by an older release than the page before: the visitor sees the banner flip. */
  readonly flips: number;
}

/**
 * Asks a web process for a page. Resolves with the release that it was made by, or undefined while nobody can be asked.
 * Rejects when there is no answer.
 */
export type AskForPage = (visitor: string, page: number) => Promise<number | undefined>;

const VISITORS = 12;
/** Each visitor asks for a page once in this time on average. */
const PAUSE_MS = 700;
const MAX_SEEN = 24;

/** People who look at pages of the shop, again and again, each on any process. */
export class Visitors {
  readonly #ask: AskForPage;
  readonly #visitors: Visitor[] = [];
  #pages = 0;
  #unanswered = 0;
  #isPaused = false;

  constructor(ask: AskForPage) {
    this.#ask = ask;
    for (let index = 0; index < VISITORS; index += 1) {
      this.#visitors.push({ name: `visitor-${index + 1}`, seen: [], changes: 0, flips: 0 });
      this.#comeBack(index);
    }
  }

  get all(): readonly Visitor[] {
    return this.#visitors;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Pages without a decision: their process was killed, or it had no rules yet. */
  get unanswered(): number {
    return this.#unanswered;
  }

  pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
  }

  #comeBack(index: number): void {
    const look = async () => {
      if (!this.#isPaused) {
        await this.#look(index);
      }
      this.#comeBack(index);
    };
    setTimeout(() => void look(), PAUSE_MS * (0.5 + Math.random())).unref();
  }

  async #look(index: number): Promise<void> {
    const visitor = this.#visitors[index];
    if (!visitor) {
      return;
    }
    this.#pages += 1;
    try {
      const release = await this.#ask(visitor.name, this.#pages);
      if (release === undefined) {
        return;
      }
      const before = visitor.seen.at(-1) ?? release;
      this.#visitors[index] = {
        name: visitor.name,
        seen: [...visitor.seen, release].slice(-MAX_SEEN),
        changes: visitor.changes + (release === before ? 0 : 1),
        flips: visitor.flips + (release < before ? 1 : 0),
      };
    } catch {
      this.#unanswered += 1;
    }
  }
}
