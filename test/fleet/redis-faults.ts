import { createHash } from 'node:crypto';
import { brotliCompressSync, constants } from 'node:zlib';
import { type RedisServer, redisCli, startRedis } from './redis-server.js';
import type { Relay } from './relay.js';
import { startReplica } from './replica.js';

/** A server with what stands before it. */
export interface Place {
  server: RedisServer;
  readonly relay: Relay;
}

/** Something that happens to Redis, and how the client shows it. */
export interface RedisFault {
  readonly name: string;
  /**
   * The way in which it is told. `failing`: the store fails. `content`: its content is of no use. `empty`: nothing is
   * told, and the store is filled again.
   */
  readonly told: 'failing' | 'content' | 'empty';
  /** True when Redis loses what it holds. */
  readonly isLossy?: true;
  strike(place: Place): Promise<unknown>;
  heal(place: Place): Promise<unknown>;
}

const nothing = async () => undefined;
const PASSWORD = 'cnryPassword';
const PLACE = '127.0.0.1';
/** The time in ms by which a replica is behind its master. */
const LAG_MS = 100;

/** Sends a command to the server of a place. */
export function command({ server }: Place, ...args: string[]): Promise<string> {
  return redisCli(server.port, ...args);
}

/** The name of the stored artifact; empty when there is none. */
async function nameOf(place: Place): Promise<string> {
  return (await command(place, '--raw', 'KEYS', '*:artifact')).split('\n')[0] ?? '';
}

async function restart(place: Place): Promise<void> {
  const { port } = place.server;
  await place.server.stop();
  place.server = await startRedis(['--port', String(port)]);
}

/** Changes fields of the stored artifact, and gives it another id, so that processes look at it. */
async function falsify(place: Place, body: string, bytes: number, text: string): Promise<void> {
  const id = createHash('sha256').update(text).digest('hex').slice(0, 16);
  const name = await nameOf(place);
  if (name !== '') {
    const fields = ['id', id, 'body', body, 'bytes', String(bytes), 'order', '', 'at', '0'];
    await command(place, 'HSET', name, ...fields);
  }
}

const EVIL = JSON.stringify({ version: '1.0.0', meta: {}, rules: { mboxes: {}, views: {} } });
const BOMB_BYTES = 40 * 1024 * 1024;
let bomb: string | undefined;

/** Makes the bomb once, and quickly, because nothing else goes on in this process meanwhile. */
function toBomb(): string {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 1 };
  bomb ??= brotliCompressSync(Buffer.alloc(BOMB_BYTES), { params }).toString('base64');
  return bomb;
}

/** Faults of a server, of the way to it, and of what it holds. */
export const REDIS_FAULTS: readonly RedisFault[] = [
  {
    name: 'refused',
    told: 'failing',
    isLossy: true,
    strike: ({ server }) => server.stop(),
    heal: async (place) => {
      place.server = await startRedis(['--port', String(place.server.port)]);
    },
  },
  {
    name: 'stopped by SIGSTOP',
    told: 'failing',
    strike: async ({ server }) => server.kill('SIGSTOP'),
    heal: async ({ server }) => server.kill('SIGCONT'),
  },
  { name: 'killed, and started again empty', told: 'empty', isLossy: true, strike: restart, heal: nothing },
  {
    name: 'more than a second away',
    told: 'failing',
    strike: async ({ relay }) => {
      relay.delay(700);
    },
    heal: async ({ relay }) => {
      relay.delay(0);
    },
  },
  {
    name: 'a replica, which is read-only',
    told: 'failing',
    strike: (place) => command(place, 'REPLICAOF', PLACE, '1'),
    heal: (place) => command(place, 'REPLICAOF', 'NO', 'ONE'),
  },
  {
    name: 'out of memory',
    told: 'failing',
    strike: (place) => command(place, 'CONFIG', 'SET', 'maxmemory', '1'),
    heal: (place) => command(place, 'CONFIG', 'SET', 'maxmemory', '0'),
  },
  {
    name: 'flushed',
    told: 'empty',
    isLossy: true,
    strike: (place) => command(place, 'FLUSHALL'),
    heal: nothing,
  },
  {
    name: 'evicting everything',
    told: 'empty',
    isLossy: true,
    strike: async (place) => {
      await command(place, 'CONFIG', 'SET', 'maxmemory-policy', 'allkeys-random');
      await command(place, 'CONFIG', 'SET', 'maxmemory', '1');
      // Any write makes room first, so it deletes all that there is.
      await command(place, 'SET', 'filler', '1').catch(() => undefined);
      await command(place, 'CONFIG', 'SET', 'maxmemory', '0');
    },
    heal: nothing,
  },
  {
    name: 'with a forged artifact',
    told: 'content',
    strike: (place) =>
      falsify(place, brotliCompressSync(EVIL).toString('base64'), Buffer.byteLength(EVIL), EVIL),
    heal: nothing,
  },
  {
    name: 'with a truncated artifact',
    told: 'content',
    strike: (place) => falsify(place, 'AAAA', 4, 'truncated'),
    heal: nothing,
  },
  {
    name: 'with a brotli bomb',
    told: 'content',
    strike: (place) => falsify(place, toBomb(), BOMB_BYTES, 'bomb'),
    heal: nothing,
  },
  {
    name: 'with a key of another type',
    told: 'content',
    strike: async (place) => {
      const name = (await nameOf(place)) || 'none';
      await command(place, 'SET', name, 'text');
    },
    heal: nothing,
  },
  {
    name: 'with another password',
    told: 'failing',
    strike: async (place) => {
      await command(place, 'CONFIG', 'SET', 'requirepass', PASSWORD);
      await command(place, '--no-auth-warning', '-a', PASSWORD, 'CLIENT', 'KILL', 'TYPE', 'normal');
    },
    heal: (place) => command(place, '--no-auth-warning', '-a', PASSWORD, 'CONFIG', 'SET', 'requirepass', ''),
  },
];

/** A fail-over: another server takes the place of the one that is killed, with what it has by then. */
export const FAIL_OVER: RedisFault = {
  name: 'a replica that has taken over from its master',
  told: 'empty',
  isLossy: true,
  strike: async (place) => {
    const master = place.server;
    const { server, takeOver } = await startReplica(master, { lagMs: LAG_MS });
    place.server = server;
    try {
      await takeOver();
    } finally {
      await master.stop();
    }
    place.relay.moveTo(server.port);
  },
  heal: nothing,
};

/** The words by which a fault is told. */
export const TOLD_BY: Readonly<Record<RedisFault['told'], RegExp | undefined>> = {
  failing: /the artifact store failed \(\w+\)/,
  // A busy machine may not decode in time, and replaces the content all the same.
  content: /the artifact store (?:holds nothing of use|failed) \(\w+\)/,
  empty: undefined,
};
