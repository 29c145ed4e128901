/** Offers decided on the edge: CPU per call of this process, against a Delivery API on this machine. */
import { operations } from '../operations.mjs';
import { requestOf } from '../visitors.mjs';

/**
 * Judged against the bare HTTP client that carries the call: what is over its cost is the SDK's own. Against the official
 * SDK the figures are told and not judged, with what the bare clients can do beside them.
 */
const COMPARISONS = [
  { figure: 'cpuUs', of: 'ours', to: 'nodeFetch', costs: 1.25 },
  { figure: 'cpuUs', of: 'oursOnUndici', to: 'undici', costs: 2 },
  ...['cpuUs', 'perSecond'].flatMap((figure) =>
    ['ours', 'oursOnUndici', 'nodeFetch', 'undici'].map((of) => ({ figure, of, to: 'official' })),
  ),
  { figure: 'p99Us', of: 'ours', to: 'official' },
];

/** @type {import('./index.mjs').Scenario[]} */
export const scenarios = [2, 20].flatMap((kilobytes) =>
  [1, 10, 100].map((concurrency) => serverSide(kilobytes, concurrency)),
);

/** Besides its seconds: the engine compiles what was called often, and a slower side is called less often in the same time. */
const WARM_UP_CALLS = 8000;

const locations = () => ({ execute: { mboxes: [{ name: 'mbox-0', index: 1 }] } });

function serverSide(kilobytes, concurrency) {
  const sdk = (load, more) => (host) =>
    operations(async () => {
      const client = (await load()).startServerSide(host, await more?.());
      const operation = (index) => client.getOffers({ request: requestOf(index, locations(), 'shop') });
      return { operation, concurrency, warmUpCalls: WARM_UP_CALLS };
    });
  // Posts what the SDK posts, headers and body: what the Delivery API asks for is no cost of the SDK.
  const bare = (start) => (host) =>
    operations(async () => {
      const { postedBy } = await import('../subjects/ours.mjs');
      const posted = await postedBy(requestOf(1, locations(), 'shop'));
      const post = start(await import('../subjects/http.mjs'), host);
      return { operation: () => post(posted), concurrency, warmUpCalls: WARM_UP_CALLS };
    });
  return {
    name: `server-side/${kilobytes}kb-${concurrency}`,
    what: `getOffers, ${kilobytes} KB answer, ${concurrency} at a time`,
    server: { delivery: kilobytes * 1024 },
    alike: ['ours', 'oursOnUndici', 'official'],
    sides: {
      ours: sdk(() => import('../subjects/ours.mjs')),
      oursOnUndici: sdk(
        () => import('../subjects/ours.mjs'),
        async () => (await import('../subjects/http.mjs')).undiciTransport(),
      ),
      official: sdk(() => import('../subjects/official.mjs')),
      nodeFetch: bare(({ startNodeFetch }, host) => startNodeFetch(host)),
      undici: bare(({ startUndici }, host) => startUndici(host, concurrency)),
    },
    comparisons: COMPARISONS,
  };
}
