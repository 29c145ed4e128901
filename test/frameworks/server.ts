import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../package/sandbox.js';

/** Longer than any server takes to start, on a busy machine too. */
const START_MS = 120_000;

/** A server of a framework, in a process of its own. */
export interface FrameworkServer {
  readonly url: string;
  /** What it printed to its error output. */
  readonly errors: () => string;
  /** True as long as its process runs. */
  readonly isRunning: () => boolean;
  stop(): Promise<void>;
}

const running = new Set<ChildProcess>();

/** Ends the servers that a failed check left running. */
export function killServers(): void {
  for (const child of running) {
    child.kill('SIGKILL');
  }
}

/** Starts the server of a framework, from the folder that its project was copied to. */
export async function startServer(cwd: string, name: string, config: object): Promise<FrameworkServer> {
  const servers = join(cwd, 'servers');
  const preload = pathToFileURL(join(servers, 'preload.ts')).href;
  const tsx = pathToFileURL(join(root, 'node_modules/tsx/dist/loader.mjs')).href;
  const program = ['lambda', 'fetch'].includes(name) ? ['bridge.ts', name] : [`${name}.ts`];
  if (!existsSync(join(servers, program[0] ?? ''))) {
    throw new Error(`there is no server ${name}`);
  }
  const child = spawn(process.execPath, ['--import', tsx, '--import', preload, ...program], {
    cwd: servers,
    env: { ...process.env, TARGET_CONFIG: JSON.stringify(config), NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  running.add(child);
  let errors = '';
  child.stderr?.on('data', (text) => {
    errors += text;
  });
  const ended = once(child, 'exit').finally(() => running.delete(child));
  const late = AbortSignal.timeout(START_MS);
  const [message] = await Promise.race([
    once(child, 'message', { signal: late }),
    ended.then(([code]) => Promise.reject(new Error(`${name} ended with ${code}: ${errors}`))),
  ]);
  return {
    url: message.url,
    errors: () => errors,
    isRunning: () => running.has(child),
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
