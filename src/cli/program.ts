import type { ArtifactFlags, GetFlags } from './artifact-commands.js';
import type { DecisionFlags } from './call-options.js';
import type { Command, Group, Run } from './command.js';
import type { DiffFlags } from './diff-command.js';
import type { DoctorFlags } from './doctor-command.js';
import type { EdgeFlags } from './edge-command.js';
import type { SimulateFlags } from './simulate-command.js';
import type { TypesFlags } from './types-command.js';
import type { ValidateFlags } from './validate-command.js';

const ARTIFACT = 'the artifact: a file, a URL, or - for standard input';
const JSON_AND_KEY = {
  '--organization <id>': 'the organization id of a binary artifact',
  '--json': 'prints the result as JSON',
};
const PROXY = { '--proxy': 'goes through the proxies of HTTPS_PROXY and HTTP_PROXY' };
const ACCOUNT = {
  '--cdn <host>': 'the host of the artifact',
  '--environment <name>': 'the environment (default: production)',
  '--property <token>': 'the token of the property',
};
/** The options of the commands that decide. */
const CALL = {
  '--mbox <name>...': 'an mbox to decide; may be repeated',
  '--view <name>...': 'a view to decide; may be repeated',
  '--page-load': 'decides a page load',
  '--param <name=value>...': 'a parameter; may be repeated',
  '--url <url>': 'the address of the page',
  '--referrer <url>': 'the address of the page before',
  '--browser <name>': 'chrome, edge, firefox, safari or iphone; stands for a user agent',
  '--user-agent <text>': 'the user agent of the browser',
  '--geo <name=value>...':
    'country and region as codes, such as DE; city, zip, latitude, longitude or ip; may be repeated',
  '--client <code>': 'the client code (default: that of the artifact)',
  '--property <token>': 'the token of the property',
  '--all-matching <mbox>...': 'an mbox that answers with every rule; may be repeated',
  '--now <time>': 'the time to decide for, such as 2026-11-30T09:00:00Z (default: now)',
  '--options <file>': 'a JSON file with all options of the function; flags win over it',
  ...JSON_AND_KEY,
};

/** Ties the flags that a command takes to its description, which says them in words. */
function command<Flags>(facts: Omit<Command, 'run'>, run: Run<Flags>): Command {
  return { ...facts, run };
}

// The code of a command is loaded when it runs, so the help is fast.
const explain = command<DecisionFlags>(
  {
    about: 'tells why a visitor gets an offer',
    takes: { '<artifact>': ARTIFACT },
    options: {
      ...CALL,
      '--prefetch': 'asks as a prefetch does: for offers that are shown later',
      '--tnt-id <id>': 'the tntId of the visitor',
      '--ecid <id>': 'the Experience Cloud id of the visitor',
      '--third-party-id <id>': 'the id that your own system has for the visitor',
      '--cookie <value>': 'the mbox cookie of the visitor',
    },
  },
  async ([source = ''], flags, shell) =>
    (await import('./explain-command.js')).explainCommand(source, flags, shell),
);

const simulate = command<SimulateFlags>(
  {
    about: 'decides one location for many visitors, and tests the split',
    takes: { '<artifact>': ARTIFACT },
    options: {
      ...CALL,
      '--mbox <name>...': 'the mbox to decide: one mbox, one view or the page load',
      '--view <name>...': 'the view to decide',
      '--page-load': 'decides the page load',
      '--visitors <count>': 'the number of visitors (default: 10000)',
      '--seed <number>': 'the start of the made-up ids (default: 1)',
      '--ids <file>': 'ids of real visitors, one a line; - is standard input',
      '--id-kind <kind>': 'tntId, marketingCloudVisitorId or thirdPartyId (default: tntId)',
      '--observed <experience=count>...': 'a count of your report, once for each experience',
    },
  },
  async ([source = ''], flags, shell) =>
    (await import('./simulate-command.js')).simulateCommand(source, flags, shell),
);

const get = command<GetFlags>(
  {
    about: 'downloads an artifact and checks it',
    options: {
      '--client <code>': 'the client code of your account',
      '--out <file>': 'the file to write (default: standard output)',
      ...ACCOUNT,
      '--location <url>': 'the URL of the artifact, in place of all of these',
      '--format <format>': 'json or bin (default: json)',
      ...PROXY,
      '--insecure': 'uses plain http for a host on this machine, such as a local edge',
      ...JSON_AND_KEY,
    },
  },
  async (_, flags, shell) => (await import('./artifact-commands.js')).getCommand(flags, shell),
);

const inspect = command<ArtifactFlags>(
  {
    about: 'lists the activities and experiences of an artifact',
    takes: { '<artifact>': ARTIFACT },
    options: JSON_AND_KEY,
  },
  async ([source = ''], flags, shell) =>
    (await import('./artifact-commands.js')).inspectCommand(source, flags, shell),
);

const validate = command<ValidateFlags>(
  {
    about: 'lists what is wrong or doubtful in an artifact',
    takes: { '<artifact>': ARTIFACT },
    options: {
      '--strict': 'ends with 1 for a warning too',
      '--now <time>': 'the time for which time frames are judged (default: now)',
      ...JSON_AND_KEY,
    },
  },
  async ([source = ''], flags, shell) =>
    (await import('./validate-command.js')).validateCommand(source, flags, shell),
);

const diff = command<DiffFlags>(
  {
    about: 'tells what changed between two artifacts',
    takes: { '<before>': ARTIFACT, '<after>': 'the later artifact' },
    options: {
      '--tokens': 'lists what no visitor sees too: event tokens, ids and names of offers, the date',
      ...JSON_AND_KEY,
    },
  },
  async ([before = '', after = ''], flags, shell) =>
    (await import('./diff-command.js')).diffCommand([before, after], flags, shell),
);

const edge = command<EdgeFlags>(
  {
    about: 'runs a local edge in place of the one of Adobe, with a workbench to look into',
    takes: { '[artifact]': `${ARTIFACT}; the edge decides by it` },
    options: {
      '--port <number>': 'the port (default: a free one)',
      '--client <code>': 'the client code (default: that of the artifact, or demo)',
      '--organization <id>': 'the organization id, also of a binary artifact (default: DEMO@AdobeOrg)',
      '--offers <file>': 'a JSON file with offers by mbox',
      '--no-workbench': 'leaves the workbench out',
      '--json': 'prints the address as JSON',
    },
  },
  async ([source], flags, shell) => (await import('./edge-command.js')).edgeCommand(source, flags, shell),
);

const types = command<TypesFlags>(
  {
    about: 'writes TypeScript types for the mboxes of an artifact',
    takes: { '[artifact]': `${ARTIFACT}, or a client code` },
    options: {
      '--artifact <artifact>': 'the same as the argument',
      '--out <file>': 'the file to write (default: standard output)',
      '--check': 'ends with 1 when the file (default: target-mboxes.d.ts) is not up to date',
      '--no-literals': 'writes string in place of the values of texts',
      '--organization <id>': JSON_AND_KEY['--organization <id>'],
    },
  },
  async ([source], flags, shell) => (await import('./types-command.js')).typesCommand(source, flags, shell),
);

const doctor = command<DoctorFlags>(
  {
    about: 'finds out why nothing arrives: network, clock, artifact, cookies',
    needs: ['--client <code>', '--organization <id>'],
    options: {
      '--client <code>': 'the client code of your account',
      '--organization <id>': 'the organization id, such as 0123456789ABCDEF01234567@AdobeOrg',
      '--server-domain <host>': 'the host of delivery calls',
      ...ACCOUNT,
      '--location <url>': 'the URL of the artifact',
      '--cookie <value>': 'an mbox cookie to read',
      '--timeout <ms>': 'the limit of each check in ms (default: 3000)',
      ...PROXY,
      '--insecure': 'uses plain http, for a local edge',
      '--json': 'prints the checks as JSON',
    },
  },
  async (_, flags, shell) => (await import('./doctor-command.js')).doctorCommand(flags, shell),
);

/** All commands and their options. */
export const PROGRAM: Group = {
  about: 'Looks into the rules of Adobe Target that are decided on-device.',
  commands: {
    explain,
    simulate,
    artifact: {
      about: 'gets, shows, checks and compares artifacts',
      commands: { get, inspect, validate, diff },
      short: 'get',
      example: '--client acme --out rules.json',
    },
    edge,
    types,
    doctor,
  },
};
