/** The importance of a log line. */
export type Level = 'debug' | 'info' | 'warn' | 'error';

/** A log line, or a function that builds it. The function is called only when somebody listens to the line's level. */
export type Line = string | (() => string);

/** Writes a log line if somebody listens to its level. */
export type Write = (level: Level, line: Line) => void;

/**
 * A line that was written is left out for this long when it comes again. After that it is written again, with the
 * number of lines that were left out.
 */
const WINDOW_MS = 10 * 60 * 1000;
const MAX_LINES = 20;
const MAX_CHANGES = 10;

/**
 * Limits lines that could come with every call. Each different line is written once in ten minutes, and at most 20
 * different lines in that time. The first line after that states how many were left out.
 */
export class LineLimit {
  readonly #say: (line: string) => void;
  readonly #said = new Set<string>();
  #sinceMs = Number.NEGATIVE_INFINITY;
  #leftOut = 0;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  /** Writes a line, unless the limit is reached. */
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
 * Logs the health of one thing that can fail. It writes a warning when the thing begins to fail, when it fails in
 * another way, and every ten minutes while it keeps failing. It writes an info line when the thing works again. A thing
 * that fails and recovers over and over gets at most ten lines in ten minutes.
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

  /** Makes the log of one thing. `recovery` states in words that the thing works, such as `geo look-ups work`. */
  constructor(write: Write, recovery: string) {
    this.#write = write;
    this.#recovery = recovery;
  }

  /**
   * Notes a failure. Lines that differ only in their milliseconds or in the host count as the same, because visitors'
   * cookies can name many hosts.
   */
  failed(line: string): void {
    const nowMs = performance.now();
    this.#failures += 1;
    // This comparison saves most runs of the regular expressions: a lasting fault can bring the same line a thousand
    // times a second.
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

  /** Notes a success. It costs next to nothing while nothing fails. */
  worked(): void {
    if (this.#kind === undefined) {
      return;
    }
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
    if (this.#changes > MAX_CHANGES) {
      return;
    }
    this.#saidMs = nowMs;
    const isLast = this.#changes === MAX_CHANGES;
    this.#write(level, isLast ? `${line}; it comes and goes, and is not logged again for ten minutes` : line);
  }
}
