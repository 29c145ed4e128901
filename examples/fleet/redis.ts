import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const KEEPER = fileURLToPath(new URL('redis-keeper.ts', import.meta.url));
const TRIES = 500;
const TRY_MS = 20;

/** A redis-server with a folder of its own, which it finds again when it is stopped and started. */
export class RedisServer {
  readonly port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), 'target-fleet-'));
  #keeper: ChildProcess | undefined;

  private constructor(port: number) {
    this.port = port;
  }

  static async start(): Promise<RedisServer> {
    const server = new RedisServer(await findPort());
    await server.restart();
    return server;
  }

  get isRunning(): boolean {
    return this.#keeper !== undefined;
  }

  async restart(): Promise<void> {
    if (this.#keeper) {
      return;
    }
    const keeper = fork(KEEPER, [String(this.port), this.#folder]);
    this.#keeper = keeper;
    keeper.once('exit', () => {
      // Redis may have been ended by somebody else.
      if (this.#keeper === keeper) {
        this.#keeper = undefined;
      }
    });
    for (let tried = 0; !(await answers(this.port)); tried += 1) {
      if (tried === TRIES || keeper.exitCode !== null) {
        throw new Error(`redis-server does not answer on port ${this.port}`);
      }
      await pause(TRY_MS);
    }
  }

  /** Ends the server. What it has confirmed is on the disk. */
  async stop(): Promise<void> {
    const keeper = this.#keeper;
    this.#keeper = undefined;
    if (keeper && keeper.exitCode === null) {
      keeper.kill('SIGTERM');
      await once(keeper, 'exit');
    }
  }

  /** Ends the server, and deletes its folder. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Tells whether redis-server is installed. */
export function hasRedis(): boolean {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

/** Tells whether a server says that it is ready. One that reads its data from the disk is not. */
async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    socket.write('PING\r\n');
    const [data] = await once(socket, 'data');
    return String(data).startsWith('+PONG');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
