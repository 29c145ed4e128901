import { existsSync, readFileSync } from 'node:fs';
import { toTypes } from 'target-node-sdk/tools';
import { Paper } from './paper.js';
import { downloadArtifact, type ReadArtifact, readArtifact } from './read-artifact.js';
import { EXIT, type ExitCode, reasonOf, type Shell, UsageError } from './shell.js';
import { writeText } from './write-text.js';

/** The options of `types`. */
export interface TypesFlags {
  readonly artifact?: string;
  readonly organization?: string;
  readonly out?: string;
  readonly check?: boolean;
  /** False after `--no-literals`. */
  readonly literals?: boolean;
}

const DEFAULT_FILE = 'target-mboxes.d.ts';

/** Writes the types of the mboxes of an artifact. With `--check`, a file that is not up to date is a finding. */
export async function typesCommand(
  given: string | undefined,
  flags: TypesFlags,
  shell: Shell,
): Promise<ExitCode> {
  const source = given ?? flags.artifact;
  if (source === undefined) {
    throw new UsageError('no artifact is named: give a file, a URL, - for standard input, or a client code');
  }
  const { value } = await readFrom(source, flags, shell);
  const text = toTypes(value, { literals: flags.literals !== false });
  const { check, out } = flags;
  if (!check && (out === undefined || out === '-')) {
    shell.out.write(text);
    return EXIT.fine;
  }
  const paper = new Paper(shell.out, shell.env);
  const file = out ?? DEFAULT_FILE;
  if (!check) {
    await writeText(file, text);
    paper.row({ sign: '✓', left: `${file} is written`, tone: 'yes' });
    return EXIT.fine;
  }
  if (readIfThere(file) === text) {
    paper.row({ sign: '✓', left: `${file} is up to date`, tone: 'yes' });
    return EXIT.fine;
  }
  const command = `target-node-sdk types ${source} --out ${file}`;
  paper.row({ sign: '✗', left: `${file} does not fit the artifact: run`, tone: 'no' });
  paper.exact(command);
  return EXIT.finding;
}

/** Reads the artifact. One word that is no file, without a dot and a slash, is a client code. */
function readFrom(source: string, flags: TypesFlags, shell: Shell): Promise<ReadArtifact> {
  const isClientCode = /^\w[\w-]*$/.test(source) && !existsSync(source);
  return isClientCode
    ? downloadArtifact({ client: source, organizationId: flags.organization || '0@AdobeOrg' }, shell)
    : readArtifact(source, flags, shell);
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').replaceAll('\r\n', '\n');
  } catch (cause) {
    const reason = reasonOf(cause);
    if (reason === 'ENOENT') {
      return undefined;
    }
    throw new UsageError(`${file} cannot be read (${reason}): give --out the file with the types`, { cause });
  }
}
