/** A queue of BullMQ on a redis-server of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';

const NAME = 'target';

/** Starts a server, which ends with this process, and opens a queue on it. */
export async function startQueue() {
  const port = await freePort();
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--loglevel', 'warning'];
  const server = spawn('redis-server', args, { stdio: 'ignore' });
  server.on('error', () => {
    throw new Error('redis-server is not installed: apt-get install redis-server');
  });
  process.on('exit', () => server.kill('SIGKILL'));
  const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null };
  const queue = new Queue(NAME, { connection });
  // The server may not listen yet. The library tries again.
  queue.on('error', () => undefined);
  await queue.waitUntilReady();
  const redis = new Redis(connection);
  return {
    queue,
    /** Starts a worker. */
    work: (processor, options) => new Worker(NAME, processor, { connection, ...options }),
    /** The CPU time of the server so far, in µs. */
    cpuUs: async () => {
      const text = await redis.info('cpu');
      const of = (field) => Number(new RegExp(`^${field}:([\\d.]+)`, 'm').exec(text)?.[1]);
      return 1e6 * (of('used_cpu_user') + of('used_cpu_sys'));
    },
  };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
