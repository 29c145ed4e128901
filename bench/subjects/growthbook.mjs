/** GrowthBook's client with flags in memory: no network, no tracking. */
import { GrowthBookClient } from '@growthbook/growthbook';
import { flagKeys, flagValue } from '../artifacts.mjs';

/** Gives a function that gets a visitor's value of each flag. */
export async function startFlags(count) {
  const features = {};
  for (const [index, key] of flagKeys(count).entries()) {
    const variations = [flagValue(index, 0), flagValue(index, 1)];
    features[key] = {
      defaultValue: variations[0],
      rules: [{ key: `test-${key}`, variations, weights: [0.5, 0.5], hashAttribute: 'id' }],
    };
  }
  const client = new GrowthBookClient().initSync({ payload: { features } });
  return (visitor, keys) => {
    const user = { attributes: { id: visitor } };
    return keys.map((key) => client.evalFeature(key, user).value);
  };
}
