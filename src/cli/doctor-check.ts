/** The outcome of one check of the doctor. */
export interface CheckResult {
  readonly name: string;
  /** `skip`: the check depends on one that failed, or there is nothing to check. */
  readonly status: 'ok' | 'warn' | 'fail' | 'skip';
  readonly text: string;
  /** The thing that can be done about it. */
  readonly remedy?: string;
  /** The time that it took, in ms. It is absent for a check that asks nobody. */
  readonly ms?: number;
}

/** A check without its name and its time. */
export type Finding = Omit<CheckResult, 'name' | 'ms'>;

/** Makes the outcome of a check that found nothing wrong. */
export const ok = (text: string): Finding => ({ status: 'ok', text });

/** Makes the outcome of a check that was not made. */
export const skip = (text: string): Finding => ({ status: 'skip', text });

/** Makes the outcome of a check that found something doubtful. */
export const warn = (text: string, remedy: string): Finding => ({ status: 'warn', text, remedy });

/** Makes the outcome of a check that found what keeps answers away. */
export const fail = (text: string, remedy: string): Finding => ({ status: 'fail', text, remedy });

/** Runs a check that asks the network, and measures it. */
export async function timed(name: string, check: () => Promise<Finding>): Promise<CheckResult> {
  const started = performance.now();
  const finding = await check();
  const ms = Math.round(performance.now() - started);
  return { name, ...finding, ...(finding.status !== 'skip' && { ms }) };
}
