import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { TargetEdge } from 'target-node-sdk/testing';
import type { Project } from './project.js';

/** Longer than any server takes to start, on a busy machine too. */
const START_MS = 240_000;
/** Between two looks at whether a server answers. */
const LOOK_MS = 100;

/** A server of Next.js, in a process of its own. */
export interface NextServer {
  readonly url: string;
  /** Everything that it printed. */
  readonly output: () => string;
  /** Sends a signal, and resolves with the exit code: null when the signal ended the process. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** How a server is started. */
export interface StartOptions {
  readonly project: Project;
  readonly edge: TargetEdge;
  /** `standalone` runs the server that the build made. @default 'start' */
  readonly mode?: 'start' | 'dev' | 'standalone';
}

const running = new Set<ChildProcess>();

/** Ends the servers that a failed check left running. */
export function killServers(): void {
  for (const child of running) {
    killGroup(child);
  }
}

/** The development server has children, which would go on and keep the pipes of the tests open. */
function killGroup({ pid }: ChildProcess): void {
  try {
    process.kill(-(pid ?? Number.NaN), 'SIGKILL');
  } catch {
    // The processes have ended.
  }
}

/** The variables that name an edge as the account of the example, with more time than any call takes. */
export function accountOf({ config }: TargetEdge): Record<string, string> {
  return {
    TARGET_CLIENT: config.client,
    TARGET_ORGANIZATION_ID: config.organizationId,
    TARGET_SERVER_DOMAIN: config.serverDomain,
    TARGET_SECURE: 'false',
    TARGET_TIMEOUT_MS: '60000',
  };
}

/** Starts a server on a free port, with an edge in the place of Adobe's. */
export async function startServer({ project, edge, mode = 'start' }: StartOptions): Promise<NextServer> {
  const port = await freePort();
  const { program, cwd } = commandOf(project, mode, port);
  const child = spawn(process.execPath, program, {
    cwd,
    env: {
      ...process.env,
      NODE_ENV: mode === 'dev' ? 'development' : 'production',
      NEXT_TELEMETRY_DISABLED: '1',
      NEXT_MANUAL_SIG_HANDLE: 'true',
      PORT: `${port}`,
      HOSTNAME: 'localhost',
      ...accountOf(edge),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own can be killed as a whole.
    detached: true,
  });
  running.add(child);
  let output = '';
  const keep = (text: Buffer) => {
    output += text;
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const ended = once(child, 'exit').finally(() => running.delete(child));
  const url = `http://localhost:${port}`;
  await Promise.race([
    answers(`${url}/robots.txt`),
    ended.then(([code]) => Promise.reject(new Error(`the server ended with ${code}: ${output}`))),
  ]);
  return {
    url,
    output: () => output,
    stop: async (signal = 'SIGKILL') => {
      child.kill(signal);
      const [code] = await ended;
      killGroup(child);
      return code;
    },
  };
}

function commandOf(project: Project, mode: string, port: number): { program: string[]; cwd: string } {
  if (mode !== 'standalone') {
    const next = join(project.cwd, 'node_modules/next/dist/bin/next');
    return { program: [next, mode, '--port', `${port}`], cwd: project.cwd };
  }
  const standalone = join(project.cwd, '.next/standalone');
  const files = [join(standalone, 'server.js'), join(standalone, 'examples/nextjs/server.js')];
  const file = files.find((path) => existsSync(path)) ?? files[0] ?? '';
  return { program: [file], cwd: dirname(file) };
}

/** Waits until a server answers, whatever it answers. */
async function answers(url: string): Promise<void> {
  const late = AbortSignal.timeout(START_MS);
  for (;;) {
    try {
      await (await fetch(url, { signal: late })).text();
      return;
    } catch (error) {
      if (late.aborted) {
        throw error;
      }
      await delay(LOOK_MS);
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
