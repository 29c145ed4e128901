/**
 * Decides over and over while the edge whose host is the second argument is down, and sends its notifications when its
 * parent says that it is back. Reports to its parent, and has to end by itself.
 */
import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { TargetClient } from '../../src/index.js';
import { OUTAGE_DECISIONS, type OutageReport } from './outages.js';
import { becomes, pause } from './verdict.js';
import { releaseOf } from './world.js';

let open = 0;
let peak = 0;
subscribe('net.client.socket', (message) => {
  const { socket } = message as { readonly socket: Socket };
  open += 1;
  peak = Math.max(peak, open);
  socket.once('close', () => {
    open -= 1;
  });
});

const client = TargetClient.create({
  client: 'demo',
  organizationId: 'DEMO@AdobeOrg',
  decisioningMethod: 'on-device',
  targetLocationHint: '35',
  telemetryEnabled: false,
  secure: false,
  timeout: 500,
  serverDomain: process.argv[2] ?? '',
  artifactPayload: releaseOf(1),
  pollingInterval: 0,
});
let evented = 0;
client.on('sendNotificationError', () => {
  evented += 1;
});

async function decide(): Promise<void> {
  for (let decision = 0; decision < OUTAGE_DECISIONS; decision += 1) {
    const id = { tntId: `visitor${decision}.35_0` };
    await client.getOffers({ request: { id, execute: { mboxes: [{ name: 'hero' }] } } });
    // As requests of a server come: others have their turn.
    if (decision % 100 === 0) {
      await pause(1);
    }
  }
}

async function heapBytes(): Promise<number> {
  await pause(20);
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

const atStart = await heapBytes();
await decide();
const full = await heapBytes();
await decide();
const overfull = await heapBytes();
await pause(3000);
process.send?.('down');
await once(process, 'message');
await client.flush({ timeout: 120_000 });
const drained = await heapBytes();
const counts = await client.close();
// Sockets tell of their end a moment after it.
await becomes(() => open === 0, 5000);
const heap = { queued: full - atStart, dropped: overfull - full, left: drained - atStart };
const report: OutageReport = { ...counts, evented, peak, open, heap };
process.send?.(report, () => process.disconnect());
