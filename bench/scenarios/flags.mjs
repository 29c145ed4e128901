/** Feature flags: ten of them per visitor, against SDKs that do nothing else. Figures are per flag. */
import { artifactOfFlags, flagKeys } from '../artifacts.mjs';
import { operations } from '../operations.mjs';
import { requestOf, visitorId } from '../visitors.mjs';

const FLAGS = 10;
const KEYS = flagKeys(FLAGS);

/** With a page URL and a user agent, as a web server has them. */
const WITH_URL = [
  { figure: 'cpuUs', of: 'ours', to: 'official', faster: 100 },
  { figure: 'p99Us', of: 'ours', to: 'official', faster: 50 },
];
/** Most of what the official SDK spends, it spends on the URL: without one, its rows are told and not judged. */
const WITHOUT_URL = [
  { figure: 'cpuUs', of: 'ours', to: 'official' },
  { figure: 'p99Us', of: 'ours', to: 'official' },
];
const OTHERS = [
  { figure: 'cpuUs', of: 'ours', to: 'launchDarkly', faster: 1 },
  { figure: 'cpuUs', of: 'ours', to: 'growthBook' },
  { figure: 'cpuUs', of: 'ours', to: 'floor', faster: 0.6 },
  { figure: 'cpuUs', of: 'floor', to: 'official' },
  { figure: 'p99Us', of: 'floor', to: 'official' },
];

/** @type {import('./index.mjs').Scenario[]} */
export const scenarios = [
  flags({
    name: 'flags/10-mboxes',
    what: 'getAttributes + getValue, 10 flags on 10 mboxes, notifications',
    names: KEYS,
    locations: () => ({}),
    owed: 1,
    read: (attributes, key) => attributes.getValue(key, 'enabled'),
  }),
  flags({
    name: 'flags/10-mboxes-url',
    what: 'the same with the page URL and the user agent, as from a web server',
    names: KEYS,
    locations: () => ({}),
    site: 'shop',
    owed: 1,
    read: (attributes, key) => attributes.getValue(key, 'enabled'),
  }),
  flags({
    name: 'flags/10-mboxes-prefetch',
    what: 'getAttributes + getValue, 10 flags on 10 mboxes, prefetch',
    names: KEYS,
    locations: () => ({ prefetch: { mboxes: KEYS.map((name, index) => ({ name, index })) } }),
    owed: 0,
    // It refuses getAttributes when nothing is left to execute.
    without: ['official'],
    read: (attributes, key) => attributes.getValue(key, 'enabled'),
  }),
  flags({
    name: 'flags/1-mbox',
    what: 'getAttributes + getValue, 10 flags on 1 mbox, notification',
    names: ['flags'],
    locations: () => ({}),
    owed: 1,
    read: (attributes, key) => attributes.getValue('flags', key),
  }),
  flags({
    name: 'flags/1-mbox-url',
    what: 'the same with the page URL and the user agent',
    names: ['flags'],
    locations: () => ({}),
    site: 'shop',
    owed: 1,
    read: (attributes, key) => attributes.getValue('flags', key),
  }),
];

/** A request that says nothing but who asks. */
function anonymous(index, locations) {
  return { id: { tntId: visitorId(index) }, context: { channel: 'web' }, ...locations };
}

function flags({ names, locations, site, owed, read, without = [], ...scenario }) {
  const side = (load) => ({
    ...operations(async () => {
      const { startOnDevice } = await load();
      const { client, sink } = await startOnDevice(artifactOfFlags(FLAGS));
      const operation = async (index) => {
        const request = site ? requestOf(index, locations(), site) : anonymous(index, locations());
        const attributes = await client.getAttributes(names, { request });
        return KEYS.map((key) => read(attributes, key));
      };
      return { operation, sink, owed };
    }),
    per: FLAGS,
  });
  const other = (load) => ({
    ...operations(async () => {
      const { startFlags } = await load();
      const variation = await startFlags(FLAGS);
      return { operation: (index) => variation(visitorId(index), KEYS) };
    }),
    per: FLAGS,
  });
  const sides = {
    ours: side(() => import('../subjects/ours.mjs')),
    official: side(() => import('../subjects/official.mjs')),
    launchDarkly: other(() => import('../subjects/launchdarkly.mjs')),
    growthBook: other(() => import('../subjects/growthbook.mjs')),
    floor: side(() => import('../subjects/floor.mjs')),
  };
  return {
    ...scenario,
    same: ['ours', 'floor'],
    alike: ['ours', 'official'].filter((name) => !without.includes(name)),
    sides: Object.fromEntries(Object.entries(sides).filter(([name]) => !without.includes(name))),
    comparisons: site ? [...WITH_URL, ...OTHERS] : [...WITHOUT_URL, ...OTHERS],
  };
}
