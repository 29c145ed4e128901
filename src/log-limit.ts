/** How much a line matters. */
export type Level = 'debug' | 'info' | 'warn' | 'error';

/** A line, or the way to build it when somebody wants it. */
export type Line = string | (() => string);

/** Writes a line, if somebody listens to its level. */
export type Write = (level: Level, line: Line) => void;

/** After so long, what was said is said again, with how often it was not. */
const WINDOW_MS = 10 * 60 * 1000;
const MAX_LINES = 20;
const MAX_CHANGES = 10;

/**
 * For lines that may come with every call: lets each different one through once in ten minutes, and 20 at most. What
 * was left out is counted, and the count is told with the next line that is let through.
 */
export class LineLimit {
  readonly #say: (line: string) => void;
  readonly #said = new Set<string>();
  #sinceMs = Number.NEGATIVE_INFINITY;
  #leftOut = 0;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  say(line: string): void {
    const nowMs = performance.now();
    const isOver = nowMs - this.#sinceMs >= WINDOW_MS;
    if (isOver) {
      this.#sinceMs = nowMs;
      this.#said.clear();
    }
    if (this.#said.has(line) || this.#said.size >= MAX_LINES) {
      this.#leftOut += 1;
      return;
    }
    this.#said.add(line);
    const leftOut = isOver ? this.#leftOut : 0;
    this.#leftOut -= leftOut;
    this.#say(leftOut === 0 ? line : `${line} (such lines left out before: ${leftOut})`);
  }
}

function toKind(line: string): string {
  return line.replace(/[\d.]+ ms\b/g, 'ms').replace(/ \([\w.:[\]-]+\)(?=$|;)/g, '');
}

/**
 * For what can fail: a warning when it begins to, when it fails in another way, and every ten minutes that it still
 * does; an info line when it works again. What comes and goes is told ten times in ten minutes.
 */
export class FaultLog {
  readonly #write: Write;
  readonly #recovery: string;
  #kind: string | undefined;
  #lastLine: string | undefined;
  #failures = 0;
  #saidMs = Number.NEGATIVE_INFINITY;
  #sinceMs = Number.NEGATIVE_INFINITY;
  #changes = 0;

  /** `recovery` is what holds again when the fault is over, such as `geo look-ups work`. */
  constructor(write: Write, recovery: string) {
    this.#write = write;
    this.#recovery = recovery;
  }

  /** Another line is another fault, except for the milliseconds and the host in it: visitors' cookies name hosts. */
  failed(line: string): void {
    const nowMs = performance.now();
    this.#failures += 1;
    // What goes on failing mostly fails of the same, and a thousand times a second.
    const kind = line === this.#lastLine ? this.#kind : toKind(line);
    this.#lastLine = line;
    if (kind !== this.#kind) {
      this.#kind = kind;
      this.#change('warn', line, nowMs);
    } else if (nowMs - this.#saidMs >= WINDOW_MS) {
      this.#saidMs = nowMs;
      this.#write('warn', `${line} (${this.#failures} failures by now)`);
    }
  }

  /** Costs nothing as long as nothing fails. */
  worked(): void {
    if (this.#kind === undefined) return;
    const times = this.#failures === 1 ? '1 failure' : `${this.#failures} failures`;
    this.#kind = undefined;
    this.#lastLine = undefined;
    this.#failures = 0;
    this.#change('info', `${this.#recovery} again after ${times}`, performance.now());
  }

  #change(level: Level, line: string, nowMs: number): void {
    if (nowMs - this.#sinceMs >= WINDOW_MS) {
      this.#sinceMs = nowMs;
      this.#changes = 0;
    }
    this.#changes += 1;
    if (this.#changes > MAX_CHANGES) return;
    this.#saidMs = nowMs;
    const isLast = this.#changes === MAX_CHANGES;
    this.#write(level, isLast ? `${line}; it comes and goes, and is told of again in ten minutes` : line);
  }
}
