/**
 * Decides as often as its second argument says with the artifact at its first, and on SIGTERM closes its client as
 * the guide says, prints what became of the notifications, and has nothing left that would keep it alive.
 */
import { closeOnSignal, TargetClient } from '../../src/index.js';

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
void closeOnSignal(client, { timeout: 1500 }).closed.then((result) => {
  clearInterval(server);
  console.log(JSON.stringify(result));
});
await client.ready({ timeout: 20_000 });
for (let decision = Number(decisions); decision > 0; decision -= 1) {
  await client.getOffers({ request: { execute: { mboxes: [{ name: 'hero' }] } } });
}
console.log('decided');
