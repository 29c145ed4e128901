/** The pages that are remembered. An impression of an older one could not be told from the first of its page. */
const MAX_PAGES = 200_000;

interface Page {
  /** The process that showed the page. */
  readonly by: number;
  arrivals: number;
}

/** The account of the edge: which pages of which process have reached it, and how often. */
export class Ledger {
  readonly #pages = new Map<number, Page>();
  readonly #arrivedBy = new Map<number, number>();
  #received = 0;
  #distinct = 0;

  /** Impressions that the edge has received, those that came twice included. */
  get received(): number {
    return this.#received;
  }

  /** Impressions that the edge has, each counted once. */
  get distinct(): number {
    return this.#distinct;
  }

  /** Counts the pages of a process whose impressions the edge has. */
  arrivedOf(by: number): number {
    return this.#arrivedBy.get(by) ?? 0;
  }

  /** Notes a page that a process is asked for. */
  ask(page: number, by: number): void {
    this.#pages.set(page, { by, arrivals: 0 });
    if (this.#pages.size > MAX_PAGES) {
      const [oldest = page] = this.#pages.keys();
      this.#pages.delete(oldest);
    }
  }

  /** Notes an impression that has arrived. */
  arrive(number: number): void {
    this.#received += 1;
    const page = this.#pages.get(number);
    if (!page) {
      return;
    }
    page.arrivals += 1;
    if (page.arrivals === 1) {
      this.#distinct += 1;
      this.#arrivedBy.set(page.by, this.arrivedOf(page.by) + 1);
    }
  }
}
