/** Whether a decision costs more when the artifact is bigger. */
import { artifactOfMboxes, artifactOfRules } from '../artifacts.mjs';
import { operations } from '../operations.mjs';
import { requestOf } from '../visitors.mjs';

const OURS = () => import('../subjects/ours.mjs');
const OFFICIAL = () => import('../subjects/official.mjs');
const NAMES = [10, 100, 1000, 10_000, 100_000];
const RULES = [1, 10, 100, 1000];

/** @type {import('./index.mjs').Scenario[]} */
export const scenarios = [
  {
    name: 'scale/names',
    what: 'prefetch of 1 mbox, by how many mboxes the artifact names',
    needsGc: true,
    skippedWhenQuick: ['ours-100000', 'official-100000', 'ours-10000', 'official-10000'],
    alike: ['ours-10', 'official-10'],
    sides: {
      ...sidesOf('ours', NAMES, OURS, oneOfMany),
      ...sidesOf('official', [10, 1000, 100_000], OFFICIAL, oneOfMany),
    },
    comparisons: [
      ...NAMES.slice(1, -1).map((size) => ({
        figure: 'cpuUs',
        of: `ours-${size}`,
        to: 'ours-10',
        costs: 1.15,
      })),
      { figure: 'cpuUs', of: 'ours-100000', to: 'ours-10', costs: 1.15 },
      { figure: 'cpuUs', of: 'ours-10', to: 'official-10' },
      { figure: 'cpuUs', of: 'ours-1000', to: 'official-1000' },
      { figure: 'cpuUs', of: 'ours-100000', to: 'official-100000' },
    ],
  },
  {
    name: 'scale/rules',
    what: 'prefetch of 1 mbox, by how many rules it has; the last one holds',
    skippedWhenQuick: ['ours-1000', 'official-1000'],
    alike: ['ours-10', 'official-10'],
    sides: {
      ...sidesOf('ours', RULES, OURS, lastOfMany),
      ...sidesOf('official', RULES, OFFICIAL, lastOfMany),
    },
    comparisons: RULES.map((size) => ({ figure: 'cpuUs', of: `ours-${size}`, to: `official-${size}` })),
  },
];

function sidesOf(name, sizes, load, spec) {
  const side = (size) =>
    operations(async () => {
      const { client, sink, mbox } = await startWith(await load(), spec(size));
      // A service that has run for a while has not kept what making its artifact left behind.
      globalThis.gc?.();
      const operation = (index) =>
        client.getOffers({ request: requestOf(index, { prefetch: { mboxes: [mbox(index)] } }) });
      return { operation, sink, owed: 0 };
    });
  return Object.fromEntries(sizes.map((size) => [`${name}-${size}`, side(size)]));
}

/** A function of its own, so that nothing holds the artifact but the client. */
async function startWith({ startOnDevice }, { artifact, mbox }) {
  return { ...(await startOnDevice(artifact)), mbox };
}

/** Ten mboxes, from the first to the last, however many there are. */
function oneOfMany(size) {
  const mbox = (index) => ({ name: `mbox-${(index % 10) * (size / 10)}`, index: 1 });
  return { artifact: artifactOfMboxes(size), mbox };
}

function lastOfMany(size) {
  return {
    artifact: artifactOfRules(size),
    mbox: () => ({ name: 'mbox-0', index: 1, parameters: { plan: 'last' } }),
  };
}
