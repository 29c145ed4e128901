import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { main } from '../../src/cli/main.js';
import type { Output } from '../../src/cli/shell.js';

/** The time of every command of a test, unless it says another one. */
export const NOW = Date.parse('2026-11-29T09:24:00Z');

interface Surroundings {
  readonly stdin?: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** The width of the terminal. Without it, the output is a pipe. */
  readonly columns?: number;
  /** The number of bits of a colour of the terminal. @default 1 */
  readonly colorDepth?: number;
  /** True when errors are printed on a terminal. @default false */
  readonly isErrTerminal?: boolean;
  /** True when a person types the input. @default false */
  readonly isStdinTerminal?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly now?: number;
  readonly signal?: AbortSignal;
  /** Is told of all that is printed. */
  readonly onOut?: (text: string) => void;
}

/** The exit code of a command, and what it printed. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command in this process. */
export async function runCli(args: readonly string[], surroundings: Surroundings = {}): Promise<Outcome> {
  const { stdin = '', columns, colorDepth = 1, env = {}, now = NOW, signal, onOut } = surroundings;
  const texts = { out: '', err: '' };
  const outputOf = (name: 'out' | 'err'): Output => ({
    write: (text) => {
      texts[name] += text;
      if (name === 'out') {
        onOut?.(text);
      }
    },
    isTTY: name === 'out' ? columns !== undefined : surroundings.isErrTerminal === true,
    columns,
    getColorDepth: () => colorDepth,
  });
  const code = await main(args, '1.2.3', {
    stdin: Object.assign(
      (async function* () {
        if (typeof stdin === 'string' || stdin instanceof Uint8Array) {
          yield Buffer.from(stdin);
        } else {
          yield* stdin;
        }
      })(),
      { isTTY: surroundings.isStdinTerminal === true },
    ),
    out: outputOf('out'),
    err: outputOf('err'),
    env: { LANG: 'en_US.UTF-8', ...env },
    now: () => now,
    signal: signal ?? new AbortController().signal,
  });
  return { code, ...texts };
}

/** Writes files for the tests of one file. They are removed at the end. */
export function withFiles(): (name: string, content: string | Uint8Array | object) => string {
  const folder = mkdtempSync(join(tmpdir(), 'target-cli-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (name, content) => {
    const path = join(folder, name);
    const isText = typeof content === 'string' || content instanceof Uint8Array;
    writeFileSync(path, isText ? content : JSON.stringify(content));
    return path;
  };
}
