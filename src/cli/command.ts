import type { ExitCode, Shell } from './shell.js';

/** Texts by what they describe, such as `--mbox <name>...` or `<artifact>`. */
export type Described = Readonly<Record<string, string>>;

/** Runs a command with the arguments and the flags that it was given. */
export type Run<Flags> = (args: readonly string[], flags: Flags, shell: Shell) => Promise<ExitCode>;

/** One command. */
export interface Command {
  readonly about: string;
  /** Its arguments: `<name>` for one that must be there, `[name]` for one that may. */
  readonly takes?: Described;
  /** Its options: `--flag`, `--no-flag`, `--flag <value>`, and `--flag <value>...` for one that may be repeated. */
  readonly options: Described;
  /** The options that must be there. */
  readonly needs?: readonly string[];
  // Each command has flags of its own, which `toFlags` makes of its options.
  readonly run: Run<never>;
}

/** Commands under one name. */
export interface Group {
  readonly about: string;
  readonly commands: Readonly<Record<string, Command | Group>>;
  /** The command that is meant when options follow the name at once. */
  readonly short?: string;
  /** Options with which that command is shown. */
  readonly example?: string;
}

/** A command or a group, as far as the arguments name one. */
export interface Found {
  /** The words that name it. */
  readonly path: readonly string[];
  readonly node: Command | Group;
  /** The arguments after its name. */
  readonly rest: readonly string[];
  /** True when its help is asked for by the word `help`. */
  readonly isHelp: boolean;
}

/** Tells a group from a command. */
export function isGroup(node: Command | Group): node is Group {
  return 'commands' in node;
}

/** Follows the names at the start of the arguments. */
export function findCommand(program: Group, args: readonly string[]): Found {
  let node: Command | Group = program;
  let isHelp = false;
  const path: string[] = [];
  let at = 0;
  for (; isGroup(node) && at < args.length; at += 1) {
    const word = args[at] ?? '';
    if (word === 'help') {
      isHelp = true;
    } else if (Object.hasOwn(node.commands, word)) {
      node = node.commands[word] ?? node;
      path.push(word);
    } else if (node.short !== undefined && /^--(?!help$)/.test(word)) {
      path.push(node.short);
      return { path, node: node.commands[node.short] ?? node, rest: args.slice(at), isHelp };
    } else {
      break;
    }
  }
  return { path, node, rest: args.slice(at), isHelp };
}
