import { setTimeout as pause } from 'node:timers/promises';
import { type RedisServer, redisCli, startRedis } from './redis-server.js';
import { startRelay } from './relay.js';

const HOST = '127.0.0.1';
const MAX_SYNC_MS = 60_000;

/** A replica that can take the place of its master. */
export interface Replica {
  readonly server: RedisServer;
  /** Kills the master, and makes the replica a master with what it has by then. */
  takeOver(): Promise<void>;
}

/** How a replica is run. */
export interface ReplicaOptions {
  /** The time in ms by which the replica is behind. */
  readonly lagMs: number;
  /** The arguments of redis-server. */
  readonly args?: readonly string[];
}

/** Starts a replica of a server. Resolves when it is in step. */
export async function startReplica(master: RedisServer, options: ReplicaOptions): Promise<Replica> {
  const { lagMs, args = [] } = options;
  const relay = await startRelay(master.port);
  relay.delay(lagMs);
  const server = await startRedis([...args, '--replicaof', HOST, String(relay.port)]);
  try {
    await untilInStep(server.port);
  } catch (error) {
    relay.close();
    await server.stop();
    throw error;
  }
  return {
    server,
    takeOver: async () => {
      master.kill();
      relay.close();
      await redisCli(server.port, 'REPLICAOF', 'NO', 'ONE');
    },
  };
}

async function untilInStep(port: number): Promise<void> {
  for (const from = performance.now(); performance.now() - from < MAX_SYNC_MS; await pause(100)) {
    if ((await redisCli(port, 'INFO', 'replication')).includes('master_link_status:up')) {
      return;
    }
  }
  throw new Error(`a replica was not in step within ${MAX_SYNC_MS} ms`);
}
