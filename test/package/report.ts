/** How many checks went well and how many did not. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

/** Runs checks one after the other, prints a line for each, and counts. */
export class Report {
  #passed = 0;
  #failed = 0;

  get tally(): Tally {
    return { passed: this.#passed, failed: this.#failed };
  }

  /** One check: it passes unless it throws. Resolves with whether it passed. */
  async check(name: string, run: () => unknown): Promise<boolean> {
    const start = performance.now();
    try {
      await run();
    } catch (error) {
      this.#failed += 1;
      const detail = error instanceof Error ? error.message : String(error);
      console.log(`FAIL ${name}\n${detail.replace(/^/gm, '     ')}`);
      return false;
    }
    this.#passed += 1;
    console.log(`ok   ${name} (${Math.round(performance.now() - start)} ms)`);
    return true;
  }
}
