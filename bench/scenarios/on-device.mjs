/** Offers decided in the process: each call is of another visitor, and its notifications reach an instant sink. */
import { tracingChannel } from 'node:diagnostics_channel';
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
  observed({
    name: 'on-device/observed-off',
    what: 'getOffers, 1 mbox, prefetch, where nobody observes any more',
    sides: {
      unobserved: async () => ({}),
      off: async () => {
        const { openTelemetry } = await import('target-node-sdk/opentelemetry');
        const subscribers = { start: () => undefined };
        const calls = tracingChannel('target-node-sdk:call');
        calls.subscribe(subscribers);
        calls.unsubscribe(subscribers);
        openTelemetry();
        return {};
      },
    },
    comparisons: [{ figure: 'cpuUs', of: 'off', to: 'unobserved', costs: 1.1 }],
  }),
  observed({
    name: 'on-device/observed-on',
    what: 'getOffers, 1 mbox, prefetch, observed',
    sides: {
      unobserved: async () => ({}),
      observer: async () => ({ observer: { around: (_, run) => run() } }),
      channel: async () => {
        tracingChannel('target-node-sdk:call').subscribe({ start: () => undefined });
        return {};
      },
      // Without an SDK its meter does nothing, and decisions in this process get no span.
      opentelemetry: async () => {
        const { openTelemetry } = await import('target-node-sdk/opentelemetry');
        return { observer: openTelemetry() };
      },
    },
    comparisons: ['observer', 'channel', 'opentelemetry'].map((side) => ({
      figure: 'cpuUs',
      of: side,
      to: 'unobserved',
    })),
  }),
];

/** Sides that decide the same, each observed in its own way: a side tells the option `observer` of its client. */
function observed({ sides, ...scenario }) {
  const side = (prepare) =>
    operations(async () => {
      const { startOnDevice } = await import('../subjects/ours.mjs');
      const { client, sink } = await startOnDevice(largeArtifact(), await prepare());
      const operation = (index) =>
        client.getOffers({ request: requestOf(index, { prefetch: { mboxes: oneMbox() } }) });
      return { operation, sink, owed: 0 };
    });
  return {
    ...scenario,
    same: Object.keys(sides),
    sides: Object.fromEntries(Object.entries(sides).map(([name, prepare]) => [name, side(prepare)])),
  };
}

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
