/** The output of a program: a terminal, a pipe or a file. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  /** The width of a terminal in columns. */
  readonly columns?: number | undefined;
  /** Returns the number of bits of a colour; 1 is black and white. */
  getColorDepth?(): number;
}

/** The surroundings of a command. Tests pass their own. */
export interface Shell {
  readonly stdin: AsyncIterable<Uint8Array | string> & { readonly isTTY?: boolean | undefined };
  readonly out: Output;
  readonly err: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Returns the present time in ms since 1970. */
  readonly now: () => number;
  /** Is aborted when the user ends a command that runs until then. */
  readonly signal: AbortSignal;
}

/** The meanings of the exit code. A finding is what the user asked for, such as a difference between two artifacts. */
export const EXIT = { fine: 0, finding: 1, unusable: 2 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A mistake of the user, or input that cannot be read. Its message is one line that says what to do. */
export class UsageError extends Error {
  readonly isUsage = true;

  /** Tells whether a thrown value is one of these. */
  static is(thrown: unknown): thrown is UsageError {
    return typeof thrown === 'object' && thrown !== null && 'isUsage' in thrown && thrown.isUsage === true;
  }
}

/** Names the reason of an error of the system, such as `ENOENT`. */
export function reasonOf(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) {
    return 'unknown';
  }
  if ('code' in thrown && typeof thrown.code === 'string') {
    return thrown.code;
  }
  return 'name' in thrown ? String(thrown.name) : 'unknown';
}
