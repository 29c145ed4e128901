import {
  type ArtifactDiff,
  diffArtifacts,
  type Finding,
  inspect,
  type Overview,
  validate,
} from 'target-node-sdk/tools';
import { toTime } from './call-options.js';
import { Paper, type Tone } from './paper.js';
import { escapeUnseen } from './plain-text.js';
import { downloadArtifact, readArtifact, readArtifactObject } from './read-artifact.js';
import { EXIT, type ExitCode, type Shell, UsageError } from './shell.js';
import { counted, percent, titleOf } from './titles.js';
import { writeText } from './write-text.js';

/** The options that the commands for artifacts share. */
export interface ArtifactFlags {
  readonly organization?: string;
  readonly json?: boolean;
}

/** The options of `artifact get`. */
export interface GetFlags extends ArtifactFlags {
  readonly client?: string;
  readonly out?: string;
  readonly environment?: string;
  readonly property?: string;
  readonly cdn?: string;
  readonly location?: string;
  readonly format?: string;
  readonly proxy?: boolean;
  readonly insecure?: boolean;
}

/** The options of `artifact validate`. */
export interface ValidateFlags extends ArtifactFlags {
  readonly strict?: boolean;
  readonly now?: string;
}

/** The options of `artifact diff`. */
export interface DiffFlags extends ArtifactFlags {
  readonly tokens?: boolean;
}

/** Downloads the artifact of an account, checks it and prints its id, or the artifact itself without `--out`. */
export async function getCommand(flags: GetFlags, shell: Shell): Promise<ExitCode> {
  const { client, location, out, format } = flags;
  if (!client && !location) {
    throw new UsageError('nothing is named: give --client, the client code of your account');
  }
  if (format !== undefined && format !== 'json' && format !== 'bin') {
    throw new UsageError('--format is json or bin');
  }
  if (format === 'bin' && !flags.organization) {
    throw new UsageError('a binary artifact needs --organization, the id that it is encoded with');
  }
  const { text, id, value } = await downloadArtifact(
    {
      client: client || 'artifact',
      organizationId: flags.organization || '0@AdobeOrg',
      environment: flags.environment,
      propertyToken: flags.property,
      cdnEnvironment: flags.cdn,
      secure: !flags.insecure,
      artifactLocation: location,
      artifactFormat: format,
      proxy: flags.proxy ? 'environment' : undefined,
    },
    shell,
  );
  if (out === undefined || out === '-') {
    const shown = shell.out.isTTY ? escapeUnseen(text) : text;
    shell.out.write(shown.endsWith('\n') ? shown : `${shown}\n`);
    return EXIT.fine;
  }
  await writeText(out, text);
  const paper = new Paper(shell.out, shell.env);
  const { counts, version, environment } = inspect(value as object);
  const bytes = Buffer.byteLength(text);
  if (flags.json) {
    paper.json({ file: out, id, bytes, version, environment, counts });
  } else {
    const rules = `${counted(counts.rules, 'rule')} of ${counted(counts.activities, 'activity', 'activities')}`;
    paper.row({ sign: '✓', left: `${out}: id ${id}, ${rules}`, right: `${bytes} bytes`, tone: 'yes' });
  }
  return EXIT.fine;
}

/** Prints what is in an artifact. */
export async function inspectCommand(source: string, flags: ArtifactFlags, shell: Shell): Promise<ExitCode> {
  const overview = inspect(await readArtifactObject(source, flags, shell));
  const paper = new Paper(shell.out, shell.env);
  if (flags.json) {
    paper.json(overview);
  } else {
    printOverview(overview, paper);
  }
  return EXIT.fine;
}

function printOverview(overview: Overview, paper: Paper): void {
  const { client, environment, version, generatedAt, counts, remote, responseTokens, geo, globalMbox } =
    overview;
  const from = [client || 'no client code', environment].filter((word) => word !== '').join(' ');
  const date = generatedAt === undefined ? '' : `, made ${generatedAt}`;
  paper.row({ left: from, right: `version ${version}${date}`, tone: 'title' });
  const figures = [
    counted(counts.activities, 'activity', 'activities'),
    counted(counts.experiences, 'experience'),
    counted(counts.mboxes, 'mbox', 'mboxes'),
    counted(counts.views, 'view'),
    counted(counts.rules, 'rule'),
  ];
  paper.say(figures.join(', '));
  paper.say(`places are ${geo ? '' : 'not '}looked up; the global mbox is ${globalMbox}`);
  const lists = [
    ['mboxes that need the edge', remote.mboxes],
    ['views that need the edge', remote.views],
    ['response tokens', responseTokens],
  ] as const;
  for (const [what, names] of lists) {
    if (names.length > 0) {
      paper.say(`${what}: ${names.join(', ')}`);
    }
  }
  for (const activity of overview.activities) {
    paper.gap();
    paper.row({
      left: titleOf(activity),
      right: `${activity.type} ${activity.id}`,
      isName: true,
      tone: 'title',
    });
    paper.row({ indent: 2, left: `on ${activity.locations.join(', ')}`, tone: 'soft' });
    if (activity.properties.length > 0) {
      paper.row({ indent: 2, left: `for the properties ${activity.properties.join(', ')}`, tone: 'soft' });
    }
    for (const { share, audience, rules, ...experience } of activity.experiences) {
      const right =
        share === undefined ? counted(rules, 'rule') : `${percent(share)}, ${counted(rules, 'rule')}`;
      paper.row({ indent: 2, left: titleOf(experience), right, isName: true });
      paper.row({ indent: 4, left: audience || 'everybody', tone: 'soft' });
    }
  }
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
  // Without a path it is no artifact at all.
  if (code !== 'ERR_TARGET_ARTIFACT' || typeof path !== 'string') {
    throw thrown;
  }
  return [{ severity: 'error', code: 'unusable', path, text: `a client rejects it: ${message}` }];
}

function printFindings(findings: readonly Finding[], paper: Paper): void {
  for (const { severity, code, path, text, remedy } of findings) {
    paper.row({ ...SIGNS[severity], left: text, right: `${severity} ${code}` });
    if (path !== '') {
      paper.row({ indent: 2, left: `at ${path}`, tone: 'soft' });
    }
    if (remedy !== undefined) {
      paper.row({ indent: 2, sign: '→', left: remedy });
    }
  }
  const count = (severity: Finding['severity']) =>
    findings.filter((finding) => finding.severity === severity).length;
  const errors = count('error');
  const left = [
    counted(errors, 'error'),
    counted(count('warning'), 'warning'),
    counted(count('note'), 'note'),
  ].join(', ');
  paper.row(errors > 0 ? { sign: '✗', left, tone: 'no' } : { sign: '✓', left, tone: 'yes' });
}

/** Prints what differs between two artifacts. A difference is a finding. */
export async function diffCommand(
  sources: readonly [before: string, after: string],
  flags: DiffFlags,
  shell: Shell,
): Promise<ExitCode> {
  if (sources.every((source) => source === '-')) {
    throw new UsageError('standard input cannot be both artifacts: give one of them as a file or a URL');
  }
  const before = await readArtifactObject(sources[0], flags, shell);
  const after = await readArtifactObject(sources[1], flags, shell);
  const diff = diffArtifacts(before, after, { tokens: flags.tokens === true });
  const paper = new Paper(shell.out, shell.env);
  if (flags.json) {
    paper.json(diff);
  } else {
    printDiff(diff, paper);
  }
  return diff.isEqual ? EXIT.fine : EXIT.finding;
}

function printDiff(
  { activities, locations, artifact, unchanged, quiet, quietChanges = [], isEqual }: ArtifactDiff,
  paper: Paper,
): void {
  for (const { text } of artifact) {
    paper.row({ sign: '~', left: text, tone: 'warn' });
  }
  for (const { name, text } of locations) {
    paper.row({ sign: '~', left: `${name}: ${text}`, tone: 'warn' });
  }
  for (const { id, name, changes } of activities) {
    const kinds = changes.map(({ kind }) => kind);
    const [sign, tone] = kinds.includes('added')
      ? (['+', 'yes'] as const)
      : kinds.includes('removed')
        ? (['−', 'no'] as const)
        : (['~', 'warn'] as const);
    paper.row({ sign, tone, left: titleOf({ id, name }), right: id, isName: true });
    for (const { text } of changes) {
      paper.row({ indent: 4, left: text });
    }
  }
  for (const { text } of quietChanges) {
    paper.row({ sign: '·', left: text, tone: 'soft' });
  }
  const same = `${unchanged} as before`;
  const still = quiet > 0 ? `; ${counted(quiet, 'change')} that no visitor sees` : '';
  const changed = counted(activities.length, 'activity', 'activities');
  paper.row(
    isEqual
      ? {
          sign: '✓',
          left: `nothing differs: ${counted(unchanged, 'activity', 'activities')} as before${still}`,
          tone: 'yes',
        }
      : { left: `${changed} changed, ${same}${still}` },
  );
}
