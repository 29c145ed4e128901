/**
 * Decides as often as its second argument says with the artifact at its first, and on SIGTERM closes its client as
 * the guide does, prints what became of the notifications, and has nothing left that would keep it alive.
 */
import { TargetClient } from '../../src/index.js';

const [artifactLocation = '', decisions = '', serverDomain = ''] = process.argv.slice(2);
const client = TargetClient.create({
  client: 'demo',
  organizationId: 'DEMO@AdobeOrg',
  decisioningMethod: 'on-device',
  targetLocationHint: '35',
  telemetryEnabled: false,
  secure: false,
  serverDomain,
  artifactLocation,
});
// What a server is kept alive by until it is told to end.
const server = setInterval(() => undefined, 1000);
process.once('SIGTERM', async () => {
  clearInterval(server);
  console.log(JSON.stringify(await client.close({ timeout: 1500 })));
});
await client.ready({ timeout: 20_000 });
for (let decision = Number(decisions); decision > 0; decision -= 1) {
  await client.getOffers({ request: { execute: { mboxes: [{ name: 'hero' }] } } });
}
console.log('decided');
