/** Installs, builds and starts the shop of `examples/nextjs`, with a local Target edge unless an account is named. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, rmSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { startTargetEdge } from 'target-node-sdk/testing';
import { listen } from '../listen.js';
import { nextOffers } from './offers.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const shop = `${root}examples/nextjs`;
const next = `${shop}/node_modules/next/dist/bin/next`;

await install();
const environment = { ...(await accountOf(process.env)), NEXT_TELEMETRY_DISABLED: '1' };
console.log('Next.js builds the shop, which takes some seconds.');
await run([next, 'build'], environment);
const port = await findPort(Number(process.env.PORT ?? 3000));
console.log(`http://localhost:${port} is the shop`);
await run([next, 'start', '--port', `${port}`], { ...environment, NEXT_MANUAL_SIG_HANDLE: 'true' });
process.exit();

/** Installs by the lock file, unless that was done. The library is copied each time, because it may have changed. */
async function install(): Promise<void> {
  const installed = `${shop}/node_modules/.package-lock.json`;
  if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(`${shop}/package-lock.json`).mtimeMs) {
    console.log('Next.js is installed, which takes up to a minute and 400 MB.');
    await run([process.env.npm_execpath ?? 'npm', 'ci', '--no-audit', '--no-fund'], process.env);
    return;
  }
  for (const part of ['dist', 'package.json']) {
    const copy = `${shop}/node_modules/target-node-sdk/${part}`;
    rmSync(copy, { recursive: true, force: true });
    cpSync(`${root}${part}`, copy, { recursive: true });
  }
}

/** Returns the environment with an account in it: the one that it names, or a local edge that stands for one. */
async function accountOf(given: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  if (given.TARGET_CLIENT) {
    return given;
  }
  const { config } = await startTargetEdge({ offers: nextOffers });
  return {
    ...given,
    TARGET_CLIENT: config.client,
    TARGET_ORGANIZATION_ID: config.organizationId,
    TARGET_SERVER_DOMAIN: config.serverDomain,
    TARGET_SECURE: 'false',
  };
}

/** Runs a script of Node.js in the shop's folder to its end. Signals are passed on to it. */
async function run(command: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  // Of the build, only complaints are of interest.
  const stdio = command.includes('start') ? 'inherit' : (['ignore', 'ignore', 'inherit'] as const);
  const child = spawn(process.execPath, command, {
    cwd: shop,
    env,
    stdio: typeof stdio === 'string' ? stdio : [...stdio],
  });
  const passOn = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGINT', passOn).on('SIGTERM', passOn);
  const [code] = await once(child, 'exit');
  process.off('SIGINT', passOn).off('SIGTERM', passOn);
  if (code !== 0) {
    process.exit(code ?? 1);
  }
}

/** The wanted port, or the next one that is free. */
async function findPort(wanted: number): Promise<number> {
  const server = await listen(() => undefined, wanted);
  const { port: found } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return found;
}
