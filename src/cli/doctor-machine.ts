import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type CheckResult, type Finding, fail, ok, skip, warn } from './doctor-check.js';
import type { Shell } from './shell.js';

/** The machine that the doctor looks at. Tests pass their own. */
export interface Machine {
  /** The version of Node.js, such as `22.11.0`. */
  readonly node: string;
  /** The folder of the program. */
  readonly cwd: string;
}

const PACKAGE = 'target-node-sdk';
const OLDEST = [20, 19] as const;
/** A tree with more folders is not looked through to its end. */
const MAX_FOLDERS = 50_000;
/** The default of the local edge. */
const LOCAL_ORGANIZATION = 'DEMO@AdobeOrg';
const PROXY_VARIABLES = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'];

/** The way that calls go. */
interface ProxyUse {
  readonly usesProxy: boolean;
  readonly scheme: 'http' | 'https';
}

interface Account {
  readonly organization: string;
  /** True when the edge is on this machine. */
  readonly isLocal?: boolean;
}

/** Checks what needs no network: Node.js, the package, variables and the id of the organization. */
export function checkMachine(
  { node, cwd }: Machine,
  env: Shell['env'],
  { organization, isLocal = false, ...proxy }: ProxyUse & Account,
): CheckResult[] {
  return [
    { name: 'Node.js', ...checkNode(node) },
    { name: 'package', ...checkCopies(cwd) },
    { name: 'proxy', ...checkProxy(env, proxy) },
    { name: 'TLS settings', ...checkTlsSettings(env) },
    { name: 'organization', ...checkOrganization(organization, isLocal) },
  ];
}

function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  return isOld ? fail(`${version} is too old`, `install ${OLDEST.join('.')} or newer`) : ok(version);
}

function checkCopies(cwd: string): Finding {
  const copies = copiesOf(cwd);
  const shown = copies.map((folder) => `${versionOf(folder)} in ${folder}`);
  if (copies.length > 1) {
    const text = `${copies.length} copies: ${shown.join('; ')}`;
    return warn(text, 'run npm dedupe: two copies keep two queues and two artifacts');
  }
  return shown[0] === undefined ? skip('the package is not installed in this folder') : ok(shown[0]);
}

/** Finds the copies of the package that a program in a folder could load. A link and its target are one copy. */
function copiesOf(cwd: string): string[] {
  const found = new Set<string>();
  let folders = 0;
  const search = (modules: string): void => {
    for (const name of foldersIn(modules)) {
      folders += 1;
      if (folders > MAX_FOLDERS) {
        return;
      }
      const folder = join(modules, name);
      if (name.startsWith('@')) {
        search(folder);
      } else if (name === '.pnpm') {
        for (const kept of foldersIn(folder).filter((one) => one.startsWith(`${PACKAGE}@`))) {
          note(join(folder, kept, 'node_modules', PACKAGE));
        }
      } else {
        if (name === PACKAGE) {
          note(folder);
        }
        search(join(folder, 'node_modules'));
      }
    }
    // A link is no folder, but it can be the package.
    note(join(modules, PACKAGE));
  };
  const note = (folder: string): void => {
    if (existsSync(join(folder, 'package.json'))) {
      found.add(realpathSync(folder));
    }
  };
  for (let folder = cwd, above = dirname(cwd); ; folder = above, above = dirname(folder)) {
    search(join(folder, 'node_modules'));
    if (above === folder) {
      return [...found].sort((one, other) => one.length - other.length);
    }
  }
}

function foldersIn(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

function versionOf(folder: string): string {
  try {
    return String(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version);
  } catch {
    return 'a version that cannot be read';
  }
}

/** Names variables and never shows their values, which may hold a password. */
function checkProxy(env: Shell['env'], { usesProxy, scheme }: ProxyUse): Finding {
  // Windows has each variable under both names.
  const names = PROXY_VARIABLES.filter((name) => env[name] || env[name.toLowerCase()]).map((name) =>
    env[name.toLowerCase()] ? name.toLowerCase() : name,
  );
  const wanted = `${scheme.toUpperCase()}_PROXY`;
  const own = names.find((name) => name.toUpperCase() === wanted);
  const set = `${names.join(', ')} set`;
  if (!usesProxy) {
    return names.length === 0
      ? ok('no variable names one')
      : warn(`${set}; the SDK does not read it by itself`, remedyOfUnread(own ?? wanted, own !== undefined));
  }
  if (own === undefined) {
    const text =
      names.length === 0 ? 'no variable names a proxy' : `${set}; calls over ${scheme} do not read it`;
    return warn(text, `set ${wanted}, or leave --proxy out`);
  }
  const exceptions = env.NO_PROXY || env.no_proxy ? ', but to the hosts of NO_PROXY' : '';
  return ok(`calls go through ${own}${exceptions}`);
}

function remedyOfUnread(name: string, isSet: boolean): string {
  const remedy = "give the client the option proxy: 'environment', and this command --proxy";
  return isSet ? remedy : `set ${name}, which the SDK knows; then ${remedy}`;
}

function checkTlsSettings({ NODE_TLS_REJECT_UNAUTHORIZED, NODE_EXTRA_CA_CERTS }: Shell['env']): Finding {
  if (NODE_TLS_REJECT_UNAUTHORIZED === '0') {
    return warn(
      'NODE_TLS_REJECT_UNAUTHORIZED=0: certificates are not checked, so anybody in between can read along',
      'remove it, and point NODE_EXTRA_CA_CERTS at the certificate of your proxy',
    );
  }
  if (NODE_EXTRA_CA_CERTS && !isReadable(NODE_EXTRA_CA_CERTS)) {
    return warn(
      `NODE_EXTRA_CA_CERTS names a file that cannot be read: ${NODE_EXTRA_CA_CERTS}`,
      'write the path of a file with certificates in PEM format; Node.js ignores a wrong one',
    );
  }
  return ok(NODE_EXTRA_CA_CERTS ? `certificates of ${NODE_EXTRA_CA_CERTS} are trusted too` : 'as usual');
}

function isReadable(path: string): boolean {
  try {
    return readFileSync(path, 'utf8').includes('-----BEGIN');
  } catch {
    return false;
  }
}

function checkOrganization(id: string, isLocal: boolean): Finding {
  if (isLocal && id === LOCAL_ORGANIZATION) {
    return ok('that of a local edge');
  }
  return /^[0-9a-f]{24}@AdobeOrg$/i.test(id)
    ? ok('has the form of an organization id')
    : warn('it is not 24 hex digits and @AdobeOrg', 'copy it from Target: Administration, Implementation');
}
