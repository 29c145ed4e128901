import { deepEqual } from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { REDIS_FAULTS } from './redis-faults.js';
import type { FleetRun } from './run.js';
import { checkRow, type Kit, PHASES } from './store-life.js';
import type { Stores } from './stores.js';

type Testing = typeof import('target-node-sdk/testing');
type Package = typeof import('target-node-sdk');

/** Rows beside each other, each with a server of its own. */
const LANES = 3;

/** Every fault of Redis, with one library, or with all when everything is run. */
export async function checkFaults({ report, sandbox, libraries, isWhole }: FleetRun): Promise<void> {
  const kit: Kit = {
    startTargetEdge: (sandbox.require('target-node-sdk/testing') as Testing).startTargetEdge,
    TargetClient: (sandbox.require('target-node-sdk') as Package).TargetClient,
    redisArtifactStore: (sandbox.require('target-node-sdk/stores/redis') as Stores).redisArtifactStore,
  };
  // The fault lab plays the third moment, with an outbox beside the store.
  const phases = PHASES.filter((phase) => isWhole || phase !== 'mid-life');
  const used = isWhole ? libraries : libraries.filter(({ name }) => name === 'redis 6');
  const rows = used.flatMap((library) =>
    REDIS_FAULTS.flatMap((fault) => phases.map((phase) => ({ library, fault, phase }))),
  );
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown) => void unhandled.push(reason);
  process.on('unhandledRejection', onUnhandled);
  const work = async () => {
    for (let row = rows.shift(); row; row = rows.shift()) {
      const { library, fault, phase } = row;
      const checked = row;
      await report.check(`${library.name}, ${phase}: Redis is ${fault.name}`, () => checkRow(kit, checked));
    }
  };
  await Promise.all(Array.from({ length: LANES }, work));
  await pause(50);
  process.off('unhandledRejection', onUnhandled);
  await report.check('no promise of a row was left without a handler', () => deepEqual(unhandled, []));
}
