import { Paper } from './paper.js';
import { toPlainText } from './plain-text.js';
import { createProgram } from './program.js';
import { EXIT, type ExitCode, type Shell, UsageError } from './shell.js';

const NAME = 'target-node-sdk';

/**
 * Runs the command line to its end and returns its exit code. It never throws: an error is one line, with what to do. The
 * variable `DEBUG` adds its stack.
 */
export async function main(args: readonly string[], version: string, shell: Shell): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.fine;
  const program = createProgram(version, shell, async (command) => {
    exitCode = await command();
  });
  const { width } = new Paper(shell.out, shell.env);
  for (const command of [program, ...program.commands, ...program.commands.flatMap((one) => one.commands)]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => void shell.out.write(text),
      writeErr: (text) => void shell.err.write(text),
      outputError: () => undefined,
      getOutHelpWidth: () => width,
      getErrHelpWidth: () => width,
    });
  }
  try {
    await program.parseAsync(withGet(args), { from: 'user' });
    return exitCode;
  } catch (thrown) {
    return endWith(thrown, shell);
  }
}

/** Completes the short form `artifact --client acme --out rules.json`, which is `artifact get`. */
function withGet([command, ...rest]: readonly string[]): string[] {
  const isShort = command === 'artifact' && rest[0]?.startsWith('--') && rest[0] !== '--help';
  return [...(command === undefined ? [] : [command]), ...(isShort ? ['get'] : []), ...rest];
}

function endWith(thrown: unknown, shell: Shell): ExitCode {
  const refusal = toRefusal(thrown);
  if (refusal?.exitCode === 0) {
    return EXIT.fine;
  }
  // Commander has printed the help already when there is no command.
  if (refusal?.code !== 'commander.help') {
    shell.err.write(`${NAME}: ${toPlainText(refusal?.message ?? messageOf(thrown))}\n`);
  }
  const { stack } = fieldsOf(thrown);
  if (shell.env.DEBUG && typeof stack === 'string') {
    shell.err.write(`${stack}\n`);
  }
  return EXIT.unusable;
}

interface Refusal {
  readonly code: string;
  readonly exitCode: number;
  readonly message: string;
}

/** Reads what commander throws: a mistake in the arguments, or the end of printing the help or the version. */
function toRefusal(thrown: unknown): Refusal | undefined {
  const { code, exitCode, message } = fieldsOf(thrown);
  if (typeof code !== 'string' || !code.startsWith('commander.')) {
    return undefined;
  }
  const text = String(message)
    .replace(/^error: /, '')
    .replaceAll('\n', ' ');
  return { code, exitCode: Number(exitCode), message: text };
}

function messageOf(thrown: unknown): string {
  const { name, message, path } = fieldsOf(thrown);
  // The class is not imported, because the help would have to load the whole client.
  if (UsageError.is(thrown) || name === 'TargetError') {
    return `${String(message)}${flagFor(path)}`;
  }
  return `a defect of this program (${String(name ?? 'Error')}): please report it with what DEBUG=1 prints`;
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

function flagFor(path: unknown): string {
  const flag = FLAGS.get(String(path));
  return flag === undefined ? '' : `: give ${flag}`;
}

function fieldsOf(thrown: unknown): Readonly<Record<string, unknown>> {
  if (typeof thrown !== 'object' || thrown === null) {
    return {};
  }
  const { code, exitCode, message, name, path, stack } = thrown as Readonly<Record<string, unknown>>;
  return { code, exitCode, message, name, path, stack };
}
