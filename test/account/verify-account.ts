import { parseArgs } from 'node:util';
import { TargetClient, TargetError } from '../../src/index.js';
import { html, startTargetEdge } from '../../src/testing/edge.js';
import { artifactOf, rule } from '../fixtures/rules.js';
import { type Account, type Finding, runChecks } from './checks.js';

const HELP = `npm run verify:account -- --client CODE --organization ID --mbox KIND=NAME [--mbox …] [options]

Asks a real Target account what docs/verified.md assumes, and prints a table for that page. Nothing in the table names
the account, a visitor or an mbox. The checks count about six visitors in the activity of the first mbox, so take one
whose report nobody relies on.

  --client CODE         the client code (TARGET_CLIENT)
  --organization ID     the IMS organization (TARGET_ORGANIZATION)
  --mbox KIND=NAME      an mbox, and the kind of its activity: ab, xt, ap, auto-target, recommendations, mvt. May be
                        repeated; the first one is also used for everything else (TARGET_MBOXES, joined by commas)
  --property TOKEN      the property token (TARGET_PROPERTY)
  --environment NAME    the environment of the artifact (production)
  --dry-run             asks the local edge instead, which shows that the checks run and nothing about Target

Ends with 0 when every check ran, with 1 when one failed, with 2 when an option is wrong.`;

const FLAGS = {
  client: { type: 'string' },
  organization: { type: 'string' },
  property: { type: 'string' },
  environment: { type: 'string' },
  mbox: { type: 'string', multiple: true },
  'dry-run': { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

/** The flags of options of the client that have another name. */
const FLAG_OF = new Map([
  ['organizationId', 'organization'],
  ['propertyToken', 'property'],
]);

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the options, runs the checks and prints the table. Resolves to the exit code. */
export async function verifyAccount(
  args: readonly string[],
  environment: Environment,
  print: (line: string) => void,
): Promise<number> {
  let given: Given;
  try {
    given = readOptions(args, environment);
  } catch (error) {
    print(error instanceof Error ? error.message : String(error));
    return 2;
  }
  if (given.isHelp) {
    print(HELP);
    return 0;
  }
  try {
    const findings = given.isDryRun ? await dryRun() : await run(given);
    print(tableOf(findings, given.isDryRun));
    return findings.some(({ answer }) => answer === 'failed') ? 1 : 0;
  } catch (error) {
    // The option is named, and its value stays out of the output.
    const path = error instanceof TargetError ? error.path : undefined;
    print(path === undefined ? 'the checks did not start' : `--${FLAG_OF.get(path) ?? path} is wrong`);
    return 2;
  }
}

interface Given {
  readonly isHelp: boolean;
  readonly isDryRun: boolean;
  readonly client: string;
  readonly organizationId: string;
  readonly propertyToken: string | undefined;
  readonly environment: string;
  readonly mboxes: ReadonlyMap<string, string>;
}

function readOptions(args: readonly string[], environment: Environment): Given {
  const { values } = parseArgs({ args: [...args], options: FLAGS });
  const client = values.client ?? environment.TARGET_CLIENT ?? '';
  const organizationId = values.organization ?? environment.TARGET_ORGANIZATION ?? '';
  const written = values.mbox ?? environment.TARGET_MBOXES?.split(',') ?? [];
  const mboxes = new Map(written.map(toMbox));
  const isDryRun = values['dry-run'] ?? false;
  const isHelp = values.help ?? false;
  if (!isHelp && !isDryRun && (client === '' || organizationId === '' || mboxes.size === 0)) {
    throw new Error('--client, --organization and at least one --mbox are needed; --help tells more');
  }
  return {
    isHelp,
    isDryRun,
    client,
    organizationId,
    propertyToken: values.property ?? environment.TARGET_PROPERTY,
    environment: values.environment ?? 'production',
    mboxes,
  };
}

function toMbox(written: string): [string, string] {
  const [, kind, name] = /^([\w-]+)=(.+)$/.exec(written.trim()) ?? [];
  if (kind === undefined || name === undefined) {
    throw new Error('--mbox must be KIND=NAME, such as ab=homepage-hero');
  }
  return [kind, name];
}

async function run({ client: code, organizationId, propertyToken, environment, mboxes }: Given) {
  const client = TargetClient.create({
    client: code,
    organizationId,
    propertyToken,
    telemetryEnabled: false,
  });
  const path = [code, environment.toLowerCase(), 'v1', ...(propertyToken ? [propertyToken] : [])];
  const artifactUrl = `https://assets.adobetarget.com/${path.map(encodeURIComponent).join('/')}/rules.json`;
  return check({ client, mboxes, artifactUrl });
}

/** Runs the checks against the local edge. */
async function dryRun(): Promise<Finding[]> {
  const offers = { mboxes: { hero: html('<p>Hello</p>'), other: html('<p>Other</p>') } };
  const artifact = artifactOf({ hero: [rule('hero', { activity: 1, shows: 'hello' })] });
  await using edge = await startTargetEdge({ offers, artifact });
  const client = TargetClient.create({ ...edge.config, telemetryEnabled: false });
  const mboxes = new Map([
    ['ab', 'hero'],
    ['xt', 'other'],
  ]);
  return await check({ client, mboxes, artifactUrl: edge.artifactUrl });
}

async function check(account: Account): Promise<Finding[]> {
  try {
    return await runChecks(account);
  } finally {
    await account.client.close();
  }
}

/** Writes the findings as a table for docs/verified.md. */
function tableOf(findings: readonly Finding[], isDryRun: boolean): string {
  const rows = findings.map(({ what, answer, seen }) => `| ${what} | ${answer} | ${seen} |`);
  const head = isDryRun
    ? ['A dry run against the local edge. It says nothing about Target.', '']
    : [`Asked on ${new Date().toISOString().slice(0, 10)}.`, ''];
  return [...head, '| question | answer | what was seen |', '|---|---|---|', ...rows].join('\n');
}
