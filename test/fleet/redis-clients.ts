import { cpSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RedisLike } from '../../src/stores/redis.js';
import { runNpm } from '../package/sandbox.js';

const here = dirname(fileURLToPath(import.meta.url));
const PROJECTS: readonly string[] = ['redis-5', 'redis-6'];
const HOST = '127.0.0.1';

/** A client of a library, and how it is closed. */
export interface OpenClient {
  readonly client: RedisLike;
  close(): unknown;
}

/** What a client connects to. */
export interface Servers {
  /** @default `single`: one server */
  readonly kind?: 'single' | 'cluster' | 'sentinel';
  readonly password?: string;
}

/** A library of one major version. */
export interface Library {
  readonly name: string;
  /** False for a library that knows no Sentinel. */
  readonly hasSentinel: boolean;
  /** Connects to one server, to the cluster that it belongs to, or by a Sentinel to the master `fleet`. */
  open(port: number, servers?: Servers): Promise<OpenClient>;
}

interface Emitter {
  on(event: 'error', listener: () => void): unknown;
}
type NodeRedis = Emitter & {
  connect(): Promise<unknown>;
  destroy(): void;
  sendCommand(args: string[]): Promise<unknown>;
};
type NodeRedisLibrary = Record<
  'createClient' | 'createCluster' | 'createSentinel',
  (options: object) => NodeRedis
>;
type Ioredis = Emitter & {
  disconnect(): void;
  call(name: string, ...args: string[]): Promise<unknown>;
};
interface IoredisLibrary {
  Redis: new (options: object) => Ioredis;
  Cluster: new (nodes: object[]) => Ioredis;
}
type Glide = { close(): void; customCommand(args: string[]): Promise<unknown> };

/** Installs the libraries of some projects in a folder. */
export async function installLibraries(folder: string, projects = PROJECTS): Promise<Library[]> {
  for (const project of projects) {
    const cwd = join(folder, project);
    mkdirSync(cwd);
    for (const file of ['package.json', 'package-lock.json']) {
      cpSync(join(here, project, file), join(cwd, file));
    }
    await runNpm(['ci'], { cwd, timeoutMs: 600_000 });
  }
  return loadLibraries(folder, projects);
}

/** Loads the libraries that are installed in a folder. */
export function loadLibraries(folder: string, projects = PROJECTS): Library[] {
  return projects.flatMap((project) => {
    const load = createRequire(join(folder, project, 'package.json'));
    const version = project.replace('redis-', '');
    const libraries: Library[] = [
      { name: `redis ${version}`, hasSentinel: true, open: (...at) => openNodeRedis(load('redis'), ...at) },
      { name: `ioredis ${version}`, hasSentinel: true, open: (...at) => openIoredis(load('ioredis'), ...at) },
    ];
    if (version === '6') {
      const name = '@valkey/valkey-glide';
      libraries.push({
        name: 'valkey-glide 2',
        hasSentinel: false,
        open: (...at) => openGlide(load(name), ...at),
      });
    }
    return libraries;
  });
}

async function openNodeRedis(
  { createClient, createCluster, createSentinel }: NodeRedisLibrary,
  port: number,
  { kind = 'single', password }: Servers = {},
): Promise<OpenClient> {
  const url = `redis://${password === undefined ? '' : `:${password}@`}${HOST}:${port}`;
  const open = {
    single: () => createClient({ url }),
    cluster: () => createCluster({ rootNodes: [{ url }] }),
    sentinel: () => createSentinel({ name: 'fleet', sentinelRootNodes: [{ host: HOST, port }] }),
  };
  const client = open[kind]();
  client.on('error', () => undefined);
  // The client tries again and again when the server is not there. With a wrong password it gives up.
  const connecting = client.connect();
  connecting.catch(() => undefined);
  await Promise.race([connecting.catch(() => undefined), new Promise((go) => setTimeout(go, 3000).unref())]);
  return { client: client as RedisLike, close: () => closeQuietly(() => client.destroy()) };
}

async function openIoredis(
  library: IoredisLibrary,
  port: number,
  { kind = 'single', password }: Servers = {},
): Promise<OpenClient> {
  const open = {
    single: () => new library.Redis({ host: HOST, port, password }),
    cluster: () => new library.Cluster([{ host: HOST, port }]),
    sentinel: () => new library.Redis({ sentinels: [{ host: HOST, port }], name: 'fleet' }),
  };
  const client = open[kind]();
  client.on('error', () => undefined);
  return { client, close: () => client.disconnect() };
}

type GlideLibrary = Record<
  'GlideClient' | 'GlideClusterClient',
  { createClient(options: object): Promise<Glide> }
> & {
  readonly Logger: { setLoggerConfig(level: 'off'): void };
};

async function openGlide(
  library: GlideLibrary,
  port: number,
  { kind = 'single', password }: Servers = {},
): Promise<OpenClient> {
  library.Logger.setLoggerConfig('off');
  const type = kind === 'cluster' ? library.GlideClusterClient : library.GlideClient;
  const credentials = password === undefined ? undefined : { password };
  const addresses = [{ host: HOST, port }];
  const client = await type.createClient({ addresses, credentials });
  return { client: client as RedisLike, close: () => client.close() };
}

function closeQuietly(close: () => unknown): void {
  try {
    close();
  } catch {
    // A client that never connected cannot be closed.
  }
}

/** Sends commands by a client. */
export function commandOf(client: RedisLike): (args: string[]) => Promise<unknown> {
  if ('call' in client) {
    return ([name = '', ...args]) => client.call(name, ...args);
  }
  if ('customCommand' in client) {
    return (args) => client.customCommand(args);
  }
  if ('slots' in client) {
    return (args) => client.sendCommand(args[1] ?? '', false, args);
  }
  if ('getSentinelNode' in client) {
    return (args) => client.sendCommand(false, args);
  }
  return (args) => client.sendCommand(args);
}
