import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { steadyPort } from '../steady-port.js';

/** A redis-server of our own, in a folder of its own. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  readonly pid: number;
  /** The folder of its files. It is deleted by `stop()`. */
  readonly folder: string;
  /** Resolves when the server has ended. */
  readonly ended: Promise<unknown>;
  /** Sends the server a signal. @default 'SIGKILL' */
  kill(signal?: NodeJS.Signals): void;
  /** Ends the server, also one that is stopped by SIGSTOP, and deletes its folder. */
  stop(): Promise<void>;
}

const execute = promisify(execFile);
const HOST = '127.0.0.1';
const TRIES = 5;
const MAX_START_MS = 60_000;
/** The servers that run. They end with this process, also when it is ended by a signal that it handles. */
const running = new Set<ChildProcess>();

process.once('exit', () => {
  for (const child of running) {
    child.kill('SIGKILL');
  }
});

/**
 * Starts a redis-server on a free port of the loopback interface. It keeps nothing on disk unless the arguments say so,
 * such as `['--appendonly', 'yes']`. With the arguments `--port` and a number it takes that port.
 */
export async function startRedis(args: readonly string[] = []): Promise<RedisServer> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await start(args);
    } catch (error) {
      // Another process may have taken the port since it was free.
      if (tried === TRIES || args.includes('--port')) {
        throw error;
      }
    }
  }
}

/** Sends a command to a server of this machine, and resolves with what it answers. */
export async function redisCli(port: number, ...args: string[]): Promise<string> {
  return (await execute('redis-cli', ['-h', HOST, '-p', String(port), ...args])).stdout.trim();
}

async function start(args: readonly string[]): Promise<RedisServer> {
  const at = args.indexOf('--port');
  const port = at < 0 ? await steadyPort() : Number(args[at + 1]);
  const folder = mkdtempSync(join(tmpdir(), 'target-redis-'));
  const defaults = [
    '--port',
    String(port),
    '--bind',
    HOST,
    '--dir',
    folder,
    '--save',
    '',
    '--loglevel',
    'warning',
  ];
  // A file of settings has to come first.
  const files = args.filter((arg) => arg.endsWith('.conf'));
  const others = args.filter((arg) => !files.includes(arg));
  const child = spawn('redis-server', [...files, ...defaults, ...others], { stdio: 'ignore' });
  running.add(child);
  const ended = once(child, 'exit')
    .catch(() => undefined)
    .finally(() => running.delete(child));
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    await untilItAnswers(child, port);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    port,
    url: `redis://${HOST}:${port}`,
    pid: child.pid ?? 0,
    folder,
    ended,
    kill: (signal = 'SIGKILL') => void child.kill(signal),
    stop,
  };
}

/** Waits until the server answers PING. A server that is loading its data answers with an error first. */
async function untilItAnswers(child: ChildProcess, port: number): Promise<void> {
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  for (const from = performance.now(); performance.now() - from < MAX_START_MS; await pause(20)) {
    if (failure || child.exitCode !== null) {
      throw new Error(`redis-server did not start on port ${port}`, { cause: failure });
    }
    if (await answers(port)) {
      return;
    }
  }
  throw new Error(`redis-server did not answer on port ${port}`);
}

/** Tells whether the server answers PING with PONG, or refuses it because a password is needed. */
async function answers(port: number): Promise<boolean> {
  const socket = connect(port, HOST);
  socket.setTimeout(1000, () => socket.destroy());
  socket.write('PING\r\n');
  try {
    const [data] = await once(socket, 'data');
    return /^\+PONG|^-NOAUTH/.test(String(data));
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
