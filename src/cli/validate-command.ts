import { type Finding, validate } from 'target-node-sdk/tools';
import type { ArtifactFlags } from './artifact-commands.js';
import { toTime } from './call-options.js';
import { Paper, type Tone } from './paper.js';
import { readArtifact } from './read-artifact.js';
import { EXIT, type ExitCode, type Shell } from './shell.js';
import { counted } from './titles.js';

/** The options of `artifact validate`. */
export interface ValidateFlags extends ArtifactFlags {
  readonly strict?: boolean;
  readonly now?: string;
}

const SIGNS: Readonly<Record<Finding['severity'], { readonly sign: string; readonly tone: Tone }>> = {
  error: { sign: '✗', tone: 'no' },
  warning: { sign: '!', tone: 'warn' },
  note: { sign: 'i', tone: 'soft' },
};

/** Prints what is wrong with an artifact. An error is a finding, and with `--strict` a warning too. */
export async function validateCommand(source: string, flags: ValidateFlags, shell: Shell): Promise<ExitCode> {
  const now = flags.now === undefined ? shell.now() : toTime(flags.now);
  const findings = await readArtifact(source, flags, shell).then(
    ({ value }) => validate(value, { now }),
    toFindings,
  );
  const paper = new Paper(shell.out, shell.env);
  if (flags.json) {
    paper.json(findings);
  } else {
    printFindings(findings, paper);
  }
  const has = (severity: Finding['severity']) => findings.some((finding) => finding.severity === severity);
  return has('error') || (flags.strict && has('warning')) ? EXIT.finding : EXIT.fine;
}

/** A client rejects an artifact of a URL while it downloads it. That is what validate is to find. */
function toFindings(thrown: unknown): Finding[] {
  const { code, path, message } = thrown as { code?: unknown; path?: unknown; message?: unknown };
  // An error without a path is about something that is no artifact at all.
  if (code !== 'ERR_TARGET_ARTIFACT' || typeof path !== 'string') {
    throw thrown;
  }
  return [{ severity: 'error', code: 'unusable', path, text: `a client rejects it: ${message}` }];
}

const SEVERITIES = Object.keys(SIGNS);

/** Prints the worst findings first. Those of one severity stay in the order of the artifact. */
function printFindings(findings: readonly Finding[], paper: Paper): void {
  const order = ({ severity }: Finding) => SEVERITIES.indexOf(severity);
  for (const finding of [...findings].sort((one, other) => order(one) - order(other))) {
    const { severity, code, path, text, remedy } = finding;
    paper.row({ ...SIGNS[severity], left: text, right: `${severity} ${code}`, isBeside: true });
    if (path !== '') {
      paper.row({ indent: 2, left: `at ${path}`, tone: 'soft' });
    }
    if (remedy !== undefined) {
      paper.row({ indent: 2, sign: '→', left: remedy });
    }
  }
  const count = (severity: Finding['severity']) =>
    findings.filter((finding) => finding.severity === severity).length;
  const [errors, warnings] = [count('error'), count('warning')];
  const left = [counted(errors, 'error'), counted(warnings, 'warning'), counted(count('note'), 'note')].join(
    ', ',
  );
  const worst = errors > 0 ? SIGNS.error : warnings > 0 ? SIGNS.warning : undefined;
  paper.row({ ...(worst ?? { sign: '✓', tone: 'yes' }), left });
}
