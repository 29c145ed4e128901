import { cpSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RedisLike } from '../../src/stores/redis.js';
import { runNpm, type Sandbox } from '../package/sandbox.js';

const here = dirname(fileURLToPath(import.meta.url));
const PROJECTS = ['redis-5', 'redis-6'];

/** A client of a library, and how it is closed. */
export interface OpenClient {
  readonly client: RedisLike;
  close(): unknown;
}

/** A library of one major version. */
export interface Library {
  readonly name: string;
  /** Connects to one server, or to the cluster that it belongs to. */
  open(port: number, isCluster?: boolean): Promise<OpenClient>;
}

interface Emitter {
  on(event: 'error', listener: () => void): unknown;
}
type NodeRedis = Emitter & {
  connect(): Promise<unknown>;
  destroy(): void;
  sendCommand(args: string[]): Promise<unknown>;
};
type Ioredis = Emitter & {
  disconnect(): void;
  call(name: string, ...args: string[]): Promise<unknown>;
};
type Glide = { close(): void; customCommand(args: string[]): Promise<unknown> };

/** Installs the libraries in the sandbox. */
export async function installLibraries(sandbox: Sandbox): Promise<Library[]> {
  const libraries: Library[] = [];
  for (const project of PROJECTS) {
    const cwd = join(sandbox.folder, project);
    mkdirSync(cwd);
    for (const file of ['package.json', 'package-lock.json']) {
      cpSync(join(here, project, file), join(cwd, file));
    }
    await runNpm(['ci'], { cwd, timeoutMs: 600_000 });
    const load = createRequire(join(cwd, 'package.json'));
    const version = project.replace('redis-', '');
    libraries.push({ name: `redis ${version}`, open: (...at) => openNodeRedis(load('redis'), ...at) });
    libraries.push({ name: `ioredis ${version}`, open: (...at) => openIoredis(load('ioredis'), ...at) });
    if (version === '6') {
      const name = '@valkey/valkey-glide';
      libraries.push({ name: 'valkey-glide 2', open: (...at) => openGlide(load(name), ...at) });
    }
  }
  return libraries;
}

async function openNodeRedis(
  { createClient, createCluster }: Record<string, (options: object) => NodeRedis>,
  port: number,
  isCluster = false,
): Promise<OpenClient> {
  const url = `redis://127.0.0.1:${port}`;
  const client = isCluster ? createCluster?.({ rootNodes: [{ url }] }) : createClient?.({ url });
  client?.on('error', () => undefined);
  await client?.connect();
  return { client: client as RedisLike, close: () => client?.destroy() };
}

async function openIoredis(
  library: { Redis: new (port: number) => Ioredis; Cluster: new (nodes: object[]) => Ioredis },
  port: number,
  isCluster = false,
): Promise<OpenClient> {
  const client = isCluster ? new library.Cluster([{ host: '127.0.0.1', port }]) : new library.Redis(port);
  client.on('error', () => undefined);
  return { client, close: () => client.disconnect() };
}

async function openGlide(
  library: Record<string, { createClient(options: object): Promise<Glide> }>,
  port: number,
  isCluster = false,
): Promise<OpenClient> {
  const kind = isCluster ? library.GlideClusterClient : library.GlideClient;
  const client = await kind?.createClient({ addresses: [{ host: '127.0.0.1', port }] });
  return { client: client as RedisLike, close: () => client?.close() };
}
