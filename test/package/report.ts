import type { Sandbox } from './sandbox.js';

/** How many checks went well and how many did not. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

/** Prints the last line of a run, which `.ci/run` counts by, and makes it the exit code. */
export function endRun({ passed, failed }: Tally): void {
  console.log(`\n${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

/** Runs checks one after the other, prints a line for each, and counts. */
export class Report {
  #passed = 0;
  #failed = 0;

  /**
   * Runs all checks of a process, removes the sandbox, and ends the run. An error outside of a check counts as a failed
   * check. `cleanUp` comes before the sandbox is removed, also after an error.
   */
  async runAll(
    sandbox: Sandbox,
    checks: () => Promise<void>,
    cleanUp: () => unknown = () => undefined,
  ): Promise<void> {
    try {
      await checks();
    } catch (error) {
      await this.check('the checks themselves run', () => Promise.reject(error));
    } finally {
      await cleanUp();
      sandbox.remove();
    }
    this.end();
  }

  /** Ends the run with the counts of all checks. */
  end(): void {
    endRun({ passed: this.#passed, failed: this.#failed });
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
