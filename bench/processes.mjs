/** Starts and ends the processes of the benchmark. */
import { fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const LONGEST_MS = 10 * 60_000;

/** Installs what this folder alone depends on, and puts the package beside it, as an installed one would be. */
export function install() {
  if (!existsSync(join(FOLDER, 'node_modules/.package-lock.json'))) {
    const { status } = spawnSync('npm', ['ci', '--prefix', FOLDER], {
      stdio: 'inherit',
      shell: process.platform === 'win32',
    });
    if (status !== 0) {
      throw new Error('the dependencies of bench/ could not be installed');
    }
  }
  const subject = join(FOLDER, 'node_modules/target-node-sdk');
  if (!existsSync(subject)) {
    symlinkSync('../..', subject, 'junction');
  }
  if (!existsSync(join(subject, 'dist'))) {
    throw new Error('the package is not built: npm run build');
  }
}

/** Runs one side of a scenario in a fresh process. */
export async function runWorker(task, { needsGc = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'target-bench-'));
  const output = join(folder, 'found.json');
  try {
    const flags = needsGc ? ['--expose-gc'] : [];
    const argument = JSON.stringify({ ...task, output });
    const worker = spawn(process.execPath, [...flags, join(FOLDER, 'worker.mjs'), argument], {
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: LONGEST_MS,
    });
    const [code, signal] = await once(worker, 'close');
    if (code !== 0) {
      throw new Error(`${task.scenario}, ${task.side}: ended with ${code ?? signal}`);
    }
    return JSON.parse(readFileSync(output, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Does something while the other end runs in a process of its own. */
export async function withServer(wanted, act) {
  if (!wanted) {
    return act(undefined);
  }
  const server = fork(join(FOLDER, 'server.mjs'), [JSON.stringify(wanted)]);
  try {
    const [host] = await once(server, 'message');
    return await act(host);
  } finally {
    server.disconnect();
  }
}
