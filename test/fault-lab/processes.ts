import { deepEqual, equal } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Fault, startTargetEdge } from '../../src/testing/edge.js';
import type { Check } from './checks.js';
import { pathOf } from './scripts.js';
import { releaseOf } from './world.js';

const DECISIONS = 20;
const MS_TO_END = 15_000;

/** Ends a process by SIGTERM while notifications are queued: what its client said became of them, and how it ended. */
async function terminate(fault: Fault | undefined) {
  await using edge = await startTargetEdge({ artifact: releaseOf(1) });
  if (fault) {
    edge.fault(fault, { where: '/rest/v1/delivery' });
  }
  const child = spawn(process.execPath, [pathOf('sigterm'), edge.artifactUrl, String(DECISIONS), edge.host], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), MS_TO_END);
  let text = '';
  child.stdout.on('data', (bytes) => {
    if (!text.includes('decided') && String(bytes).includes('decided')) {
      child.kill('SIGTERM');
    }
    text += bytes;
  });
  const [code, signal] = await once(child, 'close');
  clearTimeout(timer);
  equal(code, 0, `the process ended with ${signal ?? code}: ${text}`);
  const arrived = edge.requestsTo('/rest/v1/delivery').filter(({ status }) => status === 200).length;
  return { arrived, ...JSON.parse(text.slice(text.indexOf('{'))) };
}

/** Rows of the matrix that are about a process of its own. */
export const PROCESS_CHECKS: readonly Check[] = [
  {
    input: 'SIGTERM with notifications queued',
    ours: '`closeOnSignal` delivers them, and the process ends by itself.',
    run: async () =>
      deepEqual(await terminate({ kind: 'delay', ms: 50 }), {
        arrived: DECISIONS,
        signal: 'SIGTERM',
        delivered: DECISIONS,
        failed: 0,
        dropped: 0,
        handedOver: 0,
      }),
  },
  {
    input: 'SIGTERM with notifications queued and the edge gone',
    ours: '`closeOnSignal` ends in time, and counts each of them as dropped.',
    run: async () =>
      deepEqual(await terminate({ kind: 'hang' }), {
        arrived: 0,
        signal: 'SIGTERM',
        delivered: 0,
        failed: 0,
        dropped: DECISIONS,
        handedOver: 0,
      }),
  },
];
