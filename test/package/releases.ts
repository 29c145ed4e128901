import { join } from 'node:path';
import type { Sandbox } from './sandbox.js';

/**
 * Installs releases of Node.js (`20.19.0`, or `22` for the newest of a line), from the platform packages behind the
 * package `node`, and resolves with the binary of each.
 */
export async function installReleases(
  sandbox: Sandbox,
  releases: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { platform, arch } = process;
  const prefix = platform === 'darwin' && arch === 'arm64' ? 'node-bin' : 'node';
  const name = `${prefix}-${platform === 'win32' ? 'win' : platform}-${arch}`;
  const aliases = releases.map((release) => `node-${release}@npm:${name}@${release}`);
  const folder = await sandbox.installBeside('releases', aliases);
  const binary = platform === 'win32' ? 'bin/node.exe' : 'bin/node';
  return new Map(releases.map((release) => [release, join(folder, `node-${release}`, binary)]));
}
