import { monitorEventLoopDelay } from 'node:perf_hooks';

/** What every cell has to hold: the letters of the matrix. */
export const PROMISES = {
  a: 'a call ends by its time limit',
  b: 'the number of requests is limited',
  c: 'decisions that worked go on unchanged',
  d: 'the client recovers without a restart',
  e: 'no unhandled rejection, no crash, no hang at exit; close() ends within its deadline',
  f: 'an error or an event names the fault',
} as const;
export type Promised = keyof typeof PROMISES;

/** What came out of one cell. */
export interface CellResult {
  readonly row: string;
  readonly target: string;
  readonly phase: string;
  /** What was checked, by letter. */
  readonly checked: readonly Promised[];
  /** What did not hold: the letter and what was seen. */
  readonly broken: readonly string[];
  readonly ms: number;
}

const loopDelay = monitorEventLoopDelay({ resolution: 10 });
loopDelay.enable();

/** The time in ms that a call may last longer, because this process was too busy to notice its end. */
export function busyMs(): number {
  return 2 * (loopDelay.max / 1e6);
}

/** What is checked in one cell. */
export class Verdict {
  readonly #checked = new Set<Promised>();
  readonly #broken = new Set<string>();

  get checked(): readonly Promised[] {
    return [...this.#checked].sort();
  }

  get broken(): readonly string[] {
    return [...this.#broken];
  }

  /** Notes whether a promise is kept. */
  check(promised: Promised, isKept: boolean, seen: () => string): void {
    this.#checked.add(promised);
    if (!isKept) {
      this.#broken.add(`(${promised}) ${seen()}`);
    }
  }

  /** Bounded time: a deadline and a tenth, and what this process was too busy to notice. */
  within(
    promised: Promised,
    deadlineMs: number,
    { ms, what }: { readonly ms: number; readonly what: string },
  ): void {
    const allowedMs = deadlineMs * 1.1 + 50 + busyMs();
    this.check(promised, ms <= allowedMs, () => `${what} took ${Math.round(ms)} ms of ${deadlineMs}`);
  }

  /** What should not have happened at all. */
  fail(promised: Promised, seen: string): void {
    this.check(promised, false, () => seen);
  }
}

/** How something ended, and how long it took. */
export interface Timed<Result> {
  readonly ms: number;
  readonly result?: Result;
  readonly error?: unknown;
}

/** Does something and looks at the clock that no jump reaches. */
export async function timed<Result>(work: () => Promise<Result>): Promise<Timed<Result>> {
  const started = performance.now();
  try {
    const result = await work();
    return { result, ms: performance.now() - started };
  } catch (error) {
    return { error, ms: performance.now() - started };
  }
}

/** Whether something becomes true in time. */
export async function becomes(isTrue: () => boolean | Promise<boolean>, limitMs: number): Promise<boolean> {
  const end = performance.now() + limitMs;
  while (!(await isTrue())) {
    if (performance.now() >= end) {
      return false;
    }
    await pause(20);
  }
  return true;
}

/** Lets time pass. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** What an error shows of a fault, with everything that caused it. */
export function shownBy(error: unknown): string {
  if (typeof error !== 'object' || error === null) {
    return String(error);
  }
  const { code, status, message, name, cause } = error as Error & { code?: string; status?: number };
  const own = `${code ?? name}${status === undefined ? '' : ` status ${status}`} ${message}`;
  return cause === undefined ? own : `${own} | ${shownBy(cause)}`;
}
