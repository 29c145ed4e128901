/** Keeps a redis-server, and ends it with the supervisor, however that ends. */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';

/** A server that stands still does not hear that it has to end. */
const GRACE_MS = 5_000;

const [, , port = '', folder = ''] = process.argv;
// A group of its own: Ctrl-C would end Redis before the web processes have handed over what still waits.
const server = spawn(
  'redis-server',
  [
    ...['--bind', '127.0.0.1', '--port', port, '--dir', folder, '--save', '', '--loglevel', 'warning'],
    // A queue needs these: what Redis has confirmed is on the disk a second later, and is never evicted.
    ...['--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction'],
  ],
  { detached: true, stdio: 'ignore' },
);
let isOrphan = false;
process.once('SIGTERM', end);
process.once('disconnect', () => {
  isOrphan = true;
  end();
});
server.once('exit', (code) => {
  if (isOrphan) {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
  process.exit(code ?? 1);
});
process.on('SIGINT', () => undefined);
process.on('SIGHUP', () => undefined);

function end(): void {
  server.kill('SIGTERM');
  setTimeout(() => server.kill('SIGKILL'), GRACE_MS).unref();
}
