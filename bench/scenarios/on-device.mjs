/** Offers decided in the process: each call is of another visitor, and its notifications reach an instant sink. */
import { LARGE_MBOXES, largeArtifact } from '../artifacts.mjs';
import { operations } from '../operations.mjs';
import { requestOf } from '../visitors.mjs';

/** The floor does the same by hand and checks nothing: every row has to come near it. */
const FLOOR = { figure: 'cpuUs', of: 'ours', to: 'floor', faster: 0.6 };
const P50 = { figure: 'p50Us', of: 'ours', to: 'official' };
const WITH_URL = [
  { figure: 'cpuUs', of: 'ours', to: 'official', faster: 100 },
  FLOOR,
  { figure: 'p99Us', of: 'ours', to: 'official', faster: 50 },
];
/**
 * Without a page URL the official SDK does so little that not even the floor is a hundred times as fast: its rows are
 * told and not judged, with what the floor can do beside them.
 */
const WITHOUT_URL = [
  { figure: 'cpuUs', of: 'ours', to: 'official' },
  FLOOR,
  P50,
  { figure: 'p99Us', of: 'ours', to: 'official' },
  { figure: 'cpuUs', of: 'floor', to: 'official' },
  { figure: 'p99Us', of: 'floor', to: 'official' },
];

const oneMbox = () => [{ name: 'mbox-feature-flags', index: 1 }];

function manyMboxes(count) {
  return Array.from({ length: count }, (_, index) => ({
    name: LARGE_MBOXES[index % LARGE_MBOXES.length],
    index,
  }));
}

/** @type {import('./index.mjs').Scenario[]} */
export const scenarios = [
  onDevice({
    name: 'on-device/execute-url',
    what: 'getOffers, 1 mbox, page URL, notification',
    locations: () => ({ execute: { mboxes: oneMbox() } }),
    site: 'shop',
    owed: 1,
    comparisons: [...WITH_URL, P50],
  }),
  onDevice({
    name: 'on-device/execute',
    what: 'getOffers, 1 mbox, no URL, notification',
    locations: () => ({ execute: { mboxes: oneMbox() } }),
    owed: 1,
    comparisons: WITHOUT_URL,
  }),
  onDevice({
    name: 'on-device/prefetch-url',
    what: 'getOffers, 1 mbox, page URL, prefetch',
    locations: () => ({ prefetch: { mboxes: oneMbox() } }),
    site: 'shop',
    owed: 0,
    comparisons: [...WITH_URL, P50],
  }),
  onDevice({
    name: 'on-device/prefetch',
    what: 'getOffers, 1 mbox, no URL, prefetch',
    locations: () => ({ prefetch: { mboxes: oneMbox() } }),
    owed: 0,
    comparisons: WITHOUT_URL,
  }),
  onDevice({
    name: 'on-device/10-mboxes',
    what: 'getOffers, 10 mboxes, page URL, notifications',
    locations: () => ({ execute: { mboxes: manyMboxes(10) } }),
    site: 'shop',
    owed: 1,
    comparisons: WITH_URL,
  }),
  onDevice({
    name: 'on-device/50-mboxes',
    what: 'getOffers, 50 mboxes, page URL, notifications',
    locations: () => ({ execute: { mboxes: manyMboxes(50) } }),
    site: 'shop',
    owed: 1,
    comparisons: WITH_URL,
  }),
  onDevice({
    name: 'on-device/page-load',
    what: 'getOffers, page load (85 rules), notifications',
    locations: () => ({ execute: { pageLoad: { parameters: { jason: 'correct', foo: 'bar' } } } }),
    site: 'spa',
    owed: 1,
    comparisons: WITH_URL,
  }),
  onDevice({
    name: 'on-device/views',
    what: 'getOffers, all views, prefetch',
    locations: () => ({ prefetch: { views: [{ parameters: { jason: 'correct' } }] } }),
    site: 'spa',
    owed: 0,
    comparisons: WITH_URL,
  }),
  {
    name: 'on-device/bare-decision',
    what: 'the bare decision by hand, for scale',
    sides: {
      floor: operations(async () => {
        const { createFloor } = await import('../subjects/floor.mjs');
        const { visitorId } = await import('../visitors.mjs');
        const floor = createFloor(largeArtifact(), undefined);
        return { operation: (index) => floor.decide('mbox-feature-flags', visitorId(index)) };
      }),
    },
    comparisons: [],
  },
];

function onDevice({ locations, site, owed, ...scenario }) {
  const operationOf = (client) => (index) =>
    client.getOffers({ request: requestOf(index, locations(), site) });
  const side = (load) =>
    operations(async () => {
      const { startOnDevice } = await load();
      const { client, sink } = await startOnDevice(largeArtifact());
      return { operation: operationOf(client), sink, owed };
    });
  return {
    ...scenario,
    same: ['ours', 'floor'],
    alike: ['ours', 'official'],
    sides: {
      ours: side(() => import('../subjects/ours.mjs')),
      official: side(() => import('../subjects/official.mjs')),
      floor: side(() => import('../subjects/floor.mjs')),
    },
  };
}
