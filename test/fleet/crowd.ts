import { ok } from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { SharedArtifactStore, TargetClient } from '../../src/index.js';
import { flagsArtifact } from '../fixtures/flags.js';
import { startRedis } from './redis-server.js';
import type { FleetRun } from './run.js';
import { SECRET, type Stores } from './stores.js';

type Testing = typeof import('target-node-sdk/testing');
type Package = typeof import('target-node-sdk');

const PODS = 50;
const INTERVAL_MS = 2000;
/** Intervals in which requests are counted. */
const COUNTED = 3;
/** Share of the requests that is left with the ticket. */
const TICKET_SHARE = 0.2;
const MAX_WAIT_MS = 90_000;

/** Counts what many processes ask the CDN: alone, with a ticket, while Redis stands still, and after that. */
export async function checkCrowd({ report, sandbox, libraries }: FleetRun): Promise<void> {
  const { startTargetEdge } = sandbox.require('target-node-sdk/testing') as Testing;
  const { TargetClient } = sandbox.require('target-node-sdk') as Package;
  const { redisArtifactStore } = sandbox.require('target-node-sdk/stores/redis') as Stores;
  const redis = await startRedis();
  const opened = await libraries.at(-1)?.open(redis.port);
  const edge = await startTargetEdge({ artifact: flagsArtifact({ release: '0' }) });
  const asked = {
    decisioningMethod: 'on-device',
    pollingInterval: INTERVAL_MS,
    telemetryEnabled: false,
  } as const;
  const startPods = async (store?: () => SharedArtifactStore) => {
    const pods = Array.from({ length: PODS }, () =>
      TargetClient.create({
        ...edge.config,
        ...asked,
        artifactLocation: edge.artifactUrl,
        artifactStore: store?.(),
      }),
    );
    await Promise.all(pods.map((pod) => pod.ready({ timeout: MAX_WAIT_MS })));
    return pods;
  };
  const count = async (): Promise<number> => {
    await pause(INTERVAL_MS);
    edge.clearRequests();
    await pause(COUNTED * INTERVAL_MS);
    return edge.requests.filter(({ path }) => path.endsWith('rules.json')).length / COUNTED;
  };
  let pods: TargetClient[] = [];
  try {
    pods = await startPods();
    const alone = await count();
    await closeAll(pods);
    pods = await startPods(() => redisArtifactStore(opened?.client as never, { secret: SECRET }));
    const states = () => pods.map((pod) => pod.stats().artifactStore?.state);
    const withTicket = await count();
    redis.kill('SIGSTOP');
    await until(() => states().every((state) => state === 'failing'));
    const stopped = await count();
    redis.kill('SIGCONT');
    await until(() => states().every((state) => state === 'ok'));
    const after = await count();
    const counts = [alone, withTicket, stopped, after].map((one) => one.toFixed(1)).join(', ');
    const what = `${PODS} processes ask the CDN per interval alone, with a ticket, with a stopped Redis, and after it: ${counts}`;
    await report.check(what, () => {
      ok(withTicket <= TICKET_SHARE * alone, 'too many with the ticket');
      ok(stopped >= 0.7 * alone, 'too few while Redis stands still');
      ok(after <= TICKET_SHARE * alone, 'too many after that');
    });
  } finally {
    redis.kill('SIGCONT');
    await closeAll(pods);
    await opened?.close();
    await edge.close();
    await redis.stop();
  }
}

async function closeAll(pods: readonly TargetClient[]): Promise<void> {
  await Promise.all(pods.map((pod) => pod.close({ timeout: 1000 })));
}

async function until(isSo: () => boolean): Promise<void> {
  for (const from = performance.now(); !isSo(); await pause(50)) {
    if (performance.now() - from > MAX_WAIT_MS) {
      throw new Error('it did not happen within a minute and a half');
    }
  }
}
