import { toError } from '../../src/errors.js';

/** Something that has to hold besides the cells of the matrix. */
export interface Check {
  /** What comes in, as the table of hostile input has it. */
  readonly input: string;
  /** What comes of it. */
  readonly ours: string;
  readonly run: () => unknown;
}

/** What came of a check. */
export interface CheckResult {
  readonly input: string;
  readonly ours: string;
  /** Why it did not hold. */
  readonly broken: string | undefined;
  readonly ms: number;
}

/** Runs checks one after the other. What nobody waited for and failed belongs to the check that ran. */
export async function runChecks(checks: readonly Check[]): Promise<CheckResult[]> {
  const strays: unknown[] = [];
  const keep = (reason: unknown) => void strays.push(reason);
  process.on('unhandledRejection', keep);
  const results: CheckResult[] = [];
  for (const { input, ours, run } of checks) {
    const started = performance.now();
    let broken: string | undefined;
    try {
      await run();
      await new Promise(setImmediate);
      if (strays.length > 0) {
        throw new Error(`an unhandled rejection: ${toError(strays[0]).message}`);
      }
    } catch (thrown) {
      broken = toError(thrown).message;
    }
    strays.length = 0;
    results.push({ input, ours, broken, ms: Math.round(performance.now() - started) });
  }
  process.off('unhandledRejection', keep);
  return results;
}
