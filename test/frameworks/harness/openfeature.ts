/** Reads flags through an OpenFeature client, by each side that can decide, and prints what it got. */
import { type EvaluationContext, OpenFeature, ProviderEvents } from '@openfeature/server-sdk';
import { TargetClient, type TargetClientConfig } from 'target-node-sdk';
import { createVisit, fromFetchRequest } from 'target-node-sdk/http';
import { TargetProvider, withVisit } from 'target-node-sdk/openfeature';

const config: TargetClientConfig & { artifactLocation: string } = JSON.parse(process.env.TARGET_CONFIG ?? '');
const seen: unknown[] = [];

for (const decisioningMethod of ['server-side', 'on-device', 'hybrid'] as const) {
  const target = TargetClient.create({
    ...config,
    decisioningMethod,
    telemetryEnabled: false,
    pollingInterval: 0,
  });
  const provider = new TargetProvider(target);
  const client = OpenFeature.getClient(decisioningMethod);
  const events: string[] = [];
  for (const event of Object.values(ProviderEvents)) {
    client.addHandler(event, () => void events.push(event));
  }
  await OpenFeature.setProviderAndWait(decisioningMethod, provider);
  const context: EvaluationContext = { targetingKey: 'user-7', plan: 'gold' };
  const [color, isNew, missing] = await Promise.all([
    client.getStringDetails('shop.color', 'default', context),
    client.getBooleanValue('shop.isNew', false, context),
    client.getNumberDetails('shop.missing', 5, context),
  ]);
  const visit = createVisit(target, fromFetchRequest(new Request('https://shop.example/')));
  const all = await client.getObjectValue('shop', {}, withVisit(visit));
  client.track('signup', context, { value: 3 });
  await target.flush();
  seen.push({
    status: client.providerStatus,
    color: [color.value, color.reason, color.variant],
    isNew,
    missing: [missing.value, missing.errorCode],
    all,
    conversions: target.stats().notifications.delivered > 0,
    events,
  });
}
await OpenFeature.close();
console.log(JSON.stringify(seen));
