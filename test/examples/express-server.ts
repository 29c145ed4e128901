import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { TargetEdge } from '../../src/testing/edge.js';

const ROOT = resolve(__dirname, '../..');

/** The example's server as a child process, as `npm start` runs it. */
export interface ExampleServer {
  readonly url: string;
  /** What it printed for people, line by line. */
  readonly lines: readonly string[];
  /** What it logged. */
  readonly errors: () => string;
  /** Ends it, and resolves with its exit code: null when it had to be killed. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Longer than any page takes, on a busy machine too. */
const PATIENT = { TARGET_TIMEOUT_MS: '60000' };

const running = new Set<ChildProcess>();

/** Ends what a failed test left running, which would keep the tests from ending. */
export function killExamples(): void {
  for (const child of running) {
    child.kill('SIGKILL');
  }
}

/** Starts the Express example on a free port. Rejects with what it logged when it ends before it listens. */
export function startExpressExample(environment: NodeJS.ProcessEnv = {}): Promise<ExampleServer> {
  return startExample('express', environment);
}

/** Starts an example that serves pages, by the name of its folder. */
export async function startExample(
  name: string,
  environment: NodeJS.ProcessEnv = {},
): Promise<ExampleServer> {
  const child = spawnExample(name, environment);
  const lines: string[] = [];
  let errors = '';
  child.stderr?.on('data', (text: Buffer) => {
    errors += text;
  });
  const ended = once(child, 'close');
  running.add(child);
  child.once('close', () => running.delete(child));
  const url = await new Promise<string>((found, failed) => {
    ended.then(([code]) => failed(new Error(`ended with ${code}: ${errors}`)), failed);
    createInterface({ input: child.stdout ?? process.stdin }).on('line', (line) => {
      lines.push(line);
      const match = /http:\/\/\S+/.exec(line);
      if (match) {
        found(match[0].replace('localhost', '127.0.0.1'));
      }
    });
  });
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal);
    const [code] = await ended;
    return code;
  };
  return { url, lines, errors: () => errors, stop };
}

/** Names an edge of the test's own as the account of the example. */
export function accountOf({ config, host }: TargetEdge): NodeJS.ProcessEnv {
  return {
    TARGET_CLIENT: config.client,
    TARGET_ORGANIZATION_ID: config.organizationId,
    TARGET_SERVER_DOMAIN: host,
    TARGET_SECURE: 'false',
  };
}

function spawnExample(example: string, environment: NodeJS.ProcessEnv): ChildProcess {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(TARGET_|PORT$|NODE_OPTIONS$)/.test(name),
  );
  return spawn(process.execPath, ['--import', 'tsx', `examples/${example}/server.ts`], {
    cwd: ROOT,
    env: { ...Object.fromEntries(inherited), PORT: '0', ...PATIENT, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
