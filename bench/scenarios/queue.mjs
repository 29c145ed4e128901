/** Notifications of on-device decisions, delivered while a part of the answers fails. */
import { setTimeout as sleep } from 'node:timers/promises';

const SHARES = [
  { share: 0.01, offered: 0.95, drained: 0.9 },
  { share: 0.05, offered: 0.95, drained: 0.8 },
  { share: 0.3, offered: 0.9, drained: 0.45 },
];
const CLUSTERS = ['35', '36', '37', '38', '39'];
const LONGEST_MS = 9 * 60_000;

/** @type {import('./index.mjs').Scenario[]} */
export const scenarios = [
  {
    name: 'queue/offered',
    what: '200 notifications a second for 30 s, RTT 20 ms, by the share of answers that are 503',
    server: { notifications: { rttMs: 20 } },
    sides: {
      clean: offered('errors-0'),
      ...Object.fromEntries(SHARES.map(({ share }) => [`errors-${share}`, offered(`errors-${share}`)])),
    },
    comparisons: SHARES.map((row) => atLeast(row.offered, `errors-${row.share}`)),
  },
  {
    name: 'queue/drain',
    what: '20 000 notifications at once, RTT 50 ms, by the share of answers that are 503',
    server: { notifications: { rttMs: 50 } },
    sides: {
      clean: drained('errors-0', 20_000),
      ...Object.fromEntries(
        SHARES.map(({ share }) => [`errors-${share}`, drained(`errors-${share}`, 20_000)]),
      ),
    },
    comparisons: SHARES.map((row) => atLeast(row.drained, `errors-${row.share}`)),
  },
  {
    name: 'queue/clusters',
    what: '5 000 notifications of visitors of five edge clusters, RTT 20 ms, until those of four have arrived',
    server: { notifications: { rttMs: 20 } },
    sides: { clean: healthyClusters('errors-0'), oneSick: healthyClusters('sick-39') },
    comparisons: [atLeast(0.9, 'oneSick')],
  },
  {
    name: 'queue/poison',
    what: '300 notifications, RTT 20 ms, with and without one beside them that is always answered 503',
    server: { notifications: { rttMs: 20 } },
    sides: { clean: besidePoison('errors-0'), poison: besidePoison('poison') },
    comparisons: [{ figure: 'wallMs', of: 'poison', to: 'clean', costs: 2 }],
  },
  {
    name: 'queue/in-flight',
    what: '5 000 notifications at once, RTT 50 ms, as by default and with maxInFlight 10',
    server: { notifications: { rttMs: 50 } },
    sides: {
      default: drained('errors-0', 5000),
      ten: drained('errors-0', 5000, { notifications: { maxInFlight: 10 } }),
    },
    comparisons: [{ figure: 'perSecond', of: 'default', to: 'ten', faster: 4 }],
  },
];

function atLeast(share, side) {
  return { figure: 'perSecond', of: side, to: 'clean', faster: share };
}

/** A client that decides here and reports to a host, and what it does for a visitor. */
async function start(host, organization, { notifications, ...more } = {}) {
  const { startReporting } = await import('../subjects/ours.mjs');
  const { artifactOfMboxes } = await import('../artifacts.mjs');
  const client = await startReporting(host, {
    artifact: artifactOfMboxes(10),
    organizationId: `${organization}@${process.pid}`,
    notifications: { maxQueued: 30_000, ...notifications },
    ...more,
  });
  const show = (tntId, targetLocationHint) =>
    client.getOffers({
      request: { id: { tntId }, execute: { mboxes: [{ name: 'mbox-0', index: 1 }] } },
      targetLocationHint,
    });
  return { client, show };
}

function deliveredBy(client) {
  return client.stats().notifications.delivered;
}

function offered(organization) {
  return (host) => ({
    measure: async ({ quick }) => {
      const seconds = quick ? 1 : 30;
      const { client, show } = await start(host, organization);
      await warmUp(client, show);
      const before = deliveredBy(client);
      const started = performance.now();
      for (let shown = 0; shown < 200 * seconds; shown += 1) {
        const aheadMs = (shown / 200) * 1000 - (performance.now() - started);
        if (aheadMs > 1) {
          await sleep(aheadMs);
        }
        await show(`visitor${shown}`);
      }
      await sleep(Math.max(0, seconds * 1000 - (performance.now() - started)));
      return { perSecond: ((deliveredBy(client) - before) / (performance.now() - started)) * 1000 };
    },
  });
}

function drained(organization, count, more) {
  return (host) => ({
    measure: async ({ quick }) => {
      const wanted = quick ? 200 : count;
      const { client, show } = await start(host, organization, more);
      await warmUp(client, show);
      const started = performance.now();
      for (let shown = 0; shown < wanted; shown += 1) {
        await show(`visitor${shown}`);
      }
      const { queued, failed, dropped } = await client.flush({ timeout: LONGEST_MS });
      if (queued + failed + dropped > 0) {
        throw new Error(`${queued} queued, ${failed} failed, ${dropped} dropped`);
      }
      return { perSecond: (wanted / (performance.now() - started)) * 1000 };
    },
  });
}

function healthyClusters(organization) {
  return (host) => ({
    measure: async ({ quick }) => {
      const visitors = quick ? 100 : 5000;
      const { clusterAgent } = await import('../subjects/http.mjs');
      const { client, show } = await start(host, organization, { agent: clusterAgent(host) });
      const started = performance.now();
      for (let visitor = 0; visitor < visitors; visitor += 1) {
        await show(`visitor${visitor}`, CLUSTERS[visitor % CLUSTERS.length]);
      }
      const healthy = (visitors * (CLUSTERS.length - 1)) / CLUSTERS.length;
      const wanted = organization === 'errors-0' ? visitors : healthy;
      while (deliveredBy(client) < wanted) {
        await sleep(1);
      }
      return { perSecond: (healthy / (performance.now() - started)) * 1000 };
    },
  });
}

function besidePoison(organization) {
  return (host) => ({
    measure: async ({ quick }) => {
      const { client, show } = await start(host, organization);
      await warmUp(client, show);
      const before = deliveredBy(client);
      const wanted = quick ? 20 : 300;
      const started = performance.now();
      if (organization === 'poison') {
        await show('poison');
      }
      for (let shown = 0; shown < wanted; shown += 1) {
        await show(`visitor${shown}`);
      }
      while (deliveredBy(client) - before < wanted) {
        await sleep(1);
      }
      return { wallMs: performance.now() - started };
    },
  });
}

/** The code is compiled and connections are open, as in a process that has worked for a while. */
async function warmUp(client, show) {
  for (let shown = 0; shown < 300; shown += 1) {
    await show(`early${shown}`);
  }
  await client.flush({ timeout: LONGEST_MS });
}
