import { Command } from 'commander';
import type { ArtifactFlags, GetFlags, ValidateFlags } from './artifact-commands.js';
import type { DecisionFlags } from './call-options.js';
import type { DoctorFlags } from './doctor-command.js';
import type { EdgeFlags } from './edge-command.js';
import type { ExitCode, Shell } from './shell.js';
import type { SimulateFlags } from './simulate-command.js';
import type { TypesFlags } from './types-command.js';

/** Runs a command and keeps its exit code. */
type Run = (command: () => Promise<ExitCode>) => Promise<void>;

const ARTIFACT = 'the artifact: a file, a URL, or - for standard input';

/**
 * Describes all commands and their options. The code of a command is loaded when it runs, so the help is fast.
 */
export function createProgram(version: string, shell: Shell, run: Run): Command {
  const program = new Command('target-node-sdk')
    .description('Looks into the rules of Adobe Target that are decided on-device.')
    .version(version, '-v, --version', 'prints the version')
    .helpOption('-h, --help', 'prints this help')
    .helpCommand('help [command]', 'prints the help of a command');
  addDecisions(program, shell, run);
  addArtifact(program, shell, run);
  addEdge(program, shell, run);
  addTypes(program, shell, run);
  addDoctor(program, shell, run);
  return program;
}

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

function addDecisions(program: Command, shell: Shell, run: Run): void {
  withCallOptions(program.command('explain').description('tells why a visitor gets an offer'))
    .option('--prefetch', 'asks for the offers of a later display')
    .option('--tnt-id <id>', 'the tntId of the visitor')
    .option('--ecid <id>', 'the Experience Cloud id of the visitor')
    .option('--third-party-id <id>', 'the id that your own system has for the visitor')
    .option('--cookie <value>', 'the mbox cookie of the visitor')
    .action((source: string, flags: DecisionFlags) =>
      run(async () => (await import('./explain-command.js')).explainCommand(source, flags, shell)),
    );
  withCallOptions(
    program.command('simulate').description('decides one location for many visitors, and tests the split'),
  )
    .option('--visitors <count>', 'the number of visitors (default: 10000)')
    .option('--seed <number>', 'the start of the made-up ids (default: 1)')
    .option('--ids <file>', 'ids of real visitors, one a line; - is standard input')
    .option('--id-kind <kind>', 'tntId, marketingCloudVisitorId or thirdPartyId (default: tntId)')
    .option('--observed <experience=count>', 'a count of your report; may be repeated', collect)
    .action((source: string, flags: SimulateFlags) =>
      run(async () => (await import('./simulate-command.js')).simulateCommand(source, flags, shell)),
    );
}

function withCallOptions(command: Command): Command {
  return command
    .argument('<artifact>', ARTIFACT)
    .option('--mbox <name>', 'an mbox to decide; may be repeated', collect)
    .option('--view <name>', 'a view to decide; may be repeated', collect)
    .option('--page-load', 'decides a page load')
    .option('--param <name=value>', 'a parameter; may be repeated', collect)
    .option('--url <url>', 'the address of the page')
    .option('--referrer <url>', 'the address of the page before')
    .option('--user-agent <text>', 'the user agent of the browser')
    .option(
      '--geo <name=value>',
      'country, region, city, zip, latitude or longitude; may be repeated',
      collect,
    )
    .option('--client <code>', 'the client code (default: that of the artifact)')
    .option('--property <token>', 'the token of the property')
    .option('--all-matching <mbox>', 'an mbox that answers with every rule; may be repeated', collect)
    .option('--now <time>', 'the time to decide for, such as 2026-11-30T09:00:00Z (default: now)')
    .option('--options <file>', 'a JSON file with all options of the function; flags win over it')
    .option('--organization <id>', 'the organization id of a binary artifact')
    .option('--json', 'prints the result as JSON');
}

function addArtifact(program: Command, shell: Shell, run: Run): void {
  const artifact = program.command('artifact').description('gets, shows, checks and compares artifacts');
  withGetOptions(artifact.command('get').description('downloads an artifact and checks it')).action(
    (flags: GetFlags) => run(async () => (await import('./artifact-commands.js')).getCommand(flags, shell)),
  );
  withJson(artifact.command('inspect').description('lists the activities and experiences of an artifact'))
    .argument('<artifact>', ARTIFACT)
    .action((source: string, flags: ArtifactFlags) =>
      run(async () => (await import('./artifact-commands.js')).inspectCommand(source, flags, shell)),
    );
  withJson(artifact.command('validate').description('lists what is wrong or doubtful in an artifact'))
    .argument('<artifact>', ARTIFACT)
    .option('--strict', 'ends with 1 for a warning too')
    .option('--now <time>', 'the time for which time frames are judged (default: now)')
    .action((source: string, flags: ValidateFlags) =>
      run(async () => (await import('./artifact-commands.js')).validateCommand(source, flags, shell)),
    );
  withJson(artifact.command('diff').description('tells what changed between two artifacts'))
    .argument('<before>', ARTIFACT)
    .argument('<after>', 'the later artifact')
    .action((before: string, after: string, flags: ArtifactFlags) =>
      run(async () => (await import('./artifact-commands.js')).diffCommand([before, after], flags, shell)),
    );
}

function withGetOptions(command: Command): Command {
  return withJson(command)
    .option('--client <code>', 'the client code of your account')
    .option('--out <file>', 'the file to write (default: standard output)')
    .option('--environment <name>', 'the environment (default: production)')
    .option('--property <token>', 'the token of the property')
    .option('--cdn <host>', 'the host of the artifact')
    .option('--location <url>', 'the URL of the artifact, in place of all of these')
    .option('--format <format>', 'json or bin (default: json)')
    .option('--proxy', 'goes through the proxies of HTTPS_PROXY and HTTP_PROXY')
    .option('--insecure', 'uses plain http for a host on this machine, such as a local edge');
}

function withJson(command: Command): Command {
  return command
    .option('--organization <id>', 'the organization id of a binary artifact')
    .option('--json', 'prints the result as JSON');
}

function addEdge(program: Command, shell: Shell, run: Run): void {
  program
    .command('edge')
    .description('runs a local edge in place of Adobe’s')
    .argument('[artifact]', `${ARTIFACT}; the edge decides by it`)
    .option('--port <number>', 'the port (default: a free one)')
    .option('--client <code>', 'the client code of its answers (default: demo)')
    .option('--organization <id>', 'the organization id (default: DEMO@AdobeOrg)')
    .option('--offers <file>', 'a JSON file with offers by mbox')
    .option('--json', 'prints the address as JSON')
    .action((source: string | undefined, flags: EdgeFlags) =>
      run(async () => (await import('./edge-command.js')).edgeCommand(source, flags, shell)),
    );
}

function addTypes(program: Command, shell: Shell, run: Run): void {
  program
    .command('types')
    .description('writes TypeScript types for the mboxes of an artifact')
    .argument('[artifact]', `${ARTIFACT}, or a client code`)
    .option('--artifact <artifact>', 'the same as the argument')
    .option('--out <file>', 'the file to write (default: standard output)')
    .option('--check', 'ends with 1 when the file (default: target-mboxes.d.ts) is not up to date')
    .option('--no-literals', 'writes string in place of the values of texts')
    .option('--organization <id>', 'the organization id of a binary artifact')
    .action((source: string | undefined, flags: TypesFlags) =>
      run(async () => (await import('./types-command.js')).typesCommand(source, flags, shell)),
    );
}

function addDoctor(program: Command, shell: Shell, run: Run): void {
  program
    .command('doctor')
    .description('finds out why nothing arrives: network, clock, artifact, cookies')
    .requiredOption('--client <code>', 'the client code of your account')
    .requiredOption('--organization <id>', 'the organization id, such as 0123456789ABCDEF01234567@AdobeOrg')
    .option('--server-domain <host>', 'the host of delivery calls')
    .option('--cdn <host>', 'the host of the artifact')
    .option('--location <url>', 'the URL of the artifact')
    .option('--environment <name>', 'the environment (default: production)')
    .option('--property <token>', 'the token of the property')
    .option('--cookie <value>', 'an mbox cookie to read')
    .option('--timeout <ms>', 'the limit of each check in ms (default: 3000)')
    .option('--proxy', 'goes through the proxies of HTTPS_PROXY and HTTP_PROXY')
    .option('--insecure', 'uses plain http, for a local edge')
    .option('--json', 'prints the checks as JSON')
    .action((flags: DoctorFlags) =>
      run(async () => (await import('./doctor-command.js')).doctorCommand(flags, shell)),
    );
}
