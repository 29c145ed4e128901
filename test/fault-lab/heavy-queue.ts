/**
 * Decides 10 000 times for visitors with user agents of 15 KB, while the edge at its second argument does not answer, and
 * prints what became of the notifications. Runs with a small heap.
 */
import { TargetClient } from '../../src/index.js';
import { releaseOf } from './world.js';

const client = TargetClient.create({
  client: 'demo',
  organizationId: 'DEMO@AdobeOrg',
  decisioningMethod: 'on-device',
  targetLocationHint: '35',
  telemetryEnabled: false,
  secure: false,
  serverDomain: process.argv[2] ?? '',
  artifactPayload: releaseOf(1),
  pollingInterval: 0,
});
for (let decision = 0; decision < 10_000; decision += 1) {
  // A text of its own for each, as it is when it comes from a request.
  const userAgent = Buffer.alloc(15_000, `${decision} `).toString();
  await client.getOffers({
    request: { context: { channel: 'web', userAgent }, execute: { mboxes: [{ name: 'hero' }] } },
  });
  if (decision % 100 === 0) {
    await new Promise(setImmediate);
  }
}
const { notifications } = client.stats();
const closed = await client.close({ timeout: 100 });
console.log(JSON.stringify({ notifications, closed }));
