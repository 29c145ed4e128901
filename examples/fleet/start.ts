/** Starts a whole fleet on this machine, with a page that shows it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { hasRedis } from './redis.js';

const folder = fileURLToPath(new URL('.', import.meta.url));

if (!hasRedis()) {
  console.error(
    'redis-server is missing. Install it with "apt-get install redis-server" or "brew install redis".',
  );
  process.exit(1);
}
await install();
// BullMQ can be loaded now that it is installed.
const { run } = await import('./run.js');
await run(process.env);

/** Installs BullMQ by the lock file, unless that was done. */
async function install(): Promise<void> {
  const installed = `${folder}node_modules/.package-lock.json`;
  if (
    existsSync(installed) &&
    statSync(installed).mtimeMs >= statSync(`${folder}package-lock.json`).mtimeMs
  ) {
    return;
  }
  console.log('BullMQ is installed, which takes some seconds.');
  const npm = process.env.npm_execpath;
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  const stdio = ['ignore', 'ignore', 'inherit'] as const;
  const child = npm
    ? spawn(process.execPath, [npm, ...args], { cwd: folder, stdio: [...stdio] })
    : spawn('npm', args, { cwd: folder, stdio: [...stdio] });
  const [code] = await once(child, 'exit');
  if (code !== 0) {
    process.exit(code ?? 1);
  }
}
