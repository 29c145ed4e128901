import { equal, ok } from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { flagsArtifact } from '../fixtures/flags.js';
import { startRedis } from './redis-server.js';
import type { FleetRun } from './run.js';

type Testing = typeof import('target-node-sdk/testing');

/** A change of a process, or the end of its `refresh()`. */
interface Told {
  readonly release?: string;
  readonly ms?: number;
}

const PODS = 5;
const POD = fileURLToPath(new URL('pod.mjs', import.meta.url));
/** No process decides by the new version this long before the others, and all do this long after. */
const EARLY_MS = 100;
const LATE_MS = 250;
const MAX_WAIT_MS = 60_000;

/** Processes change together, on Redis and on files. */
export async function checkChanges({ report, sandbox, isWhole }: FleetRun): Promise<void> {
  const { startTargetEdge } = sandbox.require('target-node-sdk/testing') as Testing;
  const redis = await startRedis();
  try {
    for (const store of ['redis', 'file']) {
      const edge = await startTargetEdge({ artifact: flagsArtifact({ release: '0' }) });
      const directory = store === 'file' ? mkdtempSync(join(sandbox.folder, 'store-')) : undefined;
      const config = {
        ...edge.config,
        decisioningMethod: 'on-device',
        pollingInterval: 3_600_000,
        directory,
      };
      const args = [
        sandbox.projects,
        join(sandbox.folder, 'redis-6'),
        String(redis.port),
        JSON.stringify(config),
      ];
      const told: Told[][] = [];
      const pods: ChildProcess[] = Array.from({ length: PODS }, (_, index) => {
        const pod = fork(POD, args);
        pod.on('message', (message: Told) => {
          told[index] = [...(told[index] ?? []), message];
        });
        return pod;
      });
      const timesOf = (release: string) =>
        told.flatMap((list) => list.filter((one) => one.release === release).map(({ ms = 0 }) => ms));
      try {
        await until(() => timesOf('0').length === PODS);
        for (let round = 1; round <= (isWhole ? 20 : 3); round += 1) {
          await report.check(`${store}: ${PODS} processes change together, round ${round}`, async () => {
            const release = String(round);
            edge.setArtifact(flagsArtifact({ release }));
            edge.clearRequests();
            pods[0]?.send('refresh');
            await until(() => timesOf(release).length === PODS);
            const times = timesOf(release);
            const spreadMs = Math.max(...times) - Math.min(...times);
            ok(spreadMs <= EARLY_MS + LATE_MS, `the changes are ${spreadMs} ms apart`);
            const downloads = edge.requests.filter(({ path }) => path.endsWith('rules.json'));
            equal(downloads.length, 1);
          });
        }
      } finally {
        for (const pod of pods) {
          pod.kill('SIGKILL');
          await once(pod, 'exit');
        }
        await edge.close();
      }
    }
  } finally {
    await redis.stop();
  }
}

async function until(isSo: () => boolean): Promise<void> {
  for (const from = performance.now(); !isSo(); ) {
    if (performance.now() - from > MAX_WAIT_MS) {
      throw new Error('it did not happen within a minute');
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
