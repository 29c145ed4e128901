import { inspect, type Overview } from 'target-node-sdk/tools';
import { Paper } from './paper.js';
import { escapeUnseen } from './plain-text.js';
import { downloadArtifact, readArtifactObject } from './read-artifact.js';
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
