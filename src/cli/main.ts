import { type Found, findCommand, type Group, isGroup } from './command.js';
import { readFlags } from './flags.js';
import { printHelp } from './help.js';
import { Paper, toShown } from './paper.js';
import { PROGRAM } from './program.js';
import { EXIT, type ExitCode, type Shell, UsageError } from './shell.js';
import { didYouMean } from './typos.js';

const NAME = 'target-node-sdk';

/**
 * Runs the command line to its end and returns its exit code. It never throws: an error is one line, with what to do. The
 * variable `DEBUG` adds its stack.
 */
export async function main(args: readonly string[], version: string, shell: Shell): Promise<ExitCode> {
  try {
    return await run(findCommand(PROGRAM, args), version, shell);
  } catch (thrown) {
    shell.err.write(`${NAME}: ${toShown(messageOf(thrown), shell.env)}\n`);
    const { stack } = fieldsOf(thrown);
    if (shell.env.DEBUG && typeof stack === 'string') {
      shell.err.write(`${stack}\n`);
    }
    return EXIT.unusable;
  }
}

async function run(found: Found, version: string, shell: Shell): Promise<ExitCode> {
  const { path, node, rest, isHelp } = found;
  const words = [NAME, ...path];
  const help = (output = shell.out) => printHelp(words, node, new Paper(output, shell.env));
  if (!isGroup(node)) {
    const given = isHelp ? { isHelp, positionals: [], flags: {} } : readFlags(path.join(' '), node, rest);
    if (!given.isHelp) {
      // The description of the command names the options that its flags have.
      return node.run(given.positionals, given.flags as never, shell);
    }
    help();
    return EXIT.fine;
  }
  const [word] = rest;
  if (word === undefined && !isHelp) {
    help(shell.err);
    return EXIT.unusable;
  }
  if (path.length === 0 && (word === '-v' || word === '--version')) {
    shell.out.write(`${version}\n`);
    return EXIT.fine;
  }
  if (word !== undefined && word !== '-h' && word !== '--help') {
    throw unknownWord(word, node, words);
  }
  help();
  return EXIT.fine;
}

/** Makes the error for a word that is no command of a group. A command of another group may be meant. */
function unknownWord(word: string, group: Group, words: readonly string[]): UsageError {
  const help = `${words.join(' ')} --help`;
  if (word.startsWith('-')) {
    const flags = new Map(['--help', '--version'].map((flag) => [flag, flag]));
    return new UsageError(`unknown option '${word}' before a command${didYouMean(word, flags, help)}`);
  }
  // The last ones win where two have the same name.
  const all = new Map([...namesOf(PROGRAM), ...namesOf(group)]);
  return new UsageError(`unknown command '${word}'${didYouMean(word, all, help)}`);
}

/** The names of all commands in a group, and the words that call them from there. */
function namesOf({ commands }: Group): [name: string, words: string][] {
  return Object.entries(commands).flatMap(([name, node]): [string, string][] => [
    ...(isGroup(node)
      ? namesOf(node).map(([inner, words]): [string, string] => [inner, `${name} ${words}`])
      : []),
    [name, name],
  ]);
}

function messageOf(thrown: unknown): string {
  const { code, name, message, path } = fieldsOf(thrown);
  // The class is not imported, because the help would have to load the whole client.
  if (UsageError.is(thrown) || name === 'TargetError') {
    const remedy = typeof path === 'string' ? flagFor(path) : '';
    return `${String(message)}${remedy || remedyFor(String(code), typeof path === 'string')}`;
  }
  return `a defect of this program (${String(name ?? 'Error')}): please report it with what DEBUG=1 prints`;
}

const OF_NETWORK = ': look at the address, or let target-node-sdk doctor look at the network';
/** Remedies by the code of an error that is about no option. */
const REMEDIES = new Map([
  ['ERR_TARGET_NETWORK', OF_NETWORK],
  ['ERR_TARGET_TIMEOUT', OF_NETWORK],
  ['ERR_TARGET_RESPONSE', ': look at the address and at the client code'],
  ['ERR_TARGET_INVALID_RESPONSE', ': look at the address, where something else answers'],
  ['ERR_TARGET_ARTIFACT', ': let target-node-sdk artifact validate say what is wrong'],
]);

function remedyFor(code: string, isOfField: boolean): string {
  return code === 'ERR_TARGET_ARTIFACT' && !isOfField
    ? ': look at the address, and at --organization when it is a binary one'
    : (REMEDIES.get(code) ?? '');
}

/** The flags for the options of functions that an error may name. */
const FLAGS = new Map([
  ['client', '--client'],
  ['organizationId', '--organization'],
  ['serverDomain', '--server-domain'],
  ['cdnEnvironment', '--cdn'],
  ['artifactLocation', '--location'],
  ['propertyToken', '--property'],
  ['idKind', '--id-kind'],
  ['request', 'one --mbox or --view, or --page-load'],
]);

function flagFor(path: string): string {
  const flag = FLAGS.get(path);
  return flag === undefined ? '' : `: give ${flag}`;
}

function fieldsOf(thrown: unknown): Readonly<Record<string, unknown>> {
  if (typeof thrown !== 'object' || thrown === null) {
    return {};
  }
  const { code, exitCode, message, name, path, stack } = thrown as Readonly<Record<string, unknown>>;
  return { code, exitCode, message, name, path, stack };
}
