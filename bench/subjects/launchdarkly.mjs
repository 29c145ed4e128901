/** LaunchDarkly's server SDK with flags in memory: no network, no events. */
import { init } from '@launchdarkly/node-server-sdk';
import { TestData } from '@launchdarkly/node-server-sdk/integrations';
import { flagKeys, flagValue } from '../artifacts.mjs';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** Gives a function that gets a visitor's value of each flag by `variation`. */
export async function startFlags(count) {
  const data = new TestData();
  for (const [index, key] of flagKeys(count).entries()) {
    void data.usePreconfiguredFlag({
      key,
      version: 1,
      on: true,
      salt: key,
      targets: [],
      rules: [],
      prerequisites: [],
      offVariation: 0,
      variations: [flagValue(index, 0), flagValue(index, 1)],
      fallthrough: {
        rollout: {
          variations: [
            { variation: 0, weight: 50_000 },
            { variation: 1, weight: 50_000 },
          ],
        },
      },
    });
  }
  const client = init('sdk-key', {
    updateProcessor: data.getFactory(),
    sendEvents: false,
    diagnosticOptOut: true,
    logger: SILENT,
  });
  await client.waitForInitialization({ timeout: 10 });
  return async (visitor, keys) => {
    const context = { kind: 'user', key: visitor };
    const values = [];
    for (const key of keys) {
      values.push(await client.variation(key, context, undefined));
    }
    return values;
  };
}
