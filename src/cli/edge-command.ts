import { once } from 'node:events';
import { type EdgeOffers, startTargetEdge, type TargetEdge } from 'target-node-sdk/testing';
import { toNumber } from './call-options.js';
import { Paper } from './paper.js';
import { escapeUnseen } from './plain-text.js';
import { readArtifactObject, readJsonFile } from './read-artifact.js';
import { EXIT, type ExitCode, reasonOf, type Shell, UsageError } from './shell.js';

/** The options of `edge`. */
export interface EdgeFlags {
  readonly port?: string;
  readonly client?: string;
  readonly organization?: string;
  readonly offers?: string;
  /** False after `--no-workbench`. */
  readonly workbench?: boolean;
  readonly json?: boolean;
}

/** Runs the local edge until the user ends it. */
export async function edgeCommand(
  source: string | undefined,
  flags: EdgeFlags,
  shell: Shell,
): Promise<ExitCode> {
  if (source === '-' && flags.offers === '-') {
    throw new UsageError('standard input cannot be the artifact and --offers: give one of them as a file');
  }
  const artifact = source === undefined ? undefined : await readArtifactObject(source, flags, shell);
  const offers = flags.offers === undefined ? undefined : await readJsonFile(flags.offers, shell);
  const port = flags.port === undefined ? 0 : toPort(flags.port);
  const ofRules = clientOf(artifact);
  // The allocation of a visitor depends on the client code, so the edge decides with the one that the rules are for.
  const client = flags.client ?? ofRules;
  const edge = await startTargetEdge({
    port,
    artifact,
    keepProcessAlive: true,
    workbench: flags.workbench !== false,
    ...(client !== undefined && { client }),
    ...(flags.organization !== undefined && { organizationId: flags.organization }),
    // The edge checks them, and names the location whose offers are wrong.
    ...(offers !== undefined && { offers: offers as EdgeOffers }),
  }).catch((cause: unknown) => {
    throw toStartError(cause, port);
  });
  const { url, host, artifactUrl, workbenchUrl, config } = edge;
  const paper = new Paper(shell.out, shell.env);
  if (flags.json) {
    paper.json({ url, host, port: edge.port, artifactUrl, workbenchUrl, config });
  } else {
    printAddresses(edge, artifact !== undefined, paper);
    if (ofRules !== undefined && client !== ofRules) {
      const text = `the rules are those of the client code ${ofRules}: with another one, visitors get other experiences`;
      paper.row({ sign: '!', left: text, tone: 'warn' });
    }
  }
  if (!shell.signal.aborted) {
    await once(shell.signal, 'abort');
  }
  await edge.close();
  return EXIT.fine;
}

function printAddresses(edge: TargetEdge, hasRules: boolean, paper: Paper): void {
  const { url, artifactUrl, workbenchUrl, config } = edge;
  paper.row({ left: `the local edge runs at ${url}`, right: 'Ctrl+C ends it', tone: 'title' });
  if (workbenchUrl !== undefined) {
    paper.exact(`look into it with a browser: ${workbenchUrl}`);
  }
  if (hasRules) {
    paper.exact(`rules: ${artifactUrl}`);
  } else {
    paper.say('no rules: give it an artifact to decide by');
  }
  paper.say('options of a client:');
  paper.exact(escapeUnseen(JSON.stringify(config)));
}

/** Returns the client code that an artifact is for. */
function clientOf(artifact: object | undefined): string | undefined {
  const { meta } = (artifact ?? {}) as { readonly meta?: { readonly clientCode?: unknown } | null };
  const code = meta?.clientCode;
  // Any other text is no client code, and could not be a part of the address of the rules.
  return typeof code === 'string' && /^\w[\w.-]*$/.test(code) ? code : undefined;
}

function toPort(written: string): number {
  const port = toNumber('--port', written);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new UsageError('--port is a whole number from 0 to 65535; 0 takes a free one');
  }
  return port;
}

/** Makes a message of an error of the socket. Wrong offers have a message of their own. */
function toStartError(cause: unknown, port: number): unknown {
  const reason = reasonOf(cause);
  if (reason === 'EADDRINUSE' || reason === 'EACCES') {
    return new UsageError(`port ${port} cannot be used (${reason}): give --port another number`, { cause });
  }
  const { name, message } = cause as { readonly name?: unknown; readonly message?: unknown };
  return name === 'TypeError' ? new UsageError(String(message), { cause }) : cause;
}
