import { TargetClient, type TargetClientConfig } from 'target-node-sdk';
import { toNumber } from './call-options.js';
import { type CheckResult, type Finding, skip, timed } from './doctor-check.js';
import { checkCookie } from './doctor-cookie.js';
import { checkMachine, type Machine } from './doctor-machine.js';
import { checkDns, checkTcp, checkTls, isLoopback, type Target } from './doctor-network.js';
import {
  type AskedHost,
  checkArtifact,
  checkClock,
  checkDelivery,
  type Noted,
  noting,
} from './doctor-target.js';
import { Paper, type Row } from './paper.js';
import { Progress } from './progress.js';
import { EXIT, type ExitCode, type Shell, UsageError } from './shell.js';
import { counted } from './titles.js';

/** The options of `doctor`. */
export interface DoctorFlags {
  readonly client: string;
  readonly organization: string;
  readonly serverDomain?: string;
  readonly cdn?: string;
  readonly location?: string;
  readonly environment?: string;
  readonly property?: string;
  readonly cookie?: string;
  readonly timeout?: string;
  readonly proxy?: boolean;
  readonly insecure?: boolean;
  readonly json?: boolean;
}

const DEFAULT_TIMEOUT_MS = 3000;

/** Finds out why nothing arrives. A check that fails is a finding. */
export async function doctorCommand(
  flags: DoctorFlags,
  shell: Shell,
  machine: Machine = { node: process.versions.node, cwd: process.cwd() },
): Promise<ExitCode> {
  const results = await examine(flags, shell, machine);
  const paper = new Paper(shell.out, shell.env);
  if (flags.json) {
    paper.json(results);
  } else {
    print(results, paper);
  }
  return results.some(({ status }) => status === 'fail') ? EXIT.finding : EXIT.fine;
}

async function examine(flags: DoctorFlags, shell: Shell, machine: Machine): Promise<CheckResult[]> {
  const timeoutMs = flags.timeout === undefined ? DEFAULT_TIMEOUT_MS : toNumber('--timeout', flags.timeout);
  if (timeoutMs <= 0 || timeoutMs >= 2 ** 31) {
    throw new UsageError('--timeout is a number of ms above 0 and below 2147483648');
  }
  const config = toConfig(flags);
  // A wrong option is a mistake of the user, and no fault to be found.
  await TargetClient.create({ ...config, decisioningMethod: 'server-side' }).close({ timeout: 1 });
  const results = checkMachine(machine, shell.env, {
    organization: flags.organization,
    usesProxy: flags.proxy === true,
    scheme: flags.insecure ? 'http' : 'https',
    isLocal: isLoopback(toTarget(flags, timeoutMs).host),
  });
  results.push(...(await checkTarget(flags, config, { shell, timeoutMs })));
  if (flags.cookie !== undefined) {
    results.push({ name: 'mbox cookie', ...(await checkCookie(flags.cookie, shell.now())) });
  }
  return results;
}

interface Limits {
  readonly shell: Shell;
  readonly timeoutMs: number;
}

async function checkTarget(
  flags: DoctorFlags,
  config: TargetClientConfig,
  { shell, timeoutMs }: Limits,
): Promise<CheckResult[]> {
  const target = toTarget(flags, timeoutMs);
  const results: CheckResult[] = [];
  const progress = new Progress(shell);
  let broken: string | undefined;
  const add = async (name: string, check: () => Promise<Finding>): Promise<void> => {
    const isBroken = broken !== undefined;
    progress.show(`checking ${name}`);
    const result = await timed(name, isBroken ? async () => skip(`because ${broken} failed`) : check);
    results.push(result);
    if (result.status === 'fail') {
      broken = name;
    }
  };
  if (flags.proxy) {
    const text = 'the proxy does it';
    results.push(...['DNS', 'TCP', 'TLS'].map((name) => ({ name, ...skip(text) })));
  } else {
    await add('DNS', () => checkDns(target));
    await add('TCP', () => checkTcp(target));
    await add('TLS', async () =>
      flags.insecure
        ? skip('--insecure uses plain http')
        : checkTls(target, shell.now(), shell.env.NODE_TLS_REJECT_UNAUTHORIZED !== '0'),
    );
  }
  const noted: Noted = {};
  await add('delivery', () =>
    noting(shell.now, noted, () => checkDelivery(config, toDeliveryHost(target, flags))),
  );
  results.push({ name: 'clock', ...checkClock(noted) });
  // The artifact comes from another host, so it does not depend on the checks before.
  progress.show('checking artifact');
  const asked = toArtifactHost(target, flags);
  results.push(await timed('artifact', () => checkArtifact(config, asked, shell.now())));
  progress.clear();
  return results;
}

function toConfig(flags: DoctorFlags): TargetClientConfig {
  return {
    client: flags.client,
    organizationId: flags.organization,
    serverDomain: flags.serverDomain,
    cdnEnvironment: flags.cdn,
    artifactLocation: flags.location,
    environment: flags.environment,
    propertyToken: flags.property,
    secure: !flags.insecure,
    proxy: flags.proxy ? 'environment' : undefined,
  };
}

function toTarget({ client, serverDomain, insecure }: DoctorFlags, timeoutMs: number): Target {
  const domain = serverDomain ?? `${client}.tt.omtrdc.net`;
  const written = /^[a-z]+:\/\//i.test(domain) ? domain : `https://${domain.replace(/^\/\//, '')}`;
  const { hostname, port } = new URL(written);
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (insecure ? 80 : 443) : Number(port),
    timeoutMs,
    isNamed: serverDomain !== undefined,
  };
}

function toDeliveryHost({ host, timeoutMs, isNamed }: Target, { insecure }: DoctorFlags): AskedHost {
  return {
    timeoutMs,
    flag: isNamed ? '--server-domain' : undefined,
    isLocal: isLoopback(host),
    isPlain: insecure === true,
  };
}

/** The artifact has a host of its own, which `--server-domain` does not change. */
function toArtifactHost({ host, timeoutMs, isNamed }: Target, flags: DoctorFlags): AskedHost {
  const { cdn, location, insecure } = flags;
  const named = location ?? cdn;
  const isLocal = named === undefined ? false : isLoopback(hostOf(named));
  return {
    timeoutMs,
    flag: location !== undefined ? '--location' : cdn === undefined ? undefined : '--cdn',
    isLocal,
    isPlain: insecure === true,
    // A person who named one host may think that everything is asked there.
    ...(named === undefined && isNamed && { beside: isLoopback(host) ? 'local' : 'other' }),
  };
}

function hostOf(written: string): string {
  try {
    return new URL(/^[a-z]+:\/\//i.test(written) ? written : `https://${written}`).hostname;
  } catch {
    return '';
  }
}

const SIGNS: Readonly<Record<CheckResult['status'], Pick<Row, 'sign' | 'tone'>>> = {
  ok: { sign: '✓', tone: 'yes' },
  warn: { sign: '!', tone: 'warn' },
  fail: { sign: '✗', tone: 'no' },
  skip: { sign: '·', tone: 'soft' },
};

function print(results: readonly CheckResult[], paper: Paper): void {
  for (const { name, status, text, remedy, ms } of results) {
    const right = status === 'skip' ? 'skipped' : ms === undefined ? undefined : `${ms} ms`;
    paper.row({ ...SIGNS[status], left: `${name}: ${text}`, right, isBeside: true });
    if (remedy !== undefined) {
      paper.row({ indent: 2, sign: '→', left: remedy });
    }
  }
  const count = (status: CheckResult['status']) => results.filter((one) => one.status === status).length;
  const [fails, warnings] = [count('fail'), count('warn')];
  paper.gap();
  paper.row(
    fails > 0
      ? { sign: '✗', left: `${counted(fails, 'check')} failed, ${counted(warnings, 'warning')}`, tone: 'no' }
      : { sign: '✓', left: `nothing failed, ${counted(warnings, 'warning')}`, tone: 'yes' },
  );
}
