import { parseArgs } from 'node:util';
import type { Command } from './command.js';
import { UsageError } from './shell.js';
import { didYouMean } from './typos.js';

/** The arguments of a command, read. */
export interface Given {
  readonly positionals: readonly string[];
  /** The values of the options by their names in camel case. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** True when the help is asked for. */
  readonly isHelp: boolean;
}

interface Option {
  readonly written: string;
  readonly takesValue: boolean;
  readonly isRepeated: boolean;
}

function optionsOf({ options }: Command): Map<string, Option> {
  const all = Object.keys({ ...options, '--help': '' });
  return new Map(
    all.map((written) => {
      const [flag = ''] = written.split(' ');
      return [
        flag.slice(2),
        {
          written: written.replace('...', ''),
          takesValue: written.includes(' '),
          isRepeated: written.endsWith('...'),
        },
      ];
    }),
  );
}

/**
 * Reads the arguments of a command.
 * @throws {UsageError} for an option that does not exist or has no value, and for too many or too few arguments.
 */
export function readFlags(name: string, command: Command, args: readonly string[]): Given {
  const known = optionsOf(command);
  const { tokens, positionals } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      [...known].map(([flag, { takesValue }]) => [flag, { type: takesValue ? 'string' : 'boolean' }]),
    ),
    allowPositionals: true,
    // Its own messages are long, so the tokens are checked here.
    strict: false,
    tokens: true,
  });
  const found = tokens.filter((token) => token.kind === 'option');
  if (found.some(({ rawName }) => rawName === '--help' || rawName === '-h')) {
    return { positionals, flags: {}, isHelp: true };
  }
  const flags = new Map<string, unknown>();
  for (const { name: flag, rawName, value, inlineValue, index } of found) {
    const option = rawName.startsWith('--') ? known.get(flag) : undefined;
    if (option === undefined) {
      const typed = (args[index] ?? rawName).replace(/=.*/s, '');
      throw new UsageError(`unknown option '${typed}'${didYouMean(typed, flagsOf(known), `${name} --help`)}`);
    }
    const { written, takesValue, isRepeated } = option;
    // A flag in the place of a value is a value that was forgotten.
    if (takesValue && (value === undefined || (!inlineValue && isFlag(value, known)))) {
      throw new UsageError(`${written} has no value: write it behind --${flag}`);
    }
    if (!takesValue && value !== undefined) {
      throw new UsageError(`--${flag} takes no value: write it alone`);
    }
    const key = camelCase(flag.replace(/^no-/, ''));
    const before = flags.get(key);
    flags.set(
      key,
      isRepeated ? [...(Array.isArray(before) ? before : []), value] : (value ?? !flag.startsWith('no-')),
    );
  }
  checkCounts(name, command, positionals, flags);
  return { positionals, flags: Object.fromEntries(flags), isHelp: false };
}

function flagsOf(known: ReadonlyMap<string, Option>): Map<string, string> {
  return new Map([...known.keys()].map((flag) => [flag, `--${flag}`]));
}

function isFlag(value: string, known: ReadonlyMap<string, Option>): boolean {
  return value.startsWith('--') && known.has(value.slice(2).replace(/=.*/s, ''));
}

function camelCase(flag: string): string {
  return flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function checkCounts(
  name: string,
  { takes = {}, needs = [] }: Command,
  positionals: readonly string[],
  flags: ReadonlyMap<string, unknown>,
): void {
  const names = Object.keys(takes);
  const missing = names.slice(positionals.length).filter((one) => one.startsWith('<'));
  missing.push(...needs.filter((one) => !flags.has(camelCase(one.slice(2).replace(/ .*/, '')))));
  if (missing.length > 0) {
    throw new UsageError(`${name} needs ${missing.join(' and ')}: ${name} --help explains it`);
  }
  if (positionals.length > names.length) {
    const most = names.join(' ') || 'options alone';
    throw new UsageError(`too many arguments: ${name} takes ${most}, and not '${positionals[names.length]}'`);
  }
}
