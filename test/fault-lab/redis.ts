import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TargetClient } from '../../src/index.js';
import { redisArtifactStore } from '../../src/stores/redis.js';
import { startTargetEdge } from '../../src/testing/edge.js';
import { installLibraries, type Library, loadLibraries } from '../fleet/redis-clients.js';
import { FAIL_OVER, REDIS_FAULTS, type RedisFault } from '../fleet/redis-faults.js';
import { checkRow, type Row } from '../fleet/store-life.js';
import type { Check } from './checks.js';

const FOLDER = 'FAULT_LAB_LIBRARIES';
const PROJECTS = ['redis-6'];
/** Faults that are played beside each other, each with a server of its own. */
const LANES = 5;
const FAULTS = [...REDIS_FAULTS, FAIL_OVER];
const KIT = { TargetClient, redisArtifactStore, startTargetEdge };

/** What came of a fault: undefined when all held. */
type Outcome = { readonly error: unknown } | undefined;

/** Tells whether this machine has a redis-server. */
export function hasRedis(): boolean {
  return spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0;
}

/** Installs the library of Redis for the processes that are started later. Resolves with its folder. */
export async function installRedis(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'fault-lab-redis-'));
  try {
    await installLibraries(folder, PROJECTS);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  process.env[FOLDER] = folder;
  return folder;
}

function loadLibrary(): Library {
  const [library] = loadLibraries(process.env[FOLDER] ?? '', PROJECTS);
  if (!library) {
    throw new Error('no library of Redis is installed');
  }
  return library;
}

/** Plays all faults, some beside each other, because they wait most of the time. */
function playAll(): ReadonlyMap<RedisFault, Promise<Outcome>> {
  const library = loadLibrary();
  const lanes: Promise<unknown>[] = Array.from({ length: LANES }, async () => undefined);
  return new Map(
    FAULTS.map((fault, index) => {
      const row: Row = { library, fault, phase: 'mid-life', hasOutbox: true };
      const before = lanes[index % LANES];
      const outcome = (async () => {
        await before;
        return checkRow(KIT, row).then(
          () => undefined,
          (error: unknown) => ({ error }),
        );
      })();
      lanes[index % LANES] = outcome;
      return [fault, outcome];
    }),
  );
}

let outcomes: ReadonlyMap<RedisFault, Promise<Outcome>> | undefined;

async function check(fault: RedisFault): Promise<void> {
  outcomes ??= playAll();
  const outcome = await outcomes.get(fault);
  if (outcome) {
    throw outcome.error;
  }
}

/** A client whose artifact store and whose outbox are on the same Redis. */
export const REDIS_CHECKS: readonly Check[] = FAULTS.map((fault) => ({
  input: `artifact store and outbox on one Redis: ${fault.name}`,
  ours: oursOf(fault),
  run: () => check(fault),
}));

function oursOf({ told, isLossy }: RedisFault): string {
  const shown = {
    failing: 'A warning names the failure.',
    content: 'The content is refused, with a warning, and replaced.',
    empty: 'The store is filled again.',
  };
  const lost = isLossy
    ? 'Redis loses the notifications that it held. No other one is lost without an event.'
    : 'No notification is lost without an event.';
  return `${shown[told]} ${lost}`;
}
