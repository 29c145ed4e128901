import { buildArtifact, createTestClient } from 'target-node-sdk/testing';

const request = { execute: { mboxes: [{ name: 'hero' }] } };
const before = process.getActiveResourcesInfo();
for (const decisioningMethod of ['server-side', 'on-device', 'hybrid']) {
  const kit = createTestClient({
    artifact: buildArtifact({ activities: [] }),
    config: { decisioningMethod },
  });
  await kit.client.getOffers({ request });
  kit.fail('ERR_TARGET_TIMEOUT', { times: 1 });
  await kit.client.getOffers({ request }).catch(() => undefined);
}
await new Promise((resolve) => setImmediate(resolve));
const left = process.getActiveResourcesInfo();
for (const resource of before) {
  left.splice(left.indexOf(resource), 1);
}
console.log(`left: ${left.join()}`);
